//! What can go wrong while a tool is looked for, fetched or run.

use std::path::PathBuf;

/// A tool could not be found, fetched or run; the message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// A program is not on `PATH`.
    #[error("{program} is needed {purpose} and is not on PATH: {remedy}")]
    Missing {
        /// The program looked for.
        program: &'static str,
        /// What it is needed for, beginning with "to".
        purpose: &'static str,
        /// What to install.
        remedy: &'static str,
    },
    /// The pinned build of a tool does not exist for this kind of machine.
    #[error(
        "{tool} is pinned as a build for {wanted} and this machine is {found}: \
         install {tool} yourself and set {variable} to the folder that holds its bin and include"
    )]
    Platform {
        /// Tool and version.
        tool: String,
        /// The platform of the pinned build.
        wanted: &'static str,
        /// This machine.
        found: String,
        /// The environment variable that names another installation.
        variable: &'static str,
    },
    /// No pinned build of a program fits this machine.
    #[error(
        "{tool} is pinned for {wanted} and this machine is {found}: set {variable} to an installed program"
    )]
    NoBuild {
        /// Tool and version.
        tool: String,
        /// What the pinned builds are for.
        wanted: &'static str,
        /// This machine.
        found: String,
        /// The environment variable that names another program.
        variable: &'static str,
    },
    /// Something optional cannot be had on this machine.
    #[error("{what} cannot be had: {reason}; {remedy}")]
    Unavailable {
        /// What was asked for.
        what: &'static str,
        /// Why not.
        reason: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// A program ran and failed.
    #[error("{what} failed ({status}){remedy}; its last lines:\n{last_lines}")]
    Failed {
        /// What was attempted.
        what: String,
        /// Exit status.
        status: String,
        /// What to do about it, empty or beginning with a colon.
        remedy: String,
        /// The end of what the program wrote.
        last_lines: String,
    },
    /// What was fetched is not what was pinned.
    #[error(
        "{file} has SHA-256 {found}, pinned is {wanted}: it was not unpacked; \
         see what your package index serves under this name"
    )]
    Checksum {
        /// The file.
        file: String,
        /// Its digest.
        found: String,
        /// The pinned digest.
        wanted: String,
    },
    /// A file or folder of the checkout could not be used.
    #[error("cannot {action} {path}: {source}", path = .path.display())]
    Io {
        /// What was attempted.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
}

impl ToolError {
    /// Whether the tool cannot be had on this machine, as against one that was had and is wrong: a test that needs it is
    /// then left out, and named.
    pub fn is_unavailable(&self) -> bool {
        use ToolError::{Missing, NoBuild, Platform, Unavailable};
        matches!(self, Missing { .. } | Platform { .. } | NoBuild { .. } | Unavailable { .. })
    }

    /// Wraps an I/O error with what was attempted on which path.
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> ToolError {
        let path = path.into();
        move |source| ToolError::Io { action, path, source }
    }
}
