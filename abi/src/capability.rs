//! The identification words, as registers 0x000 to 0x03c and as [`crate::Opcode::Identify`] writes them.

use crate::*;
use serde::{Deserialize, Serialize};

/// Bytes of the identification block.
pub const IDENTIFICATION_BYTES: usize = 64;

/// What a card says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identification {
    /// Should be [`MAGIC_VALUE`].
    pub magic: u32,
    /// Major version of the interface.
    pub abi_major: u16,
    /// Minor version of the interface.
    pub abi_minor: u16,
    /// First 32 bits of the git revision, or 0.
    pub git_revision: u32,
    /// Board number from the profile.
    pub board: u32,
    /// Clock in kHz.
    pub clock_khz: u32,
    /// The card has an MSM engine.
    pub has_msm: bool,
    /// The card has a field vector engine.
    pub has_field: bool,
    /// The card has a Poseidon and Merkle engine.
    pub has_poseidon: bool,
    /// Curves of the MSM engine: bit n for the curve of code n, see [`CurveId`].
    pub msm_curves: u32,
    /// Bits per window that a job may choose: bit c for windows of c bits.
    pub msm_window_choices: u32,
    /// Number of point adders, 1 to 16.
    pub msm_adders: u32,
    /// 0 = complete projective, 1 = batched affine.
    pub msm_adder_kind: u32,
    /// Latency of the point adder in cycles.
    pub msm_latency_cycles: u32,
    /// Size of card memory in KiB.
    pub card_memory_kib: u32,
    /// Latency of the Montgomery multiplier in cycles.
    pub field_latency_cycles: u32,
    /// Lanes of the Poseidon engine for states of 2, 3, 4 and 5 elements, 0 to 15 each; see [`Identification::lanes`].
    pub poseidon_lanes: [u8; 4],
    /// Cycles of a pass through a Poseidon lane, which are the states in flight in it; the most over the widths.
    pub poseidon_latency_cycles: u32,
}

/// The fields of [`POSEIDON_LANES`], in the order of [`Identification::poseidon_lanes`].
const LANE_FIELDS: [Field; 4] = [POSEIDON_LANES_2, POSEIDON_LANES_3, POSEIDON_LANES_4, POSEIDON_LANES_5];

impl Identification {
    /// The sixteen words, in register order.
    pub fn to_words(&self) -> [u32; IDENTIFICATION_BYTES / 4] {
        let mut words = [0; IDENTIFICATION_BYTES / 4];
        let mut set = |register: Register, value: u32| words[register.offset as usize / 4] = value;
        set(MAGIC, self.magic);
        set(
            ABI_VERSION,
            ABI_VERSION_MAJOR.put(self.abi_major.into()) | ABI_VERSION_MINOR.put(self.abi_minor.into()),
        );
        set(GIT_REVISION, self.git_revision);
        set(BOARD, self.board);
        set(CLOCK_KHZ, self.clock_khz);
        set(
            CAPABILITIES,
            CAPABILITIES_MSM.put(self.has_msm.into())
                | CAPABILITIES_FIELD.put(self.has_field.into())
                | CAPABILITIES_POSEIDON.put(self.has_poseidon.into()),
        );
        set(
            MSM_CAPS,
            MSM_CAPS_CURVES.put(self.msm_curves)
                | MSM_CAPS_ADDERS.put(self.msm_adders)
                | MSM_CAPS_ADDER_KIND.put(self.msm_adder_kind),
        );
        set(MSM_LATENCY, self.msm_latency_cycles);
        set(CARD_MEMORY_KIB, self.card_memory_kib);
        set(FIELD_LATENCY, self.field_latency_cycles);
        set(MSM_WINDOW_CHOICES, self.msm_window_choices);
        let lanes = LANE_FIELDS.iter().zip(self.poseidon_lanes);
        set(POSEIDON_LANES, lanes.fold(0, |word, (field, lanes)| word | field.put(lanes.into())));
        set(POSEIDON_LATENCY, self.poseidon_latency_cycles);
        words
    }

    /// Reads the sixteen words.
    pub fn from_words(words: &[u32; IDENTIFICATION_BYTES / 4]) -> Identification {
        let get = |register: Register| words[register.offset as usize / 4];
        Identification {
            magic: get(MAGIC),
            abi_major: ABI_VERSION_MAJOR.get(get(ABI_VERSION)) as u16,
            abi_minor: ABI_VERSION_MINOR.get(get(ABI_VERSION)) as u16,
            git_revision: get(GIT_REVISION),
            board: get(BOARD),
            clock_khz: get(CLOCK_KHZ),
            has_msm: CAPABILITIES_MSM.get(get(CAPABILITIES)) != 0,
            has_field: CAPABILITIES_FIELD.get(get(CAPABILITIES)) != 0,
            has_poseidon: CAPABILITIES_POSEIDON.get(get(CAPABILITIES)) != 0,
            msm_curves: MSM_CAPS_CURVES.get(get(MSM_CAPS)),
            msm_window_choices: get(MSM_WINDOW_CHOICES),
            msm_adders: MSM_CAPS_ADDERS.get(get(MSM_CAPS)),
            msm_adder_kind: MSM_CAPS_ADDER_KIND.get(get(MSM_CAPS)),
            msm_latency_cycles: get(MSM_LATENCY),
            card_memory_kib: get(CARD_MEMORY_KIB),
            field_latency_cycles: get(FIELD_LATENCY),
            poseidon_lanes: LANE_FIELDS.map(|field| field.get(get(POSEIDON_LANES)) as u8),
            poseidon_latency_cycles: get(POSEIDON_LATENCY),
        }
    }

    /// Whether the MSM engine works on a curve.
    pub fn has_curve(&self, curve: CurveId) -> bool {
        self.msm_curves >> curve as u32 & 1 == 1
    }

    /// Lanes of the Poseidon engine for states of `width` elements; 0 where it has none, or no such width exists.
    pub fn lanes(&self, width: u32) -> u32 {
        let lanes = width.checked_sub(POSEIDON_MIN_WIDTH).and_then(|at| self.poseidon_lanes.get(at as usize));
        lanes.copied().unwrap_or(0).into()
    }

    /// The bits per window that a job may choose, ascending.
    pub fn window_choices(&self) -> impl Iterator<Item = u32> + use<> {
        let choices = self.msm_window_choices;
        (1..u32::BITS).filter(move |bits| choices >> bits & 1 == 1)
    }

    /// For every projective point that an MSM command with windows of `window_bits` bits (1 or more) writes, in order,
    /// the exponent c·w + k of its weight: the result is the sum of 2^exponent times the point over all of them. An
    /// exponent occurs more than once where a window is divided among adders.
    pub fn msm_result_exponents(&self, window_bits: u32) -> impl Iterator<Item = u32> + use<> {
        let adders = self.msm_adders;
        let shares = (0..adders).flat_map(move |adder| window_shares(window_bits, adders, adder));
        shares.flat_map(move |share| (0..window_bits).map(move |bit| window_bits * share.window + bit))
    }

    /// Number of projective points that an MSM command with windows of `window_bits` bits (1 or more) writes.
    pub fn msm_result_points(&self, window_bits: u32) -> usize {
        self.msm_result_exponents(window_bits).count()
    }
}
