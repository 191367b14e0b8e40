//! The card backend over a stand-in that hashes on the CPU.

use super::device::RELEASED;
use super::*;
use crate::hash::tests::some_elements;
use crate::hash::{CpuHasher, DualHasher, MerkleTree, PoseidonHasher};
use ark_ff::{AdditiveGroup, PrimeField};
use proptest::prelude::*;
use spandrel_abi::{Counters, MAGIC_VALUE};
use spandrel_driver::DriverError;
use spandrel_poseidon::Hasher;
use std::sync::Arc;

/// What the stand-in does wrong.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// Element of every result that is another one.
    Wrong(usize),
    NotReduced,
    TooFew,
    Fails,
    Panics,
}

/// What a test holds of a stand-in.
struct Controls {
    fault: Mutex<Fault>,
    /// How many trees there are.
    trees: Mutex<usize>,
}

/// A card made of plain software, which keeps the leaves of trees.
struct StandIn {
    controls: Arc<Controls>,
    trees: HashMap<u64, (TreeShape, Output, Vec<Fr>)>,
}

fn output_back(output: HashOutput) -> Output {
    if output == HashOutput::First { Output::First } else { Output::Second }
}

/// The levels of a tree, each filled up to whole groups, in the plainest way.
fn levels(shape: &TreeShape, output: Output, leaves: &[Fr]) -> Vec<Vec<Fr>> {
    let arity = shape.arity as usize;
    let hasher = Hasher::new(arity + 1, output).unwrap();
    let (mut level, mut empty, mut levels) = (leaves.to_vec(), Fr::ZERO, Vec::new());
    for _ in 0..shape.depth {
        level.resize(level.len().next_multiple_of(arity), empty);
        levels.push(level.clone());
        level = hasher.hash_many(&level).unwrap();
        empty = hasher.hash(&vec![empty; arity]).unwrap();
    }
    levels.push(level);
    levels
}

impl StandIn {
    fn elements(&mut self, request: Request<'_>) -> Result<Vec<Fr>, DriverError> {
        let decode = |bytes: &[u8]| elements_of(bytes, bytes.len() / FIELD_BYTES).unwrap();
        let root = |shape: &TreeShape, output, leaves: &[Fr]| levels(shape, output, leaves).pop().unwrap();
        Ok(match request {
            Request::Hash { width, output, inputs } => {
                let hasher = Hasher::new(width as usize, output_back(output)).unwrap();
                hasher.hash_many(&decode(inputs)).unwrap()
            }
            Request::Sponge { width, output, capacity, message_elements, inputs } => {
                assert_eq!(output, HashOutput::Second);
                let hasher = Hasher::new(width as usize, Output::First).unwrap();
                let inputs = decode(inputs);
                let messages: Vec<&[Fr]> = match message_elements {
                    0 => vec![&[]],
                    each => inputs.chunks(each).collect(),
                };
                let sponge = |message: &&[Fr]| {
                    let mut state = vec![Fr::ZERO; width as usize];
                    state[0] = decode(&capacity)[0];
                    for block in 0..message.len().div_ceil(width as usize - 1).max(1) {
                        for (place, into) in state[1..].iter_mut().enumerate() {
                            let at = block * (width as usize - 1) + place;
                            *into += message.get(at).copied().unwrap_or_default();
                        }
                        hasher.permute(&mut state);
                    }
                    state[1]
                };
                messages.iter().map(sponge).collect()
            }
            Request::Build { id, shape, output, leaves } => {
                assert!(shape.depth > 0 && shape.leaves > 0, "nothing for a card");
                let (leaves, output) = (decode(leaves), output_back(output));
                let root = root(&shape, output, &leaves);
                self.trees.insert(id, (shape, output, leaves));
                *self.controls.trees.lock().unwrap() += 1;
                root
            }
            Request::Paths { id, indices } => {
                assert!(!indices.is_empty());
                let (shape, output, leaves) = self.trees.get(&id).ok_or(RELEASED)?;
                let levels = levels(shape, *output, leaves);
                let arity = shape.arity as usize;
                let path = |index: &usize| {
                    let mut node = *index;
                    levels[..shape.depth as usize]
                        .iter()
                        .flat_map(|level| {
                            node /= arity;
                            level[node * arity..(node + 1) * arity].to_vec()
                        })
                        .collect::<Vec<_>>()
                };
                indices.iter().flat_map(path).collect()
            }
            Request::Update { id, entries } => {
                assert!(!entries.is_empty());
                let (shape, output, leaves) = self.trees.get_mut(&id).ok_or(RELEASED)?;
                for (index, leaf) in entries {
                    leaves[*index] = decode(leaf)[0];
                }
                root(shape, *output, leaves)
            }
        })
    }
}

impl Device for StandIn {
    fn describe(&self) -> String {
        "stand-in".to_owned()
    }

