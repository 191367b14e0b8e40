//! Hashing.

use crate::error::{InputError, WidthError};
use crate::permutation::{Permutation, permutation};
use ark_bn254::Fr;
use ark_ff::Zero;
use rayon::prelude::*;
use std::fmt;

/// Messages that one thread hashes before it looks for others' work.
const MESSAGES_AT_ONCE: usize = 64;

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
#[derive(Clone, Copy)]
pub struct Hasher {
    width: usize,
    output: Output,
    permutation: &'static dyn Permutation,
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher").field("width", &self.width).field("output", &self.output).finish()
    }
}

impl Hasher {
    /// A hasher of states of `width` elements.
    pub fn new(width: usize, output: Output) -> Result<Hasher, WidthError> {
        Ok(Hasher { width, output, permutation: permutation(width)? })
    }

    /// Elements t of the state.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Which element of the last state is the digest of a hash of fixed length.
    pub fn output(&self) -> Output {
        self.output
    }

    /// Permutes a state.
    ///
    /// # Panics
    ///
    /// When the state has another number of elements than the width.
    pub fn permute(&self, state: &mut [Fr]) {
        self.permutation.permute(state);
    }

    /// The hash of `width` - 1 inputs: the state before the permutation is zero, then the inputs.
    pub fn hash(&self, inputs: &[Fr]) -> Result<Fr, InputError> {
        let expected = self.width - 1;
        if inputs.len() != expected {
            return Err(InputError::WrongCount { found: inputs.len(), expected });
        }
        let mut digest = [Fr::zero()];
        self.permutation.hash(self.output.code() as usize, inputs, &mut digest);
        Ok(digest[0])
    }

    /// The hashes of many messages that lie one behind the other, `width` - 1 inputs each, on all cores.
    pub fn hash_many(&self, inputs: &[Fr]) -> Result<Vec<Fr>, InputError> {
        let each = self.width - 1;
        if !inputs.len().is_multiple_of(each) {
            return Err(InputError::PartialMessage { found: inputs.len(), each });
        }
        let mut digests = vec![Fr::zero(); inputs.len() / each];
        let output = self.output.code() as usize;
        digests
            .par_chunks_mut(MESSAGES_AT_ONCE)
            .zip(inputs.par_chunks(MESSAGES_AT_ONCE * each))
            .for_each(|(digests, messages)| self.permutation.hash(output, messages, digests));
        Ok(digests)
    }

    /// The hash of a message of any length (the paper's section 4.2, in the domain of inputs of constant length).
    ///
    /// The capacity, element 0, starts as length * 2^64, so that messages of different lengths have nothing to do with each
    /// other. Blocks of `width` - 1 elements are added to the others, the last filled up with zeros, and the state is
    /// permuted behind each; an empty message is one block. The digest is element 1, whatever the output of this hasher.
    pub fn sponge(&self, message: &[Fr]) -> Fr {
        self.permutation.sponge(&sponge_capacity(message.len()), message)
    }

    /// The sponge's hashes of many messages of as many elements each, one behind the other, on all cores. Messages of no
    /// elements are one message, the empty one.
    pub fn sponge_many(&self, elements_per_message: usize, messages: &[Fr]) -> Result<Vec<Fr>, InputError> {
        let (found, each) = (messages.len(), elements_per_message);
        if each == 0 && found == 0 {
            return Ok(vec![self.sponge(&[])]);
        }
        if each == 0 || !found.is_multiple_of(each) {
            return Err(InputError::PartialMessage { found, each });
        }
        Ok(messages.par_chunks_exact(each).map(|message| self.sponge(message)).collect())
    }
}

/// Element 0 of the sponge's first state, for a message of so many elements.
pub fn sponge_capacity(elements: usize) -> Fr {
    Fr::from((elements as u128) << 64)
}
