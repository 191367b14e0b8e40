//! `cargo xtask faults`: the fault table.

use anyhow::{Context, Result};
use spandrel_tools::{cargo_build, cxx_compiler, verilator};
use std::process::{Command, ExitCode, Stdio};

/// Make a simulated PCIe card fail in every way that the driver must survive, and print what it says of each
///
/// A row a fault: what was made to fail, what the driver called it, how long that took in the card's time, and whether
/// the next job (after a reset where the driver asked for one) was arkworks'. It ends with an error if a fault was told
/// as something else, or left a card that does not work.
#[derive(clap::Args)]
pub struct Faults {
    /// Only faults whose name contains this
    #[arg(long, default_value = "")]
    filter: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Faults {
    /// Builds the faults and runs them.
    pub fn run(self) -> Result<ExitCode> {
        // Asked for first, so that nobody waits for a build to learn that a compiler is missing.
        cxx_compiler()?;
        verilator()?;
        let faults = cargo_build("spandrel-faults", &["--release", "--package", "spandrel-tests"])?;
        let status = Command::new(&faults)
            .args(["--filter", &self.filter])
            .args(self.json.then_some("--json"))
            .stdin(Stdio::null())
            .status()
            .with_context(|| format!("cannot run {}", faults.display()))?;
        Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
