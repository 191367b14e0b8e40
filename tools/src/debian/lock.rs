//! Lists of pinned packages, `tools/debian.lock`, `tools/fpga.lock` and `tools/liberty.lock`.
//!
//! A line a package: the tree it belongs to, name, version, SHA-256 of its file, and the file's path on a mirror.

use crate::ToolError;
use sha2::{Digest, Sha256};
use std::path::Path;

/// Which tree a package is unpacked to. They never mix: they are of different releases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Suite {
    /// QEMU and its libraries.
    Qemu,
    /// What runs in the guest.
    Guest,
    /// Place and route, bitstream tools and their databases, with their libraries.
    Fpga,
    /// A library of standard cells.
    Liberty,
}

impl Suite {
    /// The word in the lock file, and the folder's name.
    pub fn name(self) -> &'static str {
        match self {
            Suite::Qemu => "qemu",
            Suite::Guest => "guest",
            Suite::Fpga => "fpga",
            Suite::Liberty => "liberty",
        }
    }

    fn parse(word: &str) -> Option<Suite> {
        [Suite::Qemu, Suite::Guest, Suite::Fpga, Suite::Liberty]
            .into_iter()
            .find(|suite| suite.name() == word)
    }
}

/// One pinned package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Package {
    /// The tree it goes to.
    pub suite: Suite,
    /// Its name.
    pub name: String,
    /// Its version, with the epoch.
    pub version: String,
    /// SHA-256 of its file, hexadecimal.
    pub sha256: String,
    /// The file's path below the mirror's root, as in an address: `+` and `~` may be escaped.
    pub path: String,
}

/// Packages, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Set {
    /// One of each name in a suite.
    pub packages: Vec<Package>,
}

/// The second line of a lock file; the first one says what it is for and what writes it.
const COLUMNS: &str = "# tree, name, version, SHA-256, path on a Debian mirror\n";

impl Set {
    /// Packages in any order.
    pub fn new(mut packages: Vec<Package>) -> Set {
        packages.sort();
        Set { packages }
    }

    /// Reads a lock file.
    pub fn read(path: &Path) -> Result<Set, ToolError> {
        let text = std::fs::read_to_string(path).map_err(ToolError::io("read", path))?;
        Set::parse(&text).map_err(|line| {
            let why = format!("line {line} does not hold five words: tree, name, version, SHA-256, path");
            ToolError::io("understand", path)(std::io::Error::new(std::io::ErrorKind::InvalidData, why))
        })
    }

    /// Writes a lock file under the line `heading`, whole or not at all.
    pub fn write(&self, heading: &str, path: &Path) -> Result<(), ToolError> {
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        std::fs::write(&partial, self.text(heading)).map_err(ToolError::io("write", &partial))?;
        std::fs::rename(&partial, path).map_err(ToolError::io("create", path))
    }

    /// What tells one set from another: the beginning of a hash of its lock file.
    pub fn digest(&self, heading: &str) -> String {
        hex::encode(&Sha256::digest(self.text(heading))[..6])
    }

    /// The version of the package in `suite` whose name begins so, or nothing.
    pub fn version(&self, suite: Suite, name: &str) -> String {
        let package = self.packages.iter().find(|one| one.suite == suite && one.name.starts_with(name));
        package.map_or_else(String::new, |one| one.version.clone())
    }

    /// What `other` has instead of what this set has, a sentence each.
    pub fn differences(&self, other: &Set) -> Vec<String> {
        let version = |set: &Set, wanted: &Package| {
            let same = |one: &&Package| one.suite == wanted.suite && one.name == wanted.name;
            set.packages.iter().find(same).cloned()
        };
        let mut lines = Vec::new();
        for mine in &self.packages {
            match version(other, mine) {
                None => lines.push(format!("{} {} is gone", mine.name, mine.version)),
                Some(theirs) if theirs.version != mine.version => {
                    lines.push(format!("{} {} instead of {}", mine.name, theirs.version, mine.version));
                }
                Some(theirs) if theirs != *mine => {
                    lines.push(format!("{} {} is another file of that version", mine.name, mine.version));
                }
                Some(_) => {}
            }
        }
        let new = other.packages.iter().filter(|theirs| version(self, theirs).is_none());
        lines.extend(new.map(|theirs| format!("{} {} is new", theirs.name, theirs.version)));
        lines
    }

    /// The text of a lock file.
    fn text(&self, heading: &str) -> String {
        let mut text = format!("# {heading}\n{COLUMNS}");
        for Package { suite, name, version, sha256, path } in &self.packages {
            text += &format!("{} {name} {version} {sha256} {path}\n", suite.name());
        }
        text
    }

    /// The set in a lock file's text, or the number of the line that is wrong.
    fn parse(text: &str) -> Result<Set, usize> {
        let mut packages = Vec::new();
        for (index, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let words: Vec<&str> = line.split_whitespace().collect();
            let [suite, name, version, sha256, path] = words[..] else { return Err(index + 1) };
            let digest = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
            // A path that climbs would be fetched from elsewhere than below the mirror's root.
            if !digest || path.starts_with('/') || path.split('/').any(|part| part == "..") {
                return Err(index + 1);
            }
            packages.push(Package {
                suite: Suite::parse(suite).ok_or(index + 1)?,
                name: name.to_owned(),
                version: version.to_owned(),
                sha256: sha256.to_owned(),
                path: path.to_owned(),
            });
        }
        Ok(Set::new(packages))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, version: &str) -> Package {
        Package {
            suite: Suite::Qemu,
            name: name.to_owned(),
            version: version.to_owned(),
            sha256: "0123456789abcdef".repeat(4),
            path: format!("pool/main/{name}_{version}_amd64.deb"),
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let set = Set::new(vec![package("b", "1:2+ds-1~bpo13+1"), package("a", "3")]);
        assert_eq!(Set::parse(&set.text("of a test")), Ok(set.clone()));
        assert_ne!(set.digest(""), Set::new(vec![package("a", "3")]).digest(""));
    }

    #[test]
    fn a_wrong_line_is_named() {
        let good = Set::new(vec![package("a", "3")]).text("of a test");
        assert_eq!(Set::parse(&format!("{good}qemu b 1 00 pool/b.deb\n")), Err(4));
        assert_eq!(Set::parse(&good.replace("pool/main", "pool/../..")), Err(3));
        assert_eq!(Set::parse(&good.replace("qemu ", "other ")), Err(3));
    }

    #[test]
    fn differences_name_both_versions() {
        let old = Set::new(vec![package("a", "1"), package("b", "1"), package("c", "1")]);
        let new = Set::new(vec![package("a", "1"), package("b", "2"), package("d", "1")]);
        assert_eq!(old.differences(&new), ["b 2 instead of 1", "c 1 is gone", "d 1 is new"]);
        assert!(old.differences(&old).is_empty());
    }
}
