//! Montgomery arithmetic whose results are not brought below the modulus.
//!
//! A value is four 64-bit limbs, least first, in Montgomery form with R = 2^256. The modulus p is 0.18903 R, so that
//! multiples up to 5.29 p fit the limbs. A Montgomery reduction of a sum S gives less than S / R + p; the bounds that
//! the functions state follow from it, in units of p:
//!
//! | what | bound |
//! | --- | --- |
//! | loose value, in and out of rounds | 2 |
//! | x^2, x^4, x^5 of a loose x | 1.757, 1.584, 1.599 |
//! | k products of constants (below 1) and loose values | 1 + 0.379 k |
//! | k products of constants and outputs of S-boxes | 1 + 0.303 k |

use ark_bn254::{Fr, FrConfig};
use ark_ff::{BigInt, MontConfig, PrimeField};

/// An integer below 2^256, least limb first.
pub(crate) type Limbs = [u64; 4];

/// The modulus p.
const MODULUS: Limbs = Fr::MODULUS.0;

/// -1 / p modulo 2^64.
const INVERSE: u64 = <FrConfig as MontConfig<4>>::INV;

/// Twice the modulus.
const TWICE_MODULUS: Limbs = {
    let mut twice = [0; 4];
    let mut limb = 0;
    while limb < 4 {
        twice[limb] = MODULUS[limb] << 1 | if limb == 0 { 0 } else { MODULUS[limb - 1] >> 63 };
        limb += 1;
    }
    twice
};

/// `sum + a * b + carry`, low and high half; it cannot overflow.
#[inline(always)]
const fn multiply_add(sum: u64, a: u64, b: u64, carry: u64) -> (u64, u64) {
    let wide = sum as u128 + a as u128 * b as u128 + carry as u128;
    (wide as u64, (wide >> 64) as u64)
}

/// An element's limbs.
#[inline(always)]
pub(crate) fn from_element(element: &Fr) -> Limbs {
    element.0.0
}

/// The element of a loose value.
#[inline(always)]
pub(crate) fn to_element(value: &Limbs) -> Fr {
    Fr::new_unchecked(BigInt(subtract_if_not_below(value, &MODULUS)))
}

/// `value - bound` where that is not negative, else `value`.
#[inline(always)]
fn subtract_if_not_below(value: &Limbs, bound: &Limbs) -> Limbs {
    let mut difference = [0; 4];
    let mut borrow = false;
    for limb in 0..4 {
        let (once, first) = value[limb].overflowing_sub(bound[limb]);
        let (twice, second) = once.overflowing_sub(u64::from(borrow));
        (difference[limb], borrow) = (twice, first | second);
    }
    // Chosen by a mask: a branch would be taken at random.
    let keep = u64::from(borrow).wrapping_neg();
    std::array::from_fn(|limb| difference[limb] ^ ((difference[limb] ^ value[limb]) & keep))
}

/// A value below 4 p becomes one below 2 p.
#[inline(always)]
pub(crate) fn fold(value: &Limbs) -> Limbs {
    subtract_if_not_below(value, &TWICE_MODULUS)
}

/// The sum of two values, which must be below 2^256.
#[inline(always)]
pub(crate) fn add(left: &Limbs, right: &Limbs) -> Limbs {
    let mut sum = [0; 4];
    let mut carry = false;
    for limb in 0..4 {
        let (once, first) = left[limb].overflowing_add(right[limb]);
        let (twice, second) = once.overflowing_add(u64::from(carry));
        (sum[limb], carry) = (twice, first | second);
    }
    sum
}

