//! Hashes and Merkle trees through the driver and the Verilated card, against the crate that computes them on the CPU; with
//! MSMs, resets and faults between them.

use ark_bn254::Fr;
use ark_ff::{UniformRand, Zero};
use rand::Rng;
use spandrel_abi::{Status, TreeShape};
use spandrel_driver::{CardOptions, DriverError, HashOutput, HashResult, Job, TreeHandle};
use spandrel_poseidon::{Arity, Hasher, Output, Tree, sponge_capacity};
use spandrel_sim::SimControl;
use spandrel_tests::reference::{element_bytes, elements, elements_bytes};
use spandrel_tests::world::{World, must};

/// Lanes of widths 3 and 5, so trees of both arities.
const CARD: &str = "sim-merkle";

/// A lane of width 3, whose multipliers the MSM engine's adder has in its turns.
const SHARED_CARD: &str = "sim-shared";

/// Makes the simulated card's surroundings fail once.
type Inject = fn(&SimControl);

/// The world, and the trees that are on the card.
struct Hashes {
    world: World,
    trees: Vec<(TreeHandle, Tree)>,
}

fn code(output: Output) -> HashOutput {
    match output {
        Output::First => HashOutput::First,
        Output::Second => HashOutput::Second,
    }
}

impl Hashes {
    fn new(seed: u64, stalls: bool) -> Hashes {
        Hashes::on(CARD, seed, stalls)
    }

    fn on(card: &str, seed: u64, stalls: bool) -> Hashes {
        Hashes { world: World::new(card, seed, stalls, CardOptions::default()), trees: Vec::new() }
    }

    fn wait(&mut self, job: Job<HashResult>) -> HashResult {
        must(self.world.card.wait(job, &mut |_| {}))
    }

    /// Random elements, with those among them that are easily got wrong.
    fn draw(&mut self, count: usize) -> Vec<Fr> {
        let rng = &mut self.world.rng;
        let one = Fr::from(1u32);
        (0..count)
            .map(|_| match rng.gen_range(0..8) {
                0 => [Fr::zero(), one, -one][rng.gen_range(0..3)],
                _ => Fr::rand(rng),
            })
            .collect()
    }

    fn output(&mut self) -> Output {
        if self.world.rng.gen_bool(0.5) { Output::First } else { Output::Second }
    }

    fn arity(&mut self) -> Arity {
        let has_four = self.world.card.identification().lanes(5) != 0;
        if has_four && self.world.rng.gen_bool(0.5) { Arity::Four } else { Arity::Two }
    }

    fn check_hashes(&mut self, messages: usize) {
        let (arity, output) = (self.arity(), self.output());
        let width = arity.children() + 1;
        let inputs = self.draw(messages * (width - 1));
        let job = must(self.world.card.submit_poseidon(width as u32, code(output), &elements_bytes(&inputs)));
        let result = self.wait(job);
        let expected = must(must(Hasher::new(width, output)).hash_many(&inputs));
        assert_eq!(elements::<Fr>(&result.bytes), expected, "{messages} messages of width {width}");
        assert_eq!(result.counters.elements, messages as u64);
        self.check_lanes(width, &result, result.counters.elements);
    }

    /// Every lane either works on a state or waits for one, and a hash has as many passes as it has.
    fn check_lanes(&self, width: usize, result: &HashResult, hashes: u64) {
        let lanes = u64::from(self.world.card.identification().lanes(width as u32));
        let counters = result.counters;
        assert_eq!(counters.hash_passes + counters.hash_starved, lanes * counters.cycles, "{counters:?}");
        let partial = spandrel_poseidon::partial_rounds(width).expect("a width of the card");
        assert_eq!(counters.hash_passes, hashes * (8 * width + partial) as u64, "{counters:?}");
        assert!(counters.cycles <= result.cycles, "{result:?}");
    }

