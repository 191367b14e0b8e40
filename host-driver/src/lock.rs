//! One process at a time for each card.
//!
//! A lock is a file that its holder has locked with `flock`, so that it is free again however the holder ends. It is
//! advisory: it keeps drivers of this kind apart, with a clear message, before either has touched the card.

use crate::address::PciAddress;
use sha2::{Digest, Sha256};
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The system's folder for locks, which all users share.
const SYSTEM_FOLDER: &str = "/run/spandrel";

/// How often a lock that nobody says to hold is tried again, and after what time.
const PROBE_TRIES: u32 = 10;
const PROBE_PAUSE: Duration = Duration::from_millis(5);

/// Why a card's lock cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another user of the card holds it.
    #[error(
        "card {card} is in use{} (lock {}): end that process first",
        pid.map_or(String::new(), |pid| format!(" by process {pid}")), path.display()
    )]
    Held {
        /// The card.
        card: String,
        /// The process, where the lock file tells; it may be this one.
        pid: Option<u32>,
        /// The lock's file.
        path: PathBuf,
    },
    /// The file cannot be made.
    #[error("the lock {} of card {card} cannot be taken: {source}", path.display())]
    Io {
        /// The card.
        card: String,
        /// The lock's file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

/// A card's lock, held until it is dropped or its process ends, in whatever way.
#[derive(Debug)]
pub struct CardLock {
    file: File,
    path: PathBuf,
}

impl CardLock {
    /// Takes the lock of the card `name`: a PCI address, or whatever else tells it from others, such as the path of the
    /// socket behind which it is (made canonical by the caller). Does not wait.
    ///
    /// The file lies in `/run/spandrel` where that folder is there or can be made, else in `$XDG_RUNTIME_DIR/spandrel`,
    /// else in the folder for temporary files.
    ///
    /// ```
    /// use spandrel_driver::{CardLock, LockError};
    /// let name = format!("vfio-user:/tmp/example-{}.socket", std::process::id());
    /// let lock = CardLock::acquire(&name)?;
    /// assert!(matches!(CardLock::acquire(&name), Err(LockError::Held { pid: Some(_), .. })));
    /// drop(lock);
    /// CardLock::acquire(&name)?;
    /// # Ok::<(), LockError>(())
    /// ```
    ///
    /// # Errors
    /// [`LockError::Held`] when it is taken, by another process or by this one; [`LockError::Io`].
    pub fn acquire(name: &str) -> Result<CardLock, LockError> {
        CardLock::acquire_in(&usual_folder(), name)
    }

    /// As [`CardLock::acquire`], in a folder of the caller's choice.
    pub fn acquire_in(folder: &Path, name: &str) -> Result<CardLock, LockError> {
        let path = folder.join(file_name(name));
        let failed = |source| LockError::Io { card: name.to_owned(), path: path.clone(), source };
        // Not truncated: until it is locked, what stands in it is the holder's. No link is followed, so that nobody can
        // have another file written by placing one here.
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .custom_flags(nix::fcntl::OFlag::O_NOFOLLOW.bits())
            .open(&path)
            .map_err(failed)?;
        let mut tries = 0;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => {
                    let mut text = String::new();
                    let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
                    let pid = read.ok().and_then(|_| text.trim().parse().ok());
                    // Who only asks for the holder has the file for a moment, and is not in it.
                    if pid.is_some() || tries == PROBE_TRIES {
                        return Err(LockError::Held { card: name.to_owned(), pid, path });
                    }
                }
                Err(TryLockError::Error(source)) => return Err(failed(source)),
            }
            tries += 1;
            std::thread::sleep(PROBE_PAUSE);
        }
        // Other users have to be able to ask for it too; where the file is another's, it is as its owner made it.
        let _ = file.set_permissions(fs::Permissions::from_mode(0o666));
        let told = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        told.map_err(failed)?;
        Ok(CardLock { file, path })
    }

    /// The process that holds a card's lock, if one does and says so.
    pub(crate) fn holder_in(folder: &Path, name: &str) -> Option<u32> {
        let mut file = File::open(folder.join(file_name(name))).ok()?;
        // A shared lock is had only where nobody holds it alone.
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                file.read_to_string(&mut text).ok()?;
                text.trim().parse().ok()
            }
            _ => None,
        }
    }

    /// The lock's file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for CardLock {
    /// Empties the file, then lets go of it by closing it. The file stays: were it removed, somebody could lock the removed
    /// one while somebody else makes a new one.
    fn drop(&mut self) {
        let _ = self.file.rewind().and_then(|()| self.file.set_len(0));
    }
}

