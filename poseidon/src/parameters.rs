//! The constants of the permutation.

use crate::error::WidthError;
use crate::grain::Grain;
use ark_bn254::Fr;
use ark_ff::{Field, Zero};
use std::ops::RangeInclusive;
use std::sync::OnceLock;

/// Widths t of the state for which there are parameters.
pub const WIDTHS: RangeInclusive<usize> = 2..=5;

/// Rounds with S-boxes on the whole state: half of them before the partial rounds, half after.
pub const FULL_ROUNDS: usize = 8;

/// Rounds with an S-box on element 0 only, by width from 2 on.
const PARTIAL_ROUNDS: [usize; 4] = [56, 57, 56, 60];

/// Partial rounds at a width.
pub fn partial_rounds(width: usize) -> Result<usize, WidthError> {
    Ok(PARTIAL_ROUNDS[place(width)?])
}

/// The index of a width in tables by width.
pub(crate) fn place(width: usize) -> Result<usize, WidthError> {
    if WIDTHS.contains(&width) { Ok(width - WIDTHS.start()) } else { Err(WidthError { width }) }
}

/// The permutation as the paper's section 4.1 defines it: every round adds constants, applies the S-box, and multiplies
/// the state by the matrix.
#[derive(Debug)]
pub struct Parameters {
    /// Elements t of the state.
    pub width: usize,
    /// Rounds with S-boxes on the whole state.
    pub full_rounds: usize,
    /// Rounds with an S-box on element 0 only.
    pub partial_rounds: usize,
    /// Constants by round, t each.
    pub round_constants: Vec<Vec<Fr>>,
    /// The matrix, by rows: the new state\[i\] is the sum of mds\[i\]\[j\] * state\[j\].
    pub mds: Vec<Vec<Fr>>,
}

impl Parameters {
    /// The parameters of a width, made once in a process.
    pub fn new(width: usize) -> Result<&'static Parameters, WidthError> {
        static MADE: [OnceLock<Parameters>; 4] = [const { OnceLock::new() }; 4];
        let partial_rounds = partial_rounds(width)?;
        Ok(MADE[place(width)?].get_or_init(|| Parameters::generate(width, FULL_ROUNDS, partial_rounds)))
    }

    /// Draws constants and matrix as the paper's authors' own generator does (generate_params_poseidon.sage): all round
    /// constants, then the coordinates of a Cauchy matrix.
    fn generate(width: usize, full_rounds: usize, partial_rounds: usize) -> Parameters {
        let mut grain = Grain::new(width, full_rounds, partial_rounds);
        let mut row = || (0..width).map(|_| grain.element()).collect();
        let round_constants = (0..full_rounds + partial_rounds).map(|_| row()).collect();
        let mds = cauchy_matrix(&mut grain, width);
        Parameters { width, full_rounds, partial_rounds, round_constants, mds }
    }
}

/// A Cauchy matrix, 1 / (x_i + y_j), of drawn coordinates that are all different and have no zero sum.
///
/// The generator also draws again where the matrix lets a subspace through the partial rounds; the first matrix of none of
/// these widths does, as the comparison with the published tables shows.
fn cauchy_matrix(grain: &mut Grain, width: usize) -> Vec<Vec<Fr>> {
    loop {
        let drawn: Vec<Fr> = (0..2 * width).map(|_| grain.reduced_element()).collect();
        let distinct = (1..drawn.len()).all(|index| !drawn[..index].contains(&drawn[index]));
        let (xs, ys) = drawn.split_at(width);
        let has_zero = xs.iter().any(|x| ys.iter().any(|y| (*x + y).is_zero()));
        if distinct && !has_zero {
            // No sum is zero, so that every inverse is there.
            let entry = |x: &Fr, y: &Fr| (*x + y).inverse().unwrap_or_default();
            return xs.iter().map(|x| ys.iter().map(|y| entry(x, y)).collect()).collect();
        }
    }
}
