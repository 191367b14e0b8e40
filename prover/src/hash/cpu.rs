//! Hashes and trees on the CPU, over all cores.

use super::{
    Arity, HashBackend, HashError, HashOutcome, Output, Path, PathsOutcome, TreeId, TreeOutcome, depth_of,
};
use crate::backend::fresh_id;
use ark_bn254::Fr;
use spandrel_poseidon::{Hasher, Tree};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The CPU, over rayon's global thread pool.
pub struct CpuHasher {
    id: u64,
    /// Each with a lock of its own, so that one tree's work keeps no other one waiting.
    trees: Mutex<HashMap<u64, Arc<Mutex<Tree>>>>,
}

impl CpuHasher {
    /// A backend without trees.
    pub fn new() -> CpuHasher {
        CpuHasher { id: fresh_id(), trees: Mutex::new(HashMap::new()) }
    }

    fn trees(&self) -> MutexGuard<'_, HashMap<u64, Arc<Mutex<Tree>>>> {
        // The table is whole between any two statements that use it.
        self.trees.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works on a tree.
    fn with<T>(
        &self,
        tree: &TreeId,
        act: impl FnOnce(&mut Tree) -> Result<T, HashError>,
    ) -> Result<T, HashError> {
        let found = self.trees().get(&tree.id(self.id)?).cloned().ok_or(HashError::ForeignTree)?;
        let mut tree = found.lock().map_err(|_| HashError::Gone { backend: self.describe() })?;
        act(&mut tree)
    }
}

impl Default for CpuHasher {
    fn default() -> CpuHasher {
        CpuHasher::new()
    }
}

impl HashBackend for CpuHasher {
    fn describe(&self) -> String {
        "cpu".to_owned()
    }

    fn hash(&self, width: usize, output: Output, inputs: &[Fr]) -> Result<HashOutcome, HashError> {
        let digests = Hasher::new(width, output)?.hash_many(inputs)?;
        Ok(HashOutcome { digests, card: None })
    }

    fn sponge(&self, width: usize, message_elements: usize, inputs: &[Fr]) -> Result<HashOutcome, HashError> {
        let digests = Hasher::new(width, Output::Second)?.sponge_many(message_elements, inputs)?;
        Ok(HashOutcome { digests, card: None })
    }

    fn build(
        &self,
        arity: Arity,
        output: Output,
        depth: Option<u32>,
        leaves: &[Fr],
    ) -> Result<(TreeId, TreeOutcome), HashError> {
        let depth = depth_of(arity, depth, leaves.len())?;
        let tree = Tree::build(arity, output, Some(depth), leaves.to_vec())?;
        let named = TreeId { owner: self.id, id: fresh_id(), arity, output, depth, len: leaves.len() };
        let hashes = named.shape().map_or(0, |shape| shape.hashes());
        let outcome = TreeOutcome { root: tree.root(), hashes, card: None };
        self.trees().insert(named.id, Arc::new(Mutex::new(tree)));
        Ok((named, outcome))
    }

    fn paths(&self, tree: &TreeId, indices: &[usize]) -> Result<PathsOutcome, HashError> {
        self.with(tree, |kept| paths_of(kept, tree, indices))
    }

    fn update(&self, tree: &TreeId, entries: &[(usize, Fr)]) -> Result<TreeOutcome, HashError> {
        let hashes = tree.check_entries(entries)?;
        self.with(tree, |kept| Ok(TreeOutcome { root: kept.update(entries)?, hashes, card: None }))
    }

    fn release(&self, tree: TreeId) -> Result<(), HashError> {
        self.trees().remove(&tree.id(self.id)?).map(drop).ok_or(HashError::ForeignTree)
    }
}

/// Leaves and paths of a tree in memory.
pub(super) fn paths_of(tree: &Tree, named: &TreeId, indices: &[usize]) -> Result<PathsOutcome, HashError> {
    indices.iter().try_for_each(|index| named.check_index(*index))?;
    let leaves = indices.iter().map(|index| tree.leaves()[*index]).collect();
    let paths = indices.iter().map(|index| tree.path(*index)).collect::<Result<Vec<Path>, _>>()?;
    Ok(PathsOutcome { leaves, paths, card: None })
}
