//! `cargo xtask test`: the whole test run.

use super::guest;
use crate::tally::{Closing, Tally};
use crate::{cargo, sample};
use anyhow::{Context, Result};
use spandrel_tools::{SKIP_LOG, cxx_compiler, fpga_tools, guest_packages, verilator};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{ExitCode, Stdio};

/// Run every test: unit, property, documentation, acceptance by snarkjs, and the driver in a Linux guest
///
/// Fetches the tools first. The checks of `cargo xtask guest` run after cargo's tests, as `guest::NAME`. A test whose tool cannot be had is left out, named at the end and counted as skipped.
/// The last line is `N passed, N failed, N skipped`.
#[derive(clap::Args)]
pub struct Test {
    /// Test only these packages, such as `spandrel-hdl`
    #[arg(long = "package", short = 'p', value_name = "PACKAGE")]
    packages: Vec<String>,
    /// Run only tests whose name contains one of these
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

impl Test {
    /// Runs the tests and closes with the counts.
    pub fn run(self) -> Result<ExitCode> {
        prepare_tools();
        let log = tempfile::NamedTempFile::new().context("cannot create the log of skipped tests")?;
        let mut tally = Tally::default();
        let succeeded = self.cargo_test(log.path(), &mut tally)?;
        if self.wants_guest() {
            guest::test(&mut tally);
        }
        let skipped = std::fs::read_to_string(log.path()).context("cannot read the log of skipped tests")?;

        let skipped: Vec<&str> = skipped.lines().collect();
        let closing = tally.close(skipped.len() as u64, succeeded);
        println!();
        if tally.crashed() > 0 {
            println!("crashed: {} test program(s) ended without a result", tally.crashed());
        } else if closing.failed > 0 && tally.failed == 0 {
            println!("cargo test failed before any test did; its messages are above");
        }
        skipped.iter().for_each(|line| println!("skipped: {line}"));
        tally.left_out.iter().for_each(|line| println!("skipped: {line}"));
        tally.ignored.iter().for_each(|name| println!("skipped: {name}: marked as ignored in the source"));
        println!("{closing}");
        Ok(exit_code(closing))
    }

    /// Whether the checks in the guest are among the tests that are asked for.
    fn wants_guest(&self) -> bool {
        let named = |name: &String| guest::CHECKS.iter().any(|check| guest::test_name(check).contains(name));
        self.packages.is_empty() && (self.names.is_empty() || self.names.iter().any(named))
    }

    /// Runs `cargo test`, shows and tallies its output; says whether cargo was content.
    fn cargo_test(&self, skip_log: &Path, tally: &mut Tally) -> Result<bool> {
        let mut arguments = vec!["test", "--no-fail-fast"];
        if self.packages.is_empty() {
            arguments.push("--workspace");
        }
        for package in &self.packages {
            arguments.extend(["--package", package]);
        }
        arguments.push("--");
        arguments.extend(self.names.iter().map(String::as_str));
        eprintln!("xtask: cargo {}", arguments.join(" "));

        let mut child = cargo::command(&arguments)
            .env(SKIP_LOG, skip_log)
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot run cargo")?;
        let output = child.stdout.take().context("cargo has no output")?;
        let mut ours = std::io::stdout().lock();
        for line in BufReader::new(output).split(b'\n') {
            // Bytes, not text: a test may print what it likes.
            let line = line.context("cannot read cargo's output")?;
            tally.line(&String::from_utf8_lossy(&line));
            ours.write_all(&line).and_then(|()| ours.write_all(b"\n")).context("cannot write the output")?;
        }
        Ok(child.wait().context("cannot wait for cargo")?.success())
    }
}

/// Fetches what the tests use, in plain sight: a test's own output is swallowed. What fails here is skipped there.
fn prepare_tools() {
    let missing = [
        verilator().err().map(|error| error.to_string()),
        cxx_compiler().err().map(|error| error.to_string()),
        guest_packages().err().map(|error| error.to_string()),
        fpga_tools().err().map(|error| error.to_string()),
        match sample::node_packages() {
            Ok(Some(_)) => None,
            Ok(None) => Some("node and npm are not on PATH".to_owned()),
            Err(error) => Some(error.to_string()),
        },
    ];
    for reason in missing.iter().flatten() {
        eprintln!("xtask: {reason}; the tests that need it will be skipped");
    }
}

fn exit_code(closing: Closing) -> ExitCode {
    if closing.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
