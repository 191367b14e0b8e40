//! The card's control, Verilated, in a world of late and hesitant memories: with stand-ins for the engines, and at last
//! with the engines that it ships with.

mod commands;
mod faults;
mod host;
mod lockstep;
mod malformed;
mod queues;
mod registers;
mod resets;
mod shipped;
mod stand_in;
mod stand_in_hash;
