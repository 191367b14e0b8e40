//! What is served: a PCI function that is simulated.

use crate::memory::Memory;
use crate::{PcieSim, SimError};
use spandrel_driver::AccessWidth;

/// A simulated PCI function: advances only inside its methods.
pub trait PcieFunction {
    /// Reads 1, 2 or 4 bytes (aligned) of the 4 KiB of configuration space.
    fn config_read(&mut self, offset: u16, bytes: u8) -> u32;

    /// Writes 1, 2 or 4 bytes (aligned) of the configuration space; a function-level reset begins with bit 15 of Device
    /// Control.
    fn config_write(&mut self, offset: u16, bytes: u8, value: u32);

    /// Reads BAR 0. `offset` is aligned and inside.
    ///
    /// # Errors
    /// [`SimError::NoAnswer`] and [`SimError::BusError`] for this access alone; after any other the function is of no more
    /// use.
    fn bar_read(&mut self, offset: u64, width: AccessWidth) -> Result<u64, SimError>;

    /// Writes BAR 0; as [`bar_read`](PcieFunction::bar_read).
    ///
    /// # Errors
    /// As [`bar_read`](PcieFunction::bar_read).
    fn bar_write(&mut self, offset: u64, width: AccessWidth, value: u64) -> Result<(), SimError>;

    /// Advances by so many cycles of its clock.
    ///
    /// # Errors
    /// The function is of no more use.
    fn run(&mut self, cycles: u64) -> Result<(), SimError>;

    /// Whether there is work under way: a command, a reset, requests or completions in flight.
    fn busy(&self) -> bool;

    /// The vectors whose messages have arrived since last asked.
    fn take_interrupts(&mut self) -> Vec<u16>;

    /// What an operating system does for interrupts: writes the table's entries, unmasks them, enables MSI-X.
    ///
    /// # Errors
    /// As [`bar_write`](PcieFunction::bar_write).
    fn program_msix(&mut self) -> Result<(), SimError>;

    /// Resets everything from outside, whatever state it is in: as a reset of the link does.
    ///
    /// # Errors
    /// The function is of no more use.
    fn reset_link(&mut self) -> Result<(), SimError>;
}

impl<M: Memory> PcieFunction for PcieSim<M> {
    fn config_read(&mut self, offset: u16, bytes: u8) -> u32 {
        PcieSim::config_read(self, offset, bytes)
    }

    fn config_write(&mut self, offset: u16, bytes: u8, value: u32) {
        PcieSim::config_write(self, offset, bytes, value);
    }

    fn bar_read(&mut self, offset: u64, width: AccessWidth) -> Result<u64, SimError> {
        PcieSim::bar_read(self, offset, width)
    }

    fn bar_write(&mut self, offset: u64, width: AccessWidth, value: u64) -> Result<(), SimError> {
        PcieSim::bar_write(self, offset, width, value)
    }

    fn run(&mut self, cycles: u64) -> Result<(), SimError> {
        PcieSim::run(self, cycles)
    }

    fn busy(&self) -> bool {
        PcieSim::busy(self)
    }

    fn take_interrupts(&mut self) -> Vec<u16> {
        PcieSim::take_interrupts(self)
    }

    fn program_msix(&mut self) -> Result<(), SimError> {
        PcieSim::program_msix(self)
    }

    fn reset_link(&mut self) -> Result<(), SimError> {
        PcieSim::reset_link(self)
    }
}
