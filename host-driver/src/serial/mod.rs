//! A card at the other end of a serial line: `serial:/dev/ttyUSB0`, `serial:/dev/ttyUSB0:3000000`.
//!
//! The link is described in [`spandrel_abi`]. A thread reads what the card sends: it serves the card's accesses to memory
//! from the buffers that were given out, and hands replies and interrupts to the transport. The card reaches nothing else.

pub mod frame;
mod line;
mod link;
mod memory;
mod name;
mod transport;

pub use memory::SerialStatistics;
pub use name::{BadSerialName, SERIAL_PREFIX, SerialName};
pub use transport::SerialTransport;
