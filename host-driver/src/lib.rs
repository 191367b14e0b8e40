//! User-space driver of the Spandrel card.

mod dma;
mod transport;

pub use dma::{DMA_ALIGNMENT, DmaBuffer, DmaMemory, DmaOutOfBounds, SharedMemory};
pub use transport::{AccessWidth, Transport, TransportError};
