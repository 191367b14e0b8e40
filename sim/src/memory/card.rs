//! The card's own memory.

use super::{Memory, runs};

/// Bytes of a page: only pages that were written to take up memory of the host.
const PAGE: usize = 1 << 16;

/// Sparse byte-addressed memory of a fixed size, zero where it was never written.
#[derive(Debug)]
pub struct CardMemory {
    bytes: u64,
    pages: Vec<Option<Box<[u8]>>>,
}

impl CardMemory {
    /// Memory of `bytes` bytes.
    pub fn new(bytes: u64) -> CardMemory {
        let pages = bytes.div_ceil(PAGE as u64) as usize;
        CardMemory { bytes, pages: (0..pages).map(|_| None).collect() }
    }

    /// Size in bytes.
    pub fn len(&self) -> u64 {
        self.bytes
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    fn covers(&self, address: u64, bytes: usize) -> bool {
        address.checked_add(bytes as u64).is_some_and(|end| end <= self.bytes)
    }

    fn store(&mut self, address: u64, mut from: &[u8]) {
        let mut address = address as usize;
        while !from.is_empty() {
            let (page, offset) = (address / PAGE, address % PAGE);
            let (now, later) = from.split_at(from.len().min(PAGE - offset));
            let page = self.pages[page].get_or_insert_with(|| vec![0; PAGE].into_boxed_slice());
            page[offset..offset + now.len()].copy_from_slice(now);
            address += now.len();
            from = later;
        }
    }
}

impl Memory for CardMemory {
    fn read(&mut self, address: u64, mut into: &mut [u8]) -> bool {
        if !self.covers(address, into.len()) {
            return false;
        }
        let mut address = address as usize;
        while !into.is_empty() {
            let (page, offset) = (address / PAGE, address % PAGE);
            let (now, later) = into.split_at_mut((PAGE - offset).min(into.len()));
            match &self.pages[page] {
                Some(page) => now.copy_from_slice(&page[offset..offset + now.len()]),
                None => now.fill(0),
            }
            address += now.len();
            into = later;
        }
        true
    }

    fn write(&mut self, address: u64, from: &[u8], strobe: u64) -> bool {
        let exists = |run: &std::ops::Range<usize>| {
            address.checked_add(run.start as u64).is_some_and(|start| self.covers(start, run.len()))
        };
        if !runs(strobe, from.len()).all(|run| exists(&run)) {
            return false;
        }
        for run in runs(strobe, from.len()) {
            self.store(address + run.start as u64, &from[run]);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_join_and_the_end_is_the_end() {
        let mut memory = CardMemory::new(3 * PAGE as u64 + 64);
        let mut seen = [1; 64];
        assert!(memory.read(PAGE as u64 - 32, &mut seen) && seen == [0; 64]);
        let data: Vec<u8> = (1..=64).collect();
        assert!(memory.write(PAGE as u64 - 32, &data, !(1 << 5)));
        assert!(memory.read(PAGE as u64 - 32, &mut seen));
        let mut expected = data.clone();
        expected[5] = 0;
        assert_eq!(seen[..], expected[..]);
        let end = memory.len();
        assert!(memory.write(end - 64, &data, u64::MAX) && memory.read(end - 64, &mut seen));
        assert!(!memory.write(end - 63, &data, u64::MAX) && !memory.read(end - 63, &mut seen));
        assert!(memory.write(end - 32, &data, 0xffff_ffff), "bytes without a strobe need not exist");
        assert!(!memory.read(u64::MAX, &mut seen) && !memory.write(u64::MAX, &data, 2));
    }
}
