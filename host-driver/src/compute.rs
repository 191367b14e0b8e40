//! What a card computes: multi-scalar multiplications and field vectors.
//!
//! Operands from ordinary memory are copied into pinned buffers, as many as it takes where the card reaches only so much
//! in one piece: the job then consists of several commands. Operands in the caller's own pinned buffers stay where they
//! are.

use crate::bases::BasesHandle;
use crate::buffer::{CardBuffer, Refused};
use crate::card::Card;
use crate::commands::elements;
use crate::cost::{BitLengths, best_msm};
use crate::counted::CountedCommands;
use crate::dma::DmaBuffer;
use crate::error::DriverError;
use crate::job::{Done, Holdings, Job, JobOutput, Lent, MsmResult, Shape, mark_unwritten};
use spandrel_abi::*;
use std::ops::Range;
use zeroize::Zeroizing;

/// Bytes of a buffer that are looked at at a time.
const LOOK_BYTES: usize = 256 * FIELD_BYTES;

/// The order of a curve's group, little-endian: scalars are below it.
pub(crate) const fn group_order(curve: CurveId) -> [u8; FIELD_BYTES] {
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

/// A multi-scalar multiplication that was found to be possible.
struct Msm {
    curve: CurveId,
    window_bits: u8,
    /// Where the first base is.
    card_address: u64,
}

/// Commands with all that they need but their operands.
struct Work {
    counted: CountedCommands,
    shape: Shape,
}

impl Card {
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
        self.check_msm(bases, &range, scalars.len(), options)?;
        let mut look = Look::new(options.curve);
        look.at(scalars)?;
        let msm = self.msm(bases, &range, options, &look)?;
        self.check_room()?;
        let mut inputs = Vec::new();
        for part in scalars.chunks(self.bar.largest_buffer()) {
            inputs.push(self.filled(part)?.zeroize_on_drop());
        }
        // An MSM of nothing is a command too.
        let mut parts: Vec<_> = inputs.iter().map(|part| (part.iova(), part.len() / FIELD_BYTES)).collect();
        if parts.is_empty() {
            parts.push((0, 0));
        }
        let work = self.work(&msm, &parts)?;
        self.submit_work(bases, work, Holdings { inputs, ..Holdings::default() })
    }

    /// As [`Card::submit_msm_with`], with scalars that are in the first bytes of a buffer of [`Card::allocate`] already:
    /// they are not copied, and not overwritten. The buffer comes back with the result. Where the job fails on the card,
    /// the buffer is dropped with it.
    ///
    /// # Errors
    /// [`Refused`], which has the buffer (but for an error in posting the commands), for the reasons of [`Card::submit_msm_with`], and
    /// [`DriverError::AnotherCard`] for a buffer that is not this card's.
    pub fn submit_msm_buffer(
        &mut self,
        bases: &BasesHandle,
        range: Range<usize>,
        scalars: CardBuffer,
        options: &MsmOptions,
    ) -> Result<Job<Lent<MsmResult>>, Box<Refused>> {
        let work = match self.plan_msm_buffer(bases, &range, &scalars, options) {
            Ok(work) => work,
            Err(error) => return Err(Box::new(Refused { error, buffers: vec![scalars] })),
        };
        let submitted =
            self.submit_work(bases, work, Holdings { lent: vec![scalars], ..Holdings::default() });
        submitted.map_err(|error| Box::new(Refused { error, buffers: Vec::new() }))
    }

    fn plan_msm_buffer(
        &mut self,
        bases: &BasesHandle,
        range: &Range<usize>,
        scalars: &CardBuffer,
        options: &MsmOptions,
    ) -> Result<Work, DriverError> {
        self.check_buffers(std::slice::from_ref(scalars))?;
        self.check_msm(bases, range, scalars.len().min(range.len() * FIELD_BYTES), options)?;
        let mut look = Look::new(options.curve);
        let mut copy = Zeroizing::new([0; LOOK_BYTES]);
        let bytes = range.len() * FIELD_BYTES;
        for offset in (0..bytes).step_by(LOOK_BYTES) {
            let part = &mut copy[..LOOK_BYTES.min(bytes - offset)];
            scalars.read(offset, part)?;
            look.at(part)?;
        }
        let msm = self.msm(bases, range, options, &look)?;
        self.check_room()?;
        self.work(&msm, &[(scalars.iova(), range.len())])
    }

    /// Refuses what this card does not offer, and counts that do not match.
    fn check_msm(
        &self,
        bases: &BasesHandle,
        range: &Range<usize>,
        scalar_bytes: usize,
        options: &MsmOptions,
    ) -> Result<(), DriverError> {
        self.check_engine(self.identification.has_msm, "MSM")?;
        if !self.identification.has_curve(options.curve) {
            return Err(DriverError::NoCurve { curve: options.curve });
        }
        self.check_bases(bases, range)?;
        let count = elements("scalars", scalar_bytes, FIELD_BYTES, 0)?;
        match count == range.len() {
            true => Ok(()),
            false => Err(DriverError::CountsDiffer {
                left_what: "scalars",
                left: count,
                right_what: "bases",
                right: range.len(),
            }),
        }
    }

    fn msm(
        &self,
        bases: &BasesHandle,
        range: &Range<usize>,
        options: &MsmOptions,
        look: &Look,
    ) -> Result<Msm, DriverError> {
        Ok(Msm {
            curve: options.curve,
            window_bits: self.window_bits(options, &look.lengths)?,
            card_address: bases.resident.piece.start + (range.start * AFFINE_POINT_BYTES) as u64,
        })
    }

    /// The commands of an MSM in parts, each so many scalars at an address, and memory for their results.
    fn work(&mut self, msm: &Msm, parts: &[(u64, usize)]) -> Result<Work, DriverError> {
        let window_bits = msm.window_bits.into();
        let exponents: Vec<_> = self.identification.msm_result_exponents(window_bits).collect();
        let mut counted = CountedCommands::default();
        let mut card_address = msm.card_address;
        for (host_a, count) in parts {
            let result = self.bar.allocate_result(exponents.len() * PROJECTIVE_POINT_BYTES)?;
            let command = Descriptor {
                count: *count as u32,
                host_a: *host_a,
                card_address,
                parameter: msm_parameter(msm.curve, msm.window_bits),
                ..Descriptor::default()
            };
            self.add_counted(&mut counted, Opcode::Msm, command, result)?;
            card_address += (count * AFFINE_POINT_BYTES) as u64;
        }
        Ok(Work { counted, shape: Shape::Msm { curve: msm.curve, window_bits, exponents } })
    }

    fn submit_work<T: JobOutput>(
        &mut self,
        bases: &BasesHandle,
        Work { counted, shape }: Work,
        mut holdings: Holdings,
    ) -> Result<Job<T>, DriverError> {
        holdings.outputs = counted.outputs;
        holdings.resident = Some(bases.resident.clone());
        self.submit(counted.commands, shape, holdings)
    }

    /// The bits per window that the options name, if the card offers them, or the best for these scalars.
    fn window_bits(&self, options: &MsmOptions, lengths: &BitLengths) -> Result<u8, DriverError> {
        let card = &self.identification;
        let no =
            |window_bits| DriverError::NoWindowBits { window_bits, choices: card.window_choices().collect() };
        let window_bits = match options.window_bits {
            Some(window_bits) if card.window_choices().any(|choice| choice == window_bits) => window_bits,
            Some(window_bits) => return Err(no(window_bits)),
            None => best_msm(card, lengths).ok_or_else(|| no(0))?.window_bits,
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
        self.check_field(a.len(), b.len())?;
        self.check_room()?;
        let largest = self.bar.largest_buffer();
        let (mut inputs, mut outputs, mut commands) = (Vec::new(), Vec::new(), Vec::new());
        for (a, b) in a.chunks(largest).zip(b.chunks(largest)) {
            let first = self.filled(a)?.zeroize_on_drop();
            let second = self.filled(b)?.zeroize_on_drop();
            let result = self.bar.allocate_result(a.len())?.zeroize_on_drop();
            commands.push(field_command(field, operation, a.len(), [&first, &second, &result]));
            inputs.extend([first, second]);
            outputs.push(result);
        }
        let holdings = Holdings { inputs, outputs, ..Holdings::default() };
        self.submit(commands, Shape::Bytes(a.len()), holdings)
    }

    /// As [`Card::submit_field_vector`], with operands in the first `count` elements of buffers of [`Card::allocate`], and
    /// the result in those of another one. The three buffers (a, b, out) come back with the result. Where the job fails on
    /// the card, they are dropped with it.
    ///
    /// # Errors
    /// [`Refused`], which has the buffers: [`DriverError::BadCount`], also for a buffer with less than `count` elements;
    /// [`DriverError::AnotherCard`]; [`DriverError::TooManyJobs`].
    pub fn submit_field_buffers(
        &mut self,
        field: FieldId,
        operation: FieldOperation,
        count: usize,
        mut buffers: [CardBuffer; 3],
    ) -> Result<Job<Lent<Done>>, Box<Refused>> {
        let bytes = match self.check_field_buffers(count, &mut buffers) {
            Ok(bytes) => bytes,
            Err(error) => return Err(Box::new(Refused { error, buffers: buffers.into() })),
        };
        let [a, b, out] = &buffers;
        let command = field_command(field, operation, bytes, [a, b, out]);
        let holdings = Holdings { lent: buffers.into(), ..Holdings::default() };
        let submitted = self.submit([command], Shape::Filled(bytes), holdings);
        submitted.map_err(|error| Box::new(Refused { error, buffers: Vec::new() }))
    }

    fn check_field_buffers(
        &mut self,
        count: usize,
        buffers: &mut [CardBuffer; 3],
    ) -> Result<usize, DriverError> {
        self.check_buffers(buffers)?;
        let most = buffers.iter().map(|buffer| buffer.len() / FIELD_BYTES).min().unwrap_or(0);
        let most = most.min(MAX_COUNT as usize);
        if !(1..=most).contains(&count) {
            return Err(DriverError::BadCount { what: "elements", count, least: 1, most });
        }
        let bytes = count * FIELD_BYTES;
        self.check_field(bytes, bytes)?;
        self.check_room()?;
        mark_unwritten(&mut buffers[2], bytes)?;
        Ok(bytes)
    }

    fn check_field(&self, a_bytes: usize, b_bytes: usize) -> Result<(), DriverError> {
        self.check_engine(self.identification.has_field, "field vector")?;
        let count = elements("elements", a_bytes, FIELD_BYTES, 1)?;
        let right = elements("elements", b_bytes, FIELD_BYTES, 1)?;
        if count != right {
            let (left_what, right_what) = ("elements of a", "elements of b");
            return Err(DriverError::CountsDiffer { left_what, left: count, right_what, right });
        }
        Ok(())
    }
}

/// The command for a field vector of so many bytes.
fn field_command(
    field: FieldId,
    operation: FieldOperation,
    bytes: usize,
    [a, b, out]: [&DmaBuffer; 3],
) -> (Opcode, Descriptor) {
    let descriptor = Descriptor {
        count: (bytes / FIELD_BYTES) as u32,
        host_a: a.iova(),
        host_b: b.iova(),
        host_out: out.iova(),
        parameter: field_parameter(field, operation),
        ..Descriptor::default()
    };
    (Opcode::FieldVector, descriptor)
}

/// A look at all scalars: whether they are canonical, and how long they are.
struct Look {
    order: [u8; FIELD_BYTES],
    lengths: BitLengths,
    seen: usize,
}

impl Look {
    fn new(curve: CurveId) -> Look {
        Look { order: group_order(curve), lengths: BitLengths::of(&[]), seen: 0 }
    }

    /// Looks at the next scalars.
    fn at(&mut self, scalars: &[u8]) -> Result<(), DriverError> {
        let scalars_in_part = scalars.as_chunks::<FIELD_BYTES>().0;
        let canonical = |scalar: &[u8; FIELD_BYTES]| scalar.iter().rev().lt(self.order.iter().rev());
        if let Some(index) = scalars_in_part.iter().position(|scalar| !canonical(scalar)) {
            return Err(DriverError::ScalarNotCanonical { index: self.seen + index });
        }
        self.seen += scalars_in_part.len();
        self.lengths.add(&BitLengths::of(scalars));
        Ok(())
    }
}
