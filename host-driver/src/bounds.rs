//! How long a command may take: the one place where it is computed.
//!
//! The estimates are cycles of an engine that is much worse than the real one; a factor and a floor come on
//! top (see [`CardOptions`]). A bound is there to end a wait on a card that has
//! stopped, not to measure one that works.

use crate::options::CardOptions;
use crate::transport::{ClockKind, Pace};
use spandrel_abi::{
    AFFINE_POINT_BYTES, BOARD_SIMULATED, CARD_ALIGNMENT, Descriptor, FIELD_BYTES, Identification,
    MERKLE_MAX_DEPTH, Opcode, POSEIDON_MAX_WIDTH, PROJECTIVE_POINT_BYTES, SPONGE_GROUP, TreeShape, windows,
};
use std::time::Duration;

/// Cycles that a fresh digit may cost in the bucket phase; the engine takes 1 to 4, and up to 20 where all additions
/// are doublings in affine coordinates.
const CYCLES_PER_DIGIT: u64 = 32;
/// Additions, or states, that an engine with a long latency holds at least: so it takes one every latency / this, or more often.
const HELD_AT_LEAST: u64 = 8;
/// Cycles that a bucket may cost in clearing and both reduction passes; the engine takes about 2.
const CYCLES_PER_BUCKET: u64 = 16;
/// Adder latencies that a window may wait for: chains of the last sums, of log2(elements) links each.
const LATENCIES_PER_WINDOW: u64 = 64;
/// Cycles that a byte may cost on the host or card bus; 32 or 64 bytes a cycle are usual.
const CYCLES_PER_BYTE: u64 = 2;
/// Cycles that a command may cost apart from its data.
const COMMAND_OVERHEAD: u64 = 100_000;
/// Accesses to host memory, one after the other, that a command may cost apart from its data: entries of both rings, what
/// it reads of its operands, interrupts.
const ACCESSES_PER_COMMAND: u128 = 16;

/// Passes through a lane that a hash takes: at most 60 partial rounds, and 8 full ones of as many passes as the state has
/// elements.
const PASSES_PER_HASH: u64 = 60 + 8 * POSEIDON_MAX_WIDTH as u64;
/// Cycles that a pass may cost where lanes have states enough; it takes about 1.
const CYCLES_PER_PASS: u64 = 8;
/// Cycles that may go by until card memory gives a group of nodes that nothing was read ahead of.
const CYCLES_PER_GROUP: u64 = 1024;

/// How many times slower than its clock a simulated card may run. A simulation of 250 kHz of a card of 250 MHz is
/// 1,000 times slower.
const SIMULATION_SLOWDOWN: u64 = 2048;

/// Bounds for one card.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    identification: Identification,
    factor: u64,
    floor_cycles: u64,
    /// Cycles that a byte may cost between card and host.
    cycles_per_byte: u64,
    /// Cycles that a command may cost apart from its data.
    command_overhead: u64,
    /// The transport's time for one of the card's.
    slowdown: u64,
}

impl Bounds {
    /// `clock` is what the transport's time is measured with: a simulated card is slow by the clock on the wall. `pace` is how
    /// fast the way to host memory is.
    pub(crate) fn new(identification: &Identification, options: &CardOptions, clock: ClockKind, pace: Pace) -> Bounds {
        let slow = clock == ClockKind::Wall && identification.board == BOARD_SIMULATED;
        let clock_hz = u64::from(identification.clock_khz) * 1000;
        let usual = if slow { SIMULATION_SLOWDOWN } else { 1 };
        Bounds {
            slowdown: pace.slowdown.map_or(usual, u64::from).max(1),
            cycles_per_byte: CYCLES_PER_BYTE.max(2 * clock_hz / pace.bytes_per_second.max(1)),
            command_overhead: COMMAND_OVERHEAD.saturating_add(
                u64::try_from(ACCESSES_PER_COMMAND * pace.turnaround.as_nanos() * u128::from(clock_hz) / 1_000_000_000)
                    .unwrap_or(u64::MAX),
            ),
            identification: *identification,
            factor: options.bound_factor.into(),
            floor_cycles: options.bound_floor_cycles,
        }
    }

