//! The Grain LFSR that draws Poseidon's constants (the paper's appendix F, "Initialization of the Grain LFSR").

use ark_bn254::Fr;
use ark_ff::{BigInt, PrimeField};

/// Bits of the register.
const STATE_BITS: usize = 80;

/// Bits that are thrown away before the first is used.
const WARM_UP: usize = 160;

/// The generator, in its self-shrinking mode.
pub(crate) struct Grain {
    /// The register; `state[(head + i) % 80]` is the paper's b_i.
    state: [bool; STATE_BITS],
    head: usize,
}

impl Grain {
    /// The generator of one instance: a prime field, the S-box x^5, and these sizes.
    pub(crate) fn new(width: usize, full_rounds: usize, partial_rounds: usize) -> Grain {
        /// Code of a prime field, 2 bits.
        const PRIME_FIELD: usize = 1;
        /// Code of an S-box x^alpha, 4 bits.
        const POWER_MAP: usize = 0;
        let field_bits = Fr::MODULUS_BIT_SIZE as usize;
        let fields = [
            (PRIME_FIELD, 2),
            (POWER_MAP, 4),
            (field_bits, 12),
            (width, 12),
            (full_rounds, 10),
            (partial_rounds, 10),
        ];
        let bits = fields
            .into_iter()
            .flat_map(|(value, bits)| (0..bits).rev().map(move |bit| value >> bit & 1 == 1));
        // What the fields leave of the register is ones.
        let mut state = [true; STATE_BITS];
        for (slot, bit) in state.iter_mut().zip(bits) {
            *slot = bit;
        }
        let mut grain = Grain { state, head: 0 };
        for _ in 0..WARM_UP {
            grain.step();
        }
        grain
    }

    /// Moves the register by one and gives the bit that came in.
    fn step(&mut self) -> bool {
        let at = |index: usize| self.state[(self.head + index) % STATE_BITS];
        let bit = [62, 51, 38, 23, 13, 0].into_iter().fold(false, |sum, tap| sum ^ at(tap));
        self.state[self.head] = bit;
        self.head = (self.head + 1) % STATE_BITS;
        bit
    }

    /// The next bit: bits come in pairs, and the second is used where the first is one.
    fn bit(&mut self) -> bool {
        loop {
            let (used, bit) = (self.step(), self.step());
            if used {
                return bit;
            }
        }
    }

    /// An integer of as many bits as the modulus, most significant bit first.
    fn integer(&mut self) -> BigInt<4> {
        let mut limbs = [0u64; 4];
        for position in (0..Fr::MODULUS_BIT_SIZE as usize).rev() {
            limbs[position / 64] |= u64::from(self.bit()) << (position % 64);
        }
        BigInt(limbs)
    }

    /// An element, as round constants are drawn: integers that are not below the modulus are left out.
    pub(crate) fn element(&mut self) -> Fr {
        loop {
            if let Some(element) = Fr::from_bigint(self.integer()) {
                return element;
            }
        }
    }

    /// An element, as the matrix's coordinates are drawn: integers are taken modulo the modulus.
    pub(crate) fn reduced_element(&mut self) -> Fr {
        let integer = self.integer();
        // Below twice the modulus, which is more than half of 2^254.
        Fr::from_bigint(integer).unwrap_or_else(|| {
            let mut limbs = integer;
            ark_ff::BigInteger::sub_with_borrow(&mut limbs, &Fr::MODULUS);
            Fr::from_bigint(limbs).unwrap_or_default()
        })
    }
}
