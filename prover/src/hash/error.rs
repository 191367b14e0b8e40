//! Why there is no hash, or no tree.

use spandrel_poseidon::{InputError, TreeError, WidthError};

/// Why there is no hash, or no tree.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HashError {
    /// States of so many elements have no parameters.
    #[error(transparent)]
    Width(#[from] WidthError),
    /// The inputs are no messages.
    #[error(transparent)]
    Input(#[from] InputError),
    /// There is no such tree, or no such leaf in it.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// More leaves than any tree has.
    #[error("{leaves} leaves were given, but a tree has at most {most}")]
    TooManyLeaves {
        /// Leaves given.
        leaves: usize,
        /// Most leaves.
        most: usize,
    },
    /// A tree of another backend, or one released.
    #[error("the tree is not one of this backend: build it there first")]
    ForeignTree,
    /// Two backends computed different results.
    #[error(
        "{first} and {second} disagree on {what}: {first} has {first_element}, {second} has {second_element}; one of them \
         is broken: run `spandrel card selftest`, and `spandrel bench poseidon --backend dual` to reproduce it without secrets"
    )]
    Disagreement {
        /// The first backend.
        first: String,
        /// The second backend.
        second: String,
        /// What differs: "digest 5 of 4096".
        what: String,
        /// The first backend's element, in decimal, or what it has instead.
        first_element: String,
        /// The second backend's.
        second_element: String,
    },
    /// The driver or the card reported an error.
    #[error("{backend}: {source}")]
    Device {
        /// Which backend.
        backend: String,
        /// The driver's error.
        source: spandrel_driver::DriverError,
    },
    /// The card answered, but not with what was asked for.
    #[error("{backend}: the result cannot be right: {why}; run `spandrel card selftest`")]
    BadResult {
        /// Which backend.
        backend: String,
        /// What is wrong with it.
        why: String,
    },
    /// An earlier call ended in a panic.
    #[error("{backend}: an earlier call did not end well; open the backend again")]
    Gone {
        /// Which backend.
        backend: String,
    },
}
