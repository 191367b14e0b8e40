//! Places in the PCI configuration space, as the PCI Express specification has them.

use crate::transport::{AccessWidth, Transport, TransportError};

/// Byte offset of the command register, 16 bits.
pub(crate) const COMMAND: u16 = 0x04;

/// Command: the card answers accesses of its registers.
pub(crate) const COMMAND_MEMORY: u32 = 1 << 1;

/// Command: the card may access memory, and send interrupts.
pub(crate) const COMMAND_BUS_MASTER: u32 = 1 << 2;

/// Sets and clears bits of the command register, and looks whether the card has them.
pub(crate) fn set_command<T: Transport>(card: &mut T, set: u32, clear: u32) -> Result<(), TransportError> {
    let before = card.read_config(COMMAND, AccessWidth::Half)?;
    let wanted = before & !clear | set;
    card.write_config(COMMAND, AccessWidth::Half, wanted)?;
    let after = card.read_config(COMMAND, AccessWidth::Half)?;
    match after & (set | clear) == set {
        true => Ok(()),
        false => Err(TransportError::Other(format!(
            "the command register of {} reads {after:#06x} after {wanted:#06x} was written: the card is off the bus or \
             without power; check that `spandrel card list` shows it",
            card.describe()
        ))),
    }
}