/// The folder for locks; the last choice is always there.
pub(crate) fn usual_folder() -> PathBuf {
    let user = std::env::var_os("XDG_RUNTIME_DIR").map(|folder| Path::new(&folder).join("spandrel"));
    let choices = [Some((PathBuf::from(SYSTEM_FOLDER), 0o1777)), user.map(|folder| (folder, 0o700))];
    let usable = choices.into_iter().flatten().find(|(folder, mode)| {
        if fs::DirBuilder::new().mode(*mode).create(folder).is_ok() {
            // The process's mask applies to `create`.
            let _ = fs::set_permissions(folder, fs::Permissions::from_mode(*mode));
        }
        nix::unistd::access(folder, nix::unistd::AccessFlags::W_OK).is_ok()
    });
    usable.map_or_else(std::env::temp_dir, |(folder, _)| folder)
}

/// Readable for an address, a hash for anything else.
fn file_name(name: &str) -> String {
    match name.parse::<PciAddress>() {
        Ok(address) => format!("spandrel-{address}.lock"),
        Err(_) => {
            let digest = Sha256::digest(name.as_bytes());
            let digits: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
            format!("spandrel-{digits}.lock")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_once_and_free_after_its_drop() {
        let folder = tempfile::tempdir().expect("a folder");
        let acquire = |name: &str| CardLock::acquire_in(folder.path(), name);
        let first = acquire("0000:3b:00.0").expect("free");
        assert!(first.path().ends_with("spandrel-0000:3b:00.0.lock"));
        let _other = acquire("0000:3b:00.1").expect("another card");
        // The same card by its shorter name.
        let error = acquire("3b:00.0").expect_err("held");
        assert!(matches!(&error, LockError::Held { pid: Some(pid), .. } if *pid == std::process::id()));
        assert!(error.to_string().contains(&format!("by process {}", std::process::id())));
        drop(first);
        acquire("0000:3b:00.0").map(drop).expect("free again");
    }

    #[test]
    fn names_that_are_no_addresses_are_told_apart() {
        let folder = tempfile::tempdir().expect("a folder");
        let one = CardLock::acquire_in(folder.path(), "vfio-user:/a/b").expect("free");
        let two = CardLock::acquire_in(folder.path(), "vfio-user:/a_b").expect("another");
        assert_ne!(one.path(), two.path());
        assert_eq!(one.path().parent(), Some(folder.path()));
    }

    #[test]
    fn links_and_missing_folders_are_errors() {
        let folder = tempfile::tempdir().expect("a folder");
        let target = folder.path().join("precious");
        fs::write(&target, "keep").expect("written");
        std::os::unix::fs::symlink(&target, folder.path().join(file_name("0000:01:00.0"))).expect("linked");
        assert!(matches!(CardLock::acquire_in(folder.path(), "0000:01:00.0"), Err(LockError::Io { .. })));
        assert_eq!(fs::read_to_string(&target).expect("there"), "keep");
        assert!(matches!(CardLock::acquire_in(&folder.path().join("none"), "x"), Err(LockError::Io { .. })));
    }

    #[test]
    fn asking_for_the_holder_keeps_nobody_out() {
        let folder = tempfile::tempdir().expect("a folder");
        drop(CardLock::acquire_in(folder.path(), "card").expect("free"));
        let asked = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !asked.load(std::sync::atomic::Ordering::Relaxed) {
                    CardLock::holder_in(folder.path(), "card");
                }
            });
            let mut failures = 0;
            for _ in 0..300 {
                failures += u32::from(CardLock::acquire_in(folder.path(), "card").is_err());
            }
            asked.store(true, std::sync::atomic::Ordering::Relaxed);
            assert_eq!(failures, 0);
        });
    }
}
