//! Pinned memory that jobs use in turn.
//!
//! Making memory reachable costs: a system call, a table entry, and tens of microseconds for every 4 KiB where there are
//! no hugepages. So buffers come back here when their job has ended, and go out again with the next one. A buffer that
//! held secrets is overwritten before it comes back.

use crate::dma::{DMA_ALIGNMENT, DmaBuffer, DmaMemory};
use std::collections::VecDeque;
use std::ptr::NonNull;
use std::sync::mpsc::{Receiver, Sender, channel};

/// Up to this many bytes sizes are powers of two, above it multiples of it, so that buffers fit jobs of other sizes too.
const COARSE_BYTES: usize = 1 << 20;

/// Buffers between two jobs.
pub(crate) struct Staging {
    /// The longest unused first.
    idle: VecDeque<DmaBuffer>,
    idle_bytes: usize,
    /// How many bytes may wait here.
    most_bytes: usize,
    home: Sender<DmaBuffer>,
    returned: Receiver<DmaBuffer>,
}

/// The size that a new buffer for `bytes` bytes should have.
pub(crate) fn size_for(bytes: usize) -> usize {
    match bytes {
        0..=COARSE_BYTES => bytes.next_power_of_two().max(DMA_ALIGNMENT),
        // What is too much stays as much, for the transport to refuse.
        _ => bytes.checked_next_multiple_of(COARSE_BYTES).unwrap_or(bytes),
    }
}

impl Staging {
    /// Nothing yet; at most `most_bytes` bytes will be kept for later jobs.
    pub(crate) fn new(most_bytes: usize) -> Staging {
        let (home, returned) = channel();
        Staging { idle: VecDeque::new(), idle_bytes: 0, most_bytes, home, returned }
    }

    /// A buffer of `bytes` bytes that waits here, with whatever is in it; `None` where none fits well.
    pub(crate) fn take(&mut self, bytes: usize) -> Option<DmaBuffer> {
        self.collect();
        let most = size_for(bytes).saturating_mul(2);
        let fits = self.idle.iter().enumerate().filter(|(_, idle)| (bytes..=most).contains(&idle.len()));
        let (index, _) = fits.min_by_key(|(_, idle)| idle.len())?;
        let buffer = self.idle.remove(index)?;
        self.idle_bytes -= buffer.len();
        Some(self.lend(buffer, bytes))
    }

    /// The first `bytes` bytes of a buffer, which comes here when they are dropped.
    pub(crate) fn lend(&self, buffer: DmaBuffer, bytes: usize) -> DmaBuffer {
        let iova = buffer.iova();
        let bytes = bytes.min(buffer.len());
        DmaBuffer::new(Box::new(Lent { buffer: Some(buffer), bytes, home: self.home.clone() }), iova)
    }

    /// Gives back to the system what waits here, and tells whether there was anything.
    pub(crate) fn empty(&mut self) -> bool {
        self.collect();
        self.idle_bytes = 0;
        let any = !self.idle.is_empty();
        self.idle.clear();
        any
    }

    /// Takes in what has come back, and gives to the system what is too much.
    pub(crate) fn collect(&mut self) {
        while let Ok(buffer) = self.returned.try_recv() {
            self.idle_bytes += buffer.len();
            self.idle.push_back(buffer);
        }
        while self.idle_bytes > self.most_bytes {
            let Some(oldest) = self.idle.pop_front() else { break };
            self.idle_bytes -= oldest.len();
        }
    }
}

/// A part of a buffer that goes home.
struct Lent {
    /// Always there but in `drop`.
    buffer: Option<DmaBuffer>,
    bytes: usize,
    home: Sender<DmaBuffer>,
}

// SAFETY: the buffer, whose owner promises the same of it, stays where it is until this value is dropped, and is at least
// `bytes` long.
unsafe impl DmaMemory for Lent {
    fn base(&self) -> NonNull<u8> {
        self.buffer.as_ref().map_or(NonNull::<u64>::dangling().cast(), DmaBuffer::base)
    }

