//! Fetches, checks and unpacks a set of packages.

use super::lock::{Package, Set, Suite};
use super::{Apt, GUEST_MODULES, file_name};
use crate::{ToolError, run};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Fetches every package of the set, checks each against its SHA-256, and unpacks what is needed of them to `place`,
/// which appears whole or not at all. The caller holds the lock of the guest's packages.
///
/// [`ToolError::Failed`] means that a package could not be fetched; what was wrong with one that was has another error.
pub(super) fn install(apt: &Apt, set: &Set, place: &Path) -> Result<(), ToolError> {
    let mut name = place.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    let scratch = place.with_file_name(name);
    let _ = std::fs::remove_dir_all(&scratch);
    let result = unpack_all(apt, set, &scratch).and_then(|unpacked| {
        // A folder that lacks something is what a deletion by hand left behind.
        if place.exists() {
            std::fs::remove_dir_all(place).map_err(ToolError::io("remove", place))?;
        }
        std::fs::rename(&unpacked, place).map_err(ToolError::io("create", place))
    });
    let _ = std::fs::remove_dir_all(&scratch);
    result
}

fn unpack_all(apt: &Apt, set: &Set, scratch: &Path) -> Result<PathBuf, ToolError> {
    let files = scratch.join("files");
    std::fs::create_dir_all(&files).map_err(ToolError::io("create", &files))?;
    let files: Vec<(&Package, PathBuf)> = set
        .packages
        .iter()
        .map(|one| (one, files.join(format!("{}-{}", one.suite.name(), one.name))))
        .collect();

    // apt's own downloader, so that its proxies and time-outs hold; one call, so that it keeps its connection.
    let mut command = Command::new(&apt.helper);
    command.args([
        "-o",
        "Acquire::Retries=2",
        "-o",
        "Acquire::http::Timeout=30",
        "-o",
        "Acquire::https::Timeout=30",
    ]);
    command.arg("download-file").env("LC_ALL", "C");
    for (package, file) in &files {
        command.arg(format!("{}/{}", apt.mirror.address, package.path)).arg(file);
    }
    run(&mut command, "fetching packages", "see that the Debian mirror of apt's sources can be reached")?;

    eprintln!("spandrel: unpacking {} packages", files.len());
    for (package, file) in &files {
        check(package, file)?;
        unpack(&apt.dpkg_deb, file, &scratch.join(package.suite.name()))?;
        std::fs::remove_file(file).map_err(ToolError::io("remove", file))?;
    }
    let unpacked = scratch.join("unpacked");
    std::fs::create_dir_all(&unpacked).map_err(ToolError::io("create", &unpacked))?;
    keep_qemu(&scratch.join(Suite::Qemu.name()), &unpacked.join(Suite::Qemu.name()))?;
    keep_guest(&scratch.join(Suite::Guest.name()), &unpacked.join(Suite::Guest.name()))?;
    Ok(unpacked)
}

fn check(package: &Package, file: &Path) -> Result<(), ToolError> {
    let bytes = std::fs::read(file).map_err(ToolError::io("read", file))?;
    let found = hex::encode(Sha256::digest(&bytes));
    if found == package.sha256 {
        return Ok(());
    }
    Err(ToolError::Checksum { file: package.path.clone(), found, wanted: package.sha256.clone() })
}

fn unpack(dpkg_deb: &Path, file: &Path, to: &Path) -> Result<(), ToolError> {
    std::fs::create_dir_all(to).map_err(ToolError::io("create", to))?;
    let what = format!("unpacking {}", file.display());
    // A disk that is full is not a package that is gone: another kind of error than a failed download's.
    run(Command::new(dpkg_deb).arg("-x").arg(file).arg(to), &what, "")
        .map(drop)
        .map_err(|error| ToolError::io("unpack a package to", to)(std::io::Error::other(error.to_string())))
}

/// Keeps QEMU, its libraries and its firmware; documentation and the program for 32-bit guests are a third of it.
fn keep_qemu(from: &Path, to: &Path) -> Result<(), ToolError> {
    for needless in ["doc", "locale", "man", "alsa", "bash-completion"] {
        let _ = std::fs::remove_dir_all(from.join("usr/share").join(needless));
    }
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

/// The entry of a folder whose name begins so.
fn only(folder: &Path, beginning: &str) -> Result<PathBuf, ToolError> {
    let entries = std::fs::read_dir(folder).map_err(ToolError::io("read", folder))?;
    entries
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(beginning)))
        .ok_or_else(|| ToolError::io("find a kernel in", folder)(std::io::ErrorKind::NotFound.into()))
}
