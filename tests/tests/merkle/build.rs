//! Building trees.

use super::bench::{Bench, Command, Manner};
use super::reference::{HOST_A, HOST_OUT, Tree, elements};
use super::{CARD_BYTES, engine};
use num_bigint::BigUint;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use spandrel_abi::{Opcode, Status, TreeShape};
use spandrel_hdl::field::Prime;
use spandrel_tests::reference::bytes32;

/// Builds the tree on the card and holds root and card memory to it.
fn build(bench: &mut Bench, tree: &Tree, from_host: bool) {
    bench.card.fill(vec![0xee; 64]);
    bench.host.clear();
    let leaves = &tree.levels[0][..tree.shape.leaves as usize];
    let mut command = tree.command(Opcode::MerkleBuild);
    if from_host {
        bench.put_host(HOST_A, leaves.iter().map(bytes32));
        command.count = tree.shape.leaves;
    } else {
        tree.store(bench, 0..1);
    }
    let outcome = bench.run(&command, 100_000);
    assert_eq!(outcome.refusal, 0, "{:?}", tree.shape);
    assert_eq!(outcome.hashes, tree.shape.hashes(), "{:?}", tree.shape);
    assert_eq!(outcome.passes + outcome.starved, outcome.cycles);
    tree.check(bench);
    assert_eq!(bench.host_beats(HOST_OUT, 2), [Some(bytes32(tree.root()).to_vec()), None]);
    // Every line is written once, and what a hash is made of read once, unless it came from the host.
    let (all, level_0) = (tree.shape.bytes() / 64, tree.shape.level_bytes(0) / 64);
    let (read, written) = if from_host { (all - level_0 - 1, all) } else { (all - 1, all - level_0) };
    assert_eq!((outcome.lines_read, outcome.lines_written), (read, written), "{:?}", tree.shape);
}

#[test]
fn trees_of_all_sizes_are_built_from_host_and_card() {
    let mut random = ChaCha8Rng::seed_from_u64(11);
    for manner in [Manner::QUICK, Manner::SLOW] {
        let mut bench = Bench::new(engine(), CARD_BYTES, manner, 12);
        for arity in [2, 4] {
            for leaves in [1u32, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 257] {
                let least = TreeShape::least_depth(arity, leaves).max(1);
                for depth in [least, least + 1, random.gen_range(least..=32)] {
                    let output = random.gen_range(0..2);
                    let address = 64 * random.gen_range(0..100);
                    let values = elements(&mut random, leaves as usize);
                    let tree = Tree::new(arity, depth, output, address, &values);
                    build(&mut bench, &tree, true);
                    build(&mut bench, &tree, false);
                }
            }
        }
    }
}

#[test]
fn the_deepest_tree_has_32_levels() {
    let mut random = ChaCha8Rng::seed_from_u64(13);
    let mut bench = Bench::new(engine(), CARD_BYTES, Manner::QUICK, 14);
    for (arity, leaves) in [(2, 1), (4, 1), (2, 70), (4, 70)] {
        let values = elements(&mut random, leaves);
        build(&mut bench, &Tree::new(arity, 32, 1, 0, &values), true);
    }
}

#[test]
fn a_tree_that_does_not_fit_is_refused_before_any_access() {
    let mut bench = Bench::new(engine(), CARD_BYTES, Manner::SLOW, 15);
    let shape = TreeShape { arity: 2, depth: 11, leaves: 1500 };
    let refused = |bench: &mut Bench, command: &Command| {
        let before = bench.card.clone();
        bench.host.clear();
        let outcome = bench.run(command, 1000);
        assert_eq!(bench.card, before);
        assert!(bench.host.is_empty());
        assert_eq!((outcome.lines_read, outcome.host_beats_read, outcome.hashes), (0, 0, 0));
        outcome.refusal
    };
    let wanted = Status::CardAddressOutOfRange as u8;
    for opcode in [Opcode::MerkleBuild, Opcode::MerklePaths, Opcode::MerkleUpdate] {
        let command = |card_address: u64, shape: TreeShape| Command {
            opcode: opcode as u8,
            count: 1,
            size: shape.leaves,
            parameter: shape.parameter(0),
            host_a: HOST_A,
            host_out: HOST_OUT,
            card_address,
            ..Command::default()
        };
        // One line too far, far too far, and around the end of the address space.
        for card_address in
            [CARD_BYTES + 64 - shape.bytes(), CARD_BYTES, 1 << 40, u64::MAX - 63, u64::MAX - 64 * 2000 + 1]
        {
            assert_eq!(refused(&mut bench, &command(card_address, shape)), wanted, "{card_address:#x}");
        }
        let large = TreeShape { arity: 4, depth: 32, leaves: (1 << 28) - 1 };
        assert_eq!(refused(&mut bench, &command(0, large)), wanted);
        let lone = TreeShape { arity: 2, depth: 32, leaves: 1 };
        assert_eq!(refused(&mut bench, &command(CARD_BYTES - 64 * 32, lone)), wanted);
    }
    // The last place where it fits.
    let mut random = ChaCha8Rng::seed_from_u64(16);
    let values = elements(&mut random, 1500);
    build(&mut bench, &Tree::new(2, 11, 0, CARD_BYTES - shape.bytes(), &values), true);
    let lone = TreeShape { arity: 2, depth: 32, leaves: 1 };
    build(&mut bench, &Tree::new(2, 32, 0, CARD_BYTES - lone.bytes(), &values[..1]), true);
}

#[test]
fn leaves_not_below_the_prime_are_told_wherever_they_come_from() {
    let mut random = ChaCha8Rng::seed_from_u64(17);
    let mut bench = Bench::new(engine(), CARD_BYTES, Manner::SLOW, 18);
    for (arity, leaves) in [(2u32, 37usize), (4, 37), (2, 1), (4, 3)] {
        for from_host in [true, false] {
            for bad in [Some(0), Some(leaves / 2), Some(leaves - 1), None] {
                let mut values = elements(&mut random, leaves);
                if let Some(place) = bad {
                    values[place] = Prime::Fr.modulus() + BigUint::from(random.gen_range(0..3u8));
                }
                let tree = Tree::new(arity, 8, 0, 0x400, &values);
                bench.put_host(HOST_A, values.iter().map(bytes32));
                tree.store(&mut bench, 0..1);
                let count = if from_host { leaves as u32 } else { 0 };
                let command = Command { count, ..tree.command(Opcode::MerkleBuild) };
                let outcome = bench.run(&command, 40_000);
                assert_eq!(outcome.refusal, if bad.is_some() { Status::NotCanonical as u8 } else { 0 });
                assert_eq!(outcome.hashes, tree.shape.hashes());
            }
        }
    }
}

#[test]
fn a_reset_in_the_middle_of_a_build_leaves_an_engine_as_new() {
    let mut random = ChaCha8Rng::seed_from_u64(19);
    let mut bench = Bench::new(engine(), CARD_BYTES, Manner::SLOW, 20);
    for round in 0..30u32 {
        let arity = 2 + round % 2 * 2;
        let values = elements(&mut random, 60);
        let tree = Tree::new(arity, 7, 0, 0, &values);
        bench.put_host(HOST_A, values.iter().map(bytes32));
        bench.start(&Command { count: 60, ..tree.command(Opcode::MerkleBuild) });
        for _ in 0..random.gen_range(0..2000) {
            bench.cycle();
        }
        bench.reset();
        assert_eq!(bench.get("busy"), 0);
        build(&mut bench, &Tree::new(2, 6, 1, 0x80, &values), round % 3 == 0);
    }
}
