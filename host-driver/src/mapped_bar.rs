//! Registers of a card as memory of this process.

use crate::transport::AccessWidth;
use memmap2::{MmapOptions, MmapRaw};
use std::fs::File;
use std::io;
use std::sync::atomic::{Ordering, fence};

/// A part of a BAR that begins at its first byte, mapped.
pub(crate) struct MappedBar {
    map: MmapRaw,
    writable: bool,
}

impl MappedBar {
    /// Maps `bytes` bytes of `file` from `offset`, a multiple of a page.
    pub(crate) fn new(file: &File, offset: u64, bytes: usize) -> io::Result<MappedBar> {
        let map = MmapOptions::new().offset(offset).len(bytes).map_raw(file)?;
        Ok(MappedBar { map, writable: true })
    }

    /// Maps the first `bytes` bytes of `file` for reading alone.
    pub(crate) fn read_only(file: &File, bytes: usize) -> io::Result<MappedBar> {
        let map = MmapOptions::new().len(bytes).map_raw_read_only(file)?;
        Ok(MappedBar { map, writable: false })
    }

    /// The value of `width` at `offset`, read in one access; `None` where that is not mapped, or not aligned.
    pub(crate) fn read(&self, offset: u64, width: AccessWidth) -> Option<u64> {
        let at = self.place(offset, width)?;
        // SAFETY: `place` has checked that the access lies within the map and is aligned (a map begins at a page). No
        // reference into the map exists, and any value is one of the type's.
        let value = unsafe {
            match width {
                AccessWidth::Byte => at.read_volatile().into(),
                AccessWidth::Half => at.cast::<u16>().read_volatile().into(),
                AccessWidth::Word => at.cast::<u32>().read_volatile().into(),
                AccessWidth::Double => at.cast::<u64>().read_volatile(),
            }
        };
        // What the card wrote before it answered is not read from before.
        fence(Ordering::SeqCst);
        Some(value)
    }

    /// Writes the low `width` bytes of `value` in one access; `None` where that is not mapped, not writable, or
    /// not aligned.
    pub(crate) fn write(&self, offset: u64, width: AccessWidth, value: u64) -> Option<()> {
        let at = self.place(offset, width).filter(|_| self.writable)?;
        // What was written to memory before is there before the card hears of it.
        fence(Ordering::SeqCst);
        // SAFETY: as in `read`; that the map is writable was looked at above.
        unsafe {
            match width {
                AccessWidth::Byte => at.write_volatile(value as u8),
                AccessWidth::Half => at.cast::<u16>().write_volatile(value as u16),
                AccessWidth::Word => at.cast::<u32>().write_volatile(value as u32),
                AccessWidth::Double => at.cast::<u64>().write_volatile(value),
            }
        }
        Some(())
    }

    fn place(&self, offset: u64, width: AccessWidth) -> Option<*mut u8> {
        let end = offset.checked_add(width.bytes())?;
        let within = end <= self.map.len() as u64 && offset.is_multiple_of(width.bytes());
        // SAFETY: the offset is below the map's length.
        within.then(|| unsafe { self.map.as_mut_ptr().add(offset as usize) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::FileExt;

    #[test]
    fn accesses_have_their_width_and_stay_inside() {
        let file = tempfile::tempfile().expect("a file");
        file.set_len(8192).expect("a size");
        let bar = MappedBar::new(&file, 4096, 4096).expect("mapped");
        let widths = [AccessWidth::Byte, AccessWidth::Half, AccessWidth::Word, AccessWidth::Double];
        for width in widths {
            let bytes = width.bytes();
            for offset in [0, 8, 4096 - bytes] {
                file.write_all_at(&[0xaa; 8192], 0).expect("written");
                bar.write(offset, width, 0x1122_3344_5566_7788).expect("inside");
                let mut seen = [0; 8192];
                file.read_exact_at(&mut seen, 0).expect("read");
                let mut expected = [0xaa; 8192];
                let at = 4096 + offset as usize;
                expected[at..at + bytes as usize]
                    .copy_from_slice(&0x1122_3344_5566_7788u64.to_le_bytes()[..bytes as usize]);
                assert!(seen == expected, "{width} at {offset:#x}");
                assert_eq!(bar.read(offset, width), Some(0x1122_3344_5566_7788 & width.all_ones()));
            }
            for outside in [4096, 4096 - bytes + 1, u64::MAX, u64::MAX - bytes + 1] {
                assert_eq!(bar.read(outside, width), None);
                assert_eq!(bar.write(outside, width, 0), None);
            }
            if bytes > 1 {
                assert_eq!(bar.read(1, width), None, "misaligned");
            }
        }
    }

    #[test]
    fn what_is_mapped_for_reading_is_not_written() {
        let file = tempfile::tempfile().expect("a file");
        file.write_all_at(&[7; 4096], 0).expect("written");
        let bar = MappedBar::read_only(&file, 4096).expect("mapped");
        assert_eq!(bar.write(0, AccessWidth::Word, 1), None);
        assert_eq!(bar.read(0, AccessWidth::Word), Some(0x0707_0707));
    }
}
