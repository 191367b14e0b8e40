//! The commands of a card, as methods.

use crate::bases::{BasesHandle, Resident};
use crate::card::Card;
use crate::cost::{BitLengths, best_msm};
use crate::dma::DmaBuffer;
use crate::error::DriverError;
use crate::job::{Done, Holdings, Job, MsmResult, Shape};
use spandrel_abi::*;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

/// Load commands that are under way at a time: one is copied by the card while the next is filled.
const LOADS_IN_FLIGHT: usize = 2;

/// The order of a curve's group, little-endian: scalars are below it.
const fn group_order(curve: CurveId) -> [u8; FIELD_BYTES] {
    let low = match curve {
        CurveId::Bn254G1 => {
            [0x01, 0x00, 0x00, 0xf0, 0x93, 0xf5, 0xe1, 0x43, 0x91, 0x70, 0xb9, 0x79, 0x48, 0xe8, 0x33, 0x28]
        }
        CurveId::Grumpkin => {
            [0x47, 0xfd, 0x7c, 0xd8, 0x16, 0x8c, 0x20, 0x3c, 0x8d, 0xca, 0x71, 0x68, 0x91, 0x6a, 0x81, 0x97]
        }
    };
    // The orders of the cycle's two groups agree in their upper halves.
    const HIGH: [u8; FIELD_BYTES / 2] =
        [0x5d, 0x58, 0x81, 0x81, 0xb6, 0x45, 0x50, 0xb8, 0x29, 0xa0, 0x31, 0xe1, 0x72, 0x4e, 0x64, 0x30];
    let mut order = [0; FIELD_BYTES];
    let (first, last) = order.split_at_mut(FIELD_BYTES / 2);
    first.copy_from_slice(&low);
    last.copy_from_slice(&HIGH);
    order
}

/// What can be chosen of a multi-scalar multiplication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MsmOptions {
    /// The curve of bases and result.
    pub curve: CurveId,
    /// Bits per window; without it, those of the card's choices that are estimated to be best for the scalars.
    pub window_bits: Option<u32>,
}

