//! Scalars and bases, ordinary and hostile.

use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_ec::{AffineRepr, CurveGroup, PrimeGroup};
use ark_ff::{AdditiveGroup, PrimeField, UniformRand};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Points no two sums of which are equal or opposite but by chance: with P(i) = 2^i·A + (2^i − 1)·B, no signed sum of
/// different ones vanishes until 2^i passes the group's order.
pub fn random_bases<C: SWCurveConfig>(rng: &mut ChaCha8Rng, count: usize) -> Vec<Affine<C>> {
    let generator = Projective::<C>::generator();
    let start = generator * C::ScalarField::rand(rng);
    let step = generator * C::ScalarField::rand(rng);
    let advance = |point: &mut Projective<C>, _| {
        *point = point.double() + step;
        Some(*point)
    };
    let points: Vec<_> = (0..count).scan(start, advance).collect();
    Projective::<C>::normalize_batch(&points)
}

/// Bases with what trips adders up: few distinct points, their negatives, infinity.
pub fn colliding_bases<C: SWCurveConfig>(rng: &mut ChaCha8Rng, count: usize) -> Vec<Affine<C>> {
    let few = random_bases::<C>(rng, 3);
    let pick = |rng: &mut ChaCha8Rng| match rng.gen_range(0..8) {
        0 => Affine::zero(),
        1..=3 => -few[rng.gen_range(0..few.len())],
        _ => few[rng.gen_range(0..few.len())],
    };
    (0..count).map(|_| pick(rng)).collect()
}

/// Random bases, four in ten of them replaced by colliding ones.
pub fn mixed_bases<C: SWCurveConfig>(rng: &mut ChaCha8Rng, count: usize) -> Vec<Affine<C>> {
    let mut bases = random_bases::<C>(rng, count);
    for (base, other) in bases.iter_mut().zip(colliding_bases::<C>(rng, count)) {
        if rng.gen_bool(0.4) {
            *base = other;
        }
    }
    bases
}

/// A scalar of any of the kinds that real and hostile jobs are made of.
pub fn any_scalar<F: PrimeField>(rng: &mut ChaCha8Rng, window_bits: usize) -> F {
    let two = F::from(2u64);
    match rng.gen_range(0..10) {
        0 => F::ZERO,
        1 => F::ONE,
        2 => -F::ONE,
        3 => two.pow([rng.gen_range(0..254u64)]),
        4 => -two.pow([rng.gen_range(0..254u64)]),
        5 => F::from(rng.gen_range(0..1u64 << 13)),
        // The largest magnitude in one window, and the smallest in all.
        6 => two.pow([(window_bits * rng.gen_range(1..254 / window_bits) - 1) as u64]),
        7 => (0..254 / window_bits).map(|w| two.pow([(w * window_bits) as u64])).sum(),
        _ => F::rand(rng),
    }
}

/// So many scalars of any kind.
pub fn any_scalars<F: PrimeField>(rng: &mut ChaCha8Rng, window_bits: usize, count: usize) -> Vec<F> {
    (0..count).map(|_| any_scalar(rng, window_bits)).collect()
}

/// Uniform scalars.
pub fn uniform<F: PrimeField>(rng: &mut ChaCha8Rng, count: usize) -> Vec<F> {
    (0..count).map(|_| F::rand(rng)).collect()
}

/// As a witness has them: half zero, a third one, the rest half small, half uniform.
pub fn witness<F: PrimeField>(rng: &mut ChaCha8Rng, count: usize) -> Vec<F> {
    let one = |rng: &mut ChaCha8Rng| match rng.gen_range(0..12) {
        0..6 => F::ZERO,
        6..10 => F::ONE,
        10 => F::from(rng.gen_range(0..1u64 << 13)),
        _ => F::rand(rng),
    };
    (0..count).map(|_| one(rng)).collect()
}
