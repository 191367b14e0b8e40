//! The host's memory as the card reaches it: only what is mapped, at I/O virtual addresses.

use super::{Memory, runs};
use spandrel_driver::{DmaBuffer, SharedMemory};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const PAGE: u64 = 4096;
/// Above 4 GiB, so that the high half of every address register is used.
const FIRST_ADDRESS: u64 = 0x0000_0017_0000_0000;
/// So many faults are kept; all are counted.
const FAULTS_KEPT: usize = 256;

/// An access of the card to host memory that is not mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostFault {
    /// First byte.
    pub address: u64,
    /// Number of bytes.
    pub bytes: usize,
    /// Whether the card wanted to write.
    pub write: bool,
}

/// Host memory behind an I/O memory-management unit: buffers come and go, everything else is a bus error.
///
/// Clones share the same mappings. Between any two mappings at least a page stays unmapped, and no address is used
/// twice, so that neither running over the end of a buffer nor the use of a freed one goes unseen.
#[derive(Clone, Debug, Default)]
pub struct HostMemory {
    mappings: Arc<Mutex<Mappings>>,
}

#[derive(Default)]
struct Mappings {
    regions: BTreeMap<u64, Arc<SharedMemory>>,
    next: u64,
    faults: Vec<HostFault>,
    fault_count: u64,
}

impl std::fmt::Debug for Mappings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let regions: Vec<_> = self.regions.iter().map(|(base, memory)| (*base, memory.len())).collect();
        f.debug_struct("Mappings").field("regions", &regions).field("faults", &self.fault_count).finish()
    }
}

/// Ends a mapping when its buffer is dropped.
struct Unmap {
    mappings: Arc<Mutex<Mappings>>,
    address: u64,
}

impl Drop for Unmap {
    fn drop(&mut self) {
        lock(&self.mappings).regions.remove(&self.address);
    }
}

fn lock(mappings: &Mutex<Mappings>) -> MutexGuard<'_, Mappings> {
    // Every critical section below leaves the maps whole, also where it is cut short.
    mappings.lock().unwrap_or_else(PoisonError::into_inner)
}

impl HostMemory {
    /// Memory with nothing mapped.
    pub fn new() -> HostMemory {
        HostMemory::default()
    }

    /// Maps a new zeroed buffer of at least `bytes` bytes, whole pages of 4 KiB; `None` if there is no such memory.
    pub fn allocate(&self, bytes: usize) -> Option<DmaBuffer> {
        let memory = SharedMemory::new(bytes.max(1).checked_next_multiple_of(PAGE as usize)?)?;
        let mut mappings = lock(&self.mappings);
        let address = mappings.next.max(FIRST_ADDRESS);
        mappings.next = address.checked_add(memory.len() as u64)?.checked_add(PAGE)?;
        mappings.regions.insert(address, memory.clone());
        let unmap = Unmap { mappings: self.mappings.clone(), address };
        Some(DmaBuffer::from_shared_with_guard(memory, address, unmap))
    }

    /// Accesses to unmapped addresses so far (the first 256 of them).
    pub fn faults(&self) -> Vec<HostFault> {
        lock(&self.mappings).faults.clone()
    }

    /// Number of accesses to unmapped addresses so far.
    pub fn fault_count(&self) -> u64 {
        lock(&self.mappings).fault_count
    }

    /// Number of buffers that are mapped.
    pub fn mapped_buffers(&self) -> usize {
        lock(&self.mappings).regions.len()
    }
}

impl Mappings {
    /// The memory that holds all of these bytes, and the offset of the first in it.
    fn find(&self, address: u64, bytes: usize) -> Option<(&SharedMemory, usize)> {
        let (base, memory) = self.regions.range(..=address).next_back()?;
        let offset = usize::try_from(address - base).ok()?;
        (offset.checked_add(bytes)? <= memory.len()).then_some((memory, offset))
    }

    fn fault(&mut self, fault: HostFault) -> bool {
        self.fault_count += 1;
        if self.faults.len() < FAULTS_KEPT {
            self.faults.push(fault);
        }
        false
    }
}

impl Memory for HostMemory {
    fn read(&mut self, address: u64, into: &mut [u8]) -> bool {
        let mut mappings = lock(&self.mappings);
        let done = mappings
            .find(address, into.len())
            .is_some_and(|(memory, offset)| memory.read(offset, into).is_ok());
        done || mappings.fault(HostFault { address, bytes: into.len(), write: false })
    }

    fn write(&mut self, address: u64, from: &[u8], strobe: u64) -> bool {
        let mut mappings = lock(&self.mappings);
        // All runs lie in one beat of the bus, so in one page: either all are mapped or none is.
        for run in runs(strobe, from.len()) {
            let at = address.wrapping_add(run.start as u64);
            let bytes = run.len();
            let from = &from[run];
            let done =
                mappings.find(at, bytes).is_some_and(|(memory, offset)| memory.write(offset, from).is_ok());
            if !done {
                return mappings.fault(HostFault { address: at, bytes, write: true });
            }
        }
        true
    }

    fn mappings(&self) -> usize {
        self.mapped_buffers()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_mapped_buffers_are_reached() {
        let mut memory = HostMemory::new();
        let (mut first, second) = (memory.allocate(100).unwrap(), memory.allocate(8192).unwrap());
        assert_eq!(first.iova() % PAGE, 0);
        assert!(second.iova() >= first.iova() + first.len() as u64 + PAGE);
        first.write(32, &[7; 32]).unwrap();
        let mut seen = [0; 32];
        assert!(memory.read(first.iova() + 32, &mut seen) && seen == [7; 32]);
        assert!(memory.write(second.iova() + 4096, &[9; 32], 0x0000_ff00));
        second.read(4096, &mut seen).unwrap();
        assert_eq!((seen[7], seen[8], seen[15], seen[16]), (0, 9, 9, 0));
        assert_eq!(memory.fault_count(), 0);

        let (end, freed) = (second.iova() + second.len() as u64, first.iova());
        assert!(
            !memory.read(end, &mut seen) && !memory.read(end - 16, &mut seen) && !memory.read(0, &mut seen)
        );
        assert!(!memory.write(u64::MAX - 31, &[0; 32], u64::MAX));
        drop(first);
        assert!(!memory.write(freed, &[0; 32], u64::MAX));
        let faults = memory.faults();
        assert_eq!((faults.len(), memory.fault_count(), memory.mapped_buffers()), (5, 5, 1));
        assert_eq!(faults[4], HostFault { address: freed, bytes: 32, write: true });
        assert!(memory.allocate(10).unwrap().iova() > end, "addresses are not used again");
    }
}
