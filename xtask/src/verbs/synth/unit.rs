//! A unit's Verilog, from the command `spandrel-emit`.

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use spandrel_tools::cargo_build;
use std::fmt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The shape of a unit's pipelines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// What `spandrel-emit` takes by itself.
    Default,
    /// That of a profile.
    Profile(String),
    /// A row of the comparison.
    Variant {
        /// How the row is called.
        name: String,
        /// The fields of a profile's `[datapath]`.
        config: String,
    },
}

impl Shape {
    /// A shape on DSP48E2 tiles with carry chains of 64 bits.
    pub fn variant(karatsuba_levels: usize, constant_products: &str, levels_per_stage: usize) -> Shape {
        let config = serde_json::json!({
            "tile": [26, 17],
            "karatsuba_levels": karatsuba_levels,
            "chunk_bits": 64,
            "levels_per_stage": levels_per_stage,
            "tile_stages": 2,
            "constant_products": constant_products,
        });
        let name =
            format!("{constant_products}, Karatsuba {karatsuba_levels}, {levels_per_stage} level(s) a stage");
        Shape::Variant { name, config: config.to_string() }
    }

    fn arguments(&self) -> Vec<&str> {
        match self {
            Shape::Default => Vec::new(),
            Shape::Profile(profile) => vec!["--profile", profile],
            Shape::Variant { config, .. } => vec!["--config", config],
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shape::Default => write!(formatter, "default shape"),
            Shape::Profile(profile) => write!(formatter, "profile {profile}"),
            Shape::Variant { name, .. } => write!(formatter, "{name}"),
        }
    }
}

/// What the generator knows of a unit before any synthesis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Cycles from input to output.
    pub latency_cycles: u64,
    /// Multiplier tiles.
    pub multiplier_tiles: u64,
}

/// A unit as Verilog.
pub struct Unit {
    /// Name of the top module.
    pub top: String,
    /// The text.
    pub verilog: String,
    /// What the generator counted.
    pub counts: Counts,
}

/// The whole card as Verilog.
pub struct Card {
    /// Name of the top module.
    pub top: String,
    /// The text.
    pub verilog: String,
}

#[derive(Deserialize)]
struct CardSummary {
    top: String,
}

#[derive(Deserialize)]
struct Summary {
    top: String,
    #[serde(flatten)]
    counts: Counts,
}

/// The command that writes units.
pub struct Emitter {
    program: PathBuf,
}

impl Emitter {
    /// Builds the command.
    pub fn build() -> Result<Emitter> {
        Ok(Emitter { program: cargo_build("spandrel-emit", &["-p", "spandrel-hdl"])? })
    }

    /// The unit in this shape. Unknown names and impossible shapes are refused with the command's own words.
    pub fn emit(&self, unit: &str, prime: &str, shape: &Shape) -> Result<Unit> {
        self.emit_with(unit, &["--prime", prime], shape)
    }

    /// The unit with so many Poseidon lanes for states of `width` elements, in this shape.
    pub fn emit_lanes(&self, unit: &str, width: u32, lanes: u32, shape: &Shape) -> Result<Unit> {
        self.emit_with(unit, &["--width", &width.to_string(), "--lanes", &lanes.to_string()], shape)
    }

    /// The whole card of a profile; `git_revision` is what its register shows, zero without one.
    pub fn emit_card(&self, profile: &str, git_revision: Option<&str>) -> Result<Card> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let file = folder.path().join("card.v");
        let mut command = Command::new(&self.program);
        command.args(["--profile", profile, "--out"]).arg(&file);
        if let Some(revision) = git_revision {
            command.args(["--revision", revision]);
        }
        let summary: CardSummary =
            serde_json::from_slice(&summary(&mut command)?).context("spandrel-emit's summary")?;
        let verilog =
            std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        Ok(Card { top: summary.top, verilog })
    }

    fn emit_with(&self, unit: &str, options: &[&str], shape: &Shape) -> Result<Unit> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let file = folder.path().join("unit.v");
        let mut command = Command::new(&self.program);
        command.args(["--unit", unit]).args(options).arg("--out").arg(&file).args(shape.arguments());
        let summary: Summary =
            serde_json::from_slice(&summary(&mut command)?).context("spandrel-emit's summary")?;
        let verilog =
            std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        Ok(Unit { top: summary.top, verilog, counts: summary.counts })
    }
}

/// What `spandrel-emit` says of what it wrote, or its refusal.
fn summary(command: &mut Command) -> Result<Vec<u8>> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot run {program}"))?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        bail!("{}", message.trim().trim_start_matches("error: "));
    }
    Ok(output.stdout)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Result;

    /// Units that are pipelines, in two shapes, are Verilog that the pinned Verilator takes without a complaint about widths or drivers.
    #[test]
    fn verilator_accepts_every_pipeline() -> Result<()> {
        let emitter = Emitter::build()?;
        let verilator = spandrel_tools::verilator()?;
        for unit in ["mont_mul", "complete_adder", "field_unit"] {
            for shape in [Shape::Profile("sim-small".into()), Shape::variant(1, "shift-add", 2)] {
                let emitted = emitter.emit(unit, "fr", &shape)?;
                assert!(emitted.counts.latency_cycles > 0, "{unit}");
                let folder = tempfile::tempdir()?;
                let file = folder.path().join("unit.v");
                std::fs::write(&file, &emitted.verilog)?;
                let output = Command::new(&verilator.bin)
                    .env("VERILATOR_ROOT", &verilator.root)
                    .args(["--lint-only", "-Wno-DECLFILENAME", "--top-module", &emitted.top])
                    .arg(&file)
                    .output()?;
                let text = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{unit} {shape}: {text}");
            }
        }
        Ok(())
    }

    #[test]
    fn an_unknown_unit_and_an_impossible_shape_are_refused_by_name() -> Result<()> {
        let emitter = Emitter::build()?;
        let refusal = |unit, shape| match emitter.emit(unit, "fq", &shape) {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        };
        let message = refusal("divider", Shape::Default);
        assert!(message.contains("divider") && message.contains("mont_mul"), "{message}");
        let message = refusal("mont_mul", Shape::variant(9, "tiles", 1));
        assert!(message.contains("karatsuba_levels = 9"), "{message}");
        let message = refusal("mont_mul", Shape::variant(1, "guessed", 1));
        assert!(message.contains("guessed"), "{message}");
        Ok(())
    }
}
