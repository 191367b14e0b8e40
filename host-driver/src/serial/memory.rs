//! Memory of this process that the card reaches over the line, and how its requests are served.

use crate::dma::{DMA_ALIGNMENT, DmaBuffer, SharedMemory};
use spandrel_abi::{
    SERIAL_BEAT_BYTES, SERIAL_BURST_BEATS, SERIAL_DONE, SERIAL_EVENT, SERIAL_EVENT_BYTES,
    SERIAL_MEMORY_BYTES, SERIAL_MEMORY_READ, SERIAL_MEMORY_WRITE, SERIAL_REFUSED, SERIAL_REPLY,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use zeroize::Zeroizing;

/// Above 4 GiB, so that the high half of every address register is used.
const FIRST_ADDRESS: u64 = 0x0000_0017_0000_0000;

/// Locks; what a panicking thread left behind is whole at every step.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The buffers that the card reaches, by address. No address is given out twice, so that the use of a freed buffer is seen.
#[derive(Clone, Default)]
pub(super) struct HostBuffers {
    buffers: Arc<Mutex<Buffers>>,
}

#[derive(Default)]
struct Buffers {
    regions: BTreeMap<u64, Arc<SharedMemory>>,
    next: u64,
    cut_off: bool,
}

impl Buffers {
    fn find(&self, address: u64, bytes: usize) -> Option<(&SharedMemory, usize)> {
        let (base, memory) = self.regions.range(..=address).next_back().filter(|_| !self.cut_off)?;
        let offset = usize::try_from(address - base).ok()?;
        (offset.checked_add(bytes)? <= memory.len()).then_some((memory, offset))
    }
}

/// Ends the card's access to a buffer when it is dropped.
struct Unmap {
    buffers: Arc<Mutex<Buffers>>,
    address: u64,
}

impl Drop for Unmap {
    fn drop(&mut self) {
        lock(&self.buffers).regions.remove(&self.address);
    }
}

impl HostBuffers {
    /// A zeroed buffer of whole pages; `None` if there is no such memory.
    pub(super) fn allocate(&self, bytes: usize) -> Option<DmaBuffer> {
        let memory = SharedMemory::new(bytes.max(1).checked_next_multiple_of(DMA_ALIGNMENT)?)?;
        let mut buffers = lock(&self.buffers);
        let address = buffers.next.max(FIRST_ADDRESS);
        buffers.next = address.checked_add(memory.len() as u64)?.checked_add(DMA_ALIGNMENT as u64)?;
        buffers.regions.insert(address, memory.clone());
        let unmap = Unmap { buffers: self.buffers.clone(), address };
        Some(DmaBuffer::from_shared_with_guard(memory, address, unmap))
    }

    /// Refuses everything from now on, or no longer. Accesses under way have ended when this returns.
    pub(super) fn cut_off(&self, cut_off: bool) {
        lock(&self.buffers).cut_off = cut_off;
    }

    fn read(&self, address: u64, into: &mut [u8]) -> bool {
        let buffers = lock(&self.buffers);
        buffers.find(address, into.len()).is_some_and(|(memory, offset)| memory.read(offset, into).is_ok())
    }

    fn write(&self, address: u64, from: &[u8]) -> bool {
        let buffers = lock(&self.buffers);
        buffers.find(address, from.len()).is_some_and(|(memory, offset)| memory.write(offset, from).is_ok())
    }
}

/// What went over a serial line so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SerialStatistics {
    /// Requests of the card that were carried out: reads, writes, events.
    pub served: u64,
    /// Requests of the card that came again and were answered as before.
    pub repeated: u64,
    /// Requests of the card for memory that it was not given.
    pub refused: u64,
    /// Requests to the card that had to be sent again.
    pub resent: u64,
    /// Frames that were dropped: damaged, or garbage.
    pub dropped: u64,
    /// Bytes that came from the card.
    pub bytes_in: u64,
    /// Bytes that were sent to it.
    pub bytes_out: u64,
}

/// What a request of the card led to.
pub(super) struct Served {
    /// The reply.
    pub(super) reply: Zeroizing<Vec<u8>>,
    /// Interrupt causes that it told of, a bit for each vector.
    pub(super) events: u8,
}

/// A request that was carried out.
struct Answered {
    request: Zeroizing<Vec<u8>>,
    reply: Zeroizing<Vec<u8>>,
}

/// Carries out the card's requests, each once.
#[derive(Default)]
pub(super) struct Server {
    last: Option<Answered>,
    pub(super) served: u64,
    pub(super) repeated: u64,
    pub(super) refused: u64,
}

impl Server {
    /// Forgets the last request: a session begins.
    pub(super) fn restart(&mut self) {
        self.last = None;
    }

