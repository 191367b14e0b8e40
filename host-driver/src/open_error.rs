//! Why a card on the bus cannot be opened, and what to do about it.

use crate::address::{BadPciAddress, PciAddress};
use crate::lock::LockError;
use crate::transport::TransportError;
use spandrel_abi::{PCI_DEVICE, PCI_VENDOR};
use std::io;
use std::path::PathBuf;

/// Why a card on the bus cannot be opened, bound or unbound.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// No address.
    #[error(transparent)]
    Address(#[from] BadPciAddress),

    /// Nothing is at the address.
    #[error(
        "there is no PCI device {address}: `spandrel card list` shows the cards; one that should be there may be without \
         power or bitstream, or found by `echo 1 > /sys/bus/pci/rescan` (as root)"
    )]
    NoSuchCard {
        /// The address.
        address: PciAddress,
    },

    /// Something else is at the address.
    #[error(
        "PCI device {address} is {vendor:04x}:{device:04x}, and a Spandrel card is {PCI_VENDOR:04x}:{PCI_DEVICE:04x}: \
         `spandrel card list` shows the cards"
    )]
    NotACard {
        /// The address.
        address: PciAddress,
        /// Its vendor.
        vendor: u64,
        /// Its device.
        device: u64,
    },

    /// Another driver, or none, is in charge of the card.
    #[error(
        "card {address} is bound to {}, not to {wanted}: run `spandrel card bind {address}` (as root)",
        driver_text(driver)
    )]
    NotBound {
        /// The card.
        address: PciAddress,
        /// Its driver.
        driver: Option<String>,
        /// The driver that it needs.
        wanted: &'static str,
    },

    /// The card is bound to a driver that would be disturbed.
    #[error(
        "card {address} is bound to {driver}, which the way by sysfs would disturb: open it as {address}, or run \
         `spandrel card unbind {address}` (as root) first"
    )]
    Bound {
        /// The card.
        address: PciAddress,
        /// Its driver.
        driver: String,
    },

    /// The kernel did not hand the card over.
    #[error(
        "card {address} is bound to {} after it was given to {wanted}: is the module loaded (`modprobe {wanted}`), and \
         does `dmesg` say more?",
        driver_text(driver)
    )]
    BindFailed {
        /// The card.
        address: PciAddress,
        /// Its driver.
        driver: Option<String>,
        /// The driver that it was given to.
        wanted: &'static str,
    },

    /// A driver of the kernel keeps the card.
    #[error(
        "the driver {driver} does not let go of card {address}: end what uses the card; `dmesg` may say more"
    )]
    NotReleased {
        /// The card.
        address: PciAddress,
        /// The driver.
        driver: String,
    },

    /// No IOMMU stands between the card and memory.
    #[error(
        "card {address} is in no IOMMU group: switch the IOMMU on (VT-d or AMD-Vi in the firmware, `intel_iommu=on` on \
         the kernel's command line), or give sysfs:{address}, by which the card reaches all of memory"
    )]
    NoIommuGroup {
        /// The card.
        address: PciAddress,
    },

    /// VFIO is not there.
    #[error("{} is not there: load the kernel's module with `modprobe vfio-pci` (as root)", path.display())]
    NoVfio {
        /// The file.
        path: PathBuf,
    },

    /// The kernel speaks another VFIO.
    #[error("the kernel has VFIO of version {found}, not 0: another driver, or another kernel, is needed")]
    ApiVersion {
        /// The kernel's version.
        found: u32,
    },

    /// The IOMMU is of another kind.
    #[error(
        "the kernel has no IOMMU of type 1 version 2 for VFIO: load the module with `modprobe vfio_iommu_type1` (as root)"
    )]
    NoIommu,

    /// Not allowed.
    #[error(
        "permission denied on {}: run as root, or give yourself the file with `chown $USER {}` (as root); for good, with a \
         udev rule such as SUBSYSTEM==\"{subsystem}\", GROUP=\"spandrel\", MODE=\"0660\"",
        path.display(), path.display()
    )]
    PermissionDenied {
        /// The file.
        path: PathBuf,
        /// Its subsystem as udev names it.
        subsystem: &'static str,
    },

    /// Other devices of the group belong to the kernel.
    #[error(
        "IOMMU group {group} of card {address} also holds {}: the group can be used when all of its devices are bound to \
         vfio-pci or to no driver, or when the card sits in a slot with a group of its own",
        others_text(others)
    )]
    GroupNotViable {
        /// The card.
        address: PciAddress,
        /// Its group.
        group: String,
        /// The other devices that are in the way, with their drivers.
        others: Vec<(PciAddress, String)>,
    },

    /// Another process has the card.
    #[error("card {card} is in use{}: end that process first", pid.map_or(String::new(), |pid| format!(" by process {pid}")))]
    InUse {
        /// The card.
        card: String,
        /// The process, where it can be found out.
        pid: Option<u32>,
    },

    /// The kernel keeps the registers of a card in use to its user.
    #[error(
        "the kernel does not let the registers of card {address} be read beside its user{}: this kernel guards them \
         (CONFIG_IO_STRICT_DEVMEM); watch the card from the process that uses it, or when it has ended",
        pid.map_or(String::new(), |pid| format!(", process {pid}"))
    )]
    Guarded {
        /// The card.
        address: PciAddress,
        /// Its user, where it can be found out.
        pid: Option<u32>,
    },

    /// The card lacks what every Spandrel card has.
    #[error("card {address} has no {what}: its bitstream is damaged, or of another design")]
    Incomplete {
        /// The card.
        address: PciAddress,
        /// What is missing.
        what: String,
    },

    /// The lock that keeps a card to one process.
    #[error(transparent)]
    Lock(LockError),

    /// The way to the card does not work.
    #[error(transparent)]
    Transport(#[from] TransportError),

    /// The operating system refused a call.
    #[error("{action}: {source}")]
    Io {
        /// What was being done.
        action: String,
        /// The system's answer.
        source: io::Error,
    },
}

impl From<LockError> for OpenError {
    fn from(error: LockError) -> OpenError {
        match error {
            LockError::Held { card, pid, .. } => OpenError::InUse { card, pid },
            error => OpenError::Lock(error),
        }
    }
}

fn driver_text(driver: &Option<String>) -> String {
    driver.as_ref().map_or("no driver".into(), |driver| format!("the driver {driver}"))
}

fn others_text(others: &[(PciAddress, String)]) -> String {
    let texts: Vec<_> =
        others.iter().map(|(address, driver)| format!("{address} (driver {driver})")).collect();
    match texts.is_empty() {
        true => "devices that the kernel uses".into(),
        false => texts.join(", "),
    }
}
