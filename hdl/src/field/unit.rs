//! The unit behind field vector commands: add, subtract or multiply in either field, one operation a cycle.

use super::montgomery::MontgomeryMultiplier;
use super::prime::{FIELD_BITS, Prime};
use crate::datapath::{Datapath, DatapathConfig, Module};
use crate::pipeline_block;
use crate::profile::Profile;
use rust_hdl::prelude::*;
use std::rc::Rc;

const WORD: usize = 256;

/// The unit's pipeline. Inputs: `a`, `b` (256 bits, below p), `field` (0 = Fq, 1 = Fr), `operation` (2 bits:
/// 0 add, 1 subtract, 2 Montgomery product), `valid_in`; outputs `result` (256 bits), `valid_out`. II = 1.
/// The multiplier is shared by the fields: its modulus is multiplexed.
pub fn field_unit(config: &DatapathConfig) -> Rc<Module> {
    let path = Datapath::new("field_unit", config);
    let (a, b) = (path.input("a", WORD), path.input("b", WORD));
    let field = path.input("field", 1);
    let operation = path.input("operation", 2);
    let valid = path.input("valid_in", 1);
    let (a, b) = (path.slice(a, 0, FIELD_BITS), path.slice(b, 0, FIELD_BITS));
    let [fq, fr] = Prime::ALL.map(|prime| MontgomeryMultiplier::of(&path, prime));
    let multiplier = MontgomeryMultiplier {
        modulus: path.mux(field, fr.modulus, fq.modulus),
        negative_inverse: path.mux(field, fr.negative_inverse, fq.negative_inverse),
    };
    let sum = path.modular_add(a, b, multiplier.modulus);
    let difference = path.modular_subtract(a, b, multiplier.modulus);
    let product = multiplier.multiply(&path, a, b);
    let linear = path.mux(path.bit(operation, 0), difference, sum);
    let result = path.mux(path.bit(operation, 1), product, linear);
    let result = path.extend(result, WORD);
    Rc::new(path.finish(&[("result", result), ("valid_out", valid)]))
}

pipeline_block! {
    /// The unit as a RustHDL block; see [`field_unit`]. `result` and `valid_out` follow the inputs by
    /// [`FieldUnit::latency`] cycles. No stall and no reset: what is in the pipe leaves it.
    clocked FieldUnit
    inputs {
        /// First operand, below p.
        a: Bits<256>,
        /// Second operand, below p.
        b: Bits<256>,
        /// 0 = Fq, 1 = Fr.
        field: Bit,
        /// 0 add, 1 subtract, 2 Montgomery product.
        operation: Bits<2>,
        /// An operation enters.
        valid_in: Bit,
    }
    outputs {
        /// The result, below p.
        result: Bits<256>,
        /// A result leaves.
        valid_out: Bit,
    }
}

impl FieldUnit {
    /// The unit in the shape of a profile.
    pub fn new(profile: &Profile) -> FieldUnit {
        FieldUnit::host(field_unit(&profile.datapath))
    }
}
