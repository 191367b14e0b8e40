//! Trees against the definition: the full tree, hashed by light-poseidon, with zeros for what was not given.

use ark_bn254::Fr;
use ark_ff::{UniformRand, Zero};
use light_poseidon::{Poseidon, PoseidonHasher};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use spandrel_poseidon::{
    Arity, Hasher, MAX_DEPTH, Output, Path, PathError, Tree, TreeError, empty_root, least_depth,
};

fn random(count: usize, seed: u64) -> Vec<Fr> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    (0..count).map(|_| Fr::rand(&mut rng)).collect()
}

/// All levels of the full tree.
fn full_tree(arity: Arity, output: Output, depth: u32, leaves: &[Fr]) -> Vec<Vec<Fr>> {
    let children = arity.children();
    let mut theirs = Poseidon::<Fr>::new_circom(children).unwrap();
    let ours = Hasher::new(children + 1, output).unwrap();
    let mut levels = vec![leaves.to_vec()];
    levels[0].resize(children.pow(depth), Fr::zero());
    for level in 0..depth as usize {
        let mut node = |group: &[Fr]| match output {
            Output::First => theirs.hash(group).unwrap(),
            // light-poseidon gives the first element only.
            Output::Second => ours.hash(group).unwrap(),
        };
        let parents = levels[level].chunks(children).map(&mut node).collect();
        levels.push(parents);
    }
    levels
}

const ARITIES: [Arity; 2] = [Arity::Two, Arity::Four];
const OUTPUTS: [Output; 2] = [Output::First, Output::Second];

