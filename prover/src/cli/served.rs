//! A simulated card in another process: `spandrel sim serve`, started and ended by this one.

use super::args::CardArgs;
use super::error::CliError;
use super::interrupt;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A card that is served until this is dropped.
pub(super) struct Served {
    child: Child,
    folder: TempDir,
}

impl Served {
    /// Serves the card of a profile with an endpoint, at a socket of its own, as slow as `arguments` says.
    pub(super) fn start(card: &str, arguments: &CardArgs) -> Result<Served, CliError> {
        let failed =
            |error: std::io::Error| CliError::Other(format!("cannot serve the card {card}: {error}"));
        let folder = tempfile::tempdir().map_err(failed)?;
        let path = folder.path().to_owned();
        // The server ends by itself when its client has gone.
        interrupt::before_end(move || {
            let _ = std::fs::remove_dir_all(path);
        });
        let mut child = Command::new(std::env::current_exe().map_err(failed)?)
            .args(["sim", "serve", "--once", "--json", "--card", card, "--socket"])
            .arg(folder.path().join("card"))
            .args(arguments.stalls.map(|seed| format!("--stalls={seed}")))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let output = child.stdout.take();
        let served = Served { child, folder };
        // The server says in one line that it can be connected to, or ends.
        let mut line = String::new();
        if let Some(output) = output {
            BufReader::new(output).read_line(&mut line).map_err(failed)?;
        }
        match line.is_empty() {
            true => Err(CliError::Other(format!("the server of the card {card} has ended: see above"))),
            false => Ok(served),
        }
    }

    /// What to give to --card.
    pub(super) fn card(&self) -> String {
        format!("vfio-user:{}", self.folder.path().join("card").display())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
