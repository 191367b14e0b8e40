//! `spandrel bench msm`.

use super::args::{BackendArgs, BackendChoice, CurveChoice};
use super::error::CliError;
use super::msm::WorkloadArgs;
use super::plot::{Drawing, Efficiency, Timeline};
use super::progress::Progress;
use super::report::{
    CardFigures, CardReport, adder_name, counter_lines, grouped, print_json, print_text, ratio_text,
};
use crate::backend::{Backend, BackendError, Bases, CardProgress, CardRun};
use crate::curve::{Bn254G1, Grumpkin, MsmCurve};
use crate::formats::Outputs;
use crate::workload::{self, Distribution};
use clap::Args;
use serde::Serialize;
use spandrel_abi::Counters;
use spandrel_driver::CardOptions;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Least size of the jobs that --plot measures, as a power of two.
const LEAST_LOG: u32 = 8;
/// About how many samples --plot takes of a job.
const SAMPLES: u64 = 256;
/// Digits of a scalar, about: how long a job is, is only known when its windows are chosen.
const TYPICAL_WINDOWS: u64 = 20;
/// The distributions that --plot compares.
const COMPARED: [Distribution; 4] =
    [Distribution::Uniform, Distribution::One, Distribution::Equal, Distribution::Witness];

/// Measures one multi-scalar multiplication on a workload that is the same everywhere for the same seed.
///
/// With --backend dual the results of CPU and card are compared; if they differ the report says "equal": false
/// and the command ends with 4.
///
/// Of a card it reports `window_bits` (bits per window of this job), `adders` and `adder` (how many of which kind),
/// `cycles` (engine cycles, start to last result), `additions` (issued to the point adders), `additions_per_cycle`
/// (their ratio), `additions_per_cycle_per_adder`, `digits` (non-zero), `cycles_per_digit` (`cycles` times `adders` over
/// `digits`, so with reduction and results), `bucket_cycles_per_digit` (only the phase in which digits are taken in),
/// `idle_cycles` and what they were spent on, `parked` and `matched` tokens, `doublings` and `annihilations`.
///
/// With --plot it draws additions per cycle over the time of this job, read from the card while it works, and additions
/// per cycle and adder over sizes from 2^8 to --points for several distributions, for which it runs more jobs.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  spandrel bench msm --backend dual --points 1024 --scalars uniform --json
  spandrel bench msm --backend card --card sim:sim-small --points 4096 --scalars witness --seed 3
  spandrel bench msm --backend card --card sim:sim-batched --points 16384 --plot msm.svg
  spandrel bench msm --backend cpu --points 65536")]
pub(super) struct BenchMsm {
    #[command(flatten)]
    workload: WorkloadArgs,
    #[command(flatten)]
    backend: BackendArgs,
    /// Draws what was measured into this file; needs a card
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
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
    /// Bits per window; null on the CPU.
    window_bits: Option<u32>,
    /// Kind of the card's adders.
    adder: Option<&'static str>,
    #[serde(flatten)]
    figures: Option<CardFigures>,
    counters: Option<Counters>,
    /// Wall-clock seconds to make the bases resident.
    load_seconds: f64,
    /// Wall-clock seconds of the MSM.
    seconds: f64,
    /// The file of the charts.
    plot: Option<PathBuf>,
    /// What the second chart shows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    efficiency: Vec<Efficiency>,
}

pub(super) fn distribution_name<S: serde::Serializer>(
    value: &Distribution,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&name(*value))
}

/// The distribution as on the command line.
fn name(distribution: Distribution) -> String {
    format!("{distribution:?}").to_lowercase()
}

impl BenchMsm {
    pub(super) fn run(&self) -> Result<(), CliError> {
        self.backend.check()?;
        if let Some(plot) = &self.plot {
            if self.backend.backend == BackendChoice::Cpu {
                let message = "--plot needs --backend card or --backend dual: it draws a card's counters";
                return Err(CliError::Usage(message.to_owned()));
            }
            Outputs::check(&[plot], self.backend.card.trace.as_deref().as_slice())?;
        }
        match self.workload.curve {
            CurveChoice::Bn254 => self.run_on::<Bn254G1>(),
            CurveChoice::Grumpkin => self.run_on::<Grumpkin>(),
        }
    }