    fn len(&self) -> usize {
        self.bytes
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(buffer) = self.buffer.take() {
            // Where the card is gone, the buffer goes to the system.
            let _ = self.home.send(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dma::SharedMemory;
    use proptest::prelude::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    struct Mapping(Arc<AtomicUsize>, usize);

    impl Drop for Mapping {
        fn drop(&mut self) {
            self.0.fetch_sub(self.1, Ordering::Relaxed);
        }
    }

    /// A new buffer, and how many bytes are mapped as long as it lives.
    fn map(mapped: &Arc<AtomicUsize>, bytes: usize) -> DmaBuffer {
        static NEXT: AtomicUsize = AtomicUsize::new(0x10_0000);
        mapped.fetch_add(bytes, Ordering::Relaxed);
        let iova = NEXT.fetch_add(bytes.next_multiple_of(4096), Ordering::Relaxed) as u64;
        let memory = SharedMemory::new(bytes).expect("memory");
        DmaBuffer::from_shared_with_guard(memory, iova, Mapping(mapped.clone(), bytes))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_buffer_has_one_user_and_no_more_wait_than_may(
            steps in prop::collection::vec((any::<bool>(), 1usize..300_000, any::<prop::sample::Index>()), 1..80),
            most in 0usize..600_000,
        ) {
            let mapped = Arc::new(AtomicUsize::new(0));
            let mut staging = Staging::new(most);
            let mut held: Vec<DmaBuffer> = Vec::new();
            for (take, bytes, which) in steps {
                if take || held.is_empty() {
                    let taken = staging.take(bytes);
                    let buffer = taken.unwrap_or_else(|| staging.lend(map(&mapped, size_for(bytes)), bytes));
                    prop_assert_eq!(buffer.len(), bytes);
                    let range = |buffer: &DmaBuffer| buffer.iova()..buffer.iova() + buffer.len() as u64;
                    let new = range(&buffer);
                    prop_assert!(held.iter().map(range).all(|old| new.end <= old.start || old.end <= new.start));
                    held.push(buffer);
                } else {
                    held.swap_remove(which.index(held.len()));
                }
                staging.collect();
                let used: usize = held.iter().map(|buffer| 2 * size_for(buffer.len())).sum();
                prop_assert!(mapped.load(Ordering::Relaxed) <= used + most);
            }
            drop(staging);
            drop(held);
            prop_assert_eq!(mapped.load(Ordering::Relaxed), 0);
        }
    }

    #[test]
    fn buffers_are_used_again() {
        let mapped = Arc::new(AtomicUsize::new(0));
        let mut staging = Staging::new(2 << 20);
        let first = staging.lend(map(&mapped, size_for(5000)), 5000);
        let iova = first.iova();
        assert!(staging.take(5000).is_none(), "in use");
        drop(first);
        let second = staging.take(4097).expect("large enough");
        assert_eq!((second.iova(), second.len()), (iova, 4097));
        drop(second);
        assert!(staging.take(100).is_some(), "twice as large as a page");
        let large = staging.lend(map(&mapped, 1 << 20), 1 << 20);
        drop(large);
        let small = staging.take(100);
        assert!(small.is_some() && staging.take(1000).is_none(), "not far too large");
        drop(small);
        assert!(staging.empty() && !staging.empty());
        assert_eq!(mapped.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn secrets_do_not_wait_here() {
        let mapped = Arc::new(AtomicUsize::new(0));
        let mut staging = Staging::new(1 << 20);
        let mut buffer = staging.lend(map(&mapped, 4096), 4096).zeroize_on_drop();
        buffer.write(0, &[0x5e; 4096]).expect("inside");
        drop(buffer);
        let mut contents = [1; 4096];
        staging.take(4096).expect("back").read(0, &mut contents).expect("inside");
        assert_eq!(contents, [0; 4096]);
    }

    #[test]
    fn sizes_are_round_and_never_overflow() {
        for (bytes, size) in
            [(0, 4096), (1, 4096), (4097, 8192), (1 << 20, 1 << 20), ((1 << 20) + 1, 2 << 20)]
        {
            assert_eq!(size_for(bytes), size);
        }
        assert_eq!(size_for(usize::MAX), usize::MAX);
    }
}
