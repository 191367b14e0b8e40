//! `cargo xtask bitstream`: a board's card as a bitstream, with open tools.

mod database;
mod frames;
mod link;
mod pack;
mod place;
mod report;

pub use report::Timing;

use super::synth::{Emitter, Resources, Synthesis};
use crate::board::{Board, Needs};
use anyhow::{Context, Result, bail};
use report::Run;
use serde::Serialize;
use spandrel_abi::manifest::{BitstreamFile, MANIFEST_FORMAT, Manifest, abi_text, sha256};
use spandrel_tools::{FpgaTools, checkout_root, fpga_tools, update_fpga_lock};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

/// The revision of a tree that is not clean.
const NO_REVISION: &str = "00000000";

/// Make the bitstream of a board with open tools
///
/// Emits the board's card as Verilog, synthesises it with Yosys module by module, puts it into the board's wrapper (clock
/// and pads), places and routes it with nextpnr, and packs it. `card.bit`, its manifest `card.json` and `timing.json` with
/// the longest paths land in `.spandrel/bitstreams/BOARD`. It fails, without a bitstream, where the card's clock is not
/// reached or a path has no clock. Netlists of modules are kept in `.spandrel/synth`, where a second run finds them. The
/// tools come from Debian's newest release (33 MB, checked against the SHA-256 in tools/fpga.lock) and run from
/// `.spandrel/tools` with their own libraries. Only boards whose `board.toml` has `[open]` can be made this way: open tools
/// know no PCIe.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  cargo xtask bitstream acorn-cle215\n  \
    cargo xtask bitstream ulx3s-85f --seed 3 --out /tmp/ulx3s\n  cargo xtask bitstream --update")]
pub struct BitstreamVerb {
    /// The board: a folder of `bitstreams`
    #[arg(required_unless_present = "update")]
    board: Option<String>,
    /// What place and route begins its randomness with: another one is another result
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// The folder for the bitstream, instead of `.spandrel/bitstreams/BOARD`
    #[arg(long)]
    out: Option<PathBuf>,
    /// Stop Yosys or nextpnr after so many seconds a run
    #[arg(long, default_value_t = 2400)]
    timeout: u64,
    /// Print the manifest and the timing as JSON
    #[arg(long)]
    json: bool,
    /// Pin what the Debian mirror offers of the tools now, in tools/fpga.lock, instead
    #[arg(long, conflicts_with_all = ["board", "out", "json"])]
    update: bool,
}

/// What a run ends with.
#[derive(Serialize)]
struct Made {
    manifest: Manifest,
    timing: Timing,
    seconds: u64,
}

impl BitstreamVerb {
    /// Makes the bitstream, or pins the tools.
    pub fn run(self) -> Result<ExitCode> {
        let Some(name) = self.board.as_deref().filter(|_| !self.update) else { return update() };
        let board = Board::find(name)?;
        board.open()?;
        let out = match &self.out {
            Some(out) => std::path::absolute(out).with_context(|| out.display().to_string())?,
            None => checkout_root().join(".spandrel").join("bitstreams").join(name),
        };
        let emitter = Emitter::build()?;
        let flow = Flow::new(&board, self.seed, Duration::from_secs(self.timeout), out)?;
        let revision = revision()?;
        let card = emitter.emit_card(name, Some(&revision))?;
        let begun = Instant::now();
        let (manifest, timing) = flow.make(&card.top, &card.verilog, &revision)?;
        let made = Made { manifest, timing, seconds: begun.elapsed().as_secs() };
        match self.json {
            true => println!("{}", serde_json::to_string_pretty(&made)?),
            false => print!("{}", made.text(&flow.out)),
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn update() -> Result<ExitCode> {
    let (tools, changes) = update_fpga_lock()?;
    changes.iter().for_each(|line| println!("{line}"));
    if changes.is_empty() {
        println!("nothing changed");
    }
    println!("tools/fpga.lock pins nextpnr {}", tools.nextpnr_version);
    Ok(ExitCode::SUCCESS)
}

/// The first 32 bits of the checkout's revision, zeros where it has changes.
fn revision() -> Result<String> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").current_dir(checkout_root()).args(arguments).output();
        let output = output.context("cannot run git for the card's revision")?;
        Ok::<_, anyhow::Error>((
            output.status.success(),
            String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        ))
    };
    let (is_checkout, head) = git(&["rev-parse", "HEAD"])?;
    let (_, changes) = git(&["status", "--porcelain", "--untracked-files=no"])?;
    match head.get(..8).filter(|_| is_checkout && changes.is_empty()) {
        Some(revision) => Ok(revision.to_owned()),
        None => {
            eprintln!("xtask: the checkout has changes that are not committed: the card shows no revision");
            Ok(NO_REVISION.to_owned())
        }
    }
}

/// From Verilog to a bitstream for a board.
pub struct Flow<'a> {
    board: &'a Board,
    tools: FpgaTools,
    synthesis: Synthesis,
    seed: u32,
    timeout: Duration,
    out: PathBuf,
}

