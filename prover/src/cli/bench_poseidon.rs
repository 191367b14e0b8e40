//! `spandrel bench poseidon`.

use super::args::BackendChoice;
use super::error::CliError;
use super::hash_args::{HashBackendArgs, HashFigures, compared, equal_text, parse_width};
use super::progress::Progress;
use super::report::{CardReport, counter_lines, grouped, print_json, print_text};
use crate::hash::{HashError, Output};
use crate::workload;
use ark_bn254::Fr;
use clap::Args;
use light_poseidon::PoseidonHasher;
use serde::Serialize;
use spandrel_abi::Counters;
use spandrel_poseidon::Hasher;
use std::sync::Arc;
use std::time::Instant;

/// Measures Poseidon hashes of fixed length on random messages, the same everywhere for the same seed.
///
/// On a card it reports `cycles` (engine cycles, start to last digest), `hashes`, `cycles_per_hash`, `lanes`, `multipliers`
/// (2 t + 2 a lane), `multiplications_per_hash` (of the form with sparse matrices; 600 for t = 3),
/// `multiplier_utilisation` (`multiplications_per_hash` times `hashes` over `multipliers` times `cycles`), `passes` (of states
/// through lanes) and `starved` (cycles of lanes without a state). With --backend dual all digests are compared with the
/// CPU's; if they differ the report says "equal": false and the command ends with 4.
///
/// On the CPU it measures hashes a second on one core, and those of the crate light-poseidon in the same run, one after
/// the other in turns. It reports the medians over the turns, and as `ratio` the median of the turns' ratios; then the hashes
/// a second on all cores.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  spandrel bench poseidon --backend dual --t 3 --count 4096 --json
  spandrel bench poseidon --backend cpu --json")]
pub(super) struct BenchPoseidon {
    /// Elements t of a state, 2 to 5
    #[arg(long, default_value_t = 3, value_name = "T", value_parser = parse_width)]
    t: usize,
    /// Messages
    #[arg(long, default_value_t = 4096, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1 << 24))]
    count: u32,
    /// Seed of the messages
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Turns of the CPU's measurement
    #[arg(long, default_value_t = 15, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    turns: u32,
    #[command(flatten)]
    backend: HashBackendArgs,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    backend: String,
    card: Option<CardReport>,
    t: usize,
    count: u32,
    seed: u64,
    /// Whether all digests are equal to those of the CPU, or, on the CPU, to light-poseidon's; null on a card alone.
    equal: Option<bool>,
    #[serde(flatten)]
    figures: Option<HashFigures>,
    counters: Option<Counters>,
    #[serde(flatten)]
    cpu: Option<CpuFigures>,
    /// Wall-clock seconds of the hashes on a card, or of the whole measurement on the CPU.
    seconds: f64,
}

/// What the CPU does.
#[derive(Clone, Copy, Debug, Serialize)]
struct CpuFigures {
    /// Turns that were measured.
    turns: u32,
    /// On one core.
    hashes_per_second: f64,
    /// light-poseidon's, on one core.
    light_poseidon_hashes_per_second: f64,
    /// The median of the turns' ratios.
    ratio: f64,
    /// On all cores.
    hashes_per_second_all_cores: f64,
    /// Threads that all cores are.
    threads: usize,
}

impl BenchPoseidon {
    pub(super) fn run(&self) -> Result<(), CliError> {
        self.backend.check()?;
        let progress = Arc::new(Progress::new());
        progress.set_phase("make messages");
        let inputs = workload::elements(self.count as usize * (self.t - 1), self.seed);
        let (report, error) = match self.backend.backend {
            BackendChoice::Cpu => (self.on_cpu(&inputs, &progress)?, None),
            _ => self.on_card(&inputs, &progress)?,
        };
        progress.finish();
        if self.json {
            print_json(&report)?
        } else {
            print_text(&report.text())?
        }
        match (error, report.equal) {
            (Some(error), _) => Err(error.into()),
            (None, Some(false)) => Err(CliError::Other(
                "spandrel and light-poseidon have different digests: one of them is broken".to_owned(),
            )),
            (None, _) => Ok(()),
        }
    }

