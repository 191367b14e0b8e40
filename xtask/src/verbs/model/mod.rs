//! `cargo xtask model`: how fast a board's card is modelled to be.

mod cycles;
mod hashes;
mod memory;
mod parts;
mod plan;

use super::synth::{Emitter, Resources, Shape, Synthesis};
use anyhow::{Context, Result, bail};
use cycles::{CycleModel, HashCycles, Held, Rate};
use hashes::{Hashes, LEAVES, Needs};
use memory::{Memory, of_core};
use parts::{Budget, PARTS, Part};
use plan::{PERCENT, Plan, Variant, plans};
use serde::Serialize;
use spandrel_tools::cargo_build;
use std::process::ExitCode;
use std::time::Duration;

/// The clock that rates are given at: assumed, until the vendor's tool has reported one.
const ASSUMED_CLOCK_HZ: f64 = 250e6;
/// Jobs that rates are given for.
const POINTS: [u64; 4] = [1 << 20, 1 << 22, 1 << 24, 1 << 26];
/// The largest job that is modelled where nothing else is asked for.
const LARGEST: u64 = 1 << 22;
/// Jobs that the model is held against the simulated card on, and what it may be off.
const HELD: [u64; 5] = [1 << 12, 1 << 13, 1 << 14, 1 << 15, 1 << 16];
const TOLERANCE: f64 = 0.02;
/// Ways to multiply, as of `cargo xtask synth --unit mont_mul --variants`.
const MULTIPLIERS: [(&str, &str); 3] = [
    ("all products on DSPs", "tiles"),
    ("quotient as shifts and additions", "low-shift-add"),
    ("both constant products as shifts and additions", "shift-add"),
];
/// The way that the whole adder is synthesised with; with the others it differs by its six multipliers.
const SYNTHESISED: usize = 1;
/// The one profile whose pipelines are for UltraScale+ parts, and whose Poseidon lanes every board is modelled with.
const PROFILE: &str = "alveo-u250";

/// Model the rate of a board's card: adders that fit, cycles of jobs, points a second at an assumed clock
///
/// What a unit needs is counted by Yosys (see `cargo xtask synth`; results are kept in `.spandrel/synth`), a memory from
/// its shape; shift-register LUTs count as LUTs. Adders, window bits and ways to multiply are chosen for the highest
/// rate at 2^24 points within 75 % of the part, beside the Poseidon lanes of the profile alveo-u250. For those, hashes a second
/// and builds of trees are given, and what they need with multipliers of their own, and on one pool with a complete
/// adder. What is not counted (reduction, control, the hash engine around its lanes, DMA, the vendor's shell) must
/// fit into the rest. Cycles are those of a model that steps through the engine's registers; `--check` holds it
/// against a Verilated card.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  cargo xtask model --board alveo-u250\n  \
    cargo xtask model --board aws-f2 --json\n  cargo xtask model --check")]
pub struct Model {
    /// The board: alveo-u250, alveo-u55c or aws-f2
    #[arg(long, default_value = "alveo-u250")]
    board: String,
    /// Hold the cycle model against the Verilated card instead, at 2^12 to 2^16 points: fails if it is off by more than 2 %
    #[arg(long)]
    check: bool,
    /// The simulated card for --check
    #[arg(long, default_value = "sim-batched")]
    card: String,
    /// Model jobs of up to so many points cycle by cycle; larger ones are extrapolated
    #[arg(long, default_value_t = LARGEST)]
    largest: u64,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
    /// Stop Yosys after this many seconds a run
    #[arg(long, default_value_t = 3600)]
    timeout: u64,
}

#[derive(Serialize)]
struct Report {
    part: Part,
    tool: String,
    variants: Vec<Variant>,
    core: Budget,
    card: Budget,
    hashes: Vec<Hashes>,
    memories: Vec<Memory>,
    percent: u64,
    plan: Plan,
    assumed_clock_hz: f64,
    rates: Vec<Rate>,
}

