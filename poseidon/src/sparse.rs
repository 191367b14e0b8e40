//! The permutation with sparse matrices in the partial rounds (the paper's appendix B, "Efficient Implementation").
//!
//! A partial round's S-box S changes element 0 only. Two things follow, and both are used from the last partial round
//! to the first:
//!
//! - *Matrices.* Write the round's matrix as M = M'' M' with M' = diag(1, N), where N is M without its first row and
//!   column. Then M' S = S M', so that M' can be applied before the S-box and be multiplied into the matrix of the round
//!   before. What is left, M'', has the first row (m00, v N^-1), the first column (m00, w), and the identity elsewhere: 2t - 1
//!   products in place of t^2.
//! - *Constants.* Constants d are added behind M''. Those of elements 1 to t - 1, say f, may be added before the S-box
//!   instead, to what the round before adds: M'' (0, f) has f in these elements and v N^-1 f in element 0, which is taken
//!   off the constant that stays there.

use crate::error::WidthError;
use crate::matrix::{Matrix, apply, apply_left, identity, inverse, product};
use crate::parameters::{Parameters, place};
use crate::plain::{dot, fifth_power};
use ark_bn254::Fr;
use ark_ff::Zero;
use std::sync::OnceLock;

/// A round: first the S-box, then the linear layer, then constants are added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Round {
    /// S-boxes on the whole state; then the new state is matrix * state + constants.
    Full {
        /// The matrix, t rows of t.
        matrix: Vec<Vec<Fr>>,
        /// What is added, t elements.
        constants: Vec<Fr>,
    },
    /// An S-box on element 0; then the new element 0 is the sum of row\[j\] * state\[j\], plus `constant`, and the new
    /// element i is state\[i\] + column\[i - 1\] * state\[0\].
    Partial {
        /// Factors of element 0's sum, t elements.
        row: Vec<Fr>,
        /// Factors of element 0 in the others, t - 1 elements.
        column: Vec<Fr>,
        /// What is added to element 0.
        constant: Fr,
    },
}

/// The permutation as rounds with sparse matrices, equal to that of [`Parameters`] for every state.
#[derive(Debug)]
pub struct SparseRounds {
    /// Elements t of the state.
    pub width: usize,
    /// What is added before the first S-box, t elements.
    pub initial: Vec<Fr>,
    /// Full rounds, partial rounds, full rounds.
    pub rounds: Vec<Round>,
}

impl SparseRounds {
    /// The rounds of a width, made once in a process.
    pub fn new(width: usize) -> Result<&'static SparseRounds, WidthError> {
        static MADE: [OnceLock<SparseRounds>; 4] = [const { OnceLock::new() }; 4];
        let parameters = Parameters::new(width)?;
        Ok(MADE[place(width)?].get_or_init(|| SparseRounds::derive(parameters)))
    }

    fn derive(parameters: &Parameters) -> SparseRounds {
        let Parameters { width, partial_rounds, ref round_constants, ref mds, .. } = *parameters;
        let half = parameters.full_rounds / 2;
        // The constants behind round r are those that the plain form adds before round r + 1.
        let behind =
            |round: usize| round_constants.get(round + 1).cloned().unwrap_or_else(|| vec![Fr::zero(); width]);
        let full = |round: usize| Round::Full { matrix: mds.clone(), constants: behind(round) };

        // M' of the round that was last looked at, and what that round's constants move in front of it.
        let mut moved_matrix = identity(width);
        let mut moved_constants = vec![Fr::zero(); width];
        let mut partial = Vec::with_capacity(partial_rounds);
        for round in (half..half + partial_rounds).rev() {
            let mut constants = sum(&apply(&moved_matrix, &behind(round)), &moved_constants);
            let matrix = product(&moved_matrix, mds);
            let (row, column) = split(&matrix, &mut moved_matrix);
            let constant = constants[0] - dot(&row[1..], &constants[1..]);
            partial.push(Round::Partial { row, column, constant });
            constants[0] = Fr::zero();
            moved_constants = constants;
        }
        partial.reverse();

        let mut rounds: Vec<Round> = (0..half).map(full).collect();
        rounds[half - 1] = Round::Full {
            matrix: product(&moved_matrix, mds),
            constants: sum(&apply(&moved_matrix, &behind(half - 1)), &moved_constants),
        };
        rounds.append(&mut partial);
        rounds.extend((half + partial_rounds..round_constants.len()).map(full));
        SparseRounds { width, initial: round_constants[0].clone(), rounds }
    }

    /// Permutes a state of `width` elements.
    ///
    /// # Panics
    ///
    /// When the state has another number of elements.
    pub fn permute(&self, state: &mut [Fr]) {
        assert_eq!(state.len(), self.width, "a state has as many elements as the width");
        let mut current = sum(state, &self.initial);
        for round in &self.rounds {
            match round {
                Round::Full { matrix, constants } => {
                    let boxed: Vec<Fr> = current.iter().map(fifth_power).collect();
                    current = sum(&apply(matrix, &boxed), constants);
                }
                Round::Partial { row, column, constant } => {
                    current[0] = fifth_power(&current[0]);
                    let first = current[0];
                    let mixed = dot(row, &current) + constant;
                    for (element, factor) in current[1..].iter_mut().zip(column) {
                        *element += first * factor;
                    }
                    current[0] = mixed;
                }
            }
        }
        state.copy_from_slice(&current);
    }
}

/// Splits a matrix into M'' M': gives the first row and the rest of the first column of M'', and leaves M' in `dense`.
fn split(matrix: &Matrix, dense: &mut Matrix) -> (Vec<Fr>, Vec<Fr>) {
    let size = matrix.len();
    let inner: Matrix = matrix[1..].iter().map(|row| row[1..].to_vec()).collect();
    // Every square part of a Cauchy matrix can be inverted, and products of such parts too.
    let inverted = inverse(&inner).expect("the matrix without its first row and column can be inverted");
    let mut row = vec![matrix[0][0]];
    row.extend(apply_left(&matrix[0][1..], &inverted));
    let column = matrix[1..].iter().map(|row| row[0]).collect();
    *dense = identity(size);
    for (target, source) in dense[1..].iter_mut().zip(inner) {
        target[1..].copy_from_slice(&source);
    }
    (row, column)
}

fn sum(left: &[Fr], right: &[Fr]) -> Vec<Fr> {
    left.iter().zip(right).map(|(a, b)| *a + b).collect()
}
