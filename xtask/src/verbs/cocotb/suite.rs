//! A run of one module of tests on one card.

use super::packages::{Cocotb, tests_folder};
use super::verilog::Verilog;
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use spandrel_tools::{last_lines, run};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

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
        // Verilator keeps the order of writes that cocotb asks for.
        .env("COCOTB_TRUST_INERTIAL_WRITES", "1")
        .env("SPANDREL_ABI", options.abi)
        .env_remove("COCOTB_TESTCASE")
        .env_remove("COCOTB_TEST_FILTER");
    if let Some(filter) = options.filter {
        command.env("COCOTB_TEST_FILTER", filter);
    }
    let status = command
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .status()
        .with_context(|| format!("cannot run {}", program.display()))?;
    let text = || last_lines(&String::from_utf8_lossy(&std::fs::read(&log).unwrap_or_default()), 20);
    if !results.is_file() {
        if options.filter.is_some() && text().contains(NO_TESTS) {
            return Ok(Vec::new());
        }
        bail!("the simulation {} ended without results ({status}); {} ends so:\n{}", suite.name(), log.display(), text());
    }
    let outcomes = read(cocotb, &results)?;
    // A crash after the last test is none of the tests' and is not to be overlooked.
    if !status.success() && outcomes.iter().all(|outcome| outcome.passed) {
        bail!("the simulation {} ended badly ({status}); {} ends so:\n{}", suite.name(), log.display(), text());
    }
    Ok(outcomes)
}

/// What cocotb says where a filter leaves nothing over.
const NO_TESTS: &str = "No tests were discovered";

/// cocotb's verdict, through a script of the tests': it is XML.
fn read(cocotb: &Cocotb, results: &Path) -> Result<Vec<Outcome>> {
    let mut command = Command::new(&cocotb.python);
    command.args(["-m", "bench.results"]).arg(results).current_dir(tests_folder()).env("PYTHONDONTWRITEBYTECODE", "1");
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
