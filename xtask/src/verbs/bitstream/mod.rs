//! `cargo xtask bitstream`: a board's card as a bitstream, with open tools.

use anyhow::Result;
use spandrel_tools::update_fpga_lock;
use std::process::ExitCode;

/// Make the bitstream of a board with open tools
#[derive(clap::Args)]
pub struct BitstreamVerb {
    /// Pin what the Debian mirror offers of the tools now, in tools/fpga.lock
    #[arg(long)]
    update: bool,
}

impl BitstreamVerb {
    /// Runs it.
    pub fn run(self) -> Result<ExitCode> {
        let (tools, changes) = update_fpga_lock()?;
        changes.iter().for_each(|line| println!("{line}"));
        println!("tools/fpga.lock pins nextpnr {}", tools.nextpnr_version);
        Ok(ExitCode::SUCCESS)
    }
}
