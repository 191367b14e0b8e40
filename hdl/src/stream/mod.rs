//! Ready/valid streams: FIFO, register slice, width doubler.
//!
//! The rules are those of AXI-Stream: an element moves in the cycle in which `valid` and `ready` are both one;
//! `valid` never waits for `ready`; while `valid` is one and `ready` is zero, the data stand still.
//! Every block has a synchronous `reset` that leaves it as after power-on.

mod fifo;
mod memory;
mod pair;
mod skid;
mod split;

pub use fifo::Fifo;
pub use memory::Memory;
pub use pair::Pair;
pub use skid::Skid;
pub use split::Split;
