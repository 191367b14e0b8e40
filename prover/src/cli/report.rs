//! Numbers that several commands print.

use super::error::CliError;
use crate::backend::CardRun;
use serde::Serialize;
use spandrel_abi::{Counters, CurveId, Identification};
use std::io::{ErrorKind, Write};

/// The figures of one or several MSMs on a card.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct CardFigures {
    /// Point adders that shared the work.
    pub(super) adders: u32,
    /// Engine cycles, from its start to its last result.
    pub(super) cycles: u64,
    /// Cycles from the command's fetch to its completion, transfers included.
    pub(super) command_cycles: u64,
    /// Additions issued to the point adders.
    pub(super) additions: u64,
    /// Additions over engine cycles.
    pub(super) additions_per_cycle: Option<f64>,
    /// The same for one adder; 1 is the most that an adder can do.
    pub(super) additions_per_cycle_per_adder: Option<f64>,
    /// Non-zero digits.
    pub(super) digits: u64,
    /// Engine cycles times adders over non-zero digits: what a digit costs, reduction and results included.
    pub(super) cycles_per_digit: Option<f64>,
    /// Cycles of the bucket phase times adders over non-zero digits: what one more digit costs.
    pub(super) bucket_cycles_per_digit: Option<f64>,
    /// Cycles of the bucket phase, in which digits are taken in.
    pub(super) bucket_cycles: u64,
    /// Cycles of the reduction passes.
    pub(super) reduction_cycles: u64,
    /// Cycles without an issued addition, summed over the adders; the next six are their causes.
    pub(super) idle_cycles: u64,
    /// No two tokens of the same bucket.
    pub(super) idle_no_pair_cycles: u64,
    /// The adder's batch was not closed yet.
    pub(super) idle_batch_cycles: u64,
    /// The adder was not ready.
    pub(super) idle_adder_cycles: u64,
    /// Points were awaited.
    pub(super) idle_memory_cycles: u64,
    /// Scalars were awaited.
    pub(super) idle_host_cycles: u64,
    /// The end of a phase.
    pub(super) idle_drain_cycles: u64,
    /// Tokens that parked in an empty bucket.
    pub(super) parked: u64,
    /// Tokens that found a partner there.
    pub(super) matched: u64,
    /// Additions of a point to itself, where the adder tells them apart.
    pub(super) doublings: u64,
    /// Additions of opposite points, where the adder tells them apart.
    pub(super) annihilations: u64,
    /// Wall-clock seconds from submission to result, summed.
    pub(super) card_seconds: f64,
}

impl CardFigures {
    /// The sum over runs on one card; `None` if no MSM ran on a card.
    pub(super) fn sum<'a>(runs: impl IntoIterator<Item = &'a CardRun>) -> Option<CardFigures> {
        let mut runs = runs.into_iter().peekable();
        let adders = runs.peek()?.adders;
        let mut total = CardFigures { adders, ..CardFigures::default() };
        for CardRun { cycles, seconds, counters, .. } in runs {
            total.cycles += counters.cycles;
            total.command_cycles += cycles;
            total.additions += counters.additions;
            total.digits += counters.digits;
            total.bucket_cycles += counters.bucket_cycles;
            total.reduction_cycles += counters.reduction_cycles;
            total.idle_cycles += counters.idle_cycles;
            total.idle_no_pair_cycles += counters.idle_no_pair_cycles;
            total.idle_batch_cycles += counters.idle_batch_cycles;
            total.idle_adder_cycles += counters.idle_adder_cycles;
            total.idle_memory_cycles += counters.idle_memory_cycles;
            total.idle_host_cycles += counters.idle_host_cycles;
            total.idle_drain_cycles += counters.idle_drain_cycles;
            total.parked += counters.parked;
            total.matched += counters.matched;
            total.doublings += counters.doublings;
            total.annihilations += counters.annihilations;
            total.card_seconds += seconds;
        }
        let adders = u64::from(adders);
        total.additions_per_cycle = ratio(total.additions, total.cycles);
        total.additions_per_cycle_per_adder = ratio(total.additions, total.cycles * adders);
        total.cycles_per_digit = ratio(total.cycles * adders, total.digits);
        total.bucket_cycles_per_digit = ratio(total.bucket_cycles * adders, total.digits);
        Some(total)
    }
}

/// The quotient, where there is one.
pub(super) fn ratio(numerator: u64, denominator: u64) -> Option<f64> {
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

/// The kind of a card's point adders.
pub(super) fn adder_name(card: &Identification) -> &'static str {
    match card.msm_adder_kind {
        0 => "complete",
        1 => "batched-affine",
        _ => "unknown",
    }
}

/// The usual name of a curve.
pub(super) fn curve_name(curve: CurveId) -> &'static str {
    match curve {
        CurveId::Bn254G1 => "BN254 G1",
        CurveId::Grumpkin => "Grumpkin",
    }
}

/// Numbers with commas between them.
pub(super) fn listed(numbers: &[u32]) -> String {
    numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
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
            window_bits: 8,
            adders: 2,
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
        assert_eq!((figures.adders, figures.additions_per_cycle), (2, Some(0.9)));
        assert_eq!(figures.additions_per_cycle_per_adder, Some(0.45));
        assert_eq!((figures.cycles_per_digit, figures.bucket_cycles_per_digit), (Some(16.0), Some(4.0)));
        assert_eq!(CardFigures::sum(&[run(5, 0, 0)]).unwrap().cycles_per_digit, None);
        assert!(CardFigures::sum(&[]).is_none());
    }
}
