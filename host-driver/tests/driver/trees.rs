//! Merkle trees in card memory.

use crate::support::hashing::element;
use crate::support::{Faults, SoftCard, arithmetic, identification, options};
use ark_bn254::Fr;
use ark_ff::{PrimeField, Zero};
use proptest::prelude::*;
use spandrel_driver::{
    Card, CardOptions, DriverError, HashOutput, Identification, Opcode, Status, TreeHandle, TreeShape,
};
use spandrel_poseidon::{Hasher, Output};

/// A tree as all of its levels, made in the plainest way.
struct Reference {
    shape: TreeShape,
    hasher: Hasher,
    leaves: Vec<Fr>,
}

impl Reference {
    fn new(shape: TreeShape, output: HashOutput, leaves: &[Fr]) -> Reference {
        let output = if output == HashOutput::First { Output::First } else { Output::Second };
        let hasher = Hasher::new(shape.arity as usize + 1, output).expect("a width of the parameters");
        Reference { shape, hasher, leaves: leaves.to_vec() }
    }

    /// Levels from the leaves up, each filled up to whole groups.
    fn levels(&self) -> Vec<Vec<Fr>> {
        let arity = self.shape.arity as usize;
        let (mut level, mut empty, mut levels) = (self.leaves.clone(), Fr::zero(), Vec::new());
        for _ in 0..self.shape.depth {
            level.resize(level.len().next_multiple_of(arity), empty);
            let above = level.chunks(arity).map(|group| self.hasher.hash(group).expect("a group")).collect();
            levels.push(std::mem::replace(&mut level, above));
            empty = self.hasher.hash(&vec![empty; arity]).expect("a group");
        }
        levels.push(level);
        levels
    }

    fn root(&self) -> Fr {
        self.levels()[self.shape.depth as usize][0]
    }

    fn path(&self, index: usize) -> Vec<Fr> {
        let arity = self.shape.arity as usize;
        let levels = self.levels();
        let mut node = index;
        let group = |level: &Vec<Fr>| {
            node /= arity;
            level[node * arity..(node + 1) * arity].to_vec()
        };
        levels[..self.shape.depth as usize].iter().flat_map(group).collect()
    }
}

fn some_leaves(seed: u64, count: usize) -> Vec<Fr> {
    (0..count as u64).map(|at| Fr::from(seed ^ at) / Fr::from(0x1_0001u64)).collect()
}

fn as_bytes(elements: &[Fr]) -> Vec<u8> {
    elements.iter().flat_map(|element| arithmetic::montgomery(*element)).collect()
}

fn as_elements(bytes: &[u8]) -> Vec<Fr> {
    bytes.chunks(32).map(|bytes| element(bytes).expect("canonical")).collect()
}

fn as_entries(entries: &[(usize, Fr)]) -> Vec<(usize, [u8; 32])> {
    entries.iter().map(|(index, leaf)| (*index, arithmetic::montgomery(*leaf))).collect()
}

const SHAPE: TreeShape = TreeShape { arity: 2, depth: 3, leaves: 5 };

fn build(driver: &mut Card, shape: TreeShape, leaves: &[Fr]) -> Result<(TreeHandle, Fr), DriverError> {
    let (tree, job) = driver.submit_merkle_build(shape, HashOutput::First, &as_bytes(leaves))?;
    Ok((tree, as_elements(&driver.wait(job, &mut |_| {})?.bytes)[0]))
}

fn paths(driver: &mut Card, tree: &TreeHandle, indices: &[usize]) -> Result<Vec<Fr>, DriverError> {
    let job = driver.submit_merkle_paths(tree, indices)?;
    Ok(as_elements(&driver.wait(job, &mut |_| {})?.bytes))
}

fn update(driver: &mut Card, tree: &TreeHandle, entries: &[(usize, Fr)]) -> Result<Fr, DriverError> {
    let job = driver.submit_merkle_update(tree, &as_entries(entries))?;
    Ok(as_elements(&driver.wait(job, &mut |_| {})?.bytes)[0])
}

