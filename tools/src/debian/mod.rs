//! Debian packages: the guest that the driver is tested in, the tools that place, route and pack for FPGAs, and a library
//! of standard cells.
//!
//! Nothing is installed. The packages are taken from the Debian mirror that the machine's own apt uses, checked against
//! the SHA-256 in a lock file below `tools`, and unpacked below `.spandrel/tools`; programs run with their own dynamic
//! loader and libraries, so what the machine has does not matter. It needs apt, dpkg-deb and a Debian mirror among apt's
//! sources, and no rights.
//!
//! Mirrors keep only the newest of each package. When a pinned one is gone, apt resolves the set anew, in a state of its
//! own and with the signatures checked, and standard error says what was taken instead; the verbs with `--update` pin that.

mod fetch;
mod fpga;
mod guest;
mod liberty;
mod lock;
mod resolve;
mod sources;

pub use fpga::{FpgaTools, fpga_tools, update_fpga_lock};
pub use guest::{GUEST_MODULES, GuestPackages, guest_packages, update_guest_lock};
pub use liberty::osu018_liberty;

use crate::{FileLock, ToolError, checkout_root, find_program, tools_dir};
use lock::{Package, Set, Suite};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Folder of libraries below the root of an unpacked Debian tree for x86-64.
const LIBRARIES: &str = "usr/lib/x86_64-linux-gnu";

/// Packages that are pinned in one file and fetched together.
struct Collection {
    /// What the names of its folders and locks below `.spandrel/tools` begin with.
    name: &'static str,
    /// What it is, as in "… cannot be had".
    what: &'static str,
    /// What is fetched, from where, and how much it is.
    announcement: &'static str,
    /// Name of the lock file below `tools`.
    lock: &'static str,
    /// First line of the lock file.
    heading: &'static str,
    /// The command that pins what a mirror offers.
    update: &'static str,
    /// Debian's releases that it is taken from, blanks between.
    releases: &'static str,
    /// Its trees.
    trees: &'static [Tree],
    /// Refuses a set in which something is missing or too old.
    check: fn(&Set) -> Result<(), ToolError>,
    /// Whether everything is below this folder.
    is_complete: fn(&Path) -> bool,
}

/// Packages of one release, unpacked to one tree.
struct Tree {
    suite: Suite,
    /// The release that they and their dependencies are taken from first.
    release: &'static str,
    /// What is asked for; dependencies come with it.
    wanted: &'static [&'static str],
    /// Whether a package of the closure is needed.
    is_needed: fn(&Package) -> bool,
    /// Moves what is needed of the unpacked tree (the first folder) to the second one.
    keep: fn(&Path, &Path) -> Result<(), ToolError>,
}

impl Collection {
    fn lock_path(&self) -> PathBuf {
        checkout_root().join("tools").join(self.lock)
    }

    /// Where a set is unpacked: sets that differ in any file lie apart.
    fn place(&self, set: &Set) -> PathBuf {
        tools_dir().join(format!("{}-{}", self.name, set.digest(self.heading)))
    }

    /// Where it is noted which set was taken instead of a pinned one.
    fn replacement_path(&self, pinned: &Set) -> PathBuf {
        tools_dir().join(format!("{}-{}.replacement", self.name, pinned.digest(self.heading)))
    }

    fn installed(&self, set: Set) -> Option<(PathBuf, Set)> {
        let place = self.place(&set);
        (self.is_complete)(&place).then_some((place, set))
    }

    /// What stands in for pinned packages, if an earlier run found them gone.
    fn replacement(&self, pinned: &Set) -> Option<(PathBuf, Set)> {
        let found = self.installed(Set::read(&self.replacement_path(pinned)).ok()?)?;
        let others = pinned.differences(&found.1).len();
        eprintln!(
            "spandrel: {others} package(s) stand in for pinned ones that the mirror no longer had; `{}` pins them",
            self.update
        );
        Some(found)
    }

    fn complete(&self, set: Set) -> Result<(PathBuf, Set), ToolError> {
        let place = self.place(&set);
        let missing = || {
            let why = format!("not all of {} is there after unpacking", self.what);
            std::io::Error::new(std::io::ErrorKind::NotFound, why)
        };
        self.installed(set).ok_or_else(|| ToolError::io("use", place)(missing()))
    }

    fn unavailable(&self, reason: impl Into<String>, remedy: &'static str) -> ToolError {
        ToolError::Unavailable { what: self.what, reason: reason.into(), remedy }
    }

    fn check_platform(&self) -> Result<(), ToolError> {
        if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
            return Ok(());
        }
        let found = format!("{} {}", std::env::consts::ARCH, std::env::consts::OS);
        Err(self.unavailable(
            format!("they are for x86-64 Linux, and this machine is {found}"),
            "run it on an x86-64 Debian machine",
        ))
    }
}

