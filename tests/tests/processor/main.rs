//! Processors with digit-serial multipliers, and the engines on them, Verilated.

mod adder;
mod bank;
mod card;
mod field;
mod poseidon;
mod schedule;
