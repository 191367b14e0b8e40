//! The permutation exactly as the paper writes it: slow, and what the faster forms are tested against.

use crate::parameters::Parameters;
use ark_bn254::Fr;
use ark_ff::Field;

/// Permutes a state of `parameters.width` elements (the paper's section 4.1).
///
/// # Panics
///
/// When the state has another number of elements.
pub fn permute_plain(parameters: &Parameters, state: &mut [Fr]) {
    assert_eq!(state.len(), parameters.width, "a state has as many elements as the width");
    let half = parameters.full_rounds / 2;
    for (round, constants) in parameters.round_constants.iter().enumerate() {
        for (element, constant) in state.iter_mut().zip(constants) {
            *element += constant;
        }
        let partial = (half..half + parameters.partial_rounds).contains(&round);
        let boxes = if partial { 1 } else { state.len() };
        for element in &mut state[..boxes] {
            *element = fifth_power(element);
        }
        let mixed: Vec<Fr> = parameters.mds.iter().map(|row| dot(row, state)).collect();
        state.copy_from_slice(&mixed);
    }
}

/// The S-box.
pub(crate) fn fifth_power(element: &Fr) -> Fr {
    element.square().square() * element
}

/// The sum of products.
pub(crate) fn dot(row: &[Fr], state: &[Fr]) -> Fr {
    row.iter().zip(state).map(|(a, b)| *a * b).sum()
}
