//! The one description of the interface between host and card: registers, queue entries, commands,
//! status codes and the identification words.
//!
//! The RTL register block (`spandrel-hdl`), the driver (`spandrel-driver`) and `docs/registers.md` are all
//! made from the tables in this crate; nothing else in the project writes an offset or a code down.
//!
//! Conventions, everywhere:
//! - registers are 32 bits wide and little-endian, at byte offsets in BAR 0;
//! - a 64-bit quantity in registers is a `_LO` register followed by its `_HI` register;
//! - field elements are 32 bytes, little-endian, in Montgomery form with R = 2^256; scalars of a
//!   multi-scalar multiplication are 32 bytes, little-endian, canonical (not Montgomery), below the group order.

mod capability;
mod completion;
mod counters;
mod descriptor;
pub mod docs;
mod hash;
pub mod manifest;
mod registers;
mod serial;
mod status;
mod windows;

pub use capability::*;
pub use completion::*;
pub use counters::*;
pub use descriptor::*;
pub use hash::*;
pub use registers::*;
pub use serial::*;
pub use status::*;
pub use windows::*;

/// Value of [`MAGIC`]: the bytes `SPDL`, read as a little-endian word.
pub const MAGIC_VALUE: u32 = u32::from_le_bytes(*b"SPDL");

/// Major version of this interface: a driver refuses a card whose major version differs.
pub const ABI_MAJOR: u16 = 2;

/// Minor version of this interface: additions that an older driver can ignore.
pub const ABI_MINOR: u16 = 2;

/// PCI vendor of the card: that of the FPGA's maker, as is usual for boards without one of their own.
pub const PCI_VENDOR: u16 = 0x10ee;

/// PCI device number of the card; subsystem numbers are the same. What is behind it is told by [`MAGIC`].
pub const PCI_DEVICE: u16 = 0x5bd1;

/// PCI class of the card, 24 bits: processing accelerator.
pub const PCI_CLASS: u32 = 0x12_0000;

/// Board number ([`BOARD`]) of simulated cards.
pub const BOARD_SIMULATED: u32 = 0;

/// Bytes of a field element or scalar at every boundary.
pub const FIELD_BYTES: usize = 32;

/// Bytes of an affine point: x, then y. All zero means the point at infinity.
pub const AFFINE_POINT_BYTES: usize = 2 * FIELD_BYTES;

/// Bytes of a homogeneous projective point: X, Y, Z with x = X/Z, y = Y/Z. Z = 0 means infinity.
pub const PROJECTIVE_POINT_BYTES: usize = 3 * FIELD_BYTES;

/// Alignment of every host address in a descriptor, in bytes (the width of the host data bus).
pub const HOST_ALIGNMENT: u64 = 32;

/// Alignment of every card-memory address in a descriptor, in bytes (one affine point).
pub const CARD_ALIGNMENT: u64 = 64;

/// Largest element count of one command.
pub const MAX_COUNT: u32 = (1 << 28) - 1;
