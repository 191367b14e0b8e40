//! From the protocol's commands to the simulated function: regions, memory, interrupts, resets.

use super::config::{CONFIG_BYTES, ConfigSpace};
use super::function::PcieFunction;
use super::vectors::Vectors;
use crate::SimError;
use crate::memory::{GuestMapping, GuestMemory};
use spandrel_abi::{BAR0_BYTES, MSIX_TABLE_OFFSET, MSIX_VECTORS};
use spandrel_driver::AccessWidth;
use std::fs::File;
use std::io;
use std::ops::Range;
use vfio_bindings::bindings::vfio::{
    VFIO_PCI_BAR0_REGION_INDEX, VFIO_PCI_CONFIG_REGION_INDEX, VFIO_PCI_MSIX_IRQ_INDEX, VFIO_PCI_NUM_IRQS,
};
use vfio_user::{DmaMapFlags, DmaUnmapFlags, ServerBackend};

/// Cycles that the function goes on after the last access and the last of its work, so that what it does by the clock gets
/// done; then it stands still until the next access.
const AFTERMATH_CYCLES: u64 = 16_384;
/// Cycles between two looks at the socket: a card is simulated at some 100 kHz, so a look at each would cost a tenth of the
/// time, and one in 64 lets a client wait for half a millisecond.
const SLICE_CYCLES: u64 = 64;
/// A client that has asked may soon ask again, and is not to wait: for so many cycles the slices are short ones.
const ATTENTIVE_CYCLES: u64 = 1024;
const SHORT_SLICE_CYCLES: u64 = 8;
/// A function-level reset that takes longer has failed, and the link is reset instead. The card lets its reads end first,
/// or time out, and clears its buckets.
const RESET_CYCLES: u64 = 400_000;
/// Bytes of an entry of the MSI-X table, and where in it the word with the mask bit lies.
const MSIX_ENTRY_BYTES: u64 = 16;
const MSIX_VECTOR_CONTROL: u64 = 12;
/// The addresses of the table: the server's own.
const MSIX_TABLE: Range<u64> =
    MSIX_TABLE_OFFSET as u64..MSIX_TABLE_OFFSET as u64 + MSIX_ENTRY_BYTES * MSIX_VECTORS as u64;

/// The function as its clients see it.
pub(super) struct Bridge<F> {
    function: F,
    memory: GuestMemory,
    config: ConfigSpace,
    vectors: Vectors,
    /// Cycles until the function stands still.
    awake: u64,
    /// Cycles since the last access.
    quiet: u64,
    /// The error after which the function is of no more use.
    failed: Option<SimError>,
}

fn error(number: i32) -> io::Error {
    io::Error::from_raw_os_error(number)
}

impl<F: PcieFunction> Bridge<F> {
    pub(super) fn new(mut function: F, memory: GuestMemory) -> Bridge<F> {
        let config = ConfigSpace::new(&mut function);
        Bridge {
            function,
            memory,
            config,
            vectors: Vectors::default(),
            awake: AFTERMATH_CYCLES,
            quiet: 0,
            failed: None,
        }
    }

    /// Has the function go on for a while.
    fn wake(&mut self) {
        (self.awake, self.quiet) = (AFTERMATH_CYCLES, 0);
    }

    /// Whether the function has anything to do.
    pub(super) fn is_awake(&self) -> bool {
        self.awake > 0
    }

    /// Takes the error after which the function is of no more use.
    pub(super) fn take_failure(&mut self) -> Option<SimError> {
        self.failed.take()
    }

    /// Lets the function run for a moment.
    pub(super) fn advance(&mut self) {
        let slice = if self.quiet < ATTENTIVE_CYCLES { SHORT_SLICE_CYCLES } else { SLICE_CYCLES };
        self.awake = match self.function.busy() {
            true => AFTERMATH_CYCLES,
            false => self.awake.saturating_sub(slice),
        };
        self.quiet = self.quiet.saturating_add(slice);
        let result = self.function.run(slice);
        let _ = self.done(result);
        self.pass_interrupts();
    }

    fn pass_interrupts(&mut self) {
        for vector in self.function.take_interrupts() {
            self.vectors.raise(vector);
        }
    }

