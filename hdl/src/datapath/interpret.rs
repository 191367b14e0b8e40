//! The same graph, run in software: as a function, and cycle by cycle.

use super::graph::{Kind, Module};
use num_bigint::BigUint;
use num_traits::{One, Zero};
use std::rc::Rc;

impl Module {
    /// The outputs for these inputs, as if every register were a wire.
    pub fn evaluate(&self, inputs: &[BigUint]) -> Vec<BigUint> {
        let mut instances: Vec<Option<Vec<BigUint>>> = vec![None; self.instances.len()];
        self.compute(inputs, |_, values, source| values[source].clone(), |index, values| {
            instances[index]
                .get_or_insert_with(|| {
                    let instance = &self.instances[index];
                    let inputs: Vec<_> = instance.inputs.iter().map(|node| values[*node].clone()).collect();
                    instance.module.evaluate(&inputs)
                })
                .clone()
        })
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
            let modulus = BigUint::one() << node.width;
            let optional = |operand: &Option<usize>| operand.map_or_else(BigUint::zero, |n| values[n].clone());
            let value = match &node.kind {
                Kind::Input(name) => {
                    let value = next_input.next().cloned().unwrap_or_default();
                    assert!(value < modulus, "{}: the input {name} is too wide", self.name());
                    value
                }
                Kind::Constant(value) => value.clone(),
                Kind::Register(source) => register(index, &values, *source),
                Kind::Slice { source, lsb } => (&values[*source] >> *lsb) % modulus,
                Kind::Concat(parts) => parts.iter().rev().fold(BigUint::zero(), |value, part| {
                    (value << self.nodes[*part].width) | &values[*part]
                }),
                Kind::Add { a, b, carry } => (&values[*a] + &values[*b] + optional(carry)) % modulus,
                Kind::Subtract { a, b, borrow } => {
                    (&modulus + &values[*a] - &values[*b] - optional(borrow)) % modulus
                }
                Kind::Multiply { a, b } => &values[*a] * &values[*b],
                Kind::Mux { select, high, low } => {
                    values[if values[*select].is_zero() { *low } else { *high }].clone()
                }
                Kind::Equal(a, b) => BigUint::from(values[*a] == values[*b]),
                Kind::And(a, b) => &values[*a] & &values[*b],
                Kind::Or(a, b) => &values[*a] | &values[*b],
                Kind::Xor(a, b) => &values[*a] ^ &values[*b],
                Kind::Not(a) => modulus - 1u32 - &values[*a],
                Kind::Output { instance: number, port } => instance(*number, &values)[*port].clone(),
            };
            values.push(value);
        }
        let outputs = self.outputs.iter().map(|(_, node)| values[*node].clone()).collect();
        (values, outputs)
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
