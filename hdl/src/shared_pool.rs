//! A point adder and a Poseidon core on one pool of multipliers, as a unit of its own.

use crate::curve::{Curve, complete_adder};
use crate::datapath::{DatapathConfig, Multipliers, Statistics};
use crate::msm::{CompletePipeline, SLOT_BITS};
use crate::poseidon::{PoseidonCore, STATE_BITS};
use rust_hdl::prelude::*;

/// The complete adder on BN254's G1 and a core of Poseidon lanes, which take turns with the same multipliers.
///
/// Emitted, it has as many multipliers as the one of the two that needs more of them; in RustHDL's own simulation each
/// interprets its own. Hashes are right whatever the adder does. Sums are right if no state is in a lane from the cycle in
/// which their pair enters until they leave: so whoever hands out turns lets the core run dry first, and the adder too,
/// whose sums are spoilt by the states that come.
///
/// Latency and II of both are those of their own with [`Multipliers::Shared`].
#[derive(LogicBlock)]
pub struct SharedPool {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset of the core; needed once after power-on. What is in the adder leaves it.
    pub reset: Signal<In, Bit>,
    /// First point: X, Y, Z of 254 bits, X lowest.
    pub p: Signal<In, Bits<762>>,
    /// Second point.
    pub q: Signal<In, Bits<762>>,
    /// Travels with the pair.
    pub tag: Signal<In, Bits<20>>,
    /// A pair enters.
    pub pair_valid: Signal<In, Bit>,
    /// The sum.
    pub sum: Signal<Out, Bits<762>>,
    /// Its pair's tag.
    pub sum_tag: Signal<Out, Bits<20>>,
    /// A sum leaves.
    pub sum_valid: Signal<Out, Bit>,
    /// State, as of [`PoseidonCore::in_state`].
    pub state_data: Signal<In, Bits<STATE_BITS>>,
    /// There is a state.
    pub state_valid: Signal<In, Bit>,
    /// It is taken.
    pub state_ready: Signal<Out, Bit>,
    /// Permuted state.
    pub permuted_data: Signal<Out, Bits<STATE_BITS>>,
    /// There is one.
    pub permuted_valid: Signal<Out, Bit>,
    /// It is taken.
    pub permuted_ready: Signal<In, Bit>,
    /// Lanes in whose head there is a state in this cycle.
    pub passes: Signal<Out, Bits<8>>,
    /// Lanes in whose head there is none.
    pub starved: Signal<Out, Bits<8>>,
    adder: CompletePipeline,
    core: PoseidonCore,
    _multiplier_tiles: usize,
}

impl SharedPool {
    /// An adder, and so many lanes for states of `width` elements. Panics as [`PoseidonCore::new`] does.
    pub fn new(width: usize, lanes: usize, config: &DatapathConfig) -> SharedPool {
        let config = DatapathConfig { multipliers: Multipliers::Shared, ..config.clone() };
        let core = PoseidonCore::new(width, lanes, &config);
        let of_adder = complete_adder(Curve::Bn254, &config, SLOT_BITS).statistics().multiplier_tiles;
        let of_lanes = lanes * core.statistics().multiplier_tiles;
        SharedPool {
            clock: Default::default(),
            reset: Default::default(),
            p: Default::default(),
            q: Default::default(),
            tag: Default::default(),
            pair_valid: Default::default(),
            sum: Default::default(),
            sum_tag: Default::default(),
            sum_valid: Default::default(),
            state_data: Default::default(),
            state_valid: Default::default(),
            state_ready: Default::default(),
            permuted_data: Default::default(),
            permuted_valid: Default::default(),
            permuted_ready: Default::default(),
            passes: Default::default(),
            starved: Default::default(),
            adder: CompletePipeline::new(Curve::Bn254, &config),
            core,
            // Each side counts a multiplier.
            _multiplier_tiles: of_adder.max(of_lanes),
        }
    }

    /// Cycles from a pair to its sum.
    pub fn sum_latency(&self) -> usize {
        self.adder.latency()
    }

    /// The core, for its latencies.
    pub fn core(&self) -> &PoseidonCore {
        &self.core
    }

    /// The latency of a pass, and the tiles of the pool; the rest is that of one lane.
    pub fn statistics(&self) -> Statistics {
        Statistics { multiplier_tiles: self._multiplier_tiles, ..self.core.statistics() }
    }
}

impl Logic for SharedPool {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, adder, core);
        self.adder.p.next = self.p.val();
        self.adder.q.next = self.q.val();
        self.adder.tag.next = self.tag.val();
        self.adder.valid_in.next = self.pair_valid.val();
        self.sum.next = self.adder.sum.val();
        self.sum_tag.next = self.adder.tag_out.val();
        self.sum_valid.next = self.adder.valid_out.val();
        self.core.reset.next = self.reset.val();
        self.core.in_state.next = self.state_data.val();
        self.core.in_valid.next = self.state_valid.val();
        self.state_ready.next = self.core.in_ready.val();
        self.permuted_data.next = self.core.out_state.val();
        self.permuted_valid.next = self.core.out_valid.val();
        self.core.out_ready.next = self.permuted_ready.val();
        self.passes.next = self.core.passes.val();
        self.starved.next = self.core.starved.val();
    }
}
