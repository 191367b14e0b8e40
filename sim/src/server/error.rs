//! Why a card is served no longer, or not at all.

use crate::SimError;
use std::path::PathBuf;

/// Why a card is served no longer, or not at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Another server is at work there.
    #[error("{path} is served already: end that server first, or give another path", path = .path.display())]
    AlreadyServed {
        /// The socket's path.
        path: PathBuf,
    },
    /// Something else is there.
    #[error("{path} exists and is no socket: give another path, or remove it", path = .path.display())]
    NoSocket {
        /// The socket's path.
        path: PathBuf,
    },
    /// The socket could not be made.
    #[error("cannot listen at {path}: {source}; give a path of at most 107 bytes in a directory that you may write to", path = .path.display())]
    Bind {
        /// The socket's path.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The operating system refused a call without which there is no serving.
    #[error("{action}: {source}")]
    Io {
        /// What was being done.
        action: &'static str,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The card itself broke down: it broke the rules of a bus, or its model failed.
    #[error("the simulated card is of no more use: {0}")]
    Card(#[from] SimError),
}