/// The folder of a collection, fetched on first use, and what is in it.
fn obtain(collection: &Collection) -> Result<(PathBuf, Set), ToolError> {
    collection.check_platform()?;
    let pinned = Set::read(&collection.lock_path())?;
    let there = || collection.installed(pinned.clone()).or_else(|| collection.replacement(&pinned));
    if let Some(found) = there() {
        return Ok(found);
    }
    let _lock = lock(collection)?;
    if let Some(found) = there() {
        return Ok(found);
    }
    let apt = Apt::find(collection)?;
    eprintln!("spandrel: fetching {}", collection.announcement);
    match fetch::install(&apt, collection, &pinned, &collection.place(&pinned)) {
        Ok(()) => {}
        Err(ToolError::Failed { last_lines, .. }) => {
            eprintln!("spandrel: not all pinned packages could be fetched; asking the mirror what it has");
            let offered = resolve::resolve(&apt, collection)?;
            if offered == pinned {
                let why =
                    format!("the mirror lists the pinned packages and does not serve them: {last_lines}");
                return Err(collection.unavailable(why, "see that the mirror can be reached, and try again"));
            }
            for line in pinned.differences(&offered) {
                eprintln!("spandrel: {line}");
            }
            eprintln!("spandrel: taken as the mirror signs them; `{}` pins them", collection.update);
            fetch::install(&apt, collection, &offered, &collection.place(&offered))?;
            offered.write(collection.heading, &collection.replacement_path(&pinned))?;
            return collection.complete(offered);
        }
        Err(error) => return Err(error),
    }
    collection.complete(pinned)
}

/// Pins what the mirror offers now, and unpacks it; gives the folder, what is in it, and a line for each change.
fn update(collection: &Collection) -> Result<(PathBuf, Set, Vec<String>), ToolError> {
    collection.check_platform()?;
    let _lock = lock(collection)?;
    let apt = Apt::find(collection)?;
    let before = Set::read(&collection.lock_path()).unwrap_or_default();
    let offered = resolve::resolve(&apt, collection)?;
    if collection.installed(offered.clone()).is_none() {
        eprintln!("spandrel: fetching {} packages from Debian", offered.packages.len());
        fetch::install(&apt, collection, &offered, &collection.place(&offered))?;
    }
    let (place, set) = collection.complete(offered)?;
    set.write(collection.heading, &collection.lock_path())?;
    let changes = before.differences(&set);
    Ok((place, set, changes))
}

fn lock(collection: &Collection) -> Result<FileLock, ToolError> {
    let path = tools_dir().join(format!("{}.lock", collection.name));
    FileLock::acquire(&path, &format!("fetch {}", collection.what))
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A program of an unpacked tree, run by the tree's own loader with the tree's libraries.
fn with_own_loader(root: &Path, program: &str) -> Command {
    let libraries = root.join(LIBRARIES);
    let mut command = Command::new(libraries.join("ld-linux-x86-64.so.2"));
    command.arg("--library-path").arg(&libraries).arg(root.join("usr/bin").join(program));
    command
}

/// Removes folders and files below `usr` that nothing runs or reads.
fn remove_needless(root: &Path, needless: &[&str]) {
    for path in needless.iter().map(|path| root.join("usr").join(path)) {
        let _ = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    }
}

/// The entry of a folder whose name begins so.
fn only(folder: &Path, beginning: &str) -> Result<PathBuf, ToolError> {
    let entries = std::fs::read_dir(folder).map_err(ToolError::io("read", folder))?;
    entries
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(beginning)))
        .ok_or_else(|| ToolError::io("find a kernel in", folder)(std::io::ErrorKind::NotFound.into()))
}

/// The machine's package tools, and the mirror that its apt uses.
struct Apt {
    /// `apt-get`.
    get: PathBuf,
    /// apt's own downloader of single files, with its settings of proxies and time-outs.
    helper: PathBuf,
    dpkg_deb: PathBuf,
    mirror: sources::Mirror,
}

impl Apt {
    fn find(collection: &Collection) -> Result<Apt, ToolError> {
        let remedy = "run it on Debian 12 or newer, or in a container of it";
        let lacking =
            |program: &str| collection.unavailable(format!("{program} is not on this machine"), remedy);
        let get = find_program("apt-get").ok_or_else(|| lacking("apt-get"))?;
        let dpkg_deb = find_program("dpkg-deb").ok_or_else(|| lacking("dpkg-deb"))?;
        let helper = PathBuf::from("/usr/lib/apt/apt-helper");
        if !helper.is_file() {
            return Err(lacking("apt-helper"));
        }
        let mirror = sources::debian_mirror(Path::new("/etc/apt"))
            .ok_or_else(|| collection.unavailable("apt's sources name no mirror of Debian", remedy))?;
        Ok(Apt { get, helper, dpkg_deb, mirror })
    }
}
