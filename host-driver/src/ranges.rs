//! An allocator of address ranges: I/O virtual addresses, and pieces of pinned memory.

use std::collections::BTreeMap;
use std::ops::Range;

/// Hands out pieces of a set of ranges. It goes on where it last stopped (next fit), so that an address that was given
/// back is not soon handed out again: what a card still sends there then hits nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ranges {
    /// Free ranges, end by start; none empty, no two touching.
    free: BTreeMap<u64, u64>,
    /// What may be handed out at all, end by start.
    whole: BTreeMap<u64, u64>,
    next: u64,
}

impl Ranges {
    /// All of these ranges, free. They may overlap.
    pub(crate) fn new(ranges: impl IntoIterator<Item = Range<u64>>) -> Ranges {
        let mut whole = Ranges::default();
        for range in ranges {
            whole.unite(range);
        }
        Ranges { whole: whole.free.clone(), free: whole.free, next: 0 }
    }

    /// All of one range, free.
    pub(crate) fn all(range: Range<u64>) -> Ranges {
        Ranges::new(std::iter::once(range))
    }

    /// The same without `hole`; to be called before anything is handed out.
    pub(crate) fn without(self, hole: Range<u64>) -> Ranges {
        let cut = |(start, end): (&u64, &u64)| {
            let below = *start..(*end).min(hole.start);
            let above = (*start).max(hole.end)..*end;
            [below, above]
        };
        let parts: Vec<_> = self.free.iter().flat_map(cut).filter(|range| !range.is_empty()).collect();
        Ranges::new(parts)
    }

    /// Whether nothing is handed out.
    pub(crate) fn is_whole(&self) -> bool {
        self.free == self.whole
    }

    /// Takes `bytes` bytes that start at a multiple of `alignment` (a power of two); `None` where there is no such
    /// range, or none was asked for.
    pub(crate) fn allocate(&mut self, bytes: u64, alignment: u64) -> Option<u64> {
        if bytes == 0 {
            return None;
        }
        let find = |floor: u64| {
            self.free.iter().find_map(|(start, end)| {
                let at = (*start).max(floor).checked_next_multiple_of(alignment)?;
                (at.checked_add(bytes)? <= *end).then_some((*start, *end, at))
            })
        };
        let (start, end, at) = find(self.next).or_else(|| find(0))?;
        self.free.remove(&start);
        for rest in [start..at, at + bytes..end] {
            if !rest.is_empty() {
                self.free.insert(rest.start, rest.end);
            }
        }
        self.next = at + bytes;
        Some(at)
    }

    /// Gives back what [`Ranges::allocate`] handed out. Anything else (in part free already, or never there) is refused.
    pub(crate) fn release(&mut self, range: Range<u64>) -> bool {
        let within = self.whole.range(..=range.start).next_back().is_some_and(|(_, end)| range.end <= *end);
        let overlaps = self.free.range(..range.end).next_back().is_some_and(|(_, end)| *end > range.start);
        if range.is_empty() || !within || overlaps {
            return false;
        }
        self.unite(range);
        true
    }

    fn unite(&mut self, Range { mut start, mut end }: Range<u64>) {
        if start >= end {
            return;
        }
        while let Some((&below, &below_end)) =
            self.free.range(..=end).next_back().filter(|(_, e)| **e >= start)
        {
            self.free.remove(&below);
            (start, end) = (start.min(below), end.max(below_end));
        }
        self.free.insert(start, end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        /// Against a map of every unit: handed out once, within the ranges, aligned, refused only when nothing fits.
        #[test]
        fn behaves_as_a_map_of_units(
            ranges in prop::collection::vec((0u64..200, 0u64..60), 1..5),
            hole in (0u64..200, 0u64..40),
            steps in prop::collection::vec((any::<bool>(), 0u64..40, 0u32..4, any::<prop::sample::Index>()), 0..120),
        ) {
            let hole = hole.0..hole.0 + hole.1;
            let mut map = [false; 300];
            for (start, length) in &ranges {
                map[*start as usize..(start + length) as usize].fill(true);
            }
            map[hole.start as usize..hole.end as usize].fill(false);
            let whole = map;
            let ranges = ranges.into_iter().map(|(start, length)| start..start + length);
            let mut allocator = Ranges::new(ranges).without(hole);
            let mut held: Vec<Range<u64>> = Vec::new();
            for (allocate, bytes, alignment, which) in steps {
                if allocate || held.is_empty() {
                    let alignment = 1u64 << alignment;
                    let fits = |at: &usize| {
                        let run = map.get(*at..at + bytes as usize);
                        (*at as u64).is_multiple_of(alignment) && run.is_some_and(|run| run.iter().all(|free| *free))
                    };
                    let possible = bytes > 0 && (0..map.len()).any(|at| fits(&at));
                    let at = allocator.allocate(bytes, alignment);
                    prop_assert_eq!(at.is_some(), possible);
                    if let Some(at) = at {
                        prop_assert!(fits(&(at as usize)), "{} of {} bytes", at, bytes);
                        map[at as usize..(at + bytes) as usize].fill(false);
                        held.push(at..at + bytes);
                    }
                } else {
                    let range = held.swap_remove(which.index(held.len()));
                    prop_assert!(allocator.release(range.clone()));
                    prop_assert!(!allocator.release(range.clone()), "given back twice");
                    map[range.start as usize..range.end as usize].fill(true);
                }
                prop_assert_eq!(allocator.is_whole(), map == whole);
            }
            for range in held {
                prop_assert!(allocator.release(range));
            }
            prop_assert!(allocator.is_whole());
        }
    }

    #[test]
    fn addresses_are_not_reused_at_once() {
        let mut ranges = Ranges::all(0..0x10000);
        let first = ranges.allocate(0x1000, 0x1000).expect("room");
        assert!(ranges.release(first..first + 0x1000));
        let second = ranges.allocate(0x1000, 0x1000).expect("room");
        assert_ne!(first, second);
        assert!(!ranges.release(0x20000..0x21000), "never there");
    }

    #[test]
    fn extremes() {
        let mut ranges = Ranges::all(0x1000..u64::MAX);
        assert_eq!(ranges.allocate(u64::MAX, 1), None);
        assert_eq!(ranges.allocate(0, 1), None);
        assert_eq!(ranges.allocate(1 << 40, 1 << 40), Some(1 << 40));
        assert!(Ranges::all(5..5).is_whole());
    }
}
