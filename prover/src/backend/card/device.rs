//! What the worker needs of a card: the driver's, or a stand-in for tests.

use spandrel_abi::{Counters, Identification, PROJECTIVE_POINT_BYTES};
use std::ops::Range;

/// TEMPORARY
pub(super) type DriverError = Box<dyn std::error::Error + Send + Sync>;

/// A card as the worker sees it.
pub(super) trait Device: Send {
    /// Resident bases.
    type Bases;
    /// An MSM under way.
    type Job;

    /// Transport and profile.
    fn describe(&self) -> String;
    /// What the card says of itself.
    fn identification(&self) -> Identification;
    /// Copies points to card memory.
    fn load(&mut self, points: &[u8]) -> Result<Self::Bases, DriverError>;
    /// Frees them.
    fn release(&mut self, bases: Self::Bases) -> Result<(), DriverError>;
    /// Starts an MSM.
    fn submit(
        &mut self,
        bases: &Self::Bases,
        range: Range<usize>,
        scalars: &[u8],
    ) -> Result<Self::Job, DriverError>;
    /// Waits for its result; `on_cycles` hears of the cycles since it was submitted.
    fn wait(&mut self, job: Self::Job, on_cycles: &mut dyn FnMut(u64)) -> Result<BitSums, DriverError>;
}

/// What a card computes of an MSM: for window 0 to W-1, for bit 0 to c-1, the sum S of all bases whose digit's
/// magnitude has that bit, signed; the MSM is the sum of 2^(c·w+k)·S.
#[derive(Clone, Debug)]
pub(super) struct BitSums {
    /// W.
    pub(super) windows: usize,
    /// c.
    pub(super) window_bits: usize,
    /// W·c homogeneous projective points: X, Y, Z, Montgomery form, little-endian.
    pub(super) points: Vec<[u8; PROJECTIVE_POINT_BYTES]>,
    /// Cycles from fetch to completion.
    pub(super) cycles: u64,
    /// The engine's counters.
    pub(super) counters: Counters,
}
