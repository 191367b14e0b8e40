//! Buffers cut from pinned memory: large ones get memory of their own, small ones share some, so that neither a mapping
//! nor a hugepage is spent on a few bytes.

use crate::dma::{DMA_ALIGNMENT, DmaBuffer, DmaMemory};
use crate::pages::Pages;
use crate::ranges::Ranges;
use crate::transport::TransportError;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, PoisonError};

/// Where memory comes from and how a card reaches it.
pub(crate) trait Mapper: Send + Sync {
    /// Gets at least `bytes` bytes, zeroed, that the card reaches from now on, and tells at which I/O address.
    fn map(&self, bytes: usize) -> Result<(Pages, u64), TransportError>;

    /// Takes the memory away from the card; `false` where it may still reach it.
    fn unmap(&self, iova: u64, bytes: usize) -> bool;

    /// Bytes of memory for small buffers to share, and the largest buffer that shares.
    fn shared_bytes(&self) -> (usize, usize);
}

/// Memory that is mapped once.
struct Slab {
    mapper: Arc<dyn Mapper>,
    /// Always there but in `drop`.
    pages: Option<Pages>,
    iova: u64,
    free: Mutex<Ranges>,
}

/// A part of a slab.
struct Piece {
    slab: Arc<Slab>,
    base: NonNull<u8>,
    offset: u64,
    bytes: usize,
}

/// Gives out buffers.
pub(crate) struct Arena {
    mapper: Arc<dyn Mapper>,
    /// Those that small buffers share; one that is empty is kept.
    shared: Vec<Arc<Slab>>,
}

impl Arena {
    /// No memory yet.
    pub(crate) fn new(mapper: Arc<dyn Mapper>) -> Arena {
        Arena { mapper, shared: Vec::new() }
    }

    /// A zeroed buffer of `bytes` bytes. Its memory is unmapped from the card, then given back, when it and all that share
    /// the memory are dropped.
    pub(crate) fn allocate(&mut self, bytes: usize) -> Result<DmaBuffer, TransportError> {
        let (slab_bytes, shared_bytes) = self.mapper.shared_bytes();
        let slab = if bytes > shared_bytes {
            Slab::new(&self.mapper, bytes)?
        } else {
            let found = self.shared.iter().find_map(|slab| slab.cut(bytes));
            if let Some(piece) = found {
                return Ok(piece.buffer());
            }
            let mut empty = 0;
            self.shared.retain(|slab| {
                empty += usize::from(slab.is_empty());
                !slab.is_empty() || empty == 1
            });
            let slab = Slab::new(&self.mapper, slab_bytes.max(bytes))?;
            self.shared.push(slab.clone());
            slab
        };
        let piece = slab.cut(bytes).ok_or_else(|| TransportError::Allocation {
            bytes,
            reason: "less memory was mapped than was asked for; please report this".into(),
        })?;
        Ok(piece.buffer())
    }
}

impl Slab {
    fn new(mapper: &Arc<dyn Mapper>, bytes: usize) -> Result<Arc<Slab>, TransportError> {
        let (pages, iova) = mapper.map(bytes)?;
        let free = Mutex::new(Ranges::all(0..pages.len() as u64));
        Ok(Arc::new(Slab { mapper: mapper.clone(), pages: Some(pages), iova, free }))
    }

    fn ranges(&self) -> std::sync::MutexGuard<'_, Ranges> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_empty(&self) -> bool {
        self.ranges().is_whole()
    }

    /// A piece that nothing else uses.
    fn cut(self: &Arc<Slab>, bytes: usize) -> Option<Piece> {
        let pages = self.pages.as_ref()?;
        let whole = bytes.max(1).checked_next_multiple_of(DMA_ALIGNMENT)? as u64;
        let offset = self.ranges().allocate(whole, DMA_ALIGNMENT as u64)?;
        // SAFETY: the allocator hands out ranges within the pages only.
        let base = unsafe { pages.base().add(offset as usize) };
        Some(Piece { slab: self.clone(), base, offset, bytes })
    }
}

impl Drop for Slab {
    fn drop(&mut self) {
        let Some(pages) = self.pages.take() else { return };
        if !self.mapper.unmap(self.iova, pages.len()) {
            // Leaked on purpose: the card may still write there.
            tracing::error!(
                iova = self.iova,
                bytes = pages.len(),
                "memory could not be unmapped from the card"
            );
            std::mem::forget(pages);
        }
    }
}

