//! Fetches, checks and unpacks a set of packages.

use super::lock::{Package, Set};
use super::{Apt, Collection};
use crate::{ToolError, run};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Fetches every package of the set, checks each against its SHA-256, and unpacks what is needed of them to `place`,
/// which appears whole or not at all. The caller holds the lock of the collection.
///
/// [`ToolError::Failed`] means that a package could not be fetched; what was wrong with one that was has another error.
pub(super) fn install(apt: &Apt, collection: &Collection, set: &Set, place: &Path) -> Result<(), ToolError> {
    let mut name = place.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    let scratch = place.with_file_name(name);
    let _ = std::fs::remove_dir_all(&scratch);
    let result = unpack_all(apt, collection, set, &scratch).and_then(|unpacked| {
        // A folder that lacks something is what a deletion by hand left behind.
        if place.exists() {
            std::fs::remove_dir_all(place).map_err(ToolError::io("remove", place))?;
        }
        std::fs::rename(&unpacked, place).map_err(ToolError::io("create", place))
    });
    let _ = std::fs::remove_dir_all(&scratch);
    result
}

fn unpack_all(apt: &Apt, collection: &Collection, set: &Set, scratch: &Path) -> Result<PathBuf, ToolError> {
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
    for tree in collection.trees {
        (tree.keep)(&scratch.join(tree.suite.name()), &unpacked.join(tree.suite.name()))?;
    }
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
