//! Cards behind Linux VFIO: the way to a real card, and to the one in a virtual machine.
//!
//! The card sits in an IOMMU group; the group is put into a container, which is the IOMMU's table of what the card may
//! reach. Buffers are mapped into that table and nothing else is, so that whatever the card does, it reaches no other
//! memory.
//!
//! # Opening
//! The card's lock; container and group, their checks, the IOMMU; the device; a reset, so that whatever an earlier user
//! left running has stopped; registers mapped; interrupts; and last of all the card's access to memory (bus mastering).
//!
//! # Closing
//! In this order: bus mastering off, so that nothing of the card's reaches memory from then on; interrupts off; a reset;
//! registers unmapped; the device closed. Buffers are unmapped from the IOMMU when they are dropped, before their memory
//! is given back, also when that is later. With the last of them the group leaves its container, both are closed, and the
//! lock is free. A process that is killed has the same done by the kernel.

mod container;
#[cfg(test)]
mod fake;
mod interrupts;
mod kernel;
#[cfg(test)]
mod laws;
mod linux;

use crate::address::PciAddress;
use crate::arena::Arena;
use crate::config::{COMMAND_BUS_MASTER, COMMAND_MEMORY, set_command};
use crate::discovery;
use crate::dma::DmaBuffer;
use crate::lock::CardLock;
use crate::mapped_bar::MappedBar;
use crate::open_error::OpenError;
use crate::system::System;
use crate::transport::{AccessWidth, ClockKind, Transport, TransportError};
use container::Container;
use interrupts::Interrupts;
use kernel::{Kernel, Region};
use spandrel_abi::{MSIX_TABLE_OFFSET, MSIX_VECTORS, REGISTER_BYTES};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use vfio_bindings::bindings::vfio::*;

/// A card behind VFIO.
///
/// Registers and the link's registers are accessed through a mapping of their pages; the MSI-X table and what else is not
/// mapped, through the kernel. DMA buffers come from hugepages of 2 MiB where there are any, and from ordinary pages
/// otherwise (with a warning, once). [`Transport::wait_interrupt`] sleeps in the kernel until the vector's message
/// arrives. [`Transport::reset`] is a function-level reset.
pub struct VfioTransport {
    address: PciAddress,
    kernel: Arc<dyn Kernel>,
    can_reset: bool,
    opened: Instant,
    bar: Region,
    config: Region,
    // Dropped in this order, after `drop` has silenced the card.
    mapped: Option<MappedBar>,
    interrupts: Interrupts,
    device: File,
    arena: Arena,
}

impl VfioTransport {
    /// Opens the card at `address`, which must be bound to vfio-pci. It is reset, and may access the buffers that
    /// [`Transport::allocate`] gives from now on, and nothing else.
    ///
    /// # Errors
    /// [`OpenError`], each with what to do: [`OpenError::NoSuchCard`], [`OpenError::NotACard`],
    /// [`OpenError::NotBound`], [`OpenError::NoIommuGroup`], [`OpenError::PermissionDenied`],
    /// [`OpenError::GroupNotViable`], [`OpenError::InUse`], and those of a system without VFIO.
    pub fn open(system: &System, address: PciAddress) -> Result<VfioTransport, OpenError> {
        discovery::check_card(system, address)?;
        let lock = system.lock(address)?;
        VfioTransport::open_with(Arc::new(linux::Linux), system, address, lock)
    }

