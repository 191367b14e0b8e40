//! What a multi-scalar multiplication costs on a card: the one place where it is estimated, and where the bits per
//! window are chosen from it.
//!
//! Few bits per window mean many digits, many bits mean many buckets to reduce. Where the balance lies depends on the
//! number of scalars and on how long they are: a witness full of zeros and ones has hardly more digits than scalars
//! whatever the windows are. So the estimate is made from the number of scalars of each bit length, window by window,
//! and adder by adder, because a job takes as long as the adder that has most to do.
//!
//! The engine works in phases, and so does the estimate: digits go into buckets; buckets go to row and column sums;
//! these go to bit sums; the bit sums go to the host.

use spandrel_abi::{
    FIELD_BYTES, Identification, WindowShare, column_bits, mark_group_bits, row_bits, window_shares, windows,
};

// Measured on simulated cards (`spandrel bench msm --card sim:sim-batched --window-bits C`, and sim:sim-small), 256 to
// 16,384 scalars; a test in `tests/tests/driver.rs` holds the estimate to the card.

/// Cycles per digit in the bucket phase when nothing is missing.
const CYCLES_PER_DIGIT: f64 = 1.0025;
/// Adder latencies at the end of the bucket phase: sums that are still under way, and sums of these.
const BUCKET_TAIL_LATENCIES: f64 = 2.7;
/// Adder latencies at the end of each of the two reduction passes.
const PASS_TAIL_LATENCIES: f64 = 1.9;
/// Cycles per coordinate of a result, of which a point has three.
const CYCLES_PER_COORDINATE: f64 = 1.0;

/// How many scalars of a job have how many significant bits.
///
/// That is less than the scalars, but still something of them: it has no `Debug`, and belongs into no log.
#[derive(Clone, PartialEq, Eq)]
pub struct BitLengths {
    /// By length, 0 to 256.
    counts: [u64; 8 * FIELD_BYTES + 1],
}

impl BitLengths {
    /// The lengths of scalars of 32 little-endian bytes each; bytes after the last whole scalar are not looked at.
    pub fn of(scalars: &[u8]) -> BitLengths {
        let mut counts = [0; 8 * FIELD_BYTES + 1];
        for scalar in scalars.as_chunks::<FIELD_BYTES>().0 {
            let words = scalar.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
            let length = |(index, word): (usize, u64)| match word {
                0 => 0,
                word => 64 * index + word.ilog2() as usize + 1,
            };
            counts[words.enumerate().map(length).max().unwrap_or(0)] += 1;
        }
        BitLengths { counts }
    }

    /// Counts other scalars too.
    pub fn add(&mut self, other: &BitLengths) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, more)| *count += more);
    }

    /// Number of scalars.
    pub fn scalars(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Number of scalars of `length` bits; none is longer than 256.
    fn count(&self, length: usize) -> f64 {
        self.counts.get(length).map_or(0.0, |count| *count as f64)
    }

    /// Number of scalars longer than `length` bits.
    fn longer(&self, length: usize) -> f64 {
        self.counts.iter().skip(length + 1).sum::<u64>() as f64
    }
}

/// What a job is estimated to take, in cycles from the engine's start to its last result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MsmEstimate {
    /// Bits per window.
    pub window_bits: u32,
    /// Non-zero digits, over all adders.
    pub digits: f64,
    /// Cycles of the bucket phase.
    pub bucket_cycles: f64,
    /// Cycles of the two reduction passes.
    pub reduction_cycles: f64,
    /// Cycles in which results are written.
    pub result_cycles: f64,
}

impl MsmEstimate {
    /// Cycles of the whole job.
    pub fn cycles(&self) -> f64 {
        self.bucket_cycles + self.reduction_cycles + self.result_cycles
    }
}

/// Estimates a job with windows of `window_bits` bits, 2 to 24, on a card.
pub fn estimate_msm(card: &Identification, lengths: &BitLengths, window_bits: u32) -> MsmEstimate {
    let bits = window_bits as usize;
    let loads: Vec<_> = (0..windows(window_bits) as usize).map(|at| Load::of(lengths, bits, at)).collect();
    let adders = card.msm_adders.max(1);
    let latency = f64::from(card.msm_latency_cycles);
    let (mut most_digits, mut most_tokens) = (0.0f64, 0.0f64);
    for adder in 0..adders {
        let (mut digits, mut tokens) = (0.0, 0.0);
        let shares = window_shares(window_bits, adders, adder);
        let groups = 1 << mark_group_bits(window_bits, shares.len() as u32);
        for WindowShare { window, residues } in shares {
            let part = f64::from(residues.1 - residues.0) / f64::from(adders);
            let load = loads[window as usize].scaled(part);
            digits += load.digits();
            tokens += load.reduction_cycles(bits, groups);
        }
        most_digits = most_digits.max(digits);
        most_tokens = most_tokens.max(tokens);
    }
    // A scalar without a digit takes a cycle, too.
    let intake = most_digits.max(lengths.scalars() as f64) * CYCLES_PER_DIGIT;
    MsmEstimate {
        window_bits,
        digits: loads.iter().map(Load::digits).sum(),
        bucket_cycles: intake + BUCKET_TAIL_LATENCIES * latency,
        reduction_cycles: most_tokens + 2.0 * PASS_TAIL_LATENCIES * latency,
        result_cycles: 3.0 * CYCLES_PER_COORDINATE * card.msm_result_points(window_bits) as f64,
    }
}

