//! Two backends that must agree.

use super::{Backend, BackendError, Bases, MsmOutcome, Pending, fresh_id};
use crate::curve::{Bn254G1, MsmCurve};
use ark_ec::AffineRepr;
use ark_ec::short_weierstrass::Affine;
use spandrel_abi::Identification;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};

/// Runs every MSM on two backends and compares the results in affine form.
pub struct Dual<C: MsmCurve = Bn254G1> {
    id: u64,
    first: Box<dyn Backend<C>>,
    second: Box<dyn Backend<C>>,
    resident: Mutex<HashMap<u64, Arc<(Bases, Bases)>>>,
}

impl<C: MsmCurve> Dual<C> {
    /// A pair. The second is started first, so it should be the one with hardware of its own.
    pub fn new(first: Box<dyn Backend<C>>, second: Box<dyn Backend<C>>) -> Dual<C> {
        Dual { id: fresh_id(), first, second, resident: Mutex::new(HashMap::new()) }
    }

    fn resident(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Arc<(Bases, Bases)>>> {
        // The table is whole between any two statements that use it.
        self.resident.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl<C: MsmCurve> Backend<C> for Dual<C> {
    fn describe(&self) -> String {
        format!("{} and {}, compared", self.first.describe(), self.second.describe())
    }

    fn load_bases(&self, points: &[u8]) -> Result<Bases, BackendError> {
        let first = self.first.load_bases(points)?;
        let second = match self.second.load_bases(points) {
            Ok(second) => second,
            Err(error) => {
                // The error that matters is the second backend's.
                let _ = self.first.release_bases(first);
                return Err(error);
            }
        };
        let bases = Bases { owner: self.id, id: fresh_id(), len: first.len() };
        self.resident().insert(bases.id, Arc::new((first, second)));
        Ok(bases)
    }

    fn release_bases(&self, bases: Bases) -> Result<(), BackendError> {
        let id = bases.id(self.id)?;
        let pair = self.resident().remove(&id).ok_or(BackendError::ForeignBases)?;
        // A submission that runs at this moment holds the pair a little longer; both backends then free
        // the bases when they are dropped themselves.
        let Some((first, second)) = Arc::into_inner(pair) else { return Ok(()) };
        let released = self.first.release_bases(first);
        self.second.release_bases(second).and(released)
    }

    fn submit(&self, bases: &Bases, range: Range<usize>, scalars: &[u8]) -> Result<Pending<C>, BackendError> {
        let id = bases.id(self.id)?;
        let pair = self.resident().get(&id).cloned().ok_or(BackendError::ForeignBases)?;
        let elements = range.len();
        let second = self.second.submit(&pair.1, range.clone(), scalars)?;
        let first = self.first.submit(&pair.0, range, scalars)?;
        let names = (self.first.describe(), self.second.describe());
        Ok(Pending::new(move || compare(names, elements, first.wait()?, second.wait()?)))
    }

    fn identification(&self) -> Option<Identification> {
        self.second.identification().or_else(|| self.first.identification())
    }
}

fn compare<C: MsmCurve>(
    (first_name, second_name): (String, String),
    elements: usize,
    first: MsmOutcome<C>,
    second: MsmOutcome<C>,
) -> Result<MsmOutcome<C>, BackendError> {
    if first.point == second.point {
        return Ok(MsmOutcome { point: first.point, card: second.card.or(first.card) });
    }
    Err(BackendError::Disagreement {
        first: first_name,
        second: second_name,
        first_point: name_point(&first.point),
        second_point: name_point(&second.point),
        elements,
    })
}

fn name_point<C: MsmCurve>(point: &Affine<C>) -> String {
    point.xy().map_or("infinity".to_owned(), |(x, y)| format!("({x}, {y})"))
}
