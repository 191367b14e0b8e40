//! Cycle-accurate simulation of the Spandrel card.
//!
//! - [`model`] turns emitted Verilog into a compiled model (Verilator, a C++ compiler, a shared object) and runs it.
//! - [`testbench`] has what tests of single blocks need: streams with random stalls, a bounded clock loop.
//! - [`memory`] and [`axi`] are the world around a card: host memory behind an I/O memory-management unit, card memory,
//!   AXI4 slaves that are late, hesitant and strict, an AXI4-Lite master.
//! - [`pcie`] is the world around a card on PCI Express: the integrated block of the FPGA, configuration space, a root
//!   complex that is late, shuffles and fails on order; [`PcieSim`] is the whole card in it.
//! - [`SimCard`] is the whole Verilated card in that world, [`InProcess`] the driver's way to it, [`SimControl`] the way
//!   to make it fail.
//! - [`serial`] is a card behind a serial line, and the pseudo-terminal at the line's other end.
//! - [`server`] serves a PCIe card to other processes and virtual machines.

pub mod axi;
mod card;
mod control;
mod error;
pub mod memory;
pub mod model;
pub mod pcie;
pub mod serial;
pub mod server;
pub mod testbench;
mod transport;

pub use card::{SimCard, SimOptions, Timing};
pub use control::{SimControl, SimStatistics};
pub use error::SimError;
pub use pcie::{PcieSim, PcieTiming, PcieTraffic, ReadFault};
pub use transport::InProcess;
