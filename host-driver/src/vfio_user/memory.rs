//! Memory that two processes share: a file in memory, mapped.

use crate::dma::{DMA_ALIGNMENT, DmaMemory};
use memmap2::{MmapOptions, MmapRaw};
use nix::fcntl::{FcntlArg, OFlag, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::ptr::NonNull;

/// A part of a file in memory, mapped readable and writable, that nobody can cut short.
///
/// The file needs no open descriptor any more. Wrapped in a [`DmaBuffer`](crate::DmaBuffer) it is accessed by volatile
/// copies only: the other process may write at any time.
pub struct SharedFile {
    mapping: MmapRaw,
}

impl SharedFile {
    /// Makes a file of `bytes` zero bytes, rounded up to whole pages of 4 KiB, and maps it. The descriptor is for the
    /// other process.
    ///
    /// # Errors
    /// The operating system's: no memory, no descriptor.
    pub fn create(bytes: usize) -> io::Result<(SharedFile, OwnedFd)> {
        let bytes = bytes
            .max(1)
            .checked_next_multiple_of(DMA_ALIGNMENT)
            .ok_or_else(|| io::Error::from(io::ErrorKind::OutOfMemory))?;
        let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
        let file = memfd_create("spandrel-dma", flags)?;
        nix::unistd::ftruncate(&file, i64::try_from(bytes).map_err(|_| io::ErrorKind::OutOfMemory)?)?;
        let seals = SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SEAL;
        fcntl(&file, FcntlArg::F_ADD_SEALS(seals))?;
        let shared = SharedFile::map(&file, 0, bytes)?.ok_or(io::ErrorKind::Unsupported)?;
        Ok((shared, file))
    }

    /// Maps `bytes` bytes at `offset`, a multiple of 4 KiB, of a file from elsewhere; `None` where the mapping could
    /// become a trap: a file that may yet be cut short (it is not sealed against that; touching a page that is gone
    /// kills a process), that ends too early, or that was not opened for reading and writing.
    ///
    /// # Errors
    /// The operating system's, as when there are too many mappings.
    pub fn map(file: &impl AsFd, offset: u64, bytes: usize) -> io::Result<Option<SharedFile>> {
        let seals = match fcntl(file, FcntlArg::F_GET_SEALS) {
            Ok(seals) => SealFlag::from_bits_truncate(seals),
            // Only files in memory have seals at all.
            Err(_) => SealFlag::empty(),
        };
        let access = OFlag::from_bits_truncate(fcntl(file, FcntlArg::F_GETFL)?) & OFlag::O_ACCMODE;
        // One that is sealed against writing as well cannot be mapped writable.
        if !seals.contains(SealFlag::F_SEAL_SHRINK)
            || seals.contains(SealFlag::F_SEAL_WRITE)
            || access != OFlag::O_RDWR
        {
            return Ok(None);
        }
        let file = File::from(file.as_fd().try_clone_to_owned()?);
        let end = offset.checked_add(bytes as u64);
        if end.is_none_or(|end| end > file.metadata().map_or(0, |of| of.len()))
            || !offset.is_multiple_of(DMA_ALIGNMENT as u64)
        {
            return Ok(None);
        }
        let mapping = MmapOptions::new().offset(offset).len(bytes).map_raw(&file)?;
        Ok(Some(SharedFile { mapping }))
    }
}

// SAFETY: the mapping lives as long as the value and stays in place; it was made readable and writable, begins on a page
// since the offset is a multiple of one, and is shorter than `isize::MAX` as every mapping is. The file reaches to the
// mapping's end and is sealed against being cut, so every page of it exists. No reference into it is ever made.
unsafe impl DmaMemory for SharedFile {
    fn base(&self) -> NonNull<u8> {
        NonNull::new(self.mapping.as_mut_ptr()).unwrap_or(NonNull::dangling())
    }

    fn len(&self) -> usize {
        self.mapping.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dma::DmaBuffer;

    #[test]
    fn two_mappings_show_the_same_bytes() {
        let (ours, file) = SharedFile::create(5000).expect("memory");
        let theirs = SharedFile::map(&file, 4096, 4096).expect("mapped").expect("sealed");
        let (mut ours, theirs) = (DmaBuffer::new(Box::new(ours), 0), DmaBuffer::new(Box::new(theirs), 0));
        assert_eq!((ours.len(), theirs.len()), (8192, 4096));
        ours.write(4096 + 9, b"bases").expect("in bounds");
        let mut seen = [0; 5];
        theirs.read(9, &mut seen).expect("in bounds");
        assert_eq!(&seen, b"bases");
        assert!(nix::unistd::ftruncate(&file, 4096).is_err(), "nobody cuts it short");
    }

    #[test]
    fn what_could_become_a_trap_is_not_mapped() {
        let (_, file) = SharedFile::create(4096).expect("memory");
        for (offset, bytes) in [(0, 4097), (4096, 1), (1, 1), (u64::MAX - 4095, 4096)] {
            assert!(SharedFile::map(&file, offset, bytes).expect("no error").is_none(), "{offset} {bytes}");
        }
        let loose = memfd_create("loose", MFdFlags::MFD_CLOEXEC).expect("memory");
        nix::unistd::ftruncate(&loose, 4096).expect("grown");
        assert!(SharedFile::map(&loose, 0, 4096).expect("no error").is_none());
        let read_only = File::open("/proc/self/exe").expect("this program");
        assert!(SharedFile::map(&read_only, 0, 4096).expect("no error").is_none());
    }
}