fn works(driver: &mut Card) {
    let leaves = some_leaves(3, 5);
    let (tree, root) = build(driver, SHAPE, &leaves).expect("a good job");
    let reference = Reference::new(SHAPE, HashOutput::First, &leaves);
    assert_eq!(root, reference.root());
    assert_eq!(paths(driver, &tree, &[4]).expect("a good job"), reference.path(4));
}

fn roomy() -> SoftCard {
    SoftCard::with(Identification { card_memory_kib: 1024, ..identification() }, 1)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Any tree, leaves from one buffer or loaded before in parts; paths and updates in any order.
    #[test]
    fn trees_are_those_of_the_cpu(
        arity in prop::sample::select(vec![2u32, 4]),
        count in prop_oneof![1usize..10, 1usize..400],
        deeper in 0u32..3,
        output in prop::sample::select(vec![HashOutput::First, HashOutput::Second]),
        largest in prop::sample::select(vec![None, Some(4096), Some(8256)]),
        staging_bytes in prop::sample::select(vec![192usize, 1 << 20]),
        indices in prop::collection::vec(any::<prop::sample::Index>(), 1..40),
        updates in prop::collection::vec((any::<prop::sample::Index>(), any::<u64>()), 1..40),
    ) {
        let depth = (TreeShape::least_depth(arity, count as u32) + deeper).max(1);
        let shape = TreeShape { arity, depth, leaves: count as u32 };
        let leaves = some_leaves(77, count);
        let mut reference = Reference::new(shape, output, &leaves);
        let card = roomy();
        card.model(|model| model.largest_buffer = largest);
        let mut driver = card.open(CardOptions { staging_bytes, ..options() }).expect("a good card");
        let free = driver.free_card_memory();
        // Something else lies in front, so that addresses are not zero, and behind, so that it would be hit.
        let before = driver.load_bases(&[7; 128]).expect("room");
        let (tree, job) = driver.submit_merkle_build(shape, output, &as_bytes(&leaves)).expect("valid");
        let behind = driver.load_bases(&[9; 128]).expect("room");
        let result = driver.wait(job, &mut |_| {}).expect("a good job");
        prop_assert_eq!(as_elements(&result.bytes), vec![reference.root()]);
        prop_assert_eq!(result.counters.elements, shape.hashes());
        prop_assert_eq!((tree.shape(), tree.output(), tree.is_lost()), (shape, output, false));
        let loads = largest.is_some_and(|bytes| leaves.len() * 32 > bytes / 64 * 64);
        let loaded = card.model(|model| model.log.iter().filter(|code| **code == Opcode::LoadBases as u8).count());
        prop_assert_eq!(loaded > 2, loads);

        let indices: Vec<usize> = indices.iter().map(|index| index.index(count)).collect();
        let expected: Vec<Fr> = indices.iter().flat_map(|index| reference.path(*index)).collect();
        prop_assert_eq!(paths(&mut driver, &tree, &indices).expect("a good job"), expected);

        // Each leaf once, in the order that it comes in.
        let mut entries: Vec<(usize, Fr)> = Vec::new();
        for (index, leaf) in &updates {
            let index = index.index(count);
            if entries.iter().all(|entry| entry.0 != index) {
                entries.push((index, Fr::from(*leaf)));
                reference.leaves[index] = Fr::from(*leaf);
            }
        }
        prop_assert_eq!(update(&mut driver, &tree, &entries).expect("a good job"), reference.root());
        for index in [0, count / 2, count - 1] {
            prop_assert_eq!(paths(&mut driver, &tree, &[index]).expect("a good job"), reference.path(index));
        }
        prop_assert_eq!(driver.read_bases(&before, 0..2).expect("in range"), [7; 128]);
        prop_assert_eq!(driver.read_bases(&behind, 0..2).expect("in range"), [9; 128]);
        prop_assert_eq!(driver.free_card_memory(), free - 256 - shape.bytes());
        driver.release_tree(tree).expect("this card's");
        prop_assert_eq!(driver.free_card_memory(), free - 256);
        drop(driver);
        drop((before, behind));
        prop_assert_eq!((card.mapped(), card.stray_accesses()), (0, Vec::new()));
    }
}

