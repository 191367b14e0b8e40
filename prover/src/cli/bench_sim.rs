//! `spandrel bench sim`.

use super::args::CardArgs;
use super::error::CliError;
use super::open::open_simulated;
use super::progress::Progress;
use super::report::{CardReport, grouped, print_json, print_text};
use crate::workload::{self, Distribution};
use clap::Args;
use serde::Serialize;
use spandrel_driver::{Card, CardOptions, Transport};
use std::time::{Duration, Instant};

/// Measures how fast the whole simulated card runs, in simulated kHz on one core.
///
/// First idle, then during a multi-scalar multiplication of uniform scalars. Model, memories and driver run on
/// this one thread; building the model is not counted.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  spandrel bench sim --json")]
pub(super) struct BenchSim {
    #[command(flatten)]
    card: CardArgs,
    /// Points of the multi-scalar multiplication
    #[arg(long, default_value_t = 512, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1 << 20))]
    points: u32,
    /// Cycles to run idle
    #[arg(long, default_value_t = 50_000, value_name = "CYCLES", value_parser = clap::value_parser!(u64).range(1..=1 << 40))]
    idle_cycles: u64,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    card: CardReport,
    points: u32,
    idle: Speed,
    msm: Speed,
    /// Simulated cycles per wall-clock millisecond over both.
    khz: f64,
}

#[derive(Clone, Copy, Serialize)]
struct Speed {
    /// Simulated cycles of the card's clock.
    cycles: u64,
    /// Wall-clock seconds that they took.
    seconds: f64,
    /// Cycles per millisecond.
    khz: f64,
}

impl Speed {
    fn new(cycles: u64, seconds: f64) -> Speed {
        Speed { cycles, seconds, khz: cycles as f64 / seconds.max(f64::MIN_POSITIVE) / 1e3 }
    }
}

impl BenchSim {
    pub(super) fn run(&self) -> Result<(), CliError> {
        let progress = Progress::new();
        progress.set_phase("build the model");
        let (mut transport, profile) = open_simulated(&self.card)?;
        let clock_khz = u64::from(profile.clock_khz);
        let name = transport.describe();
        let failed =
            |source: Box<dyn std::error::Error + Send + Sync>| CliError::Card { card: name.clone(), source };

        progress.set_phase("idle");
        let (before, started) = (transport.now(), Instant::now());
        let idle = Duration::from_nanos(self.idle_cycles.saturating_mul(1_000_000) / clock_khz);
        transport.wait_interrupt(0, idle).map_err(|error| failed(error.into()))?;
        let passed = transport.now().saturating_sub(before);
        let cycles = (passed.as_nanos() * u128::from(clock_khz) / 1_000_000) as u64;
        let idle = Speed::new(cycles, started.elapsed().as_secs_f64());

        progress.set_phase("MSM");
        let bases = workload::bases(self.points as usize, 0);
        let scalars = workload::scalars(self.points as usize, Distribution::Uniform, 0);
        let mut card =
            Card::open(Box::new(transport), CardOptions::default()).map_err(|error| failed(error.into()))?;
        let msm = msm(&mut card, &bases, &scalars).map_err(|error| failed(error.into()))?;
        progress.finish();

        let report = Report {
            card: CardReport { description: card.name().to_owned(), identification: *card.identification() },
            points: self.points,
            idle,
            msm,
            khz: Speed::new(idle.cycles + msm.cycles, idle.seconds + msm.seconds).khz,
        };
        if self.json {
            return print_json(&report);
        }
        let mut text = format!("{}: {:.1} kHz\n", report.card.description, report.khz);
        for (name, speed) in [("idle", idle), ("MSM", msm)] {
            let Speed { cycles, seconds, khz } = speed;
            text.push_str(&format!(
                "  {name:<5} {:>12} cycles in {seconds:.3} s: {khz:.1} kHz\n",
                grouped(cycles)
            ));
        }
        print_text(&text)
    }
}

/// Runs an MSM and counts the card's own cycles.
fn msm(card: &mut Card, bases: &[u8], scalars: &[u8]) -> Result<Speed, spandrel_driver::DriverError> {
    let bases = card.load_bases(bases)?;
    let (before, started) = (card.cycles()?, Instant::now());
    let job = card.submit_msm(&bases, 0..bases.len(), scalars)?;
    card.wait(job, &mut |_| {})?;
    let speed = Speed::new(card.cycles()?.saturating_sub(before), started.elapsed().as_secs_f64());
    card.release_bases(bases)?;
    Ok(speed)
}
