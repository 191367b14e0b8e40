//! The permutation as fast as it is computed here: full rounds as they are, partial rounds as a recurrence.
//!
//! One state at a time: in a partial round the sum of products and the S-box do not wait for each other, which keeps a
//! core's multiplier busy. States side by side were measured and are no faster.

use crate::error::WidthError;
use crate::limbs::{Limbs, add, fifth_power, fold, from_element, multiply, sum_of_products, to_element};
use crate::parameters::Parameters;
use crate::recurrence::{Sum, Tables};
use ark_bn254::Fr;
use std::sync::OnceLock;

/// What a hasher needs of its width's permutation. Slices of another length than stated here would be a mistake in this
/// crate, and panic.
pub(crate) trait Permutation: Send + Sync {
    /// Permutes a state of t elements.
    fn permute(&self, state: &mut [Fr]);

    /// Hashes messages of t - 1 elements, behind a capacity of zero; the digest is the element `output` of the state.
    fn hash(&self, output: usize, messages: &[Fr], digests: &mut [Fr]);

    /// Takes a message into a state of this first element and zeros, t - 1 elements at a time, and gives element 1.
    fn sponge(&self, capacity: &Fr, message: &[Fr]) -> Fr;
}

/// The permutation of a width, whose tables are made once in a process.
pub(crate) fn permutation(width: usize) -> Result<&'static dyn Permutation, WidthError> {
    static TWO: OnceLock<Tables<2, 2>> = OnceLock::new();
    static THREE: OnceLock<Tables<3, 4>> = OnceLock::new();
    static FOUR: OnceLock<Tables<4, 6>> = OnceLock::new();
    static FIVE: OnceLock<Tables<5, 8>> = OnceLock::new();
    let parameters = Parameters::new(width)?;
    match width {
        2 => Ok(TWO.get_or_init(|| Tables::new(parameters))),
        3 => Ok(THREE.get_or_init(|| Tables::new(parameters))),
        4 => Ok(FOUR.get_or_init(|| Tables::new(parameters))),
        5 => Ok(FIVE.get_or_init(|| Tables::new(parameters))),
        _ => Err(WidthError { width }),
    }
}

impl<const T: usize, const K: usize> Permutation for Tables<T, K> {
    fn permute(&self, state: &mut [Fr]) {
        assert_eq!(state.len(), T, "a state has as many elements as the width");
        let mut loose: [Limbs; T] = std::array::from_fn(|index| from_element(&state[index]));
        self.permute_loose(&mut loose);
        for (element, value) in state.iter_mut().zip(&loose) {
            *element = to_element(value);
        }
    }

    fn hash(&self, output: usize, messages: &[Fr], digests: &mut [Fr]) {
        assert_eq!(messages.len(), digests.len() * (T - 1), "there is a digest for each message");
        for (message, digest) in messages.chunks_exact(T - 1).zip(digests) {
            let mut state = [[0; 4]; T];
            for (value, element) in state[1..].iter_mut().zip(message) {
                *value = from_element(element);
            }
            // Of the last round only one element is needed.
            let boxed = self.last_boxes(&mut state);
            *digest = to_element(&loose::<T>(self.last[self.last.len() - 1][output].of(&boxed)));
        }
    }

    fn sponge(&self, capacity: &Fr, message: &[Fr]) -> Fr {
        let mut state = [[0; 4]; T];
        state[0] = from_element(capacity);
        // An empty message is a block of zeros.
        let blocks = message.len().div_ceil(T - 1).max(1);
        for block in 0..blocks {
            let rest = &message[block * (T - 1)..];
            for (value, element) in state[1..].iter_mut().zip(rest) {
                *value = fold(&add(value, &from_element(element)));
            }
            self.permute_loose(&mut state);
        }
        to_element(&state[1])
    }
}

impl<const K: usize> Sum<K> {
    #[inline(always)]
    fn of(&self, values: &[Limbs; K]) -> Limbs {
        sum_of_products(&self.start, &self.factors, values)
    }
}

impl<const T: usize, const K: usize> Tables<T, K> {
    /// Permutes a state of loose values (see [`crate::limbs`]).
    #[inline(always)]
    fn permute_loose(&self, state: &mut [Limbs; T]) {
        let boxed = self.last_boxes(state);
        for (element, sum) in state.iter_mut().zip(&self.last[self.last.len() - 1]) {
            *element = loose::<T>(sum.of(&boxed));
        }
    }

    /// All of the permutation but the last round's linear layer. What it leaves in the state is of no use.
    #[inline(always)]
    fn last_boxes(&self, state: &mut [Limbs; T]) -> [Limbs; T] {
        for (element, constant) in state.iter_mut().zip(&self.initial) {
            *element = fold(&add(element, constant));
        }
        for round in &self.first {
            full_round(round, state);
        }
        self.partial_rounds(state);
        for round in &self.last[..self.last.len() - 1] {
            full_round(round, state);
        }
        state.map(|element| fifth_power(&element))
    }

    #[inline(always)]
    fn partial_rounds(&self, state: &mut [Limbs; T]) {
        let mut current = state[0];
        // u(k), y(k-1), u(k-1), y(k-2), ... in the names of `recurrence`.
        let mut past = [[0; 4]; K];
        for (index, value) in state[1..].iter().enumerate() {
            past[2 * index] = *value;
        }
        for round in &self.partial {
            // Below 1.68, 2.36, 3.05 and 3.73 p for T of 2 to 5; with the S-box's 1.60 p, the fold's 4 p are not reached.
            let rest = round.of(&past);
            let rest = if T > 3 { fold(&rest) } else { rest };
            let boxed = fifth_power(&current);
            current = fold(&add(&rest, &boxed));
            past.copy_within(..K - 2, 2);
            (past[0], past[1]) = (current, boxed);
        }
        state[0] = multiply(&self.exit.scale, &current);
        for (element, sum) in state[1..].iter_mut().zip(&self.exit.others) {
            // As far from a loose value as the sums of the rounds.
            *element = fold(&sum.of(&past));
        }
    }
}

#[inline(always)]
fn full_round<const T: usize>(round: &[Sum<T>; T], state: &mut [Limbs; T]) {
    let boxed = state.map(|element| fifth_power(&element));
    for (element, sum) in state.iter_mut().zip(round) {
        *element = loose::<T>(sum.of(&boxed));
    }
}

/// Makes a loose value of a sum over S-boxes: below 1.61, 1.91, 2.22 and 2.52 p for T of 2 to 5.
#[inline(always)]
fn loose<const T: usize>(value: Limbs) -> Limbs {
    if T > 3 { fold(&value) } else { value }
}
