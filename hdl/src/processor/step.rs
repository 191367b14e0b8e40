//! A step of the digit-serial multiplier: one digit of b.

use super::Moduli;
use crate::datapath::{Datapath, DatapathConfig, Module, Wire};
use crate::pipeline_block;
use num_bigint::BigUint;
use rust_hdl::prelude::*;
use std::rc::Rc;

/// Bits w of a digit.
pub const DIGIT_BITS: usize = 16;

/// Digits of a number: R = 2^256.
pub const DIGITS: usize = 256 / DIGIT_BITS;

/// Cycles of a step, which are the products that a multiplier has under way. It has no divisor in common with [`DIGITS`], so
/// that products which begin every [`DIGITS`] cycles fall on different cycles of it.
pub const STEP_CYCLES: usize = 7;

/// Bits of a limb of the sum.
pub const LIMB_BITS: usize = DIGIT_BITS + 2;

/// The stage in which a step wants all of a; its lowest digit it wants at once.
pub(super) const LATE_STAGE: usize = 3;

/// One step of Montgomery's product by digits, "coarsely integrated operand scanning" in Koç, Acar and Kaliski, "Analyzing
/// and Comparing Montgomery Multiplication Algorithms" (1996): T' = (T + a·b_i + q·p) / 2^16, with
/// q = (T + a·b_i)·(−p⁻¹) mod 2^16. 33 products of 16 × 16 bits, II = 1, latency [`STEP_CYCLES`].
///
/// T is kept in limbs of [`LIMB_BITS`] bits, a digit apart, so that no carry runs further than one limb. With
/// u_j = t_j + a_j·b_i + q·p_j and u_16 = 0, t'_j = (u_(j+1) mod 2^16) + ⌊u_j / 2^16⌋. From t_j ≤ 3·2^16 − 2 follows
/// u_j ≤ 2·(2^16 − 1)² + 3·2^16 − 2 < 2^33, and from that t'_j ≤ (2^16 − 1) + (2^17 − 1) = 3·2^16 − 2 again.
/// The digit u_0 mod 2^16 is zero by the choice of q.
///
/// Inputs: `t` (the limbs, lowest first), `clear` (T counts as zero), `low` (a_0), `digit` (b_i) and `second` (the field's
/// flag, see [`Moduli`]); and, `LATE_STAGE` cycles behind them, `a`. Output: `t_next`. The registers are placed where a
/// DSP slice has its own: before the products, behind them, and behind the addition.
pub fn step(moduli: Moduli) -> Rc<Module> {
    let config = DatapathConfig {
        tile: [DIGIT_BITS, DIGIT_BITS],
        karatsuba_levels: 0,
        chunk_bits: 64,
        // Registers are placed by hand.
        levels_per_stage: usize::MAX,
        tile_stages: 0,
        constant_products: Default::default(),
        multipliers: Default::default(),
    };
    let path = Datapath::new(format!("serial_step_{}", moduli.name()), &config);
    let t = path.input("t", DIGITS * LIMB_BITS);
    let clear = path.input("clear", 1);
    let low = path.input("low", DIGIT_BITS);
    let digit = path.input("digit", DIGIT_BITS);
    let second = path.input("second", 1);
    let a = path.input_at("a", DIGITS * DIGIT_BITS, LATE_STAGE);

    let limb = |index: usize| path.slice(t, index * LIMB_BITS, LIMB_BITS);
    let zero = path.constant(0u32, LIMB_BITS);
    let limbs: Vec<Wire> = (0..DIGITS).map(|index| path.at(path.mux(clear, zero, limb(index)), 1)).collect();
    let word = |prime: crate::field::Prime, index: usize| {
        (prime.modulus() >> (index * DIGIT_BITS)) % (BigUint::from(1u32) << DIGIT_BITS)
    };

    // The quotient, in four stages.
    let first = path.at(path.multiply(low, digit), 1);
    let first = path.at(accumulate(&path, first, limbs[0]), 2);
    let inverse = moduli.constant(&path, path.at(second, 2), DIGIT_BITS, |prime| {
        prime.negative_inverse() % (BigUint::from(1u32) << DIGIT_BITS)
    });
    let quotient = path.at(path.multiply(path.slice(first, 0, DIGIT_BITS), inverse), 3);
    let quotient = path.at(path.slice(quotient, 0, DIGIT_BITS), 4);

    // The sum.
    let late = path.at(digit, LATE_STAGE);
    let second = path.at(second, 4);
    let sums: Vec<Wire> = (0..DIGITS)
        .map(|index| {
            let modulus = moduli.constant(&path, second, DIGIT_BITS, |prime| word(prime, index));
            let reduction = path.at(path.multiply(quotient, modulus), 5);
            let product = match index {
                0 => path.at(first, 5),
                _ => {
                    let factor = path.slice(a, index * DIGIT_BITS, DIGIT_BITS);
                    let product = path.at(path.multiply(factor, late), 4);
                    path.at(accumulate(&path, product, path.at(limbs[index], 4)), 5)
                }
            };
            path.at(accumulate(&path, reduction, product), 6)
        })
        .collect();
    let next: Vec<Wire> = (0..DIGITS)
        .map(|index| {
            let high = path.slice(sums[index], DIGIT_BITS, SUM_BITS - DIGIT_BITS);
            let Some(above) = sums.get(index + 1) else { return path.extend(high, LIMB_BITS) };
            path.resize(path.add(high, path.slice(*above, 0, DIGIT_BITS)), LIMB_BITS)
        })
        .collect();
    let t_next = path.concat(&next);
    let module = path.finish(&[("t_next", t_next)]);
    assert_eq!(module.latency(), STEP_CYCLES);
    Rc::new(module)
}