/// More entries and indices than a command takes, in the reverse order.
#[test]
fn large_updates_are_cut() {
    let shape = TreeShape { arity: 4, depth: 6, leaves: 2600 };
    let mut reference = Reference::new(shape, HashOutput::First, &some_leaves(1, 2600));
    let card = roomy();
    card.model(|model| model.largest_buffer = Some(1 << 17));
    let mut driver = card.open(options()).expect("a good card");
    let (tree, root) = build(&mut driver, shape, &reference.leaves).expect("a good job");
    assert_eq!(root, reference.root());
    let entries: Vec<(usize, Fr)> = (0..2600).rev().map(|at| (at, Fr::from(5 * at as u64))).collect();
    reference.leaves = (0..2600).map(|at| Fr::from(5 * at as u64)).collect();
    let executed =
        |opcode: Opcode| card.model(|model| model.log.iter().filter(|code| **code == opcode as u8).count());
    assert_eq!(update(&mut driver, &tree, &entries).expect("a good job"), reference.root());
    assert_eq!(executed(Opcode::MerkleUpdate), 3, "1,024 entries each");
    let indices: Vec<usize> = (0..400).map(|at| at * 13 % 2600).collect();
    let levels = reference.path(0).len();
    let read = paths(&mut driver, &tree, &indices).expect("a good job");
    assert_eq!(executed(Opcode::MerklePaths), 3, "170 paths of 768 bytes each");
    for (index, path) in indices.iter().zip(read.chunks(levels)).step_by(39) {
        assert_eq!(path, reference.path(*index));
    }
}

