//! The RustHDL host of a pipeline.

use super::{Interpreter, Module};
use num_bigint::BigUint;
use num_traits::One;
use rust_hdl::prelude::*;
use std::rc::Rc;

/// A pipeline as a RustHDL block: inputs packed into `data_in` and outputs into `data_out`, the first lowest.
/// Its Verilog is the pipeline's, its RustHDL simulation interprets the same graph. II = 1; `data_out` follows
/// `data_in` by [`Pipeline::latency`] cycles.
#[derive(LogicBlock)]
pub struct Pipeline<const IN: usize, const OUT: usize> {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// All inputs, the first lowest.
    pub data_in: Signal<In, Bits<IN>>,
    /// All outputs, the first lowest.
    pub data_out: Signal<Out, Bits<OUT>>,
    _module: Rc<Module>,
    _interpreter: Interpreter,
}

impl<const IN: usize, const OUT: usize> Pipeline<IN, OUT> {
    /// Hosts a pipeline whose inputs have IN bits in all, and its outputs OUT bits.
    pub fn new(module: Rc<Module>) -> Self {
        let total = |widths: Vec<usize>| widths.iter().sum::<usize>();
        assert_eq!(total(module.input_widths()), IN, "{}: the inputs have other widths", module.name());
        assert_eq!(total(module.output_widths()), OUT, "{}: the outputs have other widths", module.name());
        assert!(module.latency() > 0, "{}: a hosted pipeline needs a register", module.name());
        Pipeline {
            clock: Signal::default(),
            data_in: Signal::default(),
            data_out: Signal::default(),
            _interpreter: Interpreter::new(module.clone()),
            _module: module,
        }
    }

    /// Cycles from `data_in` to `data_out`.
    pub fn latency(&self) -> usize {
        self._module.latency()
    }

    /// The hosted pipeline.
    pub fn module(&self) -> &Rc<Module> {
        &self._module
    }
}

impl<const IN: usize, const OUT: usize> Logic for Pipeline<IN, OUT> {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            let packed: BigUint = self.data_in.val().into();
            let inputs = unpack(packed, &self._module.input_widths());
            self._interpreter.step(&inputs);
            let outputs = self._interpreter.outputs(&inputs);
            self.data_out.next = pack(&outputs, &self._module.output_widths()).into();
        }
    }

    fn connect(&mut self) {
        self.data_out.connect();
    }

    fn hdl(&self) -> Verilog {
        let module = &self._module;
        let slices = |bus: &str, names: Vec<&str>, widths: Vec<usize>| {
            let mut lsb = 0;
            let mut text = String::new();
            for (name, width) in names.iter().zip(widths) {
                text += &format!(", .{name}({bus}[{}:{lsb}])", lsb + width - 1);
                lsb += width;
            }
            text
        };
        let outputs = module.outputs.iter().map(|(name, _)| name.as_str()).collect();
        let code = format!(
            "{} pipeline (.clock(clock){}{});\n",
            module.name(),
            slices("data_in", module.input_names().collect(), module.input_widths()),
            slices("data_out", outputs, module.output_widths()),
        );
        let cores = module.verilog().into_values().collect::<Vec<_>>().join("\n");
        Verilog::Wrapper(Wrapper { code, cores })
    }

    fn timing(&self) -> Vec<TimingInfo> {
        vec![TimingInfo {
            name: "pipeline".into(),
            clock: "clock".into(),
            inputs: vec!["data_in".into()],
            outputs: vec!["data_out".into()],
        }]
    }
}

fn unpack(packed: BigUint, widths: &[usize]) -> Vec<BigUint> {
    let mut lsb = 0;
    let mut parts = Vec::with_capacity(widths.len());
    for width in widths {
        parts.push((&packed >> lsb) & ((BigUint::one() << *width) - 1u32));
        lsb += width;
    }
    parts
}

fn pack(parts: &[BigUint], widths: &[usize]) -> BigUint {
    let mut lsb = 0;
    let mut packed = BigUint::default();
    for (part, width) in parts.iter().zip(widths) {
        packed |= part << lsb;
        lsb += width;
    }
    packed
}
