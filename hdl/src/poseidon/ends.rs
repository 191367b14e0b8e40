//! What is done with a state before its first pass and behind its last one.

use super::schedule::Schedule;
use super::{ELEMENT_BITS, LAZY_BITS, STATE_BITS};
use crate::datapath::{Datapath, DatapathConfig, Wire};
use crate::field::{FIELD_BITS, Prime};
use crate::pipeline_block;
use rust_hdl::prelude::*;
use std::rc::Rc;

pipeline_block! {
    /// Adds the first round's constants: elements below p become elements below 2p. II = 1, no reset.
    clocked EntryPipeline
    inputs {
        /// A state, each element in 256 bits.
        in_state: Bits<1280>,
        /// There is one.
        in_valid: Bit,
    }
    outputs {
        /// The state with constants.
        out_state: Bits<1280>,
        /// There is one.
        out_valid: Bit,
    }
}

pipeline_block! {
    /// Reduces elements below 2p to below p. II = 1, no reset.
    clocked ExitPipeline
    inputs {
        /// A state, each element in 256 bits.
        in_state: Bits<1280>,
        /// There is one.
        in_valid: Bit,
    }
    outputs {
        /// The state, reduced.
        out_state: Bits<1280>,
        /// There is one.
        out_valid: Bit,
    }
}

impl EntryPipeline {
    /// The pipeline for states of a schedule.
    pub fn new(schedule: &Schedule, config: &DatapathConfig) -> EntryPipeline {
        let add = |path: &Datapath, index: usize, element: Wire| {
            let constant = path.constant(schedule.initial()[index].clone(), FIELD_BITS);
            path.add(path.slice(element, 0, FIELD_BITS), constant)
        };
        EntryPipeline::host(of_elements("entry", schedule.width(), config, add))
    }
}

impl ExitPipeline {
    /// The pipeline for states of a schedule.
    pub fn new(schedule: &Schedule, config: &DatapathConfig) -> ExitPipeline {
        let reduce = |path: &Datapath, _: usize, element: Wire| {
            let modulus = path.constant(Prime::Fr.modulus(), FIELD_BITS);
            path.subtract_if_not_below(path.slice(element, 0, LAZY_BITS), modulus)
        };
        ExitPipeline::host(of_elements("exit", schedule.width(), config, reduce))
    }
}

/// A function of every element of a state.
fn of_elements(
    name: &str,
    width: usize,
    config: &DatapathConfig,
    function: impl Fn(&Datapath, usize, Wire) -> Wire,
) -> Rc<crate::datapath::Module> {
    let path = Datapath::new(format!("poseidon_{name}_{width}"), config);
    let state = path.input("in_state", STATE_BITS);
    let valid = path.input("in_valid", 1);
    let element = |index: usize| {
        let element = path.slice(state, index * ELEMENT_BITS, ELEMENT_BITS);
        path.extend(function(&path, index, element), ELEMENT_BITS)
    };
    let elements: Vec<Wire> = (0..width).map(element).collect();
    let out_state = path.extend(path.concat(&elements), STATE_BITS);
    Rc::new(path.finish(&[("out_state", out_state), ("out_valid", valid)]))
}
