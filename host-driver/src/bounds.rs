//! How long a command may take: the one place where it is computed.
//!
//! The estimates are cycles of an engine that is much worse than the real one; a factor and a floor come on
//! top (see [`CardOptions`]). A bound is there to end a wait on a card that has
//! stopped, not to measure one that works.

use crate::options::CardOptions;
use crate::transport::ClockKind;
use spandrel_abi::{
    AFFINE_POINT_BYTES, BOARD_SIMULATED, CARD_ALIGNMENT, FIELD_BYTES, Identification, Opcode,
    PROJECTIVE_POINT_BYTES, windows,
};
use std::time::Duration;

/// Cycles that a fresh digit may cost in the bucket phase; the engine takes 1 to 4, and up to 20 where all additions
/// are doublings in affine coordinates.
const CYCLES_PER_DIGIT: u64 = 32;
/// Cycles that a bucket may cost in clearing and both reduction passes; the engine takes about 2.
const CYCLES_PER_BUCKET: u64 = 16;
/// Adder latencies that a window may wait for: chains of the last sums, of log2(elements) links each.
const LATENCIES_PER_WINDOW: u64 = 64;
/// Cycles that a byte may cost on the host or card bus; 32 or 64 bytes a cycle are usual.
const CYCLES_PER_BYTE: u64 = 2;
/// Cycles that a command may cost apart from its data.
const COMMAND_OVERHEAD: u64 = 100_000;

/// How many times slower than its clock a simulated card may run. A simulation of 250 kHz of a card of 250 MHz is
/// 1,000 times slower.
const SIMULATION_SLOWDOWN: u64 = 2048;

/// Bounds for one card.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    identification: Identification,
    factor: u64,
    floor_cycles: u64,
    /// The transport's time for one of the card's.
    slowdown: u64,
}

impl Bounds {
    /// `clock` is what the transport's time is measured with: a simulated card is slow by the clock on the wall.
    pub(crate) fn new(identification: &Identification, options: &CardOptions, clock: ClockKind) -> Bounds {
        let slow = clock == ClockKind::Wall && identification.board == BOARD_SIMULATED;
        Bounds {
            slowdown: if slow { SIMULATION_SLOWDOWN } else { 1 },
            identification: *identification,
            factor: options.bound_factor.into(),
            floor_cycles: options.bound_floor_cycles,
        }
    }

    /// Cycles in which a command on `count` elements must have ended.
    pub(crate) fn command_cycles(&self, opcode: Opcode, count: u64) -> u64 {
        let id = &self.identification;
        let field_bytes = FIELD_BYTES as u64;
        let work = match opcode {
            Opcode::Identify | Opcode::ReadCounters => 0,
            Opcode::LoadBases => count.saturating_mul(CYCLES_PER_BYTE * 2 * AFFINE_POINT_BYTES as u64),
            Opcode::Msm => {
                // Of each quantity the worst that a choice of windows can make of it.
                let most = |of: fn(&Identification, u32) -> u64| {
                    id.window_choices().map(|window_bits| of(id, window_bits)).max().unwrap_or(0)
                };
                let most_windows = most(|_, bits| windows(bits).into());
                let buckets = most(|_, bits| u64::from(windows(bits)) << (bits - 1));
                let results =
                    most(|id, bits| id.msm_result_points(bits) as u64) * PROJECTIVE_POINT_BYTES as u64;
                count
                    .saturating_mul(
                        most_windows * CYCLES_PER_DIGIT
                            + CYCLES_PER_BYTE * (field_bytes + AFFINE_POINT_BYTES as u64),
                    )
                    .saturating_add(buckets * CYCLES_PER_BUCKET)
                    .saturating_add(most_windows * LATENCIES_PER_WINDOW * u64::from(id.msm_latency_cycles))
                    .saturating_add(results * CYCLES_PER_BYTE)
            }
            Opcode::ReadCard => count.saturating_mul(CYCLES_PER_BYTE * 2 * CARD_ALIGNMENT),
            Opcode::FieldVector => count.saturating_mul(CYCLES_PER_BYTE * 3 * field_bytes),
            // At most 128 passes a hash and 64 levels or blocks an element, one after the other.
            Opcode::Poseidon | Opcode::MerkleBuild | Opcode::MerklePaths | Opcode::MerkleUpdate => {
                let hash = 128 * (1 + u64::from(id.poseidon_latency_cycles));
                count.saturating_mul(64).saturating_mul(hash)
            }
            Opcode::SelfTest => {
                // Known answers through each pipeline, some of them one after the other.
                1000 * (u64::from(id.msm_latency_cycles) + u64::from(id.field_latency_cycles))
            }
        };
        work.saturating_add(COMMAND_OVERHEAD).saturating_mul(self.factor).saturating_add(self.floor_cycles)
    }

    /// Cycles in which a reset must be over: the bucket flags are cleared one by one.
    pub(crate) fn reset_cycles(&self) -> u64 {
        self.command_cycles(Opcode::Msm, 0)
    }

    /// Cycles as the transport's time.
    pub(crate) fn time(&self, cycles: u64) -> Duration {
        let nanoseconds = u128::from(cycles) * u128::from(self.slowdown) * 1_000_000
            / u128::from(self.identification.clock_khz.max(1));
        Duration::from_nanos(nanoseconds.min(u64::MAX.into()) as u64)
    }

    /// The transport's time as cycles.
    pub(crate) fn cycles(&self, time: Duration) -> u64 {
        let cycles = time.as_nanos() * u128::from(self.identification.clock_khz)
            / (u128::from(self.slowdown) * 1_000_000);
        cycles.min(u64::MAX.into()) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identify::tests::plausible;

    #[test]
    fn grows_with_the_work_and_never_overflows() {
        let mut largest = plausible();
        largest.clock_khz = 1;
        largest.msm_latency_cycles = u32::MAX;
        largest.field_latency_cycles = u32::MAX;
        let options =
            CardOptions { bound_factor: u32::MAX, bound_floor_cycles: u64::MAX, ..Default::default() };
        for opcode in Opcode::ALL {
            let usual = Bounds::new(&plausible(), &CardOptions::default(), ClockKind::Wall);
            assert!(usual.command_cycles(*opcode, 1000) >= usual.command_cycles(*opcode, 1));
            assert!(usual.command_cycles(*opcode, 1) > CardOptions::default().bound_floor_cycles);
            let extreme = Bounds::new(&largest, &options, ClockKind::Wall);
            assert_eq!(extreme.command_cycles(*opcode, u64::MAX), u64::MAX);
            assert!(extreme.time(u64::MAX) > Duration::from_secs(1));
        }
    }

    #[test]
    fn time_and_cycles_agree_with_the_clock() {
        let mut identification = plausible();
        identification.clock_khz = 250_000;
        for (board, clock, slowdown) in [
            (BOARD_SIMULATED, ClockKind::Card, 1),
            (BOARD_SIMULATED, ClockKind::Wall, SIMULATION_SLOWDOWN),
            (BOARD_SIMULATED + 1, ClockKind::Wall, 1),
        ] {
            identification.board = board;
            let bounds = Bounds::new(&identification, &CardOptions::default(), clock);
            assert_eq!(bounds.time(250_000), slowdown as u32 * Duration::from_millis(1));
            assert_eq!(bounds.cycles(slowdown as u32 * Duration::from_micros(2)), 500);
        }
    }
}
