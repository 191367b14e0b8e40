//! Hashing.

use crate::error::{InputError, WidthError};
use crate::sparse::SparseRounds;
use ark_bn254::Fr;
use ark_ff::Zero;
use rayon::prelude::*;

/// Which element of the last state is the digest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Output {
    /// Element 0, as circomlib.
    #[default]
    First,
    /// Element 1, as the Nexus zkVM's memory hashing.
    Second,
}

impl Output {
    /// The element's index, and the code in a card's commands.
    pub const fn code(self) -> u32 {
        match self {
            Output::First => 0,
            Output::Second => 1,
        }
    }
}

/// Hashes at one width.
#[derive(Clone, Copy, Debug)]
pub struct Hasher {
    width: usize,
    output: Output,
    rounds: &'static SparseRounds,
}

impl Hasher {
    /// A hasher of states of `width` elements, which takes `width` - 1 inputs.
    pub fn new(width: usize, output: Output) -> Result<Hasher, WidthError> {
        Ok(Hasher { width, output, rounds: SparseRounds::new(width)? })
    }

    /// Elements t of the state.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Which element of the last state is the digest.
    pub fn output(&self) -> Output {
        self.output
    }

    /// Permutes a state.
    ///
    /// # Panics
    ///
    /// When the state has another number of elements than the width.
    pub fn permute(&self, state: &mut [Fr]) {
        self.rounds.permute(state);
    }

    /// The hash of `width` - 1 inputs: the state before the permutation is zero, then the inputs.
    pub fn hash(&self, inputs: &[Fr]) -> Result<Fr, InputError> {
        let expected = self.width - 1;
        if inputs.len() != expected {
            return Err(InputError::WrongCount { found: inputs.len(), expected });
        }
        let mut state = vec![Fr::zero(); self.width];
        state[1..].copy_from_slice(inputs);
        self.permute(&mut state);
        Ok(state[self.output.code() as usize])
    }

    /// The hashes of many messages that lie one behind the other, `width` - 1 inputs each, on all cores.
    pub fn hash_many(&self, inputs: &[Fr]) -> Result<Vec<Fr>, InputError> {
        let each = self.width - 1;
        if !inputs.len().is_multiple_of(each) {
            return Err(InputError::PartialMessage { found: inputs.len(), each });
        }
        inputs.par_chunks_exact(each).map(|message| self.hash(message)).collect()
    }
}
