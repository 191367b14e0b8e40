//! Memory of another process as the card reaches it: only what that process has mapped, at its I/O virtual addresses.

use super::{Memory, runs};
use spandrel_driver::DmaBuffer;
use spandrel_driver::vfio_user::SharedFile;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::atomic::{Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Every mapping is whole pages of so many bytes.
const PAGE: u64 = 4096;
/// Most mappings at a time: what the vfio-user protocol assumes where nothing was agreed.
const MOST_MAPPINGS: usize = 65_535;
/// Most files that are kept open because they cannot be mapped safely.
const MOST_FILES: usize = 256;

/// Memory of another process behind an I/O memory-management unit. Clones share the same mappings.
///
/// Files in memory that nobody can cut short are mapped; others are read and written by system calls, since touching a page
/// that has gone from a file would kill this process. Nothing that the other process does to its memory does any harm here.
#[derive(Clone, Default)]
pub struct GuestMemory {
    mappings: Arc<Mutex<Mappings>>,
}

/// One mapping of another process's memory.
#[derive(Debug)]
pub struct GuestMapping {
    /// First I/O virtual address.
    pub address: u64,
    /// Bytes.
    pub bytes: u64,
    /// Whether the card may read it.
    pub readable: bool,
    /// Whether the card may write it.
    pub writable: bool,
    /// Where the first byte lies in the file.
    pub offset: u64,
    /// The memory; without it, the addresses are taken and every access is refused.
    pub file: Option<File>,
}

#[derive(Default)]
struct Mappings {
    regions: BTreeMap<u64, Region>,
    /// Files that are kept open, by device and number.
    files: BTreeMap<(u64, u64), Weak<File>>,
    faults: u64,
}

struct Region {
    bytes: u64,
    readable: bool,
    writable: bool,
    backing: Backing,
}

enum Backing {
    /// Mapped into this process.
    Mapped(DmaBuffer),
    /// By system calls; regions of one file share it.
    File { file: Arc<File>, offset: u64 },
    /// Not reachable.
    Nothing,
}

impl std::fmt::Debug for GuestMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mappings = self.lock();
        let regions: Vec<_> =
            mappings.regions.iter().map(|(address, region)| (*address, region.bytes)).collect();
        f.debug_struct("GuestMemory").field("regions", &regions).field("faults", &mappings.faults).finish()
    }
}

fn error(number: i32) -> io::Error {
    io::Error::from_raw_os_error(number)
}

impl GuestMemory {
    /// Memory with nothing mapped.
    pub fn new() -> GuestMemory {
        GuestMemory::default()
    }

    fn lock(&self) -> MutexGuard<'_, Mappings> {
        // Every critical section leaves the maps whole, also where it is cut short.
        self.mappings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the card reach memory.
    ///
    /// # Errors
    /// `EINVAL` for what is not whole pages, has no bytes, wraps around, or that the file does not have; `EEXIST` where
    /// something is mapped already; `ENOSPC` when there are too many mappings, `EMFILE` too many files; and the operating
    /// system's. Nothing has changed then.
    pub fn map(&self, mapping: GuestMapping) -> io::Result<()> {
        let GuestMapping { address, bytes, readable, writable, offset, file } = mapping;
        let whole_pages = [address, bytes, offset].iter().all(|value| value.is_multiple_of(PAGE));
        let last = bytes.checked_sub(1).and_then(|more| address.checked_add(more));
        let Some(last) = last.filter(|_| whole_pages) else {
            return Err(error(nix::libc::EINVAL));
        };
        let mut mappings = self.lock();
        if mappings.overlaps(address, last) {
            return Err(error(nix::libc::EEXIST));
        }
        if mappings.regions.len() >= MOST_MAPPINGS {
            return Err(error(nix::libc::ENOSPC));
        }
        let backing = match file {
            None => Backing::Nothing,
            Some(file) => mappings.back(file, offset, bytes, address)?,
        };
        mappings.regions.insert(address, Region { bytes, readable, writable, backing });
        Ok(())
    }

