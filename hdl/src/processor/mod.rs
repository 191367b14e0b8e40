//! Processors with digit-serial multipliers, for boards on which a multiplier for each product does not fit.

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
