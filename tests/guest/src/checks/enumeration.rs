//! Linux finds the card and reads its configuration space rightly.

use crate::card::{sysfs, sysfs_text};
use anyhow::{Context, Result, ensure};
use spandrel_abi::{
    BAR0_BYTES, MSIX_PBA_OFFSET, MSIX_TABLE_OFFSET, MSIX_VECTORS, PCI_CLASS, PCI_DEVICE, PCI_VENDOR,
};

/// Capabilities by number.
const PCI_EXPRESS: u8 = 0x10;
const MSI_X: u8 = 0x11;
/// What the kernel notes of a BAR: memory, and what ours is not.
const MEMORY: u64 = 0x200;
const PREFETCHABLE: u64 = 0x2000;
const WIDE: u64 = 0x10_0000;

pub fn run() -> Result<String> {
    for (name, wanted) in [
        ("vendor", u64::from(PCI_VENDOR)),
        ("device", u64::from(PCI_DEVICE)),
        ("subsystem_vendor", u64::from(PCI_VENDOR)),
        ("subsystem_device", u64::from(PCI_DEVICE)),
        ("class", u64::from(PCI_CLASS)),
        ("revision", 1),
    ] {
        let found = number(&sysfs_text(name)?)?;
        ensure!(found == wanted, "{name} is {found:#x}, not {wanted:#x}");
    }
    let bars = sysfs_text("resource")?;
    for (index, line) in bars.lines().take(6).enumerate() {
        let words = line.split_whitespace().map(number).collect::<Result<Vec<_>>>()?;
        let [start, end, flags] = words[..] else { anyhow::bail!("resource has the line {line}") };
        if index == 0 {
            let bytes = end - start + 1;
            ensure!(bytes == u64::from(BAR0_BYTES), "BAR 0 has {bytes} bytes, not {BAR0_BYTES}");
            ensure!(start != 0 && start.is_multiple_of(bytes), "BAR 0 is at {start:#x}");
            let plain = flags & MEMORY != 0 && flags & (PREFETCHABLE | WIDE) == 0;
            ensure!(plain, "BAR 0 has flags {flags:#x}, not those of 32-bit memory without prefetching");
        } else {
            ensure!(flags == 0, "there is a BAR {index}: {line}");
        }
    }
    let path = sysfs("config")?;
    let config = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(config.len() == 4096, "configuration space has {} bytes, not 4096", config.len());

    let msix = capability(&config, MSI_X)?;
    let vectors = half(&config, msix + 2) & 0x7ff;
    ensure!(vectors + 1 == MSIX_VECTORS, "MSI-X has {} vectors, not {MSIX_VECTORS}", vectors + 1);
    for (what, at, wanted) in
        [("table", msix + 4, MSIX_TABLE_OFFSET), ("pending bits", msix + 8, MSIX_PBA_OFFSET)]
    {
        let found = word(&config, at);
        // The low three bits name the BAR, which is 0.
        ensure!(found == wanted, "the MSI-X {what} are said to be at {found:#x}, not {wanted:#x}");
    }
    let express = capability(&config, PCI_EXPRESS)?;
    let kind = half(&config, express + 2) >> 4 & 0xf;
    ensure!(kind == 0, "the function is of type {kind}, not an endpoint");
    ensure!(word(&config, express + 4) >> 28 & 1 == 1, "the function has no function-level reset");
    let functions = std::fs::read_dir("/sys/bus/pci/devices").context("cannot list the bus")?.count();
    Ok(format!(
        "{:04x}:{:04x} at {}, BAR 0 of {BAR0_BYTES} bytes, {MSIX_VECTORS} MSI-X vectors, {functions} functions on the bus",
        PCI_VENDOR,
        PCI_DEVICE,
        crate::card::address()?
    ))
}

/// Where a capability is, by the list of them.
fn capability(config: &[u8], wanted: u8) -> Result<usize> {
    ensure!(half(config, 6) & 0x10 != 0, "the function has no capabilities");
    let mut at = usize::from(config[0x34] & 0xfc);
    // The first 256 bytes have room for so many; more is a circle.
    for _ in 0..48 {
        ensure!(at >= 0x40, "the function has no capability {wanted:#x}");
        if config[at] == wanted {
            return Ok(at);
        }
        at = usize::from(config[at + 1] & 0xfc);
    }
    anyhow::bail!("the list of capabilities does not end")
}

fn half(config: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([config[at], config[at + 1]])
}

fn word(config: &[u8], at: usize) -> u32 {
    u32::from(half(config, at)) | u32::from(half(config, at + 2)) << 16
}

fn number(text: &str) -> Result<u64> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    u64::from_str_radix(digits, 16).with_context(|| format!("{text} is no number"))
}
