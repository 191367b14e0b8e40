//! The card's configuration space: what the integrated block shows to the host, and what it does with what is written.

use super::tlp::Limits;
use spandrel_abi::{
    BAR0_BYTES, MSIX_PBA_OFFSET, MSIX_TABLE_OFFSET, MSIX_VECTORS, PCI_CLASS, PCI_DEVICE, PCI_VENDOR,
};

/// Bytes of the space.
pub const CONFIG_BYTES: usize = 4096;
/// Offset of the command register (2 bytes).
pub const COMMAND: u16 = 0x04;
/// Offset of BAR 0 (4 bytes).
pub const BAR0: u16 = 0x10;
/// Offset of the power-management capability.
pub const POWER: u16 = 0x40;
/// Offset of the MSI-X capability.
pub const MSIX: u16 = 0x60;
/// Offset of the MSI-X capability's control (2 bytes).
pub const MSIX_CONTROL: u16 = MSIX + 2;
/// Offset of the PCI Express capability.
pub const EXPRESS: u16 = 0x70;
/// Offset of the device control register (2 bytes).
pub const DEVICE_CONTROL: u16 = EXPRESS + 0x08;
/// Offset of the device status register (2 bytes).
pub const DEVICE_STATUS: u16 = EXPRESS + 0x0a;

/// Command: memory accesses of the host are answered.
pub const COMMAND_MEMORY: u16 = 1 << 1;
/// Command: the card may send requests.
pub const COMMAND_BUS_MASTER: u16 = 1 << 2;
/// MSI-X control: all vectors are masked.
pub const MSIX_MASK_ALL: u16 = 1 << 14;
/// MSI-X control: messages may be sent.
pub const MSIX_ENABLE: u16 = 1 << 15;
/// Device control: starts a function-level reset; reads as zero.
pub const FUNCTION_RESET: u16 = 1 << 15;
/// Device status: an error without consequence for others was met.
pub const NON_FATAL_ERROR: u16 = 1 << 1;
/// Device status: the host asked for something that there is not.
pub const UNSUPPORTED_REQUEST: u16 = 1 << 3;
/// Device status: the card waits for completions.
pub const TRANSACTIONS_PENDING: u16 = 1 << 5;

const LINK_CONTROL: u16 = EXPRESS + 0x10;
const DEVICE_CONTROL_2: u16 = EXPRESS + 0x28;
const POWER_CONTROL: u16 = POWER + 4;
/// Relaxed ordering and no snoop allowed, extended tags on, reads of up to 512 bytes, payloads of up to 128.
const DEVICE_CONTROL_DEFAULT: u16 = 1 << 4 | 1 << 8 | 1 << 11 | 2 << 12;
/// What a function-level reset leaves of device control: the maximum payload, which belongs to the link.
const DEVICE_CONTROL_KEPT: u16 = 7 << 5;

/// What a write to configuration space asks for beside the stored value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// A function-level reset.
    pub function_reset: bool,
}

/// The 4 KiB of one function.
#[derive(Clone)]
pub struct ConfigSpace {
    bytes: Box<[u8; CONFIG_BYTES]>,
    /// Bits that the host may write.
    writable: Box<[u8; CONFIG_BYTES]>,
    /// Bits that a written one clears.
    clearable: Box<[u8; CONFIG_BYTES]>,
}

impl std::fmt::Debug for ConfigSpace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConfigSpace")
            .field("command", &format_args!("{:#x}", self.half(COMMAND)))
            .finish_non_exhaustive()
    }
}

impl Default for ConfigSpace {
    fn default() -> ConfigSpace {
        ConfigSpace::new()
    }
}

impl ConfigSpace {
    /// The space after a reset of the link.
    pub fn new() -> ConfigSpace {
        let zeros = || Box::new([0; CONFIG_BYTES]);
        let mut space = ConfigSpace { bytes: zeros(), writable: zeros(), clearable: zeros() };
        space.header();
        space.power();
        space.msix();
        space.express();
        space
    }

