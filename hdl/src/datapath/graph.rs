//! Nodes, wires and the alignment of pipeline stages.

use super::{ConstantProducts, DatapathConfig, Multipliers};
use num_bigint::BigUint;
use num_traits::Zero;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// A value in a graph under construction: an unsigned number of `width` bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wire {
    pub(super) node: usize,
    width: usize,
}

impl Wire {
    /// Width in bits.
    pub fn width(self) -> usize {
        self.width
    }
}

/// What a node computes. Operands are node numbers; every result has the node's width.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Input(String),
    Constant(BigUint),
    /// The operand one cycle ago.
    Register(usize),
    Slice {
        source: usize,
        lsb: usize,
    },
    /// Lowest part first.
    Concat(Vec<usize>),
    /// a + b + carry, carry-out included in the width.
    Add {
        a: usize,
        b: usize,
        carry: Option<usize>,
    },
    /// a − b − borrow, wrapped to the width: the top bit is the borrow.
    Subtract {
        a: usize,
        b: usize,
        borrow: Option<usize>,
    },
    Multiply {
        a: usize,
        b: usize,
    },
    /// `select` ? `high` : `low`
    Mux {
        select: usize,
        high: usize,
        low: usize,
    },
    Equal(usize, usize),
    And(usize, usize),
    Or(usize, usize),
    Xor(usize, usize),
    Not(usize),
    /// The word of a table at an address; see [`Datapath::lookup`].
    Lookup {
        address: usize,
        table: Rc<[BigUint]>,
    },
    /// One output of a sub-module whose instance number is given.
    Output {
        instance: usize,
        port: usize,
    },
}

impl Kind {
    /// Visits every operand's node number.
    pub(super) fn for_each_operand(&mut self, mut visit: impl FnMut(&mut usize)) {
        match self {
            Kind::Input(_) | Kind::Constant(_) | Kind::Output { .. } => {}
            Kind::Register(source)
            | Kind::Slice { source, .. }
            | Kind::Not(source)
            | Kind::Lookup { address: source, .. } => visit(source),
            Kind::Concat(parts) => parts.iter_mut().for_each(visit),
            Kind::Add { a, b, carry: rest } | Kind::Subtract { a, b, borrow: rest } => {
                [a, b].into_iter().chain(rest).for_each(visit);
            }
            Kind::Multiply { a, b } => [a, b].into_iter().for_each(visit),
            Kind::Equal(a, b) | Kind::And(a, b) | Kind::Or(a, b) | Kind::Xor(a, b) => {
                [a, b].into_iter().for_each(visit);
            }
            Kind::Mux { select, high, low } => [select, high, low].into_iter().for_each(visit),
        }
    }
}

/// Keeps the items whose flag is set.
fn retain<T>(items: &mut Vec<T>, kept: &[bool]) {
    let mut flags = kept.iter();
    items.retain(|_| flags.next().is_some_and(|kept| *kept));
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub kind: Kind,
    pub width: usize,
    /// Pipeline stage; None for constants, which are there always.
    pub stage: Option<usize>,
    /// Levels of logic since the last register.
    pub depth: usize,
}

/// A sub-module in a graph.
#[derive(Clone, Debug)]
pub(super) struct Instance {
    pub module: Rc<Module>,
    pub inputs: Vec<usize>,
}

/// A pipeline under construction. Methods panic, with a sentence, on operands that do not fit: those are errors
/// of the hardware description, found at elaboration.
#[derive(Debug)]
pub struct Datapath {
    name: String,
    config: DatapathConfig,
    nodes: RefCell<Vec<Node>>,
    /// The register that holds a node's value one cycle later, where there is one.
    next: RefCell<HashMap<usize, usize>>,
    /// The parts of a concatenation, each in the stage where it is there first.
    parts: RefCell<HashMap<usize, Vec<Wire>>>,
    instances: RefCell<Vec<Instance>>,
    inputs: RefCell<Vec<usize>>,
}

/// A finished pipeline: II = 1, no stall, all outputs `latency` cycles after the inputs.
#[derive(Debug)]
pub struct Module {
    pub(super) name: String,
    pub(super) nodes: Vec<Node>,
    pub(super) instances: Vec<Instance>,
    pub(super) inputs: Vec<usize>,
    pub(super) outputs: Vec<(String, usize)>,
    pub(super) latency: usize,
}

impl Module {
    /// Cycles from an input to its output.
    pub fn latency(&self) -> usize {
        self.latency
    }

    /// The module's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Widths of the inputs, in order.
    pub fn input_widths(&self) -> Vec<usize> {
        self.inputs.iter().map(|node| self.nodes[*node].width).collect()
    }

    /// Widths of the outputs, in order.
    pub fn output_widths(&self) -> Vec<usize> {
        self.outputs.iter().map(|(_, node)| self.nodes[*node].width).collect()
    }
}

