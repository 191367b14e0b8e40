//! What is served: a PCI function that is simulated.

use crate::SimError;
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
    fn program_msix(&mut self);
}
