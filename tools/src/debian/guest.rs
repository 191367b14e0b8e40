//! Debian packages for the guest that the driver is tested in: QEMU with its libraries, a kernel, busybox.

use super::lock::{Package, Set, Suite};
use super::{Collection, LIBRARIES, Tree, file_name, only, remove_needless, with_own_loader};
use crate::ToolError;
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

/// The package of QEMU.
const QEMU: &str = "qemu-system-x86";
/// What the name of the kernel's package begins with; the rest is its build.
const KERNEL: &str = "linux-image-6.1.";
/// The package that depends on the newest such kernel.
const NEWEST_KERNEL: &str = "linux-image-cloud-amd64";
const BUSYBOX: &str = "busybox-static";
/// The oldest QEMU that attaches a vfio-user device.
const OLDEST_QEMU: (u32, u32) = (10, 1);

/// The guest's packages.
const GUEST: Collection = Collection {
    name: "guest",
    what: "the packages of the guest",
    announcement: "QEMU, a kernel and busybox from Debian (65 MB)",
    lock: "debian.lock",
    heading: "Packages for the guest that the driver is tested in. Written by `cargo xtask guest --update`.",
    update: "cargo xtask guest --update",
    releases: "bookworm trixie trixie-backports",
    trees: &[
        // The first release whose backports have vfio-user as a client; the libraries are of the release below it.
        Tree {
            suite: Suite::Qemu,
            release: "trixie-backports",
            wanted: &[QEMU],
            is_needed: is_needed_by_qemu,
            keep: keep_qemu,
        },
        // A release whose kernel has VFIO with groups as modules, uncompressed.
        Tree {
            suite: Suite::Guest,
            release: "bookworm",
            wanted: &[NEWEST_KERNEL, BUSYBOX],
            is_needed: is_needed_by_guest,
            keep: keep_guest,
        },
    ],
    check,
    is_complete: |place| GuestPackages::new(place, &Set::default()).is_complete(),
};

/// The packages of `tools/debian.lock`, fetched on first use into `.spandrel/tools` (65 MB to fetch, 150 MB on the disk).
///
/// Where they cannot be had (another system, no Debian mirror, no network) the error says so of itself:
/// [`ToolError::is_unavailable`].
pub fn guest_packages() -> Result<GuestPackages, ToolError> {
    let (place, set) = super::obtain(&GUEST)?;
    Ok(GuestPackages::new(&place, &set))
}

/// Writes what the mirror offers now to `tools/debian.lock`, and unpacks it; gives the packages and a line for each that
/// changed.
pub fn update_guest_lock() -> Result<(GuestPackages, Vec<String>), ToolError> {
    let (place, set, changes) = super::update(&GUEST)?;
    Ok((GuestPackages::new(&place, &set), changes))
}

impl GuestPackages {
    /// QEMU for an x86-64 guest, with its own loader, libraries and firmware; arguments are to be added.
    pub fn qemu(&self) -> Command {
        let mut command = with_own_loader(&self.qemu, "qemu-system-x86_64");
        for firmware in ["usr/share/qemu", "usr/share/seabios"] {
            command.arg("-L").arg(self.qemu.join(firmware));
        }
        // Optional parts are loaded from a folder that is compiled in; the machine's own would not fit.
        command.env("QEMU_MODULE_DIR", self.qemu.join(LIBRARIES).join("qemu"));
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
        GuestPackages {
            qemu: home.join(Suite::Qemu.name()),
            guest: home.join(Suite::Guest.name()),
            qemu_version: set.version(Suite::Qemu, QEMU),
            kernel_version: set.version(Suite::Guest, KERNEL),
        }
    }

    fn is_complete(&self) -> bool {
        self.qemu.join("usr/bin/qemu-system-x86_64").is_file()
            && self.kernel().is_file()
            && self.busybox().is_file()
            && self.modules().iter().all(|path| path.is_file())
    }
}

/// Keeps QEMU, its libraries and its firmware; documentation and the program for 32-bit guests are a third of it.
fn keep_qemu(from: &Path, to: &Path) -> Result<(), ToolError> {
    remove_needless(from, &["share/doc", "share/locale", "share/man", "share/alsa", "share/bash-completion"]);
    let _ = std::fs::remove_file(from.join("usr/bin/qemu-system-i386"));
    std::fs::rename(from, to).map_err(ToolError::io("create", to))
}

