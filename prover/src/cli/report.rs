//! Numbers that several commands print.

use super::error::CliError;
use crate::backend::CardRun;
use serde::Serialize;
use spandrel_abi::{Counters, Identification};
use std::io::{ErrorKind, Write};

/// The figures of one or several MSMs on a card.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct CardFigures {
    /// Engine cycles, from its start to its last result.
    pub(super) cycles: u64,
    /// Cycles from the command's fetch to its completion, transfers included.
    pub(super) command_cycles: u64,
    /// Additions issued to the point adder.
    pub(super) additions: u64,
    /// Additions over engine cycles; 1 is the most that one adder can do.
    pub(super) additions_per_cycle: Option<f64>,
    /// Non-zero digits.
    pub(super) digits: u64,
    /// Engine cycles over non-zero digits: what a digit costs, reduction and results included.
    pub(super) cycles_per_digit: Option<f64>,
    /// Cycles of the bucket phase over non-zero digits: what one more digit costs.
    pub(super) bucket_cycles_per_digit: Option<f64>,
    /// Cycles of the bucket phase, in which digits are taken in.
    pub(super) bucket_cycles: u64,
    /// Cycles of the reduction passes.
    pub(super) reduction_cycles: u64,
    /// Wall-clock seconds from submission to result, summed.
    pub(super) card_seconds: f64,
}

impl CardFigures {
    /// The sum over runs; `None` if no MSM ran on a card.
    pub(super) fn sum<'a>(runs: impl IntoIterator<Item = &'a CardRun>) -> Option<CardFigures> {
        let mut runs = runs.into_iter().peekable();
        runs.peek()?;
        let mut total = CardFigures::default();
        for run in runs {
            total.cycles += run.counters.cycles;
            total.command_cycles += run.cycles;
            total.additions += run.counters.additions;
            total.digits += run.counters.digits;
            total.bucket_cycles += run.counters.bucket_cycles;
            total.reduction_cycles += run.counters.reduction_cycles;
            total.card_seconds += run.seconds;
        }
        total.additions_per_cycle = ratio(total.additions, total.cycles);
        total.cycles_per_digit = ratio(total.cycles, total.digits);
        total.bucket_cycles_per_digit = ratio(total.bucket_cycles, total.digits);
        Some(total)
    }
}

fn ratio(numerator: u64, denominator: u64) -> Option<f64> {
    (denominator != 0).then(|| numerator as f64 / denominator as f64)
}

/// Which card it was.
#[derive(Clone, Debug, Serialize)]
pub(super) struct CardReport {
    /// Transport and profile.
    pub(super) description: String,
    /// What the card says of itself.
    pub(super) identification: Identification,
}

/// Counters as a table, a line each.
pub(super) fn counter_lines(counters: &Counters) -> String {
    let bytes = counters.to_bytes();
    let word =
        |index: usize| bytes.as_chunks::<8>().0.get(index).map_or(0, |chunk| u64::from_le_bytes(*chunk));
    let line =
        |(name, index, _): &(&str, usize, &str)| format!("  {name:<20} {:>16}\n", grouped(word(*index)));
    Counters::LAYOUT.iter().map(line).collect()
}

/// A number with commas between groups of three digits.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index != 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A ratio for people.
pub(super) fn ratio_text(ratio: Option<f64>) -> String {
    ratio.map_or("none".to_owned(), |ratio| format!("{ratio:.3}"))
}

/// Prints one JSON object to standard output.
pub(super) fn print_json(value: &impl Serialize) -> Result<(), CliError> {
    print_text(&format!("{}\n", serde_json::to_string_pretty(value).map_err(cannot_print)?))
}

/// Prints to standard output. Unlike `print!`, it takes a reader that has gone away for one that has seen
/// enough.
pub(super) fn print_text(text: &str) -> Result<(), CliError> {
    let mut stdout = std::io::stdout();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(cannot_print),
    }
}

fn cannot_print(error: impl std::fmt::Display) -> CliError {
    CliError::Other(format!("the report cannot be printed: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let cases = [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")];
        for (number, text) in cases {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn figures_are_sums_and_ratios_of_sums() {
        let run = |cycles, additions, digits| CardRun {
            cycles: cycles + 10,
            seconds: 0.5,
            counters: Counters {
                cycles,
                additions,
                digits,
                bucket_cycles: 2 * digits,
                ..Counters::default()
            },
        };
        let figures = CardFigures::sum(&[run(100, 90, 50), run(300, 270, 0)]).unwrap();
        assert_eq!((figures.cycles, figures.command_cycles, figures.additions), (400, 420, 360));
        assert_eq!((figures.additions_per_cycle, figures.cycles_per_digit), (Some(0.9), Some(8.0)));
        assert_eq!(figures.bucket_cycles_per_digit, Some(2.0));
        assert_eq!(CardFigures::sum(&[run(5, 0, 0)]).unwrap().cycles_per_digit, None);
        assert!(CardFigures::sum(&[]).is_none());
    }
}