    /// As [`VfioTransport::open`], with any kernel and a lock taken before.
    fn open_with(
        kernel: Arc<dyn Kernel>,
        system: &System,
        address: PciAddress,
        lock: CardLock,
    ) -> Result<VfioTransport, OpenError> {
        let group = discovery::check_bound(system, address)?;
        let (container, device) = Container::open(kernel.clone(), system, address, &group, lock)?;
        let io =
            |action: &str, source| OpenError::Io { action: format!("{action} of card {address}"), source };
        let incomplete = |what: String| Err(OpenError::Incomplete { address, what });

        let flags = kernel.device_flags(&device).map_err(|error| io("asking what the device is", error))?;
        let region =
            |index| kernel.region(&device, index).map_err(|error| io("asking for the regions", error));
        let bar = region(VFIO_PCI_BAR0_REGION_INDEX)?;
        let config = region(VFIO_PCI_CONFIG_REGION_INDEX)?;
        if flags & VFIO_DEVICE_FLAGS_PCI == 0 || config.bytes < 256 {
            return incomplete("PCI configuration space".into());
        }
        if bar.bytes < REGISTER_BYTES.into() {
            return incomplete(format!(
                "BAR 0 of {REGISTER_BYTES} bytes of registers ({} bytes are there)",
                bar.bytes
            ));
        }
        let vectors = kernel
            .vectors(&device, VFIO_PCI_MSIX_IRQ_INDEX)
            .map_err(|error| io("asking for the interrupts", error))?;
        let vectors = vectors.min(MSIX_VECTORS.into());
        if vectors == 0 {
            tracing::warn!(card = %address, "the card has no MSI-X vectors; it is polled");
        }
        let interrupts =
            Interrupts::new(vectors).map_err(|error| io("making events for the interrupts", error))?;
        let mut transport = VfioTransport {
            address,
            kernel,
            can_reset: flags & VFIO_DEVICE_FLAGS_RESET != 0,
            opened: Instant::now(),
            bar,
            config,
            mapped: None,
            interrupts,
            device,
            arena: Arena::new(container),
        };
        // From here on, an error silences the card again.
        set_command(&mut transport, COMMAND_MEMORY, COMMAND_BUS_MASTER)?;
        if transport.can_reset {
            transport.function_reset()?;
            set_command(&mut transport, COMMAND_MEMORY, COMMAND_BUS_MASTER)?;
        }
        transport.map_registers()?;
        if vectors != 0 {
            let events = transport.interrupts.descriptors();
            let set = transport.kernel.set_interrupts(&transport.device, VFIO_PCI_MSIX_IRQ_INDEX, &events);
            set.map_err(|error| io("switching on the interrupts", error))?;
        }
        set_command(&mut transport, COMMAND_MEMORY | COMMAND_BUS_MASTER, 0)?;
        tracing::debug!(card = %address, %group, vectors, mapped = transport.mapped.is_some(), "card opened");
        Ok(transport)
    }

    /// The card's address.
    pub fn address(&self) -> PciAddress {
        self.address
    }

    /// Maps the pages of the registers, as far as the kernel allows.
    fn map_registers(&mut self) -> Result<(), OpenError> {
        let first = self.bar.mappable.iter().find(|range| range.start == 0);
        let bytes = first.map_or(0, |range| range.end.min(self.bar.bytes).min(MSIX_TABLE_OFFSET.into()));
        let bytes = bytes as usize / crate::dma::DMA_ALIGNMENT * crate::dma::DMA_ALIGNMENT;
        if bytes == 0 {
            tracing::warn!(card = %self.address, "registers cannot be mapped; each access is a system call");
            return Ok(());
        }
        let mapped = MappedBar::new(&self.device, self.bar.offset, bytes);
        let failed = |source| OpenError::Io {
            action: format!("mapping the registers of card {}", self.address),
            source,
        };
        self.mapped = Some(mapped.map_err(failed)?);
        Ok(())
    }

    fn function_reset(&mut self) -> Result<(), TransportError> {
        if !self.can_reset {
            return Err(TransportError::Other(format!(
                "card {} has no reset of its own function: power-cycle it, or load its bitstream again",
                self.address
            )));
        }
        self.kernel.reset(&self.device).map_err(|source| self.io("resetting", source))
    }

    fn io(&self, action: &str, source: io::Error) -> TransportError {
        TransportError::Io { action: format!("{action} card {}", self.address), source }
    }

    /// The place of an access in the device's file.
    fn place(&self, region: &Region, offset: u64, width: AccessWidth) -> Result<u64, TransportError> {
        let inside = offset.checked_add(width.bytes()).is_some_and(|end| end <= region.bytes);
        match inside && offset.is_multiple_of(width.bytes()) {
            true => Ok(region.offset + offset),
            false => Err(TransportError::BadAccess { offset, width, bar_bytes: region.bytes }),
        }
    }