impl Model {
    /// Models the board, or checks the model.
    pub fn run(self) -> Result<ExitCode> {
        let model = CycleModel::build()?;
        if self.check {
            return self.check(&model);
        }
        if self.largest < 1 << 18 || !self.largest.is_power_of_two() {
            bail!("--largest {}: a power of two from 2^18 on, for the part that is not linear", self.largest);
        }
        let known = PARTS.map(|part| part.board).join(", ");
        let part = PARTS
            .into_iter()
            .find(|part| part.board == self.board)
            .with_context(|| format!("there is no board {}: known are {known}", self.board))?;
        let report = self.report(&model, part)?;
        match self.json {
            true => println!("{}", serde_json::to_string_pretty(&report)?),
            false => print!("{}", report.text()),
        }
        Ok(ExitCode::SUCCESS)
    }

    fn report(&self, model: &CycleModel, part: Part) -> Result<Report> {
        let emitter = Emitter::build()?;
        let synthesis = Synthesis::new("xcup", Duration::from_secs(self.timeout))?;
        let needs = |unit: &str, shape: &Shape| -> Result<Budget> {
            let emitted = emitter.emit(unit, "fq", shape)?;
            let label = format!("{unit} {shape}");
            Ok(budget(&synthesis.resources(&emitted.top, &emitted.verilog, &label)?))
        };
        let shapes = MULTIPLIERS.map(|(_, constants)| Shape::variant(2, constants, 1));
        let multipliers = shapes.iter().map(|shape| needs("mont_mul", shape)).collect::<Result<Vec<_>>>()?;
        let adder = needs("batched_affine_adder", &shapes[SYNTHESISED])?;
        let six = multipliers[SYNTHESISED].times(6);
        let rest = Budget {
            dsp: adder.dsp.saturating_sub(six.dsp),
            lut: adder.lut.saturating_sub(six.lut),
            ff: adder.ff.saturating_sub(six.ff),
            ..Budget::default()
        };
        let variants: Vec<Variant> = MULTIPLIERS
            .iter()
            .zip(&multipliers)
            .map(|((name, _), multiplier)| Variant {
                name: (*name).into(),
                multiplier: *multiplier,
                adder: multiplier.times(6).plus(rest),
            })
            .collect();
        let core = needs("digit_source", &shapes[SYNTHESISED])?;
        let card = needs("field_unit", &shapes[SYNTHESISED])?;
        let hashes = self.hashes(model, &emitter, &synthesis, &shapes[SYNTHESISED])?;
        let lanes = hashes.iter().fold(Budget::default(), |sum, hashes| sum.plus(hashes.needs.lanes));
        let found = plans(&part, &variants, core, card.plus(lanes), 1 << 24);
        let plan = found.into_iter().next().context("not one adder fits into the part")?;
        let rates =
            model.rates(PROFILE, plan.adders, plan.window_bits, &POINTS, self.largest, ASSUMED_CLOCK_HZ)?;
        let memories = of_core(plan.window_bits, plan.adders, 0);
        Ok(Report {
            part,
            tool: synthesis.tool().into(),
            variants,
            core,
            card,
            hashes,
            memories,
            percent: PERCENT,
            plan,
            assumed_clock_hz: ASSUMED_CLOCK_HZ,
            rates,
        })
    }

    /// The lanes of the profile, in a shape.
    fn hashes(
        &self,
        model: &CycleModel,
        emitter: &Emitter,
        synthesis: &Synthesis,
        shape: &Shape,
    ) -> Result<Vec<Hashes>> {
        let hashes = |[own, shared]: [HashCycles; 2]| {
            let needs = |unit: &str| -> Result<Budget> {
                let emitted = emitter.emit_lanes(unit, own.width, own.lanes, shape)?;
                let label = format!("{unit} of {} lane(s) of width {}, {shape}", own.lanes, own.width);
                let resources = synthesis.resources(&emitted.top, &emitted.verilog, &label)?;
                // Their memories are in no other count.
                let memories = Budget {
                    uram: resources.uram,
                    bram36: resources.bram18.div_ceil(2),
                    ..Budget::default()
                };
                Ok(budget(&resources).plus(memories))
            };
            let needs = Needs {
                lanes: needs("poseidon")?,
                adder: needs("complete_adder")?,
                pool: needs("shared_pool")?,
            };
            Ok(Hashes::new(needs, own, shared, ASSUMED_CLOCK_HZ))
        };
        model.hashes(PROFILE, &LEAVES)?.into_iter().map(hashes).collect()
    }