/// Bits of u_j.
const SUM_BITS: usize = 2 * DIGIT_BITS + 1;

/// A product and what is added to it, together below 2^33.
fn accumulate(path: &Datapath, product: Wire, added: Wire) -> Wire {
    path.resize(path.add(product, added), SUM_BITS)
}

pipeline_block! {
    /// Hosts [`step`]; `a` is `LATE_STAGE` cycles behind the other inputs. No reset.
    clocked Step
    inputs {
        /// Limbs of T, lowest first.
        t: Bits<288>,
        /// T counts as zero.
        clear: Bit,
        /// Lowest digit of a.
        low: Bits<16>,
        /// The digit of b.
        digit: Bits<16>,
        /// The field's flag.
        second: Bit,
        /// All of a, later.
        a: Bits<256>,
    }
    outputs {
        /// Limbs of T'.
        t_next: Bits<288>,
    }
}

impl Step {
    /// The step of these fields.
    pub fn new(moduli: Moduli) -> Step {
        Step::host(step(moduli))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Prime;

    fn value(limbs: &BigUint) -> BigUint {
        let mask = (BigUint::from(1u32) << LIMB_BITS) - 1u32;
        (0..DIGITS).fold(BigUint::default(), |sum, index| {
            sum + (((limbs >> (index * LIMB_BITS)) & &mask) << (index * DIGIT_BITS))
        })
    }

    /// All digits of b, for the values at which limbs and digits are full or empty.
    #[test]
    fn sixteen_steps_are_a_product() {
        for (moduli, second) in [
            (Moduli::One(Prime::Fq), false),
            (Moduli::One(Prime::Fr), false),
            (Moduli::Both, false),
            (Moduli::Both, true),
        ] {
            let prime = moduli.prime(second);
            let p = prime.modulus();
            let one = BigUint::from(1u32);
            let twice = &p << 1;
            let values = [
                BigUint::default(),
                one.clone(),
                &p - 1u32,
                p.clone(),
                &twice - 1u32,
                (&one << 254) - 1u32,
                (&one << 240) - 1u32,
                &one << 16,
            ];
            let step = step(moduli);
            for (a, b) in values.iter().flat_map(|a| values.iter().map(move |b| (a, b))) {
                let digit_of = |x: &BigUint, index: usize| (x >> (16 * index)) % (&one << 16);
                // What is there before counts as zero.
                let mut t = (&one << (DIGITS * LIMB_BITS)) - 1u32;
                for index in 0..DIGITS {
                    let inputs = [
                        t,
                        BigUint::from(index == 0),
                        digit_of(a, 0),
                        digit_of(b, index),
                        BigUint::from(second),
                        a.clone(),
                    ];
                    t = step.evaluate(&inputs).remove(0);
                }
                let found = value(&t);
                assert!(found < twice, "{a:#x} {b:#x}");
                assert_eq!(found % &p, prime.montgomery_product(a, b), "{a:#x} {b:#x}");
            }
        }
    }

    #[test]
    fn a_step_has_thirty_three_products() {
        assert_eq!(step(Moduli::One(Prime::Fq)).statistics().multiplier_tiles, 33);
    }
}
