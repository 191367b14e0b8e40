//! The unit behind field vector commands: add, subtract or multiply in either field, one operation a cycle.

use super::montgomery::MontgomeryMultiplier;
use super::prime::{FIELD_BITS, Prime};
use super::serial::SerialFieldUnit;
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
    /// The pipelined unit as a RustHDL block; see [`field_unit`]. `result` and `valid_out` follow the inputs by
    /// [`FieldPipeline::latency`] cycles. No stall and no reset: what is in the pipe leaves it.
    clocked FieldPipeline
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

impl FieldPipeline {
    /// The unit in the shape of a profile.
    pub fn new(profile: &Profile) -> FieldPipeline {
        FieldPipeline::host(field_unit(&profile.datapath))
    }
}

/// The field unit of a profile: a [`FieldPipeline`], or a [`SerialFieldUnit`] where the profile has digit-serial multipliers.
/// An operation is taken in a cycle with `valid_in` and `ready`, which depends on registers only; results come in the order
/// of the operations and wait for nobody.
#[derive(LogicBlock)]
pub struct FieldUnit {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Forgets what is inside; the pipelined unit does not, so whoever takes results waits [`FieldUnit::latency`] cycles.
    pub reset: Signal<In, Bit>,
    /// First operand, below p.
    pub a: Signal<In, Bits<256>>,
    /// Second operand, below p.
    pub b: Signal<In, Bits<256>>,
    /// 0 = Fq, 1 = Fr.
    pub field: Signal<In, Bit>,
    /// 0 add, 1 subtract, 2 Montgomery product.
    pub operation: Signal<In, Bits<2>>,
    /// There is an operation.
    pub valid_in: Signal<In, Bit>,
    /// It is taken.
    pub ready: Signal<Out, Bit>,
    /// The result, below p.
    pub result: Signal<Out, Bits<256>>,
    /// A result leaves.
    pub valid_out: Signal<Out, Bit>,
    pipelined: Vec<FieldPipeline>,
    serial: Vec<SerialFieldUnit>,
    _pipelined: usize,
    _serial: usize,
}

impl FieldUnit {
    /// The unit of a profile.
    pub fn new(profile: &Profile) -> FieldUnit {
        let (mut pipelined, mut serial) = (vec![], vec![]);
        match &profile.digit_serial {
            Some(digits) => serial.push(SerialFieldUnit::new(digits.field_multipliers as usize)),
            None => pipelined.push(FieldPipeline::new(profile)),
        }
        FieldUnit {
            clock: Default::default(),
            reset: Default::default(),
            a: Default::default(),
            b: Default::default(),
            field: Default::default(),
            operation: Default::default(),
            valid_in: Default::default(),
            ready: Default::default(),
            result: Default::default(),
            valid_out: Default::default(),
            _pipelined: pipelined.len(),
            _serial: serial.len(),
            pipelined,
            serial,
        }
    }

    /// Cycles from an operation that is taken to its result, at most.
    pub fn latency(&self) -> usize {
        let pipelined = self.pipelined.iter().map(FieldPipeline::latency);
        pipelined.chain(self.serial.iter().map(SerialFieldUnit::latency)).max().unwrap_or_default()
    }
}

impl Logic for FieldUnit {
    #[hdl_gen]
    fn update(&mut self) {
        self.ready.next = false;
        self.result.next = 0.into();
        self.valid_out.next = false;
        for i in 0..self._pipelined {
            self.pipelined[i].clock.next = self.clock.val();
            self.pipelined[i].a.next = self.a.val();
            self.pipelined[i].b.next = self.b.val();
            self.pipelined[i].field.next = self.field.val();
            self.pipelined[i].operation.next = self.operation.val();
            self.pipelined[i].valid_in.next = self.valid_in.val();
            self.ready.next = true;
            self.result.next = self.pipelined[i].result.val();
            self.valid_out.next = self.pipelined[i].valid_out.val();
        }
        for i in 0..self._serial {
            self.serial[i].clock.next = self.clock.val();
            self.serial[i].reset.next = self.reset.val();
            self.serial[i].a.next = self.a.val();
            self.serial[i].b.next = self.b.val();
            self.serial[i].field.next = self.field.val();
            self.serial[i].operation.next = self.operation.val();
            self.serial[i].valid_in.next = self.valid_in.val();
            self.ready.next = self.serial[i].ready.val();
            self.result.next = self.serial[i].result.val();
            self.valid_out.next = self.serial[i].valid_out.val();
        }
    }
}
