//! The descriptors of the AMD UltraScale+ integrated block (PG213): the packets' headers, as they stand on its streams.

use super::tlp::{Completion, CompletionStatus, Request};

/// Bytes of a request's descriptor.
pub const REQUEST_BYTES: usize = 16;
/// Bytes of a completion's descriptor.
pub const COMPLETION_BYTES: usize = 12;
/// A completer request's field "BAR aperture": 2^this bytes.
const APERTURE_BITS: u32 = 14;

const READ: u32 = 0;
const WRITE: u32 = 1;

/// Why the block says that a completion is not what it seems (bits 15:12 of its descriptor).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// Nothing is wrong.
    None,
    /// The data is poisoned.
    Poisoned,
    /// The status is not success.
    BadStatus,
    /// Success without data, or with more than was asked for.
    BadLength,
    /// Requester, traffic class or attributes are not the request's.
    Mismatch,
    /// The data does not begin where it should.
    BadAddress,
    /// No such request is under way.
    BadTag,
    /// The request was ended by a function-level reset.
    FunctionReset,
    /// No completion came in the block's own time.
    TimedOut,
}

impl ErrorCode {
    /// The code in the descriptor.
    pub const fn code(self) -> u8 {
        match self {
            ErrorCode::None => 0,
            ErrorCode::Poisoned => 1,
            ErrorCode::BadStatus => 2,
            ErrorCode::BadLength => 3,
            ErrorCode::Mismatch => 4,
            ErrorCode::BadAddress => 5,
            ErrorCode::BadTag => 6,
            ErrorCode::FunctionReset => 8,
            ErrorCode::TimedOut => 9,
        }
    }
}

/// Why a descriptor that the card sent is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadDescriptor(pub String);

fn word(bytes: &[u8], index: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[4 * index..4 * index + 4]);
    u32::from_le_bytes(word)
}

fn append(bytes: &mut Vec<u8>, words: &[u32]) {
    bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
}

/// A request of the host for BAR 0, as the block hands it to the card (stream CQ): descriptor and data.
pub fn completer_request(request: &Request) -> Vec<u8> {
    let kind = if request.write { WRITE } else { READ };
    let mut bytes = Vec::with_capacity(REQUEST_BYTES + request.data.len());
    append(
        &mut bytes,
        &[
            request.address as u32 & !3,
            (request.address >> 32) as u32,
            u32::from(request.dwords) & 0x7ff | kind << 11 | u32::from(request.requester) << 16,
            // Target function and BAR are 0.
            u32::from(request.tag)
                | APERTURE_BITS << 19
                | u32::from(request.traffic_class & 7) << 25
                | u32::from(request.attributes & 7) << 28,
        ],
    );
    bytes.extend_from_slice(&request.data);
    bytes
}

/// A request of the card to the host (stream RQ), from descriptor, data and the stream's byte enables.
pub fn requester_request(bytes: &[u8], first_enable: u8, last_enable: u8) -> Result<Request, BadDescriptor> {
    let bad = |what: String| Err(BadDescriptor(what));
    if bytes.len() < REQUEST_BYTES {
        return bad(format!("a request of {} bytes is shorter than its descriptor", bytes.len()));
    }
    let [low, high, two, three] = [0, 1, 2, 3].map(|index| word(bytes, index));
    let write = match two >> 11 & 0xf {
        READ => false,
        WRITE => true,
        kind => {
            return bad(format!("a request of type {kind}: the card reads (0) and writes (1) memory only"));
        }
    };
    if low & 3 != 0 {
        return bad(format!("a request with address type {}: addresses are not translated (0)", low & 3));
    }
    // The block takes the bus from itself, the function from here.
    if two >> 16 & 0xff != 0 || three >> 24 & 1 != 0 {
        return bad("a request that gives its own requester: an endpoint leaves that to the block".to_owned());
    }
    if three >> 31 != 0 {
        return bad("a request that asks for a checksum, which is off".to_owned());
    }
    Ok(Request {
        write,
        address: u64::from(high) << 32 | u64::from(low),
        dwords: (two & 0x7ff) as u16,
        first_enable,
        last_enable,
        tag: three as u8,
        requester: 0,
        traffic_class: (three >> 25 & 7) as u8,
        attributes: (three >> 28 & 7) as u8,
        poisoned: two >> 15 & 1 != 0,
        data: bytes[REQUEST_BYTES..].to_vec(),
    })
}

/// A completion of the host for the card (stream RC), as the block hands it on: descriptor and data.
///
/// `lower_address` has 12 bits, of which the block has reconstructed the upper ones; `ended` says that nothing more will
/// come for the tag.
pub fn requester_completion(
    completion: &Completion,
    completer: u16,
    lower_address: u16,
    error: ErrorCode,
    ended: bool,
) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(COMPLETION_BYTES + completion.data.len());
    append(
        &mut bytes,
        &[
            u32::from(lower_address & 0xfff)
                | u32::from(error.code()) << 12
                | u32::from(completion.byte_count & 0x1fff) << 16
                | u32::from(ended) << 30,
            u32::from(completion.dwords) & 0x7ff
                | u32::from(completion.status.code()) << 11
                | u32::from(completion.poisoned) << 14
                | u32::from(completion.requester) << 16,
            u32::from(completion.tag)
                | u32::from(completer) << 8
                | u32::from(completion.traffic_class & 7) << 25
                | u32::from(completion.attributes & 7) << 28,
        ],
    );
    bytes.extend_from_slice(&completion.data);
    bytes
}

/// A completion of the card for the host (stream CC), from descriptor and data.
pub fn completer_completion(bytes: &[u8]) -> Result<Completion, BadDescriptor> {
    let bad = |what: String| Err(BadDescriptor(what));
    if bytes.len() < COMPLETION_BYTES {
        return bad(format!("a completion of {} bytes is shorter than its descriptor", bytes.len()));
    }
    let [one, two, three] = [0, 1, 2].map(|index| word(bytes, index));
    let Some(status) = CompletionStatus::from_code((two >> 11 & 7) as u8) else {
        return bad(format!("a completion with status {}", two >> 11 & 7));
    };
    if one >> 8 & 3 != 0 || one >> 29 & 1 != 0 {
        return bad("a completion with an address type, or of a locked read".to_owned());
    }
    if three >> 24 & 1 != 0 || three >> 8 & 0xff != 0 {
        return bad(
            "a completion that gives its own completer: an endpoint leaves that to the block".to_owned()
        );
    }
    let data = &bytes[COMPLETION_BYTES..];
    Ok(Completion {
        status,
        tag: three as u8,
        requester: (two >> 16) as u16,
        lower_address: (one & 0x7f) as u8,
        byte_count: (one >> 16 & 0x1fff) as u16,
        dwords: (two & 0x7ff) as u16,
        traffic_class: (three >> 25 & 7) as u8,
        attributes: (three >> 28 & 7) as u8,
        poisoned: two >> 14 & 1 != 0,
        // With a bad status five DWORDs follow, in which the block finds what it logs of the request.
        data: if status == CompletionStatus::Success { data.to_vec() } else { Vec::new() },
    })
}
