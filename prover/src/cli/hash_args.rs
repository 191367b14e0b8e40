//! What the commands that hash have in common: arguments, the backend that they open, and the figures of a card.

use super::args::{BackendChoice, CardArgs};
use super::error::CliError;
use super::open::open_driver;
use super::progress::Progress;
use super::report::{CardReport, grouped, ratio};
use crate::hash::{Arity, CardHasher, CpuHasher, DualHasher, HashBackend, HashError, HashRun, Output};
use clap::{Args, ValueEnum};
use serde::Serialize;
use spandrel_driver::CardOptions;
use spandrel_poseidon::{FULL_ROUNDS, partial_rounds};
use std::sync::Arc;

/// The card of these commands where none is named, or just `sim`.
const DEFAULT_CARD: &str = "sim:sim-poseidon";

/// Which backend, and which card it is to use.
#[derive(Clone, Debug, Args)]
pub(super) struct HashBackendArgs {
    /// What computes the hashes
    #[arg(long, value_enum, default_value = "cpu")]
    pub(super) backend: BackendChoice,
    #[command(flatten)]
    card: CardArgs,
}

/// An open backend and what there is to say of its card.
pub(super) struct OpenHasher {
    pub(super) backend: Arc<dyn HashBackend>,
    pub(super) card: Option<CardReport>,
}

impl HashBackendArgs {
    /// Refuses card options that a CPU backend would silently ignore.
    pub(super) fn check(&self) -> Result<(), CliError> {
        let card = &self.card;
        let given = card.card.is_some() || card.trace.is_some() || card.stalls.is_some();
        if self.backend == BackendChoice::Cpu && given {
            return Err(CliError::Usage(
                "--card, --trace and --stalls need --backend card or --backend dual: the CPU has no card"
                    .to_owned(),
            ));
        }
        Ok(())
    }

    /// The waveform, which no output may overwrite.
    pub(super) fn trace(&self) -> Option<&std::path::Path> {
        self.card.trace.as_deref()
    }

    /// Whether two backends are compared, for the report: their results are equal, or there is an error.
    pub(super) fn compares(&self) -> bool {
        self.backend == BackendChoice::Dual
    }

    /// Opens the backend.
    pub(super) fn open(&self, progress: &Arc<Progress>) -> Result<OpenHasher, CliError> {
        if self.backend == BackendChoice::Cpu {
            return Ok(OpenHasher { backend: Arc::new(CpuHasher::new()), card: None });
        }
        progress.set_phase("open the card");
        let mut arguments = self.card.clone();
        if arguments.card.as_deref().is_none_or(|card| card == "sim") {
            arguments.card = Some(DEFAULT_CARD.to_owned());
        }
        let card = open_driver(&arguments, CardOptions::default())?;
        let report =
            CardReport { description: card.name().to_owned(), identification: *card.identification() };
        let told = Arc::clone(progress);
        let card = CardHasher::new(card, Arc::new(move |at| told.set_cycles(at.cycles)));
        let backend: Arc<dyn HashBackend> = match self.backend {
            BackendChoice::Dual => Arc::new(DualHasher::new(Box::new(CpuHasher::new()), Box::new(card))),
            _ => Arc::new(card),
        };
        Ok(OpenHasher { backend, card: Some(report) })
    }
}

/// Which element of the permuted state is the digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum OutputChoice {
    /// Element 0, as circomlib.
    First,
    /// Element 1, as the Nexus zkVM's memory hashing.
    Second,
}

impl From<OutputChoice> for Output {
    fn from(choice: OutputChoice) -> Output {
        match choice {
            OutputChoice::First => Output::First,
            OutputChoice::Second => Output::Second,
        }
    }
}

/// Reads an arity.
pub(super) fn parse_arity(text: &str) -> Result<Arity, String> {
    let arity = text.parse().ok().and_then(Arity::of_children);
    arity.ok_or_else(|| format!("\"{text}\" is not an arity: a node has 2 or 4 children"))
}

/// Reads a width.
pub(super) fn parse_width(text: &str) -> Result<usize, String> {
    let width: usize = text.parse().map_err(|_| format!("\"{text}\" is not a number of elements"))?;
    partial_rounds(width).map(|_| width).map_err(|error| error.to_string())
}

