//! The pinned Yosys: the PyPI wheel `pyosys`, which is Yosys as a native Python module.

use crate::wheel::Wheel;
use crate::{FileLock, ToolError, find_program, run, tools_dir};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Version of the pinned wheel.
pub const YOSYS_VERSION: &str = "0.70";
const PLATFORM: &str = "manylinux_2_27_x86_64.manylinux_2_28_x86_64";
/// A wheel for each Python that has one, and its SHA-256.
const WHEELS: [(&str, &str); 5] = [
    ("cp310", "9011e9eb8ae89f03afff9a59dc5046e7d322997d3b919e04b0ef8a305fd040bc"),
    ("cp311", "b562ff8435c71871c4d12f4ed80ca24f0f4a59c6beaab8fbe20efe4c84006f78"),
    ("cp312", "cbc53ab06994646e1cf06a478a53be061b0626c85166f88f6254e7d2539156ec"),
    ("cp313", "b9f2be9dbb508d41a94072fbcc79c2a94afcf01183b06a6ac39a8d58d96b0781"),
    ("cp314", "ad7ff719e5b1ece0e9e8697fe12f58d59a5af85f115742c702edaa1e7255aacb"),
];
const OVERRIDE: &str = "SPANDREL_YOSYS";
const PURPOSE: &str = "to synthesise";

/// Runs a script in a fresh design. A multiplier takes about 1 GiB; the limit keeps a runaway from taking the machine.
const DRIVER: &str = "
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (12 << 30, 12 << 30))
from pyosys import libyosys
libyosys.run_pass('script ' + sys.argv[1], libyosys.Design())
";

/// An installed Yosys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Yosys {
    program: PathBuf,
    /// Where the Python module lies, if the program is Python.
    module: Option<PathBuf>,
    /// What identifies it in the key of whatever it produces.
    pub version: String,
    /// Version and build for people, as `yosys 0.70`.
    pub name: String,
}

impl Yosys {
    /// Where this Yosys keeps its models of cells, a folder for each maker; `None` where it does not say.
    pub fn cells(&self) -> Option<PathBuf> {
        let folder = match &self.module {
            Some(module) => module.join("pyosys").join("share"),
            None => self.program.parent()?.parent()?.join("share").join("yosys"),
        };
        Some(folder).filter(|folder| folder.is_dir())
    }

    /// A command that runs the script of this name in the folder `folder`. The name must hold no blanks. Yosys writes what it
    /// does to standard output.
    pub fn script(&self, folder: &Path, name: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(folder);
        match &self.module {
            Some(module) => command.args(["-u", "-c", DRIVER, name]).env("PYTHONPATH", module),
            None => command.args(["-s", name]),
        };
        command
    }
}

/// The pinned Yosys, fetched on first use into `.spandrel/tools` (34 MB).
///
/// The machine's own pip fetches the wheel, so that its index settings hold; the wheel is unpacked only if its SHA-256
/// is the pinned one for this Python. The environment variable `SPANDREL_YOSYS` names another `yosys` program to use instead.
pub fn yosys() -> Result<Yosys, ToolError> {
    if let Some(program) = std::env::var_os(OVERRIDE).filter(|program| !program.is_empty()) {
        return overridden(Path::new(&program));
    }
    if !cfg!(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")) {
        let found = format!("{} {}", std::env::consts::ARCH, std::env::consts::OS);
        return Err(no_build("x86_64 Linux with glibc", found));
    }
    let python = find_program("python3").ok_or(ToolError::Missing {
        program: "python3",
        purpose: PURPOSE,
        remedy: "install it with pip (on Debian and Ubuntu: apt-get install python3-pip)",
    })?;
    let tag = python_tag(&python)?;
    let Some((_, digest)) = WHEELS.iter().find(|(known, _)| *known == tag) else {
        return Err(no_build("CPython 3.10 to 3.14", format!("without such a python3 (found {tag})")));
    };
    let home = tools_dir().join(format!("pyosys-{YOSYS_VERSION}-{tag}"));
    let found = Yosys {
        program: python.clone(),
        module: Some(home.clone()),
        version: format!("pypi pyosys {YOSYS_VERSION} {digest}"),
        name: format!("yosys {YOSYS_VERSION}"),
    };
    if is_installed(&home) {
        return Ok(found);
    }
    let _lock = FileLock::acquire(&tools_dir().join("pyosys.lock"), "fetch Yosys")?;
    if !is_installed(&home) {
        fetch(&python, &tag, digest, &home)?;
    }
    Ok(found)
}