    fn header(&mut self) {
        self.put(0x00, 2, PCI_VENDOR.into());
        self.put(0x02, 2, PCI_DEVICE.into());
        self.allow(COMMAND, 2, u32::from(COMMAND_MEMORY | COMMAND_BUS_MASTER) | 1 << 6 | 1 << 8 | 1 << 10);
        // Status: there is a list of capabilities; errors are cleared by writing ones.
        self.put(0x06, 2, 1 << 4);
        self.clear_by_one(0x06, 2, 0xf900);
        self.put(0x08, 4, PCI_CLASS << 8 | 1);
        self.allow(0x0c, 1, 0xff);
        // 32 bits, not prefetchable.
        self.allow(BAR0, 4, !(BAR0_BYTES - 1));
        self.put(0x2c, 2, PCI_VENDOR.into());
        self.put(0x2e, 2, PCI_DEVICE.into());
        self.put(0x34, 1, POWER.into());
        self.allow(0x3c, 1, 0xff);
    }

    fn power(&mut self) {
        self.put(POWER, 2, 0x01 | u32::from(MSIX) << 8);
        self.put(POWER + 2, 2, 3);
        // Leaving D3hot does not reset the function.
        self.put(POWER_CONTROL, 2, 1 << 3);
        self.allow(POWER_CONTROL, 2, 3);
    }

    fn msix(&mut self) {
        self.put(MSIX, 2, 0x11 | u32::from(EXPRESS) << 8);
        self.put(MSIX_CONTROL, 2, u32::from(MSIX_VECTORS) - 1);
        self.allow(MSIX_CONTROL, 2, u32::from(MSIX_ENABLE | MSIX_MASK_ALL));
        self.put(MSIX + 4, 4, MSIX_TABLE_OFFSET);
        self.put(MSIX + 8, 4, MSIX_PBA_OFFSET);
    }

    fn express(&mut self) {
        self.put(EXPRESS, 2, 0x10);
        // Version 2, endpoint.
        self.put(EXPRESS + 2, 2, 2);
        // Payloads of up to 1,024 bytes, extended tags, role-based errors, function-level reset.
        self.put(EXPRESS + 4, 4, 3 | 1 << 5 | 1 << 15 | 1 << 28);
        self.put(DEVICE_CONTROL, 2, DEVICE_CONTROL_DEFAULT.into());
        self.allow(DEVICE_CONTROL, 2, 0x7fff & !(1 << 9 | 1 << 10));
        self.clear_by_one(DEVICE_STATUS, 2, 0xf);
        // Link: third generation, sixteen lanes.
        self.put(EXPRESS + 0x0c, 4, 3 | 16 << 4);
        self.allow(LINK_CONTROL, 2, 1 << 3 | 1 << 6 | 1 << 7);
        self.put(EXPRESS + 0x12, 2, 3 | 16 << 4);
        // Time-outs of completions from 50 µs to 4 s, which can be turned off.
        self.put(EXPRESS + 0x24, 4, 0x1f);
        self.allow(DEVICE_CONTROL_2, 2, 0x1f);
    }

    fn put(&mut self, offset: u16, bytes: usize, value: u32) {
        self.bytes[usize::from(offset)..][..bytes].copy_from_slice(&value.to_le_bytes()[..bytes]);
    }

    fn allow(&mut self, offset: u16, bytes: usize, mask: u32) {
        self.writable[usize::from(offset)..][..bytes].copy_from_slice(&mask.to_le_bytes()[..bytes]);
    }

    fn clear_by_one(&mut self, offset: u16, bytes: usize, mask: u32) {
        self.clearable[usize::from(offset)..][..bytes].copy_from_slice(&mask.to_le_bytes()[..bytes]);
    }

