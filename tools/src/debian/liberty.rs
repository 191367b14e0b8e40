//! A library of standard cells that anyone can fetch: OSU's for TSMC's 180 nm process, from Debian.

use super::lock::{Package, Set, Suite};
use super::{Collection, Tree};
use crate::ToolError;
use std::path::{Path, PathBuf};

const PACKAGE: &str = "qflow-tech-osu018";
/// Its liberty file in the package.
const FILE: &str = "usr/share/qflow/tech/osu018/osu018_stdcells.lib";

/// The package has no dependency that is needed: it is data.
const LIBERTY: Collection = Collection {
    name: "liberty",
    what: "the standard cells of osu018",
    announcement: "the standard cells of osu018 from Debian (62 kB)",
    lock: "liberty.lock",
    heading: "A library of standard cells. Pinned by hand: Debian stable's package of 2022.",
    update: "tools/liberty.lock",
    releases: "stable",
    trees: &[Tree { suite: Suite::Liberty, release: "stable", wanted: &[PACKAGE], is_needed, keep }],
    check,
    is_complete: |place| file(place).is_file(),
};

/// The liberty file of osu018, fetched on first use into `.spandrel/tools`.
///
/// Where it cannot be had (another system, no Debian mirror, no network) the error says so of itself:
/// [`ToolError::is_unavailable`].
pub fn osu018_liberty() -> Result<PathBuf, ToolError> {
    super::obtain(&LIBERTY).map(|(place, _)| file(&place))
}

fn file(place: &Path) -> PathBuf {
    place.join(Suite::Liberty.name()).join(FILE)
}

fn is_needed(package: &Package) -> bool {
    package.name == PACKAGE
}

fn keep(from: &Path, to: &Path) -> Result<(), ToolError> {
    std::fs::rename(from, to).map_err(ToolError::io("create", to))
}

fn check(set: &Set) -> Result<(), ToolError> {
    match set.packages.iter().any(is_needed) {
        true => Ok(()),
        false => Err(LIBERTY.unavailable("Debian does not offer it", "name other cells with --liberty")),
    }
}