fn no_build(wanted: &'static str, found: String) -> ToolError {
    ToolError::NoBuild { tool: format!("Yosys {YOSYS_VERSION}"), wanted, found, variable: OVERRIDE }
}

fn is_installed(home: &Path) -> bool {
    home.join("pyosys").join("libyosys.so").is_file()
}

fn overridden(program: &Path) -> Result<Yosys, ToolError> {
    let output = run(
        Command::new(program).arg("-V"),
        "asking the Yosys of SPANDREL_YOSYS for its version",
        "set it to a yosys program, or unset it",
    )?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok(Yosys { program: program.to_path_buf(), module: None, name: version.clone(), version })
}

/// The interpreter's tag in wheel names, as `cp311`.
fn python_tag(python: &Path) -> Result<String, ToolError> {
    let output = run(
        Command::new(python).args(["-c", "import sys; print('cp%d%d' % sys.version_info[:2])"]),
        "asking python3 for its version",
        "",
    )?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn fetch(python: &Path, tag: &str, digest: &str, home: &Path) -> Result<(), ToolError> {
    if run(Command::new(python).args(["-m", "pip", "--version"]), "asking pip for its version", "").is_err() {
        return Err(ToolError::Missing {
            program: "pip, python3's installer,",
            purpose: "to fetch Yosys",
            remedy: "install it (on Debian and Ubuntu: apt-get install python3-pip)",
        });
    }
    eprintln!("spandrel: fetching Yosys {YOSYS_VERSION} (34 MB)");
    let wheel = Wheel {
        tool: "Yosys",
        requirement: format!("pyosys=={YOSYS_VERSION}"),
        file: format!("pyosys-{YOSYS_VERSION}-{tag}-{tag}-{PLATFORM}.whl"),
        sha256: digest,
        // Yosys runs this program.
        program: "pyosys/yosys-abc",
        remedy: "see that pip's package index can be reached, or set SPANDREL_YOSYS to an installed yosys",
    };
    wheel.install(python, home)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fetched_yosys_synthesises() {
        let yosys = match yosys() {
            Ok(yosys) => yosys,
            Err(error @ ToolError::NoBuild { .. }) => {
                return crate::skip("yosys::fetched_yosys_synthesises", error);
            }
            Err(error) => panic!("{error}"),
        };
        let folder = tempfile::tempdir().unwrap();
        let script = "read_verilog m.v\nsynth_xilinx -family xcup -noiopad -noclkbuf -top m\ntee -q -o s.json stat -json\n";
        std::fs::write(
            folder.path().join("m.v"),
            "module m(input a, input b, output y); assign y = a & b; endmodule",
        )
        .unwrap();
        std::fs::write(folder.path().join("s.ys"), script).unwrap();
        run(&mut yosys.script(folder.path(), "s.ys"), "synthesising an AND gate", "").unwrap();
        let text = std::fs::read_to_string(folder.path().join("s.json")).unwrap();
        assert!(text.contains("\"LUT2\""), "{text}");
        std::fs::write(folder.path().join("s.ys"), "read_verilog missing.v\n").unwrap();
        let error = run(&mut yosys.script(folder.path(), "s.ys"), "reading", "").unwrap_err().to_string();
        assert!(error.contains("missing.v"), "{error}");
    }
}