/// Multiplications of a permutation with sparse matrices: t S-boxes of three and a matrix in a full round, one S-box, a row
/// and a column in a partial one.
pub(super) fn multiplications(width: usize) -> u64 {
    let partial = partial_rounds(width).unwrap_or_default();
    (FULL_ROUNDS * (3 * width + width * width) + partial * (3 + 2 * width - 1)) as u64
}

/// The figures of hashes on a card.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct HashFigures {
    /// Lanes that shared the work.
    lanes: u32,
    /// Multipliers of these lanes: 2 t + 2 each.
    multipliers: u64,
    /// Engine cycles, from its start to its last result.
    cycles: u64,
    /// Cycles from the command's fetch to its completion, transfers included.
    command_cycles: u64,
    /// Hashes, or permutations of a sponge, that the card finished.
    hashes: u64,
    /// Engine cycles over hashes.
    cycles_per_hash: Option<f64>,
    /// Multiplications of a hash with sparse matrices.
    multiplications_per_hash: u64,
    /// The share of the multipliers' cycles in which they did one of these.
    multiplier_utilisation: Option<f64>,
    /// Passes of states through lanes.
    passes: u64,
    /// Cycles in which a lane had no state, summed over the lanes.
    starved: u64,
    /// Wall-clock seconds from submission to result.
    card_seconds: f64,
}

impl HashFigures {
    /// The figures of a run.
    pub(super) fn of(run: &HashRun) -> HashFigures {
        let HashRun { lanes, width, hashes, passes, starved, seconds, .. } = *run;
        let cycles = run.counters.cycles;
        let multipliers = u64::from(lanes) * u64::from(2 * width + 2);
        let multiplications_per_hash = multiplications(width as usize);
        HashFigures {
            lanes,
            multipliers,
            cycles,
            command_cycles: run.cycles,
            hashes,
            cycles_per_hash: ratio(cycles, hashes),
            multiplications_per_hash,
            multiplier_utilisation: ratio(multiplications_per_hash * hashes, multipliers * cycles),
            passes,
            starved,
            card_seconds: seconds,
        }
    }

    /// A line for people.
    pub(super) fn text(&self) -> String {
        let number = |value: Option<f64>| value.map_or("none".to_owned(), |value| format!("{value:.3}"));
        let share =
            self.multiplier_utilisation.map_or("none".to_owned(), |share| format!("{:.1} %", 100.0 * share));
        format!(
            "{} cycles, {} hashes, {} cycles a hash; {} lanes with {} multipliers, {share} used; {} passes, {} cycles without one\n",
            grouped(self.cycles),
            grouped(self.hashes),
            number(self.cycles_per_hash),
            self.lanes,
            self.multipliers,
            grouped(self.passes),
            grouped(self.starved)
        )
    }
}

/// What came of a comparison, for a report: the result, or how card and CPU disagree.
///
/// # Errors
/// Every other error.
pub(super) fn compared<T>(result: Result<T, HashError>) -> Result<(Option<T>, Option<HashError>), HashError> {
    match result {
        Ok(outcome) => Ok((Some(outcome), None)),
        Err(error @ HashError::Disagreement { .. }) => Ok((None, Some(error))),
        Err(error) => Err(error),
    }
}

/// What the comparison of two backends showed, for people.
pub(super) fn equal_text(equal: Option<bool>) -> &'static str {
    match equal {
        Some(true) => "CPU and card agree.\n",
        Some(false) => "CPU and card DISAGREE.\n",
        None => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spandrel_abi::Counters;

    #[test]
    fn multiplications_are_those_of_the_sparse_form() {
        assert_eq!([2, 3, 4, 5].map(multiplications), [416, 600, 784, 1040]);
    }

    #[test]
    fn figures_follow_from_the_counters() {
        let counters = Counters { cycles: 4050, ..Counters::default() };
        let run = HashRun {
            cycles: 5000,
            seconds: 1.5,
            hashes: 100,
            passes: 8100,
            starved: 0,
            lanes: 2,
            width: 3,
            counters,
        };
        let figures = HashFigures::of(&run);
        assert_eq!((figures.multipliers, figures.cycles, figures.command_cycles), (16, 4050, 5000));
        assert_eq!(figures.cycles_per_hash, Some(40.5));
        // As many as the lanes' slots allow.
        assert_eq!(figures.multiplier_utilisation, Some(600.0 / 648.0));
        let none = HashFigures::of(&HashRun { hashes: 0, ..run });
        assert_eq!((none.cycles_per_hash, none.multiplier_utilisation), (None, Some(0.0)));
    }
}
