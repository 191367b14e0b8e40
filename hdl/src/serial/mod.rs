//! The shell of a card without PCI Express: a serial line, as [`spandrel_abi`] describes its packets, and memory on the chip.
//!
//! ```text
//! rxd ─► UartReceiver ─► FrameDecoder ─┬─► Responder ◄──► registers (AXI4-Lite), bit rate, reset
//!                                      └─► Requester ◄──► the card's accesses to host memory (AXI4), causes
//! txd ◄─ UartTransmitter ◄─ FrameEncoder ◄─ replies before requests
//! ```

mod frame;
mod requester;
mod responder;
mod shell;
mod top;
mod uart;

pub use frame::{CrcStep, FrameDecoder, FrameEncoder};
pub use requester::Requester;
pub use responder::Responder;
pub use shell::SerialShell;
pub use top::{PowerOn, SerialCard, SerialShape};
pub use uart::{UartReceiver, UartTransmitter};
