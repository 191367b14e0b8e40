//! Bases, scalars and field elements for measurements and tests, the same on every machine for the same seed.

use crate::curve::{Bn254G1, MsmCurve};
use crate::formats::{G1_BYTES, integer_to_bytes, point_to_bytes};
use ark_bn254::Fr;
use ark_ec::short_weierstrass::Affine;
use ark_ff::{AdditiveGroup, Field, PrimeField, UniformRand};
use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha20Rng;
use rayon::prelude::*;
use spandrel_abi::FIELD_BYTES;

/// How scalars are distributed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Distribution {
    /// Uniform below the group's order.
    Uniform,
    /// All zero: no digit at all.
    Zero,
    /// All one: every digit meets the same bucket.
    One,
    /// All the same random scalar: every window meets one bucket.
    Equal,
    /// As in a bit-heavy circuit's witness: half zero, a third one, the rest of 2 to 254 bits.
    Witness,
}

/// Which bases there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum BaseKind {
    /// Independent points.
    Distinct,
    /// All the same point: of equal scalars, every addition is a doubling.
    Equal,
}

/// `count` independent points of BN254's G1, 64 bytes each in the form the card takes.
pub fn bases(count: usize, seed: u64) -> Vec<u8> {
    bases_of::<Bn254G1>(count, BaseKind::Distinct, seed)
}

/// `count` points of a curve, 64 bytes each in the form the card takes.
pub fn bases_of<C: MsmCurve>(count: usize, kind: BaseKind, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; count * G1_BYTES];
    bytes.as_chunks_mut::<G1_BYTES>().0.par_iter_mut().enumerate().for_each(|(index, bytes)| {
        let index = if kind == BaseKind::Equal { 0 } else { index };
        let mut rng = generator(seed, Purpose::Bases, index);
        // Every other x has a point; the group has prime order, so that any point will do.
        let point = loop {
            let x = C::BaseField::rand(&mut rng);
            if let Some(point) = Affine::<C>::get_point_from_x_unchecked(x, rng.next_u32() & 1 == 0) {
                break point;
            }
        };
        *bytes = point_to_bytes(&point);
    });
    bytes
}

/// `count` scalars of BN254's G1, 32 bytes each, canonical little-endian.
pub fn scalars(count: usize, distribution: Distribution, seed: u64) -> Vec<u8> {
    scalars_of::<Bn254G1>(count, distribution, seed)
}

/// `count` scalars of a curve, 32 bytes each, canonical little-endian.
pub fn scalars_of<C: MsmCurve>(count: usize, distribution: Distribution, seed: u64) -> Vec<u8> {
    let equal = C::ScalarField::rand(&mut generator(seed, Purpose::Scalars, usize::MAX));
    let mut bytes = vec![0; count * FIELD_BYTES];
    bytes.as_chunks_mut::<FIELD_BYTES>().0.par_iter_mut().enumerate().for_each(|(index, bytes)| {
        let mut rng = generator(seed, Purpose::Scalars, index);
        let scalar = match distribution {
            Distribution::Uniform => C::ScalarField::rand(&mut rng),
            Distribution::Zero => C::ScalarField::ZERO,
            Distribution::One => C::ScalarField::ONE,
            Distribution::Equal => equal,
            Distribution::Witness => match rng.gen_range(0..6) {
                0..3 => C::ScalarField::ZERO,
                3..5 => C::ScalarField::ONE,
                _ => of_width(&mut rng),
            },
        };
        *bytes = integer_to_bytes(&scalar.into_bigint());
    });
    bytes
}

/// `count` uniform elements of BN254's scalar field: messages to hash, or leaves of a tree.
pub fn elements(count: usize, seed: u64) -> Vec<Fr> {
    (0..count).into_par_iter().map(|index| Fr::rand(&mut generator(seed, Purpose::Elements, index))).collect()
}

/// A random scalar of 2 to 254 bits.
fn of_width<F: PrimeField>(rng: &mut ChaCha20Rng) -> F {
    let bits = rng.gen_range(2..=F::MODULUS_BIT_SIZE) as usize;
    let mut bytes = [0; FIELD_BYTES];
    rng.fill_bytes(&mut bytes);
    for (index, byte) in bytes.iter_mut().enumerate() {
        let kept = bits.saturating_sub(8 * index).min(8);
        *byte &= ((1u16 << kept) - 1) as u8;
    }
    bytes[(bits - 1) / 8] |= 1 << ((bits - 1) % 8);
    F::from_le_bytes_mod_order(&bytes)
}

enum Purpose {
    Bases,
    Scalars,
    Elements,
}

/// A generator for one element, so that elements can be made in any order and on any thread.
fn generator(seed: u64, purpose: Purpose, index: usize) -> ChaCha20Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8] = purpose as u8;
    let mut rng = ChaCha20Rng::from_seed(key);
    rng.set_stream(index as u64);
    rng
}
