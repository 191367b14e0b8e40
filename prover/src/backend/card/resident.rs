//! Which bases are in card memory, and which of them may leave it.

use spandrel_abi::Identification;
use std::collections::HashMap;

/// Card memory, in KiB, up to which the points of all bases are kept in this process too, so that bases can leave card
/// memory and come back. A key of which one set fills more than this needs a card for it.
const SMALL_KIB: u32 = 16 << 10;

/// Bases that a caller has loaded.
pub(super) struct Set<B> {
    /// Their points, where they are kept.
    pub(super) points: Option<Vec<u8>>,
    /// Where they are in card memory, if they are.
    pub(super) bases: Option<B>,
    used: u64,
}

/// All of them.
pub(super) struct Residents<B> {
    sets: HashMap<u64, Set<B>>,
    keeps: bool,
    /// Counts uses.
    now: u64,
}

impl<B> Residents<B> {
    /// None yet, for a card.
    pub(super) fn for_card(card: &Identification) -> Residents<B> {
        Residents { sets: HashMap::new(), keeps: card.card_memory_kib <= SMALL_KIB, now: 0 }
    }

    /// Whether points are kept here too.
    pub(super) fn keeps(&self) -> bool {
        self.keeps
    }

    pub(super) fn insert(&mut self, id: u64, points: Option<Vec<u8>>, bases: Option<B>) {
        self.put_back(id, Set { points, bases, used: 0 });
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<Set<B>> {
        self.sets.remove(&id)
    }

    /// A set that was just used.
    pub(super) fn put_back(&mut self, id: u64, set: Set<B>) {
        self.now += 1;
        self.sets.insert(id, Set { used: self.now, ..set });
    }

    /// The bases that were not used for longest, of those that can come back; they are no longer in card memory.
    pub(super) fn evict(&mut self) -> Option<B> {
        let able = self.sets.values_mut().filter(|set| set.points.is_some() && set.bases.is_some());
        able.min_by_key(|set| set.used)?.bases.take()
    }
}