    fn run_on<C: MsmCurve>(&self) -> Result<(), CliError> {
        let WorkloadArgs { points, scalars, seed, .. } = self.workload;
        let progress = Arc::new(Progress::new());
        progress.set_phase("make bases and scalars");
        let (bases, values) = self.workload.make::<C>();
        progress.set_phase("open the backend");
        let mut options = CardOptions::default();
        if self.plot.is_some() {
            options.sample = true;
            options.poll_cycles = (points as u64 * TYPICAL_WINDOWS / SAMPLES).max(64);
        }
        let samples = Arc::new(Mutex::new(Vec::new()));
        let (told, taken) = (Arc::clone(&progress), Arc::clone(&samples));
        let on_progress = Arc::new(move |at: CardProgress| {
            told.set_cycles(at.cycles);
            taken.lock().unwrap_or_else(PoisonError::into_inner).extend(at.sample);
        });
        let open = self.backend.open_on::<C>(options, on_progress)?;
        progress.set_phase("load the bases");
        let started = Instant::now();
        let handle = open.backend.load_bases(&bases)?;
        let load_seconds = started.elapsed().as_secs_f64();
        progress.set_phase("MSM");
        let started = Instant::now();
        let result = open.backend.msm(&handle, 0..points, &values);
        let seconds = started.elapsed().as_secs_f64();
        let (outcome, disagreement) = match result {
            Ok(outcome) => (Some(outcome), None),
            Err(error @ BackendError::Disagreement { .. }) => (None, Some(error)),
            Err(error) => return Err(error.into()),
        };
        let run = outcome.and_then(|outcome| outcome.card);
        let mut efficiency = Vec::new();
        if let (Some(path), Some(run)) = (&self.plot, run) {
            let timeline =
                Timeline::of(&std::mem::take(&mut *samples.lock().unwrap_or_else(PoisonError::into_inner)));
            progress.set_phase("MSMs of other sizes and distributions");
            efficiency = self.efficiency(&*open.backend, &handle, run)?;
            let title = format!(
                "{} on {}, windows of {} bits",
                self.workload_text(),
                open.card.as_ref().map_or("a card", |card| &card.description),
                run.window_bits
            );
            let drawing = Drawing { title, adders: run.adders, timeline: &timeline, efficiency: &efficiency };
            let mut outputs = Outputs::default();
            outputs.add(path, drawing.svg()?.into_bytes());
            outputs.write()?;
        }
        open.backend.release_bases(handle)?;
        progress.finish();
        let report = Report {
            backend: open.backend.describe(),
            adder: open.card.as_ref().map(|card| adder_name(&card.identification)),
            card: open.card,
            points,
            scalars,
            seed,
            equal: (self.backend.backend == BackendChoice::Dual).then_some(disagreement.is_none()),
            window_bits: run.map(|run| run.window_bits),
            figures: CardFigures::sum(&run),
            counters: run.map(|run| run.counters),
            load_seconds,
            seconds,
            plot: self.plot.clone().filter(|_| !efficiency.is_empty()),
            efficiency,
        };
        if self.json {
            print_json(&report)?;
        } else {
            print_text(&report.text())?;
        }
        disagreement.map_or(Ok(()), |error| Err(error.into()))
    }

    fn workload_text(&self) -> String {
        format!("{} points, {} scalars", grouped(self.workload.points as u64), name(self.workload.scalars))
    }

    /// Measures jobs of all compared distributions and sizes, without the one that is measured already.
    fn efficiency<C: MsmCurve>(
        &self,
        backend: &dyn Backend<C>,
        bases: &Bases,
        measured: CardRun,
    ) -> Result<Vec<Efficiency>, CliError> {
        let WorkloadArgs { points, scalars: of_job, seed, .. } = self.workload;
        let mut sizes: Vec<_> = (LEAST_LOG..usize::BITS).step_by(2).map(|log| 1usize << log).collect();
        sizes.retain(|size| *size < points);
        sizes.push(points);
        let mut efficiency = Vec::new();
        for scalars in COMPARED {
            for &points in &sizes {
                let run = if (scalars, points) == (of_job, self.workload.points) {
                    Some(measured)
                } else {
                    let values = workload::scalars_of::<C>(points, scalars, seed);
                    backend.msm(bases, 0..points, &values)?.card
                };
                let Some(run) = run else { continue };
                let figures = CardFigures::sum([&run]).unwrap_or_default();
                efficiency.push(Efficiency {
                    scalars,
                    points,
                    window_bits: run.window_bits,
                    additions_per_cycle_per_adder: figures.additions_per_cycle_per_adder.unwrap_or_default(),
                    cycles_per_digit: figures.cycles_per_digit.unwrap_or_default(),
                });
            }
        }
        Ok(efficiency)
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
                "{} cycles in windows of {} bits, {} additions per cycle ({} per adder), {} cycles per non-zero digit ({} while digits are taken in)\n",
                grouped(figures.cycles),
                self.window_bits.unwrap_or_default(),
                ratio_text(figures.additions_per_cycle),
                ratio_text(figures.additions_per_cycle_per_adder),
                ratio_text(figures.cycles_per_digit),
                ratio_text(figures.bucket_cycles_per_digit)
            ));
        }
        if let Some(counters) = &self.counters {
            text.push_str(&counter_lines(counters));
        }
        if let Some(plot) = &self.plot {
            text.push_str(&format!("Charts: {}\n", plot.display()));
        }
        text
    }
}
