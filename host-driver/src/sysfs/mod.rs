//! Cards by sysfs alone, for machines without an IOMMU: registers through `resource0`, polling instead of interrupts,
//! memory by physical addresses.
//!
//! **Nothing keeps such a card from the rest of memory.** A process that is killed leaves it running, and it may still
//! write to pages that have other owners by then; the next to open it resets it before it lets it at memory. So this way
//! is never chosen by itself: it has to be asked for as `sysfs:0000:3b:00.0`.

mod beside;
mod pagemap;

pub(crate) use beside::Beside;

use crate::address::PciAddress;
use crate::arena::{Arena, Mapper};
use crate::config::{COMMAND_BUS_MASTER, COMMAND_MEMORY, set_command};
use crate::discovery;
use crate::dma::DmaBuffer;
use crate::lock::CardLock;
use crate::mapped_bar::MappedBar;
use crate::open_error::OpenError;
use crate::pages::HUGEPAGE_BYTES;
use crate::system::System;
use crate::transport::{AccessWidth, ClockKind, Transport, TransportError};
use spandrel_abi::{
    BAR0_BYTES, COMPLETION_VECTOR, FAULT_VECTOR, INTERRUPT_COMPLETION, INTERRUPT_ENABLE, INTERRUPT_FAULT,
    INTERRUPT_STATUS, REGISTER_BYTES, Register,
};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Bytes of the configuration space.
const CONFIG_BYTES: u64 = 4096;

/// The first pause between two looks at the card's interrupt causes, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_micros(20), Duration::from_millis(1));

/// A card by sysfs.
///
/// A buffer is at most a hugepage (2 MiB) long. [`Transport::wait_interrupt`] polls the card's interrupt causes.
pub struct SysfsTransport {
    address: PciAddress,
    system: System,
    opened: Instant,
    bar: MappedBar,
    bar_bytes: u64,
    config: File,
    arena: Arena,
    /// Dropped last.
    _lock: CardLock,
}

impl SysfsTransport {
    /// Opens the card at `address`, which must be bound to no driver. It is reset, and may access **all** memory from now
    /// on.
    ///
    /// # Errors
    /// [`OpenError::NoSuchCard`], [`OpenError::NotACard`], [`OpenError::Bound`], [`OpenError::PermissionDenied`],
    /// [`OpenError::InUse`], [`OpenError::Incomplete`].
    pub fn open(system: &System, address: PciAddress) -> Result<SysfsTransport, OpenError> {
        discovery::check_card(system, address)?;
        let lock = system.lock(address)?;
        SysfsTransport::open_with(system, address, lock, Arc::new(pagemap::Pagemap::new(system)))
    }

    fn open_with(
        system: &System,
        address: PciAddress,
        lock: CardLock,
        memory: Arc<dyn Mapper>,
    ) -> Result<SysfsTransport, OpenError> {
        if let Some(driver) = discovery::driver(system, address).filter(|driver| driver != "uio_pci_generic")
        {
            return Err(OpenError::Bound { address, driver });
        }
        let path = |name: &str| system.path(format!("{}/{name}", discovery::folder(address)));
        let failed = |name: &str, source: io::Error| match source.kind() {
            io::ErrorKind::PermissionDenied => {
                OpenError::PermissionDenied { path: path(name), subsystem: "pci" }
            }
            _ => OpenError::Io { action: format!("opening {}", path(name).display()), source },
        };
        let open = |name: &str| {
            let file = File::options().read(true).write(true).open(path(name));
            file.map_err(|source| failed(name, source))
        };
        system
            .write(format!("{}/enable", discovery::folder(address)), "1")
            .map_err(|source| failed("enable", source))?;
        let config = open("config")?;
        let resource = open("resource0")?;
        let bar_bytes = resource.metadata().map_err(|source| failed("resource0", source))?.len();
        if bar_bytes < REGISTER_BYTES.into() {
            let what = format!("BAR 0 of {REGISTER_BYTES} bytes of registers ({bar_bytes} bytes are there)");
            return Err(OpenError::Incomplete { address, what });
        }
        let bar_bytes = bar_bytes.min(BAR0_BYTES.into());
        let bar =
            MappedBar::new(&resource, 0, bar_bytes as usize).map_err(|source| failed("resource0", source))?;
        let mut transport = SysfsTransport {
            address,
            system: system.clone(),
            opened: Instant::now(),
            bar,
            bar_bytes,
            config,
            arena: Arena::new(memory),
            _lock: lock,
        };
        // From here on, an error silences the card again. What an earlier user left running must not reach memory.
        set_command(&mut transport, COMMAND_MEMORY, COMMAND_BUS_MASTER)?;
        transport.function_reset()?;
        set_command(&mut transport, COMMAND_MEMORY | COMMAND_BUS_MASTER, 0)?;
        tracing::warn!(card = %address, "the card is used without an IOMMU: it can reach all of this machine's memory");
        Ok(transport)
    }

