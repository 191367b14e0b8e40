//! The Poseidon lanes of a board: what they need, how fast they hash, and what a pool of multipliers would change.

use super::cycles::HashCycles;
use super::parts::Budget;
use serde::Serialize;

/// Trees whose builds are given.
pub const LEAVES: [u64; 2] = [1 << 16, 1 << 20];

/// What the lanes of one width need.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Needs {
    /// The lanes with multipliers of their own, from the stream of states to that of results.
    pub lanes: Budget,
    /// A complete adder with multipliers of its own.
    pub adder: Budget,
    /// A complete adder and the lanes on one pool.
    pub pool: Budget,
}

/// The lanes of one width.
#[derive(Clone, Debug, Serialize)]
pub struct Hashes {
    /// What they need.
    pub needs: Needs,
    /// Their cycles with multipliers of their own.
    pub own: HashCycles,
    /// Their cycles on a pool.
    pub shared: HashCycles,
    /// Hashes a second at the assumed clock, on either.
    pub hashes_per_second: f64,
}

impl Hashes {
    /// Puts needs and cycles together.
    pub fn new(needs: Needs, own: HashCycles, shared: HashCycles, clock_hz: f64) -> Hashes {
        let hashes_per_second = clock_hz / own.cycles_per_hash;
        Hashes { needs, own, shared, hashes_per_second }
    }

    fn name(&self) -> String {
        format!("Poseidon, t = {}, {} lane(s)", self.own.width, self.own.lanes)
    }

    /// The rows of the table of needs.
    pub fn rows(&self) -> [(String, Budget); 3] {
        let Needs { lanes, adder, pool } = self.needs;
        [
            (self.name(), lanes),
            ("  and a complete adder, each its own multipliers".to_owned(), lanes.plus(adder)),
            ("  and a complete adder, one pool of multipliers".to_owned(), pool),
        ]
    }

    /// The rates, in lines.
    pub fn rates(&self, clock_hz: f64) -> String {
        let own = &self.own;
        let mut text = format!(
            "  {}: {} cycles a hash, {:.2} M hashes/s; {} states in flight, a hash takes {} cycles ({} on a pool)\n",
            self.name(),
            own.cycles_per_hash,
            self.hashes_per_second / 1e6,
            own.lanes * own.pass_cycles,
            own.latency_cycles,
            self.shared.latency_cycles,
        );
        for build in &own.builds {
            text += &format!(
                "    tree of 2^{} leaves: {:>9} cycles, {:.2} ms\n",
                build.leaves.ilog2(),
                build.cycles,
                build.cycles as f64 * 1e3 / clock_hz
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::super::cycles::Build;
    use super::*;

    #[test]
    fn rates_follow_from_cycles_and_clock() {
        let own = HashCycles {
            width: 3,
            lanes: 2,
            pass_cycles: 158,
            latency_cycles: 12_809,
            cycles_per_hash: 40.5,
            builds: vec![Build { leaves: 1 << 16, cycles: 2_500_000 }],
        };
        let shared = HashCycles { latency_cycles: 14_267, ..own.clone() };
        let lanes = Budget { dsp: 2_000, lut: 50, bram36: 3, ..Budget::default() };
        let adder = Budget { dsp: 1_500, lut: 70, ..Budget::default() };
        let pool = Budget { dsp: 3_000, lut: 140, bram36: 3, ..Budget::default() };
        let hashes = Hashes::new(Needs { lanes, adder, pool }, own, shared, 250e6);
        assert!((hashes.hashes_per_second - 6_172_839.5).abs() < 1.0);
        let [_, both, _] = hashes.rows();
        assert_eq!(both.1, Budget { dsp: 3_500, lut: 120, bram36: 3, ..Budget::default() });
        let text = hashes.rates(250e6);
        assert!(text.contains("6.17 M hashes/s; 316 states in flight"), "{text}");
        assert!(text.contains("12809 cycles (14267 on a pool)"), "{text}");
        assert!(text.contains("2^16 leaves:   2500000 cycles, 10.00 ms"), "{text}");
    }
}
