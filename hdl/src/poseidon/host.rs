//! The core of a profile, of either kind.

use super::{PoseidonCore, STATE_BITS, SerialPoseidon};
use crate::profile::{PoseidonProfile, Profile};
use rust_hdl::prelude::*;

/// The permutation for states of one width: a [`PoseidonCore`], or a [`SerialPoseidon`] where the profile has digit-serial
/// multipliers. Ports and their meaning are those of either.
#[derive(LogicBlock)]
pub struct HashCore {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset; needed once after power-on.
    pub reset: Signal<In, Bit>,
    /// State: element i, Montgomery form, below p, at bit 256·i; those past the width are ignored.
    pub in_state: Signal<In, Bits<STATE_BITS>>,
    /// `in_state` is a state.
    pub in_valid: Signal<In, Bit>,
    /// It is taken.
    pub in_ready: Signal<Out, Bit>,
    /// Permuted state, every element below p; those past the width are zero.
    pub out_state: Signal<Out, Bits<STATE_BITS>>,
    /// `out_state` is one.
    pub out_valid: Signal<Out, Bit>,
    /// It is taken.
    pub out_ready: Signal<In, Bit>,
    /// Lanes in whose head there is a state in this cycle.
    pub passes: Signal<Out, Bits<8>>,
    /// Lanes in whose head there is none.
    pub starved: Signal<Out, Bits<8>>,
    pipelined: Vec<PoseidonCore>,
    serial: Vec<SerialPoseidon>,
    _pipelined: usize,
    _serial: usize,
}

impl HashCore {
    /// The core of a profile for the width of one of its tables. Panics as [`PoseidonCore::new`] does.
    pub fn new(profile: &Profile, core: &PoseidonProfile) -> HashCore {
        let width = core.width as usize;
        let (mut pipelined, mut serial) = (vec![], vec![]);
        match &profile.digit_serial {
            Some(digits) => serial.push(SerialPoseidon::new(width, digits.poseidon_multipliers as usize)),
            None => pipelined.push(PoseidonCore::new(
                width,
                core.lanes as usize,
                &profile.poseidon_datapath(core),
            )),
        }
        HashCore {
            clock: Default::default(),
            reset: Default::default(),
            in_state: Default::default(),
            in_valid: Default::default(),
            in_ready: Default::default(),
            out_state: Default::default(),
            out_valid: Default::default(),
            out_ready: Default::default(),
            passes: Default::default(),
            starved: Default::default(),
            _pipelined: pipelined.len(),
            _serial: serial.len(),
            pipelined,
            serial,
        }
    }

    /// Cycles from a pass of a state to its next one: of pipelined lanes the states that one holds.
    pub fn pass_latency(&self) -> usize {
        let pipelined = self.pipelined.iter().map(PoseidonCore::pass_latency);
        pipelined.chain(self.serial.iter().map(SerialPoseidon::pass_latency)).max().unwrap_or_default()
    }
}

impl Logic for HashCore {
    #[hdl_gen]
    fn update(&mut self) {
        self.in_ready.next = false;
        self.out_state.next = 0.into();
        self.out_valid.next = false;
        self.passes.next = 0.into();
        self.starved.next = 0.into();
        for i in 0..self._pipelined {
            self.pipelined[i].clock.next = self.clock.val();
            self.pipelined[i].reset.next = self.reset.val();
            self.pipelined[i].in_state.next = self.in_state.val();
            self.pipelined[i].in_valid.next = self.in_valid.val();
            self.in_ready.next = self.pipelined[i].in_ready.val();
            self.out_state.next = self.pipelined[i].out_state.val();
            self.out_valid.next = self.pipelined[i].out_valid.val();
            self.pipelined[i].out_ready.next = self.out_ready.val();
            self.passes.next = self.pipelined[i].passes.val();
            self.starved.next = self.pipelined[i].starved.val();
        }
        for i in 0..self._serial {
            self.serial[i].clock.next = self.clock.val();
            self.serial[i].reset.next = self.reset.val();
            self.serial[i].in_state.next = self.in_state.val();
            self.serial[i].in_valid.next = self.in_valid.val();
            self.in_ready.next = self.serial[i].in_ready.val();
            self.out_state.next = self.serial[i].out_state.val();
            self.out_valid.next = self.serial[i].out_valid.val();
            self.serial[i].out_ready.next = self.out_ready.val();
            self.passes.next = self.serial[i].passes.val();
            self.starved.next = self.serial[i].starved.val();
        }
    }
}
