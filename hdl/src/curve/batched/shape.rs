//! The sizes of a batched adder, and the invariants behind them.

use crate::curve::Curve;
use crate::datapath::DatapathConfig;
use crate::field::adder_multiplier;

/// Frames: batches whose leaves are in memory at once. One fills, one is merged or inverted, two go down.
pub const FRAMES: usize = 4;

/// Least and greatest number of pairs in a batch.
pub const BATCH_PAIRS: std::ops::RangeInclusive<usize> = 16..=1024;

/// Cycles without a pair and without a sum, which may come back as half a pair, after which a batch is closed if the
/// inverter waits for one.
pub const QUIET_CYCLES: usize = 32;

/// Pairs with which a batch is closed if the inverter waits for one.
pub const EARLY_PAIRS: usize = 512;

/// Pairs with which a batch is closed if the inverter waits for one and pairs came in fewer than four of five cycles. It
/// was chosen, with [`QUIET_CYCLES`] and [`EARLY_PAIRS`], for the fewest cycles in which bursts, and sums that are paired
/// again and again, come to an end.
pub const SPARSE_PAIRS: usize = 64;

/// Sizes that follow from a curve, the pipelines' shape and the number of pairs in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchedShape {
    /// Pairs in a full batch: a power of two.
    pub batch_pairs: usize,
    /// Cycles of one Montgomery multiplication.
    pub multiplier_cycles: usize,
}

impl BatchedShape {
    /// The sizes of an adder.
    ///
    /// # Panics
    ///
    /// If `batch_pairs` is not a power of two in [`BATCH_PAIRS`].
    pub fn new(curve: Curve, config: &DatapathConfig, batch_pairs: usize) -> BatchedShape {
        assert!(
            BATCH_PAIRS.contains(&batch_pairs) && batch_pairs.is_power_of_two(),
            "a batch has a power of two of pairs, 16 to 1,024, not {batch_pairs}"
        );
        let multiplier = adder_multiplier(curve.base_field(), config);
        BatchedShape { batch_pairs, multiplier_cycles: multiplier.latency() }
    }

    /// Cycles from the choice of a node to the choice of its child: two to read its record, one through the list.
    pub fn down_cycles(&self) -> usize {
        self.multiplier_cycles + 3
    }

    /// Cycles from the match of two values to the match of their product: one for the operands' register, and
    /// [`BatchedShape::up_padding`]. As many as on the way down, so that a batch forms that many chains and, on the
    /// way down, fills both multipliers by itself.
    pub fn up_cycles(&self) -> usize {
        self.multiplier_cycles + 1 + self.up_padding()
    }

    /// Registers behind the multiplier of the way up.
    pub fn up_padding(&self) -> usize {
        2
    }

    /// Cycles that a closed batch needs until its root is known, at most: of the values under way and the one held,
    /// half are left after each turn.
    pub fn merge_cycles(&self) -> usize {
        let values = self.up_cycles() + 1;
        self.up_cycles() * values.next_power_of_two().ilog2() as usize
    }

    /// Pairs with which a batch is closed although it is not full, if the inverter waits.
    pub fn early_pairs(&self) -> usize {
        EARLY_PAIRS.min(self.batch_pairs)
    }

    /// Pairs with which a batch is closed although it is not full, if the inverter waits and pairs come slowly.
    pub fn sparse_pairs(&self) -> usize {
        SPARSE_PAIRS.min(self.batch_pairs)
    }

    /// Entries of each of the two lists of nodes whose inverse is known. Those nodes, with the children of nodes under
    /// way, are no one's descendants of each other, and each has two leaves at least: so there are at most half as many
    /// as leaves in memory, and the lists never overflow.
    pub fn ready_depth(&self) -> usize {
        FRAMES * self.batch_pairs / 2
    }

    /// Entries that the lists of leaves keep free for the nodes under way when a node is taken.
    pub fn leaf_margin(&self) -> usize {
        self.down_cycles()
    }

    /// Entries of each of the two lists of leaves whose inverse is known.
    pub fn leaf_depth(&self) -> usize {
        2 * self.leaf_margin() + 2
    }

    /// Words of a memory that holds all frames.
    pub fn memory_words(&self) -> usize {
        FRAMES * self.batch_pairs
    }
}
