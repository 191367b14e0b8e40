//! The unit behind field vector commands: add, subtract or multiply in either field, one operation a cycle.

use super::montgomery::MontgomeryMultiplier;
use super::prime::{FIELD_BITS, Prime};
use crate::datapath::{Datapath, DatapathConfig, Module, Pipeline};
use crate::profile::Profile;
use rust_hdl::prelude::*;
use std::rc::Rc;

const WORD: usize = 256;

/// Bits that [`field_unit`] takes: two operands, field, operation, valid.
pub const FIELD_UNIT_INPUT_BITS: usize = 2 * WORD + 4;

/// The unit's pipeline. Inputs: `a`, `b` (256 bits, below p), `field` (0 = Fq, 1 = Fr), `operation` (2 bits:
/// 0 add, 1 subtract, 2 Montgomery product), `valid_in`; outputs `result` (256 bits), `valid_out`. II = 1.
/// The multiplier is shared by the fields: its modulus is multiplexed.
pub fn field_unit(config: &DatapathConfig) -> Rc<Module> {
    let path = Datapath::new("field_unit_pipeline", config);
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

/// The unit as a RustHDL block; see [`field_unit`]. `result` and `valid_out` follow the inputs by
/// [`FieldUnit::latency`] cycles. No stall and no reset: what is in the pipe leaves it.
#[derive(LogicBlock)]
pub struct FieldUnit {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// First operand, below p.
    pub a: Signal<In, Bits<256>>,
    /// Second operand, below p.
    pub b: Signal<In, Bits<256>>,
    /// 0 = Fq, 1 = Fr.
    pub field: Signal<In, Bit>,
    /// 0 add, 1 subtract, 2 Montgomery product.
    pub operation: Signal<In, Bits<2>>,
    /// An operation enters.
    pub valid_in: Signal<In, Bit>,
    /// The result, below p.
    pub result: Signal<Out, Bits<256>>,
    /// A result leaves.
    pub valid_out: Signal<Out, Bit>,
    pipeline: Pipeline<FIELD_UNIT_INPUT_BITS, 257>,
    flags: Signal<Local, Bits<4>>,
}

impl FieldUnit {
    /// The unit in the shape of a profile.
    pub fn new(profile: &Profile) -> FieldUnit {
        FieldUnit {
            clock: Signal::default(),
            a: Signal::default(),
            b: Signal::default(),
            field: Signal::default(),
            operation: Signal::default(),
            valid_in: Signal::default(),
            result: Signal::default(),
            valid_out: Signal::default(),
            pipeline: Pipeline::new(field_unit(&profile.datapath)),
            flags: Signal::default(),
        }
    }

    /// Cycles from operands to result.
    pub fn latency(&self) -> usize {
        self.pipeline.latency()
    }
}

impl Logic for FieldUnit {
    #[hdl_gen]
    fn update(&mut self) {
        self.pipeline.clock.next = self.clock.val();
        self.flags.next = bit_cast::<4, 2>(self.operation.val()) << 1;
        if self.field.val() & !self.valid_in.val() {
            self.flags.next = (bit_cast::<4, 2>(self.operation.val()) << 1) | 1;
        }
        if !self.field.val() & self.valid_in.val() {
            self.flags.next = (bit_cast::<4, 2>(self.operation.val()) << 1) | 8;
        }
        if self.field.val() & self.valid_in.val() {
            self.flags.next = (bit_cast::<4, 2>(self.operation.val()) << 1) | 9;
        }
        self.pipeline.data_in.next = bit_cast::<516, 256>(self.a.val())
            | (bit_cast::<516, 256>(self.b.val()) << 256)
            | (bit_cast::<516, 4>(self.flags.val()) << 512);
        self.result.next = self.pipeline.data_out.val().get_bits::<256>(0);
        self.valid_out.next = self.pipeline.data_out.val().get_bit(256);
    }
}
