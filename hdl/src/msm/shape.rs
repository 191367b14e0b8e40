//! Sizes that follow from the window bits.

use crate::profile::Profile;

/// Sizes of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Bits c of a signed digit.
    pub window_bits: usize,
    /// Windows W.
    pub windows: usize,
    /// Bits m of a column index: the low part of a bucket's.
    pub column_bits: usize,
    /// Bits of a row index: the high part, c − 1 − m, never fewer than m.
    pub row_bits: usize,
}

impl Shape {
    /// The shape of a profile's engine.
    pub fn of(profile: &Profile) -> Shape {
        let window_bits = profile.largest_window_bits() as usize;
        let column_bits = (window_bits - 1) / 2;
        Shape {
            window_bits,
            windows: spandrel_abi::windows(window_bits as u32) as usize,
            column_bits,
            row_bits: window_bits - 1 - column_bits,
        }
    }

    /// Buckets of one window: a digit's magnitude is 1 to 2^(c−1); 2^(c−1) lives at address 0.
    pub fn buckets_per_window(&self) -> usize {
        1 << (self.window_bits - 1)
    }

    /// Slots of bank 0, which holds the buckets.
    pub fn bucket_slots(&self) -> usize {
        self.windows * self.buckets_per_window()
    }

    /// Row and column sums of one window: rows first, then columns.
    pub fn sums_per_window(&self) -> usize {
        2 << self.row_bits
    }

    /// Slots of bank 1, which holds row and column sums.
    pub fn sum_slots(&self) -> usize {
        self.windows * self.sums_per_window()
    }

    /// Points that a job ends with: c bit sums for each window.
    pub fn result_points(&self) -> usize {
        self.windows * self.window_bits
    }
}