    fn function_reset(&mut self) -> Result<(), TransportError> {
        let reset = format!("{}/reset", discovery::folder(self.address));
        self.system.write(&reset, "1").map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => TransportError::Other(format!(
                "card {} has no reset of its own function: power-cycle it, or load its bitstream again",
                self.address
            )),
            _ => self.io("resetting", source),
        })
    }

    fn io(&self, action: &str, source: io::Error) -> TransportError {
        TransportError::Io { action: format!("{action} card {}", self.address), source }
    }

    fn register(&mut self, register: Register) -> Result<u32, TransportError> {
        Ok(self.read_bar(register.offset.into(), AccessWidth::Word)? as u32)
    }

    fn outside(&self, offset: u64, width: AccessWidth) -> TransportError {
        TransportError::BadAccess { offset, width, bar_bytes: self.bar_bytes }
    }

    fn check_config(&self, offset: u16, width: AccessWidth) -> Result<(), TransportError> {
        let inside = u64::from(offset) + width.bytes() <= CONFIG_BYTES && width != AccessWidth::Double;
        match inside && u64::from(offset).is_multiple_of(width.bytes()) {
            true => Ok(()),
            false => Err(TransportError::BadAccess { offset: offset.into(), width, bar_bytes: CONFIG_BYTES }),
        }
    }
}

impl Transport for SysfsTransport {
    fn describe(&self) -> String {
        format!("card {} by sysfs", self.address)
    }

    fn read_bar(&mut self, offset: u64, width: AccessWidth) -> Result<u64, TransportError> {
        self.bar.read(offset, width).ok_or_else(|| self.outside(offset, width))
    }

    fn write_bar(&mut self, offset: u64, width: AccessWidth, value: u64) -> Result<(), TransportError> {
        self.bar.write(offset, width, value).ok_or_else(|| self.outside(offset, width))
    }

    fn allocate(&mut self, bytes: usize) -> Result<DmaBuffer, TransportError> {
        self.arena.allocate(bytes)
    }

    /// Looks at the card's interrupt causes, at first often, then every millisecond. A card that is gone reads all ones
    /// and so counts as raised: whoever waits looks at the card next, and sees that.
    fn wait_interrupt(&mut self, vector: u16, timeout: Duration) -> Result<bool, TransportError> {
        let cause = match vector {
            COMPLETION_VECTOR => INTERRUPT_COMPLETION,
            FAULT_VECTOR => INTERRUPT_FAULT,
            _ => return Err(TransportError::NoSuchVector { vector }),
        };
        let started = Instant::now();
        let mut pause = PAUSES.0;
        loop {
            if self.register(INTERRUPT_STATUS)? & self.register(INTERRUPT_ENABLE)? & cause.mask() != 0 {
                return Ok(true);
            }
            let left = timeout.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Ok(false);
            }
            std::thread::sleep(pause.min(left));
            pause = (2 * pause).min(PAUSES.1);
        }
    }

    fn now(&self) -> Duration {
        self.opened.elapsed()
    }

    fn clock(&self) -> ClockKind {
        ClockKind::Wall
    }

    fn read_config(&mut self, offset: u16, width: AccessWidth) -> Result<u32, TransportError> {
        self.check_config(offset, width)?;
        let mut bytes = [0; 4];
        let read = self.config.read_exact_at(&mut bytes[..width.bytes() as usize], offset.into());
        read.map_err(|source| self.io("reading the configuration of", source))?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn write_config(&mut self, offset: u16, width: AccessWidth, value: u32) -> Result<(), TransportError> {
        self.check_config(offset, width)?;
        let written = self.config.write_all_at(&value.to_le_bytes()[..width.bytes() as usize], offset.into());
        written.map_err(|source| self.io("writing the configuration of", source))
    }

    fn reset(&mut self) -> Result<(), TransportError> {
        set_command(self, 0, COMMAND_BUS_MASTER)?;
        self.function_reset()?;
        set_command(self, COMMAND_MEMORY | COMMAND_BUS_MASTER, 0)
    }

    fn largest_buffer(&self) -> Option<usize> {
        Some(HUGEPAGE_BYTES)
    }

    /// Switches bus mastering off, which succeeds where the card's own configuration space says so.
    fn cut_off(&mut self) -> Result<(), TransportError> {
        set_command(self, 0, COMMAND_BUS_MASTER)
    }
}

impl Drop for SysfsTransport {
    /// Silences the card: first its access to memory, then what it does.
    fn drop(&mut self) {
        let silenced = set_command(self, 0, COMMAND_BUS_MASTER);
        let reset = self.function_reset();
        let disabled = self.system.write(format!("{}/enable", discovery::folder(self.address)), "0");
        let disabled = disabled.map_err(|source| self.io("disabling", source));
        for error in [silenced.err(), reset.err(), disabled.err()].into_iter().flatten() {
            tracing::warn!(card = %self.address, %error, "closing the card");
        }
    }
}

#[cfg(test)]
mod tests;
