//! How the windows of a scalar's digits are divided among the point adders of a card, and their buckets among rows, columns
//! and marks: what the card does, and what a host reckons with when it estimates a job.

/// Bits that signed digits must cover: a scalar has 254, and the digits may carry once more.
const DIGIT_BITS: u32 = 255;

/// Number of windows W = ceil(255 / c) for signed digits of c bits.
pub const fn windows(window_bits: u32) -> u32 {
    DIGIT_BITS.div_ceil(window_bits)
}

/// A window, or a part of one, that an adder serves: the digits of window `window` of every element i of a job with
/// `residues.0` ≤ i mod k < `residues.1`, for k adders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WindowShare {
    /// The window, 0 to W − 1.
    pub window: u32,
    /// First residue, and the one after the last.
    pub residues: (u32, u32),
}

/// What the adder of number `adder` of `adders` serves, window by window, ascending: W/k windows' worth. The W windows
/// are laid end to end and cut into k equal runs; a window that a cut goes through is served by several adders, each for
/// a part of the elements, so that no adder has more digits to take than another whatever W and k are.
pub fn window_shares(window_bits: u32, adders: u32, adder: u32) -> Vec<WindowShare> {
    // In units of 1/k of a window, adder j has the run from j·W to (j + 1)·W.
    let windows = windows(window_bits);
    let (start, end) = (adder * windows, (adder + 1) * windows);
    let share = |window: u32| WindowShare {
        window,
        residues: (
            start.max(window * adders) % adders,
            (end - 1).min(window * adders + adders - 1) % adders + 1,
        ),
    };
    (start / adders..end.div_ceil(adders)).map(share).collect()
}

/// Bits m of a column's number: the low part of a bucket's in a window of `window_bits` bits, for the reduction.
pub const fn column_bits(window_bits: u32) -> u32 {
    (window_bits - 1) / 2
}

/// Bits of a row's number: the rest of a bucket's c − 1 bits, never fewer than a column's.
pub const fn row_bits(window_bits: u32) -> u32 {
    window_bits - 1 - column_bits(window_bits)
}

/// Bits of the number of a mark, by which an adder's scan knows what to pass over.
pub const MARK_BITS: u32 = 8;

/// Most bits of a group's number.
const MAX_GROUP_BITS: u32 = 4;

/// Bits g of a group's number, for an adder that serves `windows` windows, 1 to 2^[`MARK_BITS`]: a window's buckets are
/// marked in 2^g groups, as many as the marks of the whole adder allow, at most 16.
pub fn mark_group_bits(window_bits: u32, windows: u32) -> u32 {
    let most = MARK_BITS - windows.next_power_of_two().ilog2();
    MAX_GROUP_BITS.min(column_bits(window_bits)).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digit_is_served_once_and_every_adder_has_as_many() {
        for window_bits in 3..=16 {
            for adders in 1..=16 {
                let mut served = vec![0; (windows(window_bits) * adders) as usize];
                for adder in 0..adders {
                    let shares = window_shares(window_bits, adders, adder);
                    let before = served.iter().sum::<u32>();
                    for WindowShare { window, residues } in shares {
                        assert!(residues.0 < residues.1 && residues.1 <= adders);
                        for residue in residues.0..residues.1 {
                            served[(window * adders + residue) as usize] += 1;
                        }
                    }
                    assert_eq!(served.iter().sum::<u32>() - before, windows(window_bits));
                }
                assert!(served.iter().all(|times| *times == 1), "c = {window_bits}, k = {adders}");
            }
        }
    }
}
