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
