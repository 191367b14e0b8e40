//! Place and route with nextpnr.

use super::super::synth::Synthesis;
use crate::board::{Board, Open};
use crate::watch::Watch;
use anyhow::{Context, Result, bail};
use spandrel_tools::FpgaTools;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// What nextpnr made.
pub struct Placed {
    /// The configuration: features for 7 series, Trellis' text for ECP5.
    pub configuration: PathBuf,
    /// Its report.
    pub report: PathBuf,
    /// All that it wrote.
    pub log: PathBuf,
}

/// What to place, and for what.
pub struct Job<'a> {
    /// The family.
    pub family: &'a str,
    /// Device, package, speed and more arguments.
    pub open: &'a Open,
    /// The constraints' text; that of the card's clock is added.
    pub constraints: String,
    /// The clock to reach.
    pub clock_khz: u32,
    /// The flat netlist.
    pub netlist: &'a Path,
    /// What nextpnr's randomness begins with.
    pub seed: u32,
    /// A folder for what it makes.
    pub work: &'a Path,
    /// When to give up.
    pub timeout: Duration,
}

/// Places and routes.
///
/// # Errors
/// nextpnr fails, takes too long, or is interrupted. A clock that is missed is no error here: the report says it.
pub fn place(tools: &FpgaTools, job: &Job<'_>) -> Result<Placed> {
    let Open { device, package, speed, .. } = job.open;
    let at = |name: &str| job.work.join(name);
    let placed =
        Placed { configuration: at("card.config"), report: at("report.json"), log: at("nextpnr.log") };
    let megahertz = format!("{:.3}", f64::from(job.clock_khz) / 1e3);
    let constraints = at(if job.family == "ecp5" { "card.lpf" } else { "card.xdc" });
    let mut text = job.constraints.clone();
    let mut command;
    match job.family {
        "xc7" => {
            text +=
                &format!("\ncreate_clock -period {:.4} [get_nets clock]\n", 1e6 / f64::from(job.clock_khz));
            command = tools.nextpnr_xilinx();
            command.args(["--device", &format!("{device}{package}-{speed}"), "--chipdb"]);
            command.arg(tools.xilinx_chipdb(device));
            command.arg("-o").arg(option("xdc", &constraints));
            command.arg("-o").arg(option("fasm", &placed.configuration));
        }
        "ecp5" => {
            command = tools.nextpnr_ecp5();
            command.args([&format!("--{device}"), "--package", package, "--speed", speed, "--lpf"]);
            command.arg(&constraints).arg("--textcfg").arg(&placed.configuration);
        }
        other => bail!("open tools do not place for {other}"),
    }
    std::fs::write(&constraints, text).with_context(|| format!("cannot write {}", constraints.display()))?;
    command.arg("--json").arg(job.netlist).arg("--report").arg(&placed.report);
    command.args(["--freq", &megahertz, "--seed", &job.seed.to_string(), "--timing-allow-fail"]);
    command.args(&job.open.arguments);
    run(&mut command, job, &placed.log)?;
    Ok(placed)
}

fn option(name: &str, path: &Path) -> std::ffi::OsString {
    let mut text = std::ffi::OsString::from(format!("{name}="));
    text.push(path);
    text
}

fn run(command: &mut Command, job: &Job<'_>, log: &Path) -> Result<()> {
    let label = format!("placing and routing for {}", job.open.device);
    Watch { program: "nextpnr", label: &label, timeout: job.timeout, stage, log: Some(log) }
        .run(command)
        .with_context(|| format!("place and route; all of its output is in {}", log.display()))
}

/// The last line that says how far it is.
fn stage(line: &str) -> Option<&str> {
    line.strip_prefix("Info:")
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.contains('|') && !line.contains("ns"))
}

/// The board's constraints.
pub fn constraints(board: &Board, open: &Open) -> Result<String> {
    let path = board.folder.join(&open.constraints);
    std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// Names and versions of what makes a bitstream, for manifests.
pub fn versions(family: &str, tools: &FpgaTools, synthesis: &Synthesis) -> Vec<(String, String)> {
    let (database, version) = match family {
        "ecp5" => ("trellis", &tools.trellis_version),
        _ => ("prjxray", &tools.prjxray_version),
    };
    [("yosys", spandrel_tools::YOSYS_VERSION), ("nextpnr", &tools.nextpnr_version), (database, version)]
        .into_iter()
        .map(|(name, version)| match name {
            // Another one than the pinned may be in use.
            "yosys" => (name.to_owned(), synthesis.tool().trim_start_matches("yosys ").to_owned()),
            _ => (name.to_owned(), version.to_owned()),
        })
        .collect()
}
