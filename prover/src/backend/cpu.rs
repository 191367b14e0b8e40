//! MSMs on the CPU: arkworks over all cores.

use super::{Backend, BackendError, Bases, MsmOutcome, Pending, check_submission, fresh_id, split_points};
use crate::curve::{Bn254G1, MsmCurve};
use crate::formats::{integer_from_bytes, point_from_checked_bytes};
use ark_ec::short_weierstrass::{Affine, Projective};
use ark_ec::{CurveGroup, VariableBaseMSM};
use ark_ff::BigInt;
use rayon::prelude::*;
use spandrel_abi::FIELD_BYTES;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use zeroize::Zeroizing;

/// The CPU. [`Backend::submit`] computes at once: the cores are what it would wait for.
pub struct Cpu<C: MsmCurve = Bn254G1> {
    id: u64,
    resident: Mutex<Resident<C>>,
}

/// Bases by their identifier.
type Resident<C> = HashMap<u64, Arc<Vec<Affine<C>>>>;

impl Cpu {
    /// A backend for BN254's G1 over rayon's global thread pool.
    pub fn new() -> Cpu {
        Cpu::on_curve()
    }
}

impl<C: MsmCurve> Cpu<C> {
    /// A backend for a curve over rayon's global thread pool.
    pub fn on_curve() -> Cpu<C> {
        Cpu { id: fresh_id(), resident: Mutex::new(HashMap::new()) }
    }

    fn resident(&self) -> std::sync::MutexGuard<'_, Resident<C>> {
        // The table is whole between any two statements that use it.
        self.resident.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Default for Cpu {
    fn default() -> Cpu {
        Cpu::new()
    }
}

impl<C: MsmCurve> Backend<C> for Cpu<C> {
    fn describe(&self) -> String {
        "cpu".to_owned()
    }

    fn load_bases(&self, points: &[u8]) -> Result<Bases, BackendError> {
        let points: Vec<_> = split_points(points)?.par_iter().map(point_from_checked_bytes).collect();
        let bases = Bases { owner: self.id, id: fresh_id(), len: points.len() };
        self.resident().insert(bases.id, Arc::new(points));
        Ok(bases)
    }

    fn release_bases(&self, bases: Bases) -> Result<(), BackendError> {
        let id = bases.id(self.id)?;
        self.resident().remove(&id).map(drop).ok_or(BackendError::ForeignBases)
    }

    fn submit(&self, bases: &Bases, range: Range<usize>, scalars: &[u8]) -> Result<Pending<C>, BackendError> {
        let id = bases.id(self.id)?;
        check_submission::<C>(bases, &range, scalars)?;
        let points = self.resident().get(&id).cloned().ok_or(BackendError::ForeignBases)?;
        let scalars = integers(scalars);
        let sum = Projective::<C>::msm_bigint(&points[range], &scalars);
        Ok(Pending::ready(MsmOutcome { point: sum.into_affine(), card: None }))
    }
}

/// Scalars in arkworks' form, wiped when dropped.
pub(crate) fn integers(scalars: &[u8]) -> Zeroizing<Vec<BigInt<4>>> {
    Zeroizing::new(scalars.as_chunks::<FIELD_BYTES>().0.par_iter().map(integer_from_bytes).collect())
}
