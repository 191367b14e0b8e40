//! The Montgomery multiplier, II = 1.
//!
//! Montgomery, "Modular multiplication without trial division" (1985), in one piece with R = 2^256:
//! T = a·b; q = (T mod R)·(−p⁻¹) mod R; t = (T + q·p) / R, which is below 2p; the result is t or t − p.
//! The low halves of T and q·p cancel: their sum is R, or 0 where T mod R = 0, so neither that sum nor the low half of
//! q·p is computed.

use super::prime::{FIELD_BITS, Prime, RADIX_BITS};
use crate::datapath::{ConstantProducts, Datapath, DatapathConfig, Module, Wire};
use std::rc::Rc;

/// Columns of q·p that are computed below R, to find the carry into what lies above: enough for 2^8 partial products.
const GUARD_BITS: usize = 8;

/// The modulus of a multiplier, as wires: constants for a multiplier of one field, multiplexed for one of both.
#[derive(Clone, Copy, Debug)]
pub struct MontgomeryMultiplier {
    /// p, [`FIELD_BITS`] bits.
    pub modulus: Wire,
    /// −p⁻¹ mod 2^256, 256 bits.
    pub negative_inverse: Wire,
}

impl MontgomeryMultiplier {
    /// The constants of one field.
    pub fn of(path: &Datapath, prime: Prime) -> MontgomeryMultiplier {
        MontgomeryMultiplier {
            modulus: path.constant(prime.modulus(), FIELD_BITS),
            negative_inverse: path.constant(prime.negative_inverse(), RADIX_BITS),
        }
    }

    /// a·b·2^−256 mod p, below p, for a·b < p·2^256.
    pub fn multiply(&self, path: &Datapath, a: Wire, b: Wire) -> Wire {
        let product = path.multiply(a, b);
        // Below 2p < 2^255.
        let sum = self.reduce(path, product, None, FIELD_BITS + 1);
        path.subtract_if_not_below(sum, self.modulus)
    }

    /// (T + q·p) / R + `added`, in `bits` bits, for any total T (a sum of products, say) below 2^512.
    ///
    /// It is T·2^−256 + `added` modulo p, and as q < R it is below T/R + p + `added`: how far below 2^256 that is, and
    /// whether anything is to be subtracted from it, is the caller's matter. The caller sees to it that the result is
    /// below 2^bits, and without `added` that T/R is below 2^(bits − 1). `added` joins the upper half of T while the
    /// quotient is computed, so that it costs no time and no registers of its own.
    pub fn reduce(&self, path: &Datapath, total: Wire, added: Option<Wire>, bits: usize) -> Wire {
        let low = path.slice(total, 0, RADIX_BITS);
        let high = path.slice(total, RADIX_BITS, total.width() - RADIX_BITS);
        let reduction = self.reduction(path, low);
        let zero = path.constant(0u32, RADIX_BITS);
        let carry = path.not(path.equal(low, zero));
        let sum = match added {
            None => path.add(path.add(path.resize(high, bits - 1), reduction), carry),
            Some(added) => {
                let above = path.add(path.add(high, added), carry);
                path.add(path.resize(above, bits), reduction)
            }
        };
        path.slice(sum, 0, bits)
    }

    /// q·p / R, rounded down, for q = low·(−p⁻¹) mod R. The low half of q·p is −low mod R, known beforehand, so
    /// only what lies above it is computed.
    fn reduction(&self, path: &Datapath, low: Wire) -> Wire {
        let rest_bits = RADIX_BITS - GUARD_BITS;
        let rest_is_zero = path.equal(path.slice(low, 0, rest_bits), path.constant(0u32, rest_bits));
        let top = path.not(path.slice(low, rest_bits, GUARD_BITS));
        let known = path.slice(path.add(top, rest_is_zero), 0, GUARD_BITS);

        // Only a multiplier of one field has constants.
        let constants = path.constant_value(self.negative_inverse).zip(path.constant_value(self.modulus));
        let (low_shift_add, high_shift_add) = match (path.config().constant_products, &constants) {
            (ConstantProducts::Tiles, _) | (_, None) => (None, None),
            (ConstantProducts::LowShiftAdd, Some((low, _))) => (Some(low), None),
            (ConstantProducts::ShiftAdd, Some((low, high))) => (Some(low), Some(high)),
        };
        let quotient = match low_shift_add {
            Some(negative_inverse) => path.multiply_constant(low, negative_inverse, RADIX_BITS),
            None => path.multiply_low(low, self.negative_inverse, RADIX_BITS),
        };
        let reduction = match high_shift_add {
            Some(modulus) => path.multiply_constant_above(quotient, modulus, RADIX_BITS, known),
            None => path.multiply_above(quotient, self.modulus, RADIX_BITS, known),
        };
        path.slice(reduction, 0, FIELD_BITS)
    }
}

/// The multiplier of one field as a module: inputs `a` and `b` of 254 bits, below p; output `product`, a·b·R⁻¹
/// mod p. II = 1.
pub fn montgomery_multiplier(prime: Prime, config: &DatapathConfig) -> Rc<Module> {
    let path = Datapath::new(format!("mont_mul_{}", prime.name()), config);
    let (a, b) = (path.input("a", FIELD_BITS), path.input("b", FIELD_BITS));
    let product = MontgomeryMultiplier::of(&path, prime).multiply(&path, a, b);
    Rc::new(path.finish(&[("product", product)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigUint;

    /// Totals of 512 bits at both ends, with low halves of zero and one, and what is added at both ends: the bounds of every
    /// caller are inside.
    #[test]
    fn a_reduction_is_exact_for_every_total() {
        let (one, radix) = (BigUint::from(1u32), Prime::radix());
        for prime in Prime::ALL {
            let p = prime.modulus();
            let halves = [BigUint::default(), one.clone(), &p - 1u32, &p << 1, &one << 255, &radix - 1u32];
            let additions = [BigUint::default(), one.clone(), (&p << 1) - 1u32, (&one << 255) - 1u32];
            for constant_products in
                [ConstantProducts::Tiles, ConstantProducts::LowShiftAdd, ConstantProducts::ShiftAdd]
            {
                let config = DatapathConfig { constant_products, ..DatapathConfig::ultrascale() };
                let path = Datapath::new("reduction", &config);
                let (total, added) =
                    (path.input("total", 2 * RADIX_BITS), path.input("added", FIELD_BITS + 1));
                let multiplier = MontgomeryMultiplier::of(&path, prime);
                let plain = multiplier.reduce(&path, total, None, RADIX_BITS + 1);
                let sum = multiplier.reduce(&path, total, Some(added), RADIX_BITS + 1);
                let module = path.finish(&[("plain", plain), ("sum", sum)]);
                for (high, low) in halves.iter().flat_map(|high| halves.iter().map(move |low| (high, low))) {
                    let total = (high << RADIX_BITS) + low;
                    let quotient = (low * prime.negative_inverse()) % &radix;
                    let exact = (&total + quotient * &p) / &radix;
                    for added in &additions {
                        let found = module.evaluate(&[total.clone(), added.clone()]);
                        assert_eq!(
                            found,
                            [exact.clone(), &exact + added],
                            "{prime:?}, {total:#x} + {added:#x}"
                        );
                    }
                }
            }
        }
    }
}