/// (start + sum of constants\[k\] * values\[k\]) / R, reduced once, for constants and a start below p and values below
/// 2^256.
///
/// Row by row: a limb of every value times its constant, then the multiple of p that clears the lowest limb, then a step
/// down by a limb. Between steps the sum is below (K + 1) p; up to K = 4 it so fits four limbs.
#[inline(always)]
pub(crate) fn sum_of_products<const K: usize>(
    start: &Limbs,
    constants: &[Limbs; K],
    values: &[Limbs; K],
) -> Limbs {
    let mut sum = *start;
    let mut top = 0u64;
    for limb in 0..4 {
        // Limbs 4 and 5 of the sum.
        let (mut fourth, mut fifth) = (top, 0u64);
        for (constant, value) in constants.iter().zip(values) {
            let mut carry = 0;
            for column in 0..4 {
                (sum[column], carry) = multiply_add(sum[column], value[limb], constant[column], carry);
            }
            let (next, overflow) = fourth.overflowing_add(carry);
            fourth = next;
            if K > 4 {
                fifth += u64::from(overflow);
            }
        }
        let factor = sum[0].wrapping_mul(INVERSE);
        let (_, mut carry) = multiply_add(sum[0], factor, MODULUS[0], 0);
        for column in 1..4 {
            (sum[column - 1], carry) = multiply_add(sum[column], factor, MODULUS[column], carry);
        }
        let (next, overflow) = fourth.overflowing_add(carry);
        sum[3] = next;
        if K > 4 {
            top = fifth + u64::from(overflow);
        }
    }
    sum
}

/// left * right / R, reduced, for a left below 4 p.
#[inline(always)]
pub(crate) fn multiply(left: &Limbs, right: &Limbs) -> Limbs {
    sum_of_products(&[0; 4], &[*left], &[*right])
}

/// value^2 / R, reduced, for a value below 2 p.
#[inline(always)]
pub(crate) fn square(value: &Limbs) -> Limbs {
    let [a, b, c, d] = *value;
    // Products of different limbs, which count twice.
    let mut wide = [0u64; 8];
    let mut carry;
    (wide[1], carry) = multiply_add(0, a, b, 0);
    (wide[2], carry) = multiply_add(0, a, c, carry);
    (wide[3], wide[4]) = multiply_add(0, a, d, carry);
    (wide[3], carry) = multiply_add(wide[3], b, c, 0);
    (wide[4], wide[5]) = multiply_add(wide[4], b, d, carry);
    (wide[5], wide[6]) = multiply_add(wide[5], c, d, 0);
    for limb in (1..8).rev() {
        wide[limb] = wide[limb] << 1 | wide[limb - 1] >> 63;
    }
    carry = 0;
    for (limb, factor) in value.iter().enumerate() {
        let low;
        (low, carry) = multiply_add(wide[2 * limb], *factor, *factor, carry);
        wide[2 * limb] = low;
        let (sum, overflow) = wide[2 * limb + 1].overflowing_add(carry);
        wide[2 * limb + 1] = sum;
        carry = u64::from(overflow);
    }
    reduce(wide)
}

/// wide / R, reduced.
#[inline(always)]
fn reduce(mut wide: [u64; 8]) -> Limbs {
    let mut above = 0;
    for limb in 0..4 {
        let factor = wide[limb].wrapping_mul(INVERSE);
        let mut carry = 0;
        for column in 0..4 {
            (wide[limb + column], carry) = multiply_add(wide[limb + column], factor, MODULUS[column], carry);
        }
        (wide[limb + 4], above) = multiply_add(wide[limb + 4], 1, carry, above);
    }
    [wide[4], wide[5], wide[6], wide[7]]
}

