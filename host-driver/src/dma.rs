//! Memory that both the host and the card can reach.
//!
//! A card may write to a buffer at any moment, whether or not the driver asked it to, so no reference into
//! such memory ever exists: every access copies, through volatile reads and writes, after a bounds check.
//! Ordering between a buffer's contents and a doorbell or a completion entry is the queues' concern; they
//! issue the fences.

use std::alloc::Layout;
use std::fmt;
use std::ptr::NonNull;
use std::sync::Arc;

/// Alignment of every buffer, in bytes: a page, so that mappings never share one.
pub const DMA_ALIGNMENT: usize = 4096;

/// An access beyond the end of a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "access of {bytes} bytes at offset {offset} of a buffer of {length} bytes: keep to the buffer's length"
)]
pub struct DmaOutOfBounds {
    /// First byte of the access.
    pub offset: usize,
    /// Bytes of the access.
    pub bytes: usize,
    /// Length of the buffer.
    pub length: usize,
}

/// The owner of memory behind a [`DmaBuffer`]: dropping it unmaps and frees the memory.
///
/// # Safety
/// For as long as the value lives (moves included), [`base`](DmaMemory::base) must return the same pointer,
/// aligned to eight bytes and valid for volatile reads and writes of [`len`](DmaMemory::len) bytes from any
/// thread, and no Rust reference may point into that memory. `len` must not change and must not exceed
/// `isize::MAX`.
pub unsafe trait DmaMemory: Send {
    /// First byte, as the host sees it.
    fn base(&self) -> NonNull<u8>;

    /// Bytes.
    fn len(&self) -> usize;

    /// Whether there are no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A buffer for direct memory access, at a host address and at an I/O virtual address.
///
/// ```
/// use spandrel_driver::{DmaBuffer, SharedMemory};
/// let memory = SharedMemory::new(4096).expect("a page");
/// let mut buffer = DmaBuffer::from_shared(memory.clone(), 0x1000_0000);
/// buffer.write(8, b"scalars")?;
/// let mut seen_by_the_card = [0; 7];
/// memory.read(8, &mut seen_by_the_card)?;
/// assert_eq!(&seen_by_the_card, b"scalars");
/// assert!(buffer.write(4090, b"too long").is_err());
/// # Ok::<(), spandrel_driver::DmaOutOfBounds>(())
/// ```
pub struct DmaBuffer {
    memory: Box<dyn DmaMemory>,
    iova: u64,
    zeroize_on_drop: bool,
}

impl DmaBuffer {
    /// Wraps memory that the card reaches at the I/O virtual address `iova`.
    pub fn new(memory: Box<dyn DmaMemory>, iova: u64) -> DmaBuffer {
        DmaBuffer { memory, iova, zeroize_on_drop: false }
    }

    /// Wraps memory that a model of a card in this process shares.
    pub fn from_shared(memory: Arc<SharedMemory>, iova: u64) -> DmaBuffer {
        DmaBuffer::new(Box::new(Shared { memory, _mapping: () }), iova)
    }

    /// As [`DmaBuffer::from_shared`], with a guard that is dropped with the buffer: a transport's way to
    /// learn that the mapping ends.
    pub fn from_shared_with_guard<G: Send + 'static>(
        memory: Arc<SharedMemory>,
        iova: u64,
        guard: G,
    ) -> DmaBuffer {
        DmaBuffer::new(Box::new(Shared { memory, _mapping: guard }), iova)
    }

    /// The address at which the card reaches the first byte.
    pub fn iova(&self) -> u64 {
        self.iova
    }

    /// Bytes.
    pub fn len(&self) -> usize {
        self.memory.len()
    }

    /// Whether the buffer has no bytes.
    pub fn is_empty(&self) -> bool {
        self.memory.is_empty()
    }

    /// First byte, as the host sees it: for another owner of the buffer, not for references.
    pub(crate) fn base(&self) -> NonNull<u8> {
        self.memory.base()
    }

    /// Copies `into.len()` bytes at `offset` out of the buffer.
    pub fn read(&self, offset: usize, into: &mut [u8]) -> Result<(), DmaOutOfBounds> {
        check(offset, into.len(), self.len())?;
        // SAFETY: the owner promises `len` valid bytes at an eight-byte aligned base; the range was checked.
        unsafe { copy_out(self.memory.base().as_ptr(), offset, into) };
        Ok(())
    }

