//! Giving a card to vfio-pci, and back.

use super::{VFIO_PCI, check_card, driver, folder};
use crate::address::PciAddress;
use crate::open_error::OpenError;
use crate::system::System;
use std::io;
use std::time::{Duration, Instant};

/// How long a driver may take to let a card go, or to take it. The kernel answers when it is done; some drivers are done
/// a little later.
const PATIENCE: Duration = Duration::from_secs(5);

/// Gives the card to vfio-pci, from whatever driver has it. Does nothing where vfio-pci has it already. Needs root.
///
/// The card's name for vfio-pci (`driver_override`) stays until [`unbind`], so that it is not given to another driver when
/// the bus is looked at again.
///
/// # Errors
/// [`OpenError::NoSuchCard`], [`OpenError::NotACard`]; [`OpenError::InUse`] when a process of this driver uses the card;
/// [`OpenError::PermissionDenied`]; [`OpenError::NotReleased`]; [`OpenError::BindFailed`].
pub fn bind(system: &System, address: PciAddress) -> Result<(), OpenError> {
    check_card(system, address)?;
    if driver(system, address).as_deref() == Some(VFIO_PCI) {
        return Ok(());
    }
    let _alone = system.lock(address)?;
    write(system, address, &format!("{}/driver_override", folder(address)), VFIO_PCI)?;
    release(system, address)?;
    write(system, address, "sys/bus/pci/drivers_probe", &address.to_string())?;
    match await_driver(system, address, |driver| driver == Some(VFIO_PCI)) {
        true => Ok(()),
        false => Err(OpenError::BindFailed { address, driver: driver(system, address), wanted: VFIO_PCI }),
    }
}

/// Takes the card from vfio-pci, and lets the kernel choose: its own driver for such cards, if it has one, else none.
/// Does nothing where vfio-pci does not have it. Needs root.
///
/// # Errors
/// As [`bind`]; [`OpenError::NotReleased`] when vfio-pci does not let go.
pub fn unbind(system: &System, address: PciAddress) -> Result<(), OpenError> {
    check_card(system, address)?;
    if driver(system, address).as_deref() != Some(VFIO_PCI) {
        return Ok(());
    }
    // vfio-pci would wait for its user to let go.
    let _alone = system.lock(address)?;
    write(system, address, &format!("{}/driver_override", folder(address)), "\n")?;
    release(system, address)?;
    write(system, address, "sys/bus/pci/drivers_probe", &address.to_string())
}

/// Takes the card from its driver.
fn release(system: &System, address: PciAddress) -> Result<(), OpenError> {
    if driver(system, address).is_none() {
        return Ok(());
    }
    write(system, address, &format!("{}/driver/unbind", folder(address)), &address.to_string())?;
    match await_driver(system, address, |driver| driver.is_none()) {
        true => Ok(()),
        false => Err(OpenError::NotReleased { address, driver: driver(system, address).unwrap_or_default() }),
    }
}

fn await_driver(system: &System, address: PciAddress, wanted: impl Fn(Option<&str>) -> bool) -> bool {
    let end = Instant::now() + PATIENCE;
    loop {
        if wanted(driver(system, address).as_deref()) {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn write(system: &System, address: PciAddress, below: &str, text: &str) -> Result<(), OpenError> {
    system.write(below, text).map_err(|source| match source.kind() {
        io::ErrorKind::PermissionDenied => {
            OpenError::PermissionDenied { path: system.path(below), subsystem: "pci" }
        }
        _ => OpenError::Io {
            action: format!("writing {} for card {address}", system.path(below).display()),
            source,
        },
    })
}
