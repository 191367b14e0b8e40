//! Locks between processes.

use crate::ToolError;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

/// An exclusive lock on a file, held until dropped; the operating system releases it if the process dies.
///
/// The lock file stays behind, empty: removing it would let two processes hold locks on two files of one name.
#[derive(Debug)]
pub struct FileLock {
    _file: File,
}

impl FileLock {
    /// Takes the lock, waiting for whoever holds it; `purpose` is what standard error says while it waits.
    pub fn acquire(path: &Path, purpose: &str) -> Result<FileLock, ToolError> {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(ToolError::io("create", parent))?;
        }
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)
            .map_err(ToolError::io("open", path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                eprintln!("spandrel: waiting for another process to {purpose}");
                file.lock().map_err(ToolError::io("lock", path))?;
            }
            Err(TryLockError::Error(source)) => return Err(ToolError::io("lock", path)(source)),
        }
        Ok(FileLock { _file: file })
    }
}
