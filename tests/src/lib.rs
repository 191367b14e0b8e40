//! Tests that cross crates: what they share. The tests themselves are in `tests/`.
//!
//! A test whose tool cannot be had on this machine calls [`skip`] with its own name and the reason, and returns;
//! `cargo xtask test` reports it by name and counts it as skipped.

pub mod faults;
pub mod netlist;
pub mod pipeline;
pub mod reference;
pub mod soak;
pub mod values;
pub mod world;

pub mod sample;

pub use spandrel_tools::skip;
