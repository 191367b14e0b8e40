//! The card is given to vfio-pci and opened behind the emulated IOMMU.

use crate::card::{address, sysfs, sysfs_text};
use anyhow::{Context, Result, ensure};
use spandrel_abi::{LINK_BUS_MASTER, LINK_MSIX_ENABLE, LINK_STATUS};
use spandrel_driver::{AccessWidth, Card, CardOptions, System, Transport, bind, unbind};

pub fn run() -> Result<String> {
    let (system, address) = (System::default(), address()?);
    let driver = || sysfs("driver").map(|path| std::fs::read_link(path).ok());
    // There and back and there: the way back must work too.
    bind(&system, address).context("the card cannot be bound")?;
    unbind(&system, address).context("the card cannot be unbound")?;
    ensure!(driver()?.is_none(), "an unbound card still has the driver {:?}", driver()?);
    bind(&system, address).context("the card cannot be bound again")?;
    let name = driver()?.context("a bound card has no driver")?;
    ensure!(name.ends_with("vfio-pci"), "the card's driver is {}", name.display());
    let group = std::fs::read_link(sysfs("iommu_group")?).context("the card is in no IOMMU group")?;
    let kind = sysfs_text("iommu_group/type")?;

    let mut transport = crate::card::transport()?;
    let link = transport.read_bar(LINK_STATUS.offset.into(), AccessWidth::Word)? as u32;
    ensure!(LINK_BUS_MASTER.get(link) == 1, "the card does not see bus mastering: LINK_STATUS is {link:#x}");
    ensure!(LINK_MSIX_ENABLE.get(link) == 1, "the card does not see MSI-X enabled: LINK_STATUS is {link:#x}");
    // Opening runs an Identify command, and compares what the card writes to memory with its registers.
    let mut card =
        Card::open(Box::new(transport), CardOptions::default()).context("the driver refuses the card")?;
    let identification = card.identify()?;
    Ok(format!(
        "IOMMU group {} ({kind}), interface {}.{}, {} KiB of card memory",
        group.file_name().unwrap_or_default().to_string_lossy(),
        identification.abi_major,
        identification.abi_minor,
        identification.card_memory_kib
    ))
}
