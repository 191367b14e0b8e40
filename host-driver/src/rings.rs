//! The two rings in host memory, without the card: positions, phases, and what an entry may say.

use crate::dma::{DmaBuffer, DmaOutOfBounds};
use crate::error::{Corruption, DriverError};
use spandrel_abi::{COMPLETION_BYTES, Completion, DESCRIPTOR_BYTES, Descriptor, Status};
use std::sync::atomic::{Ordering, fence};

/// Byte of a completion entry that holds the phase.
const PHASE_BYTE: usize = 3;

/// The ring that the driver writes and the card reads.
///
/// Positions run on for ever; the index in the ring is their low bits. One entry always stays free, so that
/// a full ring differs from an empty one.
#[derive(Debug)]
pub(crate) struct SubmissionRing {
    buffer: DmaBuffer,
    mask: u64,
    /// Next entry that the card is not yet known to have fetched.
    head: u64,
    /// Next entry to write.
    tail: u64,
}

impl SubmissionRing {
    /// Bytes of a ring.
    pub(crate) fn bytes(entries: u32) -> usize {
        entries as usize * DESCRIPTOR_BYTES
    }

    /// An empty ring of `entries` entries (a power of two) in `buffer`.
    pub(crate) fn new(buffer: DmaBuffer, entries: u32) -> SubmissionRing {
        SubmissionRing { buffer, mask: u64::from(entries) - 1, head: 0, tail: 0 }
    }

    /// Whether no entry can be written before the card has fetched one.
    pub(crate) fn is_full(&self) -> bool {
        self.tail - self.head >= self.mask
    }

    /// Writes an entry and gives its position; the caller has looked whether the ring is full.
    pub(crate) fn push(&mut self, descriptor: &Descriptor) -> Result<u64, DmaOutOfBounds> {
        debug_assert!(!self.is_full());
        let offset = (self.tail & self.mask) as usize * DESCRIPTOR_BYTES;
        self.buffer.write(offset, &descriptor.to_bytes())?;
        self.tail += 1;
        Ok(self.tail - 1)
    }

    /// What belongs into the doorbell register. Entries written before are visible to the card after this.
    pub(crate) fn doorbell(&self) -> u32 {
        fence(Ordering::SeqCst);
        (self.tail & self.mask) as u32
    }

    /// Takes over the head that a completion of the command at `position` told.
    pub(crate) fn fetched(&mut self, sq_head: u32, position: u64) -> Result<(), Corruption> {
        let corruption = Corruption::HeadOutOfRange { sq_head, sq_tail: (self.tail & self.mask) as u32 };
        if u64::from(sq_head) > self.mask {
            return Err(corruption);
        }
        let head = self.head + (u64::from(sq_head).wrapping_sub(self.head) & self.mask);
        if head > self.tail || head <= position {
            return Err(corruption);
        }
        self.head = head;
        Ok(())
    }
}

/// The ring that the card writes and the driver reads.
#[derive(Debug)]
pub(crate) struct CompletionRing {
    buffer: DmaBuffer,
    entries: u64,
    /// Position of the next entry to read.
    head: u64,
}

impl CompletionRing {
    /// Bytes of a ring.
    pub(crate) fn bytes(entries: u32) -> usize {
        entries as usize * COMPLETION_BYTES
    }

    /// An empty ring of `entries` entries (a power of two) in `buffer`, which must hold zeros.
    pub(crate) fn new(buffer: DmaBuffer, entries: u32) -> CompletionRing {
        CompletionRing { buffer, entries: entries.into(), head: 0 }
    }

    /// Index of the next entry to read, which is also what belongs into the doorbell register.
    pub(crate) fn index(&self) -> u32 {
        (self.head % self.entries) as u32
    }