impl Datapath {
    /// An empty pipeline; the name becomes its Verilog module's.
    pub fn new(name: impl Into<String>, config: &DatapathConfig) -> Datapath {
        Datapath {
            name: name.into(),
            config: config.clone(),
            nodes: RefCell::default(),
            next: RefCell::default(),
            parts: RefCell::default(),
            instances: RefCell::default(),
            inputs: RefCell::default(),
        }
    }

    /// An empty function without registers, for the control blocks' own small functions.
    pub fn combinational(name: impl Into<String>) -> Datapath {
        let config = DatapathConfig {
            tile: [64, 64],
            karatsuba_levels: 0,
            chunk_bits: usize::MAX,
            levels_per_stage: usize::MAX,
            tile_stages: 0,
            constant_products: ConstantProducts::Tiles,
            multipliers: Multipliers::Own,
        };
        Datapath::new(name, &config)
    }

    /// Closes a function made by [`Datapath::combinational`]: the outputs follow the inputs in the same cycle.
    pub fn finish_combinational(self, outputs: &[(&str, Wire)]) -> Module {
        let outputs: Vec<_> = outputs.iter().map(|(name, wire)| (name.to_string(), wire.node)).collect();
        let module = self.into_module(outputs, 0);
        let registers = module.nodes.iter().any(|node| matches!(node.kind, Kind::Register(_)));
        assert!(!registers, "{}: a combinational function has a register", module.name);
        module
    }

    /// Drops what no output needs (a register that only aligned the whole of a sum, say) and closes the graph.
    fn into_module(self, mut outputs: Vec<(String, usize)>, latency: usize) -> Module {
        let (mut nodes, mut instances) = (self.nodes.into_inner(), self.instances.into_inner());
        let mut inputs = self.inputs.into_inner();
        let mut needed = vec![false; nodes.len()];
        let roots = inputs.iter().chain(outputs.iter().map(|(_, node)| node));
        roots.for_each(|node| needed[*node] = true);
        let mut instance_needed = vec![false; instances.len()];
        // Operands come before their users, so one pass backwards reaches everything.
        for index in (0..nodes.len()).rev() {
            if !needed[index] {
                continue;
            }
            if let Kind::Output { instance, .. } = nodes[index].kind {
                instance_needed[instance] = true;
                instances[instance].inputs.iter().for_each(|node| needed[*node] = true);
            }
            nodes[index].kind.for_each_operand(|operand| needed[*operand] = true);
        }
        let renumber = |kept: &[bool]| -> Vec<usize> {
            let number = |next: &mut usize, kept: &bool| {
                let number = *next;
                *next += usize::from(*kept);
                Some(number)
            };
            kept.iter().scan(0, number).collect()
        };
        let (new_node, new_instance) = (renumber(&needed), renumber(&instance_needed));
        retain(&mut nodes, &needed);
        retain(&mut instances, &instance_needed);
        for node in &mut nodes {
            node.kind.for_each_operand(|operand| *operand = new_node[*operand]);
            if let Kind::Output { instance, .. } = &mut node.kind {
                *instance = new_instance[*instance];
            }
        }
        let uses = instances.iter_mut().flat_map(|instance| &mut instance.inputs).chain(&mut inputs);
        uses.chain(outputs.iter_mut().map(|(_, node)| node)).for_each(|node| *node = new_node[*node]);
        Module { name: self.name, nodes, instances, inputs, outputs, latency }
    }

    /// The parts of a concatenation, if the wire is one.
    pub(super) fn parts_of(&self, wire: Wire) -> Option<Vec<Wire>> {
        self.parts.borrow().get(&wire.node).cloned()
    }

    pub(super) fn remember_parts(&self, concatenation: Wire, parts: &[Wire]) {
        self.parts.borrow_mut().insert(concatenation.node, parts.to_vec());
    }

    /// The shape this pipeline is cut to.
    pub fn config(&self) -> &DatapathConfig {
        &self.config
    }

    /// A new input, there in stage 0.
    pub fn input(&self, name: &str, width: usize) -> Wire {
        self.input_at(name, width, 0)
    }

    /// A new input, there in a later stage: whoever drives it does so that many cycles behind the inputs of stage 0.
    pub fn input_at(&self, name: &str, width: usize, stage: usize) -> Wire {
        assert!(width > 0, "{}: the input {name} has no bits", self.name);
        let wire = self.push(Kind::Input(name.into()), width, Some(stage), 0);
        self.inputs.borrow_mut().push(wire.node);
        wire
    }

    /// A constant of a stated width.
    pub fn constant(&self, value: impl Into<BigUint>, width: usize) -> Wire {
        let value = value.into();
        assert!(
            value.bits() as usize <= width,
            "{}: the constant {value:#x} does not fit {width} bits",
            self.name
        );
        self.push(Kind::Constant(value), width, None, 0)
    }

