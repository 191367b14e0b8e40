//! A Montgomery multiplier with two users that take turns: one in Fq, one in Fr.
//!
//! The point adders multiply in Fq, the Poseidon lanes in Fr, and a card carries out one command at a time. So one
//! multiplier can serve both, with its operands and its modulus multiplexed. A pipeline that shares its multipliers is
//! built from a user's side of one, [`shared_multiplier_for`], which is a whole multiplier in itself: it can be
//! interpreted, simulated and emitted alone. When a design with such sides in it is emitted, [`crate::emit`] draws them out
//! to the lowest module that holds them all, and puts one pool of [`shared_multiplier`]s there.

use super::montgomery::{MontgomeryMultiplier, montgomery_multiplier};
use super::prime::{FIELD_BITS, Prime};
use crate::datapath::{Datapath, DatapathConfig, Module, Multipliers};
use crate::emit::SIDE_OF;
use std::rc::Rc;

/// Name of the multiplier's module.
const NAME: &str = "shared_multiplier";

/// Bits of an operand in Fr, which may be unreduced.
const LAZY_BITS: usize = FIELD_BITS + 1;

/// The multiplier of both users. Inputs: `a_fq` and `b_fq` (254 bits, below q), `a_fr` and `b_fr` (255 bits, below 2r, as the
/// Poseidon lanes have them: 4·r² is still below r·2^256) and `used_fr`; output `product` (254 bits): a·b·2^−256 of the
/// operands in Fr where `used_fr` is high, else of those in Fq, below the prime of its field. II = 1, and each product is
/// told for itself whose it is, so the users may change from one cycle to the next.
pub fn shared_multiplier(config: &DatapathConfig) -> Rc<Module> {
    let path = Datapath::new(NAME, config);
    let [a_fq, b_fq] = ["a_fq", "b_fq"].map(|name| path.extend(path.input(name, FIELD_BITS), LAZY_BITS));
    let [a_fr, b_fr] = ["a_fr", "b_fr"].map(|name| path.input(name, LAZY_BITS));
    let used_fr = path.input("used_fr", 1);
    let [fq, fr] = Prime::ALL.map(|prime| MontgomeryMultiplier::of(&path, prime));
    let multiplier = MontgomeryMultiplier {
        modulus: path.mux(used_fr, fr.modulus, fq.modulus),
        negative_inverse: path.mux(used_fr, fr.negative_inverse, fq.negative_inverse),
    };
    let (a, b) = (path.mux(used_fr, a_fr, a_fq), path.mux(used_fr, b_fr, b_fq));
    let product = multiplier.multiply(&path, a, b);
    Rc::new(path.finish(&[("product", product)]))
}

/// A user's side of a [`shared_multiplier`]: inputs `a` and `b` (as many bits as there), and in Fr `used`, high where the
/// product is wanted; output `product`. II = 1. As long as no product is in flight in Fr with `used` high, those in Fq are right.
pub fn shared_multiplier_for(prime: Prime, config: &DatapathConfig) -> Rc<Module> {
    let path = Datapath::new(format!("{NAME}{SIDE_OF}{}", prime.name()), config);
    let operands = |bits| ["a", "b"].map(|name| path.input(name, bits));
    let zero = |bits| path.constant(0u32, bits);
    let inputs = match prime {
        Prime::Fq => {
            let [a, b] = operands(FIELD_BITS);
            [a, b, zero(LAZY_BITS), zero(LAZY_BITS), zero(1)]
        }
        Prime::Fr => {
            let [a, b] = operands(LAZY_BITS);
            [zero(FIELD_BITS), zero(FIELD_BITS), a, b, path.input("used", 1)]
        }
    };
    let product = path.instance(&shared_multiplier(config), &inputs)[0];
    Rc::new(path.finish(&[("product", product)]))
}

/// The multiplier of a point adder over this field: its side of a shared one where the shape asks for that and the field is
/// Fq, else one of its own. Inputs `a` and `b`, output `product`, as of [`montgomery_multiplier`].
pub fn adder_multiplier(prime: Prime, config: &DatapathConfig) -> Rc<Module> {
    match (config.multipliers, prime) {
        (Multipliers::Shared, Prime::Fq) => shared_multiplier_for(prime, config),
        _ => montgomery_multiplier(prime, config),
    }
}
