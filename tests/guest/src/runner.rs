//! Runs checks, each in a process of its own, and prints their lines.

use crate::Check;
use anyhow::{Context, Result, bail};
use std::io::Read;
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The argument before a check's name: run it in this process.
pub const ONE: &str = "--check";

/// Runs every check and prints a line for each; fails if one failed.
pub fn run_all(checks: &[Check]) -> ExitCode {
    let mut failed = 0;
    for check in checks {
        match in_a_process(check) {
            Ok(detail) => println!("PASS {}: {detail}", check.name),
            Err(error) => {
                println!("FAIL {}: {}", check.name, one_line(&format!("{error:#}")));
                failed += 1;
            }
        }
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs one check in this process: what it found goes to standard output, why it failed to standard error.
pub fn run_one(checks: &[Check], name: &str) -> ExitCode {
    let Some(check) = checks.iter().find(|check| check.name == name) else {
        eprintln!("there is no check {name}");
        return ExitCode::from(2);
    };
    match (check.run)() {
        Ok(detail) => {
            println!("{}", one_line(&detail));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn in_a_process(check: &Check) -> Result<String> {
    let begun = Instant::now();
    let own = std::env::current_exe().context("where is this program?")?;
    let ended = output(Command::new(own).args([ONE, check.name]), check.bound)?;
    match ended {
        Ended { success: true, stdout, .. } => {
            let detail = stdout.lines().next_back().unwrap_or("nothing said").to_owned();
            Ok(format!("{detail} [{:.1} s]", begun.elapsed().as_secs_f64()))
        }
        Ended { status, stderr, .. } => bail!("{} ({status})", one_line(&stderr)),
    }
}

/// A program that ended by itself.
pub struct Ended {
    /// Whether its exit code is 0.
    pub success: bool,
    /// How it ended, in words.
    pub status: String,
    /// What it wrote.
    pub stdout: String,
    /// What it complained of.
    pub stderr: String,
}

/// Runs a program to its end; one that takes longer than `bound` is killed, and that is an error with what it wrote.
pub fn output(command: &mut Command, bound: Duration) -> Result<Ended> {
    let program = command.get_program().to_string_lossy().into_owned();
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.with_context(|| format!("cannot run {program}"))?;
    let (stdout, stderr) = (reader(child.stdout.take()), reader(child.stderr.take()));
    let status = wait(&mut child, bound)?;
    if status.is_none() {
        child.kill().and_then(|()| child.wait()).with_context(|| format!("cannot kill {program}"))?;
    }
    let (stdout, stderr) = (text(stdout), text(stderr));
    match status {
        Some(status) => Ok(Ended { success: status.success(), status: status.to_string(), stdout, stderr }),
        None => {
            bail!("{program} did not end within {} s: {}", bound.as_secs(), one_line(&(stdout + &stderr)))
        }
    }
}

/// Waits for a child, at most so long.
pub fn wait(child: &mut Child, bound: Duration) -> Result<Option<std::process::ExitStatus>> {
    let begun = Instant::now();
    loop {
        match child.try_wait().context("cannot wait for a process")? {
            None if begun.elapsed() < bound => std::thread::sleep(Duration::from_millis(5)),
            ended => return Ok(ended),
        }
    }
}

fn reader(from: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut from) = from {
            // What came before an error is what there is to tell.
            let _ = from.read_to_end(&mut bytes);
        }
        bytes
    })
}

fn text(reader: JoinHandle<Vec<u8>>) -> String {
    String::from_utf8_lossy(&reader.join().unwrap_or_default()).into_owned()
}

/// A text as one line, its end if it is long.
fn one_line(text: &str) -> String {
    let line = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ");
    let length = line.chars().count();
    if length <= 600 { line } else { format!("… {}", line.chars().skip(length - 600).collect::<String>()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_hangs_is_killed_and_its_words_are_kept() {
        let begun = Instant::now();
        let mut command = Command::new("sh");
        command.args(["-c", "echo before; echo why >&2; exec sleep 60"]);
        let error = output(&mut command, Duration::from_millis(300)).err().expect("killed").to_string();
        assert!(error.contains("did not end") && error.contains("before; why"), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn a_program_that_ends_is_told_apart() {
        let ended =
            output(Command::new("sh").args(["-c", "echo out; exit 3"]), Duration::from_secs(20)).unwrap();
        assert!(!ended.success && ended.status.contains('3') && ended.stdout == "out\n", "{}", ended.status);
    }
}
