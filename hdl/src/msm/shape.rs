//! Sizes of one core that follow from the window bits.

use super::adder::SLOT_BITS;
use crate::curve::Curve;
use crate::profile::Profile;
use spandrel_abi::{WindowShare, column_bits, window_shares};

/// Bits of a choice: an index into [`Shape::choices`].
pub(super) const CHOICE_BITS: usize = 4;

/// Bits of a local window's number.
pub(super) const WINDOW_BITS: usize = 7;

/// The most windows that a core has: all of them, for c = 3.
pub(super) const MAX_WINDOWS: usize = 85;

/// Sizes of one core of an engine, for every choice of window bits that a job has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The choices, in the order of their numbers; one or more.
    pub choices: Vec<Choice>,
    /// Cores k among which the windows are divided.
    pub cores: usize,
    /// Number of this core, 0 to k − 1.
    pub core: usize,
    /// The points' curve.
    pub curve: Curve,
}

/// Sizes of a core for one choice of window bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Bits c of a signed digit.
    pub window_bits: usize,
    /// The windows, or parts of windows, that the core serves, ascending and without a gap. The position of a window
    /// in this list is its *local* number.
    pub windows: Vec<WindowShare>,
    /// Bits m of a column index: the low part of a bucket's.
    pub column_bits: usize,
    /// Bits h of a row index: the high part, c − 1 − m, which is m or m + 1.
    pub row_bits: usize,
}

impl Choice {
    fn new(window_bits: usize, cores: usize, core: usize) -> Choice {
        assert!((3..=16).contains(&window_bits), "windows of {window_bits} bits: 3 to 16 are possible");
        let column_bits = column_bits(window_bits as u32) as usize;
        Choice {
            window_bits,
            windows: window_shares(window_bits as u32, cores as u32, core as u32),
            column_bits,
            row_bits: window_bits - 1 - column_bits,
        }
    }

    /// Windows of this core.
    pub fn local_windows(&self) -> usize {
        self.windows.len()
    }

    /// First of the core's windows in the scalar's own count.
    pub fn first_window(&self) -> usize {
        self.windows[0].window as usize
    }

    /// Buckets of one window: a digit's magnitude is 1 to 2^(c−1); 2^(c−1) lives at address 0.
    pub fn buckets_per_window(&self) -> usize {
        1 << (self.window_bits - 1)
    }

    /// Slots of bank 0, which holds the buckets.
    pub fn bucket_slots(&self) -> usize {
        self.local_windows() * self.buckets_per_window()
    }

    /// Row and column sums of one window: rows first, then columns.
    pub fn sums_per_window(&self) -> usize {
        2 << self.row_bits
    }

    /// Slots of bank 1, which holds row and column sums.
    pub fn sum_slots(&self) -> usize {
        self.local_windows() * self.sums_per_window()
    }

    /// Points that a job leaves in this core: c bit sums for each local window.
    pub fn result_points(&self) -> usize {
        self.local_windows() * self.window_bits
    }
}

impl Shape {
    /// The shape of core `core` of `cores`, for jobs that choose among `choices` of window bits (ascending, 3 to 16).
    ///
    /// # Panics
    ///
    /// When a choice is out of its range, there is none or there are more than 16, or `core` is not below `cores`: an
    /// error of the hardware description. A checked profile has none of these.
    pub fn new(choices: &[usize], cores: usize, core: usize, curve: Curve) -> Shape {
        assert!((1..=1 << CHOICE_BITS).contains(&choices.len()), "{} choices of window bits", choices.len());
        assert!(core < cores, "there is no core {core} of {cores}");
        let choices = choices.iter().map(|window_bits| Choice::new(*window_bits, cores, core)).collect();
        let shape = Shape { choices, cores, core, curve };
        assert!(shape.bucket_slots() <= 1 << SLOT_BITS, "{} slots", shape.bucket_slots());
        shape
    }

    /// The shapes of a profile's cores: those of its first curve, then those of its second, if it has one.
    pub fn of_cores(profile: &Profile) -> Vec<Shape> {
        let choices: Vec<usize> = profile.msm.window_bits.iter().map(|bits| *bits as usize).collect();
        let cores = profile.msm.adders as usize;
        let of_curve = |curve: &Curve| -> Vec<Shape> {
            (0..cores).map(|core| Shape::new(&choices, cores, core, *curve)).collect()
        };
        profile.msm.curves.iter().flat_map(of_curve).collect()
    }

    /// Slots of bank 0: enough for every choice.
    pub fn bucket_slots(&self) -> usize {
        self.most(Choice::bucket_slots)
    }

    /// Slots of bank 1: enough for every choice.
    pub fn sum_slots(&self) -> usize {
        self.most(Choice::sum_slots)
    }

    /// Windows of this core in the choice that has most.
    pub fn local_windows(&self) -> usize {
        self.most(Choice::local_windows)
    }

    /// Points that a job of choice `choice` leaves in this core.
    pub fn result_points(&self, choice: usize) -> usize {
        self.choices[choice].result_points()
    }

    /// The largest of a size over all choices.
    fn most(&self, size: impl Fn(&Choice) -> usize) -> usize {
        self.choices.iter().map(size).max().unwrap_or_default()
    }

    /// A Verilog name for a function of this shape; cores of one card differ in theirs.
    pub(super) fn name(&self, function: &str) -> String {
        let curve = format!("{:?}", self.curve).to_lowercase();
        format!("{function}_{curve}_{}_of_{}", self.core, self.cores)
    }
}
