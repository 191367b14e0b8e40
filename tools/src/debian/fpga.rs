//! Debian packages that place, route and pack for FPGAs: nextpnr for 7-series and ECP5 parts, the tools and databases of
//! Project X-Ray and Project Trellis.

use super::lock::{Package, Set, Suite};
use super::{Collection, Tree, remove_needless, with_own_loader};
use crate::ToolError;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is asked for; libraries come with it.
const WANTED: [&str; 8] = [
    "nextpnr-himbaechel-xilinx",
    "nextpnr-himbaechel-xilinx-chipdb",
    "prjxray",
    "prjxray-database",
    "nextpnr-ecp5",
    "nextpnr-ecp5-chipdb",
    "fpga-trellis",
    "fpga-trellis-database",
];

/// The tools' packages. Only Debian's newest release has them.
const FPGA: Collection = Collection {
    name: "fpga",
    what: "the tools that place, route and pack for FPGAs",
    announcement: "nextpnr, Project X-Ray and Project Trellis from Debian (33 MB)",
    lock: "fpga.lock",
    heading: "Tools that place, route and pack for FPGAs. Written by `cargo xtask bitstream --update`.",
    update: "cargo xtask bitstream --update",
    releases: "sid",
    trees: &[Tree { suite: Suite::Fpga, release: "sid", wanted: &WANTED, is_needed, keep }],
    check,
    is_complete: |place| FpgaTools::new(place, &Set::default()).is_complete(),
};

/// Programs that place, route and pack for FPGAs, and their databases, unpacked.
#[derive(Clone, Debug)]
pub struct FpgaTools {
    root: PathBuf,
    /// Version of nextpnr, as Debian numbers it.
    pub nextpnr_version: String,
    /// Version of Project X-Ray's tools and database.
    pub prjxray_version: String,
    /// Version of Project Trellis' tools and database.
    pub trellis_version: String,
}

impl FpgaTools {
    /// nextpnr for 7-series parts; arguments are to be added. Paths among them must be absolute.
    pub fn nextpnr_xilinx(&self) -> Command {
        self.program("nextpnr-himbaechel-xilinx")
    }

    /// nextpnr's database of a 7-series device, as `xc7a200t`; it need not exist.
    pub fn xilinx_chipdb(&self, device: &str) -> PathBuf {
        self.root.join("usr/share/nextpnr/himbaechel/xilinx").join(format!("chipdb-{device}.bin"))
    }

    /// nextpnr for ECP5 parts; arguments are to be added. Paths among them must be absolute.
    pub fn nextpnr_ecp5(&self) -> Command {
        self.program(NEXTPNR_ECP5)
    }

    /// The program that packs an ECP5 configuration, with its database.
    pub fn ecppack(&self) -> Command {
        let mut command = self.program("ecppack");
        command.arg("--db").arg(self.root.join("usr/share/trellis/database"));
        command
    }

    /// The program that makes a 7-series bitstream of frames.
    pub fn xc7frames2bit(&self) -> Command {
        self.program("xc7frames2bit")
    }

    /// Project X-Ray's database of Artix-7 parts.
    pub fn artix7_database(&self) -> PathBuf {
        self.root.join("usr/share/prjxray/database/artix7")
    }

    fn program(&self, name: &str) -> Command {
        let mut command = with_own_loader(&self.root, name);
        // nextpnr reads constraints with a Python of its own.
        command.env("PYTHONHOME", self.root.join("usr")).env_remove("PYTHONPATH").current_dir(&self.root);
        command
    }

    fn new(place: &Path, set: &Set) -> FpgaTools {
        let version = |name| set.version(Suite::Fpga, name);
        FpgaTools {
            root: place.join(Suite::Fpga.name()),
            nextpnr_version: version("nextpnr-himbaechel-xilinx"),
            prjxray_version: version("prjxray"),
            trellis_version: version("fpga-trellis"),
        }
    }

    fn is_complete(&self) -> bool {
        let programs = ["nextpnr-himbaechel-xilinx", NEXTPNR_ECP5, "ecppack", "xc7frames2bit"];
        programs.iter().all(|name| self.root.join("usr/bin").join(name).is_file())
            && self.xilinx_chipdb("xc7a200t").is_file()
            && self.artix7_database().join("xc7a200t/tilegrid.json").is_file()
    }
}

/// The tools of `tools/fpga.lock`, fetched on first use into `.spandrel/tools` (33 MB to fetch, 600 MB on the disk).
///
/// Where they cannot be had (another system, no Debian mirror, no network) the error says so of itself:
/// [`ToolError::is_unavailable`].
pub fn fpga_tools() -> Result<FpgaTools, ToolError> {
    let (place, set) = super::obtain(&FPGA)?;
    Ok(FpgaTools::new(&place, &set))
}

