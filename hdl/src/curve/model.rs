//! The adder's formulas in software, for known answers and tests: the same sequence of operations, so that the
//! result's coordinates are the hardware's, bit for bit.

use ark_bn254::Fq;
use ark_ff::{AdditiveGroup, BigInt};
use num_bigint::BigUint;

/// A projective point (X, Y, Z), coordinates in Montgomery form with R = 2^256, below p.
pub type Point = [BigUint; 3];

/// Renes–Costello–Batina 2016, algorithm 7, on BN254's G1.
pub fn complete_add(p: &Point, q: &Point) -> Point {
    let [x1, y1, z1] = p.each_ref().map(from_montgomery);
    let [x2, y2, z2] = q.each_ref().map(from_montgomery);
    let nine = Fq::from(9u64);
    let (xx, yy, zz) = (x1 * x2, y1 * y2, z1 * z2);
    let xy = (x1 + y1) * (x2 + y2) - (xx + yy);
    let yz = (y1 + z1) * (y2 + z2) - (yy + zz);
    let xz = (x1 + z1) * (x2 + z2) - (xx + zz);
    let xx3 = xx.double() + xx;
    let (plus, minus) = (yy + nine * zz, yy - nine * zz);
    let bxz3 = nine * xz;
    let sum = [xy * minus - yz * bxz3, minus * plus + bxz3 * xx3, plus * yz + xx3 * xy];
    sum.map(to_montgomery)
}

/// The field element of a Montgomery form.
pub fn from_montgomery(form: &BigUint) -> Fq {
    let mut limbs = [0u64; 4];
    for (limb, digit) in limbs.iter_mut().zip(form.iter_u64_digits()) {
        *limb = digit;
    }
    Fq::new_unchecked(BigInt::new(limbs))
}

/// The Montgomery form of a field element, as `ark-ff` holds it.
pub fn to_montgomery(element: Fq) -> BigUint {
    BigInt::<4>::new(element.0.0).into()
}