    fn on_card(
        &self,
        inputs: &[Fr],
        progress: &Arc<Progress>,
    ) -> Result<(Report, Option<HashError>), CliError> {
        let open = self.backend.open(progress)?;
        progress.set_phase("hash");
        let started = Instant::now();
        let (outcome, error) = compared(open.backend.hash(self.t, Output::First, inputs))?;
        let seconds = started.elapsed().as_secs_f64();
        let run = outcome.and_then(|outcome| outcome.card);
        let report = Report {
            backend: open.backend.describe(),
            card: open.card,
            t: self.t,
            count: self.count,
            seed: self.seed,
            equal: self.backend.compares().then_some(error.is_none()),
            figures: run.as_ref().map(HashFigures::of),
            counters: run.map(|run| run.counters),
            cpu: None,
            seconds,
        };
        Ok((report, error))
    }

    fn on_cpu(&self, inputs: &[Fr], progress: &Progress) -> Result<Report, CliError> {
        let failed = |error: &dyn std::fmt::Display| CliError::Other(error.to_string());
        let hasher = Hasher::new(self.t, Output::First).map_err(|error| failed(&error))?;
        let mut theirs =
            light_poseidon::Poseidon::<Fr>::new_circom(self.t - 1).map_err(|error| failed(&error))?;
        let messages = || inputs.chunks_exact(self.t - 1);
        let per_second = |started: Instant| f64::from(self.count) / started.elapsed().as_secs_f64();
        progress.set_phase("hash on one core");
        let begun = Instant::now();
        let mut equal = true;
        let (mut ours_measured, mut theirs_measured, mut all_measured) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..self.turns {
            let started = Instant::now();
            let hashed: Result<Vec<Fr>, _> = messages().map(|message| hasher.hash(message)).collect();
            ours_measured.push(per_second(started));
            let started = Instant::now();
            let expected: Result<Vec<Fr>, _> = messages().map(|message| theirs.hash(message)).collect();
            theirs_measured.push(per_second(started));
            equal &= hashed.map_err(|error| failed(&error))? == expected.map_err(|error| failed(&error))?;
        }
        progress.set_phase("hash on all cores");
        for _ in 0..self.turns {
            let started = Instant::now();
            hasher.hash_many(inputs).map_err(|error| failed(&error))?;
            all_measured.push(per_second(started));
        }
        let ratios = ours_measured.iter().zip(&theirs_measured).map(|(ours, theirs)| ours / theirs);
        let ratio = median(ratios.collect());
        let cpu = CpuFigures {
            turns: self.turns,
            hashes_per_second: median(ours_measured),
            light_poseidon_hashes_per_second: median(theirs_measured),
            ratio,
            hashes_per_second_all_cores: median(all_measured),
            threads: rayon::current_num_threads(),
        };
        Ok(Report {
            backend: "cpu".to_owned(),
            card: None,
            t: self.t,
            count: self.count,
            seed: self.seed,
            equal: Some(equal),
            figures: None,
            counters: None,
            cpu: Some(cpu),
            seconds: begun.elapsed().as_secs_f64(),
        })
    }
}

/// The middle one of measurements, of which there is at least one; the upper of two.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

impl Report {
    fn text(&self) -> String {
        let mut text = format!(
            "{} hashes with t = {}, seed {}, on {}: {:.6} s\n",
            grouped(self.count.into()),
            self.t,
            self.seed,
            self.backend,
            self.seconds
        );
        if let Some(cpu) = &self.cpu {
            let rate = |hashes: f64| grouped(hashes.round() as u64);
            text.push_str(&format!(
                "One core: {} hashes a second, light-poseidon {}, ratio {:.3} (medians of {} turns). {} threads: {}.\n",
                rate(cpu.hashes_per_second),
                rate(cpu.light_poseidon_hashes_per_second),
                cpu.ratio,
                cpu.turns,
                cpu.threads,
                rate(cpu.hashes_per_second_all_cores)
            ));
            if self.equal == Some(false) {
                text.push_str("The digests DIFFER from light-poseidon's.\n");
            }
            return text;
        }
        text.push_str(equal_text(self.equal));
        if let Some(figures) = &self.figures {
            text.push_str(&figures.text());
        }
        if let Some(counters) = &self.counters {
            text.push_str(&counter_lines(counters));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median(vec![3.0]), 3.0);
        assert_eq!(median(vec![9.0, 1.0, 5.0]), 5.0);
        assert_eq!(median(vec![1.0, 4.0, 2.0, 3.0]), 3.0);
    }
}