/// Writes what the mirror offers now to `tools/fpga.lock`, and unpacks it; gives the tools and a line for each package that
/// changed.
pub fn update_fpga_lock() -> Result<(FpgaTools, Vec<String>), ToolError> {
    let (place, set, changes) = super::update(&FPGA)?;
    Ok((FpgaTools::new(&place, &set), changes))
}

/// The copy of nextpnr for ECP5 that looks for its database below its working folder.
const NEXTPNR_ECP5: &str = "nextpnr-ecp5-here";
/// Where nextpnr for ECP5 looks for its database: compiled in, no option changes it.
const COMPILED_IN: &[u8] = b"/usr/share/nextpnr/\0";
/// The same folder from the root of the tree, as long.
const FROM_ROOT: &[u8] = b"usr/share//nextpnr/\0";

/// Keeps programs, libraries and the databases of Artix-7 and ECP5 parts.
fn keep(from: &Path, to: &Path) -> Result<(), ToolError> {
    remove_needless(
        from,
        &[
            "share/doc",
            "share/man",
            "share/bash-completion",
            "share/prjxray/database/kintex7",
            "share/prjxray/database/spartan7",
            "share/prjxray/database/zynq7",
            "share/nextpnr/himbaechel/xilinx/chipdb-xc7s50.bin",
            "share/nextpnr/himbaechel/xilinx/chipdb-xc7z020.bin",
        ],
    );
    redirect(&from.join("usr/bin/nextpnr-ecp5"), &from.join("usr/bin").join(NEXTPNR_ECP5))?;
    std::fs::rename(from, to).map_err(ToolError::io("create", to))
}

/// Writes the program `to`, which is `from` with the folder of its database as seen from the root of the tree.
fn redirect(from: &Path, to: &Path) -> Result<(), ToolError> {
    let mut bytes = std::fs::read(from).map_err(ToolError::io("read", from))?;
    let found: Vec<usize> = bytes
        .windows(COMPILED_IN.len())
        .enumerate()
        .filter(|(_, window)| *window == COMPILED_IN)
        .map(|(at, _)| at)
        .collect();
    let [at] = found[..] else {
        let why = format!("it names the folder of its database {} times instead of once", found.len());
        return Err(ToolError::io("redirect", from)(std::io::Error::other(why)));
    };
    bytes[at..at + FROM_ROOT.len()].copy_from_slice(FROM_ROOT);
    // A copy keeps the mode.
    std::fs::copy(from, to).map_err(ToolError::io("create", to))?;
    std::fs::write(to, bytes).map_err(ToolError::io("write", to))
}

/// Whether a package of the closure is one of the tools or what they load.
fn is_needed(package: &Package) -> bool {
    let name = package.name.as_str();
    let library = name.starts_with("lib") || name == "zlib1g";
    WANTED.contains(&name) || library && !name.contains("gconv") && !name.contains("ssl")
}

fn check(set: &Set) -> Result<(), ToolError> {
    match WANTED.iter().find(|name| set.packages.iter().all(|one| one.name != **name)) {
        None => Ok(()),
        Some(name) => Err(FPGA.unavailable(
            format!("the mirror offers no {name}"),
            "use a Debian mirror that carries sid, and allow it to be read",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run;

    #[test]
    fn the_committed_lock_pins_what_is_needed() {
        let set = Set::read(&FPGA.lock_path()).unwrap();
        check(&set).unwrap();
        assert!(set.packages.iter().all(|one| one.suite == Suite::Fpga && is_needed(one)));
        assert!(set.packages.iter().any(|one| one.name == "libc6"));
        let lacking = Set::new(set.packages.into_iter().filter(|one| one.name != "prjxray").collect());
        assert!(check(&lacking).unwrap_err().to_string().contains("prjxray"));
    }

    #[test]
    fn a_program_is_redirected_once_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        std::fs::write(&from, b"\0a/usr/share/nextpnr/\0b").unwrap();
        redirect(&from, &to).unwrap();
        assert_eq!(std::fs::read(&to).unwrap(), b"\0ausr/share//nextpnr/\0b");
        std::fs::write(&from, b"nothing").unwrap();
        assert!(redirect(&from, &to).unwrap_err().to_string().contains("0 times"));
    }

    #[test]
    fn fetched_tools_run_and_find_their_databases() {
        let tools = match fpga_tools() {
            Ok(tools) => tools,
            Err(error) if error.is_unavailable() => {
                return crate::skip("debian::fetched_tools_run_and_find_their_databases", error);
            }
            Err(error) => panic!("{error}"),
        };
        run(tools.nextpnr_xilinx().arg("--version"), "asking nextpnr for its version", "").unwrap();
        // It offers the sizes whose databases it finds.
        let output = run(tools.nextpnr_ecp5().arg("--help"), "asking nextpnr for its devices", "").unwrap();
        let text =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(text.contains("--85k"), "{text}");
    }
}
