//! The passes of a permutation: what each multiplies by, adds, and does with its results.

use crate::datapath::{Datapath, Wire};
use crate::field::FIELD_BITS;
use ark_bn254::Fr;
use num_bigint::BigUint;
use num_traits::Zero;
use spandrel_poseidon::{Round, SparseRounds, WidthError};

/// One pass.
///
/// In the first pass of a full round no element but the one in the S-box is multiplied, and the accumulators begin with
/// constants; in a partial round the others are multiplied, and nothing but element 0 has a constant. So factors and
/// constants share a place in the word.
struct Pass {
    /// Factor of the fifth power in the sum: the row's first, or the column's first.
    first_factor: Fr,
    /// Factors of the fifth power in the other elements or accumulators, t − 1.
    column: Vec<Fr>,
    /// Factors of the other elements in the sum, t − 1; in the first pass of a full round, constants of accumulators.
    others: Vec<Fr>,
    /// What is added to the sum.
    constant: Fr,
    /// It is the first of a full round.
    opens: bool,
    /// The sum has a constant, and no accumulator.
    has_constant: bool,
    /// It is the last of its round: the sum is element 0 of the next one.
    closes: bool,
}

impl Pass {
    fn of_round(round: &Round) -> Vec<Pass> {
        match round {
            Round::Partial { row, column, constant } => vec![Pass {
                first_factor: row[0],
                column: column.clone(),
                others: row[1..].to_vec(),
                constant: *constant,
                opens: false,
                has_constant: true,
                closes: true,
            }],
            Round::Full { matrix, constants } => (0..matrix.len())
                .map(|element| {
                    let opens = element == 0;
                    let constant = |index: usize| if opens { constants[index] } else { Fr::zero() };
                    Pass {
                        first_factor: matrix[0][element],
                        column: matrix[1..].iter().map(|row| row[element]).collect(),
                        others: (1..matrix.len()).map(constant).collect(),
                        constant: constant(0),
                        opens,
                        has_constant: opens,
                        closes: element + 1 == matrix.len(),
                    }
                })
                .collect(),
        }
    }

    /// The pass as a word of the table: see [`Factors::of`].
    fn word(&self) -> BigUint {
        let elements = [self.first_factor].into_iter().chain(self.column.iter().copied());
        let elements = elements.chain(self.others.iter().copied()).chain([self.constant]);
        let mut word = BigUint::zero();
        let mut at = 0;
        for element in elements {
            word |= montgomery(element) << at;
            at += FIELD_BITS;
        }
        for flag in [self.opens, self.has_constant, self.closes] {
            word |= BigUint::from(flag) << at;
            at += 1;
        }
        word
    }
}

/// The Montgomery form of an element.
fn montgomery(element: Fr) -> BigUint {
    element.0.into()
}

/// The passes of a permutation as words of a table, in their order.
pub struct Schedule {
    words: Vec<BigUint>,
    initial: Vec<BigUint>,
    width: usize,
}

impl Schedule {
    /// The passes for states of `width` elements, 2 to 5.
    pub fn new(width: usize) -> Result<Schedule, WidthError> {
        let rounds = SparseRounds::new(width)?;
        let passes = rounds.rounds.iter().flat_map(Pass::of_round);
        Ok(Schedule {
            words: passes.map(|pass| pass.word()).collect(),
            initial: rounds.initial.iter().map(|constant| montgomery(*constant)).collect(),
            width,
        })
    }

    /// Elements of a state.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Passes that a permutation takes.
    pub fn passes(&self) -> usize {
        self.words.len()
    }

    /// Bits of a word.
    pub(super) fn word_bits(&self) -> usize {
        2 * self.width * FIELD_BITS + 3
    }

    pub(super) fn words(&self) -> &[BigUint] {
        &self.words
    }

    /// What is added to a state before its first pass, an element each, Montgomery.
    pub(super) fn initial(&self) -> &[BigUint] {
        &self.initial
    }
}

/// A word in a pipeline.
pub(super) struct Factors {
    /// Of the fifth power in the sum.
    pub first: Wire,
    /// Of the fifth power in the others.
    pub column: Vec<Wire>,
    /// Of the others in the sum, or constants of the accumulators, see [`Pass::others`].
    pub others: Vec<Wire>,
    /// What is added to the sum.
    pub constant: Wire,
    /// First pass of a full round.
    pub opens: Wire,
    /// The sum has a constant, and no accumulator.
    pub has_constant: Wire,
    /// Last pass of a round.
    pub closes: Wire,
}

impl Factors {
    /// Takes a word apart.
    pub fn of(path: &Datapath, word: Wire, width: usize) -> Factors {
        let element = |index: usize| path.slice(word, index * FIELD_BITS, FIELD_BITS);
        let flag = |index: usize| path.bit(word, 2 * width * FIELD_BITS + index);
        Factors {
            first: element(0),
            column: (1..width).map(element).collect(),
            others: (width..2 * width - 1).map(element).collect(),
            constant: element(2 * width - 1),
            opens: flag(0),
            has_constant: flag(1),
            closes: flag(2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_round_is_as_many_passes_as_elements_and_a_partial_one_is_one() {
        for (width, passes) in [(2, 16 + 56), (3, 24 + 57), (4, 32 + 56), (5, 40 + 60)] {
            let schedule = Schedule::new(width).unwrap();
            assert_eq!(schedule.passes(), passes);
            let widest = schedule.words().iter().map(BigUint::bits).max();
            assert!(widest <= Some(schedule.word_bits() as u64));
        }
        assert!(Schedule::new(6).is_err() && Schedule::new(1).is_err());
    }
}
