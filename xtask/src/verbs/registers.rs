//! `cargo xtask registers`: renders the register reference.

use anyhow::{Context, Result};
use spandrel_tools::checkout_root;
use std::process::ExitCode;

/// Render docs/registers.md from the description in the crate spandrel-abi
///
/// The card, the driver and that page all come from the one description in `abi/`. Run this after changing it.
#[derive(clap::Args)]
pub struct Registers {
    /// Write nothing; fail if the page is not what would be written
    #[arg(long)]
    check: bool,
}

impl Registers {
    /// Writes or checks the page.
    pub fn run(self) -> Result<ExitCode> {
        let page = checkout_root().join("docs").join("registers.md");
        let rendered = spandrel_abi::docs::render();
        if self.check {
            let found = std::fs::read_to_string(&page).unwrap_or_default();
            if found != rendered {
                eprintln!("{} is stale: run `cargo xtask registers`", page.display());
                return Ok(ExitCode::FAILURE);
            }
            return Ok(ExitCode::SUCCESS);
        }
        std::fs::write(&page, rendered).with_context(|| format!("cannot write {}", page.display()))?;
        println!("wrote {}", page.display());
        Ok(ExitCode::SUCCESS)
    }
}
