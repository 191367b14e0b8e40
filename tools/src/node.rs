//! Pinned node packages (snarkjs, the circom compiler): whatever a committed `package-lock.json` says.

use crate::{FileLock, ToolError, find_program, run};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::process::Command;

/// An installed set of node packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodePackages {
    /// The `node` program.
    pub node: PathBuf,
    /// The `node_modules` folder.
    pub modules: PathBuf,
}

impl NodePackages {
    /// The path of a package's command, such as `snarkjs`.
    pub fn command(&self, name: &str) -> PathBuf {
        self.modules.join(".bin").join(name)
    }
}

/// Installs exactly what `dir/package-lock.json` pins into `dir/node_modules`, unless it is there already.
///
/// The lock file's integrity hashes are checked by npm. `Ok(None)` where node or npm is not on this machine: what
/// needs them is then left out by the caller, who says so.
pub fn npm_ci(dir: &Path) -> Result<Option<NodePackages>, ToolError> {
    let (Some(node), Some(npm)) = (find_program("node"), find_program("npm")) else { return Ok(None) };
    let lock_file = dir.join("package-lock.json");
    let lock_bytes = std::fs::read(&lock_file).map_err(ToolError::io("read", &lock_file))?;
    let digest = hex::encode(Sha256::digest(&lock_bytes));
    let modules = dir.join("node_modules");
    let stamp = modules.join(".spandrel-installed");
    let installed = || std::fs::read_to_string(&stamp).is_ok_and(|text| text == digest);
    let packages = NodePackages { node, modules: modules.clone() };
    if installed() {
        return Ok(Some(packages));
    }
    let key = hex::encode(Sha256::digest(dir.as_os_str().as_encoded_bytes()));
    let lock_path = crate::tools_dir().join(format!("node-{}.lock", &key[..16]));
    let _lock = FileLock::acquire(&lock_path, "install the node packages")?;
    if installed() {
        return Ok(Some(packages));
    }
    eprintln!("spandrel: installing the node packages of {}", dir.display());
    run(
        Command::new(npm).args(["ci", "--no-audit", "--no-fund"]).current_dir(dir),
        "npm ci",
        "see that npm's registry can be reached from this machine",
    )?;
    std::fs::write(&stamp, digest).map_err(ToolError::io("write", &stamp))?;
    Ok(Some(packages))
}