#[test]
fn wrong_inputs_are_told_apart() {
    let card = SoftCard::new();
    let mut driver = card.open(options()).expect("a good card");
    let mut refused = |arity, depth, leaves| {
        let shape = TreeShape { arity, depth, leaves };
        driver.submit_merkle_build(shape, HashOutput::First, &[]).map(drop).expect_err("must be refused")
    };
    let wrong = [(0, 3, 5), (3, 3, 5), (8, 3, 5), (2, 0, 1), (2, 33, 1), (2, 3, 0), (2, 3, 9), (4, 1, 5)];
    for (arity, depth, leaves) in wrong {
        assert!(
            matches!(refused(arity, depth, leaves), DriverError::BadTree { .. }),
            "{arity} {depth} {leaves}"
        );
    }
    assert!(matches!(refused(2, 32, 1 << 28), DriverError::BadTree { .. }));
    assert!(matches!(refused(2, 3, 5), DriverError::CountsDiffer { left: 0, right: 5, .. }));
    let error = driver.submit_merkle_build(SHAPE, HashOutput::First, &[0; 161]).map(drop);
    assert!(matches!(error, Err(DriverError::RaggedInput { what: "leaves", .. })));
    let mut leaves = as_bytes(&some_leaves(1, 5));
    leaves[64..96].copy_from_slice(&arithmetic::bytes(Fr::MODULUS));
    let error = driver.submit_merkle_build(SHAPE, HashOutput::First, &leaves).map(drop);
    assert!(matches!(error, Err(DriverError::ElementNotCanonical { what: "leaf", index: 2 })));
    let large = TreeShape { arity: 2, depth: 9, leaves: 400 };
    let error = driver.submit_merkle_build(large, HashOutput::First, &[0; 400 * 32]).map(drop);
    assert!(matches!(error, Err(DriverError::OutOfCardMemory { bytes: 25_792, total: 16_384, .. })));

    let (tree, root) = build(&mut driver, SHAPE, &some_leaves(3, 5)).expect("a good job");
    assert!(matches!(paths(&mut driver, &tree, &[]), Err(DriverError::BadCount { count: 0, .. })));
    // The tree has place for eight.
    let error = paths(&mut driver, &tree, &[0, 5]).expect_err("past the leaves");
    assert!(matches!(error, DriverError::BadLeaf { index: 5, leaves: 5 }));
    assert!(matches!(paths(&mut driver, &tree, &[usize::MAX]), Err(DriverError::BadLeaf { .. })));
    let one = Fr::from(1);
    assert!(matches!(update(&mut driver, &tree, &[]), Err(DriverError::BadCount { count: 0, .. })));
    let error = update(&mut driver, &tree, &[(1, one), (5, one)]).expect_err("past the leaves");
    assert!(matches!(error, DriverError::BadLeaf { index: 5, leaves: 5 }));
    let error = update(&mut driver, &tree, &[(3, one), (1, one), (3, one)]).expect_err("twice");
    assert!(matches!(error, DriverError::LeafTwice { index: 3 }));
    let entries = [(3, arithmetic::montgomery(one)), (0, arithmetic::bytes(Fr::MODULUS))];
    let error = driver.submit_merkle_update(&tree, &entries).map(drop).expect_err("not an element");
    assert!(matches!(error, DriverError::ElementNotCanonical { what: "leaf of an update", index: 1 }));
    // Nothing of it has reached the tree.
    assert_eq!(update(&mut driver, &tree, &[(0, some_leaves(3, 1)[0])]).expect("as it was"), root);

    let narrow = Identification { poseidon_lanes: [1, 1, 1, 0], ..identification() };
    let mut driver = SoftCard::with(narrow, 1).open(options()).expect("a good card");
    let four = TreeShape { arity: 4, depth: 2, leaves: 5 };
    let error = build(&mut driver, four, &some_leaves(3, 5)).map(drop).expect_err("no lanes for 5");
    assert!(matches!(error, DriverError::NoWidth { width: 5, .. }));
    let without = Identification { has_poseidon: false, poseidon_lanes: [0; 4], ..identification() };
    let mut driver = SoftCard::with(without, 1).open(options()).expect("a good card");
    let error = build(&mut driver, SHAPE, &some_leaves(3, 5)).map(drop).expect_err("no engine");
    assert!(matches!(error, DriverError::NoEngine { engine: "Poseidon" }));
}

#[test]
fn trees_of_another_card_or_before_a_reset_are_refused() {
    let (card, other) = (SoftCard::new(), SoftCard::new());
    let mut driver = card.open(options()).expect("a good card");
    let mut foreign = other.open(options()).expect("a good card");
    let (tree, _) = build(&mut driver, SHAPE, &some_leaves(3, 5)).expect("a good job");
    assert!(matches!(paths(&mut foreign, &tree, &[0]), Err(DriverError::AnotherCard { what: "tree" })));
    let job = driver.submit_merkle_paths(&tree, &[0]).expect("valid");
    driver.reset().expect("a good card");
    assert!(matches!(driver.wait(job, &mut |_| {}), Err(DriverError::JobLost)));
    for error in [
        paths(&mut driver, &tree, &[0]).map(drop).expect_err("gone"),
        update(&mut driver, &tree, &[(0, Fr::zero())]).map(drop).expect_err("gone"),
    ] {
        assert!(matches!(error, DriverError::TreeLost { since: "the card was reset" }), "{error}");
    }
    // An old tree does not give back memory that a new one has taken.
    let (_new, _) = build(&mut driver, SHAPE, &some_leaves(3, 5)).expect("a good job");
    let free = driver.free_card_memory();
    assert!(matches!(foreign.release_tree(tree), Err(DriverError::AnotherCard { what: "tree" })));
    assert_eq!(driver.free_card_memory(), free);
    works(&mut driver);
}

/// Whether a tree is good after an update that ended so.
fn survives(status: Status) -> bool {
    matches!(
        status,
        Status::UnknownOpcode
            | Status::ReservedNotZero
            | Status::BadLength
            | Status::BadAlignment
            | Status::CardAddressOutOfRange
            | Status::BadParameter
            | Status::Unsupported
            | Status::BadIndex
    )
}

