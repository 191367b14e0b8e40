//! The Montgomery multiplier, II = 1.
//!
//! Montgomery, "Modular multiplication without trial division" (1985), in one piece with R = 2^256:
//! T = a·b; q = (T mod R)·(−p⁻¹) mod R; t = (T + q·p) / R, which is below 2p; the result is t or t − p.
//! The low halves of T and q·p cancel: their sum is R, or 0 where T mod R = 0, so only a bit of it is computed.

use super::prime::{FIELD_BITS, Prime};
use crate::datapath::{ConstantProducts, Datapath, DatapathConfig, Module, Wire};
use std::rc::Rc;

const RADIX_BITS: usize = 256;

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
        let low = path.slice(product, 0, RADIX_BITS);
        let high = path.slice(product, RADIX_BITS, product.width() - RADIX_BITS);
        let cancelling = self.cancelling(path, low);
        let reduction = path.slice(cancelling, RADIX_BITS, FIELD_BITS);
        let zero = path.constant(0u32, RADIX_BITS);
        let carry = path.not(path.equal(low, zero));
        // Below 2p < 2^255.
        let sum = path.add(path.resize(high, FIELD_BITS), reduction);
        let sum = path.slice(path.add(sum, carry), 0, FIELD_BITS + 1);
        path.subtract_if_not_below(sum, self.modulus)
    }

    /// q·p for q = low·(−p⁻¹) mod R.
    fn cancelling(&self, path: &Datapath, low: Wire) -> Wire {
        // Only a multiplier of one field has constants.
        let constants = (path.constant_value(self.negative_inverse), path.constant_value(self.modulus));
        let (Some(negative_inverse), Some(modulus)) = constants else {
            return path.multiply(path.multiply_low(low, self.negative_inverse, RADIX_BITS), self.modulus);
        };
        let quotient = match path.config().constant_products {
            ConstantProducts::Tiles => path.multiply_low(low, self.negative_inverse, RADIX_BITS),
            ConstantProducts::LowShiftAdd | ConstantProducts::ShiftAdd => {
                path.multiply_constant(low, &negative_inverse, RADIX_BITS)
            }
        };
        match path.config().constant_products {
            ConstantProducts::Tiles | ConstantProducts::LowShiftAdd => path.multiply(quotient, self.modulus),
            ConstantProducts::ShiftAdd => path.multiply_constant(quotient, &modulus, RADIX_BITS + FIELD_BITS),
        }
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
