//! What of a point a memory has to keep.

use crate::curve::{Curve, POINT_BITS};
use crate::field::FIELD_BITS;
use crate::profile::{AdderKind, Profile};
use num_bigint::BigUint;
use num_traits::One;
use rust_hdl::prelude::*;

/// How the memories of an engine keep points: with all three coordinates, or without Z where every point in the engine
/// is affine and Z the constant one. Ports have all three in either case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointStore {
    constant_z: Option<BigUint>,
    in_block_ram: bool,
}

impl PointStore {
    /// Keeps X, Y and Z.
    pub fn projective() -> PointStore {
        PointStore { constant_z: None, in_block_ram: false }
    }

    /// Keeps X and Y, and gives Z back as the curve's one in Montgomery form.
    pub fn affine(curve: Curve) -> PointStore {
        PointStore { constant_z: Some(curve.base_field().one()), in_block_ram: false }
    }

    /// What the points of an adder need.
    pub fn of(adder: AdderKind, curve: Curve) -> PointStore {
        match adder {
            AdderKind::Complete => PointStore::projective(),
            AdderKind::BatchedAffine => PointStore::affine(curve),
        }
    }

    /// The store of a profile's points on one of its curves. Boards with digit-serial multipliers have no UltraRAM.
    pub fn of_profile(profile: &Profile, curve: Curve) -> PointStore {
        let in_block_ram = profile.digit_serial.is_some();
        PointStore { in_block_ram, ..PointStore::of(profile.msm.adder, curve) }
    }

    /// The style in which synthesis is to build bucket memories.
    pub(super) fn ram_style(&self) -> &'static str {
        if self.in_block_ram { "block" } else { "ultra" }
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
