//! Field elements and points as `.zkey` files and the card hold them: little-endian limbs in Montgomery form.
//! G1 is x then y (64 bytes), G2 is x.c0, x.c1, y.c0, y.c1 (128 bytes); all zero is the point at infinity.

use crate::curve::MsmCurve;
use ark_bn254::{Fq, Fq2, FqConfig, Fr, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ec::short_weierstrass::Affine;
use ark_ff::{AdditiveGroup, BigInt, Fp, MontBackend, MontConfig, PrimeField, Zero};
use rayon::prelude::*;
use spandrel_abi::{AFFINE_POINT_BYTES, FIELD_BYTES};

/// Bytes of a G1 point.
pub const G1_BYTES: usize = AFFINE_POINT_BYTES;

/// Bytes of a G2 point.
pub const G2_BYTES: usize = 2 * AFFINE_POINT_BYTES;

/// Why 64 or 128 bytes are not a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PointProblem {
    /// A coordinate is not below the modulus.
    #[error("has a coordinate that is not below the field's modulus")]
    NotReduced,
    /// Not on the curve.
    #[error("is not on the curve")]
    NotOnCurve,
    /// On the curve, but outside the group of order r.
    #[error("is on the curve but not in the group of prime order")]
    WrongSubgroup,
    /// Infinity where that makes the key useless.
    #[error("is the point at infinity")]
    Infinity,
}

/// The 256-bit integer of 32 little-endian bytes.
pub(crate) fn integer_from_bytes(bytes: &[u8; FIELD_BYTES]) -> BigInt<4> {
    let mut limbs = [0; 4];
    for (limb, chunk) in limbs.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *limb = u64::from_le_bytes(*chunk);
    }
    BigInt(limbs)
}

/// The 32 little-endian bytes of a 256-bit integer.
pub(crate) fn integer_to_bytes(integer: &BigInt<4>) -> [u8; FIELD_BYTES] {
    let mut bytes = [0; FIELD_BYTES];
    for (chunk, limb) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(integer.0) {
        *chunk = limb.to_le_bytes();
    }
    bytes
}

/// A field element from Montgomery form, if reduced.
pub(crate) fn element_from_bytes<P: MontConfig<4>>(
    bytes: &[u8; FIELD_BYTES],
) -> Option<Fp<MontBackend<P, 4>, 4>> {
    let integer = integer_from_bytes(bytes);
    (integer < P::MODULUS).then(|| Fp::new_unchecked(integer))
}

/// A base-field element in Montgomery form.
pub fn fq_to_bytes(element: &Fq) -> [u8; FIELD_BYTES] {
    integer_to_bytes(&element.0)
}

/// A scalar whose bytes are taken as Montgomery form, if reduced.
pub(crate) fn fr_from_montgomery(bytes: &[u8; FIELD_BYTES]) -> Option<Fr> {
    let integer = integer_from_bytes(bytes);
    (integer < Fr::MODULUS).then(|| Fr::new_unchecked(integer))
}

/// A G1 point, checked to lie on the curve (the group has prime order, so that is all there is to check).
pub fn g1_from_bytes(bytes: &[u8; G1_BYTES]) -> Result<G1Affine, PointProblem> {
    point_from_bytes(bytes)
}

/// A G1 point as the card takes it.
pub fn g1_to_bytes(point: &G1Affine) -> [u8; G1_BYTES] {
    point_to_bytes(point)
}

/// A point of a curve that a card multiplies on, checked to lie on it.
pub fn point_from_bytes<C: MsmCurve>(bytes: &[u8; G1_BYTES]) -> Result<Affine<C>, PointProblem> {
    let [x, y] = coordinates::<2, G1_BYTES, C::Base>(bytes)?;
    if x.is_zero() && y.is_zero() {
        return Ok(Affine::zero());
    }
    let point = Affine::new_unchecked(x, y);
    if point.is_on_curve() { Ok(point) } else { Err(PointProblem::NotOnCurve) }
}

