//! A card's registers for reading, beside whoever drives it.

use crate::address::PciAddress;
use crate::discovery;
use crate::dma::DmaBuffer;
use crate::mapped_bar::MappedBar;
use crate::open_error::OpenError;
use crate::system::System;
use crate::transport::{AccessWidth, ClockKind, Transport, TransportError};
use spandrel_abi::MSIX_TABLE_OFFSET;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

/// Registers and configuration space of a card, neither of which can be written through it.
pub(crate) struct Beside {
    address: PciAddress,
    opened: Instant,
    bar: MappedBar,
    bar_bytes: u64,
    config: File,
}

impl Beside {
    /// Maps the registers.
    pub(crate) fn open(system: &System, address: PciAddress) -> Result<Beside, OpenError> {
        let path = |name: &str| system.path(format!("{}/{name}", discovery::folder(address)));
        let failed = |name: &str, source: io::Error| match source.kind() {
            io::ErrorKind::PermissionDenied => {
                OpenError::PermissionDenied { path: path(name), subsystem: "pci" }
            }
            _ => OpenError::Io { action: format!("opening {}", path(name).display()), source },
        };
        let config = File::open(path("config")).map_err(|source| failed("config", source))?;
        let resource = File::open(path("resource0")).map_err(|source| failed("resource0", source))?;
        let bytes = resource.metadata().map_err(|source| failed("resource0", source))?.len();
        let bar_bytes = bytes.min(MSIX_TABLE_OFFSET.into());
        let bar =
            MappedBar::read_only(&resource, bar_bytes as usize).map_err(|source| match source.kind() {
                // What a kernel that guards a driver's registers answers.
                io::ErrorKind::InvalidInput | io::ErrorKind::PermissionDenied => {
                    OpenError::Guarded { address, pid: discovery::user(system, address) }
                }
                _ => failed("resource0", source),
            })?;
        Ok(Beside { address, opened: Instant::now(), bar, bar_bytes, config })
    }

    fn unsupported(&self, what: &'static str) -> TransportError {
        TransportError::Unsupported { card: self.describe(), what }
    }
}

impl Transport for Beside {
    fn describe(&self) -> String {
        format!("card {}, which is only looked at,", self.address)
    }

    fn read_bar(&mut self, offset: u64, width: AccessWidth) -> Result<u64, TransportError> {
        let outside = || TransportError::BadAccess { offset, width, bar_bytes: self.bar_bytes };
        self.bar.read(offset, width).ok_or_else(outside)
    }

    fn write_bar(&mut self, _: u64, _: AccessWidth, _: u64) -> Result<(), TransportError> {
        Err(self.unsupported("way to be written to"))
    }

    fn allocate(&mut self, _: usize) -> Result<DmaBuffer, TransportError> {
        Err(self.unsupported("memory of the host"))
    }

    fn wait_interrupt(&mut self, _: u16, _: Duration) -> Result<bool, TransportError> {
        Err(self.unsupported("interrupts"))
    }

    fn now(&self) -> Duration {
        self.opened.elapsed()
    }

    fn clock(&self) -> ClockKind {
        ClockKind::Wall
    }

    fn read_config(&mut self, offset: u16, width: AccessWidth) -> Result<u32, TransportError> {
        let mut bytes = [0; 4];
        let Some(part) = bytes.get_mut(..width.bytes() as usize) else {
            return Err(TransportError::BadAccess { offset: offset.into(), width, bar_bytes: 4096 });
        };
        let read = self.config.read_exact_at(part, offset.into());
        let action = || format!("reading the configuration of card {}", self.address);
        read.map_err(|source| TransportError::Io { action: action(), source })?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn reset(&mut self) -> Result<(), TransportError> {
        Err(self.unsupported("way to be reset"))
    }
}
