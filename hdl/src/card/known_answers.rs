//! What the self-test asks and what it must hear, computed by arkworks and the software model of the formulas.

use crate::curve::model;
use ark_bn254::{Fq, Fr};
use ark_ff::{BigInt, Field, PrimeField};
use num_bigint::BigUint;

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
    /// The generator of G1: x, y.
    pub generator: [BigUint; 2],
    /// Its double: X, Y, Z as the complete formulas give them.
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
    pub(super) fn compute() -> KnownAnswers {
        // arkworks keeps elements in Montgomery form with the same R.
        let fq = |element: Fq| BigUint::from(element.0);
        let fr = |element: Fr| BigUint::from(element.0);
        let generator = [fq(ark_bn254::g1::G1_GENERATOR_X), fq(ark_bn254::g1::G1_GENERATOR_Y)];
        let projective = [generator[0].clone(), generator[1].clone(), fq(Fq::ONE)];
        KnownAnswers {
            fq: FieldAnswers::compute(fq),
            fr: FieldAnswers::compute(fr),
            double: model::complete_add(&projective, &projective),
            generator,
        }
    }
}
