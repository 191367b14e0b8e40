//! The files through which Linux shows its devices.

use crate::address::PciAddress;
use crate::lock::{CardLock, LockError, usual_folder};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Where `/sys`, `/proc` and `/dev` are: the machine's own, or a tree in their image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct System {
    root: PathBuf,
}

impl Default for System {
    /// The machine's own.
    fn default() -> System {
        System { root: PathBuf::from("/") }
    }
}

impl System {
    /// The tree below `root`, which holds `sys`, `proc` and `dev`.
    pub fn at(root: impl Into<PathBuf>) -> System {
        System { root: root.into() }
    }

    /// Takes the lock of a card of this system: of a tree's in the tree, so that it is no card of the machine's.
    pub(crate) fn lock(&self, address: PciAddress) -> Result<CardLock, LockError> {
        CardLock::acquire_in(&self.lock_folder(), &address.to_string())
    }

    /// The process that has the lock of a card of this system, if one has and says so.
    pub(crate) fn lock_holder(&self, address: PciAddress) -> Option<u32> {
        CardLock::holder_in(&self.lock_folder(), &address.to_string())
    }

    fn lock_folder(&self) -> PathBuf {
        match *self == System::default() {
            true => usual_folder(),
            false => self.root.clone(),
        }
    }

    /// A path below the root, such as `sys/bus/pci/devices`.
    pub(crate) fn path(&self, below: impl AsRef<Path>) -> PathBuf {
        self.root.join(below)
    }

    /// A file as text without blanks around it; `None` where it is not there or cannot be read.
    pub(crate) fn text(&self, below: impl AsRef<Path>) -> Option<String> {
        fs::read_to_string(self.path(below)).ok().map(|text| text.trim().to_owned())
    }

    /// A file that holds a number, with or without 0x before it.
    pub(crate) fn number(&self, below: impl AsRef<Path>) -> Option<u64> {
        let text = self.text(below)?;
        match text.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).ok(),
            None => text.parse().ok(),
        }
    }

    /// The last part of what a link points at.
    pub(crate) fn link_name(&self, below: impl AsRef<Path>) -> Option<String> {
        let target = fs::read_link(self.path(below)).ok()?;
        Some(target.file_name()?.to_str()?.to_owned())
    }

    /// Names in a folder, sorted; none where there is no such folder.
    pub(crate) fn names(&self, below: impl AsRef<Path>) -> Vec<String> {
        let entries = fs::read_dir(self.path(below)).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    }

    /// Writes to a file that is there already, in one call, as sysfs asks for.
    pub(crate) fn write(&self, below: impl AsRef<Path>, text: &str) -> io::Result<()> {
        fs::OpenOptions::new().write(true).open(self.path(below))?.write_all(text.as_bytes())
    }
}