/// A point that [`point_from_bytes`] has accepted before.
pub(crate) fn point_from_checked_bytes<C: MsmCurve>(bytes: &[u8; G1_BYTES]) -> Affine<C> {
    let (halves, _) = bytes.as_chunks::<FIELD_BYTES>();
    let (x, y) = (integer_from_bytes(&halves[0]), integer_from_bytes(&halves[1]));
    if x.0 == [0; 4] && y.0 == [0; 4] {
        Affine::zero()
    } else {
        Affine::new_unchecked(Fp::new_unchecked(x), Fp::new_unchecked(y))
    }
}

/// A point as the card takes it.
pub fn point_to_bytes<C: MsmCurve>(point: &Affine<C>) -> [u8; G1_BYTES] {
    let mut bytes = [0; G1_BYTES];
    if let Some((x, y)) = point.xy() {
        bytes[..FIELD_BYTES].copy_from_slice(&integer_to_bytes(&x.0));
        bytes[FIELD_BYTES..].copy_from_slice(&integer_to_bytes(&y.0));
    }
    bytes
}

/// A G2 point, checked to lie on the curve, and in the group of prime order only where `subgroup` is set
/// (that check costs a scalar multiplication).
pub fn g2_from_bytes(bytes: &[u8; G2_BYTES], subgroup: bool) -> Result<G2Affine, PointProblem> {
    let [x0, x1, y0, y1] = coordinates::<4, G2_BYTES, FqConfig>(bytes)?;
    let (x, y) = (Fq2::new(x0, x1), Fq2::new(y0, y1));
    if x == Fq2::new(Fq::from(0), Fq::from(0)) && y == x {
        return Ok(G2Affine::zero());
    }
    let point = G2Affine::new_unchecked(x, y);
    if !point.is_on_curve() {
        Err(PointProblem::NotOnCurve)
    } else if subgroup && !point.is_in_correct_subgroup_assuming_on_curve() {
        Err(PointProblem::WrongSubgroup)
    } else {
        Ok(point)
    }
}

/// A G2 point as a `.zkey` file holds it.
pub fn g2_to_bytes(point: &G2Affine) -> [u8; G2_BYTES] {
    let mut bytes = [0; G2_BYTES];
    if let Some((x, y)) = point.xy() {
        for (chunk, element) in
            bytes.as_chunks_mut::<FIELD_BYTES>().0.iter_mut().zip([x.c0, x.c1, y.c0, y.c1])
        {
            *chunk = fq_to_bytes(&element);
        }
    }
    bytes
}

/// Maps every item, in parallel. Of several errors it is the first in order, with its index: the same one in
/// every run, whichever thread came upon an error first.
pub(crate) fn try_map<T: Sync, U: Send, E: Send>(
    items: &[T],
    map: impl Fn(usize, &T) -> Result<U, E> + Sync,
) -> Result<Vec<U>, (usize, E)> {
    let mapped = items.par_iter().enumerate().map(|(index, item)| map(index, item).map_err(|e| (index, e)));
    mapped.clone().collect::<Result<_, _>>().map_err(|any| mapped.find_map_first(Result::err).unwrap_or(any))
}

fn coordinates<const N: usize, const BYTES: usize, P: MontConfig<4>>(
    bytes: &[u8; BYTES],
) -> Result<[Fp<MontBackend<P, 4>, 4>; N], PointProblem> {
    let mut elements = [Fp::ZERO; N];
    for (element, chunk) in elements.iter_mut().zip(bytes.as_chunks::<FIELD_BYTES>().0) {
        *element = element_from_bytes(chunk).ok_or(PointProblem::NotReduced)?;
    }
    Ok(elements)
}

#[cfg(test)]
mod tests {
    use super::try_map;

    #[test]
    fn of_several_errors_the_first_is_told() {
        let items: Vec<usize> = (0..10_000).collect();
        let odd = |index: usize, item: &usize| if item % 1_000 == 7 { Err(index) } else { Ok(*item) };
        for _ in 0..200 {
            assert_eq!(try_map(&items, odd), Err((7, 7)));
        }
        assert_eq!(try_map(&items[10..1_000], odd), Ok(items[10..1_000].to_vec()));
    }
}
