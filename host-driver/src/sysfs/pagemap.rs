//! Physical addresses of hugepages: what a card without an IOMMU reaches memory by.

use crate::arena::Mapper;
use crate::dma::DmaMemory;
use crate::pages::{HUGEPAGE_BYTES, Pages, Supply};
use crate::system::System;
use crate::transport::TransportError;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Bytes of the pages that the file counts in.
const PAGE_BYTES: u64 = 4096;

/// Memory that small buffers share, and the largest that does: a hugepage is both.
const SHARED_BYTES: (usize, usize) = (HUGEPAGE_BYTES, HUGEPAGE_BYTES);

/// Hugepages, by their physical address. The kernel leaves a hugepage that is in use where it is.
pub(super) struct Pagemap {
    system: System,
}

impl Pagemap {
    /// The process's own.
    pub(super) fn new(system: &System) -> Pagemap {
        Pagemap { system: system.clone() }
    }

    fn physical(&self, address: u64) -> io::Result<Option<u64>> {
        let mut entry = [0; 8];
        let file = File::open(self.system.path("proc/self/pagemap"))?;
        file.read_exact_at(&mut entry, address / PAGE_BYTES * 8)?;
        Ok(frame(u64::from_le_bytes(entry)).map(|frame| frame * PAGE_BYTES))
    }
}

/// The page frame of an entry; `None` where the page is not in memory, or the kernel does not tell.
fn frame(entry: u64) -> Option<u64> {
    let (present, frame) = (entry >> 63 == 1, entry & ((1 << 55) - 1));
    (present && frame != 0).then_some(frame)
}

impl Mapper for Pagemap {
    fn map(&self, bytes: usize) -> Result<(Pages, u64), TransportError> {
        let refused = |reason: String| TransportError::Allocation { bytes, reason };
        if bytes > HUGEPAGE_BYTES {
            return Err(refused(format!(
                "without an IOMMU a buffer must lie in one hugepage of {HUGEPAGE_BYTES} bytes: ask for smaller ones, or \
                 use the card through VFIO"
            )));
        }
        let pages = Pages::huge(bytes).map_err(|error| {
            Supply::of(&self.system).error(bytes, &format!("no hugepage could be had ({error})"))
        })?;
        let address = pages.base().as_ptr() as u64;
        let physical = self
            .physical(address)
            .map_err(|source| TransportError::Io { action: "reading /proc/self/pagemap".into(), source })?;
        match physical {
            Some(physical) if physical.is_multiple_of(HUGEPAGE_BYTES as u64) => Ok((pages, physical)),
            Some(physical) => Err(refused(format!(
                "the hugepage lies at {physical:#x}, which is not aligned to its size: please report this"
            ))),
            None => Err(refused(
                "the kernel does not tell physical addresses to this process: run as root (CAP_SYS_ADMIN), or use the card \
                 through VFIO"
                    .into(),
            )),
        }
    }

    fn unmap(&self, _: u64, _: usize) -> bool {
        // There is no table: the card could reach the memory before, and can after. Its transport switches bus mastering
        // off first.
        true
    }

    fn shared_bytes(&self) -> (usize, usize) {
        SHARED_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_as_the_kernel_documents_them() {
        assert_eq!(frame(1 << 63 | 0x1234), Some(0x1234));
        assert_eq!(frame(1 << 63 | 1 << 61 | 1 << 55 | 5), Some(5), "flags are no part of it");
        assert_eq!(frame(1 << 63), None, "not told");
        assert_eq!(frame(0x1234), None, "swapped out");
    }

    #[test]
    fn what_is_not_one_piece_is_refused() {
        let error = Pagemap::new(&System::default()).map(HUGEPAGE_BYTES + 1).map(drop).expect_err("too long");
        assert!(error.to_string().contains("2097152 bytes"), "{error}");
    }

    #[test]
    fn addresses_are_asked_of_the_kernel() {
        // Whether it tells depends on who runs the test; that it answers for a page that is there does not.
        let pages = Pages::normal(4096).expect("a page");
        Pagemap::new(&System::default()).physical(pages.base().as_ptr() as u64).map(drop).expect("readable");
    }
}