/// Keeps the kernel's image, the modules that the guest inserts, and busybox.
fn keep_guest(from: &Path, to: &Path) -> Result<(), ToolError> {
    let modules = to.join("modules");
    std::fs::create_dir_all(&modules).map_err(ToolError::io("create", &modules))?;
    let take = |file: PathBuf, name: &Path| std::fs::rename(&file, name).map_err(ToolError::io("find", file));
    take(only(&from.join("boot"), "vmlinuz-")?, &to.join("vmlinuz"))?;
    // Where / and /usr are one, the package has it in the one or the other.
    let bin = ["bin/busybox", "usr/bin/busybox"].map(|path| from.join(path));
    let busybox = bin.iter().find(|path| path.is_file()).unwrap_or(&bin[0]);
    take(busybox.clone(), &to.join("busybox"))?;
    let tree = only(&from.join("lib/modules"), "").or_else(|_| only(&from.join("usr/lib/modules"), ""))?;
    for module in GUEST_MODULES {
        take(tree.join("kernel").join(module), &modules.join(file_name(module)))?;
    }
    Ok(())
}

/// Whether a package of the closure holds something that QEMU loads. The others (users, passwords, network ROMs) are for
/// installed systems.
fn is_needed_by_qemu(package: &Package) -> bool {
    let name = package.name.as_str();
    let library = name.starts_with("lib") || name == "zlib1g" || name.starts_with("gcc-");
    library && !name.ends_with("-common") && !name.ends_with("-base")
        || [QEMU, "qemu-system-data", "qemu-system-common", "seabios"].contains(&name)
}

/// Whether the guest boots with a package of the closure; initramfs tools are for installed systems.
fn is_needed_by_guest(package: &Package) -> bool {
    package.name.starts_with(KERNEL) || package.name == BUSYBOX
}

fn check(set: &Set) -> Result<(), ToolError> {
    let remedy = "use a Debian mirror that carries bookworm, trixie and trixie-backports";
    let find = |suite, name: &str| {
        let found = set.packages.iter().find(|one| one.suite == suite && one.name.starts_with(name));
        found.ok_or_else(|| GUEST.unavailable(format!("the mirror offers no {name} that fits"), remedy))
    };
    find(Suite::Guest, KERNEL)?;
    find(Suite::Guest, BUSYBOX)?;
    find(Suite::Qemu, "libc6")?;
    check_qemu(&find(Suite::Qemu, QEMU)?.version)
}

/// Refuses a QEMU without vfio-user.
fn check_qemu(version: &str) -> Result<(), ToolError> {
    let upstream = version.split_once(':').map_or(version, |(_, upstream)| upstream);
    let mut numbers =
        upstream.split(|other: char| !other.is_ascii_digit()).map_while(|text| text.parse::<u32>().ok());
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if found >= OLDEST_QEMU {
        return Ok(());
    }
    let (major, minor) = OLDEST_QEMU;
    Err(GUEST.unavailable(
        format!("the mirror's QEMU is {version}, and vfio-user needs {major}.{minor} or newer"),
        "use a mirror that carries trixie-backports",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run;

    #[test]
    fn the_committed_lock_pins_what_is_needed() {
        let set = Set::read(&GUEST.lock_path()).unwrap();
        let names: Vec<_> = set.packages.iter().map(|one| one.name.as_str()).collect();
        for needed in [QEMU, "qemu-system-data", "seabios", "libc6", "busybox-static"] {
            assert!(names.contains(&needed), "{needed} is not in {}", GUEST.lock_path().display());
        }
        assert!(names.iter().any(|name| name.starts_with(KERNEL)), "{names:?}");
        let qemu = set.packages.iter().find(|one| one.name == QEMU).unwrap();
        check_qemu(&qemu.version).unwrap();
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

    #[test]
    fn an_old_qemu_is_refused() {
        for good in ["1:11.1.3+ds-1~bpo13+1", "1:10.1~rc0", "12"] {
            assert!(check_qemu(good).is_ok(), "{good}");
        }
        for bad in ["1:10.0.13+ds-0+deb13u1", "1:7.2+dfsg", "", "x"] {
            let message = check_qemu(bad).unwrap_err().to_string();
            assert!(message.contains("10.1 or newer"), "{message}");
        }
    }
}
