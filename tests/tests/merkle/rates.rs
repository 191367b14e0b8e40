//! How many cycles the engine adds to those of its cores: next to none.

use super::bench::{Bench, Command, Manner, Outcome};
use super::reference::{HOST_A, HOST_B, HOST_OUT, Tree, elements};
use super::stand_in::{Pace, emitted};
use num_bigint::BigUint;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use spandrel_abi::{Opcode, TreeShape, poseidon_parameter};
use spandrel_tests::reference::bytes32;

/// Cycles that a state is in the core at least.
const LATENCY: u64 = 1200;
/// Card memory: a tree of 2^16 leaves, and some more.
const CARD_BYTES: u64 = 5 << 20;

/// A bench with memories of 60 cycles around a core of arity `width` − 1 that takes a state every `interval` cycles.
fn bench(width: usize, interval: u64) -> Bench {
    let pace = Pace { latency: LATENCY, interval, capacity: (LATENCY / interval) as usize + 2 };
    let name = format!("merkle_rate_{width}_{interval}");
    let manner = Manner { stall_percent: 0, latency: (60, 60) };
    Bench::new(&emitted(&name, &[width], pace, 512, CARD_BYTES), CARD_BYTES, manner, 1)
}

/// What levels with so many groups would take if a result could be used in the cycle in which it leaves the core: a level
/// enters behind the one before, and its last group not before the last result of that one is there.
fn ideal(groups: impl Iterator<Item = u64>, interval: u64) -> u64 {
    let (mut entered, mut left) = (0, 0);
    for groups in groups {
        entered = left.max(entered + groups * interval);
        left = entered + LATENCY;
    }
    left
}

fn build(bench: &mut Bench, tree: &Tree, from_host: bool) -> Outcome {
    let leaves = &tree.levels[0][..tree.shape.leaves as usize];
    bench.put_host(HOST_A, leaves.iter().map(bytes32));
    tree.store(bench, 0..usize::from(!from_host));
    let count = if from_host { tree.shape.leaves } else { 0 };
    let outcome = bench.run(&Command { count, ..tree.command(Opcode::MerkleBuild) }, 10_000_000);
    assert_eq!((outcome.refusal, outcome.hashes), (0, tree.shape.hashes()));
    tree.check(bench);
    outcome
}

/// Runs a build and gives its cycles as a part of those that its hashes take, and of the ideal.
fn rate(width: usize, interval: u64, leaves: usize, depth: u32, from_host: bool) -> (f64, f64) {
    let values = elements(&mut ChaCha8Rng::seed_from_u64(41), leaves);
    let tree = Tree::new(width as u32 - 1, depth, 0, 0x1000, &values);
    let cycles = build(&mut bench(width, interval), &tree, from_host).cycles as f64;
    let (hashing, ideal) =
        (tree.shape.hashes() * interval, ideal((1..=depth).map(|level| tree.shape.nodes(level)), interval));
    let rates = (cycles / hashing as f64, cycles / ideal as f64);
    println!(
        "t = {width}, a hash every {interval} cycles, {leaves} leaves, from host {from_host}: {cycles} cycles, {rates:.4?}"
    );
    rates
}

#[test]
fn a_build_takes_the_cycles_of_its_hashes() {
    // One lane and four at t = 3, four at t = 5, and more than any profile has.
    for (width, interval, leaves, depth) in
        [(3, 81, 4096, 12), (3, 20, 65_536, 16), (5, 25, 16_384, 7), (3, 4, 65_536, 16)]
    {
        for from_host in [true, false] {
            let (of_hashes, of_ideal) = rate(width, interval, leaves, depth, from_host);
            assert!(of_hashes <= 1.05 && of_ideal <= 1.015, "{of_hashes}, {of_ideal}");
        }
    }
}

#[test]
fn batches_and_sponges_take_the_cycles_of_their_hashes() {
    let mut random = ChaCha8Rng::seed_from_u64(42);
    for (width, interval) in [(3usize, 20u64), (3, 4), (5, 25)] {
        for (count, blocks) in [(4096usize, 0usize), (2048, 2), (512, 8), (1, 8)] {
            let used = count * (width - 1) * blocks.max(1);
            let mut bench = bench(width, interval);
            bench.put_host(HOST_A, elements(&mut random, used).iter().map(bytes32));
            bench.put_host(HOST_B, [bytes32(&BigUint::from(1u8))]);
            let command = Command {
                opcode: Opcode::Poseidon as u8,
                count: count as u32,
                parameter: poseidon_parameter(width as u32, 0, blocks as u16),
                host_a: HOST_A,
                host_b: HOST_B,
                host_out: HOST_OUT,
                ..Command::default()
            };
            let outcome = bench.run(&command, 1_000_000);
            let hashes = (count * blocks.max(1)) as u64;
            assert_eq!((outcome.refusal, outcome.hashes), (0, hashes));
            // A group that does not fill the core waits for each of its blocks.
            let group = (count.min(512) as u64 * interval).max(LATENCY);
            let ideal = (hashes * interval + LATENCY).max(blocks.max(1) as u64 * group);
            println!(
                "t = {width}, every {interval}: {count} of {blocks} blocks: {} of {ideal}",
                outcome.cycles
            );
            assert!(
                outcome.cycles <= ideal + 200 + 40 * blocks as u64,
                "{} cycles of {ideal}",
                outcome.cycles
            );
        }
    }
}

#[test]
fn an_update_takes_the_cycles_of_its_hashes() {
    let mut random = ChaCha8Rng::seed_from_u64(43);
    for (width, interval, leaves, depth) in [(3, 20, 65_536, 16), (3, 4, 65_536, 16), (5, 25, 16_384, 7)] {
        let values = elements(&mut random, leaves);
        let tree = Tree::new(width as u32 - 1, depth, 0, 0, &values);
        for count in [1usize, 64, 1024] {
            let mut bench = bench(width, interval);
            tree.store(&mut bench, 0..depth as usize + 1);
            let entry = |place: usize| {
                [bytes32(&BigUint::from(place * (leaves / count))), bytes32(&BigUint::from(place))]
            };
            bench.put_host(HOST_A, (0..count).flat_map(entry));
            let command = Command { count: count as u32, ..tree.command(Opcode::MerkleUpdate) };
            let outcome = bench.run(&command, 1_000_000);
            let groups = |level: u32| (count as u64).min(tree.shape.nodes(level));
            let ideal = ideal((1..=depth).map(groups), interval);
            println!(
                "t = {width}, every {interval}: {count} leaves: {} of {ideal}, {:.4}",
                outcome.cycles,
                outcome.cycles as f64 / ideal as f64
            );
        }
    }
}
