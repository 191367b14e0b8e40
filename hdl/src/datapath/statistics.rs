//! What a pipeline is made of, counted before any synthesis.

use super::graph::{Kind, Module};
use serde::{Deserialize, Serialize};

/// Counts over a pipeline and everything it instantiates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statistics {
    /// Multiplier tiles.
    pub multiplier_tiles: usize,
    /// Bits of all additions and subtractions.
    pub adder_bits: usize,
    /// Bits of all multiplexers.
    pub mux_bits: usize,
    /// Bits of all registers, delay lines included.
    pub register_bits: usize,
    /// Cycles from input to output.
    pub latency_cycles: usize,
}

impl Module {
    /// Counts this pipeline and its instances.
    pub fn statistics(&self) -> Statistics {
        let mut total = Statistics { latency_cycles: self.latency(), ..Statistics::default() };
        for node in &self.nodes {
            match node.kind {
                Kind::Multiply { .. } => total.multiplier_tiles += 1,
                Kind::Add { .. } | Kind::Subtract { .. } => total.adder_bits += node.width,
                Kind::Mux { .. } => total.mux_bits += node.width,
                Kind::Register(_) => total.register_bits += node.width,
                _ => {}
            }
        }
        for instance in &self.instances {
            let inner = instance.module.statistics();
            total.multiplier_tiles += inner.multiplier_tiles;
            total.adder_bits += inner.adder_bits;
            total.mux_bits += inner.mux_bits;
            total.register_bits += inner.register_bits;
        }
        total
    }
}
