//! Completion entries: 32 bytes, little-endian, written whole in one beat of the host bus.

/// Bytes of a completion entry.
pub const COMPLETION_BYTES: usize = 32;

use crate::EntryField;

/// Layout of a completion entry; bytes not listed are zero.
pub const COMPLETION_LAYOUT: &[EntryField] = &[
    EntryField { name: "command_id", byte: 0, bytes: 2, doc: "The submission entry's." },
    EntryField { name: "status", byte: 2, bytes: 1, doc: "Status code." },
    EntryField {
        name: "phase",
        byte: 3,
        bytes: 1,
        doc: "1 on the first pass through the ring, then 0, and so on in turn; memory must start as zero.",
    },
    EntryField { name: "sq_head", byte: 4, bytes: 4, doc: "SQ_HEAD after this command was fetched." },
    EntryField { name: "cycles", byte: 16, bytes: 8, doc: "Cycles from fetch to completion." },
];

/// A completion entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Completion {
    /// The submission entry's identifier.
    pub command_id: u16,
    /// A [`crate::Status`] as a code: what a card writes is not trusted to be one.
    pub status: u8,
    /// 0 or 1.
    pub phase: u8,
    /// SQ_HEAD after this command was fetched.
    pub sq_head: u32,
    /// Cycles from fetch to completion.
    pub cycles: u64,
}

impl Completion {
    /// The entry's 32 bytes.
    pub fn to_bytes(&self) -> [u8; COMPLETION_BYTES] {
        let mut bytes = [0; COMPLETION_BYTES];
        bytes[0..2].copy_from_slice(&self.command_id.to_le_bytes());
        bytes[2] = self.status;
        bytes[3] = self.phase;
        bytes[4..8].copy_from_slice(&self.sq_head.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.cycles.to_le_bytes());
        bytes
    }

    /// Reads an entry; bytes that are not listed are not looked at.
    pub fn from_bytes(bytes: &[u8; COMPLETION_BYTES]) -> Completion {
        let le = |range: std::ops::Range<usize>| {
            bytes[range].iter().rev().fold(0u64, |word, byte| word << 8 | u64::from(*byte))
        };
        Completion {
            command_id: le(0..2) as u16,
            status: bytes[2],
            phase: bytes[3],
            sq_head: le(4..8) as u32,
            cycles: le(16..24),
        }
    }
}
