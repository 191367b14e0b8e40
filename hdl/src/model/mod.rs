//! A cycle model of the MSM engine: every token, pair and batch of a job, without the coordinates.
//!
//! It steps through the registers of [`crate::msm`] and [`crate::curve::batched`] cycle by cycle, with the discrete
//! logarithm of a point modulo 2^64 in a point's place. So doublings and annihilations occur as they do in a group,
//! and a job's result can be checked. A core takes 5 to 10 million cycles a second, a few thousand times what the
//! Verilated engine takes; what is
//! modelled is the engine: the card's way to it is [`EngineModel::start_cycles`].

mod batched;
mod buckets;
mod delay;
mod down;
mod engine;
pub mod hashes;
pub mod scalars;
mod scan;
mod source;
mod up;

pub use buckets::CoreCounts;
pub use engine::{Outcome, combined, run};

use crate::curve::batched::{BatchedAdder, QUIET_CYCLES};
use crate::curve::complete_adder;
use crate::field::Pace;
use crate::msm::{DigitSource, FRESH_SHARE, Shape};
use crate::profile::{AdderKind, Profile};

/// Frames of a batched adder.
const FRAMES: usize = crate::curve::batched::FRAMES;

/// A point, by its discrete logarithm modulo 2^64, and where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Token {
    slot: u32,
    point: u64,
}

/// Two points of one slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pair {
    slot: u32,
    p: u64,
    q: u64,
}

/// A pair behind the front of a batched adder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Leaf {
    sum: Token,
    annihilates: bool,
    doubling: bool,
}

/// Latencies and sizes of a batched adder, in cycles and pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchedModel {
    /// Latency of the front.
    pub front_cycles: u32,
    /// Pairs that fit between the input and the batch.
    pub intake_depth: u32,
    /// From the match of two values to the match of their product.
    pub up_cycles: u32,
    /// From the square of a doubling to its numerator.
    pub triple_cycles: u32,
    /// From the choice of a node to the choice of its child.
    pub down_cycles: u32,
    /// Latency of the addition with known inverse.
    pub add_cycles: u32,
    /// Latency of the inverter.
    pub inverse_cycles: u32,
    /// Pairs of a full batch.
    pub batch_pairs: u32,
    /// Pairs with which a batch is closed ahead of its time.
    pub early_pairs: u32,
    /// Pairs with which it is if they came slowly.
    pub sparse_pairs: u32,
    /// Cycles without a pair and without a sum after which a batch is closed.
    pub quiet_cycles: u32,
    /// A batch that is not full is closed at the earliest so many cycles before the inverter is free.
    pub soon_cycles: u32,
    /// Entries of each of the two lists of leaves.
    pub leaf_depth: u32,
    /// Of these, those that are kept free.
    pub leaf_margin: u32,
    /// Which of two lists has its turn when a job starts: they take turns by the cycle, so that depends on when the reset was.
    pub turn: bool,
}

/// The adder of a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdderModel {
    /// A pipeline.
    Complete {
        /// Its latency in cycles.
        latency: u32,
    },
    /// Batches that share an inverse.
    Batched(BatchedModel),
}

/// A core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoreModel {
    /// Its windows, for every choice of window bits.
    pub shape: Shape,
    /// Its adder.
    pub adder: AdderModel,
    /// Latency of the recoder in cycles.
    pub recoder_cycles: u32,
    /// Entries of the FIFO of fresh tokens' pairs.
    pub fresh_pairs: u32,
    /// Fresh tokens wait while so many tokens are in flight.
    pub most_in_flight: u32,
}

/// An engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineModel {
    /// Its cores.
    pub cores: Vec<CoreModel>,
    /// Cycles from the start of a job until its first element is there.
    pub start_cycles: u32,
}

impl BatchedModel {
    /// The adder of a profile.
    pub fn of(profile: &Profile) -> BatchedModel {
        let batch_pairs = profile.msm.batch_pairs;
        let adder = BatchedAdder::new(
            profile.first_curve(),
            &profile.adder_datapath(),
            batch_pairs as usize,
            Pace::default(),
        );
        let shape = adder.shape();
        let cycles = adder.stage_cycles();
        BatchedModel {
            front_cycles: cycles.front as u32,
            intake_depth: adder.intake_depth() as u32,
            up_cycles: shape.up_cycles() as u32,
            triple_cycles: cycles.triple as u32,
            down_cycles: shape.down_cycles() as u32,
            add_cycles: cycles.add as u32,
            inverse_cycles: cycles.inverse as u32,
            batch_pairs,
            early_pairs: shape.early_pairs() as u32,
            sparse_pairs: shape.sparse_pairs() as u32,
            quiet_cycles: QUIET_CYCLES as u32,
            soon_cycles: shape.merge_cycles() as u32,
            leaf_depth: shape.leaf_depth() as u32,
            leaf_margin: shape.leaf_margin() as u32,
            turn: false,
        }
    }
}

impl EngineModel {
    /// The same engine, a job of which starts in the other half of its lists' turns; see [`BatchedModel::turn`].
    pub fn turned(mut self) -> EngineModel {
        for core in &mut self.cores {
            if let AdderModel::Batched(adder) = &mut core.adder {
                adder.turn = !adder.turn;
            }
        }
        self
    }

    /// The engine of a profile, on its first curve. The latencies are those of its pipelines, which are built for it.
    pub fn of(profile: &Profile) -> EngineModel {
        let depth = profile.msm.pair_fifo_depth;
        let (adder, fresh_pairs, most_in_flight) = match profile.msm.adder {
            AdderKind::Complete => {
                let pipeline = complete_adder(profile.first_curve(), &profile.adder_datapath(), 20);
                (AdderModel::Complete { latency: pipeline.latency() as u32 }, depth, u32::from(u16::MAX))
            }
            AdderKind::BatchedAffine => {
                (AdderModel::Batched(BatchedModel::of(profile)), depth / FRESH_SHARE as u32, depth)
            }
        };
        let core = |shape: Shape| {
            let source = DigitSource::new(&shape, &profile.datapath);
            let recoder_cycles = source.flush_cycles() as u32 - 1;
            CoreModel { shape, adder, recoder_cycles, fresh_pairs, most_in_flight }
        };
        // `starting`, and then the first cycle in which an element is wanted.
        let shapes = Shape::of_cores(profile).into_iter().take(profile.msm.adders as usize);
        EngineModel { cores: shapes.map(core).collect(), start_cycles: 1 }
    }
}
