//! Constants and permutations against light-poseidon's published tables and hashes.

use ark_bn254::Fr;
use ark_ff::{UniformRand, Zero};
use light_poseidon::parameters::bn254_x5::get_poseidon_parameters;
use light_poseidon::{Poseidon, PoseidonHasher};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use spandrel_poseidon::{Hasher, Output, Parameters, Round, SparseRounds, WIDTHS, WidthError, permute_plain};

/// Zeros, ones, the largest elements, and random ones.
fn states(width: usize) -> Vec<Vec<Fr>> {
    let mut rng = ChaCha20Rng::seed_from_u64(width as u64);
    let mut states: Vec<Vec<Fr>> = [0i64, 1, -1].map(|value| vec![Fr::from(value); width]).into();
    for at in 0..width {
        let mut state = vec![Fr::zero(); width];
        state[at] = Fr::from(1);
        states.push(state);
    }
    states.extend((0..20).map(|_| (0..width).map(|_| Fr::rand(&mut rng)).collect()));
    states
}

#[test]
fn the_generator_draws_the_published_tables() {
    for width in WIDTHS {
        let ours = Parameters::new(width).unwrap();
        let published = get_poseidon_parameters::<Fr>(width as u8).unwrap();
        assert_eq!(
            (ours.width, ours.full_rounds, ours.partial_rounds),
            (published.width, published.full_rounds, published.partial_rounds)
        );
        assert_eq!(ours.round_constants.concat(), published.ark);
        assert_eq!(ours.mds, published.mds);
    }
}

#[test]
fn sparse_and_fast_forms_equal_the_plain_one() {
    for width in WIDTHS {
        let parameters = Parameters::new(width).unwrap();
        let sparse = SparseRounds::new(width).unwrap();
        let hasher = Hasher::new(width, Output::First).unwrap();
        for state in states(width) {
            let (mut plain, mut other, mut fast) = (state.clone(), state.clone(), state);
            permute_plain(parameters, &mut plain);
            sparse.permute(&mut other);
            hasher.permute(&mut fast);
            assert_eq!(plain, other);
            assert_eq!(plain, fast);
        }
    }
}

#[test]
fn sparse_rounds_have_their_shape() {
    for width in WIDTHS {
        let sparse = SparseRounds::new(width).unwrap();
        let partial = Parameters::new(width).unwrap().partial_rounds;
        assert_eq!((sparse.initial.len(), sparse.rounds.len()), (width, 8 + partial));
        for (index, round) in sparse.rounds.iter().enumerate() {
            match round {
                Round::Full { matrix, constants } => {
                    assert!(!(4..4 + partial).contains(&index));
                    assert!(matrix.len() == width && matrix.iter().all(|row| row.len() == width));
                    assert_eq!(constants.len(), width);
                }
                Round::Partial { row, column, .. } => {
                    assert!((4..4 + partial).contains(&index));
                    assert_eq!((row.len(), column.len()), (width, width - 1));
                }
            }
        }
        // The last round adds nothing.
        let Some(Round::Full { constants, .. }) = sparse.rounds.last() else {
            panic!("no full round at the end")
        };
        assert!(constants.iter().all(Zero::is_zero));
    }
}

#[test]
fn hashes_equal_those_of_light_poseidon() {
    for width in WIDTHS {
        let hasher = Hasher::new(width, Output::First).unwrap();
        let mut theirs = Poseidon::<Fr>::new_circom(width - 1).unwrap();
        for state in states(width) {
            let inputs = &state[1..];
            assert_eq!(hasher.hash(inputs).unwrap(), theirs.hash(inputs).unwrap());
        }
    }
}

/// circomlib's poseidon([1, 2]), and the same permutation's second element, as the Nexus zkVM takes it.
#[test]
fn both_outputs_are_the_published_ones() {
    let inputs = [Fr::from(1), Fr::from(2)];
    let digests = [Output::First, Output::Second]
        .map(|output| Hasher::new(3, output).unwrap().hash(&inputs).unwrap().to_string());
    assert_eq!(
        digests,
        [
            "7853200120776062878684798364095072458815029376092732009249414926327459813530",
            "7142104613055408817911962100316808866448378443474503659992478482890339429929"
        ]
    );
}

#[test]
fn other_widths_are_refused() {
    for width in [0, 1, 6, usize::MAX] {
        assert_eq!(Parameters::new(width).unwrap_err(), WidthError { width });
        assert_eq!(SparseRounds::new(width).unwrap_err(), WidthError { width });
        assert_eq!(Hasher::new(width, Output::First).unwrap_err(), WidthError { width });
    }
    assert!(WidthError { width: 6 }.to_string().contains("use a width of 2 to 5"));
}
