//! Memory of this process that the card reaches: where it lies in the card's address space, and for how long.

use super::link::Link;
use super::memory::SharedFile;
use super::wire::{Body, command};
use crate::dma::{DMA_ALIGNMENT, DmaBuffer, DmaMemory};
use crate::transport::TransportError;
use std::os::fd::AsFd;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use vfio_bindings::bindings::vfio::{VFIO_DMA_MAP_FLAG_READ, VFIO_DMA_MAP_FLAG_WRITE};

/// The first I/O virtual address: above 4 GiB, so that the high half of every address register is used, and clear of the
/// window at 0xfee0_0000 to 0xfeef_ffff in which writes are interrupt messages.
const FIRST_ADDRESS: u64 = 0x0000_0017_0000_0000;
/// Addresses end here: what the least capable I/O memory-management units of servers translate.
const END_OF_ADDRESSES: u64 = 1 << 48;
/// Unmapped bytes after each buffer, so that running over its end is seen.
const GUARD_BYTES: u64 = DMA_ALIGNMENT as u64;

/// The next address to give out. No address is given out twice, so that the use of a freed buffer is seen.
pub(super) struct Addresses {
    next: u64,
}

impl Default for Addresses {
    fn default() -> Addresses {
        Addresses { next: FIRST_ADDRESS }
    }
}

impl Addresses {
    fn take(&mut self, bytes: u64) -> Option<u64> {
        let next = self.next.checked_add(bytes)?.checked_add(GUARD_BYTES)?;
        (next <= END_OF_ADDRESSES).then(|| std::mem::replace(&mut self.next, next))
    }
}

/// The connection, for the transport and for the buffers that end their mappings when they are dropped.
pub(super) type SharedLink = Arc<Mutex<Link>>;

/// The connection, for one command.
pub(super) fn lock(link: &SharedLink) -> MutexGuard<'_, Link> {
    // Whatever panicked while it was held, a connection is either in order or knows that it is dead.
    link.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A buffer that the server knows.
struct Mapped {
    memory: SharedFile,
    address: u64,
    link: SharedLink,
}

/// Makes a zeroed buffer and has the server map it.
pub(super) fn allocate(
    link: &SharedLink,
    addresses: &mut Addresses,
    bytes: usize,
) -> Result<DmaBuffer, TransportError> {
    let failed = |reason: String| TransportError::Allocation { bytes, reason };
    let (memory, file) = SharedFile::create(bytes)
        .map_err(|error| failed(format!("{error}: give this process more memory, or ask for less")))?;
    let size = memory.len() as u64;
    let address = addresses
        .take(size)
        .ok_or_else(|| failed("all I/O virtual addresses were used once: open the card anew".to_owned()))?;
    let flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;
    let body = Body::new().words(&[32, flags]).doubles(&[0, address, size]);
    lock(link).request(command::DMA_MAP, &[body.as_slice()], &[file.as_fd()]).map_err(|failure| {
        failure.because(|| format!("mapping {size} bytes for the card at {address:#x}"))
    })?;
    Ok(DmaBuffer::new(Box::new(Mapped { memory, address, link: link.clone() }), address))
}

impl Drop for Mapped {
    /// Ends the card's access first. Should the server not answer, it is gone or cut off, and the memory stays valid
    /// for as long as it still maps it.
    fn drop(&mut self) {
        let body = Body::new().words(&[24, 0]).doubles(&[self.address, self.memory.len() as u64]);
        if let Err(failure) = lock(&self.link).request(command::DMA_UNMAP, &[body.as_slice()], &[]) {
            let error = failure.because(|| format!("unmapping the buffer at {:#x}", self.address));
            tracing::debug!(%error, "the card's access to a buffer could not be ended");
        }
    }
}

// SAFETY: base and length are those of the shared file, which lives as long as the value.
unsafe impl DmaMemory for Mapped {
    fn base(&self) -> NonNull<u8> {
        self.memory.base()
    }

    fn len(&self) -> usize {
        self.memory.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_never_meet_and_come_to_an_end() {
        let mut addresses = Addresses::default();
        let first = addresses.take(4096).expect("plenty");
        let second = addresses.take(1 << 40).expect("plenty");
        assert_eq!(second, first + 4096 + GUARD_BYTES);
        assert!(addresses.take(u64::MAX).is_none() && addresses.take(END_OF_ADDRESSES).is_none());
        assert!(addresses.take(4096).expect("still plenty") > second + (1 << 40));
    }
}