    /// Reads through the kernel.
    fn read_file(&self, at: u64, width: AccessWidth) -> io::Result<u64> {
        let mut bytes = [0; 8];
        self.device.read_exact_at(&mut bytes[..width.bytes() as usize], at)?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// Writes through the kernel.
    fn write_file(&self, at: u64, width: AccessWidth, value: u64) -> io::Result<()> {
        self.device.write_all_at(&value.to_le_bytes()[..width.bytes() as usize], at)
    }
}

impl Transport for VfioTransport {
    fn describe(&self) -> String {
        format!("card {}", self.address)
    }

    fn read_bar(&mut self, offset: u64, width: AccessWidth) -> Result<u64, TransportError> {
        let at = self.place(&self.bar, offset, width)?;
        match self.mapped.as_ref().and_then(|mapped| mapped.read(offset, width)) {
            Some(value) => Ok(value),
            None => self.read_file(at, width).map_err(|source| self.io("reading a register of", source)),
        }
    }

    fn write_bar(&mut self, offset: u64, width: AccessWidth, value: u64) -> Result<(), TransportError> {
        let at = self.place(&self.bar, offset, width)?;
        match self.mapped.as_ref().and_then(|mapped| mapped.write(offset, width, value)) {
            Some(()) => Ok(()),
            None => {
                self.write_file(at, width, value).map_err(|source| self.io("writing a register of", source))
            }
        }
    }

    fn allocate(&mut self, bytes: usize) -> Result<DmaBuffer, TransportError> {
        self.arena.allocate(bytes)
    }

    fn wait_interrupt(&mut self, vector: u16, timeout: Duration) -> Result<bool, TransportError> {
        if vector >= MSIX_VECTORS {
            return Err(TransportError::NoSuchVector { vector });
        }
        self.interrupts.wait(vector, timeout)
    }

    fn now(&self) -> Duration {
        self.opened.elapsed()
    }

    fn clock(&self) -> ClockKind {
        ClockKind::Wall
    }

    fn read_config(&mut self, offset: u16, width: AccessWidth) -> Result<u32, TransportError> {
        let at = self.place(&self.config, offset.into(), width)?;
        let value =
            self.read_file(at, width).map_err(|source| self.io("reading the configuration of", source))?;
        Ok(value as u32)
    }

    fn write_config(&mut self, offset: u16, width: AccessWidth, value: u32) -> Result<(), TransportError> {
        let at = self.place(&self.config, offset.into(), width)?;
        let written = self.write_file(at, width, value.into());
        written.map_err(|source| self.io("writing the configuration of", source))
    }

    /// A function-level reset. The kernel keeps interrupts and the mappings of memory; the card's access to memory is
    /// switched on again afterwards.
    fn reset(&mut self) -> Result<(), TransportError> {
        set_command(self, 0, COMMAND_BUS_MASTER)?;
        self.function_reset()?;
        self.interrupts.clear();
        set_command(self, COMMAND_MEMORY | COMMAND_BUS_MASTER, 0)
    }

    /// Always succeeds: what is not mapped is out of the card's reach, and buffers are unmapped when they are dropped.
    fn cut_off(&mut self) -> Result<(), TransportError> {
        if let Err(error) = set_command(self, 0, COMMAND_BUS_MASTER) {
            tracing::warn!(card = %self.address, %error, "bus mastering could not be switched off");
        }
        Ok(())
    }
}

impl Drop for VfioTransport {
    /// Silences the card; see the module's documentation for the order.
    fn drop(&mut self) {
        let silenced = set_command(self, 0, COMMAND_BUS_MASTER);
        let quiet = self.kernel.set_interrupts(&self.device, VFIO_PCI_MSIX_IRQ_INDEX, &[]);
        let reset = if self.can_reset { self.function_reset() } else { Ok(()) };
        let quiet = quiet.map_err(|source| self.io("switching off the interrupts of", source));
        for error in [silenced.err(), quiet.err(), reset.err()].into_iter().flatten() {
            tracing::warn!(card = %self.address, %error, "closing the card");
        }
    }
}

/// Where the pieces of VFIO are, for messages and other parts of the driver.
pub(crate) fn group_path(system: &System, group: &str) -> std::path::PathBuf {
    system.path(Path::new("dev/vfio").join(group))
}