impl<'a> Flow<'a> {
    /// Finds the tools; what is made lands in the folder `out`, and a run of a tool that takes longer than `timeout` is
    /// stopped.
    pub fn new(board: &'a Board, seed: u32, timeout: Duration, out: PathBuf) -> Result<Flow<'a>> {
        let tools = fpga_tools()?;
        let synthesis = Synthesis::new(&board.settings.family, timeout)?;
        Ok(Flow { board, tools, synthesis, seed, timeout, out })
    }

    /// Makes the bitstream of a card with this top module.
    ///
    /// # Errors
    /// A tool fails; a path has no clock; the clock is not reached. `timing.json` is there in the last case.
    fn make(&self, top: &str, verilog: &str, revision: &str) -> Result<(Manifest, Timing)> {
        let open = self.board.open()?;
        let family = self.board.settings.family.as_str();
        let image = self.out.join("card.bit");
        // What an earlier run left would pass for this one's.
        for old in ["card.bit", "card.json"] {
            let _ = std::fs::remove_file(self.out.join(old));
        }
        let Routed { resources, timing, placed } = self.route(top, verilog)?;
        if !timing.closes() {
            bail!(
                "the card's clock is not reached, so no bitstream was made; another --seed may do\n{}",
                timing.text()
            );
        }
        let work = self.work();
        pack::pack(&self.tools, family, open, &placed.configuration, &work, &image, self.timeout)?;
        let bytes = std::fs::read(&image).with_context(|| format!("cannot read {}", image.display()))?;
        let manifest = Manifest {
            format: MANIFEST_FORMAT,
            board: self.board.name.clone(),
            board_number: self.board.profile.board,
            abi: abi_text(),
            git_revision: revision.to_owned(),
            profile_sha256: sha256(self.board.profile_text.as_bytes()),
            rtl_sha256: sha256(verilog.as_bytes()),
            tools: place::versions(family, &self.tools, &self.synthesis).into_iter().collect(),
            clock_khz: timing.clock_khz,
            clock_reached_khz: timing.reached_khz,
            resources: counts(&resources),
            bitstream: BitstreamFile::of("card.bit", &bytes),
        };
        write(&self.out.join("card.json"), (serde_json::to_string_pretty(&manifest)? + "\n").as_bytes())?;
        Ok((manifest, timing))
    }

    /// What a design with this top module needs, and the clock it reaches; no bitstream is made.
    ///
    /// # Errors
    /// Those of [`Flow::make`], but that a clock which is not reached is none.
    pub fn time(&self, top: &str, verilog: &str) -> Result<(Resources, Timing)> {
        let Routed { resources, timing, .. } = self.route(top, verilog)?;
        Ok((resources, timing))
    }

    /// Synthesises, places and routes; writes `timing.json`.
    fn route(&self, top: &str, verilog: &str) -> Result<Routed> {
        let open = self.board.open()?;
        let family = self.board.settings.family.as_str();
        let clock_khz = self.board.profile.clock_khz;
        let made_khz = open.clock.card_khz(family);
        if made_khz != clock_khz {
            bail!(
                "[open.clock] of bitstreams/{0}/board.toml makes {made_khz} kHz, and clock_khz of its profile.toml is \
                 {clock_khz}: change the one or the other",
                self.board.name
            );
        }
        let work = self.work();
        std::fs::create_dir_all(&work).with_context(|| format!("cannot create {}", work.display()))?;
        let report = self.out.join("timing.json");
        let _ = std::fs::remove_file(&report);
        write(&work.join("card.v"), verilog.as_bytes())?;
        let netlists = self.synthesis.netlists(top, verilog, &self.board.name)?;
        let linked = link::link(self.board, open, &self.synthesis, &netlists, &work, self.timeout)?;
        let resources = linked.resources();
        self.fits(&resources)?;
        let placed = place::place(
            &self.tools,
            &place::Job {
                family,
                open,
                constraints: place::constraints(self.board, open)?,
                clock_khz,
                netlist: &linked.json,
                seed: self.seed,
                work: &work,
                timeout: self.timeout,
            },
        )?;
        let run = Run {
            clock_khz,
            seed: self.seed,
            asynchronous: &open.asynchronous,
            log: &read(&placed.log)?,
            cells: &linked.cells,
        };
        let timing = Timing::read(&read(&placed.report)?, &run)?;
        write(&report, (serde_json::to_string_pretty(&timing)? + "\n").as_bytes())?;
        Ok(Routed { resources, timing, placed })
    }

    fn work(&self) -> PathBuf {
        self.out.join("work")
    }

    /// Refuses what is larger than the part, before hours are spent on it.
    fn fits(&self, resources: &Resources) -> Result<()> {
        let needs = Needs::of(&self.board.settings.family, resources);
        let all = needs.beside(&self.board.settings.whole);
        let words = all.map(|(name, needs, whole)| format!("{name} {needs} of {whole}")).join(", ");
        eprintln!("{}: {words}", self.board.name);
        match all.iter().find(|(_, needs, whole)| needs > whole) {
            None => Ok(()),
            Some((name, needs, whole)) => bail!(
                "the card needs {needs} {name} and {} has {whole}: choose a smaller shape in bitstreams/{}/profile.toml",
                self.board.settings.part,
                self.board.name
            ),
        }
    }
}

/// A design that was placed and routed.
struct Routed {
    resources: Resources,
    timing: Timing,
    placed: place::Placed,
}

/// The counts of a manifest. Block RAMs are in units of 18 Kibit.
fn counts(resources: &Resources) -> BTreeMap<String, u64> {
    let Resources { dsp, lut, ff, carry, bram18, uram, srl, .. } = *resources;
    [("dsp", dsp), ("lut", lut), ("ff", ff), ("carry", carry), ("bram", bram18), ("uram", uram), ("srl", srl)]
        .map(|(name, count)| (name.to_owned(), count))
        .into()
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

impl Made {
    fn text(&self, out: &Path) -> String {
        let Manifest { board, bitstream, resources, git_revision, .. } = &self.manifest;
        let resources: Vec<String> =
            resources.iter().map(|(name, count)| format!("{name} {count}")).collect();
        format!(
            "{} for {board}: {} bytes, SHA-256 {}, revision {git_revision}, {} s\n{}\n{}",
            out.join(&bitstream.file).display(),
            bitstream.bytes,
            bitstream.sha256,
            self.seconds,
            resources.join(", "),
            self.timing.text()
        )
    }
}

#[cfg(test)]
mod tests;