    /// As the reply has it. Errors that leave the function useless are kept.
    fn done<T>(&mut self, result: Result<T, SimError>) -> io::Result<T> {
        result.map_err(|cause| {
            tracing::debug!(%cause, "an access failed");
            if !matches!(cause, SimError::NoAnswer { .. } | SimError::BusError { .. }) {
                self.failed.get_or_insert(cause);
            }
            error(nix::libc::EIO)
        })
    }

    /// Waits until a reset that has begun is over, and sets up anew what it took away.
    fn finish_reset(&mut self) -> io::Result<()> {
        let mut left = RESET_CYCLES;
        loop {
            let run = self.function.run(SLICE_CYCLES);
            self.done(run)?;
            if !self.function.busy() {
                break;
            }
            left = left.saturating_sub(SLICE_CYCLES);
            if left == 0 {
                let cycles = RESET_CYCLES;
                tracing::warn!(cycles, "the card does not end its function-level reset: resetting its link");
                let reset = self.function.reset_link();
                self.done(reset)?;
                break;
            }
        }
        // Messages from before the reset.
        self.function.take_interrupts();
        self.config.was_reset(&mut self.function);
        self.wake();
        self.program_vectors()
    }

    /// Has the function send the vectors to which the client listens, and no others.
    fn program_vectors(&mut self) -> io::Result<()> {
        if !self.vectors.any() {
            self.config.disable_msix(&mut self.function);
            return Ok(());
        }
        let programmed = self.function.program_msix();
        self.done(programmed)?;
        for vector in self.vectors.silent() {
            let control =
                u64::from(MSIX_TABLE_OFFSET) + MSIX_ENTRY_BYTES * u64::from(vector) + MSIX_VECTOR_CONTROL;
            let masked = self.function.bar_write(control, AccessWidth::Word, 1);
            self.done(masked)?;
        }
        Ok(())
    }

    /// A client has gone, in whatever state: nothing of its memory and its events is touched any more, and the function is
    /// as after power-on.
    pub(super) fn forget_client(&mut self) {
        self.memory.clear();
        self.vectors = Vectors::default();
        if let Err(error) = self.reset() {
            tracing::warn!(%error, "the card could not be reset after its client left");
        }
        self.config.set_sizes(&mut self.function);
    }
}

/// The ranges that a region has.
fn region_bytes(region: u32) -> u64 {
    match region {
        VFIO_PCI_BAR0_REGION_INDEX => BAR0_BYTES.into(),
        VFIO_PCI_CONFIG_REGION_INDEX => CONFIG_BYTES,
        _ => 0,
    }
}

/// Cuts an access into aligned ones of 1, 2, 4 or (where `largest` allows) 8 bytes: offsets in the region, and where in
/// the data.
fn pieces(offset: u64, bytes: usize, largest: u64) -> impl Iterator<Item = (u64, Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let left = (bytes - done) as u64;
        if left == 0 {
            return None;
        }
        let at = offset + done as u64;
        let aligned = 1 << at.trailing_zeros().min(largest.trailing_zeros());
        let size = if left < aligned { 1 << left.ilog2() } else { aligned };
        let from = done;
        done += size as usize;
        Some((at, from..done))
    })
}

fn width_of(bytes: usize) -> AccessWidth {
    match bytes {
        1 => AccessWidth::Byte,
        2 => AccessWidth::Half,
        4 => AccessWidth::Word,
        _ => AccessWidth::Double,
    }
}

fn check_range(region: u32, offset: u64, bytes: usize) -> io::Result<()> {
    let end = offset.checked_add(bytes as u64);
    match end.is_some_and(|end| end <= region_bytes(region)) && bytes > 0 {
        true => Ok(()),
        false => Err(error(nix::libc::EINVAL)),
    }
}