    fn identification(&self) -> Identification {
        let words = [0; spandrel_abi::IDENTIFICATION_BYTES / 4];
        Identification {
            magic: MAGIC_VALUE,
            poseidon_lanes: [1, 2, 3, 4],
            ..Identification::from_words(&words)
        }
    }

    fn run(
        &mut self,
        request: Request<'_>,
        on_progress: &mut dyn FnMut(u64),
    ) -> Result<HashResult, DriverError> {
        let fault = *self.controls.fault.lock().unwrap();
        match fault {
            Fault::Fails => return Err(DriverError::ResetBehindDriver),
            Fault::Panics => panic!("the stand-in was told to panic"),
            _ => {}
        }
        on_progress(5);
        let mut elements = self.elements(request)?;
        if let Fault::Wrong(index) = fault {
            let index = index % elements.len();
            elements[index] += Fr::from(1);
        }
        let mut bytes = bytes_of(&elements).to_vec();
        match fault {
            Fault::NotReduced => bytes[..32].copy_from_slice(&integer_to_bytes(&Fr::MODULUS)),
            Fault::TooFew => bytes.truncate(bytes.len() - 32),
            _ => {}
        }
        let counters = Counters { elements: 7, hash_passes: 30, hash_starved: 20, ..Counters::default() };
        Ok(HashResult { bytes, cycles: 100, counters })
    }

    fn release(&mut self, id: u64) -> Result<(), DriverError> {
        *self.controls.trees.lock().unwrap() -= 1;
        self.trees.remove(&id).map(drop).ok_or(RELEASED)
    }
}

fn controlled(fault: Fault, on_progress: OnProgress) -> (CardHasher, Arc<Controls>) {
    let controls = Arc::new(Controls { fault: Mutex::new(fault), trees: Mutex::new(0) });
    let device = StandIn { controls: Arc::clone(&controls), trees: HashMap::new() };
    (CardHasher::over(device, on_progress), controls)
}

fn card(fault: Fault) -> CardHasher {
    controlled(fault, Arc::new(|_| ())).0
}

fn dual(fault: Fault) -> Arc<DualHasher> {
    Arc::new(DualHasher::new(Box::new(CpuHasher::new()), Box::new(card(fault))))
}

fn arities() -> impl Strategy<Value = Arity> {
    prop::sample::select(vec![Arity::Two, Arity::Four])
}

fn outputs() -> impl Strategy<Value = Output> {
    prop::sample::select(vec![Output::First, Output::Second])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn messages_hash_to_the_same(
        width in 2usize..=5,
        output in outputs(),
        count in 0usize..40,
        message_elements in 0usize..9,
        seed in any::<u32>(),
    ) {
        let dual = dual(Fault::None);
        let inputs = some_elements(seed.into(), count * (width - 1));
        let outcome = dual.hash(width, output, &inputs).unwrap();
        prop_assert_eq!(outcome.digests.len(), count);
        let lanes = width as u32 - 1;
        match outcome.card {
            None => prop_assert_eq!(count, 0),
            Some(run) => {
                prop_assert_eq!((run.cycles, run.hashes, run.passes, run.starved), (100, 7, 30, 20));
                prop_assert_eq!((run.width as usize, run.lanes), (width, lanes));
            }
        }
        let inputs = some_elements(seed.into(), count * message_elements);
        let outcome = dual.sponge(width, message_elements, &inputs).unwrap();
        prop_assert_eq!(outcome.digests.len(), if message_elements == 0 { 1 } else { count });
    }

    /// Empty trees, those of one leaf, and others, with paths and updates.
    #[test]
    fn trees_are_the_same(
        arity in arities(),
        output in outputs(),
        count in prop_oneof![0usize..4, 0usize..70],
        deeper in prop::option::of(0u32..4),
        indices in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        updates in prop::collection::btree_map(any::<u16>(), any::<u64>(), 0..20),
    ) {
        let leaves = some_elements(5, count);
        let depth = deeper.map(|deeper| spandrel_poseidon::least_depth(arity, count) + deeper);
        let (second, controls) = controlled(Fault::None, Arc::new(|_| ()));
        let on_card = || *controls.trees.lock().unwrap();
        let dual = Arc::new(DualHasher::new(Box::new(CpuHasher::new()), Box::new(second)));
        let mut tree = MerkleTree::build(dual, arity, output, depth, &leaves).unwrap();
        let empty = count == 0 || tree.depth() == 0;
        prop_assert_eq!(on_card(), usize::from(!empty));
        prop_assert_eq!(tree.built().card.is_some(), !empty);
        if count > 0 {
            let indices: Vec<usize> = indices.iter().map(|index| index.index(count)).collect();
            let paths = tree.paths(&indices).unwrap();
            for (index, path) in indices.iter().zip(&paths) {
                prop_assert_eq!(path.index, *index);
                prop_assert!(tree.verify(leaves[*index], path));
            }
            let mut entries: Vec<(usize, Fr)> = Vec::new();
            for (index, leaf) in updates {
                let index = index as usize % count;
                if entries.iter().all(|entry| entry.0 != index) {
                    entries.push((index, Fr::from(leaf)));
                }
            }
            entries.reverse();
            tree.update(&entries).unwrap();
            for (index, leaf) in entries {
                prop_assert_eq!(tree.leaves(&[index]).unwrap(), [leaf]);
                prop_assert!(tree.verify(leaf, &tree.path(index).unwrap()));
            }
        }
        drop(tree);
        prop_assert_eq!(on_card(), 0);
    }
}