    /// Two bytes of the space.
    pub fn half(&self, offset: u16) -> u16 {
        self.read(offset, 2) as u16
    }

    /// Reads 1, 2 or 4 bytes, little-endian; bytes past the space's end are all ones.
    pub fn read(&self, offset: u16, bytes: u8) -> u32 {
        (0..usize::from(bytes.min(4))).fold(0, |value, index| {
            let byte = self.bytes.get(usize::from(offset) + index).copied().unwrap_or(0xff);
            value | u32::from(byte) << (8 * index)
        })
    }

    /// Writes 1, 2 or 4 bytes, little-endian; bits that are not the host's to write keep their value.
    pub fn write(&mut self, offset: u16, bytes: u8, value: u32) -> Effects {
        for (index, byte) in value.to_le_bytes().into_iter().take(bytes.into()).enumerate() {
            let at = usize::from(offset) + index;
            let Some(stored) = self.bytes.get_mut(at) else { break };
            *stored &= !(byte & self.clearable[at]);
            *stored = *stored & !self.writable[at] | byte & self.writable[at];
        }
        // The bit is in the register's high byte, which an access of any width may hold.
        let high = usize::from(DEVICE_CONTROL) + 1;
        let written = high.checked_sub(offset.into()).filter(|index| *index < usize::from(bytes.min(4)));
        let bit = u32::from(FUNCTION_RESET) >> 8;
        Effects { function_reset: written.is_some_and(|index| value >> (8 * index) & bit != 0) }
    }

    /// What a function-level reset makes of the space.
    pub fn function_reset(&mut self) {
        let kept = self.half(DEVICE_CONTROL) & DEVICE_CONTROL_KEPT;
        let link = self.half(LINK_CONTROL);
        *self = ConfigSpace::new();
        let control = self.half(DEVICE_CONTROL) & !DEVICE_CONTROL_KEPT | kept;
        self.put(DEVICE_CONTROL, 2, control.into());
        self.put(LINK_CONTROL, 2, link.into());
    }

    /// Sets bits of device status.
    pub fn report(&mut self, status: u16) {
        let now = self.half(DEVICE_STATUS) | status;
        self.put(DEVICE_STATUS, 2, now.into());
    }

    /// Whether the card waits for completions.
    pub fn set_transactions_pending(&mut self, pending: bool) {
        let now = self.half(DEVICE_STATUS) & !TRANSACTIONS_PENDING;
        self.put(DEVICE_STATUS, 2, u32::from(now | if pending { TRANSACTIONS_PENDING } else { 0 }));
    }

    /// Where BAR 0 is, if the function answers memory accesses.
    pub fn bar0(&self) -> Option<u64> {
        let awake = self.half(POWER_CONTROL) & 3 == 0;
        (awake && self.half(COMMAND) & COMMAND_MEMORY != 0).then(|| u64::from(self.read(BAR0, 4) & !0xf))
    }

    /// Whether the card may send requests.
    pub fn bus_master(&self) -> bool {
        self.half(COMMAND) & COMMAND_BUS_MASTER != 0 && self.half(POWER_CONTROL) & 3 == 0
    }

    /// Code of the maximum payload: 128 bytes shifted left by it.
    pub fn payload_code(&self) -> u8 {
        // What is longer than the function supports, or reserved, is as good as the longest.
        (self.half(DEVICE_CONTROL) >> 5 & 7).min(3) as u8
    }

    /// Code of the maximum read request: 128 bytes shifted left by it.
    pub fn read_code(&self) -> u8 {
        (self.half(DEVICE_CONTROL) >> 12 & 7).min(5) as u8
    }

    /// Bytes at whose multiples completions may be split: 64 or 128.
    pub fn completion_boundary(&self) -> u16 {
        if self.half(LINK_CONTROL) & 1 << 3 != 0 { 128 } else { 64 }
    }

