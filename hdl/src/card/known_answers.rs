//! What the self-test asks and what it must hear, computed over arkworks' fields.

use ark_bn254::{Fq, Fr};
use ark_ff::{AdditiveGroup, BigInt, Field, PrimeField};
use num_bigint::BigUint;
use spandrel_abi::{CurveId, Identification};

/// Operands and results in one field, in Montgomery form.
pub(super) struct FieldAnswers {
    pub a: BigUint,
    pub b: BigUint,
    pub sum: BigUint,
    pub difference: BigUint,
    pub product: BigUint,
}

/// All known answers.
pub(super) struct KnownAnswers {
    pub fq: FieldAnswers,
    pub fr: FieldAnswers,
    /// A generator of the MSM engine's curve: x, y.
    pub generator: [BigUint; 2],
    /// Its double: X, Y, Z as the MSM engine's adder gives them.
    pub double: [BigUint; 3],
}

impl FieldAnswers {
    /// a and b are two elements with no pattern in their bits; a < b, so that the difference wraps.
    fn compute<F: PrimeField<BigInt = BigInt<4>>>(montgomery: impl Fn(F) -> BigUint) -> FieldAnswers {
        let third = F::from(3u8).inverse().unwrap_or(F::ONE);
        let seventh = F::from(7u8).inverse().unwrap_or(F::ONE);
        let (third, seventh) = (third.square() + F::from(5u8), seventh.square() + F::from(11u8));
        let (a, b) = match montgomery(third) < montgomery(seventh) {
            true => (third, seventh),
            false => (seventh, third),
        };
        FieldAnswers {
            a: montgomery(a),
            b: montgomery(b),
            sum: montgomery(a + b),
            difference: montgomery(a - b),
            product: montgomery(a * b),
        }
    }
}

impl KnownAnswers {
    pub(super) fn compute(identification: &Identification) -> KnownAnswers {
        // arkworks keeps elements in Montgomery form with the same R.
        let fq = |element: Fq| BigUint::from(element.0);
        let fr = |element: Fr| BigUint::from(element.0);
        let affine = identification.msm_adder_kind == 1;
        let (generator, double) = if identification.has_curve(CurveId::Bn254G1) {
            let generator = [ark_bn254::g1::G1_GENERATOR_X, ark_bn254::g1::G1_GENERATOR_Y];
            (generator.map(fq), double(generator, affine).map(fq))
        } else {
            // y² = x³ − 17 at x = 1; the group has prime order, so that every point generates it.
            let y = (-Fr::from(16u8)).sqrt().unwrap_or(Fr::ZERO);
            let generator = [Fr::ONE, y];
            (generator.map(fr), double(generator, affine).map(fr))
        };
        KnownAnswers { fq: FieldAnswers::compute(fq), fr: FieldAnswers::compute(fr), generator, double }
    }
}

/// The double of a point on a curve y² = x³ + b: with Z = 1, as affine formulas give it, or as the complete projective
/// formulas (Renes–Costello–Batina 2016, algorithm 7) give it.
fn double<F: PrimeField>([x, y]: [F; 2], affine: bool) -> [F; 3] {
    let (xx, yy) = (x.square(), y.square());
    let xx3 = xx.double() + xx;
    if affine {
        let slope = xx3 * y.double().inverse().unwrap_or(F::ZERO);
        let x3 = slope.square() - x.double();
        return [x3, slope * (x - x3) - y, F::ONE];
    }
    let b = yy - xx * x;
    let b3 = b.double() + b;
    let (plus, minus) = (yy + b3, yy - b3);
    let (xy2, bx6) = ((x * y).double(), b3 * x.double());
    [xy2 * minus - y.double() * bx6, minus * plus + bx6 * xx3, plus * y.double() + xx3 * xy2]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::model;

    #[test]
    fn doubles_are_those_of_the_formulas() {
        let generator = [ark_bn254::g1::G1_GENERATOR_X, ark_bn254::g1::G1_GENERATOR_Y];
        let form = |element: Fq| BigUint::from(element.0);
        let point = [form(generator[0]), form(generator[1]), form(Fq::ONE)];
        let complete = double(generator, false);
        assert_eq!(complete.map(form), model::complete_add(&point, &point));
        let [x, y, z] = complete;
        assert_eq!(double(generator, true), [x / z, y / z, Fq::ONE]);
        let grumpkin = [Fr::ONE, (-Fr::from(16u8)).sqrt().expect("a point at x = 1")];
        let [x, y, _] = double(grumpkin, true);
        assert_eq!(y.square(), x.square() * x - Fr::from(17u8));
    }
}
