//! The card reaches mapped memory and nothing else.

use crate::card::transport;
use crate::rings::Rings;
use anyhow::{Context, Result, ensure};
use spandrel_abi::*;
use spandrel_driver::{DmaBuffer, Transport};
use std::os::unix::fs::FileExt;

/// So large that a buffer has pages of its own, which are unmapped with it.
const OWN_BYTES: usize = 4 << 20;
const PAGE: usize = 4096;
/// Below 2^39, which every IOMMU translates; nothing is mapped there.
const NOWHERE: u64 = 0x40_0000_0000;
/// Points that a load reads: two pages.
const POINTS: u32 = (2 * PAGE / AFFINE_POINT_BYTES) as u32;

pub fn run() -> Result<String> {
    let mut rings = Rings::start(transport()?)?;
    let mut kept = rings.transport.allocate(OWN_BYTES)?;
    fill(&mut kept)?;
    let mut gone = rings.transport.allocate(OWN_BYTES)?;
    fill(&mut gone)?;
    let gone_at = gone.iova();
    // While it is mapped, the card reads and writes it: what is refused later is the mapping, not the address.
    ensure!(load(&mut rings, gone_at)? == Status::Success, "mapped memory cannot be read");
    drop(gone);

    // A page of this process, by the address that it has in the guest's memory.
    let private = vec![0xa5_u8; 3 * PAGE];
    let inside = private.as_ptr().align_offset(PAGE);
    let physical = physical_address(private[inside..].as_ptr())?;

    let before = unsupported(&mut rings)?;
    let mut told = Vec::new();
    let places =
        [("an unmapped address", NOWHERE), ("an unmapped buffer", gone_at), ("a physical address", physical)];
    for (what, address) in places {
        let status = load(&mut rings, address)?;
        let refusal =
            HOST_READ_CAUSES.iter().any(|(_, cause)| *cause == status) || status == Status::HostReadFault;
        ensure!(refusal, "a read of {what} ({address:#x}) ended with {status:?}");
        told.push(format!("{status:?}"));
        // Writes are posted: PCIe has no answer to them, so the command may well end as if nothing was wrong.
        let descriptor = Descriptor { host_out: address, ..Descriptor::default() };
        let status = rings.execute(Opcode::Identify, descriptor)?;
        let ended = matches!(status, Status::Success | Status::HostWriteFault);
        ensure!(ended, "a write to {what} ({address:#x}) ended with {status:?}");
    }
    ensure!(private.iter().all(|byte| *byte == 0xa5), "the card wrote to memory that is not mapped for it");
    ensure!(is_filled(&kept)?, "a mapped buffer that no command names was changed");
    let after = unsupported(&mut rings)?;
    ensure!(after > before, "the endpoint counted {before} refused reads before and {after} after");
    // The refusals cost the card nothing.
    rings.identify().context("after the refusals")?;
    told.dedup();
    Ok(format!("{} places refused ({}), memory unharmed, the card works on", places.len(), told.join(", ")))
}

/// Has the card load points from an address.
fn load(rings: &mut Rings, address: u64) -> Result<Status> {
    rings.execute(Opcode::LoadBases, Descriptor { count: POINTS, host_a: address, ..Descriptor::default() })
}

/// Reads that the endpoint saw refused.
fn unsupported(rings: &mut Rings) -> Result<u32> {
    Ok(LINK_UNSUPPORTED.get(rings.read(LINK_READ_FAULTS)?))
}

fn pattern(offset: usize) -> [u8; PAGE] {
    std::array::from_fn(|index| ((offset + index) as u32).wrapping_mul(0x9e37_79b1).to_le_bytes()[3])
}

fn fill(buffer: &mut DmaBuffer) -> Result<()> {
    for offset in (0..buffer.len()).step_by(PAGE) {
        buffer.write(offset, &pattern(offset))?;
    }
    Ok(())
}

fn is_filled(buffer: &DmaBuffer) -> Result<bool> {
    let mut page = [0; PAGE];
    for offset in (0..buffer.len()).step_by(PAGE) {
        buffer.read(offset, &mut page)?;
        if page != pattern(offset) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Where a page of this process is in the guest's memory: bits 54:0 of its entry are the page's number.
fn physical_address(page: *const u8) -> Result<u64> {
    let map = std::fs::File::open("/proc/self/pagemap").context("cannot open /proc/self/pagemap")?;
    let mut entry = [0; 8];
    let at = (page as usize / PAGE * entry.len()) as u64;
    map.read_exact_at(&mut entry, at).context("cannot read /proc/self/pagemap")?;
    let entry = u64::from_le_bytes(entry);
    let number = entry & ((1 << 55) - 1);
    ensure!(entry >> 63 == 1 && number != 0, "the page's entry is {entry:#x}");
    Ok(number * PAGE as u64)
}
