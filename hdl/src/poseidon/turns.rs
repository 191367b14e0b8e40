//! The passes of a permutation as a program of a processor.
//!
//! A frame holds a state, and a turn of it is a pass, as in the pipelined lanes (see [`pass`](super::pass)): one element
//! through the S-box, and into the others. A turn before the first pass adds the first constants: with x = 1, whose fifth
//! power is one, the products of the column *are* constants.

use crate::field::Prime;
use crate::processor::{Choice, Operand, Program};
use ark_bn254::Fr;
use ark_ff::Zero;
use num_bigint::BigUint;
use spandrel_poseidon::{Round, SparseRounds, WidthError};

/// Kinds of turns: which registers they take their operands from, and what becomes the next x.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A partial round.
    Partial = 0,
    /// The first pass of a full round.
    Opens = 1,
    /// Passes between the first and the last.
    Between = 2,
    /// The last pass of a full round, and the turn before the first pass.
    Closes = 3,
}

/// The turns of a permutation.
pub struct Turns {
    /// Kind and base of the constants of each turn.
    pub turns: Vec<(usize, usize)>,
    /// The constants, Montgomery form: of each turn the factors of the fifth power (t), then those of the others or what is
    /// added to them (t − 1), then what is added to the sum.
    pub constants: Vec<BigUint>,
    /// Elements of a state.
    pub width: usize,
}

impl Turns {
    /// The turns for states of `width` elements, 2 to 5.
    pub fn new(width: usize) -> Result<Turns, WidthError> {
        let rounds = SparseRounds::new(width)?;
        let none = vec![Fr::zero(); width - 1];
        let mut all = vec![(Kind::Closes, rounds.initial.clone(), none.clone(), Fr::zero())];
        for round in &rounds.rounds {
            match round {
                Round::Partial { row, column, constant } => {
                    let powers = [&row[..1], column].concat();
                    all.push((Kind::Partial, powers, row[1..].to_vec(), *constant));
                }
                Round::Full { matrix, constants } => {
                    for element in 0..width {
                        let powers = matrix.iter().map(|row| row[element]).collect();
                        let kind = match element {
                            0 => Kind::Opens,
                            _ if element + 1 == width => Kind::Closes,
                            _ => Kind::Between,
                        };
                        let (others, constant) = match kind {
                            Kind::Opens => (constants[1..].to_vec(), constants[0]),
                            _ => (none.clone(), Fr::zero()),
                        };
                        all.push((kind, powers, others, constant));
                    }
                }
            }
        }
        let mut constants = Vec::new();
        let mut turns = Vec::new();
        for (kind, powers, others, constant) in all {
            turns.push((kind as usize, constants.len()));
            let elements = powers.into_iter().chain(others).chain([constant]);
            constants.extend(elements.map(|element| BigUint::from(element.0)));
        }
        Ok(Turns { turns, constants, width })
    }

    /// What is loaded behind the state: one, in Montgomery form.
    pub fn one() -> BigUint {
        Prime::Fr.one()
    }

    /// A turn. Inputs: the state's elements, and [`Turns::one`]; outputs: the state's elements; 2t + 2 products.
    pub fn program(&self) -> Program {
        let width = self.width;
        let mut program = Program::default();
        // Element 0 enters as a sum, to which the turn before the first pass adds.
        let sum = program.loaded_state();
        let rest: Vec<Operand> = (1..width).map(|_| program.loaded_state()).collect();
        let x = program.loaded_state();
        let queue: Vec<Operand> = (2..width).map(|_| program.state()).collect();
        let opens = &[Kind::Opens as usize];

        let squared = program.multiply(x, x);
        let fourth = program.multiply(squared, squared);
        let fifth = program.multiply(fourth, x);
        let mut total = program.multiply(Operand::Constant(0), fifth);
        let mut given = Vec::new();
        for (index, element) in rest.iter().enumerate() {
            let constant = Operand::Constant(width + index);
            let power = program.multiply(Operand::Constant(1 + index), fifth);
            let other = program.multiply(constant, Choice::new(*element, Operand::Zero, opens));
            total = program.add(total, other);
            let next = program.add(Choice::new(*element, constant, opens), power);
            program.keep(*element, next);
            given.push(next);
        }
        let constant = Operand::Constant(2 * width - 1);
        let begun = [Kind::Partial as usize, Kind::Opens as usize];
        let next = program.add(Choice::new(sum, constant, &begun), total);
        program.keep(sum, next);

        // Elements that wait for the S-box move up by one.
        let waiting =
            |index: usize| Choice::new(*queue.get(index).unwrap_or(&rest[index]), rest[index], opens);
        let first = program.add(Operand::Zero, waiting(0));
        let closes = [Kind::Partial as usize, Kind::Closes as usize];
        let next_x = program.add(Operand::Zero, Choice::new(first, next, &closes));
        program.keep(x, next_x);
        for (index, place) in queue.iter().enumerate() {
            let moved = program.add(Operand::Zero, waiting(index + 1));
            program.keep(*place, moved);
        }
        program.give(next);
        given.into_iter().for_each(|element| program.give(element));
        program
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::processor::{Moduli, Turn};
    use spandrel_poseidon::{Parameters, permute_plain};

    #[test]
    fn turns_make_a_permutation_in_every_width() {
        for width in spandrel_poseidon::WIDTHS {
            let turns = Turns::new(width).unwrap();
            let program = turns.program();
            for seed in [0u64, 1, 7] {
                let state: Vec<Fr> = (0..width as u64).map(|index| -Fr::from(seed * (index + 1))).collect();
                let mut inputs: Vec<BigUint> = state.iter().map(|element| element.0.into()).collect();
                inputs.push(Turns::one());
                let mut states = Vec::new();
                let mut outputs = Vec::new();
                for (index, (kind, base)) in turns.turns.iter().enumerate() {
                    let turn = Turn { kind: *kind, second: true, base: *base };
                    let inputs = (index == 0).then_some(&inputs[..]);
                    let moduli = Moduli::One(Prime::Fr);
                    outputs = program.evaluate(moduli, &turn, &turns.constants, inputs, &mut states);
                }
                let mut expected = state;
                permute_plain(Parameters::new(width).unwrap(), &mut expected);
                let expected: Vec<BigUint> = expected.iter().map(|element| element.0.into()).collect();
                assert_eq!(outputs, expected, "width {width}, seed {seed}");
            }
        }
    }
}
