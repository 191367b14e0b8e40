//! How the driver reaches a card: register accesses, memory for both, interrupts, time.

use crate::dma::{DmaBuffer, DmaOutOfBounds};
use std::fmt;
use std::time::Duration;

/// Width of a register access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccessWidth {
    /// One byte.
    Byte,
    /// Two bytes.
    Half,
    /// Four bytes: the width of every register of BAR 0.
    Word,
    /// Eight bytes.
    Double,
}

impl AccessWidth {
    /// Bytes: 1, 2, 4 or 8.
    pub const fn bytes(self) -> u64 {
        match self {
            AccessWidth::Byte => 1,
            AccessWidth::Half => 2,
            AccessWidth::Word => 4,
            AccessWidth::Double => 8,
        }
    }

    /// The value a read of this width gives where nothing answers: all ones.
    pub const fn all_ones(self) -> u64 {
        u64::MAX >> (64 - 8 * self.bytes())
    }
}

impl fmt::Display for AccessWidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-byte", self.bytes())
    }
}

/// What a transport's [`now`](Transport::now) measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClockKind {
    /// The card's own cycles, divided by its clock: also right where the card is simulated.
    Card,
    /// The wall clock. A simulated card is far slower than its clock says.
    Wall,
}

/// How fast the way to a card is, for the bounds of what the driver waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Bytes a second between the card and host memory; [`u64::MAX`] where the card's bus is the limit.
    pub bytes_per_second: u64,
    /// What an access to host memory may take besides its data.
    pub turnaround: Duration,
    /// How many times slower than its clock the card may run by the transport's time, where that is known; otherwise it
    /// follows from the board and [`Transport::clock`].
    pub slowdown: Option<u32>,
}

impl Pace {
    /// That of a bus as fast as the card.
    pub const BUS: Pace = Pace { bytes_per_second: u64::MAX, turnaround: Duration::ZERO, slowdown: None };
}

/// What can go wrong between the driver and a card.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// A register access that is not aligned, or outside the BAR.
    #[error(
        "{width} access at offset {offset:#x} is misaligned or outside the card's {bar_bytes} bytes of registers"
    )]
    BadAccess {
        /// Byte offset in the BAR.
        offset: u64,
        /// Width of the access.
        width: AccessWidth,
        /// Bytes of the BAR.
        bar_bytes: u64,
    },
    /// The card answered a register access with a bus error, or not at all.
    #[error("{width} access at offset {offset:#x} failed: {reason}")]
    AccessFailed {
        /// Byte offset in the BAR.
        offset: u64,
        /// Width of the access.
        width: AccessWidth,
        /// What the bus said.
        reason: String,
    },
    /// Memory that the card can reach could not be had.
    #[error("could not get {bytes} bytes of memory that the card can reach: {reason}")]
    Allocation {
        /// Bytes that were asked for.
        bytes: usize,
        /// Why not, and what to do.
        reason: String,
    },
    /// The transport has no such thing.
    #[error("{card} has no {what}")]
    Unsupported {
        /// The card.
        card: String,
        /// What it has not.
        what: &'static str,
    },
    /// What the transport leads through has gone: a simulator that was ended, a connection that was dropped.
    #[error("{card} has gone: {reason}")]
    Disconnected {
        /// The card.
        card: String,
        /// What was seen of it, and what to do.
        reason: String,
    },
    /// Another driver uses the card.
    #[error("{card} is in use by another process: end that one first, or use another card")]
    InUse {
        /// The card.
        card: String,
    },
    /// There is no such interrupt vector.
    #[error("the card has no interrupt vector {vector}")]
    NoSuchVector {
        /// The vector asked for.
        vector: u16,
    },
    /// A buffer was accessed outside its bounds.
    #[error(transparent)]
    OutOfBounds(#[from] DmaOutOfBounds),
    /// The operating system refused a call.
    #[error("{action}: {source}")]
    Io {
        /// What was being done.
        action: String,
        /// The system's answer.
        source: std::io::Error,
    },
    /// Anything else a transport has to say, as whole sentences.
    #[error("{0}")]
    Other(String),
}

/// A way to a card.
///
/// A card is used by one driver at a time, so all methods that touch it take `&mut self`. Whatever the card
/// does, no method may block for good: [`wait_interrupt`](Transport::wait_interrupt) ends at its time-out.
pub trait Transport: Send {
    /// The card's name for messages, such as `sim:sim-small`.
    fn describe(&self) -> String;

    /// Reads `width` bytes at byte `offset` of BAR 0. Reads of a card that is gone give all ones.
    fn read_bar(&mut self, offset: u64, width: AccessWidth) -> Result<u64, TransportError>;

