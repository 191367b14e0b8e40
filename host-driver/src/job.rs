//! Jobs: what was asked of the card, and what came back.

use crate::bases::Resident;
use crate::buffer::CardBuffer;
use crate::dma::{DmaBuffer, DmaOutOfBounds};
use crate::error::DriverError;
use crate::hash::HashResult;
use crate::tree::Standing;
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
    /// Cycles from the command's fetch to its completion; their sum, where the work was cut into several.
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

/// What a job can result in: an [`MsmResult`], a [`HashResult`], the bytes of a field vector, or [`Done`].
pub trait JobOutput: sealed::FromOutput {}

impl<T: sealed::FromOutput> JobOutput for T {}

/// The result of a job without data: cycles from fetch to completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// Cycles from the command's fetch to its completion.
    pub cycles: u64,
}

/// What a job on the caller's own buffers results in, and the buffers. They were made by
/// [`Card::allocate`](crate::Card::allocate), and can be used for another job.
#[derive(Debug)]
pub struct Lent<T> {
    /// The result.
    pub result: T,
    /// The buffers, in the order in which they were given.
    pub buffers: Vec<CardBuffer>,
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
        Hash(Box<HashResult>),
        Bytes(Vec<u8>, u64),
        Done(Done),
        Lent(Box<Output>, Vec<CardBuffer>),
    }

    pub trait FromOutput: Sized {
        fn from_output(output: Output) -> Option<Self>;
    }

    impl FromOutput for MsmResult {
        fn from_output(output: Output) -> Option<MsmResult> {
            if let Output::Msm(result) = output { Some(*result) } else { None }
        }
    }

    impl FromOutput for HashResult {
        fn from_output(output: Output) -> Option<HashResult> {
            if let Output::Hash(result) = output { Some(*result) } else { None }
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

    impl<T: FromOutput> FromOutput for Lent<T> {
        fn from_output(output: Output) -> Option<Lent<T>> {
            let Output::Lent(result, buffers) = output else { return None };
            T::from_output(*result).map(|result| Lent { result, buffers })
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
    /// Weighted sums in the first output and counters in the second; and so on, where the work was cut into parts.
    Msm { curve: CurveId, window_bits: u32, exponents: Vec<u32> },
    /// Elements in the first output and counters in the second; and so on, where the work was cut into parts. Of all
    /// elements, the last so many bytes are the result.
    Hash { bytes: usize },
    /// This many bytes, one output after the other.
    Bytes(usize),
    /// Nothing but what stands in the last of the caller's buffers, in so many bytes.
    Filled(usize),
    /// Nothing.
    Done,
}

/// What a job holds on to while the card works on it.
#[derive(Debug, Default)]
pub(crate) struct Holdings {
    /// Buffers that the card only reads.
    #[expect(dead_code, reason = "kept only until it may be dropped")]
    pub(crate) inputs: Vec<DmaBuffer>,
    /// Buffers that the card writes.
    pub(crate) outputs: Vec<DmaBuffer>,
    /// Buffers that the caller gets back with the result.
    pub(crate) lent: Vec<CardBuffer>,
    /// Card memory that it reads or writes.
    pub(crate) resident: Option<Arc<Resident>>,
    /// The tree that it is about.
    pub(crate) tree: Option<Arc<Standing>>,
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
    /// A command before this job left the tree that it is about in an unknown state.
    TreeLost,
}

impl From<Failure> for DriverError {
    fn from(failure: Failure) -> DriverError {
        match failure {
            Failure::Status { opcode, status } => DriverError::CommandFailed { opcode, status },
            Failure::NotWritten { opcode, offset } => DriverError::ResultNotWritten { opcode, offset },
            Failure::TreeLost => DriverError::tree_spoilt(),
        }
    }
}

/// What buffers for results hold before the card writes: no field element, and no counter, is that large.
const UNWRITTEN: [u8; FIELD_BYTES] = [0xff; FIELD_BYTES];

/// Marks the first `bytes` bytes of a buffer as not written.
///
/// A write over PCIe is not answered: where an IOMMU or a bridge throws it away, the card cannot know. Zeros would be
/// taken for a result, the point at infinity.
pub(crate) fn mark_unwritten(buffer: &mut DmaBuffer, bytes: usize) -> Result<(), DmaOutOfBounds> {
    for offset in (0..bytes).step_by(FIELD_BYTES) {
        buffer.write(offset, &UNWRITTEN[..FIELD_BYTES.min(bytes - offset)])?;
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
    /// Of all commands with the first one's opcode.
    pub(crate) cycles: u64,
    /// Whether a command may have written to the tree that the job is about.
    pub(crate) wrote_tree: bool,
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
        if opcode == running.opcode {
            running.cycles = running.cycles.saturating_add(cycles);
        }
        running.wrote_tree |= writes_tree(opcode) && !is_refusal(status);
        if status != Status::Success {
            running.failure.get_or_insert(Failure::Status { opcode, status });
        }
        if running.commands_left == 0 {
            let result = match running.failure {
                Some(failure) => Err(failure),
                None => running.output()?,
            };
            let result = running.settle(result);
            let lent = std::mem::take(&mut running.holdings.lent);
            let result = match lent.is_empty() {
                true => result,
                false => result.map(|output| Output::Lent(Box::new(output), lent)),
            };
            // Gives back buffers and card memory, and overwrites secrets.
            self.state = State::Ended(result);
        }
        Ok(())
    }
}

impl Running {
    /// Notes what the job did to its tree, and fails it where the tree was lost.
    fn settle(&self, result: Result<Output, Failure>) -> Result<Output, Failure> {
        let Some(tree) = &self.holdings.tree else { return result };
        // A tree that was not built is not there, even where the card did not begin to.
        if result.is_err() && (self.wrote_tree || self.opcode == Opcode::MerkleBuild) {
            tree.lose();
        }
        // Jobs end in order, so that one that read a lost tree knows of it by now.
        match result {
            Ok(_) if tree.is_lost() => Err(Failure::TreeLost),
            result => result,
        }
    }

    /// What the job came to, or which part of it did not reach memory.
    fn output(&self) -> Result<Result<Output, Failure>, DmaOutOfBounds> {
        let not_written = |offset| Ok(Err(Failure::NotWritten { opcode: self.opcode, offset }));
        let cycles = self.cycles;
        Ok(Ok(match &self.shape {
            Shape::Done => Output::Done(Done { cycles }),
            Shape::Bytes(bytes) => {
                let mut data = vec![0; *bytes];
                let mut rest = data.as_mut_slice();
                for buffer in &self.holdings.outputs {
                    let (part, after) = rest.split_at_mut(buffer.len().min(rest.len()));
                    buffer.read(0, part)?;
                    rest = after;
                }
                if let Some(offset) = first_unwritten(&data) {
                    return not_written(offset);
                }
                Output::Bytes(data, cycles)
            }
            Shape::Filled(bytes) => {
                let mut element = [0; FIELD_BYTES];
                for offset in (0..*bytes).step_by(FIELD_BYTES) {
                    if let Some(buffer) = self.holdings.lent.last() {
                        buffer.read(offset, &mut element)?;
                    }
                    if element == UNWRITTEN {
                        return not_written(offset);
                    }
                }
                Output::Done(Done { cycles })
            }
            Shape::Msm { curve, window_bits, exponents } => {
                let mut result = MsmResult {
                    curve: *curve,
                    window_bits: *window_bits,
                    exponents: Vec::new(),
                    points: Vec::new(),
                    cycles,
                    counters: Counters::default(),
                };
                for part in self.holdings.outputs.as_chunks::<2>().0 {
                    let (bytes, counters) = match counted(part)? {
                        Ok(counted) => counted,
                        Err(offset) => return not_written(offset),
                    };
                    result.exponents.extend(exponents);
                    result.points.extend(bytes.as_chunks().0);
                    result.counters = sum(&result.counters, &counters);
                }
                Output::Msm(Box::new(result))
            }
            Shape::Hash { bytes: wanted } => {
                let mut result = HashResult { bytes: Vec::new(), cycles, counters: Counters::default() };
                for part in self.holdings.outputs.as_chunks::<2>().0 {
                    let (bytes, counters) = match counted(part)? {
                        Ok(counted) => counted,
                        Err(offset) => return not_written(result.bytes.len() + offset),
                    };
                    result.bytes.extend(bytes);
                    result.counters = sum(&result.counters, &counters);
                }
                result.bytes.drain(..result.bytes.len().saturating_sub(*wanted));
                Output::Hash(Box::new(result))
            }
        }))
    }
}

/// Whether a command changes a tree in card memory.
fn writes_tree(opcode: Opcode) -> bool {
    matches!(opcode, Opcode::MerkleBuild | Opcode::MerkleUpdate)
}

/// Whether a card that ends a command so has written nothing.
fn is_refusal(status: Status) -> bool {
    matches!(
        status,
        Status::UnknownOpcode
            | Status::ReservedNotZero
            | Status::BadLength
            | Status::BadAlignment
            | Status::CardAddressOutOfRange
            | Status::BadParameter
            | Status::Unsupported
            | Status::BadIndex
    )
}

/// The bytes of a result and the counters behind it, or the offset of the first element that is missing.
fn counted(
    [result, counters]: &[DmaBuffer; 2],
) -> Result<Result<(Vec<u8>, Counters), usize>, DmaOutOfBounds> {
    let (mut bytes, mut words) = (vec![0; result.len()], [0; COUNTERS_BYTES]);
    result.read(0, &mut bytes)?;
    counters.read(0, &mut words)?;
    Ok(match first_unwritten(&bytes).or_else(|| first_unwritten(&words)) {
        Some(offset) => Err(offset),
        None => Ok((bytes, Counters::from_bytes(&words))),
    })
}

/// The sum of each counter.
fn sum(a: &Counters, b: &Counters) -> Counters {
    let (mut total, b) = (a.to_bytes(), b.to_bytes());
    for (word, other) in total.as_chunks_mut().0.iter_mut().zip(b.as_chunks().0) {
        *word = u64::from_le_bytes(*word).wrapping_add(u64::from_le_bytes(*other)).to_le_bytes();
    }
    Counters::from_bytes(&total)
}
