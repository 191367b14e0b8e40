//! What can be wrong with a file, and what to do about it.

use super::container::Section;
use super::points::PointProblem;
use std::io;
use std::path::PathBuf;

/// A file that cannot be used: which one, where in it, what is wrong, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {problem}\n  what to do: {}", file.display(), in_section(*section), problem.advice())]
pub struct FormatError {
    /// The file.
    pub file: PathBuf,
    /// The section of a binary container, where the problem lies in one.
    pub section: Option<Section>,
    /// What is wrong.
    pub problem: Problem,
}

fn in_section(section: Option<Section>) -> String {
    section.map_or(String::new(), |section| format!(", section {section}"))
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The operating system refused.
    #[error("cannot be {action}: {source}")]
    Io {
        /// What was tried: "opened", "mapped", "read".
        action: &'static str,
        /// The operating system's reason.
        source: io::Error,
    },
    /// A directory, FIFO, device or socket.
    #[error("is a {found}, not a regular file")]
    NotARegularFile {
        /// What it is.
        found: &'static str,
    },
    /// Larger than any file of its kind.
    #[error("has {bytes} bytes, more than the {limit} that a file of this kind can need")]
    TooLarge {
        /// Size of the file in bytes.
        bytes: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The first four bytes are another format's.
    #[error("does not start with \"{expected}\": it is not a .{expected} file")]
    WrongMagic {
        /// The four letters that it should start with.
        expected: &'static str,
    },
    /// A container version that this reader does not know.
    #[error("has container version {found}; versions 1 to {newest} are understood")]
    WrongVersion {
        /// The file's version.
        found: u32,
        /// The newest version understood.
        newest: u32,
    },
    /// Something reaches past the end of what holds it.
    #[error("{what} at byte {offset} needs {needed} bytes, but only {available} are left")]
    Truncated {
        /// What reaches past the end.
        what: &'static str,
        /// Where it starts, in bytes from the start of the file.
        offset: usize,
        /// Its length in bytes.
        needed: u64,
        /// Bytes left.
        available: usize,
    },
    /// Bytes after the last section.
    #[error("{bytes} bytes follow the last section")]
    TrailingBytes {
        /// How many.
        bytes: usize,
    },
    /// A section that must be there is not.
    #[error("the section is missing")]
    MissingSection,
    /// A section that must be unique is there more than once.
    #[error("the section occurs more than once")]
    DuplicateSection,
    /// A section's length does not follow from the counts in the header.
    #[error("the section has {found} bytes where {expected} follow from {because}")]
    WrongLength {
        /// The length in bytes.
        found: usize,
        /// The length that it must have, in bytes.
        expected: u64,
        /// What determines it.
        because: &'static str,
    },
    /// Not a Groth16 key.
    #[error("the key is for {found}, not for Groth16")]
    WrongProtocol {
        /// The proof system.
        found: String,
    },
    /// Another curve.
    #[error("the {what} is not that of BN254 (bn128)")]
    WrongCurve {
        /// The prime or name that differs.
        what: &'static str,
    },
    /// A number in a header that cannot be.
    #[error("{what} is {value}, but {constraint}")]
    BadValue {
        /// Which number.
        what: &'static str,
        /// Its value.
        value: u64,
        /// What it must satisfy.
        constraint: String,
    },
    /// A field element that is not below its modulus.
    #[error("{what} {index} is not below the field's modulus")]
    NotReduced {
        /// Which list it is in.
        what: &'static str,
        /// Its place in the list, from 0.
        index: usize,
    },
    /// A point that cannot be used.
    #[error("point {index} of {what} {problem}")]
    BadPoint {
        /// Which list it is in.
        what: &'static str,
        /// Its place in the list, from 0.
        index: usize,
        /// What is wrong with it.
        problem: PointProblem,
    },
    /// The first value of a witness is not 1.
    #[error("the witness does not start with the constant 1")]
    NoConstantOne,
    /// A proving key and a witness of different circuits.
    #[error("holds {found} values, but the circuit of {key} has {expected}: they are of different circuits")]
    MismatchedPair {
        /// Values in the witness.
        found: usize,
        /// Variables of the circuit.
        expected: usize,
        /// The proving key.
        key: String,
    },
    /// A line of a text file that cannot be read.
    #[error("line {line} {why}")]
    BadLine {
        /// Its number, from 1.
        line: usize,
        /// What is wrong with it, a clause.
        why: String,
    },
    /// 32 bytes that are no element.
    #[error("element {index}, at byte {offset}, is not below the field's modulus")]
    BadElement {
        /// Its place in the file, from 0.
        index: usize,
        /// Where it starts, in bytes from the start of the file.
        offset: usize,
    },
    /// Not JSON, or JSON of another shape.
    #[error("is not the JSON that was expected: {source}")]
    Json {
        /// Where and why.
        source: serde_json::Error,
    },
    /// A JSON value that cannot be what it should.
    #[error("\"{place}\" {why}")]
    BadJsonValue {
        /// Where in the document.
        place: String,
        /// What is wrong.
        why: String,
    },
}

impl Problem {
    /// What a user can do about it, one sentence.
    pub fn advice(&self) -> &'static str {
        match self {
            Problem::Io { .. } => "check that the path is right and readable by this user.",
            Problem::NotARegularFile { .. } => {
                "give the path of a file on disk; pipes and devices cannot be mapped."
            }
            Problem::TooLarge { .. } => "check that this is the file you meant.",
            Problem::WrongMagic { .. } => {
                "check the order of the arguments; the proving key comes before the witness."
            }
            Problem::WrongVersion { .. } => "write the file again with snarkjs 0.7.",
            Problem::Truncated { .. } | Problem::TrailingBytes { .. } | Problem::WrongLength { .. } => {
                "the file is damaged or was copied in part; fetch or generate it again."
            }
            Problem::MissingSection | Problem::DuplicateSection => {
                "the file was not written whole; generate it again with snarkjs."
            }
            Problem::WrongProtocol { .. } => "make a key with `snarkjs groth16 setup`.",
            Problem::WrongCurve { .. } => {
                "compile the circuit with circom's default prime (bn128) and set it up again."
            }
            Problem::BadValue { .. } | Problem::NotReduced { .. } | Problem::BadPoint { .. } => {
                "do not use this file; check it with `snarkjs zkey verify` or generate it again."
            }
            Problem::NoConstantOne => "calculate the witness again with the circuit's own witness generator.",
            Problem::MismatchedPair { .. } => {
                "calculate the witness with the circuit that this key was made for."
            }
            Problem::BadLine { .. } => "correct that line; `--help` says what a line holds.",
            Problem::BadElement { .. } => {
                "write elements as canonical integers of 32 bytes, least byte first, or as text, one a line."
            }
            Problem::Json { .. } | Problem::BadJsonValue { .. } => {
                "check the order of the arguments (verification key, public signals, proof) and that snarkjs or spandrel wrote the file."
            }
        }
    }
}
