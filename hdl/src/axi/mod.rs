//! AXI4 masters that move streams, and the AXI4-Lite slave.
//!
//! Both masters use one identifier (0), incrementing bursts of whole beats, at most [`MAX_BURST_BEATS`] beats long and
//! never across a 4 KiB border. A read master asks only for what it has room for, so it takes read data in every
//! cycle; a write master starts a burst only when it holds all of its data, so it never blocks the write channel.

mod lite;
mod memory;
mod plan;
mod read_dma;
mod register;
mod write_dma;

pub use lite::LiteSlave;
pub use memory::{AxiMemory, LaneMemory};
pub use plan::BurstPlan;
pub use read_dma::ReadDma;
pub use register::{CauseRegister, ConstantRegister, RegisterBus, StatusRegister, StoredRegister};
pub use write_dma::WriteDma;

/// Longest burst, in beats.
pub const MAX_BURST_BEATS: usize = 64;