/// The estimate of the choice of bits per window that is best for scalars of these lengths, the smaller of two that
/// are equally good; `None` for a card without any.
pub fn best_msm(card: &Identification, lengths: &BitLengths) -> Option<MsmEstimate> {
    let estimates = card.window_choices().map(|window_bits| estimate_msm(card, lengths, window_bits));
    estimates.min_by(|a, b| a.cycles().total_cmp(&b.cycles()))
}

/// What one window gets, in expected numbers of digits.
#[derive(Clone, Debug)]
struct Load {
    /// Digits from the midst of scalars: any bucket, zero among them.
    inner: f64,
    /// Digits that are the top of a scalar, by their number of bits, 1 to c; an entry before that is not used.
    top: Vec<f64>,
}

impl Load {
    /// The load of the window at `window`, `bits` wide.
    fn of(lengths: &BitLengths, bits: usize, window: usize) -> Load {
        let low = bits * window;
        let zero = 0.5f64.powi(bits as i32);
        let mut top: Vec<_> = (0..=bits).map(|width| lengths.count(low + width)).collect();
        // A top digit of all c bits is at least half of 2^c: it becomes negative and carries one into this window.
        top[1] += top[0] * f64::from(u8::from(window > 0));
        Load { inner: lengths.longer(low + bits) * (1.0 - zero), top }
    }

    fn scaled(&self, part: f64) -> Load {
        Load { inner: self.inner * part, top: self.top.iter().map(|count| count * part).collect() }
    }

    fn digits(&self) -> f64 {
        self.inner + self.top.iter().skip(1).sum::<f64>()
    }

