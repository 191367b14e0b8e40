//! Merkle trees over any backend.

use super::{Arity, HashBackend, HashError, Output, Path, TreeId, TreeOutcome};
use ark_bn254::Fr;
use std::fmt;
use std::sync::Arc;

/// A Merkle tree that a backend keeps: in memory on the CPU, in card memory on a card. Dropping it frees it there.
///
/// ```
/// use spandrel::hash::{Arity, CpuHasher, MerkleTree, Output};
/// use ark_bn254::Fr;
/// use std::sync::Arc;
///
/// // Place for 4^3 leaves, three of which are given; the others are zero.
/// let leaves = [Fr::from(10), Fr::from(11), Fr::from(12)];
/// let backend = Arc::new(CpuHasher::new());
/// let mut tree = MerkleTree::build(backend, Arity::Four, Output::First, Some(3), &leaves)?;
/// let path = tree.path(2)?;
/// assert_eq!(path.siblings[0], [Fr::from(10), Fr::from(11), Fr::from(0)]);
/// assert!(tree.verify(leaves[2], &path));
///
/// let before = tree.root();
/// tree.update(&[(2, Fr::from(7)), (0, Fr::from(8))])?;
/// assert_ne!(tree.root(), before);
/// assert_eq!(tree.leaves(&[0, 1, 2])?, [Fr::from(8), Fr::from(11), Fr::from(7)]);
/// # Ok::<(), spandrel::hash::HashError>(())
/// ```
pub struct MerkleTree {
    backend: Arc<dyn HashBackend>,
    /// `None` only while dropping.
    tree: Option<TreeId>,
    built: TreeOutcome,
    root: Fr,
}

impl MerkleTree {
    /// Builds a tree. Where no depth is named it is the least that has place for the leaves.
    ///
    /// # Errors
    /// [`HashError::Tree`] and [`HashError::TooManyLeaves`]; [`HashError::Device`] where a card cannot: it has no lanes
    /// of a width of one more than the arity, or no room.
    pub fn build(
        backend: Arc<dyn HashBackend>,
        arity: Arity,
        output: Output,
        depth: Option<u32>,
        leaves: &[Fr],
    ) -> Result<MerkleTree, HashError> {
        let (tree, built) = backend.build(arity, output, depth, leaves)?;
        Ok(MerkleTree { backend, tree: Some(tree), root: built.root, built })
    }

    /// The tree's name, which is there until the tree is dropped.
    pub(super) fn tree(&self) -> Result<&TreeId, HashError> {
        self.tree.as_ref().ok_or(HashError::ForeignTree)
    }

    /// The root.
    pub fn root(&self) -> Fr {
        self.root
    }

    /// Levels above the leaves.
    pub fn depth(&self) -> u32 {
        self.tree.as_ref().map_or(0, TreeId::depth)
    }

    /// Leaves that were given when the tree was built: those that can be read and set.
    pub fn len(&self) -> usize {
        self.tree.as_ref().map_or(0, TreeId::len)
    }

    /// Whether no leaf was given.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What building it took.
    pub fn built(&self) -> &TreeOutcome {
        &self.built
    }

    /// What computes and keeps it.
    pub fn backend(&self) -> &Arc<dyn HashBackend> {
        &self.backend
    }

    /// The path of a leaf.
    pub fn path(&self, index: usize) -> Result<Path, HashError> {
        let mut paths = self.paths(&[index])?;
        paths.pop().ok_or_else(|| HashError::BadResult {
            backend: self.backend.describe(),
            why: "no path came where one was asked for".to_owned(),
        })
    }

    /// The paths of leaves, in the order of the indices.
    pub fn paths(&self, indices: &[usize]) -> Result<Vec<Path>, HashError> {
        Ok(self.backend.paths(self.tree()?, indices)?.paths)
    }

    /// Leaves, in the order of the indices.
    pub fn leaves(&self, indices: &[usize]) -> Result<Vec<Fr>, HashError> {
        Ok(self.backend.paths(self.tree()?, indices)?.leaves)
    }

    /// Sets leaves, each once, in any order, and gives the new root.
    ///
    /// # Errors
    /// [`HashError::Tree`], where nothing has changed; [`HashError::Device`] where a card failed, after which the tree is
    /// to be built again.
    pub fn update(&mut self, entries: &[(usize, Fr)]) -> Result<Fr, HashError> {
        self.root = self.backend.update(self.tree()?, entries)?.root;
        Ok(self.root)
    }

    /// Whether `leaf` is in the tree at the end of `path`. Computed on the CPU: a path is a few hashes.
    pub fn verify(&self, leaf: Fr, path: &Path) -> bool {
        let Some(tree) = &self.tree else { return false };
        // A path of fewer levels would prove an inner node to be a leaf.
        let same_kind = path.arity == tree.arity && path.output == tree.output;
        let whole = path.siblings.len() == tree.depth as usize && path.check().is_ok();
        same_kind && whole && path.root(leaf) == self.root
    }
}

impl Drop for MerkleTree {
    fn drop(&mut self) {
        let Some(tree) = self.tree.take() else { return };
        if let Err(error) = self.backend.release(tree) {
            tracing::warn!(%error, "a tree was not freed");
        }
    }
}

impl fmt::Debug for MerkleTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MerkleTree")
            .field("backend", &self.backend.describe())
            .field("tree", &self.tree)
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}
