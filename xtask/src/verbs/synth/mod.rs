//! `cargo xtask synth`: what a unit of the card needs on an FPGA, by Yosys.

mod hierarchy;
mod resources;
mod table;
mod unit;
mod yosys;

use anyhow::{Result, bail};
use std::process::ExitCode;
use std::time::Duration;
use table::Row;

pub use resources::Resources;
pub use unit::{Emitter, Shape};
pub use yosys::Synthesis;

/// Ways to multiply by constants.
const CONSTANTS: [&str; 3] = ["tiles", "low-shift-add", "shift-add"];

/// Karatsuba levels and ways to multiply by constants that are worth choosing from: everything on DSPs; balanced; few
/// DSPs; fewest.
const DECISIVE: [(usize, &str); 4] = [(2, "tiles"), (2, "low-shift-add"), (2, "shift-add"), (4, "shift-add")];

/// Units whose cost is told in multipliers, too.
const ADDERS: [&str; 2] = ["complete_adder", "batched_affine_adder"];

/// Units of Poseidon lanes. Their latency is that of a pass, a state's way once through a lane.
const LANES: [&str; 2] = ["poseidon", "shared_pool"];

/// Synthesise a unit of the card with Yosys and count what it needs
///
/// Counts the cells of `synth_xilinx` before placement: DSP slices, LUTs, flip-flops, carry blocks (CARRY4 and CARRY8) and
/// shift-register LUTs, which are not among the LUTs. LUTs cannot be packed before placement, so another tool may
/// need fewer. Yosys moves no registers into the DSP48E2 slices of xcup (it does into the DSP48E1 of xc7), so there a
/// tile's registers are counted as flip-flops. Yosys (through python3's pip, checked against its SHA-256) lands in `.spandrel/tools`, results in
/// `.spandrel/synth`, where a second run finds them. A multiplier takes one to a few minutes, and about 1 GiB.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  cargo xtask synth --unit mont_mul\n  \
    cargo xtask synth --unit mont_mul --variants\n  \
    cargo xtask synth --unit mont_mul --variants --karatsuba 2 --levels-per-stage 1,2\n  \
    cargo xtask synth --unit poseidon --width 5 --lanes 2\n  \
    cargo xtask synth --unit field_unit --profile sim-small --json")]
pub struct Synth {
    /// The unit: mont_mul, complete_adder, batched_affine_adder, field_unit, digit_source, pcie_endpoint, poseidon or
    /// shared_pool (a complete adder and Poseidon lanes on one pool of multipliers)
    #[arg(long)]
    unit: String,
    /// The field of mont_mul and batched_affine_adder: fq (BN254's coordinates) or fr (its scalars, Grumpkin's coordinates)
    #[arg(long, default_value = "fq")]
    prime: String,
    /// Elements of a state of poseidon and shared_pool, 2 to 5
    #[arg(long, default_value_t = 3)]
    width: u32,
    /// Lanes of poseidon and shared_pool, 1 to 15
    #[arg(long, default_value_t = 1)]
    lanes: u32,
    /// The part's family
    #[arg(long, default_value = "xcup", value_parser = ["xcup", "xcu", "xc7"])]
    family: String,
    /// The shape of this profile's pipelines (default: the shape for AMD UltraScale+)
    #[arg(long, conflicts_with = "variants")]
    profile: Option<String>,
    /// Compare shapes: the four that are worth choosing from, most DSPs first, or all of those given below
    #[arg(long)]
    variants: bool,
    /// Levels of Karatsuba splitting to compare, 0 to 4
    #[arg(long, requires = "variants", value_delimiter = ',')]
    karatsuba: Vec<usize>,
    /// Ways to multiply by constants to compare: tiles, low-shift-add, shift-add
    #[arg(long, requires = "variants", value_delimiter = ',')]
    constants: Vec<String>,
    /// Levels of logic between two registers to compare
    #[arg(long, requires = "variants", value_delimiter = ',', default_value = "1")]
    levels_per_stage: Vec<usize>,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
    /// Stop Yosys after this many seconds a run
    #[arg(long, default_value_t = 1800)]
    timeout: u64,
}

