//! What is done to single elements on their way to a core: they are compared with the prime, or added to a state.

use crate::datapath::{Datapath, DatapathConfig};
use crate::field::{FIELD_BITS, Prime};
use crate::pipeline_block;
use rust_hdl::prelude::*;
use std::rc::Rc;

/// Bits of an element at every boundary.
const WORD: usize = 256;

pipeline_block! {
    /// Tells elements that are not below the prime of Fr. II = 1, latency [`Canonical::latency`], at least 1. No reset.
    clocked Canonical
    inputs {
        /// The element.
        element: Bits<256>,
        /// `element` is one.
        valid_in: Bit,
    }
    outputs {
        /// The element of `latency` cycles before was one, and not below the prime.
        refused: Bit,
    }
}

impl Canonical {
    /// The check in the shape of a board.
    pub fn new(config: &DatapathConfig) -> Canonical {
        let path = Datapath::new("canonical_fr", config);
        let element = path.input("element", WORD);
        let valid = path.input("valid_in", 1);
        let below = path.below(element, path.constant(Prime::Fr.modulus(), WORD));
        let refused = path.and(path.not(below), valid);
        let refused = path.at(refused, path.stage(refused) + 1);
        Canonical::host(Rc::new(path.finish(&[("refused", refused)])))
    }
}

pipeline_block! {
    /// a + b in Fr for a, b below the prime; of others it makes something below 2^254. II = 1, latency
    /// [`ElementAdder::latency`], at least 1. No stall and no reset: what is in the pipe leaves it.
    clocked ElementAdder
    inputs {
        /// First operand.
        a: Bits<256>,
        /// Second operand.
        b: Bits<256>,
        /// There are operands.
        valid_in: Bit,
    }
    outputs {
        /// The sum.
        sum: Bits<256>,
        /// A sum leaves.
        valid_out: Bit,
    }
}

impl ElementAdder {
    /// The adder in the shape of a board.
    pub fn new(config: &DatapathConfig) -> ElementAdder {
        let path = Datapath::new("element_adder_fr", config);
        let (a, b) = (path.input("a", WORD), path.input("b", WORD));
        let valid = path.input("valid_in", 1);
        let (a, b) = (path.slice(a, 0, FIELD_BITS), path.slice(b, 0, FIELD_BITS));
        let sum = path.modular_add(a, b, path.constant(Prime::Fr.modulus(), FIELD_BITS));
        let sum = path.extend(sum, WORD);
        let sum = path.at(sum, path.stage(sum) + 1);
        ElementAdder::host(Rc::new(path.finish(&[("sum", sum), ("valid_out", valid)])))
    }
}
