//! Pinned Python packages in a virtual environment of the checkout: whatever a committed list with hashes says.

use crate::{FileLock, ToolError, find_program, run, tools_dir};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::process::Command;

const PURPOSE: &str = "to install Python packages";
const REMEDY: &str = "install it with pip and venv (on Debian and Ubuntu: apt-get install python3-pip)";
/// The oldest Python and the oldest pip that will do: an older pip cannot install into another environment than its own.
const NEEDED: &str = "Python 3.10 and pip 22.3, or newer";
/// Says in which environment it runs, and fails where Python or pip are too old.
const PROBE: &str = "
import sys, pip
assert sys.version_info >= (3, 10), 'this is Python ' + sys.version
assert tuple(int(part) for part in pip.__version__.split('.')[:2]) >= (22, 3), 'this is pip ' + pip.__version__
print(sys.version.replace('\\n', ' '), sys.base_prefix)
";

/// A virtual environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PythonPackages {
    /// Its `python`.
    pub python: PathBuf,
    /// What identifies the packages in the key of whatever is made with them.
    pub version: String,
}

/// Installs exactly what the file `requirements` pins into a virtual environment in `.spandrel/tools`, unless it is there
/// already.
///
/// The machine's own pip fetches the packages, so that its index settings hold, and checks them against the file's hashes;
/// only wheels are taken, so that nothing is built. `name` is what the environment is called. An environment is made anew
/// when the file or the machine's Python changes.
pub fn python_packages(name: &str, requirements: &Path) -> Result<PythonPackages, ToolError> {
    let base = find_program("python3").ok_or(ToolError::Missing {
        program: "python3",
        purpose: PURPOSE,
        remedy: REMEDY,
    })?;
    let about = run(Command::new(&base).args(["-c", PROBE]), "looking at python3 and its pip", &needed())?;
    let pins = std::fs::read(requirements).map_err(ToolError::io("read", requirements))?;
    let mut hash = Sha256::new();
    hash.update(&about.stdout);
    hash.update(&pins);
    let version = hex::encode(&hash.finalize()[..8]);
    let home = tools_dir().join(format!("{name}-{version}"));
    let packages = PythonPackages { python: home.join("bin").join("python"), version };
    let stamp = home.join(".spandrel-installed");
    if stamp.is_file() {
        return Ok(packages);
    }
    let _lock =
        FileLock::acquire(&tools_dir().join(format!("{name}.lock")), &format!("install {name}'s packages"))?;
    if stamp.is_file() {
        return Ok(packages);
    }
    eprintln!("spandrel: installing the Python packages of {}", requirements.display());
    // Not beside its final place and renamed, as other tools are: an environment's programs hold its path. The stamp says
    // that it is whole.
    if home.exists() {
        std::fs::remove_dir_all(&home).map_err(ToolError::io("remove", &home))?;
    }
    install(&base, requirements, &packages.python, &home)?;
    std::fs::write(&stamp, []).map_err(ToolError::io("write", &stamp))?;
    Ok(packages)
}

fn needed() -> String {
    format!("{NEEDED}, are needed {PURPOSE}: {REMEDY}")
}

fn install(base: &Path, requirements: &Path, python: &Path, home: &Path) -> Result<(), ToolError> {
    // Without a pip of its own, which Debian has in a package apart: the machine's installs into it.
    run(
        Command::new(base).args(["-m", "venv", "--without-pip"]).arg(home),
        "making a virtual environment",
        &needed(),
    )?;
    run(
        Command::new(base)
            .args(["-m", "pip", "--python"])
            .arg(python)
            .args(["install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps"])
            .args(["--only-binary=:all:", "--require-hashes", "--requirement"])
            .arg(requirements),
        &format!("installing what {} pins", requirements.display()),
        "see that pip's package index can be reached",
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_without_its_hash_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("requirements.txt");
        std::fs::write(&list, format!("iniconfig==2.3.1 --hash=sha256:{}\n", "0".repeat(64))).unwrap();
        let name = format!("hash-test-{}", std::process::id());
        let message = python_packages(&name, &list).unwrap_err().to_string();
        // Where no index can be reached, pip does not come to look at hashes; it is an error all the same.
        assert!(message.contains("installing what") && message.contains("requirements.txt"), "{message}");
        for entry in std::fs::read_dir(tools_dir()).unwrap().flatten() {
            if entry.file_name().to_string_lossy().starts_with(&name) {
                let _ = std::fs::remove_dir_all(entry.path());
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }
}