/// x^5 of a value below 2 p.
#[inline(always)]
pub(crate) fn fifth_power(value: &Limbs) -> Limbs {
    multiply(&square(&square(value)), value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::{AdditiveGroup, Field, UniformRand};
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    /// The element of any value below 2^256.
    fn element(value: &Limbs) -> Fr {
        let mut value = *value;
        // Six times the modulus is above 2^256.
        for _ in 0..5 {
            value = subtract_if_not_below(&value, &MODULUS);
        }
        Fr::new_unchecked(BigInt(value))
    }

    /// `multiple` * p - 1, the largest value below the multiple.
    fn largest(multiple: usize) -> Limbs {
        let mut value = [u64::MAX; 4];
        for _ in 0..multiple {
            value = add_modulo(&value, &MODULUS);
        }
        value
    }

    /// The sum modulo 2^256.
    fn add_modulo(left: &Limbs, right: &Limbs) -> Limbs {
        let mut sum = [0; 4];
        let mut carry = 0;
        for limb in 0..4 {
            (sum[limb], carry) = multiply_add(left[limb], right[limb], 1, carry);
        }
        sum
    }

    /// Borders and random values below a multiple of the modulus.
    fn values(rng: &mut ChaCha20Rng, multiple: usize) -> Vec<Limbs> {
        let mut values = vec![[0; 4], [1, 0, 0, 0], [u64::MAX, u64::MAX, u64::MAX, 0], [0, 0, 0, 1]];
        for below in 1..=multiple {
            values.extend([largest(below), add(&largest(below - 1), &[2, 0, 0, 0])]);
        }
        values.retain(|value| below(value, multiple));
        for _ in 0..30 {
            let random = from_element(&Fr::rand(rng));
            values.push((1..rng.gen_range(1..=multiple)).fold(random, |value, _| add(&value, &MODULUS)));
        }
        values
    }

    fn below(value: &Limbs, multiple: usize) -> bool {
        BigInt(*value) <= BigInt(largest(multiple))
    }

    /// The product's value without R.
    fn product(left: &Limbs, right: &Limbs) -> Fr {
        element(left) * element(right)
    }

    #[test]
    fn products_and_powers_are_the_field_s_and_keep_their_bounds() {
        let rng = &mut ChaCha20Rng::seed_from_u64(1);
        let values = values(rng, 2);
        for left in &values {
            let squared = square(left);
            assert_eq!(element(&squared), product(left, left));
            assert!(below(&squared, 2));
            let power = fifth_power(left);
            assert_eq!(element(&power), element(left) * element(left).square_in_place().square_in_place());
            assert!(below(&power, 2));
            for right in &values {
                assert_eq!(element(&multiply(left, right)), product(left, right));
            }
        }
    }

    /// Sums at their largest: the top limbs must not be lost.
    fn sums<const K: usize>(rng: &mut ChaCha20Rng) {
        let constants = values(rng, 1);
        let loose = values(rng, 2);
        let most = (largest(1), [largest(1); K], [largest(2); K]);
        let drawn = (0..500).map(|_| {
            let mut pick = |from: &[Limbs]| from[rng.gen_range(0..from.len())];
            let start = pick(&constants);
            let factors: [Limbs; K] = std::array::from_fn(|_| pick(&constants));
            (start, factors, std::array::from_fn(|_| pick(&loose)))
        });
        for (start, factors, values) in drawn.chain([most]).collect::<Vec<_>>() {
            let sum = sum_of_products(&start, &factors, &values);
            let expected: Fr = factors.iter().zip(&values).map(|(a, b)| product(a, b)).sum();
            assert_eq!(element(&sum), expected + product(&start, &[1, 0, 0, 0]));
            // 1 + 0.379 K, and the start's share.
            assert!(below(&sum, 2 + K * 379 / 1000), "{K}");
            if below(&sum, 4) {
                assert_eq!(element(&fold(&sum)), element(&sum));
                assert!(below(&fold(&sum), 2));
            }
        }
    }

    #[test]
    fn sums_of_products_are_reduced_once_and_keep_their_bounds() {
        let rng = &mut ChaCha20Rng::seed_from_u64(2);
        sums::<1>(rng);
        sums::<2>(rng);
        sums::<3>(rng);
        sums::<4>(rng);
        sums::<5>(rng);
        sums::<6>(rng);
        sums::<8>(rng);
    }

    #[test]
    fn additions_carry_through_all_limbs() {
        assert_eq!(add(&[u64::MAX, u64::MAX, u64::MAX, 4], &[1, 0, 0, 0]), [0, 0, 0, 5]);
        assert_eq!(add(&[u64::MAX; 4].map(|limb| limb >> 1), &[1; 4]), [1 << 63; 4]);
        assert_eq!(fold(&TWICE_MODULUS), [0; 4]);
        assert_eq!(fold(&largest(2)), largest(2));
        assert_eq!(to_element(&MODULUS), Fr::ZERO);
        assert_eq!(to_element(&largest(1)), element(&largest(2)));
    }
}
