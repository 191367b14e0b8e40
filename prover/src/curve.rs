//! The curves that a card multiplies on.

use ark_ec::short_weierstrass::SWCurveConfig;
use ark_ff::{Fp, MontBackend, MontConfig};
use spandrel_abi::CurveId;

/// A curve of prime order whose coordinates and scalars both are integers of 254 bits: BN254's G1 and Grumpkin, each of
/// which has the other's order as its coordinates' modulus.
pub trait MsmCurve:
    SWCurveConfig<
        BaseField = Fp<MontBackend<Self::Base, 4>, 4>,
        ScalarField = Fp<MontBackend<Self::Scalar, 4>, 4>,
    >
{
    /// The coordinates' field.
    type Base: MontConfig<4>;
    /// The scalars' field.
    type Scalar: MontConfig<4>;
    /// Its code on a card.
    const ID: CurveId;
}

/// BN254's G1.
pub type Bn254G1 = ark_bn254::g1::Config;

impl MsmCurve for Bn254G1 {
    type Base = ark_bn254::FqConfig;
    type Scalar = ark_bn254::FrConfig;
    const ID: CurveId = CurveId::Bn254G1;
}

/// Grumpkin.
pub type Grumpkin = ark_grumpkin::GrumpkinConfig;

impl MsmCurve for Grumpkin {
    // Its fields are BN254's, the other way round.
    type Base = ark_bn254::FrConfig;
    type Scalar = ark_bn254::FqConfig;
    const ID: CurveId = CurveId::Grumpkin;
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ec::AffineRepr;
    use ark_ec::short_weierstrass::Affine;
    use ark_ff::PrimeField;

    fn check<C: MsmCurve>() {
        // An elliptic curve over a field of 254 bits whose group has a prime order of as many is its own subgroup.
        assert_eq!(C::COFACTOR, [1]);
        assert_eq!(C::BaseField::MODULUS_BIT_SIZE, 254);
        assert_eq!(C::ScalarField::MODULUS_BIT_SIZE, 254);
        assert_eq!(C::COEFF_A, C::BaseField::from(0u8));
        assert!(Affine::<C>::generator().is_on_curve());
    }

    #[test]
    fn curves_are_of_the_kind_that_a_card_takes() {
        check::<Bn254G1>();
        check::<Grumpkin>();
        assert_eq!(<Grumpkin as ark_ec::CurveConfig>::ScalarField::MODULUS, ark_bn254::Fq::MODULUS);
    }
}
