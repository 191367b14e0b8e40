//! How long hashes take, from the shapes of a profile's Poseidon cores.

use crate::poseidon::{PoseidonCore, Schedule, SerialPoseidon};
use crate::profile::{PoseidonProfile, Profile};
use spandrel_poseidon::WidthError;

/// The lanes of one width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashModel {
    /// Elements of a state.
    pub width: u32,
    /// Lanes.
    pub lanes: u64,
    /// Passes of a hash.
    pub passes: u64,
    /// States in flight in a lane.
    pub slots: u64,
    /// Cycles from one state's pass to the next state's: 1 in a pipelined lane.
    pub pass_cycles: u64,
    /// Cycles from a state to its result, in a core that is not full.
    pub latency_cycles: u64,
}

impl HashModel {
    /// The lanes of a profile, built for their latencies.
    pub fn of(profile: &Profile, core: &PoseidonProfile) -> Result<HashModel, WidthError> {
        let passes = Schedule::new(core.width as usize)?.passes();
        if let Some(digits) = &profile.digit_serial {
            let built = SerialPoseidon::new(core.width as usize, digits.poseidon_multipliers as usize);
            return Ok(HashModel {
                width: core.width,
                lanes: 1,
                passes: built.turns() as u64,
                slots: built.frames() as u64,
                pass_cycles: built.pass_cycles() as u64,
                latency_cycles: built.latency() as u64,
            });
        }
        let built =
            PoseidonCore::new(core.width as usize, core.lanes as usize, &profile.poseidon_datapath(core));
        Ok(HashModel {
            width: core.width,
            lanes: core.lanes.into(),
            passes: passes as u64,
            slots: built.pass_latency() as u64,
            pass_cycles: 1,
            latency_cycles: built.latency() as u64,
        })
    }

    /// Cycles between two hashes of full lanes.
    pub fn cycles_per_hash(&self) -> f64 {
        (self.passes * self.pass_cycles) as f64 / self.lanes as f64
    }

    /// Children of a node of the trees that this width hashes: two for three elements, four for five.
    pub fn arity(&self) -> Option<u64> {
        [(3, 2), (5, 4)].into_iter().find(|(width, _)| *width == self.width).map(|(_, arity)| arity)
    }

    /// Cycles of the build of a full tree over so many leaves, with memories that are never late. A level enters behind the
    /// one before it, and its last group not before the last result of that one is there: so levels with fewer hashes than
    /// states in flight take a hash's latency each. None where no tree has nodes of this width.
    pub fn build_cycles(&self, leaves: u64) -> Option<u64> {
        let arity = self.arity()?;
        let (mut entered, mut left, mut nodes) = (0.0, 0.0, leaves);
        while nodes > 1 {
            nodes = nodes.div_ceil(arity);
            entered = f64::max(left, entered + nodes as f64 * self.cycles_per_hash());
            left = entered + self.latency_cycles as f64;
        }
        Some(left as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: HashModel =
        HashModel { width: 3, lanes: 2, passes: 81, slots: 20, pass_cycles: 1, latency_cycles: 1_700 };

    #[test]
    fn a_small_tree_takes_a_latency_a_level_and_a_large_one_its_hashes() {
        assert_eq!(MODEL.build_cycles(1), Some(0));
        // The first group has to enter, too.
        assert_eq!(MODEL.build_cycles(8), Some(3 * 1_700 + 4 * 81 / 2));
        let hashes = (1u64 << 20) - 1;
        let cycles = MODEL.build_cycles(1 << 20).unwrap() as f64;
        let ratio = cycles / (hashes as f64 * MODEL.cycles_per_hash());
        assert!((1.0..1.0005).contains(&ratio), "{ratio}");
        assert_eq!(HashModel { width: 4, ..MODEL }.build_cycles(8), None);
    }

    #[test]
    fn the_card_of_a_board_has_its_lanes_figures() {
        let profile = Profile::load("alveo-u250").unwrap();
        for core in &profile.poseidon {
            let model = HashModel::of(&profile, core).unwrap();
            assert!(model.latency_cycles > model.passes * model.slots);
        }
    }
}
