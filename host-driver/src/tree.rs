//! Merkle trees that stay in card memory.

use crate::bases::Resident;
use crate::card::Card;
use crate::commands::Contents;
use crate::error::DriverError;
use crate::hash::{HashOutput, HashResult, HashWork, check_canonical};
use crate::job::{Holdings, Job};
use spandrel_abi::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use zeroize::Zeroizing;

/// A tree's card memory, and whether what is in it is known.
#[derive(Debug)]
pub(crate) struct Standing {
    resident: Arc<Resident>,
    lost: AtomicBool,
}

impl Standing {
    /// Notes that a command that should have written the tree failed.
    pub(crate) fn lose(&self) {
        self.lost.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }
}

/// A Merkle tree in card memory, as [`Card::submit_merkle_build`] gives it.
///
/// The handle is good for the card that gave it, until that card is reset, or a command that writes the tree fails on the
/// card: after that, every use ends in [`DriverError::TreeLost`]. Dropping the handle releases the memory, as
/// [`Card::release_tree`] does; jobs that are under way keep it until they end.
#[derive(Debug)]
pub struct TreeHandle {
    standing: Arc<Standing>,
    shape: TreeShape,
    output: HashOutput,
}

impl TreeHandle {
    /// Arity, depth, and number of leaves.
    pub fn shape(&self) -> TreeShape {
        self.shape
    }

    /// Which element of the permuted state a node is.
    pub fn output(&self) -> HashOutput {
        self.output
    }

    /// Whether a command that should have written the tree failed, so that it has to be built again.
    pub fn is_lost(&self) -> bool {
        self.standing.is_lost()
    }

    /// A command about this tree.
    fn command(&self) -> Descriptor {
        Descriptor {
            card_address: self.standing.resident.piece.start,
            parameter: self.shape.parameter(self.output.code()),
            size: self.shape.leaves,
            ..Descriptor::default()
        }
    }

    /// What a job about it holds on to.
    fn holdings(&self) -> Holdings {
        let resident = Some(self.standing.resident.clone());
        Holdings { resident, tree: Some(self.standing.clone()), ..Holdings::default() }
    }
}

impl Card {
    /// Builds a Merkle tree in card memory from `shape.leaves` leaves of 32 bytes, each a field element as of
    /// [`Card::submit_poseidon`]; leaves that `shape` has place for besides are zero. The result's bytes are the root.
    ///
    /// The leaves are read from host memory while the tree is built, where they fit into one buffer. Otherwise they are
    /// first copied to card memory, which this method waits for. The copy in host memory is overwritten when the job ends.
    ///
    /// # Errors
    /// [`DriverError::NoEngine`], and [`DriverError::NoWidth`] for an arity whose hashes (of states of one element more)
    /// this card does not offer; [`DriverError::BadTree`] for a shape that no tree has; [`DriverError::RaggedInput`],
    /// [`DriverError::CountsDiffer`] and [`DriverError::ElementNotCanonical`] for wrong leaves;
    /// [`DriverError::OutOfCardMemory`], [`DriverError::TooManyJobs`], [`DriverError::Transport`]; and, where leaves are
    /// copied first, those of [`Card::wait`].
    pub fn submit_merkle_build(
        &mut self,
        shape: TreeShape,
        output: HashOutput,
        leaves: &[u8],
    ) -> Result<(TreeHandle, Job<HashResult>), DriverError> {
        self.check_engine(self.identification.has_poseidon, "Poseidon")?;
        check_shape(&shape)?;
        self.check_width(shape.arity + 1)?;
        if !leaves.len().is_multiple_of(FIELD_BYTES) {
            let (what, bytes) = ("leaves", leaves.len());
            return Err(DriverError::RaggedInput { what, bytes, element: FIELD_BYTES });
        }
        let (count, places) = (leaves.len() / FIELD_BYTES, shape.leaves as usize);
        if count != places {
            let (left_what, right_what) = ("leaves", "places of the tree");
            return Err(DriverError::CountsDiffer { left_what, left: count, right_what, right: places });
        }
        check_canonical("leaf", leaves)?;
        self.check_room()?;
        let resident = self.take_bytes(shape.bytes())?;
        let mut work = HashWork::default();
        let (mut from_host, mut host_a) = (0, 0);
        if leaves.len() > self.bar.largest_buffer() {
            self.load_lines(leaves, &resident, Contents::Secret, &mut |_| {})?;
        } else {
            let source = self.filled(leaves)?.zeroize_on_drop();
            (from_host, host_a) = (shape.leaves, source.iova());
            work.inputs.push(source);
        }
        let standing = Arc::new(Standing { resident, lost: AtomicBool::new(false) });
        let tree = TreeHandle { standing, shape, output };
        let command = Descriptor { count: from_host, host_a, ..tree.command() };
        self.add_command(&mut work, Opcode::MerkleBuild, command, FIELD_BYTES)?;
        let job = self.submit_hashes(work, FIELD_BYTES, tree.holdings())?;
        Ok((tree, job))
    }

