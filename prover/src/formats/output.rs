//! Output files that are there whole or not at all.

use std::fs::Metadata;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};
use tempfile::NamedTempFile;

/// Why outputs were not written. Nothing of them is left behind.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// A path that cannot take an output.
    #[error("{}: {why}", path.display())]
    BadPath {
        /// The path.
        path: PathBuf,
        /// What is wrong with it and what to do.
        why: String,
    },
    /// The operating system refused to write.
    #[error("{}: cannot be written: {source}; nothing was left behind", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
}

/// Held while output files are being put in place.
static WRITING: Mutex<()> = Mutex::new(());

/// While this is held no output is half written: an interrupt handler takes it before it ends the process.
#[must_use = "outputs are only kept whole while this is held"]
pub struct ExclusiveOutput {
    _guard: MutexGuard<'static, ()>,
}

impl ExclusiveOutput {
    /// Waits until no output is being written (milliseconds), and keeps others from starting.
    pub fn take() -> ExclusiveOutput {
        // A writer that panicked has dropped, and so removed, its temporary files.
        ExclusiveOutput { _guard: WRITING.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) }
    }
}

/// A set of output files written together: all of them or none.
#[derive(Debug, Default)]
pub struct Outputs {
    files: Vec<(PathBuf, Vec<u8>)>,
}

impl Outputs {
    /// Checks, before the work, that `outputs` can be written and are neither each other nor an input.
    pub fn check(outputs: &[&Path], inputs: &[&Path]) -> Result<(), OutputError> {
        for (index, path) in outputs.iter().enumerate() {
            let bad = |why: String| Err(OutputError::BadPath { path: path.to_path_buf(), why });
            let directory = directory_of(path);
            match std::fs::metadata(directory) {
                Ok(metadata) if metadata.is_dir() => {}
                Ok(_) => return bad(format!("{} is not a directory", directory.display())),
                Err(error) => {
                    return bad(format!(
                        "the directory {} cannot be used: {error}; create it first",
                        directory.display()
                    ));
                }
            }
            if path.file_name().is_none() {
                return bad("is not the name of a file".to_owned());
            }
            if outputs[..index].iter().chain(inputs).any(|other| same_file(path, other)) {
                return bad(
                    "is also named as another file of this command; give it a name of its own".to_owned()
                );
            }
            if let Ok(metadata) = std::fs::metadata(path)
                && !metadata.is_file()
            {
                return bad("exists and is not a regular file; give the name of a file".to_owned());
            }
            // A directory without write permission should be reported before minutes of work.
            tempfile::tempfile_in(directory).map_err(|source| io_error(path, source))?;
        }
        Ok(())
    }

    /// Adds a file.
    pub fn add(&mut self, path: &Path, content: Vec<u8>) {
        self.files.push((path.to_owned(), content));
    }

    /// Writes every file under a temporary name beside its place, then renames all. On an error, nothing
    /// new is left.
    pub fn write(self) -> Result<(), OutputError> {
        let _exclusive = ExclusiveOutput::take();
        let mut ready = Vec::new();
        for (path, content) in self.files {
            let write = || -> io::Result<NamedTempFile> {
                let mut file = new_temporary(directory_of(&path))?;
                file.write_all(&content)?;
                file.as_file().sync_all()?;
                Ok(file)
            };
            let file = write().map_err(|source| io_error(&path, source))?;
            ready.push((path, file));
        }
        let mut done: Vec<PathBuf> = Vec::new();
        for (path, file) in ready {
            if let Err(error) = file.persist(&path) {
                for path in done {
                    // Best effort: the first error is the one to report.
                    let _ = std::fs::remove_file(path);
                }
                return Err(io_error(&path, error.error));
            }
            done.push(path);
        }
        Ok(())
    }
}

/// A temporary file with the permissions that a new file of this user would have (temporary files are
/// otherwise private, and a proof is meant to be passed on).
fn new_temporary(directory: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".spandrel-").suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(directory)
}

fn io_error(path: &Path, source: io::Error) -> OutputError {
    OutputError::Io { path: path.to_owned(), source }
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

fn same_file(a: &Path, b: &Path) -> bool {
    if let (Ok(a), Ok(b)) = (std::fs::metadata(a), std::fs::metadata(b)) {
        return same_inode(&a, &b);
    }
    let full = |path: &Path| Some(directory_of(path).canonicalize().ok()?.join(path.file_name()?));
    a == b || full(a).is_some_and(|a| Some(a) == full(b))
}

#[cfg(unix)]
fn same_inode(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(not(unix))]
fn same_inode(_: &Metadata, _: &Metadata) -> bool {
    false
}
