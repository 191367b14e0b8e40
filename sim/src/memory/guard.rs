//! Memory that can be made to fail: what an I/O memory-management unit denies, and what is damaged on its way.

use super::{Memory, runs};
use spandrel_abi::{COMPLETION_BYTES, CQ_BASE_HI, CQ_BASE_LO, CQ_MASK};
use std::ops::{Deref, DerefMut, Range};

/// Host memory with orders to fail.
#[derive(Debug)]
pub struct Guarded<M> {
    inner: M,
    denied: Vec<Range<u64>>,
    denied_accesses: u64,
    failed_accesses: u64,
    /// The completion ring, as the host told the card: low and high half of its address, entries minus one.
    ring: [u32; 3],
    entries_written: u64,
    corruptions: Vec<(u64, [u8; COMPLETION_BYTES])>,
}

impl<M> Guarded<M> {
    /// Memory without orders.
    pub fn new(inner: M) -> Guarded<M> {
        Guarded {
            inner,
            denied: Vec::new(),
            denied_accesses: 0,
            failed_accesses: 0,
            ring: [0; 3],
            entries_written: 0,
            corruptions: Vec::new(),
        }
    }

    /// Denies the card a range of addresses.
    pub fn deny(&mut self, range: Range<u64>) {
        self.denied.push(range);
    }

    /// Denies nothing any more.
    pub fn allow_all(&mut self) {
        self.denied.clear();
    }

    /// Accesses that were denied by order.
    pub fn denied_accesses(&self) -> u64 {
        self.denied_accesses
    }

    /// Accesses that failed: denied by order, or refused by the memory.
    pub fn failed_accesses(&self) -> u64 {
        self.failed_accesses
    }

    /// Exclusive-ors a mask into the `n`-th entry from now (0 = the next) that the card writes to its completion ring.
    pub fn corrupt_completion(&mut self, n: u64, mask: [u8; COMPLETION_BYTES]) {
        self.corruptions.push((self.entries_written + n, mask));
    }

    /// The host wrote a 32-bit register of the card: this is how the completion ring is known.
    pub fn host_wrote(&mut self, offset: u64, value: u32) {
        for (index, register) in [CQ_BASE_LO, CQ_BASE_HI, CQ_MASK].iter().enumerate() {
            if u64::from(register.offset) == offset {
                self.ring[index] = value;
            }
        }
    }

    fn denies(&mut self, address: u64, bytes: usize) -> bool {
        let end = address.saturating_add(bytes as u64);
        let denied = self.denied.iter().any(|range| address < range.end && range.start < end);
        self.denied_accesses += u64::from(denied);
        denied
    }

    /// Bytes of the completion ring.
    fn ring(&self) -> Range<u64> {
        let base = u64::from(self.ring[1]) << 32 | u64::from(self.ring[0]);
        base..base.saturating_add((u64::from(self.ring[2]) + 1) * COMPLETION_BYTES as u64)
    }

    /// Counts a ring entry, and damages it if it is its turn.
    fn corrupted(&mut self, address: u64, from: &[u8]) -> Option<[u8; COMPLETION_BYTES]> {
        if from.len() != COMPLETION_BYTES || !self.ring().contains(&address) {
            return None;
        }
        let number = self.entries_written;
        self.entries_written += 1;
        let at = self.corruptions.iter().position(|(at, _)| *at == number)?;
        let mut entry = self.corruptions.swap_remove(at).1;
        entry.iter_mut().zip(from).for_each(|(mask, byte)| *mask ^= byte);
        Some(entry)
    }
}

impl<M: Memory> Memory for Guarded<M> {
    fn read(&mut self, address: u64, into: &mut [u8]) -> bool {
        let done = !self.denies(address, into.len()) && self.inner.read(address, into);
        self.failed_accesses += u64::from(!done);
        done
    }

    fn write(&mut self, address: u64, from: &[u8], strobe: u64) -> bool {
        let touched = runs(strobe, from.len()).fold(None, |all: Option<Range<usize>>, run| {
            Some(all.map_or(run.start, |all| all.start)..run.end)
        });
        let Some(touched) = touched else { return self.inner.write(address, from, strobe) };
        if self.denies(address.saturating_add(touched.start as u64), touched.len()) {
            self.failed_accesses += 1;
            return false;
        }
        let entry = self.corrupted(address, from);
        let done = self.inner.write(address, entry.as_ref().map_or(from, |entry| entry), strobe);
        self.failed_accesses += u64::from(!done);
        done
    }

    fn mappings(&self) -> usize {
        self.inner.mappings()
    }
}

impl<M> Deref for Guarded<M> {
    type Target = M;

    fn deref(&self) -> &M {
        &self.inner
    }
}

impl<M> DerefMut for Guarded<M> {
    fn deref_mut(&mut self) -> &mut M {
        &mut self.inner
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::CardMemory;

    #[test]
    fn orders_hit_what_they_name() {
        let mut memory = Guarded::new(CardMemory::new(1 << 16));
        memory.deny(0x100..0x200);
        let mut seen = [0; 32];
        assert!(
            !memory.read(0xf0, &mut seen)
                && !memory.write(0x1ff, &[1; 32], 1)
                && memory.read(0x200, &mut seen)
        );
        assert!(memory.write(0xe0, &[1; 64], u32::MAX.into()), "bytes without a strobe are not touched");
        assert_eq!((memory.denied_accesses(), memory.failed_accesses()), (2, 2));
        memory.allow_all();
        assert!(memory.read(0x100, &mut seen) && !memory.read(1 << 16, &mut seen));
        assert_eq!((memory.denied_accesses(), memory.failed_accesses()), (2, 3));

        memory.host_wrote(CQ_BASE_LO.offset.into(), 0x1000);
        memory.host_wrote(CQ_MASK.offset.into(), 3);
        let mut mask = [0; COMPLETION_BYTES];
        mask[3] = 0x40;
        memory.corrupt_completion(1, mask);
        for at in [0x1000, 0xfe0, 0x1080, 0x1060, 0x1020] {
            assert!(memory.write(at, &[9; 32], u64::MAX));
        }
        let bytes = [0x1000, 0xfe0, 0x1080, 0x1060, 0x1020].map(|at| {
            assert!(memory.read(at, &mut seen));
            seen[3]
        });
        assert_eq!(bytes, [9, 9, 9, 0x49, 9]);
    }
}
