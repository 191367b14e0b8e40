//! What a processor does with a frame: a straight line of operations.

use super::Moduli;
use num_bigint::BigUint;
use num_traits::Zero;

/// Result of an operation, by the operation's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value(pub(super) usize);

/// What an operation takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operand {
    /// Zero.
    Zero,
    /// A word of the constants, counted from the frame's base; only for the first operand.
    Constant(usize),
    /// A result of this frame.
    Value(Value),
    /// A register that stays from one turn of the frame to the next, with what it held at the beginning of this one (or
    /// what was loaded into it).
    State(usize),
}

/// An operand that depends on the frame's kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Choice {
    /// What is taken as a rule.
    pub usual: Operand,
    /// What frames of `kinds` take.
    pub other: Operand,
    /// Bit k: frames of kind k (0 to 3) take the other.
    pub kinds: u8,
}

impl Choice {
    /// Frames of these kinds take `other` instead.
    pub fn new(usual: impl Into<Operand>, other: impl Into<Operand>, kinds: &[usize]) -> Choice {
        let kinds = kinds.iter().fold(0, |mask, kind| mask | 1 << kind);
        Choice { usual: usual.into(), other: other.into(), kinds }
    }

    /// What frames of a kind take.
    pub fn of(&self, kind: usize) -> Operand {
        if self.kinds >> kind & 1 == 1 { self.other } else { self.usual }
    }
}

impl From<Value> for Operand {
    fn from(value: Value) -> Operand {
        Operand::Value(value)
    }
}

impl<T: Into<Operand>> From<T> for Choice {
    fn from(operand: T) -> Choice {
        let operand = operand.into();
        Choice { usual: operand, other: operand, kinds: 0 }
    }
}

/// What an operation does. Values are below 2p, and results too, unless stated otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Takes an input of the frame, where one enters; else the register keeps what it has.
    Load {
        /// Its number.
        input: usize,
    },
    /// a·b·2^−256.
    Multiply,
    /// a + b.
    Add,
    /// a − b.
    Subtract,
    /// a + b, which is below 2p, brought below p, and given out.
    Give {
        /// Number of the output.
        output: usize,
    },
}

/// An operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Operation {
    /// What it does.
    pub action: Action,
    /// First operand.
    pub a: Choice,
    /// Second operand.
    pub b: Choice,
    /// The state that its result is from now on; see [`Program::keep`].
    pub state: Option<usize>,
}

/// A straight line of operations, carried out once in each turn of a frame.
#[derive(Clone, Debug, Default)]
pub struct Program {
    operations: Vec<Operation>,
    states: usize,
}

impl Program {
    /// The operations, in an order in which each comes behind those whose results it takes.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Registers that stay from one turn to the next.
    pub fn states(&self) -> usize {
        self.states
    }

    fn push(&mut self, action: Action, a: impl Into<Choice>, b: impl Into<Choice>) -> Value {
        self.operations.push(Operation { action, a: a.into(), b: b.into(), state: None });
        Value(self.operations.len() - 1)
    }

    /// The inputs number 0, 1, and so on, in this order; every program takes all of its inputs.
    pub fn load(&mut self) -> Value {
        let input = self.inputs();
        self.push(Action::Load { input }, Operand::Zero, Operand::Zero)
    }

    /// A register that stays, loaded with the next input where a frame is entered.
    pub fn loaded_state(&mut self) -> Operand {
        let value = self.load();
        let state = self.state();
        self.operations[value.0].state = Some(self.states - 1);
        state
    }

    /// A register that stays.
    pub fn state(&mut self) -> Operand {
        self.states += 1;
        Operand::State(self.states - 1)
    }

    /// a·b.
    pub fn multiply(&mut self, a: impl Into<Choice>, b: impl Into<Choice>) -> Value {
        self.push(Action::Multiply, a, b)
    }

    /// a + b.
    pub fn add(&mut self, a: impl Into<Choice>, b: impl Into<Choice>) -> Value {
        self.push(Action::Add, a, b)
    }

    /// a − b.
    pub fn subtract(&mut self, a: impl Into<Choice>, b: impl Into<Choice>) -> Value {
        self.push(Action::Subtract, a, b)
    }

    /// The state is this result, which is no other one, when the frame's next turn begins. What operations take as
    /// [`Operand::State`] is still what was there when this turn began.
    pub fn keep(&mut self, state: Operand, value: Value) {
        let Operand::State(state) = state else { panic!("{state:?} does not stay") };
        let operation = &mut self.operations[value.0];
        assert!(operation.state.is_none(), "an operation's result is one state");
        operation.state = Some(state);
    }

    /// Gives a + b out, below p, as the next output: outputs number 0, 1, and so on, in this order.
    pub fn give(&mut self, a: impl Into<Choice>) {
        let output = self.outputs();
        self.push(Action::Give { output }, a, Operand::Zero);
    }

    /// Inputs of a frame.
    pub fn inputs(&self) -> usize {
        self.operations.iter().filter(|operation| matches!(operation.action, Action::Load { .. })).count()
    }

    /// Outputs of a frame.
    pub fn outputs(&self) -> usize {
        self.operations.iter().filter(|operation| matches!(operation.action, Action::Give { .. })).count()
    }

    /// One turn of a frame, directly: gives the outputs modulo p, and leaves in `states` what the next turn begins with.
    /// `inputs` are those of a frame that is entered.
    pub fn evaluate(
        &self,
        moduli: Moduli,
        turn: &Turn,
        constants: &[BigUint],
        inputs: Option<&[BigUint]>,
        states: &mut Vec<BigUint>,
    ) -> Vec<BigUint> {
        let prime = moduli.prime(turn.second);
        let p = prime.modulus();
        states.resize(self.states, BigUint::zero());
        if let Some(inputs) = inputs {
            for operation in &self.operations {
                if let (Action::Load { input }, Some(state)) = (operation.action, operation.state) {
                    states[state] = inputs[input].clone();
                }
            }
        }
        let before = states.clone();
        let mut values: Vec<BigUint> = Vec::new();
        let mut outputs = Vec::new();
        for operation in &self.operations {
            let take = |choice: &Choice| match choice.of(turn.kind) {
                Operand::Zero => BigUint::zero(),
                Operand::Constant(index) => constants[turn.base + index].clone(),
                Operand::Value(value) => values[value.0].clone(),
                Operand::State(state) => before[state].clone(),
            };
            let (a, b) = (take(&operation.a), take(&operation.b));
            let result = match operation.action {
                Action::Load { input } => match (inputs, operation.state) {
                    (Some(inputs), _) => inputs[input].clone(),
                    (None, Some(state)) => before[state].clone(),
                    (None, None) => BigUint::zero(),
                },
                Action::Multiply => prime.montgomery_product(&a, &b),
                Action::Add | Action::Give { .. } => (a + b) % &p,
                Action::Subtract => (a + &p * 2u32 - b) % &p,
            };
            if let Action::Give { .. } = operation.action {
                outputs.push(result.clone());
            }
            if let (Some(state), false) = (operation.state, matches!(operation.action, Action::Load { .. })) {
                states[state] = result.clone();
            }
            values.push(result);
        }
        outputs
    }
}

/// What distinguishes a turn of a frame from others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// The frame's kind, 0 to 3, by which operands are chosen.
    pub kind: usize,
    /// The field's flag.
    pub second: bool,
    /// Where the frame's constants begin.
    pub base: usize,
}