    /// Carries out a packet, if it is a request of a card, and says what to reply. One that is the last one again is
    /// answered as that was.
    pub(super) fn serve(&mut self, packet: &[u8], memory: &HostBuffers) -> Option<Served> {
        if let Some(Answered { reply, .. }) = self.last.as_ref().filter(|last| last.request[..] == *packet) {
            self.repeated += 1;
            return Some(Served { reply: reply.clone(), events: 0 });
        }
        let [kind, sequence, rest @ ..] = packet else { return None };
        let (kind, sequence) = (*kind, *sequence);
        let mut reply = Zeroizing::new(Vec::with_capacity(3 + SERIAL_BURST_BEATS * SERIAL_BEAT_BYTES));
        reply.extend([kind | SERIAL_REPLY, sequence, SERIAL_DONE]);
        let mut events = 0;
        let done = match (kind, rest) {
            (SERIAL_MEMORY_READ, rest) if packet.len() == SERIAL_MEMORY_BYTES => {
                let (address, bytes) = span(rest)?;
                reply.resize(3 + bytes, 0);
                let done = memory.read(address, &mut reply[3..]);
                reply.truncate(if done { 3 + bytes } else { 3 });
                done
            }
            (SERIAL_MEMORY_WRITE, rest) => {
                let (address, bytes) = span(rest)?;
                let data = packet.get(SERIAL_MEMORY_BYTES..).filter(|data| data.len() == bytes)?;
                memory.write(address, data)
            }
            (SERIAL_EVENT, [bits]) if packet.len() == SERIAL_EVENT_BYTES => {
                events = *bits;
                true
            }
            _ => return None,
        };
        if !done {
            reply[2] = SERIAL_REFUSED;
            self.refused += 1;
        }
        self.served += 1;
        self.last = Some(Answered { request: Zeroizing::new(packet.to_vec()), reply: reply.clone() });
        Some(Served { reply, events })
    }
}

/// Address and bytes of a memory request; `None` where it is longer than a burst.
fn span(rest: &[u8]) -> Option<(u64, usize)> {
    let (address, rest) = rest.split_first_chunk::<8>()?;
    let beats = usize::from(*rest.first()?) + 1;
    (beats <= SERIAL_BURST_BEATS).then_some((u64::from_le_bytes(*address), beats * SERIAL_BEAT_BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(kind: u8, sequence: u8, address: u64, beats: usize, data: &[u8]) -> Vec<u8> {
        let mut packet = vec![kind, sequence];
        packet.extend(address.to_le_bytes());
        packet.push(beats as u8 - 1);
        packet.extend(data);
        packet
    }

    #[test]
    fn only_given_memory_is_reached_and_each_request_is_done_once() {
        let (memory, mut server) = (HostBuffers::default(), Server::default());
        let mut buffer = memory.allocate(4096).expect("memory");
        let end = buffer.iova() + buffer.len() as u64;
        let mut reply = |packet: &[u8]| server.serve(packet, &memory).map(|served| served.reply.to_vec());

        let write = request(SERIAL_MEMORY_WRITE, 1, buffer.iova() + 64, 2, &[7; 64]);
        assert_eq!(reply(&write), Some(vec![0x92, 1, 0]));
        buffer.write(64, &[9]).expect("in bounds");
        assert_eq!(reply(&write), Some(vec![0x92, 1, 0]), "again");
        let mut seen = [0; 65];
        buffer.read(64, &mut seen).expect("in bounds");
        assert_eq!((seen[0], seen[1], seen[63], seen[64]), (9, 7, 7, 0), "but not carried out again");

        let read = reply(&request(SERIAL_MEMORY_READ, 2, buffer.iova() + 64, 64, &[])).expect("a reply");
        assert_eq!((read.len(), &read[..5]), (3 + 2048, &[0x91, 2, 0, 9, 7][..]));
        for (sequence, address) in [(3, end - 32), (4, end), (5, 0), (6, u64::MAX - 31), (7, u64::MAX)] {
            let read = request(SERIAL_MEMORY_READ, sequence, address, 2, &[]);
            assert_eq!(reply(&read), Some(vec![0x91, sequence, SERIAL_REFUSED]), "{address:#x}");
        }
        let write = request(SERIAL_MEMORY_WRITE, 8, end - 32, 2, &[1; 64]);
        assert_eq!(reply(&write), Some(vec![0x92, 8, SERIAL_REFUSED]));
        // What is no request of a card gets no reply.
        for packet in [
            vec![],
            vec![SERIAL_MEMORY_READ],
            request(SERIAL_MEMORY_READ, 9, end, 65, &[]),
            request(SERIAL_MEMORY_WRITE, 9, buffer.iova(), 1, &[0; 31]),
            request(0x14, 9, 0, 1, &[]),
        ] {
            assert_eq!(reply(&packet), None, "{packet:?}");
        }
        memory.cut_off(true);
        let read = request(SERIAL_MEMORY_READ, 10, buffer.iova(), 1, &[]);
        assert_eq!(reply(&read), Some(vec![0x91, 10, SERIAL_REFUSED]));
        memory.cut_off(false);
        let address = buffer.iova();
        drop(buffer);
        let read = request(SERIAL_MEMORY_READ, 11, address, 1, &[]);
        assert_eq!(reply(&read), Some(vec![0x91, 11, SERIAL_REFUSED]));
        assert_eq!((server.repeated, server.refused), (1, 8));
    }
}
