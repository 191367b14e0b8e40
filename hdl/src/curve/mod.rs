//! Point addition on BN254's G1 and on Grumpkin.

pub mod batched;
mod complete;
pub mod model;
mod serial;

pub use complete::{POINT_BITS, complete_adder};
pub use serial::{SerialAdder, addition};

use crate::field::Prime;
use num_bigint::BigUint;
use serde::{Deserialize, Serialize};
use spandrel_abi::CurveId;

/// A short Weierstrass curve y² = x³ + b over one of BN254's fields, its group of prime order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Curve {
    /// BN254's G1: y² = x³ + 3 over Fq, of order r.
    #[default]
    Bn254,
    /// Grumpkin: y² = x³ − 17 over Fr, of order q: the other half of the cycle.
    Grumpkin,
}

impl Curve {
    /// Both curves.
    pub const ALL: [Curve; 2] = [Curve::Bn254, Curve::Grumpkin];

    /// The name in lower case, as it appears in profiles and module names.
    pub fn name(self) -> &'static str {
        match self {
            Curve::Bn254 => "bn254",
            Curve::Grumpkin => "grumpkin",
        }
    }

    /// Its code in the interface.
    pub fn id(self) -> CurveId {
        match self {
            Curve::Bn254 => CurveId::Bn254G1,
            Curve::Grumpkin => CurveId::Grumpkin,
        }
    }

    /// The field in which coordinates lie.
    pub fn base_field(self) -> Prime {
        match self {
            Curve::Bn254 => Prime::Fq,
            Curve::Grumpkin => Prime::Fr,
        }
    }

    /// The field of scalars; its prime is the group's order.
    pub fn scalar_field(self) -> Prime {
        match self {
            Curve::Bn254 => Prime::Fr,
            Curve::Grumpkin => Prime::Fq,
        }
    }

    /// The coefficient b, below p, not in Montgomery form.
    pub fn b(self) -> BigUint {
        match self {
            Curve::Bn254 => BigUint::from(3u32),
            Curve::Grumpkin => self.base_field().modulus() - 17u32,
        }
    }

    /// 3·b mod p, not in Montgomery form.
    pub fn three_b(self) -> BigUint {
        self.b() * 3u32 % self.base_field().modulus()
    }
}
