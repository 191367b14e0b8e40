//! `cargo xtask timing`: the clock that each large module of a small board's card reaches by itself.

mod harness;

use super::bitstream::{Flow, Timing};
use super::synth::{Emitter, reachable};
use crate::board::Board;
use anyhow::{Context, Result, bail};
use harness::harness;
use serde::Serialize;
use spandrel_tools::checkout_root;
use std::process::ExitCode;
use std::time::Duration;

/// Place and route modules of a small board's card one by one, and report the clock each reaches
///
/// A module stands behind a generated harness: its inputs come from a chain of registers, and its outputs go through a tree of
/// registered parities, so that pins limit nothing and the paths that are reported are its own. It is synthesised, placed and
/// routed for the board's part as the card is. The clock that is aimed at is the card's. Results of synthesis are kept in
/// `.spandrel/synth`.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  cargo xtask timing --board ulx3s-85f --module spandrel_card_multipliers\n  \
    cargo xtask timing --board acorn-cle215 --module spandrel_card_shell --seed 2 --json"
)]
pub struct TimingVerb {
    /// The board: a folder of `bitstreams` that open tools know
    #[arg(long, default_value = "acorn-cle215")]
    board: String,
    /// Modules of the emitted card, instead of those that the board's `board.toml` names
    #[arg(long)]
    module: Vec<String>,
    /// What place and route begins its randomness with
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// Stop Yosys or nextpnr after so many seconds a run
    #[arg(long, default_value_t = 1800)]
    timeout: u64,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

/// A module and what was measured of it.
#[derive(Serialize)]
struct Row {
    module: String,
    dsp: u64,
    lut: u64,
    ff: u64,
    timing: Timing,
}

impl TimingVerb {
    /// Measures; fails where a module misses the card's clock.
    pub fn run(self) -> Result<ExitCode> {
        let board = Board::find(&self.board)?;
        let named = if self.module.is_empty() { &board.open()?.timing } else { &self.module };
        if named.is_empty() {
            bail!("{}'s board.toml lists no modules to measure: name some with --module", self.board);
        }
        let emitter = Emitter::build()?;
        let card = emitter.emit_card(&board.name, None)?;
        let mut rows = Vec::new();
        for module in named {
            rows.push(
                self.measure(&board, module, &card.verilog).with_context(|| format!("module {module}"))?,
            );
        }
        match self.json {
            true => println!("{}", serde_json::to_string_pretty(&rows)?),
            false => print!("{}", self.text(&board, &rows)),
        }
        match rows.iter().filter(|row| !row.timing.closes()).count() {
            0 => Ok(ExitCode::SUCCESS),
            missed => bail!("{missed} of {} modules miss the card's clock", rows.len()),
        }
    }

    fn measure(&self, board: &Board, module: &str, card: &str) -> Result<Row> {
        let text = harness(module, card)? + &reachable(module, card);
        let out = checkout_root().join(".spandrel").join("timing").join(&board.name).join(module);
        let flow = Flow::new(board, self.seed, Duration::from_secs(self.timeout), out)?;
        let (resources, timing) = flow.time("spandrel_card", &text)?;
        Ok(Row {
            module: module.to_owned(),
            dsp: resources.dsp,
            lut: resources.lut,
            ff: resources.ff,
            timing,
        })
    }

    fn text(&self, board: &Board, rows: &[Row]) -> String {
        let mut text = format!(
            "{} ({}), seed {}, aimed at {:.1} MHz\n{:<40} {:>6} {:>7} {:>7} {:>9}\n",
            board.name,
            board.settings.part,
            self.seed,
            f64::from(board.profile.clock_khz) / 1e3,
            "module",
            "DSP",
            "LUT",
            "FF",
            "MHz"
        );
        for Row { module, dsp, lut, ff, timing } in rows {
            let reached = f64::from(timing.reached_khz) / 1e3;
            text += &format!("{module:<40} {dsp:>6} {lut:>7} {ff:>7} {reached:>9.1}\n");
        }
        for Row { module, timing, .. } in rows {
            text += &format!("\n{module}: {}", timing.text());
        }
        text
    }
}
