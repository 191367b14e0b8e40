//! The driver without an IOMMU: polling, and buffers by their physical addresses.

use crate::card::address;
use crate::points::Example;
use anyhow::{Context, Result, ensure};
use spandrel_driver::{Card, CardOptions, SysfsTransport, System};

pub fn run() -> Result<String> {
    let huge = crate::card::free_hugepages()?;
    ensure!(huge > 0, "the guest has no hugepages, which buffers in one piece come from");
    let transport =
        SysfsTransport::open(&System::default(), address()?).context("the card cannot be opened")?;
    let mut card =
        Card::open(Box::new(transport), CardOptions::default()).context("the driver refuses the card")?;
    let cycles = Example::new(64, 1).check(&mut card)?;
    drop(card);
    let left = crate::card::free_hugepages()?;
    ensure!(left == huge, "{huge} hugepages were free before, and {left} are now");
    Ok(format!("an MSM of 64 points equals arkworks' ({cycles} cycles)"))
}
