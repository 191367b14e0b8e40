//! What computes Poseidon hashes and Merkle trees of them: the CPU, a card, or two that must agree.
//!
//! [`PoseidonHasher`] and [`MerkleTree`] are the way to use it; both give the same results over every [`HashBackend`].
//!
//! ```
//! use spandrel::hash::{Arity, CpuHasher, HashBackend, MerkleTree, Output, PoseidonHasher};
//! use ark_bn254::Fr;
//! use std::sync::Arc;
//!
//! let backend: Arc<dyn HashBackend> = Arc::new(CpuHasher::new());
//! let hasher = PoseidonHasher::new(Arc::clone(&backend), 3, Output::First)?;
//! let digest = hasher.hash(&[Fr::from(1), Fr::from(2)])?;
//! assert_eq!(
//!     digest.to_string(),
//!     "7853200120776062878684798364095072458815029376092732009249414926327459813530"
//! );
//!
//! let leaves: Vec<Fr> = (1..=5).map(Fr::from).collect();
//! let mut tree = MerkleTree::build(backend, Arity::Two, Output::First, None, &leaves)?;
//! assert_eq!(tree.depth(), 3);
//! let path = tree.path(4)?;
//! assert!(tree.verify(Fr::from(5), &path));
//! tree.update(&[(4, Fr::from(6))])?;
//! assert!(!tree.verify(Fr::from(5), &path));
//! # Ok::<(), spandrel::hash::HashError>(())
//! ```
//!
//! Trees are those of `spandrel-poseidon`: a tree of depth d is the full one of arity^d leaves, of which those that were
//! not given are zero; where no depth is named it is the least that has place for the leaves, 0 for one leaf or none. A
//! tree of depth 0 is its leaf, or zero.

mod card;
mod cpu;
mod dual;
mod error;
mod hasher;
mod tree;

#[cfg(test)]
mod tests;

pub use card::CardHasher;
pub use cpu::CpuHasher;
pub use dual::DualHasher;
pub use error::HashError;
pub use hasher::PoseidonHasher;
pub use spandrel_poseidon::{Arity, Output, Path};
pub use tree::MerkleTree;

use ark_bn254::Fr;
use serde::Serialize;
use spandrel_abi::{Counters, Identification, MAX_COUNT, TreeShape};
use spandrel_poseidon::{InputError, MAX_DEPTH, TreeError, least_depth};
use std::collections::BTreeSet;

/// Computes Poseidon hashes over BN254's scalar field, and Merkle trees of them.
///
/// All methods wait for the result. What has no work for a card (no messages, no entries, trees of depth 0) is answered
/// without one.
pub trait HashBackend: Send + Sync {
    /// What it is, for messages: "cpu", "card sim:sim-poseidon".
    fn describe(&self) -> String;

    /// Hashes of fixed length: messages of `width` - 1 elements lie one behind the other in `inputs`.
    fn hash(&self, width: usize, output: Output, inputs: &[Fr]) -> Result<HashOutcome, HashError>;

    /// Hashes by the sponge of rate `width` - 1 (the Poseidon paper, section 4.2, for a constant length): messages of
    /// `message_elements` elements lie one behind the other in `inputs`. Messages of no elements are one message, the empty
    /// one.
    fn sponge(&self, width: usize, message_elements: usize, inputs: &[Fr]) -> Result<HashOutcome, HashError>;

    /// Builds a tree from its leaves and keeps it until it is released.
    fn build(
        &self,
        arity: Arity,
        output: Output,
        depth: Option<u32>,
        leaves: &[Fr],
    ) -> Result<(TreeId, TreeOutcome), HashError>;

    /// Reads leaves and their paths, in the order of the indices; an index may be there several times.
    fn paths(&self, tree: &TreeId, indices: &[usize]) -> Result<PathsOutcome, HashError>;

    /// Sets leaves, each once, in any order, and recomputes what is above them.
    fn update(&self, tree: &TreeId, entries: &[(usize, Fr)]) -> Result<TreeOutcome, HashError>;

    /// Frees a tree.
    fn release(&self, tree: TreeId) -> Result<(), HashError>;

    /// What the card behind it says of itself, where there is one.
    fn identification(&self) -> Option<Identification> {
        None
    }
}

/// Names a tree of one backend.
#[derive(Debug)]
pub struct TreeId {
    owner: u64,
    id: u64,
    arity: Arity,
    output: Output,
    depth: u32,
    len: usize,
}

