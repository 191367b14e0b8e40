//! The same graph, run in software: as a function, and cycle by cycle.

use super::graph::{Kind, Module};
use num_bigint::BigUint;
use num_traits::{One, ToPrimitive, Zero};
use std::rc::Rc;

impl Module {
    /// The outputs for these inputs, as if every register were a wire.
    pub fn evaluate(&self, inputs: &[BigUint]) -> Vec<BigUint> {
        let mut instances: Vec<Option<Vec<BigUint>>> = vec![None; self.instances.len()];
        self.compute(
            inputs,
            |_, values, source| values[source].clone(),
            |index, values| {
                instances[index]
                    .get_or_insert_with(|| {
                        let instance = &self.instances[index];
                        let inputs: Vec<_> =
                            instance.inputs.iter().map(|node| values[*node].clone()).collect();
                        instance.module.evaluate(&inputs)
                    })
                    .clone()
            },
        )
        .1
    }

    /// Values of all nodes, and the outputs. `register` gives a register's value, `instance` a sub-module's
    /// outputs.
    fn compute(
        &self,
        inputs: &[BigUint],
        mut register: impl FnMut(usize, &[BigUint], usize) -> BigUint,
        mut instance: impl FnMut(usize, &[BigUint]) -> Vec<BigUint>,
    ) -> (Vec<BigUint>, Vec<BigUint>) {
        assert_eq!(inputs.len(), self.inputs.len(), "{}: wrong number of inputs", self.name());
        let mut values: Vec<BigUint> = Vec::with_capacity(self.nodes.len());
        let mut next_input = inputs.iter();
        for (index, node) in self.nodes.iter().enumerate() {
            let value = match &node.kind {
                Kind::Input(name) => {
                    let value = next_input.next().cloned().unwrap_or_default();
                    assert!(
                        value.bits() as usize <= node.width,
                        "{}: the input {name} is too wide",
                        self.name()
                    );
                    value
                }
                Kind::Register(source) => register(index, &values, *source),
                Kind::Output { instance: number, port } => instance(*number, &values)[*port].clone(),
                logic => {
                    logic.value(node.width, |operand| (values[operand].clone(), self.nodes[operand].width))
                }
            };
            values.push(value);
        }
        let outputs = self.outputs.iter().map(|(_, node)| values[*node].clone()).collect();
        (values, outputs)
    }
}

impl Kind {
    /// What a node without state computes, given its width and its operands' values and widths.
    pub(super) fn value(&self, width: usize, operand: impl Fn(usize) -> (BigUint, usize)) -> BigUint {
        let modulus = BigUint::one() << width;
        let of = |node: &usize| operand(*node).0;
        let optional = |node: &Option<usize>| node.as_ref().map_or_else(BigUint::zero, of);
        match self {
            Kind::Constant(value) => value.clone(),
            Kind::Slice { source, lsb } => (of(source) >> *lsb) % modulus,
            Kind::Concat(parts) => parts.iter().rev().fold(BigUint::zero(), |value, part| {
                let (low, bits) = operand(*part);
                (value << bits) | low
            }),
            Kind::Add { a, b, carry } => (of(a) + of(b) + optional(carry)) % modulus,
            Kind::Subtract { a, b, borrow } => (&modulus + of(a) - of(b) - optional(borrow)) % modulus,
            Kind::Multiply { a, b } => of(a) * of(b),
            Kind::Mux { select, high, low } => of(if of(select).is_zero() { low } else { high }),
            Kind::Equal(a, b) => BigUint::from(of(a) == of(b)),
            Kind::And(a, b) => of(a) & of(b),
            Kind::Or(a, b) => of(a) | of(b),
            Kind::Xor(a, b) => of(a) ^ of(b),
            Kind::Not(a) => modulus - 1u32 - of(a),
            Kind::Lookup { address, table } => {
                of(address).to_usize().and_then(|address| table.get(address)).cloned().unwrap_or_default()
            }
            Kind::Input(_) | Kind::Register(_) | Kind::Output { .. } => {
                unreachable!("{self:?} has a value of its own")
            }
        }
    }
}

/// A pipeline run cycle by cycle, register by register.
#[derive(Clone, Debug)]
pub struct Interpreter {
    module: Rc<Module>,
    registers: Vec<BigUint>,
    instances: Vec<Interpreter>,
}

impl Interpreter {
    /// All registers zero.
    pub fn new(module: Rc<Module>) -> Interpreter {
        let instances = module.instances.iter().map(|instance| Interpreter::new(instance.module.clone()));
        Interpreter {
            registers: vec![BigUint::zero(); module.nodes.len()],
            instances: instances.collect(),
            module,
        }
    }

    /// The outputs in this cycle, with these inputs before the clock edge.
    pub fn outputs(&mut self, inputs: &[BigUint]) -> Vec<BigUint> {
        self.pass(inputs, false)
    }

    /// The outputs in this cycle; then the clock edge.
    pub fn step(&mut self, inputs: &[BigUint]) -> Vec<BigUint> {
        self.pass(inputs, true)
    }

    fn pass(&mut self, inputs: &[BigUint], clock: bool) -> Vec<BigUint> {
        let module = self.module.clone();
        let (registers, instances) = (&self.registers, &mut self.instances);
        let mut done: Vec<Option<Vec<BigUint>>> = vec![None; module.instances.len()];
        let (values, outputs) = module.compute(
            inputs,
            |index, _, _| registers[index].clone(),
            |index, values| {
                done[index]
                    .get_or_insert_with(|| {
                        let inputs = &module.instances[index].inputs;
                        let inputs: Vec<_> = inputs.iter().map(|node| values[*node].clone()).collect();
                        instances[index].pass(&inputs, clock)
                    })
                    .clone()
            },
        );
        if clock {
            for (index, node) in module.nodes.iter().enumerate() {
                if let Kind::Register(source) = node.kind {
                    self.registers[index] = values[source].clone();
                }
            }
        }
        outputs
    }
}
