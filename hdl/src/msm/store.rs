//! What of a point a memory has to keep.

use crate::curve::{Curve, POINT_BITS};
use crate::field::FIELD_BITS;
use crate::profile::AdderKind;
use num_bigint::BigUint;
use num_traits::One;
use rust_hdl::prelude::*;

/// How the memories of an engine keep points: with all three coordinates, or without Z where every point in the engine
/// is affine and Z the constant one. Ports have all three in either case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointStore {
    constant_z: Option<BigUint>,
}

impl PointStore {
    /// Keeps X, Y and Z.
    pub fn projective() -> PointStore {
        PointStore { constant_z: None }
    }

    /// Keeps X and Y, and gives Z back as the curve's one in Montgomery form.
    pub fn affine(curve: Curve) -> PointStore {
        PointStore { constant_z: Some(curve.base_field().one()) }
    }

    /// What the points of an adder need.
    pub fn of(adder: AdderKind, curve: Curve) -> PointStore {
        match adder {
            AdderKind::Complete => PointStore::projective(),
            AdderKind::BatchedAffine => PointStore::affine(curve),
        }
    }

    /// Bits that are kept, the lowest of a point.
    pub fn point_bits(&self) -> usize {
        match self.constant_z {
            None => POINT_BITS,
            Some(_) => 2 * FIELD_BITS,
        }
    }

    /// What comes back of a point that was put in, in software.
    pub(super) fn kept(&self, point: Bits<762>) -> Bits<762> {
        let Some(z) = &self.constant_z else { return point };
        let all: BigUint = point.into();
        let low = all % (BigUint::one() << self.point_bits());
        (low + (z << self.point_bits())).into()
    }

    /// A Verilog expression of a whole point, from one of the bits kept.
    pub(super) fn whole(&self, kept: &str) -> String {
        match &self.constant_z {
            None => kept.to_owned(),
            Some(z) => format!("{{{FIELD_BITS}'h{z:x}, {kept}}}"),
        }
    }
}
