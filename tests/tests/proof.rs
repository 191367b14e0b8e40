//! Whole proofs of the sample circuit: for fixed blinding, the Verilated card's is the CPU's, point for point.

use ark_bn254::Fr;
use ark_ff::UniformRand;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use spandrel::backend::{Backend, Card as CardBackend, Cpu, Dual};
use spandrel::formats::{Witness, Zkey};
use spandrel::groth16::{Blinding, Prover, Silent};
use spandrel_driver::{Card, CardOptions};
use spandrel_hdl::profile::Profile;
use spandrel_sim::{InProcess, SimOptions};
use spandrel_tests::sample::built;
use std::sync::Arc;

fn must<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}

fn card() -> Box<dyn Backend> {
    let profile = must(Profile::load("sim-small"));
    let transport = must(InProcess::new(&profile, SimOptions::default()));
    let card = must(Card::open(Box::new(transport), CardOptions::default()));
    Box::new(must(CardBackend::new(card, Arc::new(|_| {}))))
}

#[test]
fn the_card_proves_what_the_cpu_proves() {
    let zkey = must(Zkey::open(&built("merkle.zkey")));
    let witness = must(Witness::open(&built("merkle.wtns")));
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (r, s) = (Fr::rand(&mut rng), Fr::rand(&mut rng));
    let cpu = Cpu::new();
    let expected = must(must(Prover::new(&zkey, &cpu)).prove(&witness, Blinding::fixed(r, s), &Silent));
    assert!(expected.msms.iter().all(|record| record.card.is_none()));
    // Compares every MSM on the way, too.
    let both = Dual::new(Box::new(Cpu::new()), card());
    let proven = must(must(Prover::new(&zkey, &both)).prove(&witness, Blinding::fixed(r, s), &Silent));
    assert_eq!(proven.proof, expected.proof);
    assert_eq!(proven.public, expected.public);
    assert_eq!(proven.msms.len(), 4, "every G1 MSM runs through the backend");
    assert!(proven.msms.iter().all(|record| record.card.is_some()), "and on the card");
}
