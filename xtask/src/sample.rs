//! The sample circuit and the node packages beside it.

use spandrel_tools::{NodePackages, ToolError, checkout_root, npm_ci};
use std::path::PathBuf;

/// The folder of the sample circuit: its source, its package lock, its scripts.
pub fn folder() -> PathBuf {
    checkout_root().join("circuits").join("merkle")
}

/// A file of the sample circuit's build, such as `merkle.zkey`.
pub fn built(name: &str) -> PathBuf {
    folder().join("build").join(name)
}

/// The pinned node packages (snarkjs, the circom compiler), installed if need be; `None` without node or npm.
pub fn node_packages() -> Result<Option<NodePackages>, ToolError> {
    npm_ci(&folder())
}
