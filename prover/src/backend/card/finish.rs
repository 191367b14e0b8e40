//! The host's share of an MSM: from the card's weighted sums to one point.

use super::device::WeightedSums;
use crate::curve::MsmCurve;
use crate::formats::element_from_bytes;
use ark_ec::short_weierstrass::Projective;
use ark_ff::{AdditiveGroup, Field, Zero};
use spandrel_abi::{FIELD_BYTES, PROJECTIVE_POINT_BYTES};

/// Above every exponent: scalars have 254 bits, and the last window of at most 24 bits may reach beyond.
const EXPONENTS: usize = 512;

/// Adds up the sums by Horner's rule. The error is a clause that says what cannot be right about them.
pub(super) fn finish<C: MsmCurve>(sums: &WeightedSums) -> Result<Projective<C>, String> {
    if sums.points.len() != sums.exponents.len() {
        return Err(format!("{} points came where there are {}", sums.points.len(), sums.exponents.len()));
    }
    // Several adders may have a share of a window, and so several sums the same weight.
    let mut by_exponent = vec![Projective::<C>::ZERO; EXPONENTS];
    for (exponent, bytes) in sums.exponents.iter().zip(&sums.points) {
        let problem = |problem| {
            let window_bits = sums.window_bits.max(1);
            format!("a sum of window {}, bit {} {problem}", exponent / window_bits, exponent % window_bits)
        };
        let place =
            by_exponent.get_mut(*exponent as usize).ok_or_else(|| problem("has too large a weight"))?;
        *place += point::<C>(bytes).map_err(problem)?;
    }
    Ok(by_exponent.iter().rev().fold(Projective::ZERO, |total, sum| total.double() + sum))
}

/// A homogeneous point (x = X/Z, y = Y/Z) as arkworks' Jacobian one (x = X/Z², y = Y/Z³), checked: a card is
/// not trusted to write points.
fn point<C: MsmCurve>(bytes: &[u8; PROJECTIVE_POINT_BYTES]) -> Result<Projective<C>, &'static str> {
    let mut coordinates = [C::BaseField::ZERO; 3];
    for (coordinate, chunk) in coordinates.iter_mut().zip(bytes.as_chunks::<FIELD_BYTES>().0) {
        *coordinate =
            element_from_bytes(chunk).ok_or("has a coordinate that is not below the field's modulus")?;
    }
    let [x, y, z] = coordinates;
    // Y²Z = X³ + bZ³
    if y.square() * z != x.square() * x + z.square() * z * C::COEFF_B {
        return Err("is not on the curve");
    }
    // An empty bucket's sum comes as (0, 0, 0), which is no point of projective geometry, but Z = 0 is infinity
    // by the interface.
    if z.is_zero() {
        return Ok(Projective::ZERO);
    }
    Ok(Projective::new_unchecked(x * z, y * z.square(), z))
}
