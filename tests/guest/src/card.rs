//! The card on the guest's bus.

use anyhow::{Context, Result, ensure};
use spandrel_driver::{Card, CardOptions, PciAddress, System, VfioTransport, cards};
use std::path::PathBuf;

/// Where the one card of the guest sits.
pub fn address() -> Result<PciAddress> {
    let found = cards(&System::default());
    ensure!(found.len() == 1, "there are {} cards on the bus, and one was expected: {found:?}", found.len());
    Ok(found[0].address)
}

/// A file of the card's folder in sysfs.
pub fn sysfs(name: &str) -> Result<PathBuf> {
    Ok(PathBuf::from(format!("/sys/bus/pci/devices/{}", address()?)).join(name))
}

/// What a file of the card's folder in sysfs says.
pub fn sysfs_text(name: &str) -> Result<String> {
    let path = sysfs(name)?;
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(text.trim().to_owned())
}

/// The way to the card through VFIO.
pub fn transport() -> Result<VfioTransport> {
    VfioTransport::open(&System::default(), address()?).context("the card cannot be opened by VFIO")
}

/// The driver on the card, through VFIO.
pub fn open() -> Result<Card> {
    Card::open(Box::new(transport()?), CardOptions::default()).context("the driver refuses the card")
}

/// Hugepages that nobody uses.
pub fn free_hugepages() -> Result<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").context("cannot read /proc/meminfo")?;
    let line = text.lines().find_map(|line| line.strip_prefix("HugePages_Free:"));
    line.and_then(|count| count.trim().parse().ok()).context("/proc/meminfo does not tell the free hugepages")
}
