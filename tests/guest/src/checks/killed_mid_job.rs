//! A driver that is killed in the middle of a job leaves a card that the next one can use.

use crate::card::{free_hugepages, open};
use crate::points::Example;
use crate::runner::wait;
use anyhow::{Context, Result, ensure};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

/// The argument that makes this program the one to be killed.
pub const VICTIM: &str = "--hold-a-job";
/// Points of the job that is cut off: a second of simulation, or more.
const POINTS: usize = 4096;
/// What the victim says before it loads points, and when the job is with the card.
const LOADING: &str = "loading";
const RUNNING: &str = "running";
/// When it is killed: what it said last, and how long ago.
const MOMENTS: [(&str, u64); 4] = [(LOADING, 5), (RUNNING, 0), (RUNNING, 60), (RUNNING, 250)];
const SIGKILL: i32 = 9;

pub fn run() -> Result<String> {
    let huge = free_hugepages()?;
    for (index, (word, milliseconds)) in MOMENTS.into_iter().enumerate() {
        let what = || format!("killed {milliseconds} ms after \"{word}\"");
        let own = std::env::current_exe().context("where is this program?")?;
        let mut child = Command::new(own).arg(VICTIM).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("a child has an output")?).lines();
        let said = lines.find_map(|line| line.ok().filter(|line| line == word));
        std::thread::sleep(Duration::from_millis(milliseconds));
        let ended = child.try_wait()?;
        child.kill()?;
        ensure!(said.is_some(), "the process to be killed never said \"{word}\"");
        ensure!(ended.is_none(), "the process to be killed had ended ({ended:?})");
        let status = wait(&mut child, Duration::from_secs(10))?.context("a killed process stays")?;
        ensure!(status.signal() == Some(SIGKILL), "the process ended with {status}, not by the signal");
        let mut card = open().with_context(what)?;
        Example::new(32, index as u64).check(&mut card).with_context(what)?;
    }
    let left = free_hugepages()?;
    ensure!(left == huge, "{huge} hugepages were free before, and {left} are now");
    Ok(format!("{} times killed and opened again; every next MSM is exact", MOMENTS.len()))
}

/// Holds a job until it is killed.
pub fn victim() -> ExitCode {
    match hold() {
        Ok(()) => eprintln!("the job ended before the kill"),
        Err(error) => eprintln!("{error:#}"),
    }
    ExitCode::FAILURE
}

fn hold() -> Result<()> {
    let say = |word: &str| {
        println!("{word}");
        std::io::stdout().flush()
    };
    // Few different points, many times: making them must not take longer than the job.
    let example = Example::new(64, 0);
    let mut card = open()?;
    say(LOADING)?;
    let bases = card.load_bases(&example.point_bytes().repeat(POINTS / 64))?;
    let job = card.submit_msm(&bases, 0..bases.len(), &example.scalar_bytes().repeat(POINTS / 64))?;
    say(RUNNING)?;
    card.wait(job, &mut |_| {})?;
    Ok(())
}
