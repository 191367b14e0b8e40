//! Where the fields of `tuser` are, by stream and width (PG213, with straddling off).

/// Longest `tuser`, in bytes: the 183 bits of CQ at 512 bits.
pub const LONGEST: usize = 23;

/// What a beat that the block drives says beside its data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Driven {
    /// The packet's first beat.
    pub start: bool,
    /// The packet's last beat; with the index of its last DWORD.
    pub end: Option<usize>,
    /// Byte enables of the request's first DWORD, and of its last.
    pub enables: (u8, u8),
    /// The bytes of this beat that are meant: four bits a DWORD, none for the descriptor.
    pub bytes: u64,
}

/// What a beat that the card drives says beside its data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Byte enables of the request's first DWORD, and of its last: RQ only, in the first beat.
    pub enables: (u8, u8),
    /// The packet is to be thrown away.
    pub discontinue: bool,
    /// Starts and ends of packets: each flag for two of them, then the DWORD (of 16) at which the first end is. At 512
    /// bits only, where PG213 leaves it to the card whether to drive them while straddling is off.
    pub marks: Option<(u8, u8, usize)>,
}

/// Which of the block's streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// Requests of the host.
    CompleterRequest,
    /// Completions for the host.
    CompleterCompletion,
    /// Requests of the card.
    RequesterRequest,
    /// Completions for the card.
    RequesterCompletion,
}

impl Channel {
    /// Prefix of the ports.
    pub const fn prefix(self) -> &'static str {
        match self {
            Channel::CompleterRequest => "m_axis_cq",
            Channel::CompleterCompletion => "s_axis_cc",
            Channel::RequesterRequest => "s_axis_rq",
            Channel::RequesterCompletion => "m_axis_rc",
        }
    }

    /// Width of `tuser`, in bits.
    pub const fn user_bits(self, stream_bits: usize) -> usize {
        match (self, stream_bits) {
            (Channel::CompleterRequest, 256) => 88,
            (Channel::CompleterCompletion, 256) => 33,
            (Channel::RequesterRequest, 256) => 62,
            (Channel::RequesterCompletion, 256) => 75,
            (Channel::CompleterRequest, _) => 183,
            (Channel::CompleterCompletion, _) => 81,
            (Channel::RequesterRequest, _) => 137,
            (Channel::RequesterCompletion, _) => 161,
        }
    }

    /// DWORDs of a packet's descriptor.
    pub const fn descriptor_dwords(self) -> usize {
        match self {
            Channel::CompleterRequest | Channel::RequesterRequest => 4,
            _ => 3,
        }
    }

    /// Writes `tuser` of a beat; parity stays zero, as it is off.
    pub fn drive(self, stream_bits: usize, driven: &Driven, user: &mut [u8; LONGEST]) {
        user.fill(0);
        let (start, end) = (u64::from(driven.start), u64::from(driven.end.is_some()));
        let last = driven.end.unwrap_or(0) as u64;
        let enables = if driven.start { driven.enables } else { (0, 0) };
        match (self, stream_bits) {
            (Channel::CompleterRequest, 256) => {
                put(user, 0, u64::from(enables.0));
                put(user, 4, u64::from(enables.1));
                put(user, 8, driven.bytes);
                put(user, 40, start);
            }
            (Channel::CompleterRequest, _) => {
                put(user, 0, u64::from(enables.0));
                put(user, 8, u64::from(enables.1));
                put(user, 16, driven.bytes);
                put(user, 80, start);
                put(user, 86, end);
                put(user, 88, last);
            }
            (_, 256) => {
                put(user, 0, driven.bytes);
                put(user, 32, start);
                put(user, 34, end);
                put(user, 35, last);
            }
            _ => {
                put(user, 0, driven.bytes);
                put(user, 64, start);
                put(user, 76, end);
                put(user, 80, last);
            }
        }
    }

    /// Reads `tuser` of a beat.
    pub fn observe(self, stream_bits: usize, user: &[u8; LONGEST]) -> Observed {
        match (self, stream_bits) {
            (Channel::RequesterRequest, 256) => Observed {
                enables: (get(user, 0, 4) as u8, get(user, 4, 4) as u8),
                discontinue: get(user, 11, 1) != 0,
                marks: None,
            },
            (Channel::RequesterRequest, _) => Observed {
                enables: (get(user, 0, 4) as u8, get(user, 8, 4) as u8),
                discontinue: get(user, 36, 1) != 0,
                marks: Some((get(user, 20, 2) as u8, get(user, 26, 2) as u8, get(user, 28, 4) as usize)),
            },
            (_, 256) => Observed { discontinue: get(user, 0, 1) != 0, ..Observed::default() },
            _ => Observed {
                discontinue: get(user, 16, 1) != 0,
                marks: Some((get(user, 0, 2) as u8, get(user, 6, 2) as u8, get(user, 8, 4) as usize)),
                ..Observed::default()
            },
        }
    }
}

/// Adds a number at a bit; what reaches over the end is dropped.
fn put(user: &mut [u8; LONGEST], bit: usize, value: u64) {
    let shifted = u128::from(value) << (bit % 8);
    for (byte, part) in user[bit / 8..].iter_mut().zip(shifted.to_le_bytes()) {
        *byte |= part;
    }
}

/// At most 16 bits at a bit.
fn get(user: &[u8; LONGEST], bit: usize, bits: usize) -> u64 {
    let at = bit / 8;
    let bytes =
        (0..3).fold(0u64, |word, index| word | u64::from(*user.get(at + index).unwrap_or(&0)) << (8 * index));
    bytes >> (bit % 8) & ((1 << bits) - 1)
}
