//! Proofs: the same as ark-groth16's, accepted when right and refused when not.

mod common;

use ark_bn254::{Fr, G1Affine};
use ark_ec::AffineRepr;
use ark_ff::{AdditiveGroup, Field, UniformRand};
use ark_std::rand::SeedableRng;
use ark_std::rand::rngs::StdRng;
use common::{SMALL, Sample};
use spandrel::backend::{Backend, Cpu, Dual};
use spandrel::formats::{FileBytes, Witness, Zkey};
use spandrel::groth16::{Blinding, ProveError, Prover, Silent, verify};
use std::path::Path;

fn zkey(bytes: &[u8]) -> Zkey {
    Zkey::from_bytes(Path::new("test.zkey"), FileBytes::Owned(bytes.to_vec())).unwrap()
}

fn witness(bytes: &[u8]) -> Witness {
    Witness::from_bytes(Path::new("test.wtns"), FileBytes::Owned(bytes.to_vec())).unwrap()
}

#[test]
fn equals_ark_groth16_for_fixed_blinding() {
    let mut rng = StdRng::seed_from_u64(1);
    // Circuits whose domain is nearly full, just over a power of two, without booleans, and without private
    // variables of full width.
    let samples = [(3, 7, 14), (5, 12, 9), (11, 40, 0), (13, 1, 100), (17, 2, 57)];
    for (secret, steps, booleans) in samples {
        let sample = Sample::new(secret, steps, booleans);
        let (zkey, witness) = (zkey(&sample.zkey), witness(&sample.wtns));
        let backend = Dual::new(Box::new(Cpu::new()), Box::new(Cpu::new()));
        let prover = Prover::new(&zkey, &backend).unwrap();
        let cases = [(Fr::rand(&mut rng), Fr::rand(&mut rng)), (Fr::ZERO, Fr::ZERO), (Fr::ONE, -Fr::ONE)];
        for (r, s) in cases {
            let proven = prover.prove(&witness, Blinding::fixed(r, s), &Silent).unwrap();
            assert_eq!(proven.proof, sample.ark_proof(r, s), "{secret} {steps} {booleans}");
            assert_eq!(proven.public, sample.circuit.public());
        }
    }
}

#[test]
fn random_blinding_differs_and_verifies() {
    let (zkey, witness) = (zkey(&SMALL.zkey), witness(&SMALL.wtns));
    let backend = Cpu::new();
    let prover = Prover::new(&zkey, &backend).unwrap();
    let prove = || prover.prove(&witness, Blinding::random().unwrap(), &Silent).unwrap();
    let (one, other) = (prove(), prove());
    assert_ne!(one.proof.a, other.proof.a);
    for proven in [&one, &other] {
        assert!(verify(&SMALL.key.vk, &SMALL.circuit.public(), &proven.proof).unwrap());
    }
    let names: Vec<_> = one.msms.iter().map(|msm| (msm.name, msm.elements)).collect();
    let variables = SMALL.assignment.len();
    let expected =
        [("A", variables), ("B1", variables), ("C", variables - SMALL.public - 1), ("H", zkey.domain())];
    assert_eq!(names, expected);
}

#[test]
fn verification_refuses_what_was_changed() {
    let vk = &SMALL.key.vk;
    let public = SMALL.circuit.public();
    let proof = SMALL.ark_proof(Fr::from(3), Fr::from(4));
    assert!(verify(vk, &public, &proof).unwrap());
    for index in 0..public.len() {
        let mut other = public.clone();
        other[index] += Fr::ONE;
        assert!(!verify(vk, &other, &proof).unwrap());
    }
    let mut other = proof.clone();
    other.a = (other.a + G1Affine::generator()).into();
    assert!(!verify(vk, &public, &other).unwrap());
    let mut other = proof.clone();
    other.c = G1Affine::zero();
    assert!(!verify(vk, &public, &other).unwrap());
    // Too few or too many signals are of another circuit, not merely a wrong proof.
    assert!(verify(vk, &public[1..], &proof).is_err());
    assert!(verify(vk, &[&public[..], &public[..1]].concat(), &proof).is_err());
}

#[test]
fn a_witness_that_does_not_satisfy_the_circuit_gives_no_proof() {
    let zkey = zkey(&SMALL.zkey);
    let backend = Cpu::new();
    let prover = Prover::new(&zkey, &backend).unwrap();
    for index in [1, SMALL.public + 1, SMALL.assignment.len() - 1] {
        let mut assignment = SMALL.assignment.clone();
        assignment[index] += Fr::from(5);
        let witness = witness(&common::wtns_sections(&assignment).file());
        let result = prover.prove(&witness, Blinding::random().unwrap(), &Silent);
        let error = result.expect_err("value {index} was changed");
        assert!(matches!(error, ProveError::Rejected { .. }), "{error}");
    }
}

#[test]
fn bases_are_released_with_the_prover() {
    let zkey = zkey(&SMALL.zkey);
    let cpu = Cpu::new();
    drop(Prover::new(&zkey, &cpu).unwrap());
    // A handle of one backend is refused by another.
    let bases = cpu.load_bases(zkey.a()).unwrap();
    assert!(Cpu::new().msm(&bases, 0..0, &[]).is_err());
    cpu.release_bases(bases).unwrap();
}
