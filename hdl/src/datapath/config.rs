//! Shapes of the arithmetic pipelines.

use serde::{Deserialize, Serialize};

/// How the pipelines of a board are cut; from its profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatapathConfig {
    /// Bits of the two operands of one unsigned multiplier tile: `[26, 17]` for a DSP48E2, `[24, 17]` for a
    /// DSP48E1, `[18, 18]` for an ECP5 multiplier, `[32, 32]` for fast simulation.
    pub tile: [usize; 2],
    /// Levels of Karatsuba splitting above the tiles of a full product.
    pub karatsuba_levels: usize,
    /// Longest carry chain in bits; longer additions are cut into chunks of this size, each its own level.
    pub chunk_bits: usize,
    /// Levels of logic (a chunk's addition, a multiplexer, a comparison) allowed between two registers.
    pub levels_per_stage: usize,
    /// Registers behind each multiplier tile; 0 leaves the product in the stage of its operands as one level,
    /// from 1 on the operands are registered too (the A, B, M and P registers of a DSP slice are 2).
    pub tile_stages: usize,
    /// How products with a constant are computed.
    #[serde(default)]
    pub constant_products: ConstantProducts,
    /// Whose the multipliers of the point adders and of the Poseidon lanes are. A profile says so for each width of its
    /// Poseidon engine, see [`Profile::adder_datapath`](crate::profile::Profile::adder_datapath).
    #[serde(skip)]
    pub multipliers: Multipliers,
}

/// Whose the multipliers of the point adders and of the Poseidon lanes are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Multipliers {
    /// Each has its own.
    #[default]
    Own,
    /// One pool serves both, which take turns; see [`shared_multiplier`](crate::field::shared_multiplier).
    Shared,
}

/// How the two products of a Montgomery reduction, which have a constant operand, are computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConstantProducts {
    /// Both on multiplier tiles.
    #[default]
    Tiles,
    /// The low product (the quotient) as shifts and additions, the full one on tiles.
    LowShiftAdd,
    /// Both as shifts and additions: fewest multipliers, most logic.
    ShiftAdd,
}

impl DatapathConfig {
    /// The shape for AMD UltraScale+ parts: one 64-bit carry chain between registers, DSP48E2 tiles.
    pub fn ultrascale() -> DatapathConfig {
        DatapathConfig {
            tile: [26, 17],
            karatsuba_levels: 2,
            chunk_bits: 64,
            levels_per_stage: 1,
            tile_stages: 2,
            constant_products: ConstantProducts::Tiles,
            multipliers: Multipliers::Own,
        }
    }
}
