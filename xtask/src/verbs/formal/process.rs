//! A program whose time is bounded.

use anyhow::{Context, Result, bail};
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Between two looks at a running program.
const POLL: Duration = Duration::from_millis(50);
/// What a program gets beyond the time-out that it was told, to end by itself.
const GRACE: Duration = Duration::from_secs(10);

/// Runs a program that ends by itself within `timeout`, and gives what it wrote. One that does not is ended.
pub fn run_bounded(command: &mut Command, timeout: Duration) -> Result<String> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    let readers = [
        child.stdout.take().map(|pipe| read(Box::new(pipe))),
        child.stderr.take().map(|pipe| read(Box::new(pipe))),
    ];
    let started = Instant::now();
    while child.try_wait().context("cannot wait for a program")?.is_none() {
        if started.elapsed() > timeout + GRACE {
            // Both fail only if it has ended by itself.
            let _ = child.kill();
            let _ = child.wait();
            bail!("it was stopped after {} s: give it longer with --timeout", timeout.as_secs());
        }
        std::thread::sleep(POLL);
    }
    let text = readers.into_iter().flatten().filter_map(|reader| reader.join().ok());
    Ok(text.collect::<Vec<_>>().concat())
}

fn read(mut pipe: Box<dyn Read + Send>) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read until the pipe broke is all there is.
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
