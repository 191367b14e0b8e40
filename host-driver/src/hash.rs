//! Poseidon hashes of many messages.
//!
//! Elements are 32 bytes, little-endian, in Montgomery form with R = 2^256, below the order of BN254's G1. Messages are
//! copied into pinned buffers in the order in which the card reads them, as many as it takes where the card reaches only
//! so much in one piece: the job then consists of several commands.

use crate::card::Card;
use crate::commands::elements;
use crate::compute::group_order;
use crate::counted::CountedCommands;
use crate::dma::DmaBuffer;
use crate::error::DriverError;
use crate::job::{Holdings, Job, Shape};
use spandrel_abi::*;
use zeroize::Zeroizing;

/// Most bytes that one command reads or writes: what needs more is several commands.
const COMMAND_BYTES: usize = 1 << 30;

/// Which element of the permuted state is the digest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum HashOutput {
    /// Element 0, as circomlib.
    #[default]
    First,
    /// Element 1, as the Nexus zkVM.
    Second,
}

impl HashOutput {
    /// The code in a command's parameter, which is the element's index.
    pub const fn code(self) -> u32 {
        self as u32
    }
}

/// What a hash or tree command resulted in.
#[derive(Clone, PartialEq, Eq)]
pub struct HashResult {
    /// Elements of 32 bytes, as the function that made the job says.
    pub bytes: Vec<u8>,
    /// Cycles from the command's fetch to its completion; their sum, where the work was cut into several.
    pub cycles: u64,
    /// The card's counters for this job.
    pub counters: Counters,
}

impl std::fmt::Debug for HashResult {
    /// Without the elements, which may be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HashResult")
            .field("bytes", &self.bytes.len())
            .field("cycles", &self.cycles)
            .field("counters", &self.counters)
            .finish()
    }
}

/// Commands of a job, and the buffers that they read.
#[derive(Default)]
pub(crate) struct HashWork {
    counted: CountedCommands,
    pub(crate) inputs: Vec<DmaBuffer>,
}

/// How messages of a sponge lie in a command's operand.
struct Layout {
    /// Elements of a block.
    rate: usize,
    /// Blocks of a message.
    blocks: usize,
    /// Elements of a message as it is given.
    message: usize,
}

impl Card {
    /// Submits Poseidon hashes of fixed length: messages of `width` - 1 elements lie one behind the other in `inputs`,
    /// and the result has a digest of 32 bytes for each. The copy of the inputs is overwritten when the job ends.
    ///
    /// # Errors
    /// [`DriverError::NoEngine`] and [`DriverError::NoWidth`] for what this card does not offer;
    /// [`DriverError::RaggedInput`], [`DriverError::BadCount`] and [`DriverError::ElementNotCanonical`] for wrong inputs;
    /// [`DriverError::TooManyJobs`]; [`DriverError::Transport`] without memory for the inputs.
    pub fn submit_poseidon(
        &mut self,
        width: u32,
        output: HashOutput,
        inputs: &[u8],
    ) -> Result<Job<HashResult>, DriverError> {
        self.check_width(width)?;
        let message_bytes = (width as usize - 1) * FIELD_BYTES;
        let messages = elements("messages", inputs.len(), message_bytes, 1)?;
        check_canonical("input", inputs)?;
        self.check_room()?;
        let mut work = HashWork::default();
        for part in inputs.chunks(self.most_elements(message_bytes) * message_bytes) {
            let source = self.filled(part)?.zeroize_on_drop();
            let command = Descriptor {
                count: (part.len() / message_bytes) as u32,
                host_a: source.iova(),
                parameter: poseidon_parameter(width, output.code(), 0),
                ..Descriptor::default()
            };
            work.inputs.push(source);
            self.add_command(&mut work, Opcode::Poseidon, command, command.count as usize * FIELD_BYTES)?;
        }
        self.submit_hashes(work, messages * FIELD_BYTES, Holdings::default())
    }

