//! What a platform does to a card: finds it, places its BAR, reads and writes it, catches its messages.

use super::config::{
    BAR0, COMMAND, COMMAND_BUS_MASTER, COMMAND_MEMORY, DEVICE_CONTROL, FUNCTION_RESET, MSIX, MSIX_CONTROL,
    MSIX_ENABLE, MSIX_MASK_ALL, NON_FATAL_ERROR, UNSUPPORTED_REQUEST,
};
use super::tlp::{Completion, CompletionStatus, Request};
use super::{ConfigSpace, PcieSim};
use crate::SimError;
use crate::memory::Memory;
use spandrel_abi::{
    BAR0_BYTES, MSIX_PBA_OFFSET, MSIX_TABLE_OFFSET, MSIX_VECTORS, PCI_CLASS, PCI_DEVICE, PCI_VENDOR,
};
use spandrel_driver::AccessWidth;
use std::ops::Range;

/// A register access that takes longer has failed.
const ACCESS_BOUND_CYCLES: u64 = 8192;
/// A function-level reset that takes longer has failed. The card lets its reads end first, or time out.
const RESET_BOUND_CYCLES: u64 = 100_000;
/// Bytes of an entry of the MSI-X table.
const ENTRY_BYTES: u64 = 16;
/// Where this platform places BAR 0.
const BAR0_ADDRESS: u32 = 0xe010_0000;
/// The data of vector 0's message; the others follow.
const FIRST_MESSAGE: u32 = 0x41;
/// Tags of the root complex.
const TAGS: u8 = 32;
/// Fields of device control that are set when a card is enumerated.
const SIZES: u16 = 7 << 5 | 7 << 12;

/// Where this platform takes messages: addresses of the host that are not memory.
pub const DOORBELLS: Range<u64> = 0xfee0_0000..0xfef0_0000;

/// How a platform sets a card up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enumeration {
    /// Maximum payload, bytes: 128, 256, 512 or 1,024.
    pub payload_bytes: u16,
    /// Maximum read request, bytes: 128 to 4,096, a power of two.
    pub read_bytes: u16,
}

impl Default for Enumeration {
    fn default() -> Enumeration {
        Enumeration { payload_bytes: 512, read_bytes: 512 }
    }
}

/// The messages' addresses and data as the host wrote them to the card's table, and what has come of them.
#[derive(Debug, Default)]
pub(super) struct Vectors {
    table: [[u32; 4]; MSIX_VECTORS as usize],
    arrived: Vec<u16>,
    drops: u32,
}

impl Vectors {
    pub(super) fn reset(&mut self) {
        self.table = Default::default();
        self.arrived.clear();
    }

    /// The host wrote bytes to BAR 0.
    fn host_wrote(&mut self, offset: u64, bytes: &[u8]) {
        let table = u64::from(MSIX_TABLE_OFFSET);
        for (at, byte) in (offset..).zip(bytes) {
            let Some(index) = at.checked_sub(table) else { continue };
            let word = self
                .table
                .get_mut((index / ENTRY_BYTES) as usize)
                .map(|entry| &mut entry[(index % ENTRY_BYTES / 4) as usize]);
            if let Some(word) = word {
                let shift = 8 * (index % 4);
                *word = *word & !(0xff << shift) | u32::from(*byte) << shift;
            }
        }
    }

    /// Takes a write of the card if it is a message; a message that no vector has is taken, and lost.
    pub(super) fn take(&mut self, request: &Request) -> bool {
        if request.dwords != 1 {
            return false;
        }
        let mut data = [0; 4];
        data.copy_from_slice(&request.data[..4]);
        let data = u32::from_le_bytes(data);
        let sent = |entry: &[u32; 4]| {
            u64::from(entry[1]) << 32 | u64::from(entry[0] & !3) == request.address && entry[2] == data
        };
        match self.table.iter().position(sent) {
            Some(vector) => {
                self.raise(vector as u16);
                true
            }
            None => DOORBELLS.contains(&request.address),
        }
    }

    pub(super) fn raise(&mut self, vector: u16) {
        if self.drops > 0 {
            self.drops -= 1;
        } else {
            self.arrived.push(vector);
        }
    }

    pub(super) fn drop_next(&mut self, count: u32) {
        self.drops = count;
    }

    pub(super) fn take_arrived(&mut self) -> Vec<u16> {
        std::mem::take(&mut self.arrived)
    }

    pub(super) fn has_arrived(&self) -> bool {
        !self.arrived.is_empty()
    }
}