#[test]
fn what_a_card_does_wrong_is_an_error() {
    let faults = [
        (Fault::NotReduced, "element 0 of 2 is not below the prime"),
        (Fault::TooFew, "32 bytes came where there are 2 elements of 32"),
        (Fault::Fails, "card stand-in: the card was reset"),
    ];
    let inputs = some_elements(1, 4);
    for (fault, message) in faults {
        let error = card(fault).hash(3, Output::First, &inputs).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
        let dual = dual(fault);
        let error = dual.hash(3, Output::First, &inputs).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
        assert!(dual.build(Arity::Two, Output::First, None, &inputs).is_err());
    }
}

#[test]
fn a_panic_of_one_call_ends_no_other_thread() {
    let card = Arc::new(card(Fault::Panics));
    let inputs = some_elements(1, 4);
    let (shared, copy) = (Arc::clone(&card), inputs.clone());
    assert!(std::thread::spawn(move || shared.hash(3, Output::First, &copy).map(drop)).join().is_err());
    let error = card.hash(3, Output::First, &inputs).unwrap_err();
    assert!(matches!(error, HashError::Gone { .. }), "{error}");
    let error = dual(Fault::Panics).hash(3, Output::First, &inputs).unwrap_err();
    assert!(matches!(error, HashError::Gone { .. }), "{error}");
}

#[test]
fn a_wrong_element_is_a_disagreement_that_names_it() {
    let inputs = some_elements(1, 8);
    let hash = |index| dual(Fault::Wrong(index)).hash(3, Output::First, &inputs).unwrap_err();
    let error = hash(2);
    assert!(matches!(error, HashError::Disagreement { .. }), "{error}");
    let expected = "cpu and card stand-in disagree on digest 2 of 4: cpu has";
    assert!(error.to_string().starts_with(expected), "{error}");
    let error = dual(Fault::Wrong(0)).sponge(3, 8, &inputs).unwrap_err().to_string();
    assert!(error.contains("digest 0 of 1"), "{error}");
    let dual = dual(Fault::Wrong(0));
    let error = dual.build(Arity::Two, Output::First, None, &inputs).unwrap_err().to_string();
    assert!(error.contains("disagree on the root of a tree of 8 leaves"), "{error}");
}

/// A card that was right when it built the tree, and is not when it reads it.
#[test]
fn wrong_paths_and_roots_are_disagreements() {
    let leaves = some_elements(1, 11);
    // Of 11 leaves at arity 4 a path is 8 nodes; that of leaf 6 goes through places 2 and 4 + 1.
    let names = [
        (2, "leaf 6"),
        (0, "sibling 0 at level 0 of the path of leaf 6"),
        (3, "sibling 2 at level 0 of the path of leaf 6"),
        (6, "sibling 1 at level 1 of the path of leaf 6"),
    ];
    for (wrong, name) in names {
        let (second, controls) = controlled(Fault::None, Arc::new(|_| ()));
        let dual = DualHasher::new(Box::new(CpuHasher::new()), Box::new(second));
        let (tree, _) = dual.build(Arity::Four, Output::First, None, &leaves).unwrap();
        *controls.fault.lock().unwrap() = Fault::Wrong(wrong);
        let error = dual.paths(&tree, &[6]).unwrap_err().to_string();
        assert!(error.contains(&format!("disagree on {name}: ")), "{error}");
        let error = dual.update(&tree, &[(1, Fr::from(1))]).unwrap_err().to_string();
        assert!(error.contains("disagree on the root of a tree of 11 leaves"), "{error}");
    }
}

#[test]
fn progress_goes_on_from_call_to_call() {
    let cycles = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&cycles);
    let on_progress = Arc::new(move |at: CardProgress| seen.lock().unwrap().push(at.cycles));
    let card = Arc::new(controlled(Fault::None, on_progress).0);
    assert_eq!(card.describe(), "card stand-in");
    assert_eq!(card.identification().unwrap().magic, MAGIC_VALUE);
    let hasher = PoseidonHasher::new(card, 3, Output::First).unwrap();
    for _ in 0..2 {
        hasher.hash(&some_elements(1, 2)).unwrap();
    }
    assert_eq!(*cycles.lock().unwrap(), [5, 100, 105, 200]);
}