    /// Closes the pipeline: outputs leave through registers, all in the same stage.
    pub fn finish(self, outputs: &[(&str, Wire)]) -> Module {
        assert!(!outputs.is_empty(), "{}: a pipeline without outputs", self.name);
        let stage_of = |wire: Wire| {
            let node = &self.nodes.borrow()[wire.node];
            // A value that has passed logic in its stage is registered before it leaves.
            node.stage.map_or(0, |stage| stage + usize::from(node.depth > 0))
        };
        let latency = outputs.iter().map(|(_, wire)| stage_of(*wire)).max().unwrap_or(0);
        let outputs: Vec<_> =
            outputs.iter().map(|(name, wire)| (name.to_string(), self.at(*wire, latency).node)).collect();
        self.into_module(outputs, latency)
    }

    /// Stage in which a wire's value is there (0 for constants).
    pub fn stage(&self, wire: Wire) -> usize {
        self.nodes.borrow()[wire.node].stage.unwrap_or(0)
    }

    /// The same value in a later stage, through shared delay registers.
    pub fn at(&self, wire: Wire, stage: usize) -> Wire {
        let mut node = wire.node;
        loop {
            let Some(at) = self.nodes.borrow()[node].stage else { return wire };
            assert!(at <= stage, "{}: a value of stage {at} is wanted in stage {stage}", self.name);
            if at == stage {
                return Wire { node, width: wire.width };
            }
            let known = self.next.borrow().get(&node).copied();
            node = known.unwrap_or_else(|| {
                let register = self.push(Kind::Register(node), wire.width, Some(at + 1), 0).node;
                self.next.borrow_mut().insert(node, register);
                register
            });
        }
    }

    /// Brings operands to the stage in which an operation of `levels` levels fits, and gives stage and depth of
    /// its result.
    pub(super) fn place(&self, operands: &mut [Wire], levels: usize) -> (Option<usize>, usize) {
        let stage = operands.iter().filter_map(|wire| self.nodes.borrow()[wire.node].stage).max();
        let Some(mut stage) = stage else { return (None, 0) };
        let depth_in = |stage: usize| {
            let nodes = self.nodes.borrow();
            let here = operands.iter().map(|wire| &nodes[wire.node]).filter(|node| node.stage == Some(stage));
            here.map(|node| node.depth).max().unwrap_or(0)
        };
        let mut depth = depth_in(stage);
        if depth > 0 && depth + levels > self.config.levels_per_stage {
            stage += 1;
            depth = 0;
        }
        for wire in operands {
            *wire = self.at(*wire, stage);
        }
        (Some(stage), depth + levels)
    }

    /// Brings wires to one common stage, behind registers.
    pub(super) fn registered(&self, operands: &mut [Wire]) -> usize {
        let nodes = self.nodes.borrow();
        let ready = |wire: &Wire| {
            let node = &nodes[wire.node];
            node.stage.map_or(0, |stage| stage + usize::from(node.depth > 0))
        };
        let stage = operands.iter().map(ready).max().unwrap_or(0);
        drop(nodes);
        for wire in operands {
            *wire = self.at(*wire, stage);
        }
        stage
    }

    pub(super) fn push(&self, kind: Kind, width: usize, stage: Option<usize>, depth: usize) -> Wire {
        let mut nodes = self.nodes.borrow_mut();
        // Logic on constants only is a constant, so that a constant is always known as one.
        let kind = match stage {
            None => {
                let operand = |node: usize| match &nodes[node].kind {
                    Kind::Constant(value) => (value.clone(), nodes[node].width),
                    other => unreachable!("a wire without a stage is a constant, not {other:?}"),
                };
                Kind::Constant(kind.value(width, operand))
            }
            Some(_) => kind,
        };
        nodes.push(Node { kind, width, stage, depth });
        Wire { node: nodes.len() - 1, width }
    }

    /// The value of a wire that is known at elaboration.
    pub fn constant_value(&self, wire: Wire) -> Option<BigUint> {
        match &self.nodes.borrow()[wire.node].kind {
            Kind::Constant(value) => Some(value.clone()),
            _ => None,
        }
    }

    pub(super) fn is_zero(&self, wire: Wire) -> bool {
        self.constant_value(wire).is_some_and(|value| value.is_zero())
    }

    /// An instance of a finished pipeline; its outputs come `latency` stages after its inputs, which are
    /// registered.
    pub fn instance(&self, module: &Rc<Module>, inputs: &[Wire]) -> Vec<Wire> {
        let widths: Vec<_> = inputs.iter().map(|wire| wire.width).collect();
        assert_eq!(
            widths,
            module.input_widths(),
            "{}: an instance of {} has inputs of other widths",
            self.name,
            module.name
        );
        let mut inputs = inputs.to_vec();
        let stage = self.registered(&mut inputs);
        let instance = self.instances.borrow().len();
        self.instances
            .borrow_mut()
            .push(Instance { module: module.clone(), inputs: inputs.iter().map(|wire| wire.node).collect() });
        let widths = module.output_widths();
        let output = |(port, width): (usize, &usize)| {
            self.push(Kind::Output { instance, port }, *width, Some(stage + module.latency), 0)
        };
        widths.iter().enumerate().map(output).collect()
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }
}
