//! The sponge against the duplex sponge of ark-crypto-primitives, which knows nothing of this crate but the constants.

use ark_bn254::Fr;
use ark_crypto_primitives::sponge::poseidon::{PoseidonConfig, PoseidonSponge};
use ark_crypto_primitives::sponge::{CryptographicSponge, FieldBasedCryptographicSponge};
use ark_ff::UniformRand;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use spandrel_poseidon::{Hasher, InputError, Output, Parameters, WIDTHS, sponge_capacity};

/// Absorbs into a state whose capacity holds the length, and squeezes one element.
fn reference(width: usize, message: &[Fr]) -> Fr {
    let Parameters { full_rounds, partial_rounds, round_constants, mds, .. } =
        Parameters::new(width).unwrap();
    let (ark, mds) = (round_constants.clone(), mds.clone());
    let config = PoseidonConfig::new(*full_rounds, *partial_rounds, 5, mds, ark, width - 1, 1);
    let mut sponge = PoseidonSponge::new(&config);
    sponge.state[0] = Fr::from(message.len() as u64) * Fr::from(1u128 << 64);
    sponge.absorb(&message);
    sponge.squeeze_native_field_elements(1)[0]
}

#[test]
fn messages_of_every_length_hash_as_arkworks_does() {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    for width in WIDTHS {
        let hasher = Hasher::new(width, Output::First).unwrap();
        for length in (0..=3 * width).chain([64, 65, 66, 67]) {
            let message: Vec<Fr> = (0..length).map(|_| Fr::rand(&mut rng)).collect();
            assert_eq!(hasher.sponge(&message), reference(width, &message), "{width}, {length}");
        }
    }
}

#[test]
fn many_messages_are_each_of_them() {
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    let hasher = Hasher::new(4, Output::Second).unwrap();
    let messages: Vec<Fr> = (0..7 * 100).map(|_| Fr::rand(&mut rng)).collect();
    let each: Vec<Fr> = messages.chunks(7).map(|message| hasher.sponge(message)).collect();
    assert_eq!(hasher.sponge_many(7, &messages), Ok(each));
    assert_eq!(hasher.sponge_many(7, &[]), Ok(Vec::new()));
    assert_eq!(hasher.sponge_many(0, &[]), Ok(vec![hasher.sponge(&[])]));
    assert_eq!(hasher.sponge_many(0, &messages), Err(InputError::PartialMessage { found: 700, each: 0 }));
    assert_eq!(hasher.sponge_many(8, &messages), Err(InputError::PartialMessage { found: 700, each: 8 }));
}

/// Zeros at the end are part of a message, although blocks are filled up with zeros.
#[test]
fn a_zero_more_is_another_message() {
    let hasher = Hasher::new(5, Output::First).unwrap();
    let digests: Vec<Fr> = (0..9).map(|length| hasher.sponge(&vec![Fr::from(0); length])).collect();
    for (index, digest) in digests.iter().enumerate() {
        assert!(!digests[..index].contains(digest));
    }
    assert_eq!(sponge_capacity(3).to_string(), (3u128 << 64).to_string());
}

#[test]
fn batches_of_fixed_length_are_each_of_them() {
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    for width in WIDTHS {
        for output in [Output::First, Output::Second] {
            let hasher = Hasher::new(width, output).unwrap();
            for count in [0, 1, 63, 64, 65, 300] {
                let inputs: Vec<Fr> = (0..count * (width - 1)).map(|_| Fr::rand(&mut rng)).collect();
                let each: Vec<Fr> =
                    inputs.chunks(width - 1).map(|message| hasher.hash(message).unwrap()).collect();
                assert_eq!(hasher.hash_many(&inputs).unwrap(), each);
            }
        }
    }
    let hasher = Hasher::new(3, Output::First).unwrap();
    let three = [Fr::from(1); 3];
    assert_eq!(hasher.hash_many(&three), Err(InputError::PartialMessage { found: 3, each: 2 }));
    assert_eq!(hasher.hash(&three), Err(InputError::WrongCount { found: 3, expected: 2 }));
    assert_eq!(
        InputError::WrongCount { found: 3, expected: 2 }.to_string(),
        "3 inputs were given; a state of 3 elements takes 2"
    );
}
