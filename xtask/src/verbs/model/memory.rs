//! The memories of an engine, counted from their shapes.
//!
//! The rule: an UltraRAM is 4,096 × 72 bits with two ports; a block RAM is 512 × 72 bits with a reading and a writing
//! port, or 1,024 × 36 bits with two ports for either. A memory takes as many of one kind as cover its width times its
//! depth. One of up to 64 words is made of LUTs, eight for seven bits (RAM64M8), one of up to 32 words eight for
//! fourteen (RAM32M16).

use super::parts::Budget;
use serde::Serialize;
use spandrel_abi::{row_bits, window_shares};

/// Bits of an affine point.
const POINT_BITS: u64 = 508;
/// Words of a batched adder's frame memories: four frames of 1,024 pairs.
const FRAME_WORDS: u64 = 4_096;
/// Entries of the FIFO of returning pairs.
const PAIR_WORDS: u64 = 4_096;
/// Entries of the FIFO of fresh pairs: a quarter of it, as in `hdl/src/msm/buckets.rs`.
const FRESH_WORDS: u64 = PAIR_WORDS / 4;

/// A memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// What it holds.
    pub name: &'static str,
    /// Words.
    pub depth: u64,
    /// Bits of a word.
    pub width: u64,
    /// Both ports read and write.
    pub two_ports: bool,
}

impl Memory {
    fn urams(self) -> u64 {
        self.depth.div_ceil(4_096) * self.width.div_ceil(72)
    }

    fn brams(self) -> u64 {
        match self.two_ports {
            true => self.depth.div_ceil(1_024) * self.width.div_ceil(36),
            false => self.depth.div_ceil(512) * self.width.div_ceil(72),
        }
    }

    fn luts(self) -> u64 {
        match self.depth {
            0..=32 => 8 * self.width.div_ceil(14),
            _ => 8 * self.width.div_ceil(7),
        }
    }
}

/// The memories of core `core` of `cores` with batched adders, for jobs with windows of up to `window_bits`.
pub fn of_core(window_bits: u32, cores: u32, core: u32) -> Vec<Memory> {
    let windows = window_shares(window_bits, cores, core).len() as u64;
    let buckets = windows << (window_bits - 1);
    let sums = windows * (2 << row_bits(window_bits));
    let memory = |name, depth, width, two_ports| Memory { name, depth, width, two_ports };
    vec![
        memory("buckets", buckets, POINT_BITS, true),
        memory("row and column sums", sums, POINT_BITS, true),
        // For each bank and port a copy for each reader.
        memory("full flags of buckets", buckets.div_ceil(32) * 4, 36, false),
        memory("full flags of sums", sums.div_ceil(32) * 4, 36, false),
        memory("returning pairs", PAIR_WORDS, 2 * POINT_BITS + 20, false),
        memory("fresh pairs", FRESH_WORDS, 2 * POINT_BITS + 20, false),
        memory("leaves", FRAME_WORDS, 782, false),
        memory("numerators", FRAME_WORDS, 254, false),
        memory("nodes", FRAME_WORDS, 530, false),
        memory("first children", FRAME_WORDS / 2, 267, false),
        memory("second children", FRAME_WORDS / 2, 267, false),
        memory("elements", 16, 768, false),
        memory("recoded lines", 64, 1_199, false),
    ]
}

/// Places the memories of all cores: those of up to 64 words in LUTs, the others in UltraRAM or block RAM so that both
/// stay within `most`, if they can: whatever wastes most of an UltraRAM goes to block RAM first.
pub fn place(memories: &[Memory], most: Budget) -> Budget {
    let mut placed = Budget::default();
    let mut large: Vec<Memory> = Vec::new();
    for memory in memories {
        match memory.depth <= 64 {
            true => placed.lut += memory.luts(),
            false => large.push(*memory),
        }
    }
    // Few block RAMs for an UltraRAM saved: first to move.
    large.sort_by_key(|memory| memory.brams() * 1_000 / memory.urams());
    placed.uram = large.iter().map(|memory| memory.urams()).sum();
    for memory in large {
        let small = memory.brams() <= 2 * memory.urams();
        if (placed.uram > most.uram || small) && placed.bram36 + memory.brams() <= most.bram36 {
            placed.uram -= memory.urams();
            placed.bram36 += memory.brams();
        }
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bank_of_4_096_points_is_eight_ultra_rams() {
        let bank = Memory { name: "bank", depth: 4_096, width: 508, two_ports: true };
        assert_eq!((bank.urams(), bank.brams()), (8, 60));
    }

    #[test]
    fn memories_move_to_block_ram_only_where_ultra_ram_is_short() {
        let memories = of_core(12, 1, 0);
        let ample = Budget { uram: 10_000, bram36: 10_000, ..Budget::default() };
        let at_ease = place(&memories, ample);
        let tight = place(&memories, Budget { uram: at_ease.uram - 1, ..ample });
        assert!(tight.uram < at_ease.uram && tight.bram36 > at_ease.bram36, "{at_ease:?} {tight:?}");
    }
}