    /// The next entry, if the card has written it.
    ///
    /// The phase is looked at first and alone: only when it has turned are the other bytes the card's.
    pub(crate) fn next(&mut self) -> Result<Option<(Completion, Status)>, DriverError> {
        let index = self.index();
        let offset = index as usize * COMPLETION_BYTES;
        let expected = u8::from((self.head / self.entries).is_multiple_of(2));
        let mut phase = [0];
        self.buffer.read(offset + PHASE_BYTE, &mut phase)?;
        let corrupted = |corruption| Err(DriverError::QueueCorrupted { index, corruption });
        match phase[0] {
            phase if phase == expected => fence(Ordering::SeqCst),
            0 | 1 => return Ok(None),
            phase => return corrupted(Corruption::BadPhase { phase }),
        }
        let mut bytes = [0; COMPLETION_BYTES];
        self.buffer.read(offset, &mut bytes)?;
        let completion = Completion::from_bytes(&bytes);
        // A card that changes an entry it has already shown is as wrong as one that writes nonsense.
        if completion.phase != expected {
            return corrupted(Corruption::BadPhase { phase: completion.phase });
        }
        let Ok(status) = Status::from_code(completion.status) else {
            return corrupted(Corruption::BadStatus { status: completion.status });
        };
        self.head += 1;
        Ok(Some((completion, status)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dma::SharedMemory;
    use std::sync::Arc;

    fn memory(bytes: usize) -> (Arc<SharedMemory>, DmaBuffer) {
        let memory = SharedMemory::new(bytes).expect("memory");
        (memory.clone(), DmaBuffer::from_shared(memory, 0x1000))
    }

    #[test]
    fn submission_ring_keeps_one_entry_free_and_wraps() {
        let (memory, buffer) = memory(SubmissionRing::bytes(4));
        let mut ring = SubmissionRing::new(buffer, 4);
        for round in 0..10u64 {
            for i in 0..3 {
                assert!(!ring.is_full());
                let descriptor = Descriptor { count: (3 * round + i) as u32, ..Default::default() };
                assert_eq!(ring.push(&descriptor), Ok(3 * round + i));
                let mut bytes = [0; DESCRIPTOR_BYTES];
                memory.read((3 * round + i) as usize % 4 * DESCRIPTOR_BYTES, &mut bytes).expect("in bounds");
                assert_eq!(Descriptor::from_bytes(&bytes), (descriptor, true));
            }
            assert!(ring.is_full());
            assert_eq!(u64::from(ring.doorbell()), (3 * round + 3) % 4);
            ring.fetched(((3 * round + 3) % 4) as u32, 3 * round + 2).expect("all fetched");
        }
    }

    #[test]
    fn submission_head_must_lie_between_command_and_tail() {
        let (_memory, buffer) = memory(SubmissionRing::bytes(8));
        let mut ring = SubmissionRing::new(buffer, 8);
        for _ in 0..3 {
            ring.push(&Descriptor::default()).expect("in bounds");
        }
        for wrong in [0, 1, 4, 7, 8, 9, u32::MAX] {
            assert_eq!(
                ring.fetched(wrong, 1),
                Err(Corruption::HeadOutOfRange { sq_head: wrong, sq_tail: 3 }),
                "{wrong}"
            );
        }
        ring.fetched(3, 1).expect("prefetching is allowed");
        ring.fetched(3, 2).expect("the same head again");
        assert!(ring.fetched(2, 0).is_err(), "the head never runs back");
    }

    #[test]
    fn completion_ring_follows_the_phase() {
        let (memory, buffer) = memory(CompletionRing::bytes(2));
        let mut ring = CompletionRing::new(buffer, 2);
        for position in 0u64..9 {
            assert!(ring.next().expect("no corruption").is_none());
            let entry = Completion {
                command_id: position as u16,
                phase: u8::from((position / 2).is_multiple_of(2)),
                cycles: position * 1000,
                ..Default::default()
            };
            memory.write(position as usize % 2 * COMPLETION_BYTES, &entry.to_bytes()).expect("in bounds");
            assert_eq!(ring.next().expect("no corruption"), Some((entry, Status::Success)));
            assert_eq!(u64::from(ring.index()), (position + 1) % 2);
        }
    }

    #[test]
    fn completion_ring_refuses_nonsense() {
        for phase in 2..=255 {
            let (memory, buffer) = memory(CompletionRing::bytes(2));
            let mut ring = CompletionRing::new(buffer, 2);
            memory.write(PHASE_BYTE, &[phase]).expect("in bounds");
            let error = ring.next().expect_err("no such phase");
            assert!(matches!(
                error,
                DriverError::QueueCorrupted { index: 0, corruption: Corruption::BadPhase { phase: p } } if p == phase
            ));
        }
        for status in (0..=255).filter(|code| Status::from_code(*code).is_err()) {
            let (memory, buffer) = memory(CompletionRing::bytes(2));
            let mut ring = CompletionRing::new(buffer, 2);
            memory
                .write(0, &Completion { status, phase: 1, ..Default::default() }.to_bytes())
                .expect("in bounds");
            let error = ring.next().expect_err("no such status");
            assert!(matches!(
                error,
                DriverError::QueueCorrupted { index: 0, corruption: Corruption::BadStatus { status: s } } if s == status
            ));
        }
    }
}
