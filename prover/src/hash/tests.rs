//! What all backends have in common, on the CPU.

use super::*;
use ark_ff::AdditiveGroup;
use std::sync::Arc;

pub(super) fn some_elements(seed: u64, count: usize) -> Vec<Fr> {
    (0..count as u64).map(|at| Fr::from(seed + at) / Fr::from(0x1_0001u64)).collect()
}

fn cpu() -> Arc<dyn HashBackend> {
    Arc::new(CpuHasher::new())
}

/// circomlib's poseidon([1, 2]), and the same state's second element.
#[test]
fn outputs_are_those_that_are_published() {
    let known = [
        (Output::First, "7853200120776062878684798364095072458815029376092732009249414926327459813530"),
        (Output::Second, "7142104613055408817911962100316808866448378443474503659992478482890339429929"),
    ];
    for (output, expected) in known {
        let hasher = PoseidonHasher::new(cpu(), 3, output).unwrap();
        assert_eq!(hasher.hash(&[Fr::from(1), Fr::from(2)]).unwrap().to_string(), expected);
    }
}

#[test]
fn wrong_messages_are_refused() {
    for width in [0, 1, 6, usize::MAX] {
        assert!(matches!(
            PoseidonHasher::new(cpu(), width, Output::First),
            Err(HashError::Width(error)) if error.width == width
        ));
    }
    let hasher = PoseidonHasher::new(cpu(), 4, Output::First).unwrap();
    let inputs = some_elements(1, 6);
    let error = hasher.hash(&inputs).unwrap_err();
    assert!(matches!(error, HashError::Input(InputError::WrongCount { found: 6, expected: 3 })));
    let error = hasher.hash_many(&inputs[..4]).unwrap_err();
    assert!(matches!(error, HashError::Input(InputError::PartialMessage { found: 4, each: 3 })));
    for (each, found) in [(4, 6), (0, 6)] {
        let error = hasher.sponge_many(each, &inputs).unwrap_err();
        let expected = InputError::PartialMessage { found, each };
        assert!(matches!(error, HashError::Input(error) if error == expected));
    }
    assert_eq!(hasher.hash_many(&[]).unwrap(), []);
    assert_eq!(hasher.sponge_many(2, &[]).unwrap(), []);
    assert_eq!(hasher.sponge_many(0, &[]).unwrap(), [hasher.sponge(&[]).unwrap()]);
}

#[test]
fn wrong_trees_are_refused() {
    let leaves = some_elements(1, 5);
    let build = |depth| MerkleTree::build(cpu(), Arity::Two, Output::First, Some(depth), &leaves);
    let error = build(2).unwrap_err();
    let expected = TreeError::TooShallow { leaves: 5, depth: 2, least: 3 };
    assert!(matches!(error, HashError::Tree(error) if error == expected));
    assert!(matches!(build(33), Err(HashError::Tree(TreeError::TooDeep { depth: 33 }))));
    let mut tree = build(32).unwrap();
    let root = tree.root();
    // Place for many more, of which none can be set.
    let error = tree.update(&[(0, leaves[1]), (5, leaves[1])]).unwrap_err();
    assert!(matches!(error, HashError::Tree(TreeError::NoSuchLeaf { index: 5, leaves: 5 })));
    let error = tree.update(&[(4, leaves[1]), (4, leaves[1])]).unwrap_err();
    assert!(matches!(error, HashError::Tree(TreeError::LeafTwice { index: 4 })));
    assert!(matches!(tree.path(5), Err(HashError::Tree(TreeError::NoSuchLeaf { index: 5, .. }))));
    assert_eq!(tree.update(&[]).unwrap(), root);
}

#[test]
fn a_tree_belongs_to_its_backend_until_it_is_released() {
    let (one, other) = (cpu(), cpu());
    let (tree, _) = one.build(Arity::Two, Output::First, None, &some_elements(1, 5)).unwrap();
    assert!(matches!(other.paths(&tree, &[0]), Err(HashError::ForeignTree)));
    assert!(matches!(other.update(&tree, &[]), Err(HashError::ForeignTree)));
    let copy = TreeId { ..tree };
    one.release(tree).unwrap();
    assert!(matches!(one.paths(&copy, &[0]), Err(HashError::ForeignTree)));
    assert!(matches!(one.release(copy), Err(HashError::ForeignTree)));
}

#[test]
fn only_the_leaf_at_its_place_is_verified() {
    for (arity, depth) in [(Arity::Two, 4), (Arity::Four, 2)] {
        let leaves = some_elements(9, 11);
        let tree = MerkleTree::build(cpu(), arity, Output::Second, Some(depth), &leaves).unwrap();
        assert!(tree.paths(&[0, 10]).unwrap().iter().all(|path| path.check().is_ok()));
        let path = tree.path(6).unwrap();
        assert!(tree.verify(leaves[6], &path));
        assert!(!tree.verify(leaves[7], &path));
        let changed = |change: fn(&mut Path)| {
            let mut changed = path.clone();
            change(&mut changed);
            tree.verify(leaves[6], &changed)
        };
        assert!(!changed(|path| path.index ^= 1));
        assert!(!changed(|path| path.index += 1 << 4));
        assert!(!changed(|path| path.siblings[1][0] += Fr::from(1)));
        assert!(!changed(|path| path.siblings[1].truncate(0)));
        assert!(!changed(|path| path.output = Output::First));
        // An inner node with the rest of the way is no leaf.
        let mut rest = path.clone();
        rest.index /= arity.children();
        let first = Path { siblings: vec![rest.siblings.remove(0)], index: 6 % arity.children(), ..path };
        let inner = first.root(leaves[6]);
        assert_eq!(rest.root(inner), tree.root());
        assert!(!tree.verify(inner, &rest));
    }
}

#[test]
fn a_dropped_tree_is_released() {
    let backend = Arc::new(CpuHasher::new());
    let tree = MerkleTree::build(Arc::clone(&backend) as _, Arity::Two, Output::First, None, &[]).unwrap();
    assert_eq!((tree.root(), tree.depth(), tree.len()), (Fr::ZERO, 0, 0));
    assert!(tree.is_empty());
    let id = TreeId { ..*tree.tree().unwrap() };
    backend.paths(&id, &[]).unwrap();
    drop(tree);
    assert!(matches!(backend.paths(&id, &[]), Err(HashError::ForeignTree)));
}

/// Counted without going through the tree: distinct nodes above the entries.
#[test]
fn the_hashes_of_an_update_are_counted() {
    let leaves = some_elements(1, 16);
    let hashes = |arity, entries: &[usize]| {
        let backend = cpu();
        let (tree, built) = backend.build(arity, Output::First, None, &leaves).unwrap();
        let entries: Vec<_> = entries.iter().map(|index| (*index, Fr::from(1))).collect();
        (built.hashes, backend.update(&tree, &entries).unwrap().hashes)
    };
    assert_eq!(hashes(Arity::Two, &[5]), (15, 4));
    assert_eq!(hashes(Arity::Two, &[4, 5]), (15, 4));
    assert_eq!(hashes(Arity::Two, &[5, 6]), (15, 5));
    assert_eq!(hashes(Arity::Four, &[15, 0]), (5, 3));
    assert_eq!(hashes(Arity::Four, &[]), (5, 0));
}
