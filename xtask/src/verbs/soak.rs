//! `cargo xtask soak`: random jobs on a simulated card.

use anyhow::{Context, Result};
use spandrel_tools::{cargo_build, cxx_compiler, verilator};
use std::process::{Command, ExitCode, Stdio};

/// Give a simulated card random jobs, some of them cut short, and compare every result with the CPU's
///
/// Sizes from 0 to 600, scalars of every distribution, bases with repeats, opposites and infinities, any choice of
/// windows, several jobs queued at a time; some are aborted by a reset at a random moment, some dropped, some hit by a
/// fault on a bus. It ends with an error at the first result that is not arkworks'.
#[derive(clap::Args)]
pub struct Soak {
    /// Jobs
    #[arg(long, default_value_t = 200)]
    jobs: u64,
    /// The card: `sim:PROFILE`, a name from `spandrel card list` or the path of a .toml file
    #[arg(long, default_value = "sim:sim-small", value_name = "CARD")]
    card: String,
    /// Decides every job: the same seed, the same jobs
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Memories and registers take their time, at random
    #[arg(long)]
    stalls: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Soak {
    /// Builds the soak and runs it.
    pub fn run(self) -> Result<ExitCode> {
        // Asked for first, so that nobody waits for a build to learn that a compiler is missing.
        cxx_compiler()?;
        verilator()?;
        let soak = cargo_build("spandrel-soak", &["--release", "--package", "spandrel-tests"])?;
        let mut command = Command::new(&soak);
        command.args([
            "--jobs",
            &self.jobs.to_string(),
            "--card",
            &self.card,
            "--seed",
            &self.seed.to_string(),
        ]);
        command.args(self.stalls.then_some("--stalls")).args(self.json.then_some("--json"));
        let status = command
            .stdin(Stdio::null())
            .status()
            .with_context(|| format!("cannot run {}", soak.display()))?;
        Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
