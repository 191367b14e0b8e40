//! User-space driver of the Spandrel card.
//!
//! A [`Card`] is opened over a [`Transport`]: a simulated card in the same process, or a real one. The driver
//! knows nothing of what is behind the transport; the interface to the card is that of `spandrel-abi`.
//!
//! ```no_run
//! use spandrel_driver::{Card, CardOptions, DriverError, Transport};
//!
//! fn multiply(transport: Box<dyn Transport>, bases: &[u8], scalars: &[u8]) -> Result<(), DriverError> {
//!     let mut card = Card::open(transport, CardOptions::default())?;
//!     println!("{} at {} kHz", card.name(), card.identification().clock_khz);
//!
//!     // Bases stay on the card and serve any number of jobs.
//!     let bases = card.load_bases(bases)?;
//!
//!     // Jobs queue up; they are awaited in any order, or dropped.
//!     let whole = card.submit_msm(&bases, 0..bases.len(), scalars)?;
//!     let first = card.submit_msm(&bases, 0..1, &scalars[..32])?;
//!     let first = card.wait(first, &mut |_| {})?;
//!     let whole = card.wait(whole, &mut |progress| println!("{} cycles so far", progress.cycles))?;
//!     println!("{} and {} cycles", first.cycles, whole.cycles);
//!
//!     card.release_bases(bases)
//! }
//! ```
//!
//! # Ways to a card
//! [`SerialTransport`] opens a card at the end of a serial line. [`open_pci`] opens a card on the PCI bus: by its address through VFIO ([`VfioTransport`]), with an IOMMU between the
//! card and memory; or, asked for by name, by sysfs alone ([`SysfsTransport`]). [`cards`] lists them, [`bind`] gives one
//! to vfio-pci. Every way that others could take too holds the card's [`CardLock`], so that a second process is refused
//! before it has touched the card; a process may have several cards. A [`Monitor`] looks at a card beside its user.
//!
//! # Jobs
//! `submit_…` copies its inputs to memory that the card reaches, puts commands into the submission ring (or
//! behind it, when it is full) and returns a [`Job`] at once. The card works through commands in order.
//! [`Card::poll`] tells whether a job has ended, [`Card::wait`] waits for it. A job that is dropped is finished
//! by the card all the same; its buffers live until then.
//!
//! # Memory
//! Operands are copied into pinned buffers, which are kept and used again ([`CardOptions::idle_bytes`]), and cut where the
//! card reaches only so much in one piece. To save the copy, fill a buffer of [`Card::allocate`] and give it to
//! [`Card::submit_msm_buffer`] or [`Card::submit_field_buffers`]; it comes back with the result.
//!
//! # Windows
//! An MSM is worked on in windows of c bits of its scalars, and a card offers several c. The driver chooses the one
//! that it estimates to be fastest for the scalars at hand ([`best_msm`]); [`MsmOptions`] can name another. A card says
//! which curves it works on; without more, a job is on BN254's G1.
//!
//! # Hashes and trees
//! [`Card::submit_poseidon`] and [`Card::submit_sponge`] hash many messages at once. [`Card::submit_merkle_build`] builds a
//! Merkle tree that stays in card memory under a [`TreeHandle`]; paths are read from it and leaves set in it. A tree that
//! a failed command may have left in pieces is lost, and its handle tells so.
//!
//! # Time
//! Every wait is bounded, in the card's own time ([`Transport::now`]): each command has a bound made from its
//! size and the card's capabilities, and the oldest command under way must end within its own. So a wait on a
//! simulated card takes as long as it takes, and one on a card that has stopped ends.
//!
//! # When a card fails
//! Errors are values of [`DriverError`]. After a time-out, a corrupted ring, a queue fault or a lost card,
//! every use ends in [`DriverError::NeedsReset`] until [`Card::reset`] has been called. A reset loses resident
//! bases and jobs under way; their handles tell so. A command that the card itself refuses
//! ([`DriverError::CommandFailed`]) needs no reset. Memory that a card might still write to is never given back
//! before the card has stopped.
//!
//! # Secrets
//! Copies of scalars, field vectors, messages, leaves and digests are overwritten when their job ends. Nothing of their contents is logged
//! or put into an error.

mod address;
mod arena;
mod bar;
mod bases;
mod bounds;
mod buffer;
mod card;
mod commands;
mod compute;
mod config;
mod cost;
mod discovery;
mod dma;
mod error;
mod hash;
mod identify;
mod job;
mod link;
mod lock;
mod loopback;
mod mapped_bar;
mod memory;
mod monitor;
mod open_error;
mod options;
mod pages;
mod queue;
mod ranges;
mod rings;
pub mod serial;
mod staging;
mod sysfs;
mod system;
mod transport;
mod tree;
mod vfio;
pub mod vfio_user;

pub use address::{BadPciAddress, PciAddress};
pub use bases::BasesHandle;
pub use buffer::{CardBuffer, Refused};
pub use card::Card;
pub use compute::MsmOptions;
pub use cost::{BitLengths, MsmEstimate, best_msm, estimate_msm};
pub use discovery::{FoundCard, LinkSpeed, bind, cards, find_card, is_pci_name, open_pci, unbind};
pub use dma::{DMA_ALIGNMENT, DmaBuffer, DmaMemory, DmaOutOfBounds, SharedMemory};
pub use error::{Corruption, DriverError};
pub use hash::{HashOutput, HashResult};
pub use job::{Done, Job, JobOutput, Lent, MsmResult, Progress, Sample};
pub use link::{Link, LinkFaults};
pub use lock::{CardLock, LockError};
pub use loopback::Loopback;
pub use monitor::{Monitor, Snapshot};
pub use open_error::OpenError;
pub use options::CardOptions;
pub use serial::{SERIAL_PREFIX, SerialName, SerialTransport};
pub use sysfs::SysfsTransport;
pub use system::System;
pub use transport::{AccessWidth, ClockKind, Pace, Transport, TransportError};
pub use tree::TreeHandle;
pub use vfio::VfioTransport;
pub use vfio_user::VfioUser;

// What the driver's interface is made of besides its own types.
pub use spandrel_abi::{
    Counters, CurveId, FieldId, FieldOperation, Identification, Opcode, Status, TreeShape,
};
