//! The independent side of the tests: arkworks, and the bytes in which its values cross to the card.

use ark_bn254::{Fq, Fr, G1Affine, G1Projective};
use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM};
use ark_ff::{AdditiveGroup, BigInt, BigInteger, PrimeField};
use num_bigint::BigUint;

/// 32 little-endian bytes of an integer below 2^256.
pub fn bytes32(value: &BigUint) -> [u8; 32] {
    let mut bytes = [0; 32];
    let digits = value.to_bytes_le();
    bytes[..digits.len()].copy_from_slice(&digits);
    bytes
}

/// An affine point as the card takes it: x, y, Montgomery; infinity is all zero.
pub fn point_bytes(point: &G1Affine) -> [u8; 64] {
    let mut bytes = [0; 64];
    if let Some((x, y)) = point.xy() {
        bytes[..32].copy_from_slice(&BigInt::<4>::new(x.0.0).to_bytes_le());
        bytes[32..].copy_from_slice(&BigInt::<4>::new(y.0.0).to_bytes_le());
    }
    bytes
}

/// A scalar as the card takes it: canonical.
pub fn scalar_bytes(scalar: &Fr) -> [u8; 32] {
    bytes32(&scalar.into_bigint().into())
}

/// The coordinate in 32 bytes, Montgomery form. Not below p: panics.
pub fn coordinate(bytes: &[u8]) -> Fq {
    let mut limbs = [0u64; 4];
    for (limb, chunk) in limbs.iter_mut().zip(bytes.chunks(8)) {
        *limb = chunk.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    }
    let form = BigInt::new(limbs);
    assert!(form < Fq::MODULUS, "a coordinate from the card is not below p");
    Fq::new_unchecked(form)
}

/// The point of 96 bytes X, Y, Z (homogeneous), Z = 0 for infinity.
pub fn projective(bytes: &[u8]) -> G1Projective {
    let [x, y, z] = [0, 1, 2].map(|index| coordinate(&bytes[32 * index..32 * index + 32]));
    if z == Fq::ZERO {
        return G1Projective::ZERO;
    }
    let point = G1Affine::new_unchecked(x / z, y / z);
    assert!(point.is_on_curve(), "a point from the card is not on the curve");
    point.into_group()
}

/// The result of an MSM from the card's bit sums: Σ 2^(c·w + k)·S(w, k), highest first.
pub fn combine(sums: &[G1Projective]) -> G1Affine {
    sums.iter().rev().fold(G1Projective::ZERO, |total, sum| total.double() + sum).into_affine()
}

/// The result of an MSM from the card's weighted sums: Σ 2^exponent·sum.
pub fn combine_weighted(exponents: &[u32], sums: &[G1Projective]) -> G1Affine {
    assert_eq!(exponents.len(), sums.len());
    let mut by_weight = vec![G1Projective::ZERO; 512];
    for (exponent, sum) in exponents.iter().zip(sums) {
        by_weight[*exponent as usize] += sum;
    }
    combine(&by_weight)
}

/// Σ scalar·base by arkworks.
pub fn msm(bases: &[G1Affine], scalars: &[Fr]) -> G1Affine {
    let pairs = bases.iter().zip(scalars);
    // Bases at infinity are left out: a fast path of the reference must not be what is tested.
    let (bases, scalars): (Vec<_>, Vec<_>) =
        pairs.filter(|(base, _)| !base.is_zero()).map(|(b, s)| (*b, *s)).unzip();
    G1Projective::msm_unchecked(&bases, &scalars).into_affine()
}
