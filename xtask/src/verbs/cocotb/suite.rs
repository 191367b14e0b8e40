//! A run of one module of tests on one card.

use super::packages::{Cocotb, tests_folder};
use super::verilog::Verilog;
use anyhow::{Context, Result, anyhow};
use serde::{Deserialize, Serialize};
use spandrel_tools::{last_lines, run};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A module of tests and the card that it is for.
#[derive(Clone, Copy, Debug)]
pub struct Suite {
    /// The module in `tests/cocotb`.
    pub module: &'static str,
    /// The card's profile.
    pub profile: &'static str,
}

impl Suite {
    /// How the suite is called, and the folder of its files.
    pub fn name(&self) -> String {
        format!("{}-{}", self.module.trim_start_matches("test_"), self.profile)
    }
}

/// How to run suites.
pub struct Options<'a> {
    /// Run only the tests whose names match this regular expression.
    pub filter: Option<&'a str>,
    /// Seed of everything random.
    pub seed: u32,
    /// Longest that a suite may take.
    pub limit: Duration,
    /// The description of the interface for the tests.
    pub abi: &'a Path,
    /// Where to write a waveform, if one is wanted.
    pub waves: Option<PathBuf>,
}

/// What came of a test.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Outcome {
    /// The test's name.
    pub name: String,
    /// Whether it passed.
    pub passed: bool,
    /// Simulated cycles.
    pub cycles: u64,
    /// Seconds that it took.
    pub seconds: f64,
    /// Why it failed; empty where it passed.
    pub message: String,
}

/// Simulates `program`, the model of `verilog`, under the tests of a suite; their outcomes in order. `folder` is where the
/// simulation's files go, among them its log.
pub fn simulate(
    suite: &Suite,
    verilog: &Verilog,
    program: &Path,
    cocotb: &Cocotb,
    folder: &Path,
    options: &Options,
) -> Result<Vec<Outcome>> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let (results, log) = (folder.join("results.xml"), folder.join("log"));
    let _ = std::fs::remove_file(&results);
    let output = std::fs::File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    let errors = output.try_clone().context("cannot open the log twice")?;
    let mut command = Command::new(program);
    if let Some(file) = &options.waves {
        command.args(["--trace", "--trace-file"]).arg(file);
    }
    command
        .current_dir(folder)
        .env("LD_LIBRARY_PATH", library_path(&cocotb.libraries)?)
        .env("PYGPI_PYTHON_BIN", &cocotb.python)
        .env("PYTHONPATH", tests_folder())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("GPI_USERS", &cocotb.users)
        .env("TOPLEVEL_LANG", "verilog")
        .env("COCOTB_TOPLEVEL", &verilog.top)
        .env("COCOTB_TEST_MODULES", suite.module)
        .env("COCOTB_RANDOM_SEED", options.seed.to_string())
        .env("COCOTB_RESULTS_FILE", &results)
        .env("COCOTB_ANSI_OUTPUT", "0")
        // The bus models use names that cocotb calls old, once a line.
        .env("PYTHONWARNINGS", "ignore::DeprecationWarning")
        // Verilator keeps the order of writes that cocotb asks for.
        .env("COCOTB_TRUST_INERTIAL_WRITES", "1")
        .env("SPANDREL_ABI", options.abi)
        .env_remove("COCOTB_TESTCASE")
        .env_remove("COCOTB_TEST_FILTER");
    if let Some(filter) = options.filter {
        command.env("COCOTB_TEST_FILTER", filter);
    }
    let child = command
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .spawn()
        .with_context(|| format!("cannot run {}", program.display()))?;
    let ended = wait(child, options.limit)?;
    let how =
        ended.map_or(format!("stopped after {} s", options.limit.as_secs()), |status| status.to_string());
    let failed = |what: &str| {
        let text = String::from_utf8_lossy(&std::fs::read(&log).unwrap_or_default()).into_owned();
        anyhow!(
            "the simulation {} {what} ({how}); {} ends so:\n{}",
            suite.name(),
            log.display(),
            last_lines(&text, 20)
        )
    };
    if ended.is_none() || !results.is_file() {
        return Err(failed("ended without results"));
    }
    let outcomes = read(cocotb, &results)?;
    // Neither a crash after the last test nor a module that could not be read is any test's, and to be overlooked.
    let crashed = ended.is_some_and(|status| !status.success());
    if crashed && outcomes.iter().all(|outcome| outcome.passed) {
        return Err(failed("ended badly"));
    }
    if outcomes.is_empty() && options.filter.is_none() {
        return Err(failed("ran no test"));
    }
    Ok(outcomes)
}

/// Waits for a simulation; one that takes longer than `limit` is stopped, and has no exit status.
fn wait(mut child: Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let end = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait().context("cannot wait for a simulation")? {
            return Ok(Some(status));
        }
        if Instant::now() > end {
            child.kill().context("cannot stop a simulation")?;
            child.wait().context("cannot wait for a simulation")?;
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// cocotb's verdict, through a script of the tests': it is XML.
fn read(cocotb: &Cocotb, results: &Path) -> Result<Vec<Outcome>> {
    let mut command = Command::new(&cocotb.python);
    command
        .args(["-m", "bench.results"])
        .arg(results)
        .current_dir(tests_folder())
        .env("PYTHONDONTWRITEBYTECODE", "1");
    let output = run(&mut command, "reading the results of cocotb", "")?;
    serde_json::from_slice(&output.stdout).context("the results of cocotb")
}

/// The search path of shared libraries with one folder more.
fn library_path(folder: &Path) -> Result<std::ffi::OsString> {
    let before = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_path_buf())
        .chain(std::env::split_paths(&before).filter(|path| !path.as_os_str().is_empty()));
    std::env::join_paths(folders).context("the path of cocotb's libraries holds a colon")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulation_that_hangs_is_stopped() {
        let sleeper = |seconds: &str| Command::new("sleep").arg(seconds).spawn().unwrap();
        let begun = Instant::now();
        assert_eq!(wait(sleeper("100"), Duration::from_millis(50)).unwrap(), None);
        assert!(begun.elapsed() < Duration::from_secs(50));
        assert!(wait(sleeper("0"), Duration::from_secs(50)).unwrap().unwrap().success());
    }
}
