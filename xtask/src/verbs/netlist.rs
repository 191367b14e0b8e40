//! `cargo xtask netlist`: synthesis, checked.

use anyhow::{Context, Result};
use spandrel_tools::{cargo_build, cxx_compiler, verilator, yosys};
use std::process::{Command, ExitCode, Stdio};

/// Simulate what Yosys makes of units of the small board against what they should do
///
/// A row a unit: `synth_xilinx -family xc7` makes a netlist of it, in the shape of the profile acorn-cle215; Verilator
/// simulates it with Yosys' own models of the cells, DSP48E1 among them, against integers, a queue, or the interpreted
/// pipeline. A second netlist with one bit of a LUT's table turned over must fail. Netlists are kept in `.spandrel/netlist`.
/// It ends with an error if a netlist differs, or a broken one does not.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  cargo xtask netlist --quick\n  cargo xtask netlist --filter mont_mul --json"
)]
pub struct Netlist {
    /// The board whose shapes the units have
    #[arg(long, default_value = "acorn-cle215", value_parser = ["acorn-cle215"])]
    board: String,
    /// Only units whose name contains this
    #[arg(long, default_value = "")]
    filter: String,
    /// Only units that are synthesised in seconds
    #[arg(long)]
    quick: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Netlist {
    /// Builds the check and runs it.
    pub fn run(self) -> Result<ExitCode> {
        eprintln!("xtask: netlists of units in the shape of {}", self.board);
        // Asked for first, so that nobody waits for a build to learn that a tool is missing.
        cxx_compiler()?;
        verilator()?;
        yosys()?;
        let netlist = cargo_build("spandrel-netlist", &["--package", "spandrel-tests"])?;
        let status = Command::new(&netlist)
            .args(["--filter", &self.filter])
            .args(self.quick.then_some("--quick"))
            .args(self.json.then_some("--json"))
            .stdin(Stdio::null())
            .status()
            .with_context(|| format!("cannot run {}", netlist.display()))?;
        Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
