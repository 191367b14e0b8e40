//! The field unit on a processor.

use crate::processor::{Choice, Moduli, Operand, Processor, Program};
use rust_hdl::prelude::*;

/// An operation: inputs a and b; output their sum in frames of kind 0, their difference in those of kind 1, their Montgomery
/// product in those of kinds 2 and 3.
pub fn operation() -> Program {
    let mut program = Program::default();
    let (a, b) = (program.load(), program.load());
    let product = program.multiply(a, b);
    let sum = program.add(a, b);
    let difference = program.subtract(a, b);
    let linear = program.add(Operand::Zero, Choice::new(sum, difference, &[1]));
    program.give(Choice::new(linear, product, &[2, 3]));
    program
}

/// The unit behind field vector commands on a [`Processor`]: an operation every [`SerialFieldUnit::interval`] cycles, results
/// in the order of the operations, [`SerialFieldUnit::latency`] cycles behind them at most. A reset forgets all at once.
#[derive(LogicBlock)]
pub struct SerialFieldUnit {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Forgets what is inside; needed once after power-on.
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
    /// It is taken (a register).
    pub ready: Signal<Out, Bit>,
    /// The result, below p (a register).
    pub result: Signal<Out, Bits<256>>,
    /// A result leaves (a register).
    pub valid_out: Signal<Out, Bit>,
    processor: Processor,
    held: DFF<Bit>,
    inside: DFF<Bit>,
    held_a: DFF<Bits<256>>,
    held_b: DFF<Bits<256>>,
    held_field: DFF<Bit>,
    held_operation: DFF<Bits<2>>,
    result_now: DFF<Bits<256>>,
    result_here: DFF<Bit>,
    enters: Signal<Local, Bit>,
}

impl SerialFieldUnit {
    /// The unit with 1, 2, 4 or 8 multipliers.
    pub fn new(multipliers: usize) -> SerialFieldUnit {
        SerialFieldUnit {
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
            processor: Processor::new("field", &operation(), &[], Moduli::Both, multipliers),
            held: Default::default(),
            inside: Default::default(),
            held_a: Default::default(),
            held_b: Default::default(),
            held_field: Default::default(),
            held_operation: Default::default(),
            result_now: Default::default(),
            result_here: Default::default(),
            enters: Default::default(),
        }
    }

    /// Cycles from one operation to the next.
    pub fn interval(&self) -> usize {
        self.processor.period()
    }

    /// Cycles from the one in which an operation is taken to the one in which its result is there, at most.
    pub fn latency(&self) -> usize {
        1 + self.processor.period() + self.processor.length() + 1
    }
}

impl Logic for SerialFieldUnit {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, held, inside, held_a, held_b, held_field, held_operation);
        dff_setup!(self, clock, result_now, result_here);
        clock!(self, clock, processor);
        self.processor.reset.next = self.reset.val();
        self.processor.base.next = 0.into();
        self.ready.next = !self.held.q.val();
        if self.valid_in.val() & !self.held.q.val() {
            self.held.d.next = true;
            self.held_a.d.next = self.a.val();
            self.held_b.d.next = self.b.val();
            self.held_field.d.next = self.field.val();
            self.held_operation.d.next = self.operation.val();
        }
        self.enters.next = self.processor.begins.val() & self.held.q.val() & !self.inside.q.val();
        self.processor.entering.next = self.enters.val();
        self.processor.leaving.next = self.enters.val();
        self.processor.kind.next = self.held_operation.q.val();
        self.processor.second.next = self.held_field.q.val();
        if self.enters.val() {
            self.inside.d.next = true;
        }
        self.processor.load_data.next = self.held_a.q.val();
        if self.processor.load_number.val() == 1 {
            self.processor.load_data.next = self.held_b.q.val();
            if self.processor.load.val() & self.inside.q.val() {
                self.held.d.next = false;
                self.inside.d.next = false;
            }
        }
        self.result_here.d.next = self.processor.store.val();
        self.result_now.d.next = self.processor.store_data.val();
        self.result.next = self.result_now.q.val();
        self.valid_out.next = self.result_here.q.val();
        if self.reset.val() {
            self.held.d.next = false;
            self.inside.d.next = false;
            self.result_here.d.next = false;
        }
    }
}
