//! Programs that run for minutes: their progress on standard error, a limit of time, and an end with ours.

use anyhow::{Context, Result, bail};
use spandrel_tools::last_lines;
use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Between two looks at a running program.
const POLL: Duration = Duration::from_millis(200);
/// Between two progress lines where standard error is not a terminal.
const QUIET: Duration = Duration::from_secs(30);

/// How to watch a program.
pub struct Watch<'a> {
    /// The program's name, for messages.
    pub program: &'a str,
    /// What begins the progress lines.
    pub label: &'a str,
    /// A run that takes longer is stopped.
    pub timeout: Duration,
    /// The stage that a line of its output announces, if it does.
    pub stage: fn(&str) -> Option<&str>,
    /// Where all that it writes is kept.
    pub log: Option<&'a Path>,
}

/// The pass that a line of Yosys' output announces.
pub fn yosys_pass(line: &str) -> Option<&str> {
    let (_, pass) = line.split_once("Executing ")?;
    pass.split([' ', '.']).next()
}

/// A flag that Ctrl-C and the like set, so that children end before we do. A second handler cannot be installed and need
/// not be.
pub fn interruption() -> &'static AtomicBool {
    static INTERRUPTED: AtomicBool = AtomicBool::new(false);
    let _ = ctrlc::set_handler(|| INTERRUPTED.store(true, Ordering::Relaxed));
    &INTERRUPTED
}

impl Watch<'_> {
    /// Runs the program to its end.
    ///
    /// # Errors
    /// It cannot be started, fails (with the last lines of what it wrote), takes too long, or we are interrupted; in the
    /// last two cases it is stopped first.
    pub fn run(&self, command: &mut Command) -> Result<()> {
        let program = self.program;
        let file = match self.log {
            Some(path) => {
                Some(File::create(path).with_context(|| format!("cannot write {}", path.display()))?)
            }
            None => None,
        };
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {program}"))?;
        let output = Arc::new(Mutex::new(Log { stage_of: self.stage, file, ..Log::default() }));
        let readers = [
            child.stdout.take().map(|pipe| follow(pipe, &output)),
            child.stderr.take().map(|pipe| follow(pipe, &output)),
        ];
        let outcome = self.wait(&mut child, &output);
        if outcome.is_err() {
            // Both fail only if it has ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
        outcome?;
        for reader in readers.into_iter().flatten() {
            let _ = reader.join();
        }
        let status = child.wait().with_context(|| format!("cannot wait for {program}"))?;
        if !status.success() {
            let text = output.lock().unwrap_or_else(PoisonError::into_inner).text.clone();
            bail!("{program} failed ({status}); its last lines:\n{}", last_lines(&text, 20));
        }
        Ok(())
    }

    /// Waits for the end, with progress on standard error.
    fn wait(&self, child: &mut Child, output: &Mutex<Log>) -> Result<()> {
        let Watch { program, label, timeout, .. } = self;
        let terminal = std::io::stderr().is_terminal();
        let interrupted = interruption();
        let started = Instant::now();
        let mut announced: Option<Instant> = None;
        while child.try_wait().with_context(|| format!("cannot wait for {program}"))?.is_none() {
            let passed = started.elapsed();
            if interrupted.load(Ordering::Relaxed) {
                bail!("{program} was stopped: interrupted");
            }
            if passed > *timeout {
                bail!("{program} was stopped after {} s: give it longer with --timeout", timeout.as_secs());
            }
            if terminal || announced.is_none_or(|last| last.elapsed() >= QUIET) {
                let stage = output.lock().unwrap_or_else(PoisonError::into_inner).stage.clone();
                let line = format!("{label}: {} s {stage}", passed.as_secs());
                // A terminal's line is written over, others follow each other.
                if terminal {
                    eprint!("\r\x1b[K{line}")
                } else {
                    eprintln!("{line}")
                }
                announced = Some(Instant::now());
            }
            std::thread::sleep(POLL);
        }
        if terminal {
            eprint!("\r\x1b[K");
        }
        eprintln!("{label}: {} s", started.elapsed().as_secs());
        Ok(())
    }
}

/// What a running program has written.
struct Log {
    /// The end of it.
    text: String,
    /// The stage it is in.
    stage: String,
    stage_of: fn(&str) -> Option<&str>,
    file: Option<File>,
}

impl Default for Log {
    fn default() -> Log {
        Log { text: String::new(), stage: String::new(), stage_of: |_| None, file: None }
    }
}

impl Log {
    /// Bytes that are kept, enough for the message of an error.
    const KEPT: usize = 16_384;

    fn push(&mut self, line: &str) {
        if let Some(stage) = (self.stage_of)(line) {
            self.stage = stage.to_owned();
        }
        // The log on the disk is for people; without it the run goes on.
        if let Some(file) = &mut self.file {
            let _ = writeln!(file, "{line}");
        }
        if self.text.len() > Log::KEPT {
            self.text = last_lines(&self.text, 40);
            self.text.push('\n');
        }
        self.text.push_str(line);
        self.text.push('\n');
    }
}

fn follow(pipe: impl Read + Send + 'static, output: &Arc<Mutex<Log>>) -> std::thread::JoinHandle<()> {
    let output = output.clone();
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
            output.lock().unwrap_or_else(PoisonError::into_inner).push(&String::from_utf8_lossy(&line));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(seconds: u64) -> Watch<'static> {
        let timeout = Duration::from_secs(seconds);
        Watch { program: "sh", label: "test", timeout, stage: yosys_pass, log: None }
    }

    #[test]
    fn a_log_knows_the_pass_and_keeps_the_end() {
        let mut log = Log { stage_of: yosys_pass, ..Log::default() };
        log.push("2.29.14. Executing OPT_CLEAN pass (remove unused cells and wires).");
        for index in 0..10_000 {
            log.push(&format!("line {index}"));
        }
        assert_eq!(log.stage, "OPT_CLEAN");
        assert!(log.text.ends_with("line 9999\n") && log.text.len() < 2 * Log::KEPT);
    }

    #[test]
    fn a_failure_shows_the_last_lines_and_a_long_run_is_stopped() {
        let error = watch(60).run(Command::new("sh").args(["-c", "echo because; exit 3"])).unwrap_err();
        assert!(error.to_string().contains("because"), "{error}");
        let begun = Instant::now();
        let error = watch(0).run(Command::new("sleep").arg("60")).unwrap_err();
        assert!(
            error.to_string().contains("--timeout") && begun.elapsed() < Duration::from_secs(30),
            "{error}"
        );
    }

    #[test]
    fn what_is_written_is_kept_where_it_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let watch = Watch { log: Some(&log), ..watch(60) };
        watch.run(Command::new("sh").args(["-c", "echo one; echo two >&2"])).unwrap();
        let text = std::fs::read_to_string(&log).unwrap();
        assert!(text.contains("one\n") && text.contains("two\n"), "{text}");
    }
}
