//! Pages for direct memory access, and what to say when there are none.

use crate::dma::DmaMemory;
use crate::system::System;
use crate::transport::TransportError;
use memmap2::{Advice, MmapMut, MmapOptions, MmapRaw};
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};
use std::io;
use std::ptr::NonNull;

/// Bytes of a hugepage.
pub(crate) const HUGEPAGE_BYTES: usize = 1 << 21;

/// Zeroed memory of this process alone: it is not inherited by children, for whom a copy-on-write would move it away from
/// the card, and it is left out of core dumps, since it holds secrets.
pub(crate) struct Pages {
    base: NonNull<u8>,
    map: MmapRaw,
}

// SAFETY: the map is owned, stays where it is until it is dropped, begins at a page, has its length's bytes, and no
// reference into it is ever made.
unsafe impl DmaMemory for Pages {
    fn base(&self) -> NonNull<u8> {
        self.base
    }

    fn len(&self) -> usize {
        self.map.len()
    }
}

// SAFETY: the memory belongs to the value and is touched only by volatile copies, never through references.
unsafe impl Send for Pages {}
// SAFETY: as above; a shared `Pages` gives nothing but its address.
unsafe impl Sync for Pages {}

impl Pages {
    /// `bytes` bytes, rounded up to hugepages of 2 MiB, all of them there.
    pub(crate) fn huge(bytes: usize) -> io::Result<Pages> {
        let bytes = round_up(bytes, HUGEPAGE_BYTES)?;
        Pages::from_map(MmapOptions::new().len(bytes).huge(Some(21)).populate().map_anon()?)
    }

    /// `bytes` bytes, rounded up to pages of 4 KiB.
    pub(crate) fn normal(bytes: usize) -> io::Result<Pages> {
        let bytes = round_up(bytes, crate::dma::DMA_ALIGNMENT)?;
        Pages::from_map(MmapOptions::new().len(bytes).populate().map_anon()?)
    }

    fn from_map(map: MmapMut) -> io::Result<Pages> {
        map.advise(Advice::DontFork)?;
        map.advise(Advice::DontDump)?;
        let map = MmapRaw::from(map);
        let base = NonNull::new(map.as_mut_ptr()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Pages { base, map })
    }
}

fn round_up(bytes: usize, unit: usize) -> io::Result<usize> {
    let rounded = bytes.max(1).checked_next_multiple_of(unit).filter(|bytes| *bytes <= isize::MAX as usize);
    rounded.ok_or_else(|| io::ErrorKind::OutOfMemory.into())
}

/// What the machine has of hugepages and lockable memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Supply {
    /// Hugepages of 2 MiB that nobody uses.
    pub(crate) free_hugepages: u64,
    /// Hugepages in all.
    pub(crate) hugepages: u64,
    /// Bytes that this process may lock; `None` where there is no limit.
    pub(crate) lockable_bytes: Option<u64>,
}

impl Supply {
    /// Asks the system.
    pub(crate) fn of(system: &System) -> Supply {
        let count = |name: &str| {
            system.number(format!("sys/kernel/mm/hugepages/hugepages-2048kB/{name}")).unwrap_or(0)
        };
        let limit = getrlimit(Resource::RLIMIT_MEMLOCK).map_or(RLIM_INFINITY, |(soft, _)| soft);
        Supply {
            free_hugepages: count("free_hugepages"),
            hugepages: count("nr_hugepages"),
            lockable_bytes: (limit != RLIM_INFINITY).then_some(limit),
        }
    }

    /// The error for `bytes` bytes that could not be had because of `cause`.
    pub(crate) fn error(&self, bytes: usize, cause: &str) -> TransportError {
        let wanted = bytes.div_ceil(HUGEPAGE_BYTES) as u64;
        let more = self.hugepages + wanted.saturating_sub(self.free_hugepages).max(1);
        let lockable = match self.lockable_bytes {
            Some(bytes) => format!("may lock {} KiB of memory (`ulimit -l`)", bytes / 1024),
            None => "may lock any amount of memory".into(),
        };
        TransportError::Allocation {
            bytes,
            reason: format!(
                "{cause}; {} of {} hugepages of 2 MiB are free, and this process {lockable}: as root, \
                 `sysctl vm.nr_hugepages={more}` makes more hugepages, and `prlimit --pid {} --memlock=unlimited` \
                 (LimitMEMLOCK=infinity for a service) lifts the limit",
                self.free_hugepages,
                self.hugepages,
                std::process::id(),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dma::DmaBuffer;

    #[test]
    fn pages_are_whole_zeroed_and_writable() {
        let pages = Pages::normal(5000).expect("two pages");
        assert_eq!((pages.len(), pages.base().as_ptr() as usize % 4096), (8192, 0));
        let mut buffer = DmaBuffer::new(Box::new(pages), 0);
        let mut all = [1; 8192];
        buffer.read(0, &mut all).expect("inside");
        assert_eq!(all, [0; 8192]);
        buffer.write(8191, &[1]).expect("inside");
        assert!(Pages::normal(usize::MAX).is_err());
        assert!(Pages::huge(usize::MAX - 5).is_err());
    }

    #[test]
    fn a_shortage_says_how_much_there_is_and_what_raises_it() {
        let supply = Supply { free_hugepages: 3, hugepages: 40, lockable_bytes: Some(8 << 20) };
        let text = supply.error(10 << 20, "no hugepage is left").to_string();
        for part in [
            "10485760 bytes",
            "no hugepage is left",
            "3 of 40",
            "8192 KiB",
            "vm.nr_hugepages=42",
            "memlock=unlimited",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let unlimited = Supply { lockable_bytes: None, ..supply };
        assert!(unlimited.error(1, "x").to_string().contains("any amount"));
    }

    #[test]
    fn the_supply_is_read_from_sysfs() {
        let root = tempfile::tempdir().expect("a folder");
        let folder = root.path().join("sys/kernel/mm/hugepages/hugepages-2048kB");
        std::fs::create_dir_all(&folder).expect("made");
        std::fs::write(folder.join("free_hugepages"), "7\n").expect("written");
        std::fs::write(folder.join("nr_hugepages"), "9\n").expect("written");
        let supply = Supply::of(&System::at(root.path()));
        assert_eq!((supply.free_hugepages, supply.hugepages), (7, 9));
    }
}