impl Default for MsmOptions {
    /// BN254's G1, windows as they are best.
    fn default() -> MsmOptions {
        MsmOptions { curve: CurveId::Bn254G1, window_bits: None }
    }
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
        let start = resident.piece.start;
        let chunk_bytes = self.options.staging_bytes / AFFINE_POINT_BYTES * AFFINE_POINT_BYTES;
        let mut loaded = 0;
        let mut loads = VecDeque::new();
        for (index, chunk) in bases.chunks(chunk_bytes).enumerate() {
            let full = self.running() >= self.options.max_jobs;
            if loads.len() == LOADS_IN_FLIGHT || full && !loads.is_empty() {
                self.finish_load(&mut loads, &mut loaded)?;
                progress(loaded, count);
            }
            let card_address = start + (index * chunk_bytes) as u64;
            loads.push_back((self.submit_load(chunk, card_address, &resident)?, chunk.len()));
        }
        while !loads.is_empty() {
            self.finish_load(&mut loads, &mut loaded)?;
            progress(loaded, count);
        }
        Ok(BasesHandle { resident })
    }

    /// Takes card memory for so many bytes of lines of 64 bytes, and tells how many lines they are.
    pub(crate) fn take_card_memory(
        &mut self,
        what: &'static str,
        bytes: usize,
    ) -> Result<(Arc<Resident>, usize), DriverError> {
        let count = elements(what, bytes, AFFINE_POINT_BYTES, 1)?;
        self.check_usable()?;
        self.collect_returned();
        let Some(piece) = self.memory.allocate(bytes as u64) else {
            return Err(DriverError::OutOfCardMemory {
                bytes: bytes as u64,
                free: self.memory.free_bytes(),
                largest_gap: self.memory.largest_gap(),
                total: self.memory.total(),
            });
        };
        let (card, generation, home) = (self.id, self.generation, self.home.clone());
        Ok((Arc::new(Resident { card, generation, piece, bases: count, home }), count))
    }

    fn submit_load(
        &mut self,
        chunk: &[u8],
        card_address: u64,
        resident: &Arc<Resident>,
    ) -> Result<Job<Done>, DriverError> {
        self.check_room()?;
        let staging = self.filled(chunk)?;
        let descriptor = Descriptor {
            count: (chunk.len() / AFFINE_POINT_BYTES) as u32,
            host_a: staging.iova(),
            card_address,
            ..Descriptor::default()
        };
        let holdings =
            Holdings { inputs: vec![staging], outputs: Vec::new(), resident: Some(resident.clone()) };
        self.submit([(Opcode::LoadBases, descriptor)], Shape::Done, holdings)
    }

    fn finish_load(
        &mut self,
        loads: &mut VecDeque<(Job<Done>, usize)>,
        loaded: &mut usize,
    ) -> Result<(), DriverError> {
        if let Some((job, bytes)) = loads.pop_front() {
            self.wait(job, &mut |_| {})?;
            *loaded += bytes / AFFINE_POINT_BYTES;
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
        let lines = (self.options.staging_bytes / AFFINE_POINT_BYTES).max(1);
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
            let holdings =
                Holdings { inputs: Vec::new(), outputs: vec![block], resident: Some(bases.resident.clone()) };
            let job: Job<Vec<u8>> =
                self.submit([(Opcode::ReadCard, descriptor)], Shape::Bytes(bytes), holdings)?;
            read.extend(self.wait(job, &mut |_| {})?);
            next += count;
        }
        Ok(read)
    }

    /// Refuses bases of another card or time, and ranges that are not theirs.
    fn check_bases(&self, bases: &BasesHandle, range: &Range<usize>) -> Result<(), DriverError> {
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

    /// As [`Card::submit_msm_with`] on BN254's G1, with windows as they are best.
    pub fn submit_msm(
        &mut self,
        bases: &BasesHandle,
        range: Range<usize>,
        scalars: &[u8],
    ) -> Result<Job<MsmResult>, DriverError> {
        self.submit_msm_with(bases, range, scalars, &MsmOptions::default())
    }

    /// Submits a multi-scalar multiplication of the bases in `range` with as many scalars, 32 bytes each,
    /// little-endian, canonical. The scalars are copied; the copy is overwritten when the job ends.
    ///
    /// # Errors
    /// [`DriverError::NoCurve`] and [`DriverError::NoWindowBits`] for what this card does not offer;
    /// [`DriverError::BasesLost`] and [`DriverError::AnotherCard`] for a handle that is not this card's;
    /// [`DriverError::BadRange`], [`DriverError::RaggedInput`], [`DriverError::CountsDiffer`],
    /// [`DriverError::BadCount`] and [`DriverError::ScalarNotCanonical`] for wrong inputs;
    /// [`DriverError::TooManyJobs`]; [`DriverError::Transport`] without memory for the scalars.
    pub fn submit_msm_with(
        &mut self,
        bases: &BasesHandle,
        range: Range<usize>,
        scalars: &[u8],
        options: &MsmOptions,
    ) -> Result<Job<MsmResult>, DriverError> {
        self.check_engine(self.identification.has_msm, "MSM")?;
        let curve = options.curve;
        if !self.identification.has_curve(curve) {
            return Err(DriverError::NoCurve { curve });
        }
        self.check_bases(bases, &range)?;
        let count = elements("scalars", scalars.len(), FIELD_BYTES, 0)?;
        if count != range.len() {
            return Err(DriverError::CountsDiffer {
                left_what: "scalars",
                left: count,
                right_what: "bases",
                right: range.len(),
            });
        }
        let order = group_order(curve);
        let canonical = |scalar: &[u8; FIELD_BYTES]| scalar.iter().rev().lt(order.iter().rev());
        if let Some(index) = scalars.as_chunks().0.iter().position(|scalar| !canonical(scalar)) {
            return Err(DriverError::ScalarNotCanonical { index });
        }
        let window_bits = self.window_bits(options, scalars)?;
        let exponents: Vec<_> = self.identification.msm_result_exponents(window_bits.into()).collect();
        self.check_room()?;
        let inputs = if count == 0 { Vec::new() } else { vec![self.filled(scalars)?.zeroize_on_drop()] };
        let result = self.bar.allocate_result(exponents.len() * PROJECTIVE_POINT_BYTES)?;
        let counters = self.bar.allocate_result(COUNTERS_BYTES)?;
        let msm = Descriptor {
            count: count as u32,
            host_a: inputs.first().map_or(0, DmaBuffer::iova),
            host_out: result.iova(),
            card_address: bases.resident.piece.start + (range.start * AFFINE_POINT_BYTES) as u64,
            parameter: msm_parameter(curve, window_bits),
            ..Descriptor::default()
        };
        // The card works in order, so the counters read next are this job's.
        let read_counters = Descriptor { host_out: counters.iova(), ..Descriptor::default() };
        let shape = Shape::Msm { curve, window_bits: window_bits.into(), exponents };
        let holdings =
            Holdings { inputs, outputs: vec![result, counters], resident: Some(bases.resident.clone()) };
        self.submit([(Opcode::Msm, msm), (Opcode::ReadCounters, read_counters)], shape, holdings)
    }

    /// The bits per window that the options name, if the card offers them, or the best for these scalars.
    fn window_bits(&self, options: &MsmOptions, scalars: &[u8]) -> Result<u8, DriverError> {
        let card = &self.identification;
        let no =
            |window_bits| DriverError::NoWindowBits { window_bits, choices: card.window_choices().collect() };
        let window_bits = match options.window_bits {
            Some(window_bits) if card.window_choices().any(|choice| choice == window_bits) => window_bits,
            Some(window_bits) => return Err(no(window_bits)),
            None => best_msm(card, &BitLengths::of(scalars)).ok_or_else(|| no(0))?.window_bits,
        };
        u8::try_from(window_bits).map_err(|_| no(window_bits))
    }

    /// Submits an element-wise field operation on two vectors of elements, 32 bytes each, little-endian,
    /// Montgomery form, below the prime (which is not checked: other inputs give other results, nothing worse).
    /// The result is a vector of the same length. The copies of the inputs are overwritten when the job ends.
    ///
    /// # Errors
    /// [`DriverError::RaggedInput`], [`DriverError::CountsDiffer`], [`DriverError::BadCount`];
    /// [`DriverError::TooManyJobs`]; [`DriverError::Transport`] without memory for the vectors.
    pub fn submit_field_vector(
        &mut self,
        field: FieldId,
        operation: FieldOperation,
        a: &[u8],
        b: &[u8],
    ) -> Result<Job<Vec<u8>>, DriverError> {
        self.check_engine(self.identification.has_field, "field vector")?;
        let count = elements("elements", a.len(), FIELD_BYTES, 1)?;
        let right = elements("elements", b.len(), FIELD_BYTES, 1)?;
        if count != right {
            let (left_what, right_what) = ("elements of a", "elements of b");
            return Err(DriverError::CountsDiffer { left_what, left: count, right_what, right });
        }
        self.check_room()?;
        let first = self.filled(a)?.zeroize_on_drop();
        let second = self.filled(b)?.zeroize_on_drop();
        let result = self.bar.allocate_result(a.len())?.zeroize_on_drop();
        let descriptor = Descriptor {
            count: count as u32,
            host_a: first.iova(),
            host_b: second.iova(),
            host_out: result.iova(),
            parameter: field_parameter(field, operation),
            ..Descriptor::default()
        };
        let holdings = Holdings { inputs: vec![first, second], outputs: vec![result], resident: None };
        self.submit([(Opcode::FieldVector, descriptor)], Shape::Bytes(a.len()), holdings)
    }

    /// Has the card run its known answers, and gives the cycles that took.
    ///
    /// # Errors
    /// [`DriverError::CommandFailed`] with [`Status::SelfTestFailed`] where an answer is wrong.
    pub fn self_test(&mut self) -> Result<u64, DriverError> {
        self.check_room()?;
        let holdings = Holdings { inputs: Vec::new(), outputs: Vec::new(), resident: None };
        let job: Job<Done> =
            self.submit([(Opcode::SelfTest, Descriptor::default())], Shape::Done, holdings)?;
        Ok(self.wait(job, &mut |_| {})?.cycles)
    }

    /// The counters of the last MSM or field vector command that the card executed.
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
        let holdings = Holdings { inputs: Vec::new(), outputs: vec![block], resident: None };
        let job: Job<Vec<u8>> = self.submit([(opcode, descriptor)], Shape::Bytes(bytes), holdings)?;
        self.wait(job, &mut |_| {})
    }

    fn check_engine(&self, present: bool, engine: &'static str) -> Result<(), DriverError> {
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
fn elements(what: &'static str, bytes: usize, element: usize, least: usize) -> Result<usize, DriverError> {
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
