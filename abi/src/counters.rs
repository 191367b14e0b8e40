//! The counters of one job, as [`crate::Opcode::ReadCounters`] writes them: sixteen 64-bit words.

use serde::{Deserialize, Serialize};

/// Bytes of the counter block.
pub const COUNTERS_BYTES: usize = 128;

macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $name:ident @ $index:literal)+) => {
        /// Counters of one job, all since the job's start.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
        pub struct Counters { $($(#[doc = $doc])+ pub $name: u64,)+ }

        impl Counters {
            /// Name, word index and meaning of every counter.
            pub const LAYOUT: &'static [(&'static str, usize, &'static str)] =
                &[$((stringify!($name), $index, concat!($($doc),+))),+];

            /// Reads the counter block.
            pub fn from_bytes(bytes: &[u8; COUNTERS_BYTES]) -> Counters {
                let word = |index: usize| {
                    bytes[8 * index..8 * index + 8].iter().rev().fold(0u64, |w, b| w << 8 | u64::from(*b))
                };
                Counters { $($name: word($index)),+ }
            }

            /// Writes the counter block; words without a counter are zero.
            pub fn to_bytes(&self) -> [u8; COUNTERS_BYTES] {
                let mut bytes = [0; COUNTERS_BYTES];
                $(bytes[8 * $index..8 * $index + 8].copy_from_slice(&self.$name.to_le_bytes());)+
                bytes
            }
        }
    };
}

counters! {
    /// Cycles from the engine's start to its last result.
    cycles @ 0
    /// Additions issued to the point adder (MSM).
    additions @ 1
    /// Non-zero digits taken in (MSM).
    digits @ 2
    /// Elements taken in: scalars (MSM) or operand pairs (field vector).
    elements @ 3
    /// Cycles of the bucket phase: from start until its last sum is parked (MSM).
    bucket_cycles @ 4
    /// Cycles of the two reduction passes (MSM).
    reduction_cycles @ 5
    /// Cycles in which the adder was idle because no pair was ready (MSM).
    idle_cycles @ 6
    /// Cycles in which a fresh digit had to wait (MSM).
    digit_stall_cycles @ 7
    /// Bytes read from host memory.
    host_read_bytes @ 8
    /// Bytes written to host memory.
    host_write_bytes @ 9
    /// Bytes read from card memory.
    card_read_bytes @ 10
    /// Bytes written to card memory.
    card_write_bytes @ 11
}
