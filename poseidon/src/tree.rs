//! Merkle trees in memory.

use crate::error::TreeError;
use crate::hasher::{Hasher, Output};
use crate::path::{Arity, Path};
use ark_bn254::Fr;
use ark_ff::Zero;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::fmt;

/// Largest depth of a tree.
pub const MAX_DEPTH: u32 = 32;

/// A Merkle tree with all its nodes.
///
/// A tree of depth d is the full one of arity^d leaves, of which those that were not given are zero. Nodes above such
/// leaves only, the roots of empty subtrees, are not kept but once for each level, so that a tree takes the memory of its
/// leaves times arity / (arity - 1).
#[derive(Clone)]
pub struct Tree {
    arity: Arity,
    output: Output,
    hasher: Hasher,
    /// Nodes by level from the leaves, up to the root; none where there is no leaf.
    levels: Vec<Vec<Fr>>,
    /// Roots of empty subtrees by level, up to the root's.
    empty: Vec<Fr>,
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Leaves may be secret.
        f.debug_struct("Tree")
            .field("arity", &self.arity)
            .field("output", &self.output)
            .field("depth", &self.depth())
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// The least depth that has place for so many leaves: 0 for one or none.
pub fn least_depth(arity: Arity, leaves: usize) -> u32 {
    let (mut depth, mut places) = (0, 1u128);
    while places < leaves as u128 {
        places *= arity.children() as u128;
        depth += 1;
    }
    depth
}

/// The root of a tree of zeros.
///
/// Takes the depth as given; that of a tree is at most [`MAX_DEPTH`].
pub fn empty_root(arity: Arity, output: Output, depth: u32) -> Fr {
    let hasher = arity.hasher(output);
    (0..depth).fold(Fr::zero(), |node, _| arity.node(&hasher, &vec![node; arity.children()]))
}

impl Tree {
    /// Builds a tree, on all cores. Without a depth it gets the least that has place for the leaves; a tree of depth 0 is
    /// its leaf, or zero.
    pub fn build(
        arity: Arity,
        output: Output,
        depth: Option<u32>,
        leaves: Vec<Fr>,
    ) -> Result<Tree, TreeError> {
        let least = least_depth(arity, leaves.len());
        let depth = depth.unwrap_or(least);
        if depth > MAX_DEPTH {
            return Err(TreeError::TooDeep { depth });
        }
        if depth < least {
            return Err(TreeError::TooShallow { leaves: leaves.len(), depth, least });
        }
        let hasher = arity.hasher(output);
        let above = |node: &Fr| Some(arity.node(&hasher, &vec![*node; arity.children()]));
        let empty: Vec<Fr> =
            std::iter::successors(Some(Fr::zero()), above).take(depth as usize + 1).collect();
        let mut levels = vec![leaves];
        for level in 0..depth as usize {
            let nodes = &levels[level];
            let parents = (0..nodes.len().div_ceil(arity.children())).into_par_iter();
            let node = |parent: usize| arity.node(&hasher, &group_of(arity, nodes, empty[level], parent));
            levels.push(parents.with_min_len(16).map(node).collect());
        }
        Ok(Tree { arity, output, hasher, levels, empty })
    }

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
        self.empty.len() as u32 - 1
    }

    /// Leaves that were given.
    pub fn len(&self) -> usize {
        self.levels[0].len()
    }

    /// Whether no leaf was given.
    pub fn is_empty(&self) -> bool {
        self.levels[0].is_empty()
    }

    /// The leaves that were given.
    pub fn leaves(&self) -> &[Fr] {
        &self.levels[0]
    }

    /// The root.
    pub fn root(&self) -> Fr {
        let top = self.empty.len() - 1;
        self.levels[top].first().copied().unwrap_or(self.empty[top])
    }

    /// Nodes above the leaves that are no roots of empty subtrees: the hashes of a build.
    pub fn nodes(&self) -> usize {
        self.levels[1..].iter().map(Vec::len).sum()
    }

    /// The path of a leaf that was given.
    pub fn path(&self, index: usize) -> Result<Path, TreeError> {
        self.check(index)?;
        let children = self.arity.children();
        let mut place = index;
        let siblings = (0..self.empty.len() - 1).map(|level| {
            let mut group = self.group(level, place / children);
            group.remove(place % children);
            place /= children;
            group
        });
        let siblings = siblings.collect();
        Ok(Path { arity: self.arity, output: self.output, index, siblings })
    }

    /// Sets leaves that were given before, each once, in any order, and computes the nodes above them anew, each once. Gives
    /// the new root. After an error nothing has changed.
    pub fn update(&mut self, entries: &[(usize, Fr)]) -> Result<Fr, TreeError> {
        let mut changed = BTreeMap::new();
        for (index, leaf) in entries {
            self.check(*index)?;
            if changed.insert(*index, *leaf).is_some() {
                return Err(TreeError::LeafTwice { index: *index });
            }
        }
        for level in 0..self.levels.len() {
            let mut parents = Vec::with_capacity(changed.len());
            for (place, node) in changed {
                self.levels[level][place] = node;
                parents.push(place / self.arity.children());
            }
            if level + 1 == self.levels.len() {
                break;
            }
            parents.dedup();
            let node = |parent: usize| (parent, self.arity.node(&self.hasher, &self.group(level, parent)));
            let hashed: Vec<_> = parents.into_par_iter().with_min_len(16).map(node).collect();
            changed = hashed.into_iter().collect();
        }
        Ok(self.root())
    }

    fn check(&self, index: usize) -> Result<(), TreeError> {
        if index < self.len() { Ok(()) } else { Err(TreeError::NoSuchLeaf { index, leaves: self.len() }) }
    }

    /// The children of a node of the level above.
    fn group(&self, level: usize, parent: usize) -> Vec<Fr> {
        group_of(self.arity, &self.levels[level], self.empty[level], parent)
    }
}

/// The children of a node, of which those behind the last node of their level are empty.
fn group_of(arity: Arity, nodes: &[Fr], empty: Fr, parent: usize) -> Vec<Fr> {
    let first = parent * arity.children();
    (first..first + arity.children()).map(|place| nodes.get(place).copied().unwrap_or(empty)).collect()
}