    /// Reads the paths of leaves. The result has, for each index in turn and for every level from the leaves to below the
    /// root, the whole group of `arity` nodes that the leaf's path goes through, 32 bytes each.
    ///
    /// # Errors
    /// [`DriverError::TreeLost`] and [`DriverError::AnotherCard`] for a handle that is not good (any more);
    /// [`DriverError::BadLeaf`] for an index past the leaves; [`DriverError::BadCount`] for no indices;
    /// [`DriverError::TooManyJobs`]; [`DriverError::Transport`].
    pub fn submit_merkle_paths(
        &mut self,
        tree: &TreeHandle,
        indices: &[usize],
    ) -> Result<Job<HashResult>, DriverError> {
        self.check_tree(tree)?;
        check_count("indices", indices.len())?;
        indices.iter().try_for_each(|index| check_leaf(tree, *index))?;
        self.check_room()?;
        let path_bytes = tree.shape.path_bytes();
        let most = self.most_elements(path_bytes).min(MERKLE_PATHS_MAX as usize);
        let mut work = HashWork::default();
        for part in indices.chunks(most) {
            let bytes: Vec<u8> = part.iter().flat_map(|index| index_bytes(*index)).collect();
            let source = self.filled(&bytes)?;
            let command = Descriptor { count: part.len() as u32, host_a: source.iova(), ..tree.command() };
            work.inputs.push(source);
            self.add_command(&mut work, Opcode::MerklePaths, command, part.len() * path_bytes)?;
        }
        self.submit_hashes(work, indices.len() * path_bytes, tree.holdings())
    }

    /// Sets leaves, each once, in any order, and recomputes what is above them. The result's bytes are the new root.
    /// The copy of the leaves is overwritten when the job ends.
    ///
    /// More entries than a command takes are several commands. Where one of them fails, others may have been done: the
    /// tree is then lost, unless the card refused all of them before it wrote anything.
    ///
    /// # Errors
    /// As [`Card::submit_merkle_paths`]; [`DriverError::LeafTwice`] for an index that is there twice, and
    /// [`DriverError::ElementNotCanonical`] with the place of the entry.
    pub fn submit_merkle_update(
        &mut self,
        tree: &TreeHandle,
        entries: &[(usize, [u8; FIELD_BYTES])],
    ) -> Result<Job<HashResult>, DriverError> {
        self.check_tree(tree)?;
        check_count("entries", entries.len())?;
        for (place, (index, leaf)) in entries.iter().enumerate() {
            check_leaf(tree, *index)?;
            check_canonical("leaf of an update", leaf).map_err(|error| match error {
                DriverError::ElementNotCanonical { what, .. } => {
                    DriverError::ElementNotCanonical { what, index: place }
                }
                error => error,
            })?;
        }
        // Places, not entries, so that no leaf is copied.
        let mut order: Vec<usize> = (0..entries.len()).collect();
        order.sort_unstable_by_key(|place| entries[*place].0);
        if let Some(twice) = order.windows(2).find(|pair| entries[pair[0]].0 == entries[pair[1]].0) {
            return Err(DriverError::LeafTwice { index: entries[twice[0]].0 });
        }
        self.check_room()?;
        let most = self.most_elements(MERKLE_ENTRY_BYTES).min(MERKLE_UPDATE_MAX as usize);
        let mut work = HashWork::default();
        for part in order.chunks(most) {
            let mut bytes = Zeroizing::new(Vec::with_capacity(part.len() * MERKLE_ENTRY_BYTES));
            for (index, leaf) in part.iter().map(|place| &entries[*place]) {
                bytes.extend_from_slice(&index_bytes(*index));
                bytes.extend_from_slice(leaf);
            }
            let source = self.filled(&bytes)?.zeroize_on_drop();
            let command = Descriptor { count: part.len() as u32, host_a: source.iova(), ..tree.command() };
            work.inputs.push(source);
            self.add_command(&mut work, Opcode::MerkleUpdate, command, FIELD_BYTES)?;
        }
        self.submit_hashes(work, FIELD_BYTES, tree.holdings())
    }

