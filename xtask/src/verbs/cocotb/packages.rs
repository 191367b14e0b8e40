//! cocotb and the bus models, as pinned in `tests/cocotb/requirements.txt`.

use anyhow::{Context, Result};
use serde::Deserialize;
use spandrel_tools::{ToolError, checkout_root, python_packages, run};
use std::path::PathBuf;
use std::process::Command;

/// Says where cocotb keeps what a simulation is linked with and what it loads.
const QUESTIONS: &str = "
import json, find_libpython, cocotb_tools.config as config
print(json.dumps({
    'libpython': find_libpython.find_libpython(),
    'entry': config.pygpi_entry_point(),
    'libraries': str(config.libs_dir),
    'main_program': str(config.share_dir / 'lib' / 'verilator' / 'verilator.cpp'),
}))
";

/// An installed cocotb.
pub struct Cocotb {
    /// The environment's `python`.
    pub python: PathBuf,
    /// The folder of cocotb's shared libraries.
    pub libraries: PathBuf,
    /// The source of a simulation's main program.
    pub main_program: PathBuf,
    /// What a simulation is to load: the shared library of Python, and cocotb's own part in it.
    pub users: String,
    /// What identifies it in the key of whatever is built with it.
    pub version: String,
}

#[derive(Deserialize)]
struct Answers {
    libpython: Option<String>,
    entry: String,
    libraries: PathBuf,
    main_program: PathBuf,
}

/// The folder of the tests.
pub fn tests_folder() -> PathBuf {
    checkout_root().join("tests").join("cocotb")
}

impl Cocotb {
    /// The pinned packages, installed on first use.
    pub fn find() -> Result<Cocotb> {
        let packages = python_packages("cocotb", &tests_folder().join("requirements.txt"))?;
        let output = run(
            Command::new(&packages.python).args(["-c", QUESTIONS]),
            "asking cocotb for its libraries",
            "",
        )?;
        let answers: Answers = serde_json::from_slice(&output.stdout).context("cocotb's answer")?;
        let libpython = answers.libpython.ok_or(ToolError::Missing {
            program: "python3's shared library",
            purpose: "to run Python inside of a simulation",
            remedy: "install it (on Debian and Ubuntu: apt-get install libpython3-dev)",
        })?;
        Ok(Cocotb {
            python: packages.python,
            libraries: answers.libraries,
            main_program: answers.main_program,
            users: format!("{libpython};{}", answers.entry),
            version: packages.version,
        })
    }
}
