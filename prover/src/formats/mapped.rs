//! The bytes of a file, mapped.

use super::error::{FormatError, Problem};
use memmap2::Mmap;
use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::ops::Deref;
use std::path::Path;

/// The bytes of a file: mapped from disk, or owned (for tests and for callers that already hold them).
#[derive(Debug)]
pub enum FileBytes {
    /// Mapped read-only.
    Mapped(Mmap),
    /// In memory.
    Owned(Vec<u8>),
}

impl FileBytes {
    /// Maps a regular file.
    ///
    /// Only regular files are taken: opening a FIFO would wait for a writer for ever, and a device has no
    /// length. The file is opened without blocking, so that a FIFO put in place of a file between check and
    /// opening does no harm either.
    pub fn open(path: &Path) -> Result<FileBytes, FormatError> {
        let error = |problem| FormatError { file: path.to_owned(), section: None, problem };
        let io_error = |action| move |source| error(Problem::Io { action, source });
        let metadata = std::fs::metadata(path).map_err(io_error("opened"))?;
        regular(&metadata).map_err(|found| error(Problem::NotARegularFile { found }))?;
        let file = open_without_blocking(path).map_err(io_error("opened"))?;
        let metadata = file.metadata().map_err(io_error("opened"))?;
        regular(&metadata).map_err(|found| error(Problem::NotARegularFile { found }))?;
        if metadata.len() == 0 {
            return Ok(FileBytes::Owned(Vec::new()));
        }
        // SAFETY: the map is read-only and private to this value, and never handed out mutably. What
        // remains is another process that changes the file while it is mapped, which no reader of maps can
        // exclude: values are plain bytes, for which any content is valid, and a proof made from changed
        // bytes is caught by its verification; a file cut short ends this process with SIGBUS.
        let map = unsafe { Mmap::map(&file) }.map_err(io_error("mapped"))?;
        Ok(FileBytes::Mapped(map))
    }
}

impl Deref for FileBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            FileBytes::Mapped(map) => map,
            FileBytes::Owned(bytes) => bytes,
        }
    }
}

fn regular(metadata: &Metadata) -> Result<(), &'static str> {
    let kind = metadata.file_type();
    if kind.is_file() { Ok(()) } else { Err(kind_name(kind)) }
}

#[cfg(unix)]
pub(super) fn kind_name(kind: std::fs::FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    if kind.is_dir() {
        "directory"
    } else if kind.is_fifo() {
        "FIFO"
    } else if kind.is_socket() {
        "socket"
    } else {
        "device"
    }
}

#[cfg(not(unix))]
pub(super) fn kind_name(kind: std::fs::FileType) -> &'static str {
    if kind.is_dir() { "directory" } else { "special file" }
}

#[cfg(unix)]
fn open_without_blocking(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)
}

#[cfg(not(unix))]
fn open_without_blocking(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).open(path)
}