    /// Submits hashes of longer messages by a sponge of rate `width` - 1: messages of `message_elements` elements lie one
    /// behind the other in `inputs`, and the result has a digest of 32 bytes for each. Every message is filled up with
    /// zeros to whole blocks, at least one; the state begins with the element `capacity`, which should tell the length.
    /// Messages of no elements are one message, the empty one.
    ///
    /// # Errors
    /// As [`Card::submit_poseidon`]; [`DriverError::BadCount`] also for messages of more than 65,535 blocks, or longer
    /// than the longest buffer.
    pub fn submit_sponge(
        &mut self,
        width: u32,
        output: HashOutput,
        capacity: &[u8; FIELD_BYTES],
        message_elements: usize,
        inputs: &[u8],
    ) -> Result<Job<HashResult>, DriverError> {
        self.check_width(width)?;
        let rate = width as usize - 1;
        let layout =
            Layout { rate, blocks: message_elements.div_ceil(rate).max(1), message: message_elements };
        let longest = self.bar.largest_buffer().min(COMMAND_BYTES) / (rate * FIELD_BYTES);
        let most = longest.min(u16::MAX.into()) * rate;
        if message_elements > most {
            let (what, count) = ("elements of a message", message_elements);
            return Err(DriverError::BadCount { what, count, least: 0, most });
        }
        let messages = match (message_elements, inputs.len()) {
            (0, 0) => 1,
            (0, bytes) => return Err(DriverError::RaggedInput { what: "messages", bytes, element: 0 }),
            (count, bytes) => elements("messages", bytes, count * FIELD_BYTES, 1)?,
        };
        check_canonical("capacity element", capacity)?;
        check_canonical("input", inputs)?;
        self.check_room()?;
        let mut work = HashWork::default();
        let start = self.filled(capacity)?;
        let host_b = start.iova();
        work.inputs.push(start);
        let most = self.most_elements(layout.blocks * rate * FIELD_BYTES);
        for first in (0..messages).step_by(most) {
            let count = most.min(messages - first);
            let part = &inputs[first * layout.message * FIELD_BYTES..];
            let part = &part[..count * layout.message * FIELD_BYTES];
            let source = self.laid_out(&layout, count, part)?;
            let command = Descriptor {
                count: count as u32,
                host_a: source.iova(),
                host_b,
                parameter: poseidon_parameter(width, output.code(), layout.blocks as u16),
                ..Descriptor::default()
            };
            work.inputs.push(source);
            self.add_command(&mut work, Opcode::Poseidon, command, count * FIELD_BYTES)?;
        }
        self.submit_hashes(work, messages * FIELD_BYTES, Holdings::default())
    }

    /// A buffer with messages in groups, block by block, so that the card reads from front to back what it needs next.
    fn laid_out(&mut self, layout: &Layout, count: usize, part: &[u8]) -> Result<DmaBuffer, DriverError> {
        let (block, message) = (layout.rate * FIELD_BYTES, layout.message * FIELD_BYTES);
        let mut buffer = self.bar.allocate(count * layout.blocks * block)?.zeroize_on_drop();
        let mut offset = 0;
        for first in (0..count).step_by(SPONGE_GROUP as usize) {
            let group = first..count.min(first + SPONGE_GROUP as usize);
            for start in (0..layout.blocks).map(|index| index * block) {
                // Zero where the message ends within the block.
                let mut row = Zeroizing::new(vec![0; group.len() * block]);
                for (into, index) in row.chunks_mut(block).zip(group.clone()) {
                    let of_message = &part[index * message..(index + 1) * message];
                    let from = &of_message[start.min(message)..message.min(start + block)];
                    into[..from.len()].copy_from_slice(from);
                }
                buffer.write(offset, &row)?;
                offset += row.len();
            }
        }
        Ok(buffer)
    }

    /// Elements of so many bytes that one command can take from one buffer.
    pub(crate) fn most_elements(&self, bytes: usize) -> usize {
        let most = self.bar.largest_buffer().min(COMMAND_BYTES) / bytes.max(FIELD_BYTES);
        most.clamp(1, MAX_COUNT as usize)
    }

    /// Adds a command that writes `result_bytes` bytes, whose address is set here.
    pub(crate) fn add_command(
        &mut self,
        work: &mut HashWork,
        opcode: Opcode,
        command: Descriptor,
        result_bytes: usize,
    ) -> Result<(), DriverError> {
        let result = self.bar.allocate_result(result_bytes)?.zeroize_on_drop();
        self.add_counted(&mut work.counted, opcode, command, result)
    }

    /// Submits commands whose last `bytes` bytes of results are the job's.
    pub(crate) fn submit_hashes(
        &mut self,
        work: HashWork,
        bytes: usize,
        holdings: Holdings,
    ) -> Result<Job<HashResult>, DriverError> {
        let HashWork { counted: CountedCommands { commands, outputs }, inputs } = work;
        self.submit(commands, Shape::Hash { bytes }, Holdings { inputs, outputs, ..holdings })
    }

    /// Refuses a width for which this card has no lane.
    pub(crate) fn check_width(&self, width: u32) -> Result<(), DriverError> {
        let card = &self.identification;
        self.check_engine(card.has_poseidon, "Poseidon")?;
        if card.lanes(width) > 0 {
            return Ok(());
        }
        let widths = POSEIDON_MIN_WIDTH..=POSEIDON_MAX_WIDTH;
        Err(DriverError::NoWidth { width, choices: widths.filter(|width| card.lanes(*width) > 0).collect() })
    }
}

/// Refuses elements that are not below the prime. Which one is told, never what it is.
pub(crate) fn check_canonical(what: &'static str, elements: &[u8]) -> Result<(), DriverError> {
    // The order of the group is the scalar field's prime.
    const PRIME: [u64; 4] = limbs(&group_order(CurveId::Bn254G1));
    let below = |element: &[u8; FIELD_BYTES]| limbs(element).iter().rev().lt(PRIME.iter().rev());
    match elements.as_chunks().0.iter().position(|element| !below(element)) {
        Some(index) => Err(DriverError::ElementNotCanonical { what, index }),
        None => Ok(()),
    }
}

/// Four limbs, the least significant first.
const fn limbs(element: &[u8; FIELD_BYTES]) -> [u64; 4] {
    let mut limbs = [0; 4];
    let mut at = FIELD_BYTES;
    while at > 0 {
        at -= 1;
        limbs[at / 8] = limbs[at / 8] << 8 | element[at] as u64;
    }
    limbs
}