    /// Gives up a tree. Jobs that use it and are under way still end well; the memory is free after them.
    pub fn release_tree(&mut self, tree: TreeHandle) -> Result<(), DriverError> {
        if tree.standing.resident.card != self.id {
            return Err(DriverError::AnotherCard { what: "tree" });
        }
        drop(tree);
        self.collect_returned();
        Ok(())
    }

    /// Refuses trees of another card or time, and lost ones.
    fn check_tree(&self, tree: &TreeHandle) -> Result<(), DriverError> {
        let resident = &tree.standing.resident;
        if resident.card != self.id {
            return Err(DriverError::AnotherCard { what: "tree" });
        }
        if resident.generation != self.generation {
            return Err(DriverError::TreeLost { since: "the card was reset" });
        }
        match tree.is_lost() {
            true => Err(DriverError::tree_spoilt()),
            false => Ok(()),
        }
    }
}

impl DriverError {
    /// The error for a tree whose contents are unknown.
    pub(crate) fn tree_spoilt() -> DriverError {
        DriverError::TreeLost { since: "a command that wrote it failed" }
    }
}

fn check_shape(shape: &TreeShape) -> Result<(), DriverError> {
    let TreeShape { arity, depth, leaves } = *shape;
    let wrong = |allowed| Err(DriverError::BadTree { arity, depth, leaves, allowed });
    if arity != 2 && arity != 4 {
        return wrong("the arity must be 2 or 4");
    }
    if !(1..=MERKLE_MAX_DEPTH).contains(&depth) {
        return wrong("the depth must be 1 to 32");
    }
    if !(1..=MAX_COUNT).contains(&leaves) {
        return wrong("it must have 1 to 2^28 - 1 leaves");
    }
    if TreeShape::least_depth(arity, leaves) > depth {
        return wrong("so many leaves need more levels");
    }
    Ok(())
}

fn check_count(what: &'static str, count: usize) -> Result<(), DriverError> {
    let most = MAX_COUNT as usize;
    match (1..=most).contains(&count) {
        true => Ok(()),
        false => Err(DriverError::BadCount { what, count, least: 1, most }),
    }
}

fn check_leaf(tree: &TreeHandle, index: usize) -> Result<(), DriverError> {
    let leaves = tree.shape.leaves as usize;
    if index < leaves { Ok(()) } else { Err(DriverError::BadLeaf { index, leaves }) }
}

/// An index as commands take it.
fn index_bytes(index: usize) -> [u8; MERKLE_INDEX_BYTES] {
    let mut bytes = [0; MERKLE_INDEX_BYTES];
    bytes[..8].copy_from_slice(&(index as u64).to_le_bytes());
    bytes
}