#[test]
fn roots_and_paths_are_those_of_the_full_tree() {
    for arity in ARITIES {
        for output in OUTPUTS {
            for count in (0..=17).chain([31, 64]) {
                let leaves = random(count, count as u64);
                let least = least_depth(arity, count);
                for depth in [least, least + 1] {
                    let levels = full_tree(arity, output, depth, &leaves);
                    let asked = (depth > least).then_some(depth);
                    let tree = Tree::build(arity, output, asked, leaves.clone()).unwrap();
                    assert_eq!((tree.depth(), tree.len(), tree.leaves()), (depth, count, &leaves[..]));
                    assert_eq!(tree.root(), levels[depth as usize][0]);
                    for (index, leaf) in leaves.iter().enumerate() {
                        let path = tree.path(index).unwrap();
                        assert_eq!(path.siblings.len(), depth as usize);
                        assert_eq!(path.check(), Ok(()));
                        assert_eq!(path.root(*leaf), tree.root());
                        assert_ne!(path.root(*leaf + Fr::from(1)), tree.root());
                        let mut place = index;
                        for (siblings, level) in path.siblings.iter().zip(&levels) {
                            let first = place / arity.children() * arity.children();
                            let mut group = level[first..first + arity.children()].to_vec();
                            group.remove(place - first);
                            assert_eq!(*siblings, group);
                            place /= arity.children();
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn small_trees_are_what_the_padding_rule_says() {
    for arity in ARITIES {
        let build = |depth, leaves: &[Fr]| Tree::build(arity, Output::First, depth, leaves.to_vec()).unwrap();
        let none = build(None, &[]);
        assert_eq!((none.depth(), none.root(), none.is_empty(), none.nodes()), (0, Fr::zero(), true, 0));
        let leaf = Fr::from(7);
        let one = build(None, &[leaf]);
        assert_eq!((one.depth(), one.root(), one.nodes()), (0, leaf, 0));
        assert_eq!(one.path(0).unwrap().root(leaf), leaf);
        for depth in [0, 1, 2, 31, 32] {
            assert_eq!(build(Some(depth), &[]).root(), empty_root(arity, Output::First, depth));
            // A zero that is given is one that is not.
            assert_eq!(build(Some(depth), &[Fr::zero()]).root(), empty_root(arity, Output::First, depth));
            assert_eq!(build(Some(depth), &[leaf]).nodes(), depth as usize);
        }
        assert_eq!(least_depth(arity, usize::MAX), if arity == Arity::Two { 64 } else { 32 });
    }
    let zero = Poseidon::<Fr>::new_circom(2).unwrap().hash(&[Fr::zero(); 2]).unwrap();
    assert_eq!(empty_root(Arity::Two, Output::First, 1), zero);
}

#[test]
fn what_cannot_be_is_refused() {
    let leaves = random(9, 1);
    let build = |depth| Tree::build(Arity::Two, Output::First, depth, leaves.clone());
    assert_eq!(build(Some(3)).unwrap_err(), TreeError::TooShallow { leaves: 9, depth: 3, least: 4 });
    assert_eq!(build(Some(33)).unwrap_err(), TreeError::TooDeep { depth: MAX_DEPTH + 1 });
    let mut tree = build(None).unwrap();
    let root = tree.root();
    let past = TreeError::NoSuchLeaf { index: 9, leaves: 9 };
    assert_eq!(tree.path(9).unwrap_err(), past);
    assert_eq!(tree.update(&[(0, leaves[1]), (9, leaves[0])]), Err(past));
    let twice = tree.update(&[(3, leaves[1]), (0, leaves[2]), (3, leaves[1])]);
    assert_eq!(twice, Err(TreeError::LeafTwice { index: 3 }));
    // Nothing of a refused update is done.
    assert_eq!((tree.root(), tree.leaves()), (root, &leaves[..]));
    // Leaves are told to nobody by accident.
    assert!(!format!("{tree:?}").contains(&leaves[0].to_string()));
}

#[test]
fn malformed_paths_are_told() {
    let tree = Tree::build(Arity::Four, Output::Second, None, random(20, 2)).unwrap();
    let path = tree.path(17).unwrap();
    assert_eq!(path.check(), Ok(()));
    let mut short = path.clone();
    short.siblings[1].pop();
    assert_eq!(short.check(), Err(PathError::Siblings { level: 1, found: 2, expected: 3 }));
    assert_eq!(Path { index: 64, ..path }.check(), Err(PathError::Index { index: 64, depth: 3 }));
}

#[test]
fn a_large_tree_is_the_same_on_all_cores_and_on_one() {
    let leaves = random(1 << 12, 3);
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    for arity in ARITIES {
        let tree = Tree::build(arity, Output::First, None, leaves.clone()).unwrap();
        let alone = one.install(|| Tree::build(arity, Output::First, None, leaves.clone()).unwrap());
        assert_eq!(tree.root(), alone.root());
        let levels = full_tree(arity, Output::First, tree.depth(), &leaves);
        assert_eq!(tree.root(), levels[levels.len() - 1][0]);
        assert_eq!(tree.nodes(), levels[1..].iter().map(Vec::len).sum::<usize>());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// A tree after updates is the tree of the new leaves, inner nodes included.
    #[test]
    fn updates_equal_a_build(
        four: bool,
        second: bool,
        count in 1usize..90,
        deeper in 0u32..3,
        updates in prop::collection::vec(prop::collection::btree_map(0usize..1000, any::<u64>(), 0..20), 1..4),
        seed: u64,
    ) {
        let (arity, output) = (ARITIES[usize::from(four)], OUTPUTS[usize::from(second)]);
        let mut leaves = random(count, seed);
        let depth = Some(least_depth(arity, count) + deeper);
        let mut tree = Tree::build(arity, output, depth, leaves.clone()).unwrap();
        for update in updates {
            // Not in order, each leaf once.
            let entries: Vec<(usize, Fr)> = update
                .into_iter()
                .map(|(index, leaf)| (index % count, Fr::from(leaf)))
                .collect::<std::collections::HashMap<_, _>>()
                .into_iter()
                .collect();
            for (index, leaf) in &entries {
                leaves[*index] = *leaf;
            }
            let root = tree.update(&entries).unwrap();
            let built = Tree::build(arity, output, depth, leaves.clone()).unwrap();
            prop_assert_eq!(root, built.root());
            prop_assert_eq!(tree.root(), root);
            for index in 0..count {
                prop_assert_eq!(tree.path(index).unwrap(), built.path(index).unwrap());
            }
        }
    }
}