    /// Cycles of both passes over the window's buckets: a scan looks at one slot and sends one token a cycle, and passes
    /// over groups of buckets, so many in a window, in which nothing is.
    fn reduction_cycles(&self, bits: usize, groups: usize) -> f64 {
        let buckets = f64::from(1u32 << (bits - 1));
        let held = |load: f64| 1.0 - (-load).exp();
        // Digits of all bits spread over all buckets, shorter ones over those of their length.
        let everywhere = (self.inner + self.top[bits]) / buckets;
        let mut full = held(everywhere);
        for width in 1..bits {
            let slots = f64::from(1u32 << (width - 1));
            full += slots * held(everywhere + self.top[width] / slots);
        }
        let (column_bits, row_bits) = (column_bits(bits as u32), row_bits(bits as u32));
        let (columns, rows) = (f64::from(1u32 << column_bits), f64::from(1u32 << row_bits));
        // Half of an index's bits are set, and each takes a token of the row's or the column's sum.
        let some = |others: f64| 1.0 - (1.0 - full / buckets).max(0.0).powf(others);
        let second = rows * some(columns) * f64::from(row_bits) / 2.0
            + columns * some(rows) * f64::from(column_bits) / 2.0;
        let scanned = buckets * some(buckets / groups as f64);
        // Row 0 and column 0 count nothing, and get nothing.
        let first = full * (2.0 - 1.0 / rows - 1.0 / columns);
        scanned.max(first) + (2.0 * rows * held(self.digits())).max(second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identify::tests::plausible;
    use proptest::prelude::*;

    fn card(adders: u32, choices: u32) -> Identification {
        Identification { msm_adders: adders, msm_window_choices: choices, ..plausible() }
    }

    /// So many scalars of each of these lengths.
    fn lengths(of: &[(usize, u64)]) -> BitLengths {
        let mut counts = [0; 257];
        for (length, count) in of {
            counts[*length] += count;
        }
        BitLengths { counts }
    }

    const ALL: u32 = 0x1_fff8;

    fn best(card: &Identification, lengths: &BitLengths) -> u32 {
        best_msm(card, lengths).expect("a card with choices").window_bits
    }

    #[test]
    fn lengths_are_those_of_the_numbers() {
        let number = |bits: usize, below: u8| {
            let mut bytes = [below; 32];
            for (index, byte) in bytes.iter_mut().enumerate() {
                *byte &= ((1u16 << bits.saturating_sub(8 * index).min(8)) - 1) as u8;
            }
            if bits > 0 {
                bytes[(bits - 1) / 8] |= 1 << ((bits - 1) % 8);
            }
            bytes
        };
        for bits in 0..=256 {
            for below in [0, 0x5a, 0xff] {
                let found = BitLengths::of(&number(bits, below));
                assert!(found == lengths(&[(bits, 1)]), "{bits} bits, filled with {below:#x}");
            }
        }
        assert_eq!(BitLengths::of(&[[1; 32], [0; 32]].concat()).scalars(), 2);
    }

    #[test]
    fn digits_of_known_scalars_are_counted() {
        let card = card(1, ALL);
        let digits = |of: &[(usize, u64)], bits| estimate_msm(&card, &lengths(of), bits).digits;
        assert_eq!(digits(&[(0, 50)], 8), 0.0);
        assert_eq!(digits(&[(1, 50)], 8), 50.0);
        // A full top digit becomes negative and carries.
        assert_eq!(digits(&[(8, 50)], 8), 100.0);
        assert_eq!(digits(&[(7, 50)], 8), 50.0);
        let uniform = digits(&[(254, 1000)], 8);
        assert!((31_800.0..32_000.0).contains(&uniform), "{uniform}");
    }

    #[test]
    fn more_scalars_choose_wider_windows() {
        for adders in [1, 2, 4] {
            let card = card(adders, ALL);
            // In finer steps it is not so: how many bits are left for the last window counts, too.
            let chosen: Vec<_> =
                (0..=24).step_by(3).map(|log| best(&card, &lengths(&[(254, 1 << log)]))).collect();
            assert!(chosen.is_sorted(), "{chosen:?}");
            assert!(chosen[0] <= 5 && chosen[8] == 16, "{chosen:?}");
        }
    }

    #[test]
    fn a_witness_chooses_no_wider_windows_than_uniform_scalars() {
        let card = card(1, ALL);
        let mut narrower = 0;
        for log in 6..=20 {
            let count = 1u64 << log;
            let witness = lengths(&[(0, count / 2), (1, count / 3), (64, count / 12), (253, count / 12)]);
            let (witness, uniform) = (best(&card, &witness), best(&card, &lengths(&[(254, count)])));
            assert!(witness <= uniform, "2^{log}: {witness} and {uniform}");
            narrower += u32::from(witness < uniform);
        }
        assert!(narrower > 7, "narrower {narrower} times");
    }

    #[test]
    fn several_adders_share_the_work() {
        let of = lengths(&[(254, 1 << 16)]);
        let one = estimate_msm(&card(1, ALL), &of, 12).cycles();
        for adders in [2, 4, 8] {
            let several = estimate_msm(&card(adders, ALL), &of, 12).cycles();
            let speed_up = one / several;
            let bound = f64::from(adders);
            assert!((0.85 * bound..=bound).contains(&speed_up), "{adders} adders: {speed_up}");
        }
        // Ones are in one window, which one adder serves alone.
        let ones = lengths(&[(1, 1 << 16)]);
        let buckets = |adders| estimate_msm(&card(adders, ALL), &ones, 12).bucket_cycles;
        assert_eq!(buckets(1), buckets(2));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

        #[test]
        fn the_choice_is_the_cheapest_and_one_of_the_card(
            of in prop::collection::vec((0usize..=254, 0u64..1 << 20), 0..8),
            choices in 1u32..1 << 14,
            adders in 1u32..=16,
        ) {
            let (card, of) = (card(adders, choices << 3), lengths(&of));
            let best = best_msm(&card, &of).expect("a card with choices");
            prop_assert!(card.window_choices().any(|bits| bits == best.window_bits));
            for bits in card.window_choices() {
                let other = estimate_msm(&card, &of, bits);
                prop_assert!(best.cycles() <= other.cycles() && other.cycles().is_finite());
            }
        }

        #[test]
        fn more_work_never_costs_less(
            of in prop::collection::vec((0usize..=254, 0u64..1 << 16), 0..6),
            more in (0usize..=254, 1u64..1 << 16),
            bits in 3u32..=16,
            adders in 1u32..=16,
        ) {
            let card = card(adders, ALL);
            let less = estimate_msm(&card, &lengths(&of), bits);
            let more = estimate_msm(&card, &lengths(&[of, vec![more]].concat()), bits);
            prop_assert!(less.cycles() <= more.cycles() && less.digits <= more.digits);
        }
    }

    #[test]
    fn a_card_without_choices_has_no_best() {
        assert!(best_msm(&card(1, 0), &lengths(&[(254, 10)])).is_none());
    }
}
