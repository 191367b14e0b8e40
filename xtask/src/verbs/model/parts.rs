//! Parts and their resources.

use serde::Serialize;

/// What a part has, or a design needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Budget {
    /// DSP slices.
    pub dsp: u64,
    /// LUTs, those used as memories and shift registers included.
    pub lut: u64,
    /// Flip-flops.
    pub ff: u64,
    /// UltraRAMs of 4,096 × 72 bits.
    pub uram: u64,
    /// Block RAMs of 36 Kibit.
    pub bram36: u64,
}

impl Budget {
    /// So many of the whole, in percent, rounded down.
    pub fn percent(self, percent: u64) -> Budget {
        self.map(|amount| amount * percent / 100)
    }

    /// So many times this.
    pub fn times(self, count: u64) -> Budget {
        self.map(|amount| amount * count)
    }

    /// Both.
    pub fn plus(self, other: Budget) -> Budget {
        Budget {
            dsp: self.dsp + other.dsp,
            lut: self.lut + other.lut,
            ff: self.ff + other.ff,
            uram: self.uram + other.uram,
            bram36: self.bram36 + other.bram36,
        }
    }

    /// What is left of this beside another; nothing where the other is more.
    pub fn less(self, other: Budget) -> Budget {
        Budget {
            dsp: self.dsp.saturating_sub(other.dsp),
            lut: self.lut.saturating_sub(other.lut),
            ff: self.ff.saturating_sub(other.ff),
            uram: self.uram.saturating_sub(other.uram),
            bram36: self.bram36.saturating_sub(other.bram36),
        }
    }

    /// A design that needs this fits into a part that has `whole`.
    pub fn fits(self, whole: Budget) -> bool {
        self.dsp <= whole.dsp
            && self.lut <= whole.lut
            && self.ff <= whole.ff
            && self.uram <= whole.uram
            && self.bram36 <= whole.bram36
    }

    /// Each resource as its share of the whole, in words.
    pub fn in_percent_of(self, whole: Budget) -> String {
        let shares = [
            ("DSP", self.dsp, whole.dsp),
            ("LUT", self.lut, whole.lut),
            ("FF", self.ff, whole.ff),
            ("URAM", self.uram, whole.uram),
            ("BRAM36", self.bram36, whole.bram36),
        ];
        let share =
            |(name, needs, all): (&str, u64, u64)| format!("{name} {:.1}", 100.0 * needs as f64 / all as f64);
        shares.map(share).join(", ")
    }

    fn map(self, change: impl Fn(u64) -> u64) -> Budget {
        Budget {
            dsp: change(self.dsp),
            lut: change(self.lut),
            ff: change(self.ff),
            uram: change(self.uram),
            bram36: change(self.bram36),
        }
    }
}

/// A board's FPGA.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Part {
    /// Name of the board, that of a folder in `bitstreams` where there is one.
    pub board: &'static str,
    /// The part.
    pub part: &'static str,
    /// All of it.
    pub whole: Budget,
}

/// From AMD's product tables: "UltraScale+ FPGAs Product Selection Guide" (XMP103), VU13P for the U250's XCU250, VU47P;
/// "Alveo U55C Data Sheet" (DS978) for the U55C's XCU55C, whose fabric is the VU47P's.
pub const PARTS: [Part; 3] = [
    Part {
        board: "alveo-u250",
        part: "XCU250",
        whole: Budget { dsp: 12_288, lut: 1_728_000, ff: 3_456_000, uram: 1_280, bram36: 2_688 },
    },
    Part {
        board: "alveo-u55c",
        part: "XCU55C",
        whole: Budget { dsp: 9_024, lut: 1_303_680, ff: 2_607_360, uram: 960, bram36: 2_016 },
    },
    Part {
        board: "aws-f2",
        part: "XCVU47P",
        whole: Budget { dsp: 9_024, lut: 1_303_680, ff: 2_607_360, uram: 960, bram36: 2_016 },
    },
];
