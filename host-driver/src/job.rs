//! Jobs: what was asked of the card, and what came back.

use crate::bases::Resident;
use crate::dma::{DmaBuffer, DmaOutOfBounds};
use crate::error::DriverError;
use spandrel_abi::*;
use std::marker::PhantomData;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// A multi-scalar multiplication's result, as weighted sums: the result is the sum of 2^exponent times the point over
/// all `exponents` and `points`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MsmResult {
    /// The curve of the points.
    pub curve: CurveId,
    /// Bits of a window.
    pub window_bits: u32,
    /// For every point, the exponent of its weight, below 256 + `window_bits`. An exponent may occur several times.
    pub exponents: Vec<u32>,
    /// Homogeneous projective points: X, Y, Z of 32 bytes each, little-endian, in Montgomery form.
    pub points: Vec<[u8; PROJECTIVE_POINT_BYTES]>,
    /// Cycles from the command's fetch to its completion.
    pub cycles: u64,
    /// The card's counters for this job.
    pub counters: Counters,
}

/// How far a wait has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The card's time since the wait began.
    pub elapsed: Duration,
    /// The same in cycles of the card's clock.
    pub cycles: u64,
    /// Commands that the card has not ended yet, those of the awaited job and of all others.
    pub commands_outstanding: usize,
    /// Time left until the card must have shown progress.
    pub remaining: Duration,
    /// What the MSM engine did so far, where [`CardOptions::sample`](crate::CardOptions::sample) asks for it.
    pub sample: Option<Sample>,
}

/// A look at the MSM engine while it works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Cycles since the card's last reset.
    pub cycles: u64,
    /// Additions issued at that cycle since the running job's start, or in the last job where none runs; modulo 2^32.
    pub additions: u32,
}

/// Work given to a card, whose result is a `T`.
///
/// Await it with [`Card::wait`](crate::Card::wait), in any order among jobs. Dropping it instead is safe: the
/// card finishes the work, its buffers live until then, and the result is thrown away.
#[derive(Debug)]
#[must_use = "the result of a job that is dropped is thrown away"]
pub struct Job<T = MsmResult> {
    pub(crate) card: u64,
    pub(crate) generation: u64,
    pub(crate) id: u64,
    /// Kept only so that the card can see when the job is dropped.
    pub(crate) _interest: Arc<()>,
    pub(crate) _output: PhantomData<fn() -> T>,
}

/// What a job can result in: an [`MsmResult`], the bytes of a field vector, or [`Done`].
pub trait JobOutput: sealed::FromOutput {}

impl<T: sealed::FromOutput> JobOutput for T {}

/// The result of a job without data: cycles from fetch to completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// Cycles from the command's fetch to its completion.
    pub cycles: u64,
}

/// Bytes that a command wrote, and the cycles it took from fetch to completion.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) bytes: Vec<u8>,
    pub(crate) cycles: u64,
}

pub(crate) mod sealed {
    use super::*;

    /// Results of any kind, until they are handed out.
    #[derive(Debug)]
    pub enum Output {
        Msm(Box<MsmResult>),
        Bytes(Vec<u8>, u64),
        Done(Done),
    }

    pub trait FromOutput: Sized {
        fn from_output(output: Output) -> Option<Self>;
    }

    impl FromOutput for MsmResult {
        fn from_output(output: Output) -> Option<MsmResult> {
            if let Output::Msm(result) = output { Some(*result) } else { None }
        }
    }

    impl FromOutput for Vec<u8> {
        fn from_output(output: Output) -> Option<Vec<u8>> {
            if let Output::Bytes(bytes, _) = output { Some(bytes) } else { None }
        }
    }

    impl FromOutput for Block {
        fn from_output(output: Output) -> Option<Block> {
            if let Output::Bytes(bytes, cycles) = output { Some(Block { bytes, cycles }) } else { None }
        }
    }

    impl FromOutput for Done {
        fn from_output(output: Output) -> Option<Done> {
            if let Output::Done(done) = output { Some(done) } else { None }
        }
    }
}

pub(crate) use sealed::Output;

/// How a result is read once all commands of a job have ended.
#[derive(Debug)]
pub(crate) enum Shape {
    /// Weighted sums in the first output, counters in the second.
    Msm { curve: CurveId, window_bits: u32, exponents: Vec<u32> },
    /// This many bytes of the first output.
    Bytes(usize),
    /// Nothing.
    Done,
}

/// What a job holds on to while the card works on it.
#[derive(Debug)]
pub(crate) struct Holdings {
    /// Buffers that the card only reads.
    #[expect(dead_code, reason = "kept only until it may be dropped")]
    pub(crate) inputs: Vec<DmaBuffer>,
    /// Buffers that the card writes.
    pub(crate) outputs: Vec<DmaBuffer>,
    /// Card memory that it reads or writes.
    #[expect(dead_code, reason = "kept only until it may be dropped")]
    pub(crate) resident: Option<Arc<Resident>>,
}

