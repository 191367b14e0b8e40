//! Debian packages for the guest that the driver is tested in: QEMU with its libraries, a kernel, busybox.
//!
//! Nothing is installed. The packages are taken from the Debian mirror that the machine's own apt uses, checked against
//! the SHA-256 in `tools/debian.lock`, and unpacked below `.spandrel/tools`; QEMU runs with its own dynamic loader and
//! libraries, so what the machine has does not matter. It needs apt, dpkg-deb and a Debian mirror among apt's sources,
//! and no rights.
//!
//! Mirrors keep only the newest of each package. When a pinned one is gone, apt resolves the set anew, in a state of its
//! own and with the signatures checked, and standard error says what was taken instead; [`update_guest_lock`] pins that.

mod fetch;
mod lock;
mod resolve;
mod sources;

use crate::{FileLock, ToolError, checkout_root, find_program, tools_dir};
use lock::{Set, Suite};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the guest test boots with, unpacked.
#[derive(Clone, Debug)]
pub struct GuestPackages {
    /// Root of the tree that the packages of QEMU and its libraries were unpacked to.
    qemu: PathBuf,
    /// Root of the tree of what runs in the guest.
    guest: PathBuf,
    /// Version of QEMU, as Debian numbers it.
    pub qemu_version: String,
    /// Name of the kernel's package, with its version.
    pub kernel_version: String,
}

/// The kernel modules that the guest inserts, in the order in which they depend on each other, by path below `kernel`
/// of the modules' folder.
pub const GUEST_MODULES: [&str; 8] = [
    "virt/lib/irqbypass.ko",
    "drivers/vfio/vfio.ko",
    "drivers/vfio/vfio_virqfd.ko",
    "drivers/vfio/vfio_iommu_type1.ko",
    "drivers/vfio/pci/vfio-pci-core.ko",
    "drivers/vfio/pci/vfio-pci.ko",
    "drivers/uio/uio.ko",
    "drivers/uio/uio_pci_generic.ko",
];

/// Folder of libraries below the root of an unpacked Debian tree for x86-64.
const LIBRARIES: &str = "usr/lib/x86_64-linux-gnu";

impl GuestPackages {
    /// QEMU for an x86-64 guest, with its own loader, libraries and firmware; arguments are to be added.
    pub fn qemu(&self) -> Command {
        let libraries = self.qemu.join(LIBRARIES);
        let mut command = Command::new(libraries.join("ld-linux-x86-64.so.2"));
        command.arg("--library-path").arg(&libraries).arg(self.qemu.join("usr/bin/qemu-system-x86_64"));
        for firmware in ["usr/share/qemu", "usr/share/seabios"] {
            command.arg("-L").arg(self.qemu.join(firmware));
        }
        // Optional parts are loaded from a folder that is compiled in; the machine's own would not fit.
        command.env("QEMU_MODULE_DIR", libraries.join("qemu"));
        command
    }

    /// The kernel's image.
    pub fn kernel(&self) -> PathBuf {
        self.guest.join("vmlinuz")
    }

    /// The statically linked busybox.
    pub fn busybox(&self) -> PathBuf {
        self.guest.join("busybox")
    }

    /// The kernel modules, uncompressed, in the order in which to insert them.
    pub fn modules(&self) -> Vec<PathBuf> {
        GUEST_MODULES.iter().map(|path| self.guest.join("modules").join(file_name(path))).collect()
    }

    fn new(home: &Path, set: &Set) -> GuestPackages {
        let version = |suite, name: &str| {
            let package = set.packages.iter().find(|one| one.suite == suite && one.name.starts_with(name));
            package.map_or_else(String::new, |one| one.version.clone())
        };
        GuestPackages {
            qemu: home.join(Suite::Qemu.name()),
            guest: home.join(Suite::Guest.name()),
            qemu_version: version(Suite::Qemu, resolve::QEMU),
            kernel_version: version(Suite::Guest, resolve::KERNEL),
        }
    }

    fn is_complete(&self) -> bool {
        self.qemu.join("usr/bin/qemu-system-x86_64").is_file()
            && self.kernel().is_file()
            && self.busybox().is_file()
            && self.modules().iter().all(|path| path.is_file())
    }
}

/// The packages of `tools/debian.lock`, fetched on first use into `.spandrel/tools` (65 MB to fetch, 150 MB on the disk).
///
/// Where they cannot be had (another system, no Debian mirror, no network) the error says so of itself:
/// [`ToolError::is_unavailable`].
pub fn guest_packages() -> Result<GuestPackages, ToolError> {
    check_platform()?;
    let pinned = Set::read(&lock_path())?;
    let place = place(&pinned);
    if let Some(found) = installed(&place, &pinned).or_else(|| replacement(&pinned)) {
        return Ok(found);
    }
    let _lock = FileLock::acquire(&tools_dir().join("guest.lock"), "fetch the guest's packages")?;
    if let Some(found) = installed(&place, &pinned).or_else(|| replacement(&pinned)) {
        return Ok(found);
    }
    let apt = Apt::find()?;
    eprintln!("spandrel: fetching QEMU, a kernel and busybox from Debian (65 MB)");
    match fetch::install(&apt, &pinned, &place) {
        Ok(()) => {}
        Err(ToolError::Failed { last_lines, .. }) => {
            eprintln!("spandrel: not all pinned packages could be fetched; asking the mirror what it has");
            let offered = resolve::resolve(&apt)?;
            if offered == pinned {
                let why =
                    format!("the mirror lists the pinned packages and does not serve them: {last_lines}");
                return Err(unavailable(why, "see that the mirror can be reached, and try again"));
            }
            for line in pinned.differences(&offered) {
                eprintln!("spandrel: {line}");
            }
            eprintln!("spandrel: taken as the mirror signs them; `cargo xtask guest --update` pins them");
            let other = self::place(&offered);
            fetch::install(&apt, &offered, &other)?;
            offered.write(&replacement_path(&pinned))?;
            return complete(&other, &offered);
        }
        Err(error) => return Err(error),
    }
    complete(&place, &pinned)
}

