//! The library's hashes and trees over the Verilated card and the CPU at once, which must agree.

use ark_bn254::Fr;
use ark_ff::UniformRand;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use spandrel::hash::{
    Arity, CardHasher, CpuHasher, DualHasher, HashBackend, HashError, HashRun, MerkleTree, Output,
    PoseidonHasher,
};
use spandrel_driver::{Card, CardOptions, DriverError};
use spandrel_hdl::profile::Profile;
use spandrel_poseidon::{least_depth, partial_rounds};
use spandrel_sim::{InProcess, SimControl, SimOptions};
use spandrel_tests::world::must;
use std::sync::Arc;

/// Both arities of trees, and small enough to open twice.
fn card(seed: u64, stalls: bool) -> (CardHasher, SimControl) {
    let profile = must(Profile::load("sim-merkle"));
    let transport = must(InProcess::new(&profile, SimOptions { seed, stalls, ..SimOptions::default() }));
    let control = transport.control();
    // Small loads, so that trees of a few leaves would take several where the driver cut them.
    let options = CardOptions { staging_bytes: 192, ..CardOptions::default() };
    (CardHasher::new(must(Card::open(Box::new(transport), options)), Arc::new(|_| {})), control)
}

fn draw(rng: &mut ChaCha8Rng, count: usize) -> Vec<Fr> {
    let one = Fr::from(1);
    (0..count)
        .map(|_| [Fr::rand(rng), Fr::from(0), one, -one][rng.gen_range(0..6usize).saturating_sub(2)])
        .collect()
}

/// Every lane works or waits, and a hash has its passes.
fn check_run(run: Option<HashRun>, hashes: Option<u64>) {
    let run = run.expect("the card had a part in it");
    let passes = 8 * u64::from(run.width) + partial_rounds(run.width as usize).unwrap() as u64;
    assert_eq!(run.passes, run.hashes * passes, "{run:?}");
    assert_eq!(run.passes + run.starved, u64::from(run.lanes) * run.counters.cycles, "{run:?}");
    assert!(run.counters.cycles <= run.cycles && run.seconds > 0.0, "{run:?}");
    if let Some(hashes) = hashes {
        assert_eq!(run.hashes, hashes, "{run:?}");
    }
}

/// One random thing on both; a difference is an error of the backend.
fn turn(backend: &Arc<DualHasher>, trees: &mut Vec<(MerkleTree, Vec<Fr>)>, rng: &mut ChaCha8Rng) {
    let arity = if rng.gen_bool(0.5) { Arity::Two } else { Arity::Four };
    let output = if rng.gen_bool(0.5) { Output::First } else { Output::Second };
    let width = arity.children() + 1;
    match rng.gen_range(0..6) {
        0 => {
            let messages = rng.gen_range(1..70);
            let outcome = must(backend.hash(width, output, &draw(rng, messages * (width - 1))));
            assert_eq!(outcome.digests.len(), messages);
            check_run(outcome.card, Some(messages as u64));
        }
        1 => {
            let (messages, each) = (rng.gen_range(1..40), rng.gen_range(0..12));
            let outcome = must(backend.sponge(width, each, &draw(rng, messages * each)));
            let messages = if each == 0 { 1 } else { messages };
            assert_eq!(outcome.digests.len(), messages);
            check_run(outcome.card, Some((messages * each.div_ceil(width - 1).max(1)) as u64));
        }
        2 | 3 => {
            let count = [0, 1, 2, rng.gen_range(3..90)][rng.gen_range(0..4)];
            let leaves = draw(rng, count);
            let depth = rng.gen_bool(0.5).then(|| least_depth(arity, count) + rng.gen_range(0..3));
            let tree = must(MerkleTree::build(Arc::clone(backend) as _, arity, output, depth, &leaves));
            if count > 0 && tree.depth() > 0 {
                check_run(tree.built().card, Some(tree.built().hashes));
            }
            trees.push((tree, leaves));
        }
        4 if !trees.is_empty() => {
            let at = rng.gen_range(0..trees.len());
            let (tree, leaves) = &mut trees[at];
            let count = rng.gen_range(0..=leaves.len().min(40));
            let entries: Vec<(usize, Fr)> = rand::seq::index::sample(rng, leaves.len(), count)
                .into_iter()
                .map(|index| (index, Fr::rand(rng)))
                .collect();
            must(tree.update(&entries));
            entries.iter().for_each(|(index, leaf)| leaves[*index] = *leaf);
        }
        _ if !trees.is_empty() => {
            let (tree, leaves) = &trees[rng.gen_range(0..trees.len())];
            if leaves.is_empty() {
                return;
            }
            let indices: Vec<usize> =
                (0..rng.gen_range(1..20)).map(|_| rng.gen_range(0..leaves.len())).collect();
            for (index, path) in indices.iter().zip(must(tree.paths(&indices))) {
                assert!(tree.verify(leaves[*index], &path));
            }
            let expected: Vec<Fr> = indices.iter().map(|index| leaves[*index]).collect();
            assert_eq!(must(tree.leaves(&indices)), expected);
        }
        _ => {}
    }
}

#[test]
fn cpu_and_card_agree_on_hashes_and_trees() {
    for (seed, stalls) in [(11, false), (12, true)] {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let backend = Arc::new(DualHasher::new(Box::new(CpuHasher::new()), Box::new(card(seed, stalls).0)));
        let mut trees = Vec::new();
        for _ in 0..30 {
            turn(&backend, &mut trees, &mut rng);
            if trees.len() > 4 {
                trees.swap_remove(rng.gen_range(0..trees.len()));
            }
        }
        assert!(backend.identification().is_some_and(|card| card.has_poseidon));
    }
}

/// A width without lanes is the driver's error, and a fault under an update costs the tree, not the card.
#[test]
fn what_a_card_cannot_do_is_told() {
    let (card, control) = card(13, false);
    let card: Arc<dyn HashBackend> = Arc::new(card);
    let hasher = must(PoseidonHasher::new(Arc::clone(&card), 4, Output::First));
    let error = hasher.hash_many(&[Fr::from(1); 3]).expect_err("no lanes");
    let expected = "the card has no Poseidon lanes for states of 4 elements: it has those of 3 and 5";
    assert!(error.to_string().contains(expected), "{error}");

    let leaves: Vec<Fr> = (0..20).map(Fr::from).collect();
    let build = || must(MerkleTree::build(Arc::clone(&card), Arity::Two, Output::First, None, &leaves));
    let (mut tree, mut other) = (build(), build());
    control.fail_card_read(0);
    let error = tree.update(&[(3, Fr::from(9))]).expect_err("the card could not read the tree");
    assert!(matches!(error, HashError::Device { source: DriverError::CommandFailed { .. }, .. }), "{error}");
    let error = tree.path(3).expect_err("nobody knows what is in it");
    assert!(matches!(error, HashError::Device { source: DriverError::TreeLost { .. }, .. }), "{error}");
    assert_eq!(must(other.update(&[])), other.root());
    must(other.update(&[(3, Fr::from(9))]));
    let same = must(MerkleTree::build(Arc::new(CpuHasher::new()), Arity::Two, Output::First, None, &{
        let mut leaves = leaves.clone();
        leaves[3] = Fr::from(9);
        leaves
    }));
    assert_eq!(other.root(), same.root());
    let known = "7853200120776062878684798364095072458815029376092732009249414926327459813530";
    let hasher = must(PoseidonHasher::new(card, 3, Output::First));
    assert_eq!(must(hasher.hash(&[Fr::from(1), Fr::from(2)])).to_string(), known);
}
