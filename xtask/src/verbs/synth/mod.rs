//! `cargo xtask synth`: what a unit of the card needs on an FPGA, by Yosys.

mod board;
mod hierarchy;
mod resources;
mod table;
mod unit;
mod yosys;

use crate::board::Board;
use anyhow::{Context, Result, bail};
use board::BoardReport;
use std::process::ExitCode;
use std::time::Duration;
use table::Row;

pub use hierarchy::reachable;
pub use resources::{Resources, cells};
pub use unit::{Emitter, Shape};
pub use yosys::{Netlist, Synthesis};

/// Ways to multiply by constants.
const CONSTANTS: [&str; 3] = ["tiles", "low-shift-add", "shift-add"];

/// Karatsuba levels and ways to multiply by constants that are worth choosing from: everything on DSPs; balanced; few
/// DSPs; fewest.
const DECISIVE: [(usize, &str); 4] = [(2, "tiles"), (2, "low-shift-add"), (2, "shift-add"), (4, "shift-add")];

/// Units whose cost is told in multipliers, too.
const ADDERS: [&str; 2] = ["complete_adder", "batched_affine_adder"];

/// Units of Poseidon lanes. Their latency is that of a pass, a state's way once through a lane.
const LANES: [&str; 2] = ["poseidon", "shared_pool"];

/// Synthesise a unit of the card, or the whole card of a board, with Yosys and count what it needs
///
/// Counts the cells of `synth_xilinx` before placement: DSP slices, LUTs, flip-flops, carry blocks (CARRY4 and CARRY8) and
/// shift-register LUTs, which are not among the LUTs. LUTs cannot be packed before placement, so another tool may
/// need fewer. Yosys moves no registers into the DSP48E2 slices of xcup (it does into the DSP48E1 of xc7), so there a
/// tile's registers are counted as flip-flops. Yosys (through python3's pip, checked against its SHA-256) lands in `.spandrel/tools`, results in
/// `.spandrel/synth`, where a second run finds them. A multiplier takes one to a few minutes, and about 1 GiB. A board's
/// card is synthesised module by module, which takes up to an hour the first time; --write keeps its table beside the board.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  cargo xtask synth --unit mont_mul\n  \
    cargo xtask synth --unit mont_mul --variants\n  \
    cargo xtask synth --unit mont_mul --variants --karatsuba 2 --levels-per-stage 1,2\n  \
    cargo xtask synth --unit poseidon --width 5 --lanes 2\n  \
    cargo xtask synth --unit field_unit --profile sim-small --json\n  \
    cargo xtask synth --board alveo-u250\n  cargo xtask synth --board acorn-cle215 --write")]
pub struct Synth {
    /// The unit: mont_mul, complete_adder, batched_affine_adder, field_unit, digit_source, pcie_endpoint, poseidon or
    /// shared_pool (a complete adder and Poseidon lanes on one pool of multipliers)
    #[arg(long, required_unless_present = "board")]
    unit: Option<String>,
    /// The board whose whole card is counted, for its part: a folder of `bitstreams` with a `board.toml`
    #[arg(long, conflicts_with_all = ["unit", "profile", "variants", "family"])]
    board: Option<String>,
    /// Keep the board's table in its `resources.json` and README
    #[arg(long, requires = "board")]
    write: bool,
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
    #[arg(long, default_value = "xcup", value_parser = ["xcup", "xcu", "xc7", "ecp5"])]
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
        match (&self.board, &self.unit) {
            (Some(board), _) => self.count_board(&Board::find(board)?),
            (None, Some(unit)) => self.count_unit(unit),
            (None, None) => bail!("say what to synthesise: --unit or --board"),
        }
    }

    fn count_board(&self, board: &Board) -> Result<ExitCode> {
        let emitter = Emitter::build()?;
        let synthesis = Synthesis::new(&board.settings.family, Duration::from_secs(self.timeout))?;
        let report = BoardReport::count(board, &emitter, &synthesis)
            .with_context(|| format!("the card of {}", board.name))?;
        match self.json {
            true => println!("{}", serde_json::to_string_pretty(&report)?),
            false => print!("{}", report.text()),
        }
        if self.write {
            report.write(board)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn count_unit(&self, unit: &str) -> Result<ExitCode> {
        let shapes = self.shapes();
        let emitter = Emitter::build()?;
        let synthesis = Synthesis::new(&self.family, Duration::from_secs(self.timeout))?;
        let mut rows = Vec::new();
        let mut failure = None;
        for (index, shape) in shapes.iter().enumerate() {
            let label = format!("[{}/{}] {} {shape}", index + 1, shapes.len(), unit);
            let emitted = match LANES.contains(&unit) {
                true => emitter.emit_lanes(unit, self.width, self.lanes, shape),
                false => emitter.emit(unit, &self.prime, shape),
            };
            let row = emitted.and_then(|emitted| {
                let resources = synthesis.resources(&emitted.top, &emitted.verilog, &label)?;
                let multiplier_dsp = match ADDERS.contains(&unit) {
                    true => {
                        let multiplier = emitter.emit("mont_mul", &self.prime, shape)?;
                        Some(synthesis.resources(&multiplier.top, &multiplier.verilog, &label)?.dsp)
                    }
                    false => None,
                };
                Ok(Row { shape: shape.to_string(), unit: emitted.counts, resources, multiplier_dsp })
            });
            match row {
                Ok(row) => rows.push(row),
                Err(error) => {
                    failure = Some(error.context(format!("{} {shape}", unit)));
                    break;
                }
            }
        }
        if self.json {
            let report = serde_json::json!({
                "unit": unit, "prime": self.prime, "width": self.width, "lanes": self.lanes,
                "family": self.family, "tool": synthesis.tool(), "rows": rows,
            });
            println!("{}", serde_json::to_string_pretty(&report)?);
        } else if !rows.is_empty() {
            let of = match LANES.contains(&unit) {
                true => format!("width {}, {} lane(s)", self.width, self.lanes),
                false => self.prime.clone(),
            };
            println!("{} ({of}), {}, {}, II = 1", unit, self.family, synthesis.tool());
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
