//! The independent side of the tests: arkworks, and the bytes in which its values cross to the card.

use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM};
use ark_ff::{AdditiveGroup, BigInt, PrimeField};
use num_bigint::BigUint;
use spandrel_abi::window_shares;

/// A field of coordinates, 254 bits, with its Montgomery form to the radix 2^256.
pub trait Coordinate: PrimeField<BigInt = BigInt<4>> {
    /// The element's Montgomery form.
    fn form(&self) -> BigInt<4>;
    /// The element of a Montgomery form, which must be below the prime.
    fn of_form(form: BigInt<4>) -> Self;
}

macro_rules! coordinate {
    ($field:ty) => {
        impl Coordinate for $field {
            fn form(&self) -> BigInt<4> {
                BigInt::new(self.0.0)
            }

            fn of_form(form: BigInt<4>) -> Self {
                <$field>::new_unchecked(form)
            }
        }
    };
}

coordinate!(ark_bn254::Fq);
coordinate!(ark_bn254::Fr);

/// 32 little-endian bytes of an integer below 2^256.
pub fn bytes32(value: &BigUint) -> [u8; 32] {
    let mut bytes = [0; 32];
    let digits = value.to_bytes_le();
    bytes[..digits.len()].copy_from_slice(&digits);
    bytes
}

/// An element as the card takes it: Montgomery form, 32 bytes.
pub fn element_bytes<F: Coordinate>(element: &F) -> [u8; 32] {
    bytes32(&element.form().into())
}

/// Elements as the card takes them, one behind the other.
pub fn elements_bytes<F: Coordinate>(elements: &[F]) -> Vec<u8> {
    elements.iter().flat_map(element_bytes).collect()
}

/// The elements of [`elements_bytes`]. One not below p: panics.
pub fn elements<F: Coordinate>(bytes: &[u8]) -> Vec<F> {
    bytes.chunks(32).map(coordinate).collect()
}

/// An affine point as the card takes it: x, y, Montgomery; infinity is all zero.
pub fn point_bytes<C: SWCurveConfig<BaseField: Coordinate>>(point: &Affine<C>) -> [u8; 64] {
    let mut bytes = [0; 64];
    if let Some((x, y)) = point.xy() {
        bytes[..32].copy_from_slice(&element_bytes(&x));
        bytes[32..].copy_from_slice(&element_bytes(&y));
    }
    bytes
}

/// A scalar as the card takes it: canonical.
pub fn scalar_bytes<F: PrimeField>(scalar: &F) -> [u8; 32] {
    bytes32(&scalar.into_bigint().into())
}

/// The coordinate in 32 bytes, Montgomery form. Not below p: panics.
pub fn coordinate<F: Coordinate>(bytes: &[u8]) -> F {
    let mut limbs = [0u64; 4];
    for (limb, chunk) in limbs.iter_mut().zip(bytes.chunks(8)) {
        *limb = chunk.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    }
    let form = BigInt::new(limbs);
    assert!(form < F::MODULUS, "a coordinate from the card is not below p");
    F::of_form(form)
}

/// The point of 96 bytes X, Y, Z (homogeneous), Z = 0 for infinity.
pub fn projective<C: SWCurveConfig<BaseField: Coordinate>>(bytes: &[u8]) -> Projective<C> {
    let [x, y, z] = [0, 1, 2].map(|index| coordinate::<C::BaseField>(&bytes[32 * index..32 * index + 32]));
    if z == C::BaseField::ZERO {
        return Projective::ZERO;
    }
    let point = Affine::<C>::new_unchecked(x / z, y / z);
    assert!(point.is_on_curve(), "a point from the card is not on the curve");
    point.into_group()
}

/// Σ 2^k·S(k), highest first.
pub fn combine<C: SWCurveConfig>(sums: &[Projective<C>]) -> Affine<C> {
    sums.iter().rev().fold(Projective::ZERO, |total, sum| total.double() + sum).into_affine()
}

/// The result of an MSM from the bit sums of a card with `cores` adders: core by core, for each of its windows the c sums
/// S(w, k); Σ 2^(c·w + k)·S(w, k) over all of them.
pub fn combine_shares<C: SWCurveConfig>(window_bits: u32, cores: u32, sums: &[Projective<C>]) -> Affine<C> {
    let shares = (0..cores).flat_map(|core| window_shares(window_bits, cores, core));
    let weights = shares.flat_map(|share| (0..window_bits).map(move |k| share.window * window_bits + k));
    combine_weighted(&weights.collect::<Vec<_>>(), sums)
}

/// The result of an MSM from weighted sums: Σ 2^exponent·sum.
pub fn combine_weighted<C: SWCurveConfig>(exponents: &[u32], sums: &[Projective<C>]) -> Affine<C> {
    assert_eq!(exponents.len(), sums.len(), "the card has another number of sums");
    let mut totals = vec![Projective::ZERO; 300];
    for (exponent, sum) in exponents.iter().zip(sums) {
        totals[*exponent as usize] += sum;
    }
    combine(&totals)
}

/// Σ scalar·base by arkworks.
pub fn msm<C: SWCurveConfig>(bases: &[Affine<C>], scalars: &[C::ScalarField]) -> Affine<C> {
    let pairs = bases.iter().zip(scalars);
    // Bases at infinity are left out: a fast path of the reference must not be what is tested.
    let (bases, scalars): (Vec<_>, Vec<_>) =
        pairs.filter(|(base, _)| !base.is_zero()).map(|(b, s)| (*b, *s)).unzip();
    Projective::<C>::msm_unchecked(&bases, &scalars).into_affine()
}
