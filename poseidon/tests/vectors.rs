//! Published vectors, and those that circomlibjs made.

use ark_bn254::Fr;
use ark_ff::{PrimeField, Zero};
use serde::Deserialize;
use spandrel_poseidon::{
    Arity, Hasher, Output, Parameters, Path, SparseRounds, Tree, WIDTHS, empty_root, permute_plain,
};

fn decimal(text: &str) -> Fr {
    text.parse().unwrap()
}

fn hex(text: &str) -> Fr {
    let bytes: Vec<u8> =
        (0..64).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect();
    Fr::from_be_bytes_mod_order(&bytes)
}

#[derive(Deserialize)]
struct File {
    source: String,
    vectors: Vec<Vector>,
}

/// A permutation by circomlibjs: element 0 of the state before, the other elements, the state behind.
#[derive(Deserialize)]
struct Vector {
    initial: String,
    inputs: Vec<String>,
    outputs: Vec<String>,
}

/// `circuits/merkle/vectors.js` makes the file; the test `circom::the_vectors_are_those_of_circomlibjs` holds it to that.
#[test]
fn permutations_are_those_of_circomlibjs() {
    let file: File = serde_json::from_str(include_str!("vectors/circomlibjs.json")).unwrap();
    assert_eq!(file.source, "circomlibjs 0.1.7");
    let mut seen = [0; 4];
    for Vector { initial, inputs, outputs } in &file.vectors {
        let width = inputs.len() + 1;
        seen[width - WIDTHS.start()] += 1;
        let inputs: Vec<Fr> = inputs.iter().map(|text| decimal(text)).collect();
        let expected: Vec<Fr> = outputs.iter().map(|text| decimal(text)).collect();
        let state = [&[decimal(initial)][..], &inputs].concat();
        let check = |permute: &dyn Fn(&mut [Fr])| {
            let mut state = state.clone();
            permute(&mut state);
            assert_eq!(state, expected);
        };
        let hasher = |output| Hasher::new(width, output).unwrap();
        check(&|state| permute_plain(Parameters::new(width).unwrap(), state));
        check(&|state| SparseRounds::new(width).unwrap().permute(state));
        check(&|state| hasher(Output::First).permute(state));
        if state[0].is_zero() {
            assert_eq!(hasher(Output::First).hash(&inputs), Ok(expected[0]));
            assert_eq!(hasher(Output::Second).hash(&inputs), Ok(expected[1]));
        }
    }
    assert!(seen.iter().all(|count| *count >= 15), "{seen:?}");
}

/// `poseidonperm_x5_254_3` and `poseidonperm_x5_254_5` of code/test_vectors.txt in the authors' repository,
/// extgit.isec.tugraz.at/krypto/hadeshash: the permutation of (0, 1, 2, ...).
#[test]
fn permutations_are_those_of_the_authors() {
    let published: [&[&str]; 2] = [
        &[
            "115cc0f5e7d690413df64c6b9662e9cf2a3617f2743245519e19607a4417189a",
            "0fca49b798923ab0239de1c9e7a4a9a2210312b6a2f616d18b5a87f9b628ae29",
            "0e7ae82e40091e63cbd4f16a6d16310b3729d4b6e138fcf54110e2867045a30c",
        ],
        &[
            "299c867db6c1fdd79dcefa40e4510b9837e60ebb1ce0663dbaa525df65250465",
            "1148aaef609aa338b27dafd89bb98862d8bb2b429aceac47d86206154ffe053d",
            "24febb87fed7462e23f6665ff9a0111f4044c38ee1672c1ac6b0637d34f24907",
            "0eb08f6d809668a981c186beaf6110060707059576406b248e5d9cf6e78b3d3e",
            "07748bc6877c9b82c8b98666ee9d0626ec7f5be4205f79ee8528ef1c4a376fc7",
        ],
    ];
    for expected in published {
        let mut state: Vec<Fr> = (0..expected.len() as u64).map(Fr::from).collect();
        Hasher::new(state.len(), Output::First).unwrap().permute(&mut state);
        assert_eq!(state, expected.iter().map(|text| hex(text)).collect::<Vec<_>>());
    }
}

/// Hashes of one and of two inputs in poseidon/poseidon_test.go of github.com/iden3/go-iden3-crypto.
#[test]
fn hashes_are_those_of_iden3() {
    let hash = |inputs: &[u64]| {
        let inputs: Vec<Fr> = inputs.iter().copied().map(Fr::from).collect();
        Hasher::new(inputs.len() + 1, Output::First).unwrap().hash(&inputs).unwrap().to_string()
    };
    assert_eq!(hash(&[1]), "18586133768512220936620570745912940619677854269274689475585506675881198879027");
    assert_eq!(hash(&[1, 2]), "7853200120776062878684798364095072458815029376092732009249414926327459813530");
}

/// The input of the sample circuit, whose tree circomlibjs hashed: the commitment to a secret, a path and a root.
#[test]
fn the_path_of_the_sample_circuit_leads_to_its_root() {
    #[derive(Deserialize)]
    struct Input {
        root: String,
        secret: String,
        sibling: Vec<String>,
        right: Vec<String>,
    }
    let text = include_str!("../../circuits/merkle/build/input.json");
    let input: Input = serde_json::from_str(text).unwrap();
    let bits = input.right.iter().enumerate();
    let path = Path {
        arity: Arity::Two,
        output: Output::First,
        index: bits.map(|(level, bit)| bit.parse::<usize>().unwrap() << level).sum(),
        siblings: input.sibling.iter().map(|text| vec![decimal(text)]).collect(),
    };
    let leaf = Hasher::new(2, Output::First).unwrap().hash(&[decimal(&input.secret)]).unwrap();
    assert_eq!(path.root(leaf), decimal(&input.root));
    // The script fills its tree up by the same rule: high up there is nothing beside the path.
    let empty = empty_root(Arity::Two, Output::First, 14);
    assert_eq!(path.siblings[14], [empty]);
    assert_eq!(Tree::build(Arity::Two, Output::First, Some(14), Vec::new()).unwrap().root(), empty);
}
