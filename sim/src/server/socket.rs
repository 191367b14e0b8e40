//! The socket file: made, found stale, and removed.

use super::error::ServeError;
use spandrel_driver::vfio_user::wire;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a server that may still live has to take a connection.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// A socket file that a server has made.
#[derive(Clone, Debug)]
pub struct SocketFile {
    path: PathBuf,
    /// Device and number: the path may be another server's by now.
    identity: (u64, u64),
}

impl SocketFile {
    /// Removes the file if it is still the server's own.
    pub fn remove(&self) {
        if identity(&self.path).is_ok_and(|now| now == self.identity) {
            let _ = std::fs::remove_file(&self.path);
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let file = std::fs::symlink_metadata(path)?;
    Ok((file.dev(), file.ino()))
}

/// Listens at `path`; the file of a server that is dead is replaced.
pub(super) fn listen(path: &Path) -> Result<(UnixListener, SocketFile), ServeError> {
    let failed = |source| ServeError::Bind { path: path.to_owned(), source };
    let listener = match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            remove_stale(path)?;
            UnixListener::bind(path).map_err(failed)?
        }
        other => other.map_err(failed)?,
    };
    listener.set_nonblocking(true).map_err(failed)?;
    let identity = identity(path).map_err(failed)?;
    Ok((listener, SocketFile { path: path.to_owned(), identity }))
}

fn remove_stale(path: &Path) -> Result<(), ServeError> {
    let failed = |source| ServeError::Bind { path: path.to_owned(), source };
    let found = std::fs::symlink_metadata(path).map_err(failed)?;
    if !found.file_type().is_socket() {
        return Err(ServeError::NoSocket { path: path.to_owned() });
    }
    match wire::connect(path, PROBE_TIMEOUT) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            tracing::info!(path = %path.display(), "replacing the socket file of a server that is dead");
            std::fs::remove_file(path).map_err(failed)
        }
        // It answers, or is too busy to: alive in either case.
        Ok(_) => Err(ServeError::AlreadyServed { path: path.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::TimedOut => {
            Err(ServeError::AlreadyServed { path: path.to_owned() })
        }
        Err(error) => Err(failed(error)),
    }
}
