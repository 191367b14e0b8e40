//! The card's registers, mapped through sysfs, without the driver.

use crate::card::sysfs;
use anyhow::{Context, Result, ensure};
use memmap2::MmapOptions;
use spandrel_abi::*;
use std::fs::File;

pub fn run() -> Result<String> {
    // Switches the card's decoding of memory accesses on; sysfs does not do so by itself.
    std::fs::write(sysfs("enable")?, "1").context("the card cannot be enabled")?;
    let path = sysfs("resource0")?;
    let file = File::options().read(true).write(true).open(&path);
    let file = file.with_context(|| format!("cannot open {}", path.display()))?;
    let map = MmapOptions::new().len(BAR0_BYTES as usize).map_raw(&file).context("BAR 0 cannot be mapped")?;
    let base = map.as_mut_ptr();
    // SAFETY (of all accesses below): each is inside the mapping, which lives until the end of this function, and aligned
    // to its width, since the mapping begins on a page and the offset is a multiple of the width.
    let word = |offset: u32| {
        assert!(offset < BAR0_BYTES && offset.is_multiple_of(4));
        // SAFETY: see above.
        unsafe { base.add(offset as usize).cast::<u32>().read_volatile() }
    };
    let magic = word(MAGIC.offset);
    ensure!(magic == MAGIC_VALUE, "the magic word is {magic:#x}, not {MAGIC_VALUE:#x}");
    let version = word(ABI_VERSION.offset);
    let (major, minor) = (ABI_VERSION_MAJOR.get(version), ABI_VERSION_MINOR.get(version));
    ensure!(
        major == u32::from(ABI_MAJOR),
        "the card's interface is {major}.{minor}, not {ABI_MAJOR}.{ABI_MINOR}"
    );

    let scratch = SCRATCH.offset as usize;
    let mut accesses = 0;
    for value in [0, u32::MAX, 0x0123_4567, 0x89ab_cdef] {
        // SAFETY: see above; the scratch register is for this.
        unsafe { base.add(scratch).cast::<u32>().write_volatile(value) };
        ensure!(word(SCRATCH.offset) == value, "{value:#x} was written to SCRATCH");
        for (byte, wanted) in value.to_le_bytes().into_iter().enumerate() {
            // SAFETY: see above.
            let found = unsafe { base.add(scratch + byte).read_volatile() };
            ensure!(found == wanted, "byte {byte} of SCRATCH reads {found:#x} of {value:#x}");
        }
        for at in [0, 2] {
            // SAFETY: see above.
            let found = unsafe { base.add(scratch + at).cast::<u16>().read_volatile() };
            ensure!(
                found == (value >> (8 * at)) as u16,
                "bytes {at} of SCRATCH read {found:#x} of {value:#x}"
            );
        }
        // SAFETY: see above; SCRATCH is at a multiple of eight, and what follows it reads as zero.
        let found = unsafe { base.add(scratch).cast::<u64>().read_volatile() };
        ensure!(found == u64::from(value), "8 bytes at SCRATCH read {found:#x} of {value:#x}");
        // SAFETY: see above.
        unsafe { base.add(scratch + 1).write_volatile(0x5a) };
        let wanted = value & 0xffff_00ff | 0x5a00;
        let found = word(SCRATCH.offset);
        ensure!(found == wanted, "SCRATCH is {found:#x} after its second byte was written, not {wanted:#x}");
        accesses += 10;
    }
    let link = word(LINK_STATUS.offset);
    let stream = LINK_STREAM.get(link);
    ensure!(matches!(stream, 1 | 2), "LINK_STATUS is {link:#x}, and names no width of the streams");
    for beyond in [0x1800, BAR0_BYTES - 4] {
        ensure!(word(beyond) == 0, "{beyond:#x} reads {:#x}, and nothing is there", word(beyond));
    }
    Ok(format!(
        "interface {major}.{minor}, streams of {} bits, {accesses} accesses of 1, 2, 4 and 8 bytes",
        128 << stream
    ))
}