    /// Writes the low `width` bytes of `value` at byte `offset` of BAR 0. Every write to a [`DmaBuffer`]
    /// that was made before is visible to the card before this write is.
    fn write_bar(&mut self, offset: u64, width: AccessWidth, value: u64) -> Result<(), TransportError>;

    /// Gives zeroed memory that the card can reach, at least `bytes` long, its I/O virtual address a
    /// multiple of 4 KiB.
    fn allocate(&mut self, bytes: usize) -> Result<DmaBuffer, TransportError>;

    /// Waits until interrupt `vector` is raised (`true`) or `timeout`, in the card's time, is over
    /// (`false`). A level-sensitive line that is high counts as raised at once. The caller does not rely on
    /// interrupts: lost and spurious ones are allowed.
    fn wait_interrupt(&mut self, vector: u16, timeout: Duration) -> Result<bool, TransportError>;

    /// The card's time, never running backwards: the wall clock on hardware, cycles divided by the clock in
    /// simulation. Every bound of the driver is measured in it.
    fn now(&self) -> Duration;

    /// What [`now`](Transport::now) measures.
    fn clock(&self) -> ClockKind;

    /// How fast the way to the card is.
    fn pace(&self) -> Pace {
        Pace::BUS
    }

    /// Reads 1, 2 or 4 bytes of the PCI configuration space, little-endian, at byte `offset` of its 4 KiB.
    ///
    /// # Errors
    /// [`TransportError::Unsupported`] on a bus without one.
    fn read_config(&mut self, offset: u16, width: AccessWidth) -> Result<u32, TransportError> {
        let _ = (offset, width);
        Err(TransportError::Unsupported { card: self.describe(), what: "PCI configuration space" })
    }

    /// Writes 1, 2 or 4 bytes of the PCI configuration space.
    ///
    /// # Errors
    /// [`TransportError::Unsupported`] on a bus without one.
    fn write_config(&mut self, offset: u16, width: AccessWidth, value: u32) -> Result<(), TransportError> {
        let _ = (offset, width, value);
        Err(TransportError::Unsupported { card: self.describe(), what: "PCI configuration space" })
    }

    /// Resets the card from outside (a function-level reset on hardware): for a card whose registers no
    /// longer help.
    fn reset(&mut self) -> Result<(), TransportError>;

    /// The longest buffer that [`allocate`](Transport::allocate) can give, in bytes, where a card reaches only so much in
    /// one piece; `None` where memory is the limit. At least 4 KiB.
    fn largest_buffer(&self) -> Option<usize> {
        None
    }

    /// Cuts a card that does not stop off from host memory. After it has succeeded nothing reaches a [`DmaBuffer`] any
    /// more once that is dropped, so that memory need not be kept back. The card is usable again after
    /// [`reset`](Transport::reset).
    ///
    /// # Errors
    /// [`TransportError::Unsupported`] where nothing stands between the card and memory.
    fn cut_off(&mut self) -> Result<(), TransportError> {
        Err(TransportError::Unsupported { card: self.describe(), what: "way to be cut off from memory" })
    }
}

impl<T: Transport + ?Sized> Transport for Box<T> {
    fn describe(&self) -> String {
        (**self).describe()
    }

    fn read_bar(&mut self, offset: u64, width: AccessWidth) -> Result<u64, TransportError> {
        (**self).read_bar(offset, width)
    }

    fn write_bar(&mut self, offset: u64, width: AccessWidth, value: u64) -> Result<(), TransportError> {
        (**self).write_bar(offset, width, value)
    }

    fn allocate(&mut self, bytes: usize) -> Result<DmaBuffer, TransportError> {
        (**self).allocate(bytes)
    }

    fn wait_interrupt(&mut self, vector: u16, timeout: Duration) -> Result<bool, TransportError> {
        (**self).wait_interrupt(vector, timeout)
    }

    fn now(&self) -> Duration {
        (**self).now()
    }

    fn clock(&self) -> ClockKind {
        (**self).clock()
    }

    fn pace(&self) -> Pace {
        (**self).pace()
    }

    fn read_config(&mut self, offset: u16, width: AccessWidth) -> Result<u32, TransportError> {
        (**self).read_config(offset, width)
    }

    fn write_config(&mut self, offset: u16, width: AccessWidth, value: u32) -> Result<(), TransportError> {
        (**self).write_config(offset, width, value)
    }

    fn reset(&mut self) -> Result<(), TransportError> {
        (**self).reset()
    }

    fn largest_buffer(&self) -> Option<usize> {
        (**self).largest_buffer()
    }

    fn cut_off(&mut self) -> Result<(), TransportError> {
        (**self).cut_off()
    }
}
