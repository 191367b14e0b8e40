//! The transport to a card that another process simulates: a client of the vfio-user protocol.
//!
//! [`VfioUser`] is the driver's end, `spandrel sim serve` the other one. The same server serves virtual machines, so what
//! a driver does here is what its requests come to in a guest: registers and configuration space by message, memory shared
//! by descriptor and reached by the card only where it was mapped, interrupts by `eventfd`.
//!
//! [`wire`] is what both ends of the protocol share. The crate `vfio_user` has a client too, but one that waits without
//! end for an answer, takes a refusal for a success, and panics at what a server may send; it is the judge of this one's
//! other end in the tests.

mod client;
mod dma;
mod link;
mod memory;
pub mod wire;

pub use client::VfioUser;
pub use memory::SharedFile;
