//! Every way in which the command can fail, and its exit code.

use crate::backend::BackendError;
use crate::formats::{FormatError, OutputError};
use crate::groth16::{BlindingError, ProveError, VerifyError};
use crate::hash::HashError;
use spandrel_abi::manifest::ManifestError;
use spandrel_driver::DriverError;
use spandrel_poseidon::TreeError;
use std::error::Error;

/// Why the command failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    /// Arguments that do not go together.
    #[error("{0}")]
    Usage(String),
    /// An input file.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// An input file of `msm`.
    #[error("{0}")]
    Input(String),
    /// An output file.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A backend.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// A backend of hashes and trees.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The card could not be opened.
    #[error("{card}: {source}")]
    Card {
        /// Which card.
        card: String,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A manifest, or what was held against it before a card was touched.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A bitstream could not be loaded.
    #[error("{0}")]
    Loader(String),
    /// The card runs another image.
    #[error("{card}: {source}")]
    OtherImage {
        /// Which card.
        card: String,
        /// What differs.
        source: ManifestError,
    },
    /// No proof.
    #[error(transparent)]
    Prove(#[from] ProveError),
    /// Nothing to verify.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The proof is wrong.
    #[error("the proof is NOT valid for these public signals and this verification key")]
    NotValid,
    /// The path leads to another root.
    #[error("the path is NOT valid: the leaf is not at this place in a tree of this root and depth")]
    NotInTree,
    /// No randomness.
    #[error(transparent)]
    Blinding(#[from] BlindingError),
    /// Something in this process.
    #[error("{0}")]
    Other(String),
}

impl CliError {
    /// The process's exit code.
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            CliError::Other(_) | CliError::Blinding(_) => 1,
            CliError::Usage(_) => 2,
            CliError::Format(_) | CliError::Input(_) | CliError::Verify(_) | CliError::Manifest(_) => 3,
            CliError::Backend(error) => backend_exit_code(error),
            CliError::Hash(error) => hash_exit_code(error),
            CliError::Card { .. } | CliError::Loader(_) => 4,
            CliError::OtherImage { .. } => 7,
            CliError::NotValid | CliError::NotInTree => 5,
            CliError::Output(_) => 6,
            CliError::Prove(error) => match error {
                ProveError::Format(_) | ProveError::Verify(_) | ProveError::DomainTooLarge { .. } => 3,
                ProveError::Backend { source, .. } => backend_exit_code(source),
                ProveError::Rejected { .. } => 5,
                ProveError::Blinding(_) => 1,
            },
        }
    }

    /// The message with what caused it, where the message does not say so itself.
    pub(super) fn in_full(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            let message = error.to_string();
            if !text.contains(&message) {
                text.push_str(&format!("\n  caused by: {message}"));
            }
            cause = error.source();
        }
        text
    }
}

fn backend_exit_code(error: &BackendError) -> u8 {
    match error {
        BackendError::BadBases { .. }
        | BackendError::BadRange { .. }
        | BackendError::ScalarCount { .. }
        | BackendError::ScalarNotReduced { .. } => 3,
        // Something was asked for that this card does not offer.
        BackendError::Device {
            source: DriverError::NoCurve { .. } | DriverError::NoWindowBits { .. },
            ..
        } => 2,
        _ => 4,
    }
}

fn hash_exit_code(error: &HashError) -> u8 {
    match error {
        HashError::Width(_)
        | HashError::Tree(TreeError::TooShallow { .. } | TreeError::TooDeep { .. })
        | HashError::Device { source: DriverError::NoWidth { .. }, .. } => 2,
        HashError::Input(_) | HashError::TooManyLeaves { .. } | HashError::Tree(_) => 3,
        _ => 4,
    }
}