impl<M: Memory> PcieSim<M> {
    /// Reads 1, 2 or 4 bytes of the configuration space, little-endian; all ones of a card that is gone.
    pub fn config_read(&mut self, offset: u16, bytes: u8) -> u32 {
        if self.gone {
            return u32::MAX >> (32 - 8 * u32::from(bytes.clamp(1, 4)));
        }
        self.config.set_transactions_pending(self.block.reads_under_way());
        self.config.read(offset, bytes)
    }

    /// Writes 1, 2 or 4 bytes of the configuration space, little-endian.
    ///
    /// Bit 15 of device control starts a function-level reset, which goes on while cycles are run (see
    /// [`PcieSim::in_function_reset`]).
    pub fn config_write(&mut self, offset: u16, bytes: u8, value: u32) {
        if self.gone {
            return;
        }
        if self.config.write(offset, bytes, value).function_reset {
            self.start_function_reset();
        }
        self.block.configure(&mut self.model, &self.config);
    }

    /// Has the function reset itself; does nothing while it does.
    pub(super) fn start_function_reset(&mut self) {
        if !self.block.in_function_reset() {
            self.config.function_reset();
            self.vectors.reset();
            self.block.start_function_reset(&mut self.model);
            self.root.function_reset(&mut self.block);
            self.block.configure(&mut self.model, &self.config);
        }
    }

    /// The configuration space.
    pub fn config(&self) -> &ConfigSpace {
        &self.config
    }

    /// Whether a function-level reset is under way.
    pub fn in_function_reset(&self) -> bool {
        self.block.in_function_reset()
    }

    /// Reads BAR 0 with one packet; all ones where nothing answers, as a processor sees it.
    ///
    /// # Errors
    /// [`SimError::NoAnswer`] if the card does not answer in time; [`SimError::Stopped`] if its model does not go on.
    pub fn bar_read(&mut self, offset: u64, width: AccessWidth) -> Result<u64, SimError> {
        self.take_orders()?;
        let Some(base) = self.bar0(offset, width) else {
            self.refuse();
            return Ok(width.all_ones());
        };
        let mut request = Request::read(base + offset, width.bytes() as u16);
        request.tag = self.tag();
        let tag = request.tag;
        self.block.ask(request);
        let answer = self.wait(offset, |sim| {
            let at = sim.block.answers.iter().position(|answer| answer.tag == tag);
            at.and_then(|at| sim.block.answers.remove(at))
        });
        self.report();
        Ok(match answer? {
            Some(Completion { status: CompletionStatus::Success, poisoned: false, data, .. }) => {
                let first = (offset & 3) as usize;
                let bytes = data.iter().skip(first).take(width.bytes() as usize);
                bytes.rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
            }
            _ => {
                self.refuse();
                width.all_ones()
            }
        })
    }

    /// Writes BAR 0 with one packet; returns when the card's endpoint has taken it, which tells nothing of its effect.
    ///
    /// # Errors
    /// As [`PcieSim::bar_read`].
    pub fn bar_write(&mut self, offset: u64, width: AccessWidth, value: u64) -> Result<(), SimError> {
        self.take_orders()?;
        let Some(base) = self.bar0(offset, width) else {
            self.refuse();
            return Ok(());
        };
        let bytes = &value.to_le_bytes()[..width.bytes() as usize];
        self.vectors.host_wrote(offset, bytes);
        for (index, word) in bytes.chunks_exact(4).enumerate() {
            let mut value = [0; 4];
            value.copy_from_slice(word);
            self.root.memory_mut().host_wrote(offset + 4 * index as u64, u32::from_le_bytes(value));
        }
        self.block.ask(Request::write(base + offset, bytes));
        let done = self.wait(offset, |sim| (!sim.block.asking()).then_some(()));
        self.report();
        done.map(|_| ())
    }

    /// Where BAR 0 is, if it answers an access there.
    fn bar0(&self, offset: u64, width: AccessWidth) -> Option<u64> {
        let inside = offset.checked_add(width.bytes()).is_some_and(|end| end <= u64::from(BAR0_BYTES));
        let answers = inside && !self.gone && !self.block.in_function_reset();
        self.config.bar0().filter(|_| answers)
    }

    #[cold]
    fn refuse(&mut self) {
        self.root.traffic_mut().refused_accesses += 1;
        self.config.report(UNSUPPORTED_REQUEST);
    }

    fn tag(&mut self) -> u8 {
        self.next_tag = (self.next_tag + 1) % TAGS;
        self.next_tag
    }

