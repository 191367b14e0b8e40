//! The sample circuit, the `spandrel` command, and the node packages that judge its proofs.

use spandrel_tools::{NodePackages, ToolError, cargo_build, checkout_root, npm_ci};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// A file of the sample circuit's build, such as `merkle.zkey`.
pub fn built(name: &str) -> PathBuf {
    checkout_root().join("circuits/merkle/build").join(name)
}

/// The pinned node packages, or why they cannot be had.
pub fn node_packages() -> Result<NodePackages, String> {
    match npm_ci(&checkout_root().join("circuits/merkle")) {
        Ok(Some(packages)) => Ok(packages),
        Ok(None) => Err("node or npm is not on PATH".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Why the card cannot be simulated on this machine, if it cannot.
pub fn simulation_missing() -> Option<ToolError> {
    spandrel_tools::verilator().err().or_else(|| spandrel_tools::cxx_compiler().err())
}

/// Runs the workspace's own `spandrel` command, built for the profile this code is built for.
///
/// # Panics
///
/// When it does not build or cannot be run.
pub fn spandrel(arguments: &[&Path]) -> Output {
    static COMMAND: OnceLock<PathBuf> = OnceLock::new();
    let command = COMMAND.get_or_init(|| {
        // With the features of the whole workspace, as `cargo test --workspace` has built it already.
        let profile: &[&str] = if cfg!(debug_assertions) { &[] } else { &["--release"] };
        let built = cargo_build("spandrel", &[&["--workspace"], profile].concat());
        built.unwrap_or_else(|error| panic!("{error}"))
    });
    let output = Command::new(command).args(arguments).stdin(Stdio::null()).output();
    output.unwrap_or_else(|error| panic!("cannot run {}: {error}", command.display()))
}