    fn check_sponge(&mut self) {
        let (arity, output) = (self.arity(), self.output());
        let width = arity.children() + 1;
        let each = self.world.rng.gen_range(1..14);
        let messages = self.world.rng.gen_range(1..40);
        let inputs = self.draw(messages * each);
        let capacity = element_bytes(&sponge_capacity(each));
        let card = &mut self.world.card;
        let job = must(card.submit_sponge(
            width as u32,
            HashOutput::Second,
            &capacity,
            each,
            &elements_bytes(&inputs),
        ));
        let result = self.wait(job);
        let expected = must(must(Hasher::new(width, output)).sponge_many(each, &inputs));
        assert_eq!(elements::<Fr>(&result.bytes), expected, "{messages} of {each} elements, width {width}");
    }

    fn build(&mut self, leaves: usize) {
        let (arity, output) = (self.arity(), self.output());
        let leaves = self.draw(leaves);
        let children = arity.children() as u32;
        let least = TreeShape::least_depth(children, leaves.len() as u32).max(1);
        let depth = least + self.world.rng.gen_range(0..3);
        let shape = TreeShape { arity: children, depth, leaves: leaves.len() as u32 };
        let (handle, job) =
            must(self.world.card.submit_merkle_build(shape, code(output), &elements_bytes(&leaves)));
        let result = self.wait(job);
        let tree = must(Tree::build(arity, output, Some(depth), leaves));
        assert_eq!(elements::<Fr>(&result.bytes), [tree.root()], "{shape:?}");
        self.check_lanes(arity.children() + 1, &result, shape.hashes());
        self.trees.push((handle, tree));
    }

    /// The card's groups of a path, without the nodes of the path itself, are the siblings; those are its.
    fn check_paths(&mut self) {
        let Some(at) = self.some_tree() else { return };
        let rng = &mut self.world.rng;
        let (handle, tree) = &self.trees[at];
        let indices: Vec<usize> = (0..rng.gen_range(1..20)).map(|_| rng.gen_range(0..tree.len())).collect();
        let job = must(self.world.card.submit_merkle_paths(handle, &indices));
        let result = must(self.world.card.wait(job, &mut |_| {}));
        let children = tree.arity().children();
        let groups = elements::<Fr>(&result.bytes);
        assert_eq!(groups.len(), indices.len() * children * tree.depth() as usize);
        for (index, groups) in indices.iter().zip(groups.chunks(children * tree.depth() as usize)) {
            let path = must(tree.path(*index));
            let (mut place, mut node) = (*index, tree.leaves()[*index]);
            let hasher = must(Hasher::new(children + 1, tree.output()));
            for (group, siblings) in groups.chunks(children).zip(&path.siblings) {
                let mut others = group.to_vec();
                assert_eq!(others.remove(place % children), node);
                assert_eq!(&others, siblings);
                node = must(hasher.hash(group));
                place /= children;
            }
            assert_eq!(node, tree.root());
        }
    }

    fn check_update(&mut self) {
        let Some(at) = self.some_tree() else { return };
        let leaves = self.trees[at].1.len();
        let count = self.world.rng.gen_range(1..=leaves.min(60));
        let chosen = rand::seq::index::sample(&mut self.world.rng, leaves, count).into_vec();
        let values = self.draw(count);
        let entries: Vec<(usize, Fr)> = chosen.into_iter().zip(values).collect();
        let (handle, tree) = &mut self.trees[at];
        let told: Vec<_> = entries.iter().map(|(index, leaf)| (*index, element_bytes(leaf))).collect();
        let job = must(self.world.card.submit_merkle_update(handle, &told));
        let result = must(self.world.card.wait(job, &mut |_| {}));
        assert_eq!(
            elements::<Fr>(&result.bytes),
            [must(tree.update(&entries))],
            "{count} of {leaves} leaves"
        );
    }

    fn some_tree(&mut self) -> Option<usize> {
        (!self.trees.is_empty()).then(|| self.world.rng.gen_range(0..self.trees.len()))
    }

