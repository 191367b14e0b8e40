//! The machine's C++ compiler.

use crate::{ToolError, find_program, run};
use std::path::PathBuf;
use std::process::Command;

/// A C++ compiler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cxx {
    /// The compiler driver.
    pub bin: PathBuf,
    /// First line of what it says of its version: part of the key of whatever it compiles.
    pub version: String,
    /// Whether it is clang.
    pub is_clang: bool,
}

/// The C++ compiler to compile models with: the one `SPANDREL_CXX` names, else clang++, else g++.
pub fn cxx_compiler() -> Result<Cxx, ToolError> {
    let missing = ToolError::Missing {
        program: "a C++ compiler",
        purpose: "to compile simulation models",
        remedy: "install g++ or clang (on Debian and Ubuntu: apt-get install g++)",
    };
    let chosen = std::env::var_os("SPANDREL_CXX").filter(|name| !name.is_empty()).map(PathBuf::from);
    let bin = match chosen {
        Some(bin) => bin,
        None => find_program("clang++").or_else(|| find_program("g++")).ok_or(missing)?,
    };
    let output = run(Command::new(&bin).arg("--version"), "asking the C++ compiler for its version", "")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let version = text.lines().next().unwrap_or_default().trim().to_owned();
    let is_clang = version.contains("clang");
    Ok(Cxx { bin, version, is_clang })
}
