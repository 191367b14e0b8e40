//! Host memory as the software card sees it: nothing but what is mapped.

use spandrel_driver::{DmaBuffer, SharedMemory};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Mapped buffers by address, and what became of those that were given back.
#[derive(Default)]
pub struct HostMemory {
    mapped: BTreeMap<u64, Arc<SharedMemory>>,
    next: u64,
    /// Accesses by the card to what is not mapped.
    pub stray_accesses: Vec<u64>,
    /// Contents of every buffer at the moment it was given back.
    pub given_back: Vec<Vec<u8>>,
}

struct Mapping {
    memory: Arc<Mutex<HostMemory>>,
    iova: u64,
}

impl Drop for Mapping {
    fn drop(&mut self) {
        let mut memory = self.memory.lock().expect("not poisoned");
        let buffer = memory.mapped.remove(&self.iova).expect("mapped once");
        let mut contents = vec![0; buffer.len()];
        buffer.read(0, &mut contents).expect("whole buffer");
        memory.given_back.push(contents);
    }
}

/// Maps a new buffer.
pub fn map(memory: &Arc<Mutex<HostMemory>>, bytes: usize) -> DmaBuffer {
    let buffer = SharedMemory::new(bytes).expect("memory");
    let mut locked = memory.lock().expect("not poisoned");
    // Never the same address twice, and gaps between buffers, so that a stray access is seen.
    let iova = 0x7_0000_0000 + locked.next;
    locked.next += (bytes as u64).next_multiple_of(4096) + 4096;
    locked.mapped.insert(iova, buffer.clone());
    drop(locked);
    DmaBuffer::from_shared_with_guard(buffer, iova, Mapping { memory: memory.clone(), iova })
}

impl HostMemory {
    fn find(&mut self, iova: u64, bytes: usize) -> Option<(Arc<SharedMemory>, usize)> {
        let found = self.mapped.range(..=iova).next_back().and_then(|(start, buffer)| {
            let offset = (iova - start) as usize;
            (offset + bytes <= buffer.len()).then(|| (buffer.clone(), offset))
        });
        if found.is_none() {
            self.stray_accesses.push(iova);
        }
        found
    }

    pub fn read(&mut self, iova: u64, bytes: usize) -> Option<Vec<u8>> {
        let (buffer, offset) = self.find(iova, bytes)?;
        let mut data = vec![0; bytes];
        buffer.read(offset, &mut data).ok().map(|()| data)
    }

    pub fn write(&mut self, iova: u64, data: &[u8]) -> Option<()> {
        let (buffer, offset) = self.find(iova, data.len())?;
        buffer.write(offset, data).ok()
    }

    /// Whether `needle` is in a mapped buffer.
    pub fn contains(&self, needle: &[u8]) -> bool {
        self.mapped.values().any(|buffer| {
            let mut contents = vec![0; buffer.len()];
            buffer.read(0, &mut contents).expect("whole buffer");
            contents.windows(needle.len()).any(|window| window == needle)
        })
    }

    /// Number of buffers that are mapped.
    pub fn mapped(&self) -> usize {
        self.mapped.len()
    }
}