/// Writes what the mirror offers now to `tools/debian.lock`, and unpacks it; gives the packages and a line for each that
/// changed.
pub fn update_guest_lock() -> Result<(GuestPackages, Vec<String>), ToolError> {
    check_platform()?;
    let _lock = FileLock::acquire(&tools_dir().join("guest.lock"), "fetch the guest's packages")?;
    let apt = Apt::find()?;
    let before = Set::read(&lock_path()).unwrap_or_default();
    let offered = resolve::resolve(&apt)?;
    let place = place(&offered);
    if installed(&place, &offered).is_none() {
        eprintln!("spandrel: fetching {} packages from Debian", offered.packages.len());
        fetch::install(&apt, &offered, &place)?;
    }
    let found = complete(&place, &offered)?;
    offered.write(&lock_path())?;
    Ok((found, before.differences(&offered)))
}

fn lock_path() -> PathBuf {
    checkout_root().join("tools").join("debian.lock")
}

/// Where a set is unpacked: sets that differ in any file lie apart.
fn place(set: &Set) -> PathBuf {
    tools_dir().join(format!("guest-{}", set.digest()))
}

/// Where it is noted which set was taken instead of a pinned one.
fn replacement_path(pinned: &Set) -> PathBuf {
    tools_dir().join(format!("guest-{}.replacement", pinned.digest()))
}

fn replacement(pinned: &Set) -> Option<GuestPackages> {
    let set = Set::read(&replacement_path(pinned)).ok()?;
    let found = installed(&place(&set), &set)?;
    eprintln!(
        "spandrel: QEMU {} and Linux {} stand in for pinned packages that the mirror no longer had",
        found.qemu_version, found.kernel_version
    );
    Some(found)
}

fn installed(place: &Path, set: &Set) -> Option<GuestPackages> {
    Some(GuestPackages::new(place, set)).filter(GuestPackages::is_complete)
}

fn complete(place: &Path, set: &Set) -> Result<GuestPackages, ToolError> {
    installed(place, set).ok_or_else(|| {
        let action = "find QEMU, the kernel, its modules and busybox in";
        ToolError::io(action, place)(std::io::ErrorKind::NotFound.into())
    })
}

fn check_platform() -> Result<(), ToolError> {
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Ok(());
    }
    let found = format!("{} {}", std::env::consts::ARCH, std::env::consts::OS);
    Err(unavailable(
        format!("they are for x86-64 Linux, and this machine is {found}"),
        "run it on an x86-64 Debian machine",
    ))
}

fn unavailable(reason: impl Into<String>, remedy: &'static str) -> ToolError {
    ToolError::Unavailable { what: "the packages of the guest", reason: reason.into(), remedy }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
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
    fn find() -> Result<Apt, ToolError> {
        let remedy = "run it on Debian 12 or newer, or in a container of it";
        let lacking = |program: &str| unavailable(format!("{program} is not on this machine"), remedy);
        let get = find_program("apt-get").ok_or_else(|| lacking("apt-get"))?;
        let dpkg_deb = find_program("dpkg-deb").ok_or_else(|| lacking("dpkg-deb"))?;
        let helper = PathBuf::from("/usr/lib/apt/apt-helper");
        if !helper.is_file() {
            return Err(lacking("apt-helper"));
        }
        let mirror = sources::debian_mirror(Path::new("/etc/apt"))
            .ok_or_else(|| unavailable("apt's sources name no mirror of Debian", remedy))?;
        Ok(Apt { get, helper, dpkg_deb, mirror })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run;

    #[test]
    fn the_committed_lock_pins_what_is_needed() {
        let set = Set::read(&lock_path()).unwrap();
        let names: Vec<_> = set.packages.iter().map(|one| one.name.as_str()).collect();
        for needed in [resolve::QEMU, "qemu-system-data", "seabios", "libc6", "busybox-static"] {
            assert!(names.contains(&needed), "{needed} is not in {}", lock_path().display());
        }
        assert!(names.iter().any(|name| name.starts_with(resolve::KERNEL)), "{names:?}");
        let qemu = set.packages.iter().find(|one| one.name == resolve::QEMU).unwrap();
        resolve::check_qemu(&qemu.version).unwrap();
    }

    #[test]
    fn fetched_qemu_runs_and_knows_vfio_user() {
        let packages = match guest_packages() {
            Ok(packages) => packages,
            Err(error) if error.is_unavailable() => {
                return crate::skip("debian::fetched_qemu_runs_and_knows_vfio_user", error);
            }
            Err(error) => panic!("{error}"),
        };
        let output =
            run(packages.qemu().args(["-device", "help"]), "asking QEMU for its devices", "").unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("\"vfio-user-pci\""), "{text}");
    }
}
