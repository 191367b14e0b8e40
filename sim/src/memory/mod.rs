//! Memories that the card reaches: over its AXI4 masters, or over PCI Express.

mod card;
mod guard;
mod guest;
mod host;

pub use card::CardMemory;
pub use guard::Guarded;
pub use guest::{GuestMapping, GuestMemory};
pub use host::{HostFault, HostMemory};

/// Memory as an AXI4 slave or a root complex sees it. Errors are a bus error to the card and nothing worse.
pub trait Memory {
    /// Copies bytes out; `false` (and `into` as it may be) if any of them does not exist.
    fn read(&mut self, address: u64, into: &mut [u8]) -> bool;

    /// Copies in the bytes (at most 64) whose bit of `strobe` is set; `false`, and nothing written, if any of those does
    /// not exist.
    fn write(&mut self, address: u64, from: &[u8], strobe: u64) -> bool;

    /// Number of buffers that are mapped, where the memory has any.
    fn mappings(&self) -> usize {
        0
    }
}

/// Runs of set bits among the low `length` bits of a strobe, as ranges of byte indices.
fn runs(strobe: u64, length: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    let mut rest = if length < 64 { strobe & ((1 << length) - 1) } else { strobe };
    std::iter::from_fn(move || {
        if rest == 0 {
            return None;
        }
        let start = rest.trailing_zeros() as usize;
        let count = (rest >> start).trailing_ones() as usize;
        rest &= if start + count < 64 { u64::MAX << (start + count) } else { 0 };
        Some(start..start + count)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strobes_become_runs() {
        let all = |strobe, length| runs(strobe, length).map(|run| (run.start, run.end)).collect::<Vec<_>>();
        assert_eq!(all(u64::MAX, 64), [(0, 64)]);
        assert_eq!(all(u64::MAX, 32), [(0, 32)]);
        assert!(all(0, 64).is_empty());
        assert_eq!(all(0b1011_0110, 8), [(1, 3), (4, 6), (7, 8)]);
        assert_eq!(all(1 << 63 | 1, 64), [(0, 1), (63, 64)]);
    }
}