    /// What the card's requests are held to.
    pub fn limits(&self) -> Limits {
        let control = self.half(DEVICE_CONTROL);
        Limits {
            payload_bytes: 128 << self.payload_code(),
            read_bytes: 128 << self.read_code(),
            extended_tags: control & 1 << 8 != 0,
            relaxed_ordering: control & 1 << 4 != 0,
            no_snoop: control & 1 << 11 != 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the operating system finds by following the list.
    fn capability(space: &ConfigSpace, id: u32) -> Option<u16> {
        let mut at = space.read(0x34, 1) as u16;
        for _ in 0..16 {
            match (at, space.read(at, 1)) {
                (0, _) => return None,
                (at, found) if found == id => return Some(at),
                _ => at = space.read(at + 1, 1) as u16,
            }
        }
        panic!("the list of capabilities does not end")
    }

    #[test]
    fn an_operating_system_finds_its_way() {
        let mut space = ConfigSpace::new();
        assert_eq!(space.read(0, 4), u32::from(PCI_DEVICE) << 16 | u32::from(PCI_VENDOR));
        assert_eq!(space.read(8, 4) >> 8, PCI_CLASS);
        let found = [1, 0x11, 0x10, 5].map(|id| capability(&space, id));
        assert_eq!(found, [Some(POWER), Some(MSIX), Some(EXPRESS), None]);
        // Sizing: all ones written give the mask; the other BARs and the ROM do not exist.
        for at in (0x10..0x28).chain([0x30]).step_by(4) {
            space.write(at, 4, u32::MAX);
            assert_eq!(space.read(at, 4), if at == BAR0 { !(BAR0_BYTES - 1) } else { 0 });
        }
        space.write(BAR0, 4, 0xdead_beef);
        assert_eq!((space.read(BAR0, 4), space.bar0()), (0xdead_8000, None));
        space.write(COMMAND, 2, 0xffff);
        assert_eq!((space.half(COMMAND), space.bar0()), (0x546, Some(0xdead_8000)));
        space.write(POWER_CONTROL, 1, 3);
        assert_eq!((space.bar0(), space.bus_master()), (None, false));
        assert_eq!(space.read(0xffe, 4), 0xffff_0000, "past the end");
        assert_eq!(space.read(0x100, 4), 0, "no extended capabilities");
    }

    #[test]
    fn resets_keep_what_is_the_links() {
        let mut space = ConfigSpace::new();
        let limits = space.limits();
        assert_eq!((limits.payload_bytes, limits.read_bytes), (128, 512));
        space.write(COMMAND, 2, 6);
        space.write(MSIX_CONTROL, 2, 0xffff);
        assert_eq!(space.half(MSIX_CONTROL), MSIX_ENABLE | MSIX_MASK_ALL | (MSIX_VECTORS - 1));
        assert_eq!(space.write(DEVICE_CONTROL, 2, 2 << 5 | 5 << 12), Effects::default());
        space.report(UNSUPPORTED_REQUEST | NON_FATAL_ERROR);
        space.write(DEVICE_STATUS, 2, NON_FATAL_ERROR.into());
        assert_eq!(space.half(DEVICE_STATUS), UNSUPPORTED_REQUEST);
        assert_eq!((space.limits().payload_bytes, space.limits().read_bytes), (512, 4096));
        assert!(space.write(DEVICE_CONTROL, 4, 0x8000).function_reset);
        assert!(space.write(DEVICE_CONTROL + 1, 1, 0x80).function_reset);
        assert!(!space.write(DEVICE_CONTROL - 1, 1, 0x80).function_reset);
        space.write(DEVICE_CONTROL, 2, 2 << 5);
        space.function_reset();
        assert_eq!((space.limits().payload_bytes, space.half(COMMAND), space.read(BAR0, 4)), (512, 0, 0));
        assert_eq!((space.half(MSIX_CONTROL), space.half(DEVICE_STATUS)), (MSIX_VECTORS - 1, 0));
    }
}
