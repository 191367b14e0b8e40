//! Changing leaves.

use super::bench::{Bench, Command, Manner, Outcome};
use super::reference::{HOST_A, HOST_OUT, Tree, elements};
use super::{CARD_BYTES, engine};
use num_bigint::BigUint;
use rand::seq::index::sample;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use spandrel_abi::{MERKLE_UPDATE_MAX, Opcode, Status, TreeShape};
use spandrel_hdl::field::Prime;
use spandrel_tests::reference::bytes32;

fn run(bench: &mut Bench, tree: &Tree, entries: &[(BigUint, BigUint)]) -> Outcome {
    bench.host.clear();
    bench.put_host(HOST_A, entries.iter().flat_map(|(index, leaf)| [bytes32(index), bytes32(leaf)]));
    let command = Command { count: entries.len() as u32, ..tree.command(Opcode::MerkleUpdate) };
    let outcome = bench.run(&command, 400_000);
    assert_eq!(outcome.host_beats_read, 2 * entries.len() as u64, "all entries are taken");
    outcome
}

/// Changes leaves and gives the tree that is on the card then.
fn update(bench: &mut Bench, tree: &Tree, changes: &[(u32, BigUint)]) -> Tree {
    let entries: Vec<_> = changes.iter().map(|(index, leaf)| ((*index).into(), leaf.clone())).collect();
    let outcome = run(bench, tree, &entries);
    let changed = tree.with(changes);
    assert_eq!(outcome.refusal, 0);
    changed.check(bench);
    assert_eq!(bench.host_beats(HOST_OUT, 2), [Some(bytes32(changed.root()).to_vec()), None]);
    // Each group between the leaves and the root is read, hashed and written once; the root's line is written.
    let mut places: Vec<u32> = changes.iter().map(|(index, _)| *index).collect();
    let mut groups = 0;
    for _ in 0..tree.shape.depth {
        places.iter_mut().for_each(|place| *place /= tree.shape.arity);
        places.dedup();
        groups += places.len() as u64;
    }
    let lines = groups * u64::from(tree.shape.arity) / 2;
    assert_eq!((outcome.hashes, outcome.lines_read, outcome.lines_written), (groups, lines, lines + 1));
    changed
}

#[test]
fn leaves_are_changed_with_all_that_depends_on_them() {
    let mut random = ChaCha8Rng::seed_from_u64(31);
    for manner in [Manner::QUICK, Manner::SLOW] {
        for arity in [2, 4] {
            for leaves in [1u32, 2, 3, 4, 5, 7, 9, 16, 33, 100, 257] {
                let least = TreeShape::least_depth(arity, leaves).max(1);
                for depth in [least, random.gen_range(least..=32)] {
                    let values = elements(&mut random, leaves as usize);
                    let address = 64 * random.gen_range(0..99);
                    let mut tree = Tree::new(arity, depth, random.gen_range(0..2), address, &values);
                    let mut bench = Bench::new(engine(), CARD_BYTES, manner, random.r#gen());
                    tree.store(&mut bench, 0..depth as usize + 1);
                    for count in [1, leaves.min(2), leaves.div_ceil(3), leaves] {
                        let mut places = sample(&mut random, leaves as usize, count as usize).into_vec();
                        places.sort_unstable();
                        let news = elements(&mut random, places.len());
                        let changes: Vec<_> = places.iter().map(|place| *place as u32).zip(news).collect();
                        tree = update(&mut bench, &tree, &changes);
                    }
                }
            }
        }
    }
}

#[test]
fn as_many_leaves_as_are_allowed_are_changed_at_once() {
    let mut random = ChaCha8Rng::seed_from_u64(32);
    let values = elements(&mut random, 1400);
    for (arity, depth) in [(2, 11), (4, 6)] {
        let tree = Tree::new(arity, depth, 0, 0, &values);
        let mut bench = Bench::new(engine(), CARD_BYTES, Manner::SLOW, 33);
        tree.store(&mut bench, 0..depth as usize + 1);
        let mut places = sample(&mut random, 1400, MERKLE_UPDATE_MAX as usize).into_vec();
        places.sort_unstable();
        let news = elements(&mut random, places.len());
        let changes: Vec<_> = places.iter().map(|place| *place as u32).zip(news).collect();
        let tree = update(&mut bench, &tree, &changes);
        update(&mut bench, &tree, &[(3, BigUint::from(4u8))]);
    }
}

#[test]
fn bad_entries_are_refused_and_nothing_is_written() {
    let mut random = ChaCha8Rng::seed_from_u64(34);
    let mut bench = Bench::new(engine(), CARD_BYTES, Manner::SLOW, 35);
    let values = elements(&mut random, 50);
    let tree = Tree::new(2, 6, 0, 0x1000, &values);
    tree.store(&mut bench, 0..7);
    let (bad, high) = (Status::BadIndex as u8, Status::NotCanonical as u8);
    let one = BigUint::from(1u8);
    let past: BigUint = &one << 32;
    let prime = Prime::Fr.modulus();
    let entry = |index: u32| (BigUint::from(index), BigUint::from(77u8));
    let cases = [
        (vec![entry(50)], bad),
        (vec![entry(3), entry(49), entry(63)], bad),
        (vec![entry(u32::MAX)], bad),
        (vec![(past.clone(), one.clone()), entry(9)], bad),
        (vec![entry(4), (past + 5u8, one.clone())], bad),
        (vec![entry(4), entry(4)], bad),
        (vec![entry(4), entry(5), entry(3), entry(10)], bad),
        (vec![entry(1), entry(0)], bad),
        (vec![(4u8.into(), prime.clone())], high),
        (vec![entry(2), (4u8.into(), prime.clone() - 1u8), (7u8.into(), (one << 256) - 1u8)], high),
    ];
    for (entries, refusal) in cases {
        let outcome = run(&mut bench, &tree, &entries);
        assert_eq!(
            (outcome.refusal, outcome.hashes, outcome.lines_read, outcome.lines_written),
            (refusal, 0, 0, 0)
        );
        tree.check(&bench);
        assert_eq!(bench.host_beats(HOST_OUT, 2), [Some(vec![0; 32]), None]);
    }
    // What was taken in is forgotten.
    update(&mut bench, &tree, &[(7, prime - 1u8), (8, 0u8.into())]);
}

#[test]
fn a_reset_in_the_middle_of_an_update_leaves_an_engine_as_new() {
    let mut random = ChaCha8Rng::seed_from_u64(36);
    let mut bench = Bench::new(engine(), CARD_BYTES, Manner::SLOW, 37);
    for round in 0..30u32 {
        let arity = 2 + round % 2 * 2;
        let values = elements(&mut random, 40);
        let tree = Tree::new(arity, 6, 0, 0, &values);
        bench.card.fill(vec![0xee; 64]);
        tree.store(&mut bench, 0..7);
        let entries: Vec<_> = (0..40u32).zip(elements(&mut random, 40)).collect();
        bench.put_host(
            HOST_A,
            entries.iter().flat_map(|(index, leaf)| [bytes32(&(*index).into()), bytes32(leaf)]),
        );
        bench.start(&Command { count: 40, ..tree.command(Opcode::MerkleUpdate) });
        for _ in 0..random.gen_range(0..1500) {
            bench.cycle();
        }
        bench.reset();
        assert_eq!(bench.get("busy"), 0);
        bench.card.fill(vec![0xee; 64]);
        tree.store(&mut bench, 0..7);
        update(&mut bench, &tree, &entries[5..9]);
    }
}