    /// Ends every mapping that lies between `address` and `bytes` bytes later, and gives how many bytes those had.
    ///
    /// # Errors
    /// `EINVAL` where a mapping lies partly outside, or the range wraps around; `ENOENT` where there is none. Nothing has
    /// changed then.
    pub fn unmap(&self, address: u64, bytes: u64) -> io::Result<u64> {
        let last = bytes.checked_sub(1).and_then(|more| address.checked_add(more));
        let last = last.ok_or_else(|| error(nix::libc::EINVAL))?;
        let mut mappings = self.lock();
        let inside: Vec<(u64, u64)> =
            mappings.regions.range(address..=last).map(|(at, region)| (*at, region.bytes)).collect();
        let before = mappings.regions.range(..address).next_back();
        let cut_in_front = before.is_some_and(|(at, region)| at + (region.bytes - 1) >= address);
        let cut_behind = inside.last().is_some_and(|(at, bytes)| at + (bytes - 1) > last);
        if cut_in_front || cut_behind {
            return Err(error(nix::libc::EINVAL));
        }
        if inside.is_empty() {
            return Err(error(nix::libc::ENOENT));
        }
        for (at, _) in &inside {
            mappings.regions.remove(at);
        }
        Ok(inside.iter().map(|(_, bytes)| bytes).sum())
    }

    /// Ends all mappings.
    pub fn clear(&self) {
        self.lock().regions.clear();
    }

    /// Number of mappings.
    pub fn mapped(&self) -> usize {
        self.lock().regions.len()
    }

    /// Number of accesses of the card that were refused so far.
    pub fn fault_count(&self) -> u64 {
        self.lock().faults
    }
}

impl Mappings {
    fn overlaps(&self, address: u64, last: u64) -> bool {
        // The last region that begins at or before the end is the only one that could reach in.
        let before = self.regions.range(..=last).next_back();
        before.is_some_and(|(at, region)| at + (region.bytes - 1) >= address)
    }

    fn back(&mut self, file: File, offset: u64, bytes: u64, address: u64) -> io::Result<Backing> {
        let of_file = file.metadata()?;
        if !of_file.is_file() || offset.checked_add(bytes).is_none_or(|end| end > of_file.len()) {
            return Err(error(nix::libc::EINVAL));
        }
        let length = usize::try_from(bytes).map_err(|_| error(nix::libc::EINVAL))?;
        if let Some(shared) = SharedFile::map(&file, offset, length)? {
            return Ok(Backing::Mapped(DmaBuffer::new(Box::new(shared), address)));
        }
        tracing::debug!(
            address,
            bytes,
            "memory that is not sealed against being cut is accessed by system calls"
        );
        let identity = (of_file.dev(), of_file.ino());
        let file = match self.files.get(&identity).and_then(Weak::upgrade) {
            // Should this one be opened for more than that one, the card is refused what it could have been given.
            Some(known) => known,
            None => {
                if self.files.len() >= MOST_FILES {
                    self.files.retain(|_, file| file.strong_count() > 0);
                }
                if self.files.len() >= MOST_FILES {
                    return Err(error(nix::libc::EMFILE));
                }
                let file = Arc::new(file);
                self.files.insert(identity, Arc::downgrade(&file));
                file
            }
        };
        Ok(Backing::File { file, offset })
    }

    /// The region that holds `address`, with the offset in it and how many of the `bytes` bytes it holds.
    fn find(&mut self, address: u64, bytes: usize) -> Option<(&mut Region, u64, usize)> {
        let (at, region) = self.regions.range_mut(..=address).next_back()?;
        let offset = address - at;
        let left = region.bytes.checked_sub(offset).filter(|left| *left > 0)?;
        let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes);
        Some((region, offset, here))
    }

    /// Whether the card may write all of these bytes.
    fn may_write(&mut self, mut address: u64, mut bytes: usize) -> bool {
        while bytes > 0 {
            match self.find(address, bytes) {
                Some((region, _, here)) if region.writable && region.is_reachable() => {
                    bytes -= here;
                    match address.checked_add(here as u64) {
                        Some(next) => address = next,
                        None => return bytes == 0,
                    }
                }
                _ => return false,
            }
        }
        true
    }

    fn refused(&mut self, address: u64, bytes: usize, write: bool) -> bool {
        self.faults += 1;
        tracing::debug!(address, bytes, write, "the card was refused memory");
        false
    }
}