    /// Runs cycles until there is something, or the card is in no state to answer any more (`None`).
    fn wait<T>(
        &mut self,
        address: u64,
        mut done: impl FnMut(&mut Self) -> Option<T>,
    ) -> Result<Option<T>, SimError> {
        for _ in 0..ACCESS_BOUND_CYCLES {
            self.cycle()?;
            if let Some(result) = done(self) {
                return Ok(Some(result));
            }
        }
        self.config.report(NON_FATAL_ERROR);
        self.block.abandon();
        Err(SimError::NoAnswer { address, cycles: ACCESS_BOUND_CYCLES })
    }

    /// What an operating system does when it finds the card: checks who it is, sizes and places BAR 0, sets maximum
    /// payload and read request, lets it answer and be bus master, and programs its interrupts.
    ///
    /// # Errors
    /// [`SimError::Enumeration`] where the card is not what it should be, and those of BAR accesses.
    pub fn enumerate(&mut self, sizes: Enumeration) -> Result<(), SimError> {
        let wrong = |what: String| Err(SimError::Enumeration { what });
        let code = |bytes: u16| bytes.max(128).ilog2() as u16 - 7;
        let (found, class) = (self.config_read(0, 4), self.config_read(8, 4) >> 8);
        if found != u32::from(PCI_DEVICE) << 16 | u32::from(PCI_VENDOR) || class != PCI_CLASS {
            return wrong(format!("it is device {found:#x} of class {class:#x}"));
        }
        self.config_write(COMMAND, 2, 0);
        self.config_write(BAR0, 4, u32::MAX);
        let bytes = !(self.config_read(BAR0, 4) & !0xf) as u64 + 1;
        if bytes != u64::from(BAR0_BYTES) {
            return wrong(format!("BAR 0 has {bytes} bytes instead of {BAR0_BYTES}"));
        }
        self.config_write(BAR0, 4, BAR0_ADDRESS);
        let control = self.config_read(DEVICE_CONTROL, 2) as u16 & !SIZES;
        let control = control | code(sizes.payload_bytes) << 5 | code(sizes.read_bytes) << 12;
        self.config_write(DEVICE_CONTROL, 2, control.into());
        self.config_write(COMMAND, 2, u32::from(COMMAND_MEMORY | COMMAND_BUS_MASTER));
        let (table, pending) = (self.config_read(MSIX + 4, 4), self.config_read(MSIX + 8, 4));
        if (table, pending) != (MSIX_TABLE_OFFSET, MSIX_PBA_OFFSET) {
            return wrong(format!("the MSI-X table is at {table:#x} and its pending bits at {pending:#x}"));
        }
        self.program_msix()
    }

    /// What an operating system does with the card's interrupts: gives every vector a message, unmasks it, and lets the
    /// card send.
    ///
    /// # Errors
    /// Those of [`PcieSim::bar_write`].
    pub fn program_msix(&mut self) -> Result<(), SimError> {
        self.config_write(MSIX_CONTROL, 2, u32::from(MSIX_ENABLE | MSIX_MASK_ALL));
        for vector in 0..MSIX_VECTORS {
            let entry = u64::from(MSIX_TABLE_OFFSET) + u64::from(vector) * ENTRY_BYTES;
            let message = FIRST_MESSAGE + u32::from(vector);
            for (index, word) in [DOORBELLS.start as u32, 0, message, 0].into_iter().enumerate() {
                self.bar_write(entry + 4 * index as u64, AccessWidth::Word, word.into())?;
            }
        }
        self.config_write(MSIX_CONTROL, 2, MSIX_ENABLE.into());
        Ok(())
    }

    /// A function-level reset as an operating system does it, which then sets the card up again.
    /// Where the card does not end it, its link is reset.
    ///
    /// # Errors
    /// Those of [`PcieSim::enumerate`].
    pub fn function_reset(&mut self, sizes: Enumeration) -> Result<(), SimError> {
        let control = self.config.half(DEVICE_CONTROL) | FUNCTION_RESET;
        self.config_write(DEVICE_CONTROL, 2, control.into());
        let mut left = RESET_BOUND_CYCLES;
        while self.block.in_function_reset() && left > 0 {
            self.cycle()?;
            left -= 1;
        }
        if self.block.in_function_reset() {
            let cycles = RESET_BOUND_CYCLES;
            tracing::warn!(cycles, "the card does not end its function-level reset: resetting its link");
            self.reset_link()?;
        }
        self.enumerate(sizes)
    }
}
