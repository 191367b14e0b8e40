//! What the worker needs of a card: the driver's, or a stand-in for tests.

use spandrel_abi::{Counters, Identification, PROJECTIVE_POINT_BYTES};
use spandrel_driver::{BasesHandle, DriverError, Job, MsmResult};
use std::ops::Range;

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

impl Device for spandrel_driver::Card {
    type Bases = BasesHandle;
    type Job = Job<MsmResult>;

    fn describe(&self) -> String {
        self.name().to_owned()
    }

    fn identification(&self) -> Identification {
        *self.identification()
    }

    fn load(&mut self, points: &[u8]) -> Result<BasesHandle, DriverError> {
        self.load_bases(points)
    }

    fn release(&mut self, bases: BasesHandle) -> Result<(), DriverError> {
        self.release_bases(bases)
    }

    fn submit(
        &mut self,
        bases: &BasesHandle,
        range: Range<usize>,
        scalars: &[u8],
    ) -> Result<Job<MsmResult>, DriverError> {
        self.submit_msm(bases, range, scalars)
    }

    fn wait(&mut self, job: Job<MsmResult>, on_cycles: &mut dyn FnMut(u64)) -> Result<BitSums, DriverError> {
        let result = spandrel_driver::Card::wait(self, job, &mut |progress| on_cycles(progress.cycles))?;
        Ok(BitSums {
            windows: result.windows as usize,
            window_bits: result.window_bits as usize,
            points: result.points,
            cycles: result.cycles,
            counters: result.counters,
        })
    }
}
