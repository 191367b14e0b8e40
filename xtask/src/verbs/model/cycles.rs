//! Cycles of jobs, from the command `spandrel-model`, and from a simulated card to hold them against.

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use spandrel_tools::cargo_build;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The cycle model.
pub struct CycleModel {
    program: PathBuf,
}

/// What the model says of a job.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Job {
    /// Points.
    pub points: u64,
    /// Cycles from start to the last result.
    pub cycles: u64,
}

/// What the model says of the hashes of one width.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HashCycles {
    /// Elements of a state.
    pub width: u32,
    /// Lanes.
    pub lanes: u32,
    /// Cycles of a pass: states in flight in a lane.
    pub pass_cycles: u32,
    /// Cycles from a state to its result.
    pub latency_cycles: u64,
    /// Cycles between two hashes of full lanes.
    pub cycles_per_hash: f64,
    /// Builds of trees; none where no tree has nodes of this width.
    pub builds: Vec<Build>,
}

/// The build of a tree.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Build {
    /// Leaves.
    pub leaves: u64,
    /// Cycles from the first group to the root.
    pub cycles: u64,
}

/// A job's rate at the assumed clock.
#[derive(Clone, Debug, Serialize)]
pub struct Rate {
    /// Points.
    pub points: u64,
    /// Cycles.
    pub cycles: u64,
    /// `modelled`, or `extrapolated` from the cycles an element of two modelled jobs.
    pub cycles_are: &'static str,
    /// Points a second at the assumed clock.
    pub points_per_second: f64,
}

/// A job on the simulated card, and what the model says of it.
#[derive(Clone, Debug, Serialize)]
pub struct Held {
    /// Points.
    pub points: u64,
    /// Window bits that the driver chose.
    pub window_bits: u32,
    /// Cycles that the card counted.
    pub card_cycles: u64,
    /// Cycles of the model.
    pub model_cycles: u64,
    /// Model over card, less one.
    pub relative_error: f64,
}

impl CycleModel {
    /// Builds the command.
    pub fn build() -> Result<CycleModel> {
        Ok(CycleModel { program: cargo_build("spandrel-model", &["--release", "-p", "spandrel-hdl"])? })
    }

    /// Jobs of so many points with uniform scalars.
    pub fn jobs(
        &self,
        profile: &str,
        adders: Option<u32>,
        window_bits: u32,
        points: &[u64],
    ) -> Result<Vec<Job>> {
        let points = points.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
        let mut command = Command::new(&self.program);
        command.args(["--profile", profile, "--points", &points, "--window-bits", &window_bits.to_string()]);
        if let Some(adders) = adders {
            command.args(["--adders", &adders.to_string()]);
        }
        let text = run(&mut command, &self.program)?;
        text.lines().map(|line| serde_json::from_str(line).context("spandrel-model's report")).collect()
    }

    /// The hashes of each width of a profile, and builds of trees: with multipliers of its own, and shared ones.
    pub fn hashes(&self, profile: &str, leaves: &[u64]) -> Result<Vec<[HashCycles; 2]>> {
        #[derive(Deserialize)]
        struct Line {
            multipliers: String,
            #[serde(flatten)]
            cycles: HashCycles,
        }
        let leaves = leaves.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
        let mut command = Command::new(&self.program);
        let text = run(command.args(["--profile", profile, "--leaves", &leaves]), &self.program)?;
        let line = |line: &str| serde_json::from_str::<Line>(line).context("spandrel-model's report");
        let lines = text.lines().map(line).collect::<Result<Vec<_>>>()?;
        let of = |multipliers: &'static str| {
            lines.iter().filter(move |line| line.multipliers == multipliers).map(|line| line.cycles.clone())
        };
        Ok(of("own").zip(of("shared")).map(|(own, shared)| [own, shared]).collect())
    }

    /// Jobs of `points` elements each, ascending: those of up to `largest` modelled, the others extrapolated. When a job
    /// has many times more elements than a window has buckets, all that grows with it is the bucket phase, and each
    /// element adds the same; so what an element adds is taken from jobs of a half of `largest` and of `largest`.
    pub fn rates(
        &self,
        profile: &str,
        adders: u32,
        window_bits: u32,
        points: &[u64],
        largest: u64,
        clock_hz: f64,
    ) -> Result<Vec<Rate>> {
        let mut modelled: Vec<u64> = points.iter().copied().filter(|points| *points < largest / 2).collect();
        modelled.extend([largest / 2, largest]);
        let jobs = self.jobs(profile, Some(adders), window_bits, &modelled)?;
        let [.., half, whole] = &jobs[..] else { bail!("spandrel-model reported {} jobs", jobs.len()) };
        let per_point = (whole.cycles - half.cycles) as f64 / (whole.points - half.points) as f64;
        let rate = |points: &u64| {
            let known = jobs.iter().find(|job| job.points == *points);
            let (cycles, cycles_are) = match known {
                Some(job) => (job.cycles, "modelled"),
                None => (whole.cycles + ((points - whole.points) as f64 * per_point) as u64, "extrapolated"),
            };
            Rate {
                points: *points,
                cycles,
                cycles_are,
                points_per_second: *points as f64 * clock_hz / cycles as f64,
            }
        };
        Ok(points.iter().map(rate).collect())
    }

    /// Runs a job of so many points on the simulated card of a profile, and in the model.
    pub fn hold(&self, spandrel: &Path, profile: &str, points: u64) -> Result<Held> {
        #[derive(Deserialize)]
        struct Bench {
            cycles: u64,
            window_bits: u32,
        }
        let mut command = Command::new(spandrel);
        let (card, count) = (format!("sim:{profile}"), points.to_string());
        command.args(["bench", "msm", "--backend", "card", "--card", &card, "--points", &count]);
        command.args(["--scalars", "uniform", "--json"]);
        let text = run(&mut command, spandrel)?;
        let Bench { cycles: card_cycles, window_bits } =
            serde_json::from_str(&text).context("the report of spandrel bench msm")?;
        let jobs = self.jobs(profile, None, window_bits, &[points])?;
        let model_cycles = jobs.first().map(|job| job.cycles).unwrap_or_default();
        let relative_error = model_cycles as f64 / card_cycles as f64 - 1.0;
        Ok(Held { points, window_bits, card_cycles, model_cycles, relative_error })
    }
}

fn run(command: &mut Command, program: &Path) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {}", program.display()))?;
    if !output.status.success() {
        bail!("{} ended with {}", program.display(), output.status);
    }
    String::from_utf8(output.stdout).context("its output is not text")
}
