//! `spandrel msm`, and the workload that it shares with `spandrel bench msm`.

use super::args::{BackendArgs, CurveChoice};
use super::error::CliError;
use super::progress::Progress;
use super::report::{CardFigures, CardReport, grouped, print_json, print_text, ratio_text};
use crate::backend::CardProgress;
use crate::curve::{Bn254G1, Grumpkin, MsmCurve};
use crate::formats::{FileBytes, G1_BYTES, point_from_bytes, try_map};
use crate::workload::{self, BaseKind, Distribution};
use ark_ec::AffineRepr;
use clap::Args;
use serde::Serialize;
use spandrel_driver::CardOptions;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Most points that a seed may make: what one command of a card can take.
const MAX_POINTS: usize = spandrel_abi::MAX_COUNT as usize;

/// Computes one multi-scalar multiplication and prints the sum.
///
/// Bases and scalars come from a seed, or from files: bases as 64 bytes each (x, y, little-endian, Montgomery
/// form with R = 2^256, all zero for infinity), scalars as 32 bytes each (canonical, little-endian, below the
/// group's order).
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  spandrel msm --points 1000 --seed 7 --backend dual
  spandrel msm --points 500 --curve grumpkin --backend dual --card sim:sim-grumpkin
  spandrel msm --bases-file bases.bin --scalars-file scalars.bin --backend card --json")]
pub(super) struct Msm {
    #[command(flatten)]
    workload: WorkloadArgs,
    /// Bases from a file instead of the seed
    #[arg(long, value_name = "FILE", requires = "scalars_file")]
    bases_file: Option<PathBuf>,
    /// Scalars from a file instead of the seed
    #[arg(long, value_name = "FILE", requires = "bases_file")]
    scalars_file: Option<PathBuf>,
    #[command(flatten)]
    backend: BackendArgs,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

/// A workload from a seed.
#[derive(Clone, Debug, Args)]
pub(super) struct WorkloadArgs {
    /// Number of points
    #[arg(long, default_value_t = 1024, value_name = "N", value_parser = parse_points)]
    pub(super) points: usize,
    /// The curve
    #[arg(long, value_enum, default_value = "bn254")]
    pub(super) curve: CurveChoice,
    /// Which bases
    #[arg(long = "bases", value_name = "KIND", value_enum, default_value = "distinct")]
    pub(super) kind: BaseKind,
    /// How the scalars are distributed
    #[arg(long, value_enum, default_value = "uniform")]
    pub(super) scalars: Distribution,
    /// Seed of points and scalars
    #[arg(long, default_value_t = 0)]
    pub(super) seed: u64,
}

impl WorkloadArgs {
    /// Bases and scalars.
    pub(super) fn make<C: MsmCurve>(&self) -> (Vec<u8>, Vec<u8>) {
        let WorkloadArgs { points, kind, scalars, seed, .. } = *self;
        (workload::bases_of::<C>(points, kind, seed), workload::scalars_of::<C>(points, scalars, seed))
    }
}

fn parse_points(text: &str) -> Result<usize, String> {
    let points: usize = text.parse().map_err(|_| format!("\"{text}\" is not a number of points"))?;
    if points > MAX_POINTS { Err(format!("{MAX_POINTS} points are the most")) } else { Ok(points) }
}

#[derive(Serialize)]
struct Report {
    backend: String,
    card: Option<CardReport>,
    elements: usize,
    /// Affine coordinates in decimal; absent at infinity.
    x: Option<String>,
    y: Option<String>,
    seconds: f64,
    /// Bits per window; absent on the CPU.
    window_bits: Option<u32>,
    #[serde(flatten)]
    figures: Option<CardFigures>,
}

impl Msm {
    pub(super) fn run(&self) -> Result<(), CliError> {
        self.backend.check()?;
        match self.workload.curve {
            CurveChoice::Bn254 => self.run_on::<Bn254G1>(),
            CurveChoice::Grumpkin => self.run_on::<Grumpkin>(),
        }
    }

    fn run_on<C: MsmCurve>(&self) -> Result<(), CliError> {
        let progress = Arc::new(Progress::new());
        progress.set_phase("make bases and scalars");
        let (bases, scalars) = match (&self.bases_file, &self.scalars_file) {
            (Some(bases), Some(scalars)) => (read_bases::<C>(bases)?, FileBytes::open(scalars)?),
            _ => {
                let (bases, scalars) = self.workload.make::<C>();
                (FileBytes::Owned(bases), FileBytes::Owned(scalars))
            }
        };
        let told = Arc::clone(&progress);
        let on_progress = Arc::new(move |at: CardProgress| told.set_cycles(at.cycles));
        let open = self.backend.open_on::<C>(CardOptions::default(), on_progress)?;
        let handle = open.backend.load_bases(&bases)?;
        progress.set_phase("MSM");
        let started = Instant::now();
        let outcome = open.backend.msm(&handle, 0..handle.len(), &scalars)?;
        let seconds = started.elapsed().as_secs_f64();
        progress.finish();
        let coordinates = outcome.point.xy();
        let report = Report {
            backend: open.backend.describe(),
            card: open.card,
            elements: handle.len(),
            x: coordinates.map(|(x, _)| x.to_string()),
            y: coordinates.map(|(_, y)| y.to_string()),
            seconds,
            window_bits: outcome.card.map(|run| run.window_bits),
            figures: CardFigures::sum(&outcome.card),
        };
        open.backend.release_bases(handle)?;
        if self.json {
            return print_json(&report);
        }
        match (&report.x, &report.y) {
            (Some(x), Some(y)) => print_text(&format!("x = {x}\ny = {y}\n"))?,
            _ => print_text("infinity\n")?,
        }
        eprintln!("{} elements on {} in {seconds:.3} s", grouped(report.elements as u64), report.backend);
        if let Some(figures) = &report.figures {
            eprintln!(
                "{} cycles, {} additions per cycle",
                grouped(figures.cycles),
                ratio_text(figures.additions_per_cycle)
            );
        }
        Ok(())
    }
}

/// Maps a file of bases and checks every point.
fn read_bases<C: MsmCurve>(path: &Path) -> Result<FileBytes, CliError> {
    let bytes = FileBytes::open(path)?;
    let (points, rest) = bytes.as_chunks::<G1_BYTES>();
    if !rest.is_empty() {
        let message = format!(
            "{}: {} bytes are not a whole number of points of {G1_BYTES} bytes",
            path.display(),
            bytes.len()
        );
        return Err(CliError::Input(message));
    }
    try_map(points, |_, point| point_from_bytes::<C>(point).map(drop)).map_err(|(index, problem)| {
        CliError::Input(format!("{}: point {index} {problem}", path.display()))
    })?;
    Ok(bytes)
}
