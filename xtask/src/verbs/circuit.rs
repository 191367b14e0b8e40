//! `cargo xtask circuit`: rebuilds the sample circuit's key and witness.

use crate::sample;
use anyhow::{Context, Result, bail};
use std::process::{Command, ExitCode, Stdio};

/// Rebuild the sample circuit: compile it, draw an input, run a new ceremony
///
/// Replaces the committed files in circuits/merkle/build, which the demo and the tests use. Every run draws new
/// randomness. Needs node and npm; takes two to four minutes, nearly all of it the ceremony.
#[derive(clap::Args)]
pub struct Circuit {
    /// Rebuild nothing; check the committed files against each other with snarkjs, in seconds
    #[arg(long)]
    check: bool,
}

impl Circuit {
    /// Runs the circuit's own script under node.
    pub fn run(self) -> Result<ExitCode> {
        let Some(packages) = sample::node_packages()? else {
            bail!("node and npm are needed to rebuild the circuit (on Debian: apt-get install nodejs npm)");
        };
        let script = if self.check { "check.js" } else { "build.js" };
        let status = Command::new(&packages.node)
            .arg(script)
            .current_dir(sample::folder())
            .stdin(Stdio::null())
            .status()
            .context("cannot run node")?;
        Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
