//! A pass closed to a ring.

use super::{OwnProducts, Products, STATE_BITS, Schedule, SharedProducts, pass};
use crate::datapath::{DatapathConfig, Host, Multipliers, Statistics, from_integer, to_integer};
use num_bigint::BigUint;
use rust_hdl::prelude::*;

/// A ring of as many slots as a pass has cycles; every cycle one of them is at the head.
///
/// A state enters where the slot at the head is free, goes through all its passes, and leaves [`Lane::hash_cycles`]
/// later, whatever the other slots do. No stall. No reset, but what comes to the head while `keep` is low is dropped: after
/// [`Lane::slots`] cycles of that the ring is empty.
#[derive(LogicBlock)]
pub struct Lane {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// The state that enters, element i, below 2p, at bit 256·i.
    pub in_state: Signal<In, Bits<STATE_BITS>>,
    /// A state enters: only where `occupied` is low, or `keep` is.
    pub in_valid: Signal<In, Bit>,
    /// The state at the head goes on.
    pub keep: Signal<In, Bit>,
    /// There is a state in the slot at the head (a register).
    pub occupied: Signal<Out, Bit>,
    /// The state that leaves, permuted; its elements are below 2p, those past the width are zero (a register).
    pub out_state: Signal<Out, Bits<STATE_BITS>>,
    /// A state leaves (a register).
    pub out_valid: Signal<Out, Bit>,
    _host: Host,
    _ring: BigUint,
    _passes: usize,
}

impl Lane {
    /// A lane for states of a schedule, on the multipliers that the shape asks for.
    pub fn new(schedule: &Schedule, config: &DatapathConfig) -> Lane {
        let products: Box<dyn Products> = match config.multipliers {
            Multipliers::Own => Box::new(OwnProducts::new(schedule.width(), config)),
            Multipliers::Shared => Box::new(SharedProducts::new(config)),
        };
        Lane {
            clock: Default::default(),
            in_state: Default::default(),
            in_valid: Default::default(),
            keep: Default::default(),
            occupied: Default::default(),
            out_state: Default::default(),
            out_valid: Default::default(),
            _host: Host::new(pass(schedule, &*products, config)),
            _ring: BigUint::default(),
            _passes: schedule.passes(),
        }
    }

    /// Slots of the ring: the cycles of a pass.
    pub fn slots(&self) -> usize {
        self._host.latency()
    }

    /// Cycles from a state's entry to its leaving.
    pub fn hash_cycles(&self) -> usize {
        self._passes * self.slots()
    }

    /// What the pass is made of.
    pub fn statistics(&self) -> Statistics {
        self._host.module().statistics()
    }
}

impl Logic for Lane {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            let inputs = [
                to_integer(self.in_state.val()),
                to_integer(self.in_valid.val()),
                to_integer(self.keep.val()),
                std::mem::take(&mut self._ring),
            ];
            let mut outputs = self._host.clock_edge(&inputs).into_iter();
            self._ring = outputs.next().unwrap_or_default();
            self.occupied.next = from_integer(outputs.next());
            self.out_state.next = from_integer(outputs.next());
            self.out_valid.next = from_integer(outputs.next());
        }
    }

    fn connect(&mut self) {
        self.occupied.connect();
        self.out_state.connect();
        self.out_valid.connect();
    }

    fn hdl(&self) -> Verilog {
        let pass = self._host.module();
        let top = pass.output_widths()[0] - 1;
        let ports = ["clock", "in_state", "in_valid", "keep", "occupied", "out_state", "out_valid"];
        let ports: Vec<String> = ports.iter().map(|name| format!(".{name}({name})")).collect();
        let code = format!(
            "wire [{top}:0] round;\n{} pipeline ({}, .ring(round), .ring_out(round));\n",
            pass.name(),
            ports.join(", ")
        );
        let cores = pass.verilog().into_values().collect::<Vec<_>>().join("\n");
        Verilog::Wrapper(Wrapper { code, cores })
    }

    fn timing(&self) -> Vec<TimingInfo> {
        vec![TimingInfo {
            name: "ring".into(),
            clock: "clock".into(),
            inputs: ["in_state", "in_valid", "keep"].map(Into::into).into(),
            outputs: ["occupied", "out_state", "out_valid"].map(Into::into).into(),
        }]
    }
}
