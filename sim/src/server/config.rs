//! The configuration space as a client sees it: the function's own, but for what belongs to the platform.
//!
//! Between a client and the function stands the server, as an operating system's VFIO does. Where the function's BAR lies,
//! whether it answers there and how its interrupts travel is the server's business; what a client writes of these is kept
//! here and read back, and takes effect where it has one.

use super::function::PcieFunction;
use spandrel_abi::BAR0_BYTES;

/// Bytes of the configuration space.
pub(super) const CONFIG_BYTES: u64 = 4096;

const COMMAND: u16 = 0x04;
const MEMORY_ENABLE: u32 = 1 << 1;
const BARS: u16 = 0x10;
const BARS_END: u16 = 0x28;
const ROM: u16 = 0x30;
const CAPABILITIES: u16 = 0x34;
const CAPABILITY_PCIE: u8 = 0x10;
const CAPABILITY_MSIX: u8 = 0x11;
/// Offset of Device Capabilities in the PCI Express capability.
const DEVICE_CAPABILITIES: u16 = 4;
/// Maximum payload and maximum read request in Device Control, and the code for 512 bytes.
const SIZES: u32 = 7 << 5 | 7 << 12;
const SIZE_512: u32 = 2;
/// Offset of Device Control in the PCI Express capability.
const DEVICE_CONTROL: u16 = 8;
const FUNCTION_LEVEL_RESET: u32 = 1 << 15;
/// Enable and Function Mask of MSI-X, in the dword that Message Control is the upper half of.
const MSIX_WRITABLE: u32 = 0xc000_0000;
const MSIX_ENABLE: u32 = 1 << 15;
/// Where the function's BAR is put if nobody has.
const BAR_ADDRESS: u32 = 0xe000_0000;
/// More capabilities do not fit into the space.
const MOST_CAPABILITIES: usize = 48;

/// What the client sees of the platform's registers.
pub(super) struct ConfigSpace {
    memory_enable: bool,
    bar: u32,
    msix_control: u32,
    pcie: Option<u16>,
    msix: Option<u16>,
}

impl ConfigSpace {
    /// Finds the function's capabilities and takes its BAR into use.
    pub(super) fn new(function: &mut dyn PcieFunction) -> ConfigSpace {
        let mut space = ConfigSpace {
            memory_enable: false,
            bar: 0,
            msix_control: 0,
            pcie: find(function, CAPABILITY_PCIE),
            msix: find(function, CAPABILITY_MSIX),
        };
        space.was_reset(function);
        space.set_sizes(function);
        space
    }

    /// Sets what the link allows: payloads of up to 512 bytes, if the function takes them (a reset leaves
    /// that alone), and reads of as many.
    pub(super) fn set_sizes(&self, function: &mut dyn PcieFunction) {
        if let Some(pcie) = self.pcie {
            let largest = function.config_read(pcie + DEVICE_CAPABILITIES, 1) & 7;
            let control = function.config_read(pcie + DEVICE_CONTROL, 2) & !SIZES;
            let sizes = largest.min(SIZE_512) << 5 | SIZE_512 << 12;
            function.config_write(pcie + DEVICE_CONTROL, 2, control | sizes);
        }
    }

    /// After a reset of the function: what the client had set is gone, and the platform sets its part anew.
    pub(super) fn was_reset(&mut self, function: &mut dyn PcieFunction) {
        (self.memory_enable, self.bar, self.msix_control) = (false, 0, 0);
        if function.config_read(BARS, 4) & !0xf == 0 {
            function.config_write(BARS, 4, BAR_ADDRESS);
        }
        let command = function.config_read(COMMAND, 2);
        function.config_write(COMMAND, 2, command | MEMORY_ENABLE);
    }

    /// Whether the client lets the function answer at its BAR.
    pub(super) fn memory_enable(&self) -> bool {
        self.memory_enable
    }

    /// Begins a function-level reset.
    pub(super) fn reset_function(&self, function: &mut dyn PcieFunction) {
        if let Some(pcie) = self.pcie {
            let control = function.config_read(pcie + DEVICE_CONTROL, 2);
            function.config_write(pcie + DEVICE_CONTROL, 2, control | FUNCTION_LEVEL_RESET);
        }
    }

    /// Turns the function's MSI-X off.
    pub(super) fn disable_msix(&self, function: &mut dyn PcieFunction) {
        if let Some(msix) = self.msix {
            let control = function.config_read(msix + 2, 2);
            function.config_write(msix + 2, 2, control & !MSIX_ENABLE);
        }
    }

    /// Reads `bytes` (1, 2 or 4, aligned).
    pub(super) fn read(&self, function: &mut dyn PcieFunction, offset: u16, bytes: u8) -> u32 {
        let dword = offset & !3;
        let whole = match dword {
            COMMAND => function.config_read(dword, 4) & !MEMORY_ENABLE | u32::from(self.memory_enable) << 1,
            BARS => self.bar,
            BARS..BARS_END | ROM => 0,
            _ if Some(dword) == self.msix => {
                function.config_read(dword, 4) & !MSIX_WRITABLE | self.msix_control
            }
            _ => return function.config_read(offset, bytes),
        };
        (u64::from(whole) >> (8 * (offset & 3)) & mask(bytes)) as u32
    }

    /// Writes `bytes` (1, 2 or 4, aligned); `true` if that began a reset of the function.
    pub(super) fn write(
        &mut self,
        function: &mut dyn PcieFunction,
        offset: u16,
        bytes: u8,
        value: u32,
    ) -> bool {
        let dword = offset & !3;
        let shift = 8 * (offset & 3);
        let (written, value_there) = ((mask(bytes) << shift) as u32, (u64::from(value) << shift) as u32);
        let merged = |old: u32| old & !written | value_there & written;
        match dword {
            COMMAND => {
                let mut value = value;
                if offset == COMMAND {
                    self.memory_enable = value & MEMORY_ENABLE != 0;
                    value |= MEMORY_ENABLE;
                }
                function.config_write(offset, bytes, value);
            }
            // 32 bits, not prefetchable; the low bits are the size.
            BARS => self.bar = merged(self.bar) & !(BAR0_BYTES - 1),
            BARS..BARS_END | ROM => {}
            _ if Some(dword) == self.msix => self.msix_control = merged(self.msix_control) & MSIX_WRITABLE,
            _ => {
                function.config_write(offset, bytes, value);
                let control = self.pcie.map(|pcie| pcie + DEVICE_CONTROL);
                return Some(dword) == control && value_there & written & FUNCTION_LEVEL_RESET != 0;
            }
        }
        false
    }
}

/// Bits of the low `bytes` bytes.
fn mask(bytes: u8) -> u64 {
    (1 << (8 * bytes)) - 1
}

/// The offset of a capability.
fn find(function: &mut dyn PcieFunction, identity: u8) -> Option<u16> {
    let mut at = function.config_read(CAPABILITIES, 1) as u16 & 0xfc;
    for _ in 0..MOST_CAPABILITIES {
        if at == 0 {
            break;
        }
        let head = function.config_read(at, 2);
        if head as u8 == identity {
            return Some(at);
        }
        at = (head >> 8) as u16 & 0xfc;
    }
    None
}
