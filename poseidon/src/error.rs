//! Errors. None of them carries an element: inputs may be secret.

use crate::WIDTHS;

/// A width for which there are no parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a Poseidon state of {width} elements is not offered; use a width of {} to {}",
    WIDTHS.start(),
    WIDTHS.end()
)]
pub struct WidthError {
    /// The width asked for.
    pub width: usize,
}

/// Inputs that a hash function cannot take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// Another number of inputs than the width has place for.
    #[error("{found} inputs were given; a state of {} elements takes {expected}", expected + 1)]
    WrongCount {
        /// Inputs given.
        found: usize,
        /// Inputs that the width takes.
        expected: usize,
    },
    /// A batch that cannot be cut into messages.
    #[error("{found} elements cannot be cut into messages of {each}; give a multiple of it")]
    PartialMessage {
        /// Elements given.
        found: usize,
        /// Elements of one message.
        each: usize,
    },
}

/// A tree that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// More leaves than a tree of this depth has place for.
    #[error("{leaves} leaves need a depth of {least}, not of {depth}; give a depth of {least} to {most}", most = crate::MAX_DEPTH)]
    TooShallow {
        /// Leaves given.
        leaves: usize,
        /// The depth asked for.
        depth: u32,
        /// The least depth that has place for them.
        least: u32,
    },
    /// A depth that no tree has.
    #[error("a tree of depth {depth} is not offered; give a depth of at most {}", crate::MAX_DEPTH)]
    TooDeep {
        /// The depth asked for.
        depth: u32,
    },
    /// An index past the leaves.
    #[error("there is no leaf {index} in a tree of {leaves} leaves; they are counted from 0 on")]
    NoSuchLeaf {
        /// The index.
        index: usize,
        /// Leaves of the tree.
        leaves: usize,
    },
    /// An update that sets a leaf twice.
    #[error("leaf {index} is there twice in one update; give each leaf once")]
    LeafTwice {
        /// The index.
        index: usize,
    },
}

/// A path that leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// A level with more or fewer siblings than the arity asks for.
    #[error("level {level} has {found} siblings, but a node of this arity has {expected}")]
    Siblings {
        /// The level, from 0 at the leaves.
        level: usize,
        /// Siblings there.
        found: usize,
        /// Siblings that must be there.
        expected: usize,
    },
    /// An index that has no place in a tree of this depth.
    #[error("a tree of depth {depth} has no leaf {index}")]
    Index {
        /// The index.
        index: usize,
        /// Levels of the path.
        depth: usize,
    },
}
