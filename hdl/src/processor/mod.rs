//! Processors with digit-serial multipliers, for boards on which a multiplier for each product does not fit.
//!
//! - A [`SerialMultiplier`] takes a digit of b in a [`step`] of seven cycles, with seven products in its ring; a
//!   [`SerialBank`] is a few of them that take turns. [`linear`] adds, subtracts, and brings values below p; everything else
//!   is below 2p.
//! - A [`Program`] is what is done with one point addition, one pass of a permutation, one field operation: a straight line of
//!   loads, products, sums and outputs. [`Schedule`] gives each operation its cycle, so that frames overlap and no two
//!   operations want a port at once.
//! - A [`Processor`] steps through the schedule: program memory, register file, bank, additions. It has no handshake; the
//!   engines ([`SerialAdder`](crate::curve::SerialAdder), [`SerialPoseidon`](crate::poseidon::SerialPoseidon),
//!   [`SerialFieldUnit`](crate::field::SerialFieldUnit)) give it one.

mod bank;
mod core;
mod linear;
mod memory;
mod moduli;
mod multiplier;
mod program;
mod registers;
mod schedule;
mod slots;
mod step;

pub use bank::SerialBank;
pub use core::Processor;
pub use linear::{LINEAR_CYCLES, Linear, linear};
pub use moduli::Moduli;
pub use multiplier::SerialMultiplier;
pub use program::{Action, Choice, Operand, Operation, Program, Turn, Value};
pub use schedule::{
    MAX_FRAMES, MAX_REGISTERS, Place, Schedule, ScheduleError, Source, Timing, Word, Written,
};
pub use slots::SlotMemory;
pub use step::{DIGIT_BITS, DIGITS, LIMB_BITS, STEP_CYCLES, Step, step};