#[test]
fn a_failed_update_loses_the_tree_unless_it_was_refused() {
    for status in Status::ALL.iter().copied().filter(|status| *status != Status::Success) {
        let card = SoftCard::new();
        let mut driver = card.open(options()).expect("a good card");
        let (tree, _) = build(&mut driver, SHAPE, &some_leaves(3, 5)).expect("a good job");
        card.faults(Faults { status: Some((Opcode::MerkleUpdate, status as u8)), ..Faults::default() });
        let entries = as_entries(&[(1, Fr::from(9))]);
        let failing = driver.submit_merkle_update(&tree, &entries).expect("valid");
        // Submitted before anybody knows.
        let behind = driver.submit_merkle_paths(&tree, &[2]).expect("valid");
        let error = driver.wait(failing, &mut |_| {}).expect_err("the card failed it");
        assert!(matches!(error, DriverError::CommandFailed { opcode: Opcode::MerkleUpdate, .. }), "{error}");
        assert!(error.to_string().contains(status.doc().trim()), "{error}");
        card.faults(Faults::default());
        let behind = driver.wait(behind, &mut |_| {}).map(drop);
        let later = paths(&mut driver, &tree, &[2]).map(drop);
        assert_eq!(tree.is_lost(), !survives(status), "{status:?}");
        for ended in [behind, later] {
            match ended {
                Ok(()) => assert!(survives(status), "{status:?}"),
                Err(DriverError::TreeLost { since: "a command that wrote it failed" }) => {
                    assert!(!survives(status), "{status:?}");
                }
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(driver.needs_reset(), None);
        works(&mut driver);
    }
}

/// One of several commands was done: the tree is neither the old nor the new one.
#[test]
fn an_update_that_was_done_in_part_loses_the_tree() {
    let card = roomy();
    let mut driver = card.open(options()).expect("a good card");
    let shape = TreeShape { arity: 2, depth: 11, leaves: 1100 };
    let (tree, _) = build(&mut driver, shape, &some_leaves(3, 1100)).expect("a good job");
    let entries: Vec<(usize, Fr)> = (0..1100).map(|at| (at, Fr::from(at as u64))).collect();
    // Of the two updates the second is refused.
    let mut updates = 0;
    card.model(|model| {
        model.faults.tamper = Some(Box::new(move |_, bytes| {
            let mut entry = spandrel_abi::Completion::from_bytes(bytes);
            updates += 1;
            if updates == 3 {
                entry.status = Status::BadIndex as u8;
                *bytes = entry.to_bytes();
            }
        }));
    });
    let error = update(&mut driver, &tree, &entries).expect_err("a part failed");
    assert!(matches!(error, DriverError::CommandFailed { status: Status::BadIndex, .. }), "{error}");
    assert!(tree.is_lost());
}

#[test]
fn a_build_that_fails_leaves_no_tree() {
    let card = SoftCard::new();
    let mut driver = card.open(options()).expect("a good card");
    for status in [Status::HostReadFault, Status::NotCanonical, Status::BadLength] {
        card.faults(Faults { status: Some((Opcode::MerkleBuild, status as u8)), ..Faults::default() });
        let leaves = as_bytes(&some_leaves(3, 5));
        let (tree, job) = driver.submit_merkle_build(SHAPE, HashOutput::First, &leaves).expect("valid");
        let error = driver.wait(job, &mut |_| {}).expect_err("the card failed it");
        assert!(matches!(error, DriverError::CommandFailed { opcode: Opcode::MerkleBuild, .. }), "{error}");
        assert!(matches!(paths(&mut driver, &tree, &[0]), Err(DriverError::TreeLost { .. })));
    }
    // Leaves that do not get to card memory.
    card.model(|model| model.largest_buffer = Some(4096));
    let large = TreeShape { arity: 2, depth: 8, leaves: 150 };
    card.faults(Faults {
        status: Some((Opcode::LoadBases, Status::CardMemoryFault as u8)),
        ..Faults::default()
    });
    let error = build(&mut driver, large, &some_leaves(3, 150)).map(drop).expect_err("not loaded");
    assert!(matches!(error, DriverError::CommandFailed { opcode: Opcode::LoadBases, .. }), "{error}");
    card.faults(Faults { lost_element: Some(0), ..Faults::default() });
    let error = build(&mut driver, SHAPE, &some_leaves(3, 5)).map(drop).expect_err("no root");
    assert!(matches!(error, DriverError::ResultNotWritten { opcode: Opcode::MerkleBuild, offset: 0 }));
    card.faults(Faults::default());
    let free = driver.free_card_memory();
    works(&mut driver);
    assert_eq!((driver.free_card_memory(), free), (16 * 1024, 16 * 1024), "what failed takes no memory");
}

#[test]
fn a_card_that_is_lost_under_a_build_is_an_error() {
    for (faults, opcode) in [
        (Faults { gone: true, ..Faults::default() }, None),
        (Faults { stuck_from: Some(0), ..Faults::default() }, Some(Opcode::MerkleBuild)),
    ] {
        let card = SoftCard::new();
        let mut driver = card.open(options()).expect("a good card");
        card.faults(faults);
        let leaves = as_bytes(&some_leaves(3, 5));
        let submitted = driver.submit_merkle_build(SHAPE, HashOutput::First, &leaves);
        let (tree, job) = submitted.expect("nothing is known yet");
        let error = driver.wait(job, &mut |_| {}).expect_err("no card");
        match opcode {
            None => assert!(matches!(error, DriverError::CardGone { .. }), "{error}"),
            Some(_) => {
                assert!(matches!(error, DriverError::TimedOut { opcode: at, .. } if Some(at) == opcode))
            }
        }
        card.faults(Faults::default());
        driver.reset().expect("a reset helps");
        assert!(matches!(paths(&mut driver, &tree, &[0]), Err(DriverError::TreeLost { .. })));
        works(&mut driver);
        drop(driver);
        assert_eq!((card.mapped(), card.stray_accesses()), (0, Vec::new()));
    }
}

#[test]
fn a_job_keeps_the_memory_of_a_tree_that_is_dropped() {
    let card = SoftCard::new();
    let mut driver = card.open(options()).expect("a good card");
    let leaves = some_leaves(3, 5);
    let (tree, _) = build(&mut driver, SHAPE, &leaves).expect("a good job");
    let free = driver.free_card_memory();
    let job = driver.submit_merkle_paths(&tree, &[1]).expect("valid");
    drop(tree);
    assert_eq!(driver.free_card_memory(), free);
    let read = driver.wait(job, &mut |_| {}).expect("still good");
    assert_eq!(as_elements(&read.bytes), Reference::new(SHAPE, HashOutput::First, &leaves).path(1));
    assert_eq!(driver.free_card_memory(), free + SHAPE.bytes());
}

#[test]
fn leaves_do_not_outlive_their_job() {
    for largest in [None, Some(4096)] {
        let card = roomy();
        card.model(|model| model.largest_buffer = largest);
        let mut driver = card.open(options()).expect("a good card");
        let secret = some_leaves(1 << 40, 300);
        let shape = TreeShape { arity: 2, depth: 9, leaves: 300 };
        let (tree, _) = build(&mut driver, shape, &secret).expect("a good job");
        paths(&mut driver, &tree, &[3, 200]).expect("a good job");
        let new = Fr::from(0x1234_5678_9abcu64);
        update(&mut driver, &tree, &[(3, new)]).expect("a good job");
        driver.reset().expect("a good card");
        drop(driver);
        for secret in [secret[0], secret[3], secret[200], secret[299], new] {
            assert!(!card.gave_back(&arithmetic::montgomery(secret)), "a leaf was left in memory");
        }
    }
}
