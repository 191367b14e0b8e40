//! What can go wrong, in sentences: what was wrong, where, and what to do.

use crate::dma::DmaOutOfBounds;
use crate::transport::TransportError;
use spandrel_abi::{ABI_MAJOR, ABI_MINOR, CurveId, MAGIC_VALUE, Opcode, Status};
use std::ops::Range;
use std::time::Duration;

/// Every error of the driver.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DriverError {
    /// The transport could not do what it was asked to.
    #[error(transparent)]
    Transport(#[from] TransportError),

    /// A register reads all ones, which no Spandrel card answers.
    #[error(
        "register {register} reads all ones: the card is off the bus or without power; \
         check that it is listed and powered, then open it again"
    )]
    CardGone {
        /// The register that was read.
        register: &'static str,
    },

    /// The identification word is not that of a Spandrel card.
    #[error(
        "the identification word is {found:#010x}, not {MAGIC_VALUE:#010x}: \
         this is no Spandrel card, or its bitstream is not loaded"
    )]
    NotSpandrel {
        /// What register MAGIC gave.
        found: u32,
    },

    /// The card speaks another major version of the interface.
    #[error(
        "the card speaks interface version {major}.{minor}, this driver {ABI_MAJOR}.{ABI_MINOR}: \
         load a bitstream and a driver of the same major version"
    )]
    AbiMismatch {
        /// The card's major version.
        major: u16,
        /// The card's minor version.
        minor: u16,
    },

    /// The card says something of itself that cannot be.
    #[error("the card reports {what} = {value}, but {allowed}: its bitstream or profile is wrong")]
    BadIdentification {
        /// The quantity.
        what: &'static str,
        /// Its value.
        value: u64,
        /// What it may be, as a clause.
        allowed: String,
    },

    /// The card does not work on a curve.
    #[error("the card does not work on {curve:?}: load a bitstream that does, or use another card")]
    NoCurve {
        /// The curve.
        curve: CurveId,
    },

    /// The card does not have windows of so many bits.
    #[error("the card has no windows of {window_bits} bits: it has {}", choices_text(choices))]
    NoWindowBits {
        /// Bits per window.
        window_bits: u32,
        /// What can be chosen.
        choices: Vec<u32>,
    },

    /// The card has no lanes for states of so many elements.
    #[error(
        "the card has no Poseidon lanes for states of {width} elements: it has those of {}; load another bitstream",
        choices_text(choices)
    )]
    NoWidth {
        /// Elements of the state.
        width: u32,
        /// What can be chosen.
        choices: Vec<u32>,
    },

    /// A register does not hold what was written to it.
    #[error(
        "register {register} reads {read:#010x} after {wrote:#010x} was written: \
         register access does not work; reset or re-seat the card"
    )]
    RegisterMismatch {
        /// The register.
        register: &'static str,
        /// The value written.
        wrote: u32,
        /// The value read back.
        read: u32,
    },

    /// The Identify command gave other words than the registers.
    #[error(
        "the card wrote other identification words to memory than its registers hold: \
         its access to host memory does not work"
    )]
    IdentificationDiffers,

    /// The card did not come out of reset.
    #[error(
        "the card did not come out of reset in {waited:?} of its time (STATUS = {status:#010x}): \
         power-cycle it or load its bitstream again"
    )]
    ResetFailed {
        /// How long the driver waited, in the card's time.
        waited: Duration,
        /// Register STATUS as last read.
        status: u32,
    },

    /// The card was reset by somebody else while it was in use.
    #[error(
        "the card was reset or disabled by something else than this driver: reset it and load its bases again"
    )]
    ResetBehindDriver,

    /// The transport broke a promise.
    #[error("the transport gave {what}: this is a fault of the transport, please report it")]
    TransportContract {
        /// What it gave.
        what: String,
    },

    /// The completion ring holds what no card writes.
    #[error("the completion ring is corrupted at entry {index}: {corruption}; reset the card")]
    QueueCorrupted {
        /// Index of the entry in the ring.
        index: u32,
        /// What is wrong with it.
        corruption: Corruption,
    },

    /// The card could not read or write its queues.
    #[error("the card stopped its queues with fault code {code} ({meaning}); reset it")]
    QueueFault {
        /// STATUS.FAULT_CODE.
        code: u8,
        /// What the code means.
        meaning: &'static str,
    },

    /// A command ended with another status than success.
    #[error(
        "command {opcode:?} ended with status {status:?}: {meaning}{advice}",
        meaning = status.doc().trim(),
        advice = advice(*status)
    )]
    CommandFailed {
        /// The command.
        opcode: Opcode,
        /// How it ended.
        status: Status,
    },

    /// A command did not end in time.
    #[error(
        "command {opcode:?} did not end in {waited:?} of the card's time (its bound is {bound:?}): \
         reset the card and load its bases again"
    )]
    TimedOut {
        /// The command that the card should have been executing.
        opcode: Opcode,
        /// Time since the card last showed progress.
        waited: Duration,
        /// The bound of the command.
        bound: Duration,
    },

    /// The card's time does not pass.
    #[error("the card's clock stands still at {at:?}: no wait can be bounded; reset or re-open the card")]
    ClockStopped {
        /// The time that did not change.
        at: Duration,
    },

    /// An earlier error left the card unusable.
    #[error("the card has to be reset first, since: {reason}")]
    NeedsReset {
        /// The earlier error.
        reason: String,
    },

    /// A handle of another card.
    #[error("the {what} belongs to another card: use it with the card that gave it")]
    AnotherCard {
        /// Bases, tree, buffer or job.
        what: &'static str,
    },

    /// Bases from before a reset.
    #[error("the bases were loaded before the card was reset and are no longer on it: load them again")]
    BasesLost,

    /// A tree from before a reset, or whose contents are unknown.
    #[error("the tree is no longer on the card, since {since}: build it again")]
    TreeLost {
        /// What happened to it, as a clause.
        since: &'static str,
    },

    /// A job from before a reset.
    #[error("the job had not ended when the card was reset: submit it again")]
    JobLost,

    /// The job's result was taken already, or the job is unknown.
    #[error("the card knows no such job: its result was taken already")]
    UnknownJob,

    /// The card has no engine for the command.
    #[error("the card has no {engine} engine: use a bitstream that has one, or compute on the CPU")]
    NoEngine {
        /// The missing engine.
        engine: &'static str,
    },

    /// The card says that a command succeeded, but its result is not in memory.
    #[error(
        "the card reported that {opcode:?} succeeded, but byte {offset} of its result was never written: the IOMMU or a \
         bridge has thrown the card's writes away; look for faults in the kernel's log"
    )]
    ResultNotWritten {
        /// The command.
        opcode: Opcode,
        /// First byte that is missing.
        offset: usize,
    },

    /// What was written to card memory is not what was read back.
    #[error(
        "byte {offset} of what was copied to card memory came back as something else: the card's memory or its link \
         is damaged"
    )]
    LoopbackDiffers {
        /// First byte that differs.
        offset: usize,
    },

    /// Input of a length that is no multiple of its element's.
    #[error("{what} are {bytes} bytes long, which is not a multiple of {element} bytes")]
    RaggedInput {
        /// The input.
        what: &'static str,
        /// Its length.
        bytes: usize,
        /// Bytes of one element.
        element: usize,
    },

    /// Too few or too many elements.
    #[error("{count} {what} were given, but a command takes {least} to {most}")]
    BadCount {
        /// The input.
        what: &'static str,
        /// Elements given.
        count: usize,
        /// Least number.
        least: usize,
        /// Greatest number.
        most: usize,
    },

    /// Two inputs that should be of one length are not.
    #[error("{left} {left_what} were given for {right} {right_what}: the numbers must be equal")]
    CountsDiffer {
        /// First input.
        left_what: &'static str,
        /// Its elements.
        left: usize,
        /// Second input.
        right_what: &'static str,
        /// Its elements.
        right: usize,
    },

    /// A range that is not one of the resident bases.
    #[error("range {}..{} reaches outside the {bases} resident bases", range.start, range.end)]
    BadRange {
        /// The range asked for.
        range: Range<usize>,
        /// Number of resident bases.
        bases: usize,
    },

    /// A scalar that is not below the group order. The scalar itself is a secret and is not told.
    #[error(
        "scalar {index} is not below the group order: give scalars in canonical form, 32 bytes little-endian"
    )]
    ScalarNotCanonical {
        /// Which scalar.
        index: usize,
    },

    /// A field element that is not below the prime. The element itself may be a secret and is not told.
    #[error(
        "{what} {index} is not below the prime of BN254's scalar field: give elements reduced, in Montgomery form, \
         32 bytes little-endian"
    )]
    ElementNotCanonical {
        /// The input.
        what: &'static str,
        /// Which element of it, from 0 on.
        index: usize,
    },

    /// A shape that no tree has.
    #[error("there is no tree of arity {arity} and depth {depth} with {leaves} leaves: {allowed}")]
    BadTree {
        /// Children of a node.
        arity: u32,
        /// Levels above the leaves.
        depth: u32,
        /// Leaves.
        leaves: u32,
        /// What it may be, as a clause.
        allowed: &'static str,
    },

    /// An index past a tree's leaves.
    #[error("there is no leaf {index} in a tree of {leaves} leaves: they are counted from 0 on")]
    BadLeaf {
        /// The index.
        index: usize,
        /// Leaves of the tree.
        leaves: usize,
    },

    /// An update that sets a leaf twice.
    #[error("leaf {index} is there twice in one update: give each leaf once")]
    LeafTwice {
        /// The index.
        index: usize,
    },

    /// Card memory has no room.
    #[error(
        "{bytes} bytes of card memory are wanted, but {free} of {total} are free, {largest_gap} in one piece: \
         release other bases or trees, or use a card with more memory"
    )]
    OutOfCardMemory {
        /// Bytes wanted.
        bytes: u64,
        /// Free bytes.
        free: u64,
        /// Longest free piece.
        largest_gap: u64,
        /// Bytes of card memory.
        total: u64,
    },

    /// As many jobs are under way as the options allow.
    #[error("{limit} jobs are under way already, which is the limit: wait for one first")]
    TooManyJobs {
        /// The limit.
        limit: usize,
    },

    /// An option out of its range.
    #[error("option {option} is {value}, but {allowed}")]
    BadOption {
        /// The option.
        option: &'static str,
        /// Its value.
        value: u64,
        /// What it may be, as a clause.
        allowed: &'static str,
    },
}