impl<F: PcieFunction> ServerBackend for Bridge<F> {
    fn region_read(&mut self, region: u32, offset: u64, data: &mut [u8]) -> io::Result<()> {
        check_range(region, offset, data.len())?;
        self.wake();
        if region == VFIO_PCI_CONFIG_REGION_INDEX {
            for (at, place) in pieces(offset, data.len(), 4) {
                let value = self.config.read(&mut self.function, at as u16, place.len() as u8);
                let bytes = place.len();
                data[place].copy_from_slice(&value.to_le_bytes()[..bytes]);
            }
            return Ok(());
        }
        if !self.config.memory_enable() {
            // Nobody answers there, and the root complex says so as always.
            data.fill(0xff);
            return Ok(());
        }
        for (at, place) in pieces(offset, data.len(), 8) {
            let value = self.function.bar_read(at, width_of(place.len()));
            let value = self.done(value)?;
            let bytes = place.len();
            data[place].copy_from_slice(&value.to_le_bytes()[..bytes]);
        }
        self.pass_interrupts();
        Ok(())
    }

    fn region_write(&mut self, region: u32, offset: u64, data: &[u8]) -> io::Result<()> {
        check_range(region, offset, data.len())?;
        self.wake();
        let value_of = |place: Range<usize>| {
            let mut value = [0; 8];
            value[..place.len()].copy_from_slice(&data[place]);
            u64::from_le_bytes(value)
        };
        if region == VFIO_PCI_CONFIG_REGION_INDEX {
            for (at, place) in pieces(offset, data.len(), 4) {
                let bytes = place.len() as u8;
                let value = value_of(place) as u32;
                if self.config.write(&mut self.function, at as u16, bytes, value) {
                    self.finish_reset()?;
                }
            }
            return Ok(());
        }
        if !self.config.memory_enable() {
            return Ok(());
        }
        for (at, place) in pieces(offset, data.len(), 8) {
            if MSIX_TABLE.contains(&at) {
                tracing::debug!(offset = at, "a client's write to the MSI-X table is not passed on");
                continue;
            }
            let width = width_of(place.len());
            let written = self.function.bar_write(at, width, value_of(place));
            self.done(written)?;
        }
        self.pass_interrupts();
        Ok(())
    }

    fn dma_map(
        &mut self,
        flags: DmaMapFlags,
        offset: u64,
        address: u64,
        size: u64,
        fd: Option<File>,
    ) -> io::Result<()> {
        if !DmaMapFlags::READ_WRITE.contains(flags) || flags.is_empty() {
            return Err(error(nix::libc::EINVAL));
        }
        self.memory.map(GuestMapping {
            address,
            bytes: size,
            readable: flags.contains(DmaMapFlags::READ),
            writable: flags.contains(DmaMapFlags::WRITE),
            offset,
            file: fd,
        })
    }

    fn dma_unmap(&mut self, flags: DmaUnmapFlags, address: u64, size: u64) -> io::Result<()> {
        if flags == DmaUnmapFlags::UNMAP_ALL && (address, size) == (0, 0) {
            self.memory.clear();
            return Ok(());
        }
        if !flags.is_empty() {
            return Err(error(nix::libc::EINVAL));
        }
        self.memory.unmap(address, size).map(drop)
    }

    fn reset(&mut self) -> io::Result<()> {
        self.config.reset_function(&mut self.function);
        self.finish_reset()
    }

    fn set_irqs(&mut self, index: u32, flags: u32, start: u32, count: u32, fds: Vec<File>) -> io::Result<()> {
        if index != VFIO_PCI_MSIX_IRQ_INDEX {
            // The other kinds exist and have no vectors: to take away what was never there is no error.
            let nothing = index < VFIO_PCI_NUM_IRQS && count == 0 && fds.is_empty();
            return if nothing { Ok(()) } else { Err(error(nix::libc::EINVAL)) };
        }
        if self.vectors.set(flags, start, count, fds)? {
            self.wake();
            self.program_vectors()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::pieces;

    #[test]
    fn accesses_are_cut_at_their_alignment() {
        let all = |offset, bytes, largest| {
            pieces(offset, bytes, largest).map(|(at, place)| (at, place.len())).collect::<Vec<_>>()
        };
        assert_eq!(all(0, 16, 8), [(0, 8), (8, 8)]);
        assert_eq!(all(4, 8, 8), [(4, 4), (8, 4)]);
        assert_eq!(all(0, 8, 4), [(0, 4), (4, 4)]);
        assert_eq!(all(1, 9, 8), [(1, 1), (2, 2), (4, 4), (8, 2)]);
        assert_eq!(all(0, 7, 8), [(0, 4), (4, 2), (6, 1)]);
        assert!(all(3, 0, 8).is_empty());
    }
}
