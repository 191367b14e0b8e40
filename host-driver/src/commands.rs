//! The commands of a card that move data and ask the card of itself, as methods.

use crate::bases::{BasesHandle, Resident};
use crate::card::Card;
use crate::dma::DmaBuffer;
use crate::error::DriverError;
use crate::job::{Done, Holdings, Job, Shape};
use spandrel_abi::*;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

/// Load commands that are under way at a time: one is copied by the card while the next is filled.
const LOADS_IN_FLIGHT: usize = 2;

/// What is copied to card memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contents {
    /// Anybody may see it.
    Plain,
    /// Copies of it are overwritten.
    Secret,
}

impl Card {
    /// Loads affine points into card memory, 64 bytes each (x, y, little-endian, Montgomery form; all zero for
    /// the point at infinity), and waits until they are there.
    ///
    /// # Errors
    /// [`DriverError::RaggedInput`], [`DriverError::BadCount`], [`DriverError::OutOfCardMemory`], and those of
    /// [`Card::wait`].
    pub fn load_bases(&mut self, bases: &[u8]) -> Result<BasesHandle, DriverError> {
        self.load_bases_with(bases, &mut |_, _| {})
    }

    /// As [`Card::load_bases`]; `progress` is told how many bases of how many are on the card.
    pub fn load_bases_with(
        &mut self,
        bases: &[u8],
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<BasesHandle, DriverError> {
        self.check_engine(self.identification.has_msm, "MSM")?;
        let (resident, count) = self.take_card_memory("bases", bases.len())?;
        self.load_lines(bases, &resident, Contents::Plain, &mut |loaded| progress(loaded, count))?;
        Ok(BasesHandle { resident })
    }

    /// Copies data to card memory and waits until it is there; `progress` is told how many lines of 64 bytes are. What
    /// is missing to whole lines is zero.
    pub(crate) fn load_lines(
        &mut self,
        data: &[u8],
        resident: &Arc<Resident>,
        contents: Contents,
        progress: &mut dyn FnMut(usize),
    ) -> Result<(), DriverError> {
        let staging_bytes = self.options.staging_bytes.min(self.bar.largest_buffer());
        let chunk_bytes = staging_bytes / AFFINE_POINT_BYTES * AFFINE_POINT_BYTES;
        let mut loaded = 0;
        let mut loads = VecDeque::new();
        for (index, chunk) in data.chunks(chunk_bytes).enumerate() {
            let full = self.running() >= self.options.max_jobs;
            if loads.len() == LOADS_IN_FLIGHT || full && !loads.is_empty() {
                self.finish_load(&mut loads, &mut loaded)?;
                progress(loaded);
            }
            let card_address = resident.piece.start + (index * chunk_bytes) as u64;
            loads.push_back(self.submit_load(chunk, card_address, resident, contents)?);
        }
        while !loads.is_empty() {
            self.finish_load(&mut loads, &mut loaded)?;
            progress(loaded);
        }
        Ok(())
    }

    /// Takes card memory for so many bytes of lines of 64 bytes, and tells how many lines they are.
    pub(crate) fn take_card_memory(
        &mut self,
        what: &'static str,
        bytes: usize,
    ) -> Result<(Arc<Resident>, usize), DriverError> {
        let count = elements(what, bytes, AFFINE_POINT_BYTES, 1)?;
        Ok((self.take_bytes(bytes as u64)?, count))
    }

    /// Takes card memory.
    pub(crate) fn take_bytes(&mut self, bytes: u64) -> Result<Arc<Resident>, DriverError> {
        self.check_usable()?;
        self.collect_returned();
        let Some(piece) = self.memory.allocate(bytes) else {
            return Err(DriverError::OutOfCardMemory {
                bytes,
                free: self.memory.free_bytes(),
                largest_gap: self.memory.largest_gap(),
                total: self.memory.total(),
            });
        };
        let (card, generation, home) = (self.id, self.generation, self.home.clone());
        Ok(Arc::new(Resident { card, generation, bases: bytes as usize / AFFINE_POINT_BYTES, piece, home }))
    }

    /// A load command under way, and how many lines it copies.
    fn submit_load(
        &mut self,
        chunk: &[u8],
        card_address: u64,
        resident: &Arc<Resident>,
        contents: Contents,
    ) -> Result<(Job<Done>, usize), DriverError> {
        self.check_room()?;
        let lines = chunk.len().div_ceil(AFFINE_POINT_BYTES);
        let mut staging = self.bar.allocate(lines * AFFINE_POINT_BYTES)?;
        if contents == Contents::Secret {
            staging = staging.zeroize_on_drop();
        }
        staging.write(0, chunk)?;
        staging.write(chunk.len(), &[0; AFFINE_POINT_BYTES][..lines * AFFINE_POINT_BYTES - chunk.len()])?;
        let descriptor =
            Descriptor { count: lines as u32, host_a: staging.iova(), card_address, ..Descriptor::default() };
        let holdings =
            Holdings { inputs: vec![staging], resident: Some(resident.clone()), ..Holdings::default() };
        Ok((self.submit([(Opcode::LoadBases, descriptor)], Shape::Done, holdings)?, lines))
    }

    fn finish_load(
        &mut self,
        loads: &mut VecDeque<(Job<Done>, usize)>,
        loaded: &mut usize,
    ) -> Result<(), DriverError> {
        if let Some((job, lines)) = loads.pop_front() {
            self.wait(job, &mut |_| {})?;
            *loaded += lines;
        }
        Ok(())
    }

    /// Gives up bases. Jobs that use them and are under way still end well; the memory is free after them.
    pub fn release_bases(&mut self, bases: BasesHandle) -> Result<(), DriverError> {
        if bases.resident.card != self.id {
            return Err(DriverError::AnotherCard { what: "bases" });
        }
        drop(bases);
        self.collect_returned();
        Ok(())
    }

    /// Reads resident bases back, 64 bytes each, as they lie in card memory.
    ///
    /// # Errors
    /// [`DriverError::BasesLost`] and [`DriverError::AnotherCard`] for a handle that is not this card's;
    /// [`DriverError::BadRange`]; and those of [`Card::wait`].
    pub fn read_bases(&mut self, bases: &BasesHandle, range: Range<usize>) -> Result<Vec<u8>, DriverError> {
        self.check_bases(bases, &range)?;
        let mut read = Vec::with_capacity(range.len() * AFFINE_POINT_BYTES);
        let staging_bytes = self.options.staging_bytes.min(self.bar.largest_buffer());
        let lines = (staging_bytes / AFFINE_POINT_BYTES).max(1);
        let mut next = range.start;
        while next < range.end {
            self.check_room()?;
            let count = lines.min(range.end - next);
            let bytes = count * AFFINE_POINT_BYTES;
            let block = self.bar.allocate_result(bytes)?;
            let descriptor = Descriptor {
                count: count as u32,
                host_out: block.iova(),
                card_address: bases.resident.piece.start + (next * AFFINE_POINT_BYTES) as u64,
                ..Descriptor::default()
            };
            let holdings = Holdings {
                outputs: vec![block],
                resident: Some(bases.resident.clone()),
                ..Holdings::default()
            };
            let job: Job<Vec<u8>> =
                self.submit([(Opcode::ReadCard, descriptor)], Shape::Bytes(bytes), holdings)?;
            read.extend(self.wait(job, &mut |_| {})?);
            next += count;
        }
        Ok(read)
    }

    /// Refuses bases of another card or time, and ranges that are not theirs.
    pub(crate) fn check_bases(&self, bases: &BasesHandle, range: &Range<usize>) -> Result<(), DriverError> {
        if bases.resident.card != self.id {
            return Err(DriverError::AnotherCard { what: "bases" });
        }
        if bases.resident.generation != self.generation {
            return Err(DriverError::BasesLost);
        }
        if range.start > range.end || range.end > bases.len() {
            return Err(DriverError::BadRange { range: range.clone(), bases: bases.len() });
        }
        Ok(())
    }

    /// Free bytes of card memory. Bases that a running job still uses count as taken.
    pub fn free_card_memory(&mut self) -> u64 {
        self.collect_returned();
        self.memory.free_bytes()
    }

    /// Has the card run its known answers, and gives the cycles that took.
    ///
    /// # Errors
    /// [`DriverError::CommandFailed`] with [`Status::SelfTestFailed`] where an answer is wrong.
    pub fn self_test(&mut self) -> Result<u64, DriverError> {
        self.check_room()?;
        let holdings = Holdings::default();
        let job: Job<Done> =
            self.submit([(Opcode::SelfTest, Descriptor::default())], Shape::Done, holdings)?;
        Ok(self.wait(job, &mut |_| {})?.cycles)
    }

    /// The counters of the last command with an engine (MSM, field vector, hash or tree) that the card executed.
    pub fn read_counters(&mut self) -> Result<Counters, DriverError> {
        let bytes = self.read_block(Opcode::ReadCounters, COUNTERS_BYTES)?;
        Ok(Counters::from_bytes(&fixed(&bytes)?))
    }

    /// Has the card write its identification to memory, and compares it with its registers.
    ///
    /// # Errors
    /// [`DriverError::IdentificationDiffers`], and those of [`Card::wait`].
    pub fn identify(&mut self) -> Result<Identification, DriverError> {
        let bytes = self.read_block(Opcode::Identify, IDENTIFICATION_BYTES)?;
        let mut words = [0; IDENTIFICATION_BYTES / 4];
        for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        match Identification::from_words(&words) {
            identification if identification == self.identification => Ok(identification),
            _ => Err(DriverError::IdentificationDiffers),
        }
    }

    /// Runs a command that only writes a block of `bytes` bytes.
    fn read_block(&mut self, opcode: Opcode, bytes: usize) -> Result<Vec<u8>, DriverError> {
        self.check_room()?;
        let block = self.bar.allocate_result(bytes)?;
        let descriptor = Descriptor { host_out: block.iova(), ..Descriptor::default() };
        let holdings = Holdings { outputs: vec![block], ..Holdings::default() };
        let job: Job<Vec<u8>> = self.submit([(opcode, descriptor)], Shape::Bytes(bytes), holdings)?;
        self.wait(job, &mut |_| {})
    }

    pub(crate) fn check_engine(&self, present: bool, engine: &'static str) -> Result<(), DriverError> {
        if present { Ok(()) } else { Err(DriverError::NoEngine { engine }) }
    }

    /// A new buffer with `data` in it.
    pub(crate) fn filled(&mut self, data: &[u8]) -> Result<DmaBuffer, DriverError> {
        let mut buffer = self.bar.allocate(data.len())?;
        buffer.write(0, data)?;
        Ok(buffer)
    }
}

/// The number of elements in `bytes`, which must be whole and at least `least`.
pub(crate) fn elements(
    what: &'static str,
    bytes: usize,
    element: usize,
    least: usize,
) -> Result<usize, DriverError> {
    if !bytes.is_multiple_of(element) {
        return Err(DriverError::RaggedInput { what, bytes, element });
    }
    let (count, most) = (bytes / element, MAX_COUNT as usize);
    if !(least..=most).contains(&count) {
        return Err(DriverError::BadCount { what, count, least, most });
    }
    Ok(count)
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], DriverError> {
    bytes.try_into().map_err(|_| DriverError::TransportContract {
        what: format!("{} bytes where a block has {N}", bytes.len()),
    })
}