    /// Copies `from` into the buffer at `offset`.
    pub fn write(&mut self, offset: usize, from: &[u8]) -> Result<(), DmaOutOfBounds> {
        check(offset, from.len(), self.len())?;
        // SAFETY: as in `read`; the owner promises validity for writes too.
        unsafe { copy_in(self.memory.base().as_ptr(), offset, from) };
        Ok(())
    }

    /// Overwrites the whole buffer with zeros, in a way that is not optimised away.
    pub fn zeroize(&mut self) {
        // SAFETY: the owner promises `len` valid bytes at an eight-byte aligned base.
        unsafe { clear(self.memory.base().as_ptr(), self.len()) };
    }

    /// Has the buffer zeroised before its memory is given back: for buffers that hold secrets.
    pub fn zeroize_on_drop(mut self) -> DmaBuffer {
        self.zeroize_on_drop = true;
        self
    }
}

impl Drop for DmaBuffer {
    fn drop(&mut self) {
        if self.zeroize_on_drop {
            self.zeroize();
        }
    }
}

impl fmt::Debug for DmaBuffer {
    /// Address and length; never the contents.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DmaBuffer")
            .field("iova", &self.iova)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// Zeroed, page-aligned memory of this process that several owners may copy to and from.
///
/// It is what a transport to a card model in the same process gives out: the model keeps one [`Arc`], the
/// [`DmaBuffer`] the other. Copies from several threads at once may interleave, as with a real card.
pub struct SharedMemory {
    base: NonNull<u8>,
    layout: Layout,
    length: usize,
}

impl SharedMemory {
    /// Allocates `bytes` bytes; `None` when there is no such memory.
    pub fn new(bytes: usize) -> Option<Arc<SharedMemory>> {
        let layout = Layout::from_size_align(bytes.max(1), DMA_ALIGNMENT).ok()?.pad_to_align();
        // SAFETY: the layout's size is not zero.
        let base = NonNull::new(unsafe { std::alloc::alloc_zeroed(layout) })?;
        Some(Arc::new(SharedMemory { base, layout, length: bytes }))
    }

    /// Bytes.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Copies `into.len()` bytes at `offset` out of the memory.
    pub fn read(&self, offset: usize, into: &mut [u8]) -> Result<(), DmaOutOfBounds> {
        check(offset, into.len(), self.length)?;
        // SAFETY: `base` is page-aligned and valid for `length` bytes; the range was checked.
        unsafe { copy_out(self.base.as_ptr(), offset, into) };
        Ok(())
    }

    /// Copies `from` into the memory at `offset`.
    pub fn write(&self, offset: usize, from: &[u8]) -> Result<(), DmaOutOfBounds> {
        check(offset, from.len(), self.length)?;
        // SAFETY: as in `read`; no reference into the memory is ever made, so writing through `&self` is sound.
        unsafe { copy_in(self.base.as_ptr(), offset, from) };
        Ok(())
    }
}

impl Drop for SharedMemory {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with this very layout, and this is the last owner.
        unsafe { std::alloc::dealloc(self.base.as_ptr(), self.layout) };
    }
}

// SAFETY: the memory belongs to the value and is touched only through volatile copies, never references.
unsafe impl Send for SharedMemory {}
// SAFETY: as above; concurrent copies may tear, exactly as with a device, and callers are told so.
unsafe impl Sync for SharedMemory {}

struct Shared<G> {
    memory: Arc<SharedMemory>,
    _mapping: G,
}

// SAFETY: the `Arc` keeps the allocation alive and in place, page-aligned, of constant length, without references.
unsafe impl<G: Send> DmaMemory for Shared<G> {
    fn base(&self) -> NonNull<u8> {
        self.memory.base
    }

    fn len(&self) -> usize {
        self.memory.length
    }
}

fn check(offset: usize, bytes: usize, length: usize) -> Result<(), DmaOutOfBounds> {
    match offset.checked_add(bytes) {
        Some(end) if end <= length => Ok(()),
        _ => Err(DmaOutOfBounds { offset, bytes, length }),
    }
}

/// Length of the run of single bytes that leads from `offset` to the next eight-byte boundary.
fn unaligned_head(offset: usize, bytes: usize) -> usize {
    (offset.wrapping_neg() % 8).min(bytes)
}