impl Region {
    fn is_reachable(&self) -> bool {
        !matches!(self.backing, Backing::Nothing)
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> bool {
        match &self.backing {
            Backing::Mapped(buffer) => {
                usize::try_from(offset).is_ok_and(|offset| buffer.read(offset, into).is_ok())
            }
            Backing::File { file, offset: first, .. } => file.read_exact_at(into, first + offset).is_ok(),
            Backing::Nothing => false,
        }
    }

    fn write(&mut self, offset: u64, from: &[u8]) -> bool {
        match &mut self.backing {
            Backing::Mapped(buffer) => {
                usize::try_from(offset).is_ok_and(|offset| buffer.write(offset, from).is_ok())
            }
            Backing::File { file, offset: first, .. } => file.write_all_at(from, *first + offset).is_ok(),
            Backing::Nothing => false,
        }
    }
}

impl Memory for GuestMemory {
    fn read(&mut self, address: u64, into: &mut [u8]) -> bool {
        let mut mappings = self.lock();
        let (bytes, mut done) = (into.len(), 0);
        while done < bytes {
            let rest = &mut into[done..];
            let at = address.checked_add(done as u64);
            let found = at.and_then(|at| mappings.find(at, rest.len()));
            match found {
                Some((region, offset, here)) if region.readable && region.read(offset, &mut rest[..here]) => {
                    done += here;
                }
                _ => return mappings.refused(address, bytes, false),
            }
        }
        true
    }

    fn write(&mut self, address: u64, from: &[u8], strobe: u64) -> bool {
        let mut mappings = self.lock();
        for run in runs(strobe, from.len()) {
            let at = address.checked_add(run.start as u64);
            if !at.is_some_and(|at| mappings.may_write(at, run.len())) {
                return mappings.refused(address, from.len(), true);
            }
        }
        for run in runs(strobe, from.len()) {
            let mut rest = &from[run.clone()];
            let mut at = address.wrapping_add(run.start as u64);
            while !rest.is_empty() {
                let written = mappings
                    .find(at, rest.len())
                    .and_then(|(region, offset, here)| region.write(offset, &rest[..here]).then_some(here));
                // A file can have been cut short meanwhile.
                let Some(done) = written else { return mappings.refused(address, from.len(), true) };
                rest = &rest[done..];
                at = at.wrapping_add(done as u64);
            }
        }
        // What was written is seen before anything that is written, or told, after it.
        fence(Ordering::Release);
        true
    }

