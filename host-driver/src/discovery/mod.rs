//! Cards on the PCI bus: which there are, whose they are, and how they are opened.

mod bind;
mod link;
mod users;

pub use bind::{bind, unbind};
pub use link::LinkSpeed;
pub(crate) use users::holder_of;

use crate::address::PciAddress;
use crate::open_error::OpenError;
use crate::sysfs::SysfsTransport;
use crate::system::System;
use crate::transport::Transport;
use crate::vfio::VfioTransport;
use spandrel_abi::{PCI_DEVICE, PCI_VENDOR};

/// The driver of the kernel that lets a process drive a card.
pub(crate) const VFIO_PCI: &str = "vfio-pci";

/// What leads the name of a card that is opened without an IOMMU.
const SYSFS_PREFIX: &str = "sysfs:";

/// A card on the bus.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundCard {
    /// Where it sits.
    pub address: PciAddress,
    /// The revision that its configuration space tells.
    pub revision: u8,
    /// The kernel's driver that it is bound to; [`open_pci`] needs `vfio-pci`.
    pub driver: Option<String>,
    /// Its IOMMU group; `None` where no IOMMU is switched on.
    pub iommu_group: Option<String>,
    /// The node of memory and processors that it is near to; `None` where the machine has one or does not say.
    pub numa_node: Option<u32>,
    /// The link as it is.
    pub link: LinkSpeed,
    /// The link as it could be, in this slot or in another.
    pub link_at_most: LinkSpeed,
    /// A process that uses it, as far as can be seen.
    pub used_by: Option<u32>,
}

/// All cards, by address.
pub fn cards(system: &System) -> Vec<FoundCard> {
    let addresses = system.names("sys/bus/pci/devices").into_iter().filter_map(|name| name.parse().ok());
    addresses.filter(|address| is_card(system, *address)).map(|address| look_at(system, address)).collect()
}

/// One card.
///
/// # Errors
/// [`OpenError::NoSuchCard`] and [`OpenError::NotACard`].
pub fn find_card(system: &System, address: PciAddress) -> Result<FoundCard, OpenError> {
    check_card(system, address)?;
    Ok(look_at(system, address))
}

/// Opens a card by its address (`0000:3b:00.0`), through VFIO; or, as `sysfs:0000:3b:00.0`, without an IOMMU.
///
/// By VFIO the card must be bound to vfio-pci ([`bind`]), and reaches only the buffers that it is given. By sysfs it must
/// be bound to no driver, the process must be root, and the card reaches **all** of the machine's memory: nothing but
/// the card's own design keeps it from writing to a wrong address, also after the process was killed. It is meant for a
/// machine of one's own without an IOMMU, and so has to be asked for by name.
///
/// ```no_run
/// use spandrel_driver::{Card, CardOptions, System, open_pci};
/// let transport = open_pci(&System::default(), "0000:3b:00.0")?;
/// let card = Card::open(transport, CardOptions::default())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// See [`VfioTransport::open`] and [`SysfsTransport::open`].
pub fn open_pci(system: &System, name: &str) -> Result<Box<dyn Transport>, OpenError> {
    Ok(match name.strip_prefix(SYSFS_PREFIX) {
        Some(address) => Box::new(SysfsTransport::open(system, address.parse()?)?),
        None => Box::new(VfioTransport::open(system, name.parse()?)?),
    })
}

/// Whether a name is one for [`open_pci`]: an address, or `sysfs:` and an address.
pub fn is_pci_name(name: &str) -> bool {
    name.strip_prefix(SYSFS_PREFIX).unwrap_or(name).parse::<PciAddress>().is_ok()
}

/// The folder of a device, below the system's root.
pub(crate) fn folder(address: PciAddress) -> String {
    format!("sys/bus/pci/devices/{address}")
}

fn is_card(system: &System, address: PciAddress) -> bool {
    check_card(system, address).is_ok()
}

/// Whether there is a card at the address.
pub(crate) fn check_card(system: &System, address: PciAddress) -> Result<(), OpenError> {
    let number = |name: &str| system.number(format!("{}/{name}", folder(address)));
    match (number("vendor"), number("device")) {
        (Some(vendor), Some(device))
            if vendor == u64::from(PCI_VENDOR) && device == u64::from(PCI_DEVICE) =>
        {
            Ok(())
        }
        (Some(vendor), Some(device)) => Err(OpenError::NotACard { address, vendor, device }),
        _ => Err(OpenError::NoSuchCard { address }),
    }
}

/// The kernel's driver of a device.
pub(crate) fn driver(system: &System, address: PciAddress) -> Option<String> {
    system.link_name(format!("{}/driver", folder(address)))
}

/// The group of a card that vfio-pci drives.
pub(crate) fn check_bound(system: &System, address: PciAddress) -> Result<String, OpenError> {
    if driver(system, address).as_deref() != Some(VFIO_PCI) {
        return Err(not_bound(system, address));
    }
    system.link_name(format!("{}/iommu_group", folder(address))).ok_or(OpenError::NoIommuGroup { address })
}

/// The error for a card that vfio-pci does not drive.
pub(crate) fn not_bound(system: &System, address: PciAddress) -> OpenError {
    OpenError::NotBound { address, driver: driver(system, address), wanted: VFIO_PCI }
}

/// The other devices of a group that the kernel itself drives.
pub(crate) fn in_the_way(system: &System, address: PciAddress, group: &str) -> Vec<(PciAddress, String)> {
    let names = system.names(format!("sys/kernel/iommu_groups/{group}/devices"));
    let others = names.iter().filter_map(|name| name.parse().ok()).filter(|other| *other != address);
    let drivers = others.filter_map(|other: PciAddress| Some((other, driver(system, other)?)));
    // Bridges' and placeholders' drivers do no harm.
    drivers.filter(|(_, driver)| !matches!(driver.as_str(), VFIO_PCI | "pci-stub" | "pcieport")).collect()
}

/// The process that uses a card, as far as can be seen.
pub(crate) fn user(system: &System, address: PciAddress) -> Option<u32> {
    let group = || system.link_name(format!("{}/iommu_group", folder(address)));
    system.lock_holder(address).or_else(|| holder_of(system, &crate::vfio::group_path(system, &group()?)))
}

fn look_at(system: &System, address: PciAddress) -> FoundCard {
    let at = |name: &str| format!("{}/{name}", folder(address));
    FoundCard {
        address,
        revision: system.number(at("revision")).unwrap_or(0) as u8,
        driver: driver(system, address),
        // -1 stands for none.
        numa_node: system.text(at("numa_node")).and_then(|text| text.parse().ok()),
        link: LinkSpeed::read(system, &at("current_link_speed"), &at("current_link_width")),
        link_at_most: LinkSpeed::read(system, &at("max_link_speed"), &at("max_link_width")),
        used_by: user(system, address),
        iommu_group: system.link_name(at("iommu_group")),
    }
}

#[cfg(test)]
mod tests;
