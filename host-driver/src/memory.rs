//! The allocator of card memory: first fit, freed pieces joined with their neighbours.

use std::ops::Range;

/// Hands out pieces of card memory, aligned to [`spandrel_abi::CARD_ALIGNMENT`].
#[derive(Debug)]
pub(crate) struct CardMemory {
    total: u64,
    /// Free pieces by address, none empty, no two touching.
    free: Vec<Range<u64>>,
}

impl CardMemory {
    /// All of a memory of `bytes` bytes, free.
    pub(crate) fn new(bytes: u64) -> CardMemory {
        let usable = bytes / spandrel_abi::CARD_ALIGNMENT * spandrel_abi::CARD_ALIGNMENT;
        CardMemory { total: usable, free: (usable > 0).then_some(0..usable).into_iter().collect() }
    }

    /// Bytes in all.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Free bytes.
    pub(crate) fn free_bytes(&self) -> u64 {
        self.free.iter().map(|gap| gap.end - gap.start).sum()
    }

    /// The longest free piece.
    pub(crate) fn largest_gap(&self) -> u64 {
        self.free.iter().map(|gap| gap.end - gap.start).max().unwrap_or(0)
    }

    /// Takes the first piece that holds `bytes` bytes; `None` where there is none, or none was asked for.
    pub(crate) fn allocate(&mut self, bytes: u64) -> Option<Range<u64>> {
        let bytes = bytes.checked_next_multiple_of(spandrel_abi::CARD_ALIGNMENT)?;
        if bytes == 0 {
            return None;
        }
        let index = self.free.iter().position(|gap| gap.end - gap.start >= bytes)?;
        let start = self.free[index].start;
        self.free[index].start += bytes;
        if self.free[index].is_empty() {
            self.free.remove(index);
        }
        Some(start..start + bytes)
    }

    /// Gives a piece back. A piece that was not handed out, or was given back before, is refused.
    pub(crate) fn release(&mut self, piece: Range<u64>) -> bool {
        let next = self.free.partition_point(|gap| gap.start < piece.start);
        let fits_before = next == 0 || self.free[next - 1].end <= piece.start;
        let fits_after = self.free.get(next).is_none_or(|gap| piece.end <= gap.start);
        if piece.is_empty() || piece.end > self.total || !fits_before || !fits_after {
            return false;
        }
        let joins_before = next > 0 && self.free[next - 1].end == piece.start;
        let joins_after = self.free.get(next).is_some_and(|gap| gap.start == piece.end);
        match (joins_before, joins_after) {
            (true, true) => {
                self.free[next - 1].end = self.free[next].end;
                self.free.remove(next);
            }
            (true, false) => self.free[next - 1].end = piece.end,
            (false, true) => self.free[next].start = piece.start,
            (false, false) => self.free.insert(next, piece),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Against a map of every 64-byte line: pieces never overlap, first fit, and nothing is ever lost.
        #[test]
        fn behaves_as_a_map_of_lines(
            lines in 1usize..80,
            steps in prop::collection::vec((any::<bool>(), 0u64..1000, any::<prop::sample::Index>()), 0..120),
        ) {
            let mut memory = CardMemory::new(lines as u64 * 64 + 63);
            let mut map = vec![false; lines];
            let mut held: Vec<Range<u64>> = Vec::new();
            for (allocate, bytes, which) in steps {
                if allocate || held.is_empty() {
                    let wanted = bytes.div_ceil(64) as usize;
                    let expected = (wanted > 0)
                        .then(|| (0..lines).find(|at| {
                            map.get(*at..at + wanted).is_some_and(|run| run.iter().all(|used| !used))
                        }))
                        .flatten();
                    let piece = memory.allocate(bytes);
                    prop_assert_eq!(piece.clone().map(|piece| piece.start as usize / 64), expected);
                    if let Some(piece) = piece {
                        prop_assert_eq!((piece.end - piece.start) as usize, wanted * 64);
                        map[piece.start as usize / 64..piece.end as usize / 64].fill(true);
                        held.push(piece);
                    }
                } else {
                    let piece = held.swap_remove(which.index(held.len()));
                    prop_assert!(memory.release(piece.clone()));
                    prop_assert!(!memory.release(piece.clone()), "given back twice");
                    map[piece.start as usize / 64..piece.end as usize / 64].fill(false);
                }
                prop_assert_eq!(memory.free_bytes() as usize, 64 * map.iter().filter(|used| !**used).count());
            }
            for piece in held {
                prop_assert!(memory.release(piece));
            }
            prop_assert_eq!(memory.largest_gap(), memory.total());
        }
    }

    #[test]
    fn extremes() {
        let mut memory = CardMemory::new(1 << 40);
        assert_eq!(memory.allocate(0), None);
        assert_eq!(memory.allocate(u64::MAX), None);
        assert_eq!(memory.allocate(1 << 40), Some(0..1 << 40));
        assert_eq!(memory.allocate(1), None);
        assert!(!memory.release(64..128 + (1 << 40)));
        assert!(CardMemory::new(63).allocate(1).is_none());
    }
}