impl From<DmaOutOfBounds> for DriverError {
    fn from(error: DmaOutOfBounds) -> DriverError {
        DriverError::Transport(error.into())
    }
}

/// What is wrong with a completion entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Corruption {
    /// No command with this identifier is under way.
    #[error("no command with identifier {command_id} is under way")]
    UnknownCommand {
        /// The identifier.
        command_id: u16,
    },
    /// The phase is neither 0 nor 1.
    #[error("the phase is {phase}, not 0 or 1")]
    BadPhase {
        /// The phase.
        phase: u8,
    },
    /// The status is no status code.
    #[error("{status} is no status code")]
    BadStatus {
        /// The code.
        status: u8,
    },
    /// The submission head is outside what was submitted, or before the command that ended.
    #[error(
        "the submission head is {sq_head}, which is not between the ended command and the tail at {sq_tail}"
    )]
    HeadOutOfRange {
        /// The head.
        sq_head: u32,
        /// Index after the last entry submitted.
        sq_tail: u32,
    },
}

/// What to do about a status that the driver's own checks should have ruled out.
fn advice(status: Status) -> &'static str {
    match status {
        Status::NotCanonical | Status::BadIndex => {
            " The driver had checked the inputs: they were damaged on their way, or the card is broken. Run its self-test."
        }
        _ => "",
    }
}

/// A list as words.
fn choices_text(choices: &[u32]) -> String {
    let texts: Vec<_> = choices.iter().map(u32::to_string).collect();
    match texts.as_slice() {
        [] => "none".into(),
        [only] => only.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
