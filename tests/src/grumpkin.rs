//! Grumpkin for arkworks: y² = x³ − 17 over BN254's scalar field.

use ark_bn254::{Fq, Fr};
use ark_ec::CurveConfig;
use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_ff::{AdditiveGroup, Field, MontFp};

/// The curve's parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grumpkin;

/// An affine point.
pub type GrumpkinAffine = Affine<Grumpkin>;

/// A projective point.
pub type GrumpkinProjective = Projective<Grumpkin>;

impl CurveConfig for Grumpkin {
    type BaseField = Fr;
    type ScalarField = Fq;
    const COFACTOR: &'static [u64] = &[1];
    const COFACTOR_INV: Fq = Fq::ONE;
}

impl SWCurveConfig for Grumpkin {
    const COEFF_A: Fr = Fr::ZERO;
    const COEFF_B: Fr = MontFp!("-17");
    const GENERATOR: GrumpkinAffine = Affine::new_unchecked(
        Fr::ONE,
        MontFp!("17631683881184975370165255887551781615748388533673675138860"),
    );
    type ZeroFlag = bool;
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ec::PrimeGroup;
    use ark_ff::PrimeField;

    #[test]
    fn the_generator_is_on_the_curve_and_has_the_order_of_bn254s_q() {
        assert!(Grumpkin::GENERATOR.is_on_curve());
        assert_eq!(GrumpkinProjective::generator().mul_bigint(Fq::MODULUS), GrumpkinProjective::ZERO);
    }
}
