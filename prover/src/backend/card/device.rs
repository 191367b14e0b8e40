//! What the worker needs of a card: the driver's, or a stand-in for tests.

use super::CardProgress;
use spandrel_abi::{Counters, Identification, PROJECTIVE_POINT_BYTES};
use spandrel_driver::{BasesHandle, DriverError, Job, MsmOptions, MsmResult};
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
        options: &MsmOptions,
    ) -> Result<Self::Job, DriverError>;
    /// Waits for its result; `on_progress` hears of the cycles since it was submitted.
    fn wait(
        &mut self,
        job: Self::Job,
        on_progress: &mut dyn FnMut(CardProgress),
    ) -> Result<WeightedSums, DriverError>;
}

/// What a card computes of an MSM: sums of bases, whose digits have a certain bit; the MSM is the sum of 2^exponent times
/// the point over all of them.
#[derive(Clone, Debug)]
pub(super) struct WeightedSums {
    /// Bits of a window, c.
    pub(super) window_bits: u32,
    /// Of bit k of window w it is c·w + k.
    pub(super) exponents: Vec<u32>,
    /// As many homogeneous projective points: X, Y, Z, Montgomery form, little-endian.
    pub(super) points: Vec<[u8; PROJECTIVE_POINT_BYTES]>,
    /// Cycles from fetch to completion.
    pub(super) cycles: u64,
    /// The engine's counters.
    pub(super) counters: Counters,
}

impl WeightedSums {
    /// Takes in the sums of other bases.
    pub(super) fn add(&mut self, other: WeightedSums) {
        self.exponents.extend(other.exponents);
        self.points.extend(other.points);
        self.cycles += other.cycles;
        self.counters = sum(&self.counters, &other.counters);
    }
}

/// Every counter of both.
fn sum(one: &Counters, other: &Counters) -> Counters {
    let mut bytes = one.to_bytes();
    for (word, other) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(other.to_bytes().as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*word).saturating_add(u64::from_le_bytes(*other)).to_le_bytes();
    }
    Counters::from_bytes(&bytes)
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
        options: &MsmOptions,
    ) -> Result<Job<MsmResult>, DriverError> {
        self.submit_msm_with(bases, range, scalars, options)
    }

    fn wait(
        &mut self,
        job: Job<MsmResult>,
        on_progress: &mut dyn FnMut(CardProgress),
    ) -> Result<WeightedSums, DriverError> {
        let result = spandrel_driver::Card::wait(self, job, &mut |progress| {
            on_progress(CardProgress { cycles: progress.cycles, sample: progress.sample });
        })?;
        let MsmResult { window_bits, exponents, points, cycles, counters, .. } = result;
        Ok(WeightedSums { window_bits, exponents, points, cycles, counters })
    }
}
