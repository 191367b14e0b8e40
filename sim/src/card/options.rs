//! How a card is simulated.

use crate::axi::SlaveTiming;
use std::path::PathBuf;

/// How a card is simulated. The same options and the same accesses give the same cycles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SimOptions {
    /// Decides every random latency and stall.
    pub seed: u64,
    /// Whether everything around the card answers late and hesitantly, at random ([`Timing::HOSTILE`]), instead of after
    /// the same time always ([`Timing::STEADY`]).
    pub stalls: bool,
    /// Waveform file to write, `….fst` (or `.vcd` where FST's libraries are not installed).
    pub trace: Option<PathBuf>,
}

impl SimOptions {
    /// The timing that [`SimOptions::stalls`] chooses.
    pub fn timing(&self) -> Timing {
        if self.stalls { Timing::HOSTILE } else { Timing::STEADY }
    }
}

/// How slow everything around a card is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Host memory, behind PCIe.
    pub host: SlaveTiming,
    /// The card's own memory.
    pub card: SlaveTiming,
    /// In how many of 100 cycles each channel of register accesses holds back.
    pub register_stall_percent: u8,
}

const fn slave(latency_min_cycles: u32, latency_max_cycles: u32, stall_percent: u8) -> SlaveTiming {
    SlaveTiming { latency_min_cycles, latency_max_cycles, stall_percent }
}

impl Timing {
    /// Host memory 0.6 µs away at 250 MHz, card memory 0.12 µs, no stalls.
    pub const STEADY: Timing =
        Timing { host: slave(150, 150, 0), card: slave(30, 30, 0), register_stall_percent: 0 };

    /// About what a card sees at 250 MHz: host memory 0.6 to 1.2 µs away, card memory 0.1 to 0.2 µs, a few stalls.
    pub const TYPICAL: Timing =
        Timing { host: slave(150, 300, 5), card: slave(25, 50, 3), register_stall_percent: 10 };

    /// From no latency to long, and every channel held back half of the time: for tests.
    pub const HOSTILE: Timing =
        Timing { host: slave(0, 400, 50), card: slave(0, 100, 50), register_stall_percent: 50 };
}
