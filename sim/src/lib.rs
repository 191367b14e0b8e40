//! Cycle-accurate simulation of the Spandrel card.
//!
//! - [`model`] turns emitted Verilog into a compiled model (Verilator, a C++ compiler, a shared object) and runs it.
//! - [`testbench`] has what tests of single blocks need: streams with random stalls, a bounded clock loop.

mod error;
pub mod model;
pub mod testbench;

pub use error::SimError;
