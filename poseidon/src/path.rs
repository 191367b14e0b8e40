//! The way from a leaf to the root.

use crate::error::PathError;
use crate::hasher::{Hasher, Output};
use ark_bn254::Fr;

/// Children of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arity {
    /// Two: nodes are hashes of width 3.
    Two,
    /// Four: nodes are hashes of width 5.
    Four,
}

impl Arity {
    /// How many.
    pub const fn children(self) -> usize {
        match self {
            Arity::Two => 2,
            Arity::Four => 4,
        }
    }

    /// The hasher of nodes.
    pub(crate) fn hasher(self, output: Output) -> Hasher {
        Hasher::new(self.children() + 1, output).expect("there are parameters for widths 3 and 5")
    }

    /// The hash of a group of as many children.
    pub(crate) fn node(self, hasher: &Hasher, children: &[Fr]) -> Fr {
        hasher.hash(children).expect("a group has as many children as the arity")
    }

    /// The inverse of [`Arity::children`].
    pub const fn of_children(children: usize) -> Option<Arity> {
        match children {
            2 => Some(Arity::Two),
            4 => Some(Arity::Four),
            _ => None,
        }
    }
}

/// What proves that a leaf is in a tree: its index, and the nodes beside its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// Children of a node.
    pub arity: Arity,
    /// Which element of the permuted state a node is.
    pub output: Output,
    /// The leaf's index, from 0; its digits to the base of the arity, lowest first, are the path's places in its groups.
    pub index: usize,
    /// By level from the leaves: the other children of the same node, in order, the path's own left out.
    pub siblings: Vec<Vec<Fr>>,
}

impl Path {
    /// Checks that every level has the siblings that the arity asks for, and that the index has a place.
    pub fn check(&self) -> Result<(), PathError> {
        let expected = self.arity.children() - 1;
        let mut place = self.index;
        for (level, siblings) in self.siblings.iter().enumerate() {
            if siblings.len() != expected {
                return Err(PathError::Siblings { level, found: siblings.len(), expected });
            }
            place /= self.arity.children();
        }
        match place {
            0 => Ok(()),
            _ => Err(PathError::Index { index: self.index, depth: self.siblings.len() }),
        }
    }

    /// The root of the tree in which `leaf` has this path.
    ///
    /// # Panics
    ///
    /// When a level has more or fewer siblings than the arity asks for; [`Path::check`] tells so before.
    pub fn root(&self, leaf: Fr) -> Fr {
        let hasher = self.arity.hasher(self.output);
        let children = self.arity.children();
        let mut place = self.index;
        self.siblings.iter().fold(leaf, |node, siblings| {
            let mut group = siblings.clone();
            group.insert(place % children, node);
            place /= children;
            self.arity.node(&hasher, &group)
        })
    }
}
