//! The software card's arithmetic, on arkworks.

use ark_bn254::{Fq, Fr, G1Affine, G1Projective};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{BigInt, Field, Fp, FpConfig, One, PrimeField, Zero};
use spandrel_abi::{FieldId, FieldOperation};

/// Reads 32 little-endian bytes as four limbs.
pub fn limbs(bytes: &[u8]) -> BigInt<4> {
    let mut limbs = [0u64; 4];
    for (limb, bytes) in limbs.iter_mut().zip(bytes.as_chunks().0) {
        *limb = u64::from_le_bytes(*bytes);
    }
    BigInt(limbs)
}

/// The 32 little-endian bytes of four limbs.
pub fn bytes(limbs: BigInt<4>) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (bytes, limb) in bytes.as_chunks_mut().0.iter_mut().zip(limbs.0) {
        *bytes = limb.to_le_bytes();
    }
    bytes
}

/// An element's Montgomery form as it crosses the interface.
pub fn montgomery<P: FpConfig<4>>(element: Fp<P, 4>) -> [u8; 32] {
    bytes(element.0)
}

fn element<P: FpConfig<4>>(bytes: &[u8]) -> Fp<P, 4> {
    Fp(limbs(bytes), std::marker::PhantomData)
}

fn apply<P: FpConfig<4>>(operation: FieldOperation, a: &[u8], b: &[u8]) -> [u8; 32] {
    let (a, b): (Fp<P, 4>, Fp<P, 4>) = (element(a), element(b));
    montgomery(match operation {
        FieldOperation::Add => a + b,
        FieldOperation::Subtract => a - b,
        FieldOperation::Multiply => a * b,
    })
}

/// The field vector command.
pub fn field_vector(field: FieldId, operation: FieldOperation, a: &[u8], b: &[u8]) -> Vec<u8> {
    a.chunks(32)
        .zip(b.chunks(32))
        .flat_map(|(a, b)| match field {
            FieldId::Fq => apply::<<Fq as Config>::P>(operation, a, b),
            FieldId::Fr => apply::<<Fr as Config>::P>(operation, a, b),
        })
        .collect()
}

trait Config {
    type P: FpConfig<4>;
}

impl<P: FpConfig<4>> Config for Fp<P, 4> {
    type P = P;
}

/// An affine point as it crosses the interface.
pub fn point_bytes(point: &G1Affine) -> [u8; 64] {
    let mut out = [0; 64];
    if let Some((x, y)) = point.xy() {
        out[..32].copy_from_slice(&montgomery(x));
        out[32..].copy_from_slice(&montgomery(y));
    }
    out
}

fn point(bytes: &[u8]) -> G1Affine {
    match bytes.iter().all(|byte| *byte == 0) {
        true => G1Affine::zero(),
        false => G1Affine::new_unchecked(element(&bytes[..32]), element(&bytes[32..])),
    }
}

/// The MSM command, with plain binary digits: a sum is that of the bases whose scalar has its bit set, where several
/// sums share a bit, of every so many.
pub fn bit_sums(bases: &[u8], scalars: &[u8], bits: impl Iterator<Item = u32>) -> Vec<u8> {
    let bits: Vec<usize> = bits.map(|bit| bit as usize).collect();
    // Which of those that share the bit a sum is, and how many they are.
    let share = |at: usize| {
        let sharing = |range: &[usize]| range.iter().filter(|bit| **bit == bits[at]).count();
        (sharing(&bits[..at]), sharing(&bits))
    };
    let shares: Vec<_> = (0..bits.len()).map(share).collect();
    let mut sums = vec![G1Projective::zero(); bits.len()];
    for (index, (base, scalar)) in bases.chunks(64).zip(scalars.chunks(32)).enumerate() {
        let base = point(base);
        for ((bit, (which, of)), sum) in bits.iter().zip(&shares).zip(&mut sums) {
            if index % of == *which && scalar.get(bit / 8).is_some_and(|byte| byte >> (bit % 8) & 1 == 1) {
                *sum += base;
            }
        }
    }
    sums.iter().flat_map(homogeneous).collect()
}

fn homogeneous(point: &G1Projective) -> [u8; 96] {
    let (x, y, z) = match point.into_affine().xy() {
        // Another representative than Z = 1, to see that nobody relies on it.
        Some((x, y)) => (x + x, y + y, Fq::from(2u64)),
        None => (Fq::zero(), Fq::one(), Fq::zero()),
    };
    let mut out = [0; 96];
    for (out, coordinate) in out.as_chunks_mut().0.iter_mut().zip([x, y, z]) {
        *out = montgomery::<<Fq as Config>::P>(coordinate);
    }
    out
}

/// What the host makes of the sums: the sum of 2^exponent times the point.
pub fn combine(exponents: &[u32], points: &[[u8; 96]]) -> G1Projective {
    assert_eq!(exponents.len(), points.len());
    exponents.iter().zip(points).fold(G1Projective::zero(), |sum, (exponent, point)| {
        let (x, y, z): (Fq, Fq, Fq) = (element(&point[..32]), element(&point[32..64]), element(&point[64..]));
        let affine = if z.is_zero() { G1Affine::zero() } else { G1Affine::new(x / z, y / z) };
        sum + affine * Fr::from(2u64).pow([u64::from(*exponent)])
    })
}

/// Canonical bytes of a scalar.
pub fn scalar_bytes(scalar: Fr) -> [u8; 32] {
    bytes(scalar.into_bigint())
}
