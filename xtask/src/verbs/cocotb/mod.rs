//! `cargo xtask cocotb`: the emitted Verilog, judged by other people's bus models.

mod abi;
mod model;
mod packages;
mod suite;
mod verilog;

use anyhow::{Context, Result, bail};
use packages::Cocotb;
use serde::Serialize;
use spandrel_tools::checkout_root;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use suite::{Options, Outcome, Suite};
use verilog::Emitter;

/// What is run, in this order.
const SUITES: [Suite; 3] = [
    Suite { module: "test_core", profile: "sim-small" },
    Suite { module: "test_endpoint", profile: "sim-pcie" },
    Suite { module: "test_endpoint", profile: "sim-pcie-512" },
];

/// Judge the emitted Verilog by other people's bus models: cocotbext-axi and cocotbext-pcie, under cocotb
///
/// cocotbext-axi drives the AXI ports of a card without an endpoint, cocotbext-pcie the streams of one with it: its model
/// of the UltraScale+ block and of a root complex enumerates the card, and commands run through it. cocotb and the models
/// (through python3's pip, checked against the hashes in tests/cocotb/requirements.txt) land in `.spandrel/tools`, logs and
/// waveforms in `.spandrel/cocotb`. The first run builds a model of each card.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  cargo xtask cocotb\n  \
    cargo xtask cocotb --suite core --filter reset\n  \
    cargo xtask cocotb --suite endpoint-sim-pcie --filter enumerat --waves")]
pub struct CocotbVerb {
    /// Run only suites whose name contains this: core-sim-small, endpoint-sim-pcie, endpoint-sim-pcie-512
    #[arg(long)]
    suite: Option<String>,
    /// Run only tests whose name matches this regular expression
    #[arg(long)]
    filter: Option<String>,
    /// Decides everything random
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// Stop a suite's simulation after this many seconds
    #[arg(long, default_value_t = 900)]
    timeout: u64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Write a waveform (VCD) of each suite, of everything but the insides of the arithmetic pipelines
    #[arg(long)]
    waves: bool,
}

/// What came of a suite.
#[derive(Serialize)]
struct Report {
    suite: String,
    tests: Vec<Outcome>,
    seconds: f64,
    log: PathBuf,
}

impl CocotbVerb {
    /// Runs the suites, prints a line a test and closes with the counts.
    pub fn run(self) -> Result<ExitCode> {
        let suites: Vec<Suite> = SUITES.into_iter().filter(|suite| self.chosen(suite)).collect();
        if suites.is_empty() {
            let known: Vec<_> = SUITES.iter().map(Suite::name).collect();
            bail!("no suite is called {}: known are {}", self.suite.unwrap_or_default(), known.join(", "));
        }
        let runner = Runner::new(Cocotb::find()?)?;
        let mut reports = Vec::new();
        for suite in &suites {
            let report = runner.run(suite, &self)?;
            if !self.json {
                report.print();
            }
            reports.push(report);
        }
        self.close(&reports)
    }

    fn chosen(&self, suite: &Suite) -> bool {
        self.suite.as_deref().is_none_or(|part| suite.name().contains(part))
    }

    fn close(&self, reports: &[Report]) -> Result<ExitCode> {
        let tests = || reports.iter().flat_map(|report| &report.tests);
        let (total, failed) = (tests().count(), tests().filter(|test| !test.passed).count());
        if total == 0 {
            bail!("no test matches {}", self.filter.as_deref().unwrap_or_default());
        }
        if self.json {
            let report = serde_json::json!({
                "seed": self.seed, "passed": total - failed, "failed": failed, "suites": reports,
            });
            println!("{}", serde_json::to_string_pretty(&report)?);
        } else {
            let cycles: u64 = tests().map(|test| test.cycles).sum();
            let seconds: f64 = reports.iter().map(|report| report.seconds).sum();
            println!(
                "cocotb: {} passed, {failed} failed, {cycles} cycles simulated in {seconds:.1} s, seed {}",
                total - failed,
                self.seed
            );
        }
        Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// What every suite is run with.
struct Runner {
    cocotb: Cocotb,
    emitter: Emitter,
    home: PathBuf,
    abi: PathBuf,
}

impl Runner {
    fn new(cocotb: Cocotb) -> Result<Runner> {
        let emitter = Emitter::build()?;
        let home = checkout_root().join(".spandrel").join("cocotb");
        std::fs::create_dir_all(&home).with_context(|| format!("cannot create {}", home.display()))?;
        let abi = home.join("abi.json");
        std::fs::write(&abi, abi::describe().to_string())
            .with_context(|| format!("cannot write {}", abi.display()))?;
        Ok(Runner { cocotb, emitter, home, abi })
    }

    fn run(&self, suite: &Suite, wanted: &CocotbVerb) -> Result<Report> {
        let verilog = self.emitter.emit(suite.profile, wanted.waves)?;
        let program = model::build(&verilog, &self.cocotb, wanted.waves)?;
        let folder = self.home.join(suite.name());
        let options = Options {
            filter: wanted.filter.as_deref(),
            seed: wanted.seed,
            limit: Duration::from_secs(wanted.timeout),
            abi: &self.abi,
            waves: wanted.waves.then(|| folder.join("card.vcd")),
        };
        let begun = Instant::now();
        let tests = suite::simulate(suite, &verilog, &program, &self.cocotb, &folder, &options)?;
        if let Some(file) = options.waves.filter(|file| file.is_file()) {
            eprintln!("xtask: the waveform is {}", file.display());
        }
        Ok(Report {
            suite: suite.name(),
            tests,
            seconds: begun.elapsed().as_secs_f64(),
            log: folder.join("log"),
        })
    }
}

impl Report {
    fn print(&self) {
        for test in &self.tests {
            let verdict = if test.passed { "pass" } else { "FAIL" };
            println!("{verdict}  {:<22} {} ({} cycles)", self.suite, test.name, test.cycles);
            test.message.lines().take(5).for_each(|line| println!("      {line}"));
        }
        if self.tests.iter().any(|test| !test.passed) {
            println!("      the log is {}", self.log.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spandrel_tools::skip;

    /// The quickest suite as a test among the others.
    #[test]
    fn the_cards_axi_ports_pass_under_cocotbext_axi() -> Result<()> {
        let cocotb = match Cocotb::find() {
            Ok(cocotb) => cocotb,
            Err(error) => {
                skip("cocotb::the_cards_axi_ports_pass_under_cocotbext_axi", format!("{error:#}"));
                return Ok(());
            }
        };
        let wanted =
            CocotbVerb { suite: None, filter: None, seed: 7, timeout: 300, json: false, waves: false };
        let report = Runner::new(cocotb)?.run(&SUITES[0], &wanted)?;
        let failed: Vec<&Outcome> = report.tests.iter().filter(|test| !test.passed).collect();
        assert!(failed.is_empty(), "{failed:#?}");
        assert!(report.tests.len() >= 9, "only {} tests ran", report.tests.len());
        Ok(())
    }
}