    /// Cycles in which a command must have ended.
    pub(crate) fn command_cycles(&self, opcode: Opcode, command: &Descriptor) -> u64 {
        let id = &self.identification;
        let field_bytes = FIELD_BYTES as u64;
        let count = u64::from(command.count);
        let work = match opcode {
            Opcode::Identify | Opcode::ReadCounters => 0,
            Opcode::LoadBases => count.saturating_mul(self.cycles_per_byte * 2 * AFFINE_POINT_BYTES as u64),
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
                        most_windows * CYCLES_PER_DIGIT.max(u64::from(id.msm_latency_cycles) / HELD_AT_LEAST)
                            + self.cycles_per_byte * (field_bytes + AFFINE_POINT_BYTES as u64),
                    )
                    .saturating_add(buckets * CYCLES_PER_BUCKET)
                    .saturating_add(most_windows * LATENCIES_PER_WINDOW * u64::from(id.msm_latency_cycles))
                    .saturating_add(results * self.cycles_per_byte)
            }
            Opcode::ReadCard => count.saturating_mul(self.cycles_per_byte * 2 * CARD_ALIGNMENT),
            Opcode::FieldVector => count.saturating_mul(self.cycles_per_byte * 3 * field_bytes),
            Opcode::Poseidon => {
                let width = command.parameter & 15;
                let blocks = u64::from(command.parameter >> 16).max(1);
                let elements = count.saturating_mul(blocks * u64::from(width) + 1);
                // The blocks of a message wait for each other; so many messages are worked on at a time.
                let links = blocks.saturating_mul(count.div_ceil(SPONGE_GROUP.into()));
                self.hash_cycles(width, count.saturating_mul(blocks), links)
                    .saturating_add(elements.saturating_mul(self.cycles_per_byte * field_bytes))
            }
            Opcode::MerkleBuild => {
                let tree = tree_of(command);
                // Every node is written, and read once as a child; leaves come from the host besides.
                let bytes = 2 * tree.bytes() + u64::from(tree.leaves) * field_bytes;
                self.hash_cycles(tree.arity + 1, tree.hashes(), tree.depth.into())
                    .saturating_add(bytes.saturating_mul(self.cycles_per_byte))
                    .saturating_add(u64::from(tree.depth) * CYCLES_PER_GROUP)
            }
            Opcode::MerklePaths => {
                let tree = tree_of(command);
                let path = u64::from(tree.depth) * CYCLES_PER_GROUP
                    + self.cycles_per_byte * (2 * tree.path_bytes() as u64 + field_bytes);
                count.saturating_mul(path)
            }
            Opcode::MerkleUpdate => {
                let tree = tree_of(command);
                let groups = count.saturating_mul(tree.depth.into());
                let group_cycles =
                    CYCLES_PER_GROUP + self.cycles_per_byte * 4 * u64::from(tree.arity) * field_bytes;
                self.hash_cycles(tree.arity + 1, groups, tree.depth.into())
                    .saturating_add(groups.saturating_mul(group_cycles))
                    .saturating_add(count.saturating_mul(self.cycles_per_byte * 2 * field_bytes))
            }
            Opcode::SelfTest => {
                // Known answers through each pipeline, some of them one after the other.
                1000 * (u64::from(id.msm_latency_cycles) + u64::from(id.field_latency_cycles))
            }
        };
        work.saturating_add(self.command_overhead).saturating_mul(self.factor).saturating_add(self.floor_cycles)
    }

    /// Cycles that so many hashes of states of `width` elements may take, of which `links` wait for one another.
    fn hash_cycles(&self, width: u32, hashes: u64, links: u64) -> u64 {
        let lanes = u64::from(self.identification.lanes(width).max(1));
        let alone = PASSES_PER_HASH * 2 * u64::from(self.identification.poseidon_latency_cycles);
        let pass =
            CYCLES_PER_PASS.max(u64::from(self.identification.poseidon_latency_cycles) / HELD_AT_LEAST);
        (hashes.saturating_mul(PASSES_PER_HASH * pass) / lanes).saturating_add(links.saturating_mul(alone))
    }

    /// Cycles in which a reset must be over: the bucket flags are cleared one by one.
    pub(crate) fn reset_cycles(&self) -> u64 {
        self.command_cycles(Opcode::Msm, &Descriptor::default())
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

/// The tree that a command is about, also where it is none that a card has.
fn tree_of(command: &Descriptor) -> TreeShape {
    let arity = command.parameter & 15;
    let depth = (command.parameter >> 8 & 63).min(MERKLE_MAX_DEPTH);
    TreeShape { arity: arity.clamp(2, 4), depth, leaves: command.size }
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
        largest.poseidon_latency_cycles = u32::MAX;
        let options =
            CardOptions { bound_factor: u32::MAX, bound_floor_cycles: u64::MAX, ..Default::default() };
        for opcode in Opcode::ALL {
            let usual = Bounds::new(&plausible(), &CardOptions::default(), ClockKind::Wall, Pace::BUS);
            let of =
                |count: u32| Descriptor { count, parameter: 0x0203, size: count, ..Descriptor::default() };
            assert!(usual.command_cycles(*opcode, &of(1000)) >= usual.command_cycles(*opcode, &of(1)));
            assert!(usual.command_cycles(*opcode, &of(1)) > CardOptions::default().bound_floor_cycles);
            let extreme = Bounds::new(&largest, &options, ClockKind::Wall, Pace::BUS);
            let most =
                Descriptor { count: u32::MAX, parameter: u32::MAX, size: u32::MAX, ..Descriptor::default() };
            assert_eq!(extreme.command_cycles(*opcode, &most), u64::MAX);
            assert!(extreme.time(u64::MAX) > Duration::from_secs(1));
        }
    }

    /// What takes a card longer has more time: more blocks, more levels, fewer lanes.
    #[test]
    fn hashes_have_time_for_all_that_makes_them_long() {
        let with_lanes = |lanes| {
            let identification = Identification { poseidon_lanes: [lanes; 4], ..plausible() };
            Bounds::new(&identification, &CardOptions::default(), ClockKind::Card, Pace::BUS)
        };
        let (one, four) = (with_lanes(1), with_lanes(4));
        let hash =
            |blocks: u32| Descriptor { count: 1, parameter: blocks << 16 | 3, ..Descriptor::default() };
        let cycles = |command| one.command_cycles(Opcode::Poseidon, &command);
        // Block after block of one message: nothing overlaps.
        let latency = u64::from(plausible().poseidon_latency_cycles);
        assert!(cycles(hash(60_000)) > cycles(hash(30_000)) + 30_000 * 81 * latency);
        let many = Descriptor { count: 1 << 20, ..hash(0) };
        assert!(one.command_cycles(Opcode::Poseidon, &many) > (1 << 20) * 81);
        assert!(
            four.command_cycles(Opcode::Poseidon, &many) < one.command_cycles(Opcode::Poseidon, &many) / 2
        );
        for opcode in [Opcode::MerkleBuild, Opcode::MerklePaths, Opcode::MerkleUpdate] {
            let tree = |depth| {
                let shape = TreeShape { arity: 2, depth, leaves: 1 << 16 };
                let parameter = shape.parameter(0);
                Descriptor { count: 1000, size: shape.leaves, parameter, ..Descriptor::default() }
            };
            assert!(
                one.command_cycles(opcode, &tree(32)) > one.command_cycles(opcode, &tree(16)),
                "{opcode:?}"
            );
        }
        let build = Descriptor { size: 1 << 16, parameter: 0x1002, ..Descriptor::default() };
        assert!(one.command_cycles(Opcode::MerkleBuild, &build) > 65_535 * 81, "a build from card memory");
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
            let bounds = Bounds::new(&identification, &CardOptions::default(), clock, Pace::BUS);
            assert_eq!(bounds.time(250_000), slowdown as u32 * Duration::from_millis(1));
            assert_eq!(bounds.cycles(slowdown as u32 * Duration::from_micros(2)), 500);
        }
    }
}
