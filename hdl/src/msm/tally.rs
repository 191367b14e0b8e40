//! Events of all cores, added up.

use crate::datapath::Datapath;
use crate::pipeline_block;
use rust_hdl::prelude::*;
use std::rc::Rc;

/// Events that are counted, in the order of their lanes.
const EVENTS: [&str; 14] = [
    "addition",
    "digit",
    "idle",
    "digit_stall",
    "idle_no_pair",
    "idle_batch",
    "idle_adder",
    "idle_memory",
    "idle_host",
    "idle_drain",
    "parked",
    "matched",
    "doubling",
    "annihilation",
];

/// Bits of a lane: 16 cores have at most two events of a kind a cycle, so lanes never carry into each other.
const LANE_BITS: usize = 8;

pipeline_block! {
    /// Adds a core's events of one cycle to those of the cores before it. A tally has a lane of eight bits for each kind of
    /// event, in the order of the inputs.
    combinational AddEvents
    inputs {
        /// Tally of the cores before.
        before: Bits<112>,
        /// An addition is issued.
        addition: Bits<2>,
        /// A non-zero digit is taken in.
        digit: Bits<2>,
        /// No addition is issued in a phase that has some.
        idle: Bits<2>,
        /// A digit has to wait.
        digit_stall: Bits<2>,
        /// Idle: no token taken in makes a pair.
        idle_no_pair: Bits<2>,
        /// Idle: a batch is awaited that is not closed.
        idle_batch: Bits<2>,
        /// Idle: the adder is not ready.
        idle_adder: Bits<2>,
        /// Idle: points are awaited.
        idle_memory: Bits<2>,
        /// Idle: scalars are awaited.
        idle_host: Bits<2>,
        /// Idle: the last sums are awaited.
        idle_drain: Bits<2>,
        /// Tokens park.
        parked: Bits<2>,
        /// Tokens take others.
        matched: Bits<2>,
        /// Equal points are added.
        doubling: Bits<2>,
        /// Opposite points are added.
        annihilation: Bits<2>,
    }
    outputs {
        /// Tally with this core's.
        tally: Bits<112>,
    }
}

impl AddEvents {
    /// The adder of all lanes.
    pub fn new() -> AddEvents {
        let path = Datapath::combinational("add_events");
        let before = path.input("before", EVENTS.len() * LANE_BITS);
        let lanes: Vec<_> = EVENTS
            .iter()
            .enumerate()
            .map(|(lane, event)| {
                let events = path.resize(path.input(event, 2), LANE_BITS);
                let sum = path.add(path.slice(before, lane * LANE_BITS, LANE_BITS), events);
                path.slice(sum, 0, LANE_BITS)
            })
            .collect();
        let tally = path.concat(&lanes);
        AddEvents::host(Rc::new(path.finish_combinational(&[("tally", tally)])))
    }
}
