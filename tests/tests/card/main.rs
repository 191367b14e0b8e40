//! The card's control, Verilated, with stand-ins for the engines, in a world of late and hesitant memories.

mod commands;
mod faults;
mod host;
mod lockstep;
mod malformed;
mod queues;
mod registers;
mod resets;
mod stand_in;
