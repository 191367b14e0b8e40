//! The simulated card's server.

use super::process::Killed;
use anyhow::{Context, Result, bail};
use spandrel_tools::last_lines;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long the server may take until it listens; where its model is not in the cache, that is compiled first.
const START_BOUND: Duration = Duration::from_secs(600);

/// Starts `spandrel sim serve` and waits until it listens on `socket`.
pub fn start(
    spandrel: &Path,
    profile: &str,
    socket: &Path,
    log: &Path,
    interrupted: &AtomicBool,
) -> Result<Killed> {
    let cannot = || format!("cannot write {}", log.display());
    let file = File::create(log).with_context(cannot)?;
    let copy = file.try_clone().with_context(cannot)?;
    let mut command = Command::new(spandrel);
    command.args(["sim", "serve", "--card", &format!("sim:{profile}"), "--socket"]).arg(socket);
    let mut server =
        Killed::start(&command, "the simulated card's server", Stdio::from(file), Stdio::from(copy))?;
    let begun = Instant::now();
    let mut told = false;
    while !socket.exists() {
        if let Some(status) = server.ended()? {
            let text = std::fs::read_to_string(log).unwrap_or_default();
            bail!(
                "the simulated card's server ended at once ({status}); its last lines:\n{}",
                last_lines(&text, 20)
            );
        }
        if interrupted.load(Ordering::Relaxed) {
            bail!("interrupted");
        }
        if begun.elapsed() > START_BOUND {
            bail!("the simulated card's server did not listen within {} s", START_BOUND.as_secs());
        }
        if !told && begun.elapsed() > Duration::from_secs(2) {
            eprintln!("xtask: the card's model is being compiled (the first time takes a minute or two)");
            told = true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(server)
}