/// # Safety
/// `base` must be aligned to eight bytes and valid for volatile reads of `offset + into.len()` bytes.
unsafe fn copy_out(base: *mut u8, offset: usize, into: &mut [u8]) {
    let (head, rest) = into.split_at_mut(unaligned_head(offset, into.len()));
    let mut at = offset;
    for byte in head {
        // SAFETY: within the range that the caller vouches for.
        *byte = unsafe { base.add(at).read_volatile() };
        at += 1;
    }
    let (words, tail) = rest.as_chunks_mut::<8>();
    for word in words {
        // SAFETY: within the range, and `at` is a multiple of eight here, as is `base`.
        *word = unsafe { base.add(at).cast::<u64>().read_volatile() }.to_ne_bytes();
        at += 8;
    }
    for byte in tail {
        // SAFETY: within the range that the caller vouches for.
        *byte = unsafe { base.add(at).read_volatile() };
        at += 1;
    }
}

/// # Safety
/// `base` must be aligned to eight bytes and valid for volatile writes of `offset + from.len()` bytes.
unsafe fn copy_in(base: *mut u8, offset: usize, from: &[u8]) {
    let (head, rest) = from.split_at(unaligned_head(offset, from.len()));
    let mut at = offset;
    for byte in head {
        // SAFETY: within the range that the caller vouches for.
        unsafe { base.add(at).write_volatile(*byte) };
        at += 1;
    }
    let (words, tail) = rest.as_chunks::<8>();
    for word in words {
        // SAFETY: within the range, and `at` is a multiple of eight here, as is `base`.
        unsafe { base.add(at).cast::<u64>().write_volatile(u64::from_ne_bytes(*word)) };
        at += 8;
    }
    for byte in tail {
        // SAFETY: within the range that the caller vouches for.
        unsafe { base.add(at).write_volatile(*byte) };
        at += 1;
    }
}

/// # Safety
/// `base` must be aligned to eight bytes and valid for volatile writes of `bytes` bytes.
unsafe fn clear(base: *mut u8, bytes: usize) {
    let words = bytes / 8;
    for word in 0..words {
        // SAFETY: within the range and aligned.
        unsafe { base.cast::<u64>().add(word).write_volatile(0) };
    }
    for at in 8 * words..bytes {
        // SAFETY: within the range.
        unsafe { base.add(at).write_volatile(0) };
    }
    std::sync::atomic::compiler_fence(std::sync::atomic::Ordering::SeqCst);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn copies_at_every_alignment() {
        let memory = SharedMemory::new(64).expect("memory");
        let mut buffer = DmaBuffer::from_shared(memory.clone(), 0);
        for offset in 0..24 {
            for bytes in 0..40 {
                buffer.zeroize();
                let data: Vec<u8> = (0..bytes).map(|i| (i * 7 + offset + 1) as u8).collect();
                buffer.write(offset, &data).expect("in bounds");
                let mut whole = [0; 64];
                memory.read(0, &mut whole).expect("in bounds");
                assert_eq!(whole[offset..offset + bytes], data[..]);
                assert!(whole[..offset].iter().chain(&whole[offset + bytes..]).all(|byte| *byte == 0));
                let mut back = vec![0; bytes];
                buffer.read(offset, &mut back).expect("in bounds");
                assert_eq!(back, data);
            }
        }
    }

    #[test]
    fn refuses_what_does_not_fit() {
        let memory = SharedMemory::new(10).expect("memory");
        let mut buffer = DmaBuffer::from_shared(memory, 0);
        assert_eq!(buffer.len(), 10);
        assert!(buffer.read(0, &mut [0; 10]).is_ok());
        assert!(buffer.read(10, &mut []).is_ok());
        for (offset, bytes) in [(0, 11), (10, 1), (11, 0), (usize::MAX, 1), (usize::MAX, 0)] {
            let expected = DmaOutOfBounds { offset, bytes, length: 10 };
            assert_eq!(buffer.read(offset, &mut vec![0; bytes]), Err(expected));
            assert_eq!(buffer.write(offset, &vec![1; bytes]), Err(expected));
        }
    }

    #[test]
    fn secrets_are_gone_and_the_guard_is_dropped() {
        struct Guard(Arc<AtomicBool>);
        impl Drop for Guard {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let dropped = Arc::new(AtomicBool::new(false));
        let memory = SharedMemory::new(4099).expect("memory");
        let mut buffer =
            DmaBuffer::from_shared_with_guard(memory.clone(), 0, Guard(dropped.clone())).zeroize_on_drop();
        buffer.write(0, &[0xa5; 4099]).expect("in bounds");
        drop(buffer);
        let mut left = vec![1; 4099];
        memory.read(0, &mut left).expect("in bounds");
        assert!(left.iter().all(|byte| *byte == 0));
        assert!(dropped.load(Ordering::Relaxed));
    }
}