    fn check(&self, model: &CycleModel) -> Result<ExitCode> {
        let spandrel = cargo_build("spandrel", &["--release", "-p", "spandrel"])?;
        let mut held: Vec<Held> = Vec::new();
        for points in HELD {
            let job = model.hold(&spandrel, &self.card, points)?;
            if !self.json {
                println!(
                    "{:6} points, c = {:2}: card {:8} cycles, model {:8}, off by {:+.3} %",
                    job.points,
                    job.window_bits,
                    job.card_cycles,
                    job.model_cycles,
                    100.0 * job.relative_error
                );
            }
            held.push(job);
        }
        if self.json {
            println!("{}", serde_json::to_string_pretty(&held)?);
        }
        match held.iter().find(|job| job.relative_error.abs() > TOLERANCE) {
            None => Ok(ExitCode::SUCCESS),
            Some(job) => bail!(
                "at {} points the model is off by {:.2} %, which is more than {} %",
                job.points,
                100.0 * job.relative_error,
                100.0 * TOLERANCE
            ),
        }
    }
}

/// Cells as a budget: shift registers are LUTs, and so are distributed memories, eight each. Memories of other kinds are
/// counted from their shapes.
fn budget(resources: &Resources) -> Budget {
    Budget {
        dsp: resources.dsp,
        lut: resources.lut + resources.srl + 8 * resources.lutram,
        ff: resources.ff,
        ..Budget::default()
    }
}

impl Report {
    fn text(&self) -> String {
        let line = |name: &str, needs: &Budget| {
            format!(
                "{name:<50} {:>6} DSP {:>9} LUT {:>9} FF {:>5} URAM {:>5} BRAM36\n",
                needs.dsp, needs.lut, needs.ff, needs.uram, needs.bram36
            )
        };
        let mut text = format!(
            "{} ({}), counts by {} and from the shapes of memories\n",
            self.part.board, self.part.part, self.tool
        );
        for variant in &self.variants {
            text += &line(&format!("multiplier, {}", variant.name), &variant.multiplier);
        }
        for variant in &self.variants {
            text += &line(&format!("adder, {}", variant.name), &variant.adder);
        }
        text += &line("digit source", &self.core);
        text += &line("field unit", &self.card);
        for (name, needs) in self.hashes.iter().flat_map(Hashes::rows) {
            text += &line(&name, &needs);
        }
        let Plan { adders, window_bits, of_variant, needs, most, .. } = &self.plan;
        text += &format!("fastest that fits: {adders} adders, windows of up to {window_bits} bits\n");
        for (variant, count) in self.variants.iter().zip(of_variant).filter(|(_, count)| **count != 0) {
            text += &format!("  {count} adder(s) with {}\n", variant.name);
        }
        text += &line("with the lanes it needs, of what is counted", needs);
        text += &line(&format!("{} % of the part", self.percent), most);
        text += &format!("in percent of the part: {}\n", needs.in_percent_of(self.part.whole));
        text += &format!("at an assumed clock of {} MHz:\n", self.assumed_clock_hz / 1e6);
        for hashes in &self.hashes {
            text += &hashes.rates(self.assumed_clock_hz);
        }
        for rate in &self.rates {
            text += &format!(
                "  2^{} points: {:>11} cycles ({}), {:.1} M points/s\n",
                rate.points.ilog2(),
                rate.cycles,
                rate.cycles_are,
                rate.points_per_second / 1e6
            );
        }
        text
    }
}
