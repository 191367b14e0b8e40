//! Bases that stay in card memory.

use std::ops::Range;
use std::sync::mpsc::Sender;

/// A piece of card memory that is no longer used, on its way back to the allocator.
#[derive(Debug)]
pub(crate) struct Returned {
    pub(crate) generation: u64,
    pub(crate) piece: Range<u64>,
}

/// A piece of card memory. When its last owner (handle or running job) is gone it goes back to its card.
#[derive(Debug)]
pub(crate) struct Resident {
    pub(crate) card: u64,
    pub(crate) generation: u64,
    pub(crate) piece: Range<u64>,
    pub(crate) bases: usize,
    pub(crate) home: Sender<Returned>,
}

impl Drop for Resident {
    fn drop(&mut self) {
        // Where the card is gone, so is its memory.
        let _ = self.home.send(Returned { generation: self.generation, piece: self.piece.clone() });
    }
}

/// Bases in card memory, as [`Card::load_bases`](crate::Card::load_bases) gives them.
///
/// The handle is good for the card that gave it, until that card is reset: after that, every use ends in
/// [`DriverError::BasesLost`](crate::DriverError::BasesLost). Dropping the handle releases the memory, as
/// [`Card::release_bases`](crate::Card::release_bases) does; jobs that are under way keep it until they end.
#[derive(Debug)]
pub struct BasesHandle {
    pub(crate) resident: std::sync::Arc<Resident>,
}

impl BasesHandle {
    /// Number of bases.
    pub fn len(&self) -> usize {
        self.resident.bases
    }

    /// Whether there are no bases; never so for a handle that a card gave.
    pub fn is_empty(&self) -> bool {
        self.resident.bases == 0
    }
}