impl Synth {
    /// Synthesises what was asked for and prints the table; fails at the first unit that cannot be synthesised, after
    /// the rows it has.
    pub fn run(self) -> Result<ExitCode> {
        let shapes = self.shapes();
        let emitter = Emitter::build()?;
        let synthesis = Synthesis::new(&self.family, Duration::from_secs(self.timeout))?;
        let mut rows = Vec::new();
        let mut failure = None;
        for (index, shape) in shapes.iter().enumerate() {
            let label = format!("[{}/{}] {} {shape}", index + 1, shapes.len(), self.unit);
            let emitted = match LANES.contains(&self.unit.as_str()) {
                true => emitter.emit_lanes(&self.unit, self.width, self.lanes, shape),
                false => emitter.emit(&self.unit, &self.prime, shape),
            };
            let row = emitted.and_then(|unit| {
                let resources = synthesis.resources(&unit.top, &unit.verilog, &label)?;
                let multiplier_dsp = match ADDERS.contains(&self.unit.as_str()) {
                    true => {
                        let multiplier = emitter.emit("mont_mul", &self.prime, shape)?;
                        Some(synthesis.resources(&multiplier.top, &multiplier.verilog, &label)?.dsp)
                    }
                    false => None,
                };
                Ok(Row { shape: shape.to_string(), unit: unit.counts, resources, multiplier_dsp })
            });
            match row {
                Ok(row) => rows.push(row),
                Err(error) => {
                    failure = Some(error.context(format!("{} {shape}", self.unit)));
                    break;
                }
            }
        }
        if self.json {
            let report = serde_json::json!({
                "unit": self.unit, "prime": self.prime, "width": self.width, "lanes": self.lanes,
                "family": self.family, "tool": synthesis.tool(), "rows": rows,
            });
            println!("{}", serde_json::to_string_pretty(&report)?);
        } else if !rows.is_empty() {
            let of = match LANES.contains(&self.unit.as_str()) {
                true => format!("width {}, {} lane(s)", self.width, self.lanes),
                false => self.prime.clone(),
            };
            println!("{} ({of}), {}, {}, II = 1", self.unit, self.family, synthesis.tool());
            print!("{}", table::render(&rows));
            rows.iter().filter_map(Row::worth).for_each(|worth| println!("{worth}"));
        }
        match failure {
            Some(error) if rows.is_empty() => Err(error),
            Some(error) => {
                bail!("{} of {} rows are missing: {error:#}", shapes.len() - rows.len(), shapes.len())
            }
            None => Ok(ExitCode::SUCCESS),
        }
    }

    fn shapes(&self) -> Vec<Shape> {
        if !self.variants {
            return vec![match &self.profile {
                Some(profile) => Shape::Profile(profile.clone()),
                None => Shape::Default,
            }];
        }
        let all = CONSTANTS.map(str::to_owned);
        let mut ways: Vec<(usize, &str)> = Vec::new();
        if self.karatsuba.is_empty() && self.constants.is_empty() {
            ways.extend(DECISIVE);
        } else {
            let levels = if self.karatsuba.is_empty() { &[2][..] } else { &self.karatsuba };
            let constants = if self.constants.is_empty() { &all[..] } else { &self.constants };
            for constants in constants {
                ways.extend(levels.iter().map(|levels| (*levels, constants.as_str())));
            }
        }
        let of_levels = |levels_per_stage: &usize| {
            let shape = |(karatsuba, constants)| Shape::variant(karatsuba, constants, *levels_per_stage);
            ways.iter().copied().map(shape).collect::<Vec<_>>()
        };
        self.levels_per_stage.iter().flat_map(of_levels).collect()
    }
}