/// A job as the card's owner keeps it.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) interest: Weak<()>,
    pub(crate) state: State,
}

#[derive(Debug)]
pub(crate) enum State {
    /// Commands are in the ring or behind it.
    Running(Running),
    /// All commands have ended.
    Ended(Result<Output, Failure>),
}

/// The first command of a job that failed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Failure {
    /// The card says so.
    Status { opcode: Opcode, status: Status },
    /// The card says that it succeeded, but a part of the result never reached memory.
    NotWritten { opcode: Opcode, offset: usize },
}

impl From<Failure> for DriverError {
    fn from(failure: Failure) -> DriverError {
        match failure {
            Failure::Status { opcode, status } => DriverError::CommandFailed { opcode, status },
            Failure::NotWritten { opcode, offset } => DriverError::ResultNotWritten { opcode, offset },
        }
    }
}

/// What buffers for results hold before the card writes: no field element, and no counter, is that large.
const UNWRITTEN: [u8; FIELD_BYTES] = [0xff; FIELD_BYTES];

/// Marks all of a buffer as not written.
///
/// A write over PCIe is not answered: where an IOMMU or a bridge throws it away, the card cannot know. Zeros would be
/// taken for a result, the point at infinity.
pub(crate) fn mark_unwritten(buffer: &mut DmaBuffer) -> Result<(), DmaOutOfBounds> {
    for offset in (0..buffer.len()).step_by(FIELD_BYTES) {
        let bytes = FIELD_BYTES.min(buffer.len() - offset);
        buffer.write(offset, &UNWRITTEN[..bytes])?;
    }
    Ok(())
}

/// The offset of the first element of a result that still has the mark.
fn first_unwritten(bytes: &[u8]) -> Option<usize> {
    let index = bytes.as_chunks().0.iter().position(|element| *element == UNWRITTEN)?;
    Some(index * FIELD_BYTES)
}

#[derive(Debug)]
pub(crate) struct Running {
    /// Of the first command.
    pub(crate) opcode: Opcode,
    pub(crate) shape: Shape,
    pub(crate) holdings: Holdings,
    /// Commands that have not ended.
    pub(crate) commands_left: usize,
    pub(crate) failure: Option<Failure>,
    /// Of the first command.
    pub(crate) cycles: Option<u64>,
}

impl Record {
    /// Whether nobody can ask for the result any more.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.interest.strong_count() == 0
    }

    /// Takes in the end of one of the job's commands.
    pub(crate) fn command_ended(
        &mut self,
        opcode: Opcode,
        status: Status,
        cycles: u64,
    ) -> Result<(), DmaOutOfBounds> {
        let State::Running(running) = &mut self.state else { return Ok(()) };
        running.commands_left = running.commands_left.saturating_sub(1);
        running.cycles.get_or_insert(cycles);
        if status != Status::Success {
            running.failure.get_or_insert(Failure::Status { opcode, status });
        }
        if running.commands_left == 0 {
            let result = match running.failure {
                Some(failure) => Err(failure),
                None => running.output()?,
            };
            // Gives back buffers and card memory, and overwrites secrets.
            self.state = State::Ended(result);
        }
        Ok(())
    }
}

impl Running {
    /// What the job came to, or which part of it did not reach memory.
    fn output(&self) -> Result<Result<Output, Failure>, DmaOutOfBounds> {
        let not_written = |offset| Ok(Err(Failure::NotWritten { opcode: self.opcode, offset }));
        let cycles = self.cycles.unwrap_or(0);
        let read = |which: usize, into: &mut [u8]| match self.holdings.outputs.get(which) {
            Some(buffer) => buffer.read(0, into),
            None => Err(DmaOutOfBounds { offset: 0, bytes: into.len(), length: 0 }),
        };
        Ok(Ok(match &self.shape {
            Shape::Done => Output::Done(Done { cycles }),
            Shape::Bytes(bytes) => {
                let mut data = vec![0; *bytes];
                read(0, &mut data)?;
                if let Some(offset) = first_unwritten(&data) {
                    return not_written(offset);
                }
                Output::Bytes(data, cycles)
            }
            Shape::Msm { curve, window_bits, exponents } => {
                let mut bytes = vec![0; exponents.len() * PROJECTIVE_POINT_BYTES];
                read(0, &mut bytes)?;
                let mut counters = [0; COUNTERS_BYTES];
                read(1, &mut counters)?;
                if let Some(offset) = first_unwritten(&bytes).or_else(|| first_unwritten(&counters)) {
                    return not_written(offset);
                }
                Output::Msm(Box::new(MsmResult {
                    curve: *curve,
                    window_bits: *window_bits,
                    exponents: exponents.clone(),
                    points: bytes.as_chunks().0.to_vec(),
                    cycles,
                    counters: Counters::from_bytes(&counters),
                }))
            }
        }))
    }
}
