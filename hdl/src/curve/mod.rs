//! Point addition on BN254's G1 as pipelines.

mod complete;
pub mod model;

pub use complete::{POINT_BITS, complete_adder};

use crate::field::Prime;
use serde::{Deserialize, Serialize};
use spandrel_abi::CurveId;

/// A curve of the engine: short Weierstrass, a = 0, of prime order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Curve {
    /// BN254's G1: y² = x³ + 3 over Fq.
    #[default]
    Bn254,
    /// Grumpkin: y² = x³ − 17 over Fr; its order is BN254's q.
    Grumpkin,
}

impl Curve {
    /// Its code in the interface.
    pub fn id(self) -> CurveId {
        match self {
            Curve::Bn254 => CurveId::Bn254G1,
            Curve::Grumpkin => CurveId::Grumpkin,
        }
    }

    /// The field of its coordinates.
    pub fn base(self) -> Prime {
        match self {
            Curve::Bn254 => Prime::Fq,
            Curve::Grumpkin => Prime::Fr,
        }
    }
}
