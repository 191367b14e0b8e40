//! The commands that hash, against a simulated card and against circom's world.

mod card;
mod circom;
