//! Cycle-accurate simulation of the Spandrel card.
//!
//! - [`model`] turns emitted Verilog into a compiled model (Verilator, a C++ compiler, a shared object) and runs it.
//! - [`testbench`] has what tests of single blocks need: streams with random stalls, a bounded clock loop.
//! - [`memory`] and [`axi`] are the world around a card: host memory behind an I/O memory-management unit, card memory,
//!   AXI4 slaves that are late, hesitant and strict, an AXI4-Lite master.
//! - [`SimCard`] is the whole Verilated card in that world, [`InProcess`] the driver's way to it, [`SimControl`] the way
//!   to make it fail.
//! - [`server`] serves a PCIe card to other processes and virtual machines.

pub mod axi;
mod card;
mod error;
pub mod memory;
pub mod model;
pub mod server;
pub mod testbench;
mod transport;

pub use card::{SimCard, SimOptions, Timing};
pub use error::SimError;
pub use transport::{InProcess, SimControl, SimStatistics};