    fn mappings(&self) -> usize {
        self.mapped()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    fn mapping(address: u64, bytes: u64, file: Option<File>) -> GuestMapping {
        GuestMapping { address, bytes, readable: true, writable: true, offset: 0, file }
    }

    fn sealed(bytes: usize) -> (DmaBuffer, File) {
        let (memory, fd) = SharedFile::create(bytes).unwrap();
        (DmaBuffer::new(Box::new(memory), 0), File::from(fd))
    }

    fn number(result: io::Result<impl std::fmt::Debug>) -> i32 {
        result.unwrap_err().raw_os_error().unwrap()
    }

    #[test]
    fn both_kinds_of_files_are_reached_where_they_are_mapped() {
        let mut memory = GuestMemory::new();
        let (mut ours, file) = sealed(8192);
        let loose = tempfile::tempfile().unwrap();
        loose.set_len(8192).unwrap();
        memory.map(GuestMapping { offset: 4096, ..mapping(0x10_0000, 4096, Some(file)) }).unwrap();
        memory
            .map(GuestMapping { offset: 4096, ..mapping(0x10_1000, 4096, loose.try_clone().ok()) })
            .unwrap();
        ours.write(4096 + 4064, &[3; 32]).unwrap();
        loose.write_all_at(&[5; 32], 4096).unwrap();
        let mut seen = [0; 64];
        assert!(memory.read(0x10_0fe0, &mut seen), "across two mappings that touch");
        assert_eq!(seen, std::array::from_fn(|at| if at < 32 { 3 } else { 5 }));
        assert!(memory.write(0x10_0fe0, &[9; 64], 0xffff_0000_ffff_0000));
        let mut back = [0; 32];
        ours.read(4096 + 4064, &mut back).unwrap();
        assert_eq!(back, std::array::from_fn(|at| if at < 16 { 3 } else { 9 }));
        loose.read_exact_at(&mut back, 4096).unwrap();
        assert_eq!(back, std::array::from_fn(|at| if at < 16 { 5 } else { 9 }));

        assert_eq!(memory.fault_count(), 0);
        assert!(!memory.read(0x10_1fe0, &mut seen) && !memory.read(0xf_fff0, &mut seen));
        assert!(!memory.write(0x10_1ff0, &[0; 32], u64::MAX));
        loose.read_exact_at(&mut back, 8192 - 32).unwrap();
        assert_eq!(back, [0; 32], "nothing of a refused write is done");
        assert!(!memory.read(u64::MAX - 3, &mut seen) && !memory.write(u64::MAX - 3, &[0; 64], u64::MAX));
        assert_eq!(memory.fault_count(), 5);
        // A file that is cut short afterwards costs an error, where a mapping of it would cost the process.
        loose.set_len(0).unwrap();
        assert!(!memory.read(0x10_1000, &mut seen));
        assert_eq!(memory.unmap(0x10_0000, 0x2000).unwrap(), 8192);
        assert!(!memory.read(0x10_0000, &mut seen) && memory.mapped() == 0);
    }

    #[test]
    fn what_cannot_be_mapped_changes_nothing() {
        let memory = GuestMemory::new();
        let (_ours, file) = sealed(8192);
        let file = || Some(file.try_clone().unwrap());
        memory.map(mapping(0x2000, 0x2000, file())).unwrap();
        for (address, bytes, expected) in [
            (0x1001, 0x1000, nix::libc::EINVAL),
            (0x1000, 0x1001, nix::libc::EINVAL),
            (0x8000, 0, nix::libc::EINVAL),
            (0x8000, 0x3000, nix::libc::EINVAL),
            (u64::MAX - 0xfff, 0x2000, nix::libc::EINVAL),
            (0x1000, u64::MAX - 0xfff, nix::libc::EEXIST),
            (0x1000, 0x2000, nix::libc::EEXIST),
            (0x3000, 0x1000, nix::libc::EEXIST),
            (0x2000, 0x1000, nix::libc::EEXIST),
        ] {
            assert_eq!(
                number(memory.map(mapping(address, bytes, file()))),
                expected,
                "{address:#x} {bytes:#x}"
            );
        }
        let beyond = GuestMapping { offset: u64::MAX - 0xfff, ..mapping(0x8000, 0x1000, file()) };
        assert_eq!(number(memory.map(beyond)), nix::libc::EINVAL);
        let (socket, _other) = std::os::unix::net::UnixStream::pair().unwrap();
        let socket = File::from(socket.as_fd().try_clone_to_owned().unwrap());
        assert_eq!(number(memory.map(mapping(0x8000, 0x1000, Some(socket)))), nix::libc::EINVAL);
        // The last page of all can be mapped, and all but the first.
        memory.map(mapping(u64::MAX - 0xfff, 0x1000, file())).unwrap();
        memory.map(mapping(0x4000, u64::MAX - 0x4fff, None)).unwrap();
        assert_eq!(memory.mapped(), 3);

        for (address, bytes, expected) in [
            (0x2000, 0x1000, nix::libc::EINVAL),
            (0x3000, 0x1000, nix::libc::EINVAL),
            (0x1000, 0x2000, nix::libc::EINVAL),
            (0x2000, 0, nix::libc::EINVAL),
            (0x2000, u64::MAX, nix::libc::EINVAL),
            (0x1000, 0x1000, nix::libc::ENOENT),
        ] {
            assert_eq!(number(memory.unmap(address, bytes)), expected, "{address:#x} {bytes:#x}");
        }
        assert_eq!(memory.mapped(), 3);
        memory.unmap(0x1000, u64::MAX - 0x1fff).unwrap();
        assert_eq!(memory.mapped(), 1);
        memory.clear();
        assert_eq!(memory.mapped(), 0);
    }

    #[test]
    fn rights_are_kept_and_addresses_without_memory_refuse() {
        let mut memory = GuestMemory::new();
        let (_ours, file) = sealed(4096);
        let file = || Some(file.try_clone().unwrap());
        memory.map(GuestMapping { writable: false, ..mapping(0x1000, 0x1000, file()) }).unwrap();
        memory.map(GuestMapping { readable: false, ..mapping(0x2000, 0x1000, file()) }).unwrap();
        memory.map(mapping(0x3000, 0x1000, None)).unwrap();
        let outcome = |memory: &mut GuestMemory, address| {
            (memory.read(address, &mut [0; 32]), memory.write(address, &[1; 32], u64::MAX))
        };
        assert_eq!(outcome(&mut memory, 0x1000), (true, false));
        assert_eq!(outcome(&mut memory, 0x2000), (false, true));
        assert_eq!(outcome(&mut memory, 0x3000), (false, false));
    }
}
