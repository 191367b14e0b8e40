//! `spandrel bench msm`.

use super::args::{BackendArgs, BackendChoice};
use super::error::CliError;
use super::msm::WorkloadArgs;
use super::progress::Progress;
use super::report::{CardFigures, CardReport, counter_lines, grouped, print_json, print_text, ratio_text};
use crate::backend::BackendError;
use crate::workload::{self, Distribution};
use clap::Args;
use serde::Serialize;
use spandrel_abi::Counters;
use std::sync::Arc;
use std::time::Instant;

/// Measures one multi-scalar multiplication on a workload that is the same everywhere for the same seed.
///
/// With --backend dual the results of CPU and card are compared; if they differ the report says "equal": false
/// and the command ends with 4.
///
/// Of a card it reports `cycles` (engine cycles, start to last result), `additions` (issued to the point adder),
/// `additions_per_cycle` (their ratio), `digits` (non-zero), `cycles_per_digit` (`cycles` over `digits`, so with
/// reduction and results) and `bucket_cycles_per_digit` (only the phase in which digits are taken in).
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  spandrel bench msm --backend dual --points 1024 --scalars uniform --json
  spandrel bench msm --backend card --card sim:sim-small --points 4096 --scalars witness --seed 3
  spandrel bench msm --backend cpu --points 65536")]
pub(super) struct BenchMsm {
    #[command(flatten)]
    workload: WorkloadArgs,
    #[command(flatten)]
    backend: BackendArgs,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    backend: String,
    card: Option<CardReport>,
    points: usize,
    #[serde(serialize_with = "distribution_name")]
    scalars: Distribution,
    seed: u64,
    /// Whether CPU and card agree; null where only one of them ran.
    equal: Option<bool>,
    #[serde(flatten)]
    figures: Option<CardFigures>,
    counters: Option<Counters>,
    /// Wall-clock seconds to make the bases resident.
    load_seconds: f64,
    /// Wall-clock seconds of the MSM.
    seconds: f64,
}

fn distribution_name<S: serde::Serializer>(value: &Distribution, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format!("{value:?}").to_lowercase())
}

impl BenchMsm {
    pub(super) fn run(&self) -> Result<(), CliError> {
        self.backend.check()?;
        let WorkloadArgs { points, scalars, seed } = self.workload;
        let progress = Arc::new(Progress::new());
        progress.set_phase("make bases and scalars");
        let bases = workload::bases(points, seed);
        let values = workload::scalars(points, scalars, seed);
        progress.set_phase("open the backend");
        let open = self.backend.open(&progress)?;
        progress.set_phase("load the bases");
        let started = Instant::now();
        let handle = open.backend.load_bases(&bases)?;
        let load_seconds = started.elapsed().as_secs_f64();
        progress.set_phase("MSM");
        let started = Instant::now();
        let result = open.backend.msm(&handle, 0..points, &values);
        let seconds = started.elapsed().as_secs_f64();
        open.backend.release_bases(handle)?;
        progress.finish();
        let (outcome, disagreement) = match result {
            Ok(outcome) => (Some(outcome), None),
            Err(error @ BackendError::Disagreement { .. }) => (None, Some(error)),
            Err(error) => return Err(error.into()),
        };
        let run = outcome.and_then(|outcome| outcome.card);
        let report = Report {
            backend: open.backend.describe(),
            card: open.card,
            points,
            scalars,
            seed,
            equal: (self.backend.backend == BackendChoice::Dual).then_some(disagreement.is_none()),
            figures: CardFigures::sum(&run),
            counters: run.map(|run| run.counters),
            load_seconds,
            seconds,
        };
        if self.json {
            print_json(&report)?;
        } else {
            print_text(&report.text())?;
        }
        disagreement.map_or(Ok(()), |error| Err(error.into()))
    }
}

impl Report {
    fn text(&self) -> String {
        let mut text = format!(
            "{} points, {:?} scalars, seed {}, on {}: {:.6} s (bases loaded in {:.6} s)\n",
            grouped(self.points as u64),
            self.scalars,
            self.seed,
            self.backend,
            self.seconds,
            self.load_seconds
        );
        match self.equal {
            Some(true) => text.push_str("CPU and card agree.\n"),
            Some(false) => text.push_str("CPU and card DISAGREE.\n"),
            None => {}
        }
        if let Some(figures) = &self.figures {
            text.push_str(&format!(
                "{} cycles, {} additions per cycle, {} cycles per non-zero digit ({} while digits are taken in)\n",
                grouped(figures.cycles),
                ratio_text(figures.additions_per_cycle),
                ratio_text(figures.cycles_per_digit),
                ratio_text(figures.bucket_cycles_per_digit)
            ));
        }
        if let Some(counters) = &self.counters {
            text.push_str(&counter_lines(counters));
        }
        text
    }
}
