//! The two primes of BN254 and their Montgomery constants, R = 2^256.

use ark_ff::PrimeField;
use num_bigint::BigUint;
use num_traits::One;

/// Bits of an element inside the pipelines: both primes are below 2^254.
pub const FIELD_BITS: usize = 254;

/// Bits of the Montgomery radix R = 2^256.
pub(super) const RADIX_BITS: usize = 256;

/// A prime field of BN254.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Prime {
    /// The base field, in which the points' coordinates lie.
    Fq,
    /// The scalar field.
    Fr,
}

impl Prime {
    /// Both fields.
    pub const ALL: [Prime; 2] = [Prime::Fq, Prime::Fr];

    /// The name in lower case, as it appears in module names.
    pub fn name(self) -> &'static str {
        match self {
            Prime::Fq => "fq",
            Prime::Fr => "fr",
        }
    }

    /// The prime p.
    pub fn modulus(self) -> BigUint {
        match self {
            Prime::Fq => ark_bn254::Fq::MODULUS.into(),
            Prime::Fr => ark_bn254::Fr::MODULUS.into(),
        }
    }

    /// R = 2^256.
    pub fn radix() -> BigUint {
        BigUint::one() << RADIX_BITS
    }

    /// R mod p: the Montgomery form of one.
    pub fn one(self) -> BigUint {
        Prime::radix() % self.modulus()
    }

    /// −p⁻¹ mod R, the constant of Montgomery's reduction.
    pub fn negative_inverse(self) -> BigUint {
        // Hensel lifting: each step doubles the number of right low bits of p⁻¹; 2^8 = 256 bits in all.
        let (radix, p) = (Prime::radix(), self.modulus());
        let mut inverse = BigUint::one();
        for _ in 0..8 {
            let correction = (&radix + 2u32 - (&p * &inverse) % &radix) % &radix;
            inverse = (inverse * correction) % &radix;
        }
        radix - inverse
    }

    /// x·R mod p.
    pub fn to_montgomery(self, x: &BigUint) -> BigUint {
        (x * Prime::radix()) % self.modulus()
    }

    /// The Montgomery product a·b·R⁻¹ mod p, the slow and certain way.
    pub fn montgomery_product(self, a: &BigUint, b: &BigUint) -> BigUint {
        let p = self.modulus();
        let inverse = Prime::radix().modpow(&(&p - 2u32), &p);
        (a * b * inverse) % p
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_constant_of_the_reduction_inverts_the_prime() {
        for prime in Prime::ALL {
            let product = prime.negative_inverse() * prime.modulus() % Prime::radix();
            assert_eq!(product, Prime::radix() - 1u32, "{prime:?}");
        }
    }
}
