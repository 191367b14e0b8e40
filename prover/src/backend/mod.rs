//! What computes a multi-scalar multiplication (MSM), the sum of scalar times base: over BN254's G1, where nothing else
//! is said, or over another curve of [`crate::curve`].
//!
//! Bases are loaded once and then named by a handle, because a proving key is fixed while scalars change, and
//! moving it for every proof would cost more than a card saves.

mod card;
mod cpu;
mod dual;
mod error;

pub use card::{Card, CardProgress, OnProgress};
pub use cpu::Cpu;
pub(crate) use cpu::integers;
pub use dual::Dual;
pub use error::BackendError;

use crate::curve::{Bn254G1, MsmCurve};
use crate::formats::G1_BYTES;
use ark_ec::short_weierstrass::Affine;
use ark_ff::PrimeField;
use rayon::prelude::*;
use serde::Serialize;
use spandrel_abi::{Counters, FIELD_BYTES, Identification};
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

/// Computes multi-scalar multiplications.
pub trait Backend<C: MsmCurve = Bn254G1>: Send + Sync {
    /// What it is, for messages: "cpu", "card sim:sim-small".
    fn describe(&self) -> String;

    /// Makes bases resident: `points` are 64 bytes each, x then y, Montgomery form with R = 2^256,
    /// little-endian; all zero is infinity. They must lie on the curve (see [`crate::formats::point_from_bytes`]);
    /// this is not checked again.
    fn load_bases(&self, points: &[u8]) -> Result<Bases, BackendError>;

    /// Frees resident bases. MSMs submitted before still end well.
    fn release_bases(&self, bases: Bases) -> Result<(), BackendError>;

    /// Starts the MSM of bases `range` with `scalars`, 32 bytes each, canonical little-endian, below the
    /// group's order. The scalars are copied where they are needed later, and wiped after.
    ///
    /// A backend with hardware of its own returns before the result is there; several MSMs may be under way.
    fn submit(&self, bases: &Bases, range: Range<usize>, scalars: &[u8]) -> Result<Pending<C>, BackendError>;

    /// As [`Backend::submit`], and waits.
    fn msm(&self, bases: &Bases, range: Range<usize>, scalars: &[u8]) -> Result<MsmOutcome<C>, BackendError> {
        self.submit(bases, range, scalars)?.wait()
    }

    /// What the card behind it says of itself, where there is one.
    fn identification(&self) -> Option<Identification> {
        None
    }
}

/// Names resident bases of one backend.
#[derive(Debug)]
pub struct Bases {
    owner: u64,
    id: u64,
    len: usize,
}

impl Bases {
    /// Number of points.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no point.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The key in a backend's table, if the handle is that backend's.
    fn id(&self, owner: u64) -> Result<u64, BackendError> {
        if self.owner == owner { Ok(self.id) } else { Err(BackendError::ForeignBases) }
    }
}

/// Identifiers of backends, of resident bases and of trees: never given twice in a process.
pub(crate) fn fresh_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// An MSM under way.
#[must_use = "the result is lost unless it is waited for"]
pub struct Pending<C: MsmCurve = Bn254G1>(Wait<C>);

/// Waits and gives the result.
type Wait<C> = Box<dyn FnOnce() -> Result<MsmOutcome<C>, BackendError> + Send>;

impl<C: MsmCurve> Pending<C> {
    /// An MSM whose result `wait` will give.
    pub fn new(wait: impl FnOnce() -> Result<MsmOutcome<C>, BackendError> + Send + 'static) -> Pending<C> {
        Pending(Box::new(wait))
    }

    /// An MSM that has ended.
    pub fn ready(outcome: MsmOutcome<C>) -> Pending<C> {
        Pending::new(move || Ok(outcome))
    }

    /// Waits for the result.
    pub fn wait(self) -> Result<MsmOutcome<C>, BackendError> {
        (self.0)()
    }
}

impl<C: MsmCurve> fmt::Debug for Pending<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pending")
    }
}

/// The result of an MSM.
pub struct MsmOutcome<C: MsmCurve = Bn254G1> {
    /// The sum, in affine form, so that results of different backends compare.
    pub point: Affine<C>,
    /// What a card measured while computing it, where one did.
    pub card: Option<CardRun>,
}

// Derived, these would ask for as much of the curve, which is no value.
impl<C: MsmCurve> Clone for MsmOutcome<C> {
    fn clone(&self) -> MsmOutcome<C> {
        *self
    }
}

impl<C: MsmCurve> Copy for MsmOutcome<C> {}

impl<C: MsmCurve> PartialEq for MsmOutcome<C> {
    fn eq(&self, other: &MsmOutcome<C>) -> bool {
        self.point == other.point && self.card == other.card
    }
}

impl<C: MsmCurve> fmt::Debug for MsmOutcome<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MsmOutcome").field("point", &self.point).field("card", &self.card).finish()
    }
}

/// What a card measured in one MSM.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CardRun {
    /// Cycles from the command's fetch to its completion.
    pub cycles: u64,
    /// Wall-clock seconds from submission to the card to its result.
    pub seconds: f64,
    /// Bits per window that the card worked with.
    pub window_bits: u32,
    /// Point adders of the card, which shared the work.
    pub adders: u32,
    /// Counters of the engine.
    pub counters: Counters,
}

/// Checks what every backend must check of a submission.
fn check_submission<C: MsmCurve>(
    bases: &Bases,
    range: &Range<usize>,
    scalars: &[u8],
) -> Result<(), BackendError> {
    if range.start > range.end || range.end > bases.len {
        return Err(BackendError::BadRange { start: range.start, end: range.end, len: bases.len });
    }
    if Some(scalars.len()) != range.len().checked_mul(FIELD_BYTES) {
        return Err(BackendError::ScalarCount { bytes: scalars.len(), bases: range.len() });
    }
    let (list, _) = scalars.as_chunks::<FIELD_BYTES>();
    let unreduced =
        |scalar: &[u8; FIELD_BYTES]| crate::formats::integer_from_bytes(scalar) >= C::ScalarField::MODULUS;
    match list.par_iter().position_first(unreduced) {
        None => Ok(()),
        Some(index) => Err(BackendError::ScalarNotReduced { index }),
    }
}

/// Splits bases into points.
fn split_points(points: &[u8]) -> Result<&[[u8; G1_BYTES]], BackendError> {
    match points.as_chunks::<G1_BYTES>() {
        (list, []) => Ok(list),
        _ => Err(BackendError::BadBases { bytes: points.len() }),
    }
}

#[cfg(test)]
mod tests;
