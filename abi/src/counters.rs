//! The counters of one job, as [`crate::Opcode::ReadCounters`] writes them: thirty-two 64-bit words.

use serde::{Deserialize, Serialize};

/// Bytes of the counter block.
pub const COUNTERS_BYTES: usize = 256;

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
    /// Additions issued to the point adders (MSM).
    additions @ 1
    /// Non-zero digits taken in (MSM).
    digits @ 2
    /// Elements taken in: scalars (MSM) or operand pairs (field vector); hashes finished.
    elements @ 3
    /// Cycles of the bucket phase: from start until its last sum is parked (MSM).
    bucket_cycles @ 4
    /// Cycles of the two reduction passes (MSM).
    reduction_cycles @ 5
    /// Cycles of the bucket phase and the reduction passes without an issued addition, summed over the adders; the six causes below sum to it (MSM).
    idle_cycles @ 6
    /// Cycles in which a fresh digit had to wait, summed over the adders (MSM).
    digit_stall_cycles @ 7
    /// Bytes read from host memory.
    host_read_bytes @ 8
    /// Bytes written to host memory.
    host_write_bytes @ 9
    /// Bytes read from card memory.
    card_read_bytes @ 10
    /// Bytes written to card memory.
    card_write_bytes @ 11
    /// Idle cycles in which tokens were there, but no two of the same bucket (MSM).
    idle_no_pair_cycles @ 12
    /// Idle cycles in which the adder held a batch that was not closed yet, and nothing else was there (MSM).
    idle_batch_cycles @ 13
    /// Idle cycles in which a pair was there and the adder did not take it (MSM).
    idle_adder_cycles @ 14
    /// Idle cycles spent waiting for points from card memory (MSM).
    idle_memory_cycles @ 15
    /// Idle cycles spent waiting for scalars from host memory (MSM).
    idle_host_cycles @ 16
    /// Idle cycles at the end of a phase: nothing fresh comes any more, and sums are still under way (MSM).
    idle_drain_cycles @ 17
    /// Tokens that found their bucket empty and parked there (MSM).
    parked @ 18
    /// Tokens that found a point in their bucket and left with it as a pair (MSM).
    matched @ 19
    /// Additions of a point to itself (MSM, batched-affine adder).
    doublings @ 20
    /// Additions of opposite points, from which no sum comes (MSM, batched-affine adder).
    annihilations @ 21
    /// Passes of states through the Poseidon lanes (hashes).
    hash_passes @ 22
    /// Cycles in which a Poseidon lane had no state to work on, summed over the lanes of the width concerned; with the passes they make up its cycles (hashes).
    hash_starved @ 23
}