impl Piece {
    fn buffer(self) -> DmaBuffer {
        let iova = self.slab.iova + self.offset;
        let mut buffer = DmaBuffer::new(Box::new(self), iova);
        // It may have been used before.
        buffer.zeroize();
        buffer
    }
}

// SAFETY: the slab keeps the pages in place while the piece lives; the piece lies within them, at a multiple of a page,
// is nobody else's, and no references into pages are made.
unsafe impl DmaMemory for Piece {
    fn base(&self) -> NonNull<u8> {
        self.base
    }

    fn len(&self) -> usize {
        self.bytes
    }
}

// SAFETY: the pointer is into pages that the piece keeps alive and that any thread may use.
unsafe impl Send for Piece {}

impl Drop for Piece {
    fn drop(&mut self) {
        let whole = self.bytes.max(1).next_multiple_of(DMA_ALIGNMENT) as u64;
        if !self.slab.ranges().release(self.offset..self.offset + whole) {
            tracing::error!(offset = self.offset, "pinned memory was given back twice");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// Maps at ascending addresses and notes what is mapped.
    #[derive(Default)]
    struct Table(Mutex<(BTreeMap<u64, usize>, u64, usize)>);

    impl Mapper for Table {
        fn map(&self, bytes: usize) -> Result<(Pages, u64), TransportError> {
            let pages = Pages::normal(bytes).expect("memory");
            let mut table = self.0.lock().expect("not poisoned");
            let iova = 0x10_0000 + table.1;
            table.1 += pages.len() as u64 + 4096;
            table.2 += 1;
            table.0.insert(iova, pages.len());
            Ok((pages, iova))
        }

        fn unmap(&self, iova: u64, bytes: usize) -> bool {
            let removed = self.0.lock().expect("not poisoned").0.remove(&iova);
            assert_eq!(removed, Some(bytes), "mapped once, unmapped once, whole");
            true
        }

        fn shared_bytes(&self) -> (usize, usize) {
            (64 << 10, 16 << 10)
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn buffers_never_share_bytes_and_mappings_end(
            steps in prop::collection::vec((any::<bool>(), 1usize..40_000, any::<prop::sample::Index>()), 1..60),
        ) {
            let table = Arc::new(Table::default());
            let mut arena = Arena::new(table.clone());
            let mut held: Vec<(DmaBuffer, u8)> = Vec::new();
            for (number, (allocate, bytes, which)) in steps.into_iter().enumerate() {
                if allocate || held.is_empty() {
                    let mut buffer = arena.allocate(bytes).expect("memory");
                    prop_assert_eq!((buffer.len(), buffer.iova() % 4096), (bytes, 0));
                    let mut contents = vec![1; bytes];
                    buffer.read(0, &mut contents).expect("inside");
                    prop_assert!(contents.iter().all(|byte| *byte == 0), "not zeroed");
                    let mapped = table.0.lock().expect("not poisoned").0.clone();
                    let (start, length) = mapped.range(..=buffer.iova()).next_back().expect("mapped");
                    prop_assert!(buffer.iova() + bytes as u64 <= start + *length as u64);
                    let mark = number as u8 | 1;
                    buffer.write(0, &vec![mark; bytes]).expect("inside");
                    held.push((buffer, mark));
                } else {
                    held.swap_remove(which.index(held.len()));
                }
                for (buffer, mark) in &held {
                    let mut contents = vec![0; buffer.len()];
                    buffer.read(0, &mut contents).expect("inside");
                    prop_assert!(contents.iter().all(|byte| byte == mark), "another buffer wrote here");
                }
            }
            // Buffers may outlive the arena.
            drop(arena);
            drop(held);
            prop_assert!(table.0.lock().expect("not poisoned").0.is_empty());
        }
    }

    #[test]
    fn small_buffers_are_mapped_once_for_many() {
        let table = Arc::new(Table::default());
        let mut arena = Arena::new(table.clone());
        for _ in 0..100 {
            arena.allocate(4096).map(drop).expect("memory");
        }
        assert_eq!(table.0.lock().expect("not poisoned").2, 1);
    }
}
