//! The host's share of an MSM: from the card's bit sums to one point.

use super::device::BitSums;
use crate::formats::fq_from_bytes;
use ark_bn254::{Fq, G1Projective};
use ark_ff::{AdditiveGroup, Field, Zero};
use spandrel_abi::{FIELD_BYTES, PROJECTIVE_POINT_BYTES};

/// More windows times bits than any card has: scalars have 254 bits, and a digit may carry once more.
const MAX_POINTS: usize = 512;

/// Adds up the bit sums by Horner's rule. The error is a clause that says what cannot be right about them.
pub(super) fn finish(sums: &BitSums) -> Result<G1Projective, String> {
    let expected = sums.windows.checked_mul(sums.window_bits).filter(|points| *points <= MAX_POINTS);
    if expected != Some(sums.points.len()) {
        return Err(format!(
            "{} points came for {} windows of {} bits",
            sums.points.len(),
            sums.windows,
            sums.window_bits
        ));
    }
    let mut total = G1Projective::ZERO;
    for (index, bytes) in sums.points.iter().enumerate().rev() {
        let problem = |problem| {
            let (window, bit) = (index / sums.window_bits, index % sums.window_bits);
            format!("the sum of window {window}, bit {bit} {problem}")
        };
        total = total.double() + point(bytes).map_err(problem)?;
    }
    Ok(total)
}

/// A homogeneous point (x = X/Z, y = Y/Z) as arkworks' Jacobian one (x = X/Z², y = Y/Z³), checked: a card is
/// not trusted to write points.
fn point(bytes: &[u8; PROJECTIVE_POINT_BYTES]) -> Result<G1Projective, &'static str> {
    let mut coordinates = [Fq::ZERO; 3];
    for (coordinate, chunk) in coordinates.iter_mut().zip(bytes.as_chunks::<FIELD_BYTES>().0) {
        *coordinate = fq_from_bytes(chunk).ok_or("has a coordinate that is not below the field's modulus")?;
    }
    let [x, y, z] = coordinates;
    // Y²Z = X³ + 3Z³
    if y.square() * z != x.square() * x + z.square() * z * Fq::from(3) {
        return Err("is not on the curve");
    }
    // An empty bucket's sum comes as (0, 0, 0), which is no point of projective geometry, but Z = 0 is infinity
    // by the interface.
    if z.is_zero() {
        return Ok(G1Projective::ZERO);
    }
    Ok(G1Projective::new_unchecked(x * z, y * z.square(), z))
}
