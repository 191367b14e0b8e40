//! A cycle model of the engine: every token, pair and batch, without the coordinates.

mod batched;
mod core;
mod job;
pub mod scalars;

pub use self::core::CoreCounts;
pub use batched::{BatchedShape, Tree};
pub use job::{Outcome, run};

/// A point, by its discrete logarithm modulo 2^64, and where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    slot: u32,
    point: u64,
}

/// Two points of one slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    slot: u32,
    p: u64,
    q: u64,
}

/// What an adder made of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Issue {
    /// There was none.
    None,
    /// An addition of different points.
    Addition,
    /// Of equal ones.
    Doubling,
    /// Of opposite ones: no sum comes.
    Annihilation,
}

/// The adder of a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdderModel {
    /// The complete one.
    Complete {
        /// Its latency.
        latency: u32,
    },
    /// The batched one.
    Batched(BatchedShape),
}

/// An engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineModel {
    /// c.
    pub window_bits: u32,
    /// k.
    pub adders: u32,
    /// Their kind.
    pub adder: AdderModel,
    /// Fresh tokens wait while so many pairs do.
    pub fresh_limit: u32,
    /// Latency of the recoder.
    pub recoder_cycles: u32,
}

/// Windows of a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// c.
    pub bits: u32,
    /// Windows.
    pub count: u32,
}

impl Windows {
    fn buckets(self) -> u32 {
        1 << (self.bits - 1)
    }

    fn column_bits(self) -> u32 {
        (self.bits - 1) / 2
    }

    fn row_bits(self) -> u32 {
        self.bits - 1 - self.column_bits()
    }

    fn sums(self) -> u32 {
        2 << self.row_bits()
    }
}
