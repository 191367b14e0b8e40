//! Places in the PCI configuration space, as the PCI Express specification has them.

use crate::discovery::LinkSpeed;
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

/// Byte offset of the first capability's offset, 8 bits.
const CAPABILITIES: u16 = 0x34;

/// Identifier of the PCI Express capability.
const PCI_EXPRESS: u32 = 0x10;

/// Byte offset of the link's state in that capability, 16 bits: speed in bits 3:0, lanes in 9:4.
const LINK_STATE: u16 = 0x12;

/// Byte offset of device control in that capability, 16 bits.
const DEVICE_CONTROL: u16 = 0x08;

/// Device control: tags of more than five bits are allowed.
const EXTENDED_TAGS: u32 = 1 << 8;

/// Byte offset of the PCI Express capability; nothing where there is none, or no configuration space.
fn express_capability(card: &mut dyn Transport) -> Result<Option<u16>, TransportError> {
    let mut at = match card.read_config(CAPABILITIES, AccessWidth::Byte) {
        Err(TransportError::Unsupported { .. }) => return Ok(None),
        at => at? as u16 & 0xfc,
    };
    // A chain is no longer than there are places for capabilities.
    for _ in 0..48 {
        if at < 0x40 {
            break;
        }
        let header = card.read_config(at, AccessWidth::Half)?;
        if header & 0xff == PCI_EXPRESS {
            return Ok(Some(at));
        }
        at = (header >> 8) as u16 & 0xfc;
    }
    Ok(None)
}

/// Speed and width of the link as negotiated; nothing where there is no configuration space, or it does not tell.
pub(crate) fn negotiated_link(card: &mut dyn Transport) -> Result<LinkSpeed, TransportError> {
    let Some(at) = express_capability(card)? else { return Ok(LinkSpeed::default()) };
    let state = card.read_config(at + LINK_STATE, AccessWidth::Half)?;
    // Generations 1 to 6, in GT/s.
    let speeds = [2.5, 5.0, 8.0, 16.0, 32.0, 64.0];
    let speed = (state as usize & 0xf).checked_sub(1).and_then(|index| speeds.get(index).copied());
    let lanes = Some(state >> 4 & 0x3f).filter(|lanes| *lanes != 0);
    Ok(LinkSpeed { gigatransfers: speed, lanes })
}

/// Whether the host allows tags of more than five bits, which the card uses after a read has timed out; nothing where the
/// configuration space does not tell.
pub(crate) fn extended_tags(card: &mut dyn Transport) -> Result<Option<bool>, TransportError> {
    let Some(at) = express_capability(card)? else { return Ok(None) };
    let control = card.read_config(at + DEVICE_CONTROL, AccessWidth::Half)?;
    Ok(Some(control & EXTENDED_TAGS != 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dma::DmaBuffer;
    use crate::transport::ClockKind;
    use std::time::Duration;

    /// Nothing but a configuration space.
    struct Config(Vec<u8>);

    impl Transport for Config {
        fn describe(&self) -> String {
            "card".into()
        }

        fn read_bar(&mut self, offset: u64, width: AccessWidth) -> Result<u64, TransportError> {
            Err(TransportError::BadAccess { offset, width, bar_bytes: 0 })
        }

        fn write_bar(&mut self, offset: u64, width: AccessWidth, _: u64) -> Result<(), TransportError> {
            Err(TransportError::BadAccess { offset, width, bar_bytes: 0 })
        }

        fn allocate(&mut self, bytes: usize) -> Result<DmaBuffer, TransportError> {
            Err(TransportError::Allocation { bytes, reason: "none".into() })
        }

        fn wait_interrupt(&mut self, vector: u16, _: Duration) -> Result<bool, TransportError> {
            Err(TransportError::NoSuchVector { vector })
        }

        fn now(&self) -> Duration {
            Duration::ZERO
        }

        fn clock(&self) -> ClockKind {
            ClockKind::Wall
        }

        fn read_config(&mut self, offset: u16, width: AccessWidth) -> Result<u32, TransportError> {
            let bytes = &self.0[usize::from(offset)..][..width.bytes() as usize];
            Ok(bytes.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte)))
        }

        fn write_config(
            &mut self,
            offset: u16,
            width: AccessWidth,
            value: u32,
        ) -> Result<(), TransportError> {
            let bytes = &mut self.0[usize::from(offset)..][..width.bytes() as usize];
            bytes.copy_from_slice(&value.to_le_bytes()[..width.bytes() as usize]);
            Ok(())
        }

        fn reset(&mut self) -> Result<(), TransportError> {
            Ok(())
        }
    }

    #[test]
    fn the_link_is_found_in_the_chain_of_capabilities() {
        let mut card = Config(vec![0; 256]);
        assert_eq!(negotiated_link(&mut card).expect("readable"), LinkSpeed::default());
        card.0[0x34] = 0x50;
        card.0[0x50..0x52].copy_from_slice(&[0x11, 0x70]);
        card.0[0x70..0x72].copy_from_slice(&[0x10, 0x00]);
        card.0[0x82..0x84].copy_from_slice(&(0x3u16 | 8 << 4).to_le_bytes());
        let expected = LinkSpeed { gigatransfers: Some(8.0), lanes: Some(8) };
        assert_eq!(negotiated_link(&mut card).expect("readable"), expected);
        assert_eq!(extended_tags(&mut card).expect("readable"), Some(false));
        card.0[0x79] = 0x01;
        assert_eq!(extended_tags(&mut card).expect("readable"), Some(true));
        // A chain that runs in a circle, and a card that is gone.
        card.0[0x70..0x72].copy_from_slice(&[0x11, 0x50]);
        assert_eq!(negotiated_link(&mut card).expect("readable"), LinkSpeed::default());
        assert_eq!(extended_tags(&mut card).expect("readable"), None);
        let mut gone = Config(vec![0xff; 4096]);
        assert_eq!(negotiated_link(&mut gone).expect("readable"), LinkSpeed::default());
    }

    #[test]
    fn bits_of_the_command_register_are_set_one_by_one() {
        let mut card = Config(vec![0; 256]);
        card.0[4] = 0x41;
        set_command(&mut card, COMMAND_MEMORY, COMMAND_BUS_MASTER).expect("takes it");
        assert_eq!(card.0[4], 0x43);
        set_command(&mut card, COMMAND_BUS_MASTER, COMMAND_MEMORY).expect("takes it");
        assert_eq!(card.0[4], 0x45);
    }
}