    fn turn(&mut self) {
        match self.world.rng.gen_range(0..9) {
            0 => {
                let messages = self.world.rng.gen_range(1..70);
                self.check_hashes(messages);
            }
            1 => self.check_sponge(),
            2 | 3 => {
                let leaves = self.world.rng.gen_range(1..90);
                self.build(leaves);
            }
            4 | 5 => self.check_paths(),
            6 | 7 => self.check_update(),
            _ => self.world.check(),
        }
    }

    /// A reset, in the middle of a build; after it nothing of what was on the card counts.
    fn reset(&mut self) {
        let leaves = self.draw(64);
        let shape = TreeShape { arity: 2, depth: 6, leaves: 64 };
        let submitted =
            self.world.card.submit_merkle_build(shape, HashOutput::First, &elements_bytes(&leaves));
        let (handle, _job) = must(submitted);
        must(self.world.card.reset());
        let error = self.world.card.submit_merkle_paths(&handle, &[0]).expect_err("the tree is gone");
        assert!(matches!(error, DriverError::BasesLost | DriverError::TreeLost { .. }), "{error}");
        self.trees.clear();
        self.world.load();
    }
}

#[test]
fn hashes_and_trees_are_exact_between_msms_and_resets() {
    for (seed, stalls) in [(1, false), (2, true)] {
        let mut hashes = Hashes::new(seed, stalls);
        must(hashes.world.card.self_test());
        for round in 0..3 {
            (0..12).for_each(|_| hashes.turn());
            if round < 2 {
                hashes.reset();
            }
        }
    }
}

/// A fault of a bus ends the command with its status, and the next one is exact.
#[test]
fn faults_are_statuses_and_the_next_job_is_exact() {
    let mut hashes = Hashes::new(3, true);
    hashes.build(40);
    let faults: [(Inject, Status); 4] = [
        // The first read is that of the submission entry, the second the leaves'.
        (|control| control.fail_host_read(1), Status::HostReadFault),
        (|control| control.fail_host_write(0), Status::HostWriteFault),
        (|control| control.fail_card_read(0), Status::CardMemoryFault),
        (|control| control.fail_card_write(0), Status::CardMemoryFault),
    ];
    for (inject, status) in faults {
        let leaves = hashes.draw(50);
        inject(&hashes.world.control);
        let shape = TreeShape { arity: 2, depth: 6, leaves: 50 };
        let submitted =
            hashes.world.card.submit_merkle_build(shape, HashOutput::First, &elements_bytes(&leaves));
        let (handle, job) = must(submitted);
        match hashes.world.card.wait(job, &mut |_| {}) {
            Err(DriverError::CommandFailed { status: seen, .. }) => assert_eq!(seen, status),
            other => panic!("{status:?} expected: {other:?}"),
        }
        assert!(handle.is_lost());
        assert!(hashes.world.card.needs_reset().is_none());
        hashes.check_update();
        hashes.check_paths();
        hashes.check_hashes(5);
    }
}

/// MSMs and hashes that wait for each other in the queue, so that one begins as soon as the other has ended; and each right
/// behind a reset that cut the other short.
#[test]
fn engines_that_share_multipliers_take_turns() {
    let mut hashes = Hashes::on(SHARED_CARD, 5, true);
    must(hashes.world.card.self_test());
    for _ in 0..4 {
        (0..8).for_each(|_| hashes.turn());
        let inputs = hashes.draw(2 * 40);
        let expected = must(must(Hasher::new(3, Output::First)).hash_many(&inputs));
        let (first, first_sum) = must(hashes.world.submit());
        let hash = must(hashes.world.card.submit_poseidon(3, HashOutput::First, &elements_bytes(&inputs)));
        let (second, second_sum) = must(hashes.world.submit());
        assert_eq!(must(hashes.world.wait(second)), second_sum);
        assert_eq!(elements::<Fr>(&hashes.wait(hash).bytes), expected);
        assert_eq!(must(hashes.world.wait(first)), first_sum);
        hashes.reset();
        hashes.world.check();
        let (cut, _) = must(hashes.world.submit());
        must(hashes.world.card.reset());
        drop(cut);
        hashes.trees.clear();
        hashes.check_hashes(20);
        hashes.world.load();
    }
}