impl TreeId {
    /// Children of a node.
    pub fn arity(&self) -> Arity {
        self.arity
    }

    /// Which element of the permuted state a node is.
    pub fn output(&self) -> Output {
        self.output
    }

    /// Levels above the leaves.
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// Leaves that were given; the tree has place for arity^depth.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no leaf was given.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The key in a backend's table, if the tree is that backend's.
    fn id(&self, owner: u64) -> Result<u64, HashError> {
        if self.owner == owner { Ok(self.id) } else { Err(HashError::ForeignTree) }
    }

    /// Where the nodes lie on a card; `None` for a tree without nodes above its leaves, or without leaves.
    fn shape(&self) -> Option<TreeShape> {
        let (arity, depth) = (self.arity.children() as u32, self.depth);
        let leaves = u32::try_from(self.len).ok()?;
        (depth > 0 && leaves > 0).then_some(TreeShape { arity, depth, leaves })
    }

    fn check_index(&self, index: usize) -> Result<(), HashError> {
        match index < self.len {
            true => Ok(()),
            false => Err(TreeError::NoSuchLeaf { index, leaves: self.len }.into()),
        }
    }

    /// Refuses entries past the leaves, and leaves that are there twice. Tells how many nodes the entries change above the
    /// leaves.
    fn check_entries(&self, entries: &[(usize, Fr)]) -> Result<u64, HashError> {
        let mut level = BTreeSet::new();
        for (index, _) in entries {
            self.check_index(*index)?;
            if !level.insert(*index) {
                return Err(TreeError::LeafTwice { index: *index }.into());
            }
        }
        let mut hashes = 0;
        for _ in 0..self.depth {
            level = level.into_iter().map(|node| node / self.arity.children()).collect();
            hashes += level.len() as u64;
        }
        Ok(hashes)
    }
}

/// The number of messages of a sponge; of no elements there is one, the empty one.
fn check_messages(message_elements: usize, inputs: &[Fr]) -> Result<usize, HashError> {
    match (message_elements, inputs.len()) {
        (0, 0) => Ok(1),
        (each, found) if each == 0 || !found.is_multiple_of(each) => {
            Err(InputError::PartialMessage { found, each }.into())
        }
        (each, found) => Ok(found / each),
    }
}

/// The depth of a tree that is asked for.
fn depth_of(arity: Arity, depth: Option<u32>, leaves: usize) -> Result<u32, HashError> {
    let most = MAX_COUNT as usize;
    if leaves > most {
        return Err(HashError::TooManyLeaves { leaves, most });
    }
    let least = least_depth(arity, leaves);
    match depth.unwrap_or(least) {
        depth if depth > MAX_DEPTH => Err(TreeError::TooDeep { depth }.into()),
        depth if depth < least => Err(TreeError::TooShallow { leaves, depth, least }.into()),
        depth => Ok(depth),
    }
}

/// The result of hashing.
#[derive(Clone, Debug, PartialEq)]
pub struct HashOutcome {
    /// A digest for each message.
    pub digests: Vec<Fr>,
    /// What a card measured, where one computed them.
    pub card: Option<HashRun>,
}

/// The result of building or updating a tree.
#[derive(Clone, Debug, PartialEq)]
pub struct TreeOutcome {
    /// The root.
    pub root: Fr,
    /// Nodes above the leaves that the work concerned, each counted once; nodes of empty subtrees do not count.
    pub hashes: u64,
    /// What a card measured, where one computed them.
    pub card: Option<HashRun>,
}

/// Leaves with their paths.
#[derive(Clone, Debug, PartialEq)]
pub struct PathsOutcome {
    /// The leaves.
    pub leaves: Vec<Fr>,
    /// Their paths.
    pub paths: Vec<Path>,
    /// What a card measured, where one read them.
    pub card: Option<HashRun>,
}

/// What a card measured of hashes or of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct HashRun {
    /// Cycles from the command's fetch to its completion; their sum, where the work was cut into several commands.
    pub cycles: u64,
    /// Wall-clock seconds from submission to the card to its result.
    pub seconds: f64,
    /// Hashes that the card finished.
    pub hashes: u64,
    /// Passes of states through lanes.
    pub passes: u64,
    /// Cycles in which a lane had no state, summed over the lanes. With the passes they make up the lanes' cycles.
    pub starved: u64,
    /// Lanes that shared the work.
    pub lanes: u32,
    /// Elements of a state.
    pub width: u32,
    /// Counters of the engine.
    pub counters: Counters,
}
