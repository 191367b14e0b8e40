//! `cargo xtask lint`: formatting, clippy, documentation.

use crate::cargo;
use anyhow::Result;
use std::process::ExitCode;

/// Check formatting, clippy and the documentation, every warning an error
///
/// Runs all three even if one fails, so that one run shows everything.
#[derive(clap::Args)]
pub struct Lint {
    /// Mend the formatting instead of only checking it
    #[arg(long)]
    fix: bool,
}

impl Lint {
    /// Runs the checks and names those that failed.
    pub fn run(self) -> Result<ExitCode> {
        let format: &[&str] = if self.fix { &["fmt", "--all"] } else { &["fmt", "--all", "--check"] };
        let clippy = ["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"];
        let document = ["doc", "--workspace", "--no-deps"];

        let checks = [
            ("formatting", cargo::succeeds(&mut cargo::command(format))?),
            ("clippy", cargo::succeeds(&mut cargo::command(&clippy))?),
            (
                "documentation",
                cargo::succeeds(cargo::command(&document).env("RUSTDOCFLAGS", "--deny warnings"))?,
            ),
        ];
        let failed: Vec<_> = checks.iter().filter(|(_, passed)| !passed).map(|(name, _)| *name).collect();
        if failed.is_empty() {
            println!("lint: formatting, clippy and documentation are clean");
            return Ok(ExitCode::SUCCESS);
        }
        eprintln!("lint: not clean: {}", failed.join(", "));
        Ok(ExitCode::FAILURE)
    }
}
