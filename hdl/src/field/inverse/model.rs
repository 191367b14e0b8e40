//! The division steps on integers: what the wires compute, in the paper's own words.

use crate::field::Prime;
use num_bigint::{BigInt, BigUint, Sign};
use num_traits::{One, Signed, Zero};

/// The state of an inversion; see [`Inverter`](crate::field::Inverter).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DivisionSteps {
    /// Odd; ±1 in the end, if the element is not zero.
    pub f: BigInt,
    /// Zero in the end.
    pub g: BigInt,
    /// d·x ≡ f·R² mod p, for the element x; within (−p, p).
    pub d: BigInt,
    /// e·x ≡ g·R² mod p; within (−p, p).
    pub e: BigInt,
    /// δ − 1/2.
    pub zeta: i32,
    p: BigInt,
}

impl DivisionSteps {
    /// The beginning of the inversion of an element in Montgomery form, below p.
    pub fn new(prime: Prime, element: &BigUint) -> DivisionSteps {
        let p = BigInt::from(prime.modulus());
        let g = BigInt::from_biguint(Sign::Plus, element.clone());
        let e = BigInt::from(prime.to_montgomery(&prime.one()));
        DivisionSteps { f: p.clone(), g, d: BigInt::zero(), e, zeta: 0, p }
    }

    /// One division step.
    pub fn step(&mut self) {
        let odd = self.g.bit(0);
        let (f, d) = (self.f.clone(), self.d.clone());
        // δ > 0 and g odd.
        let swap = odd && self.zeta >= 0;
        let (mut g_sum, mut e_sum) = (self.g.clone(), self.e.clone());
        if swap {
            (g_sum, e_sum) = (g_sum - f, e_sum - d);
            (self.f, self.d) = (self.g.clone(), self.e.clone());
        } else if odd {
            (g_sum, e_sum) = (g_sum + f, e_sum + d);
        }
        if e_sum.bit(0) {
            e_sum = if self.e.is_negative() { e_sum + &self.p } else { e_sum - &self.p };
        }
        // Both are even.
        (self.g, self.e) = (g_sum >> 1, e_sum >> 1);
        self.zeta = if swap { -self.zeta } else { self.zeta + 1 };
    }

    /// Whether further steps change neither f nor d.
    pub fn finished(&self) -> bool {
        self.g.is_zero()
    }

    /// The inverse in Montgomery form, below p, once the steps are finished; zero for zero.
    pub fn result(&self) -> BigUint {
        debug_assert!(self.f.abs().is_one() || self.d.is_zero());
        let signed = if self.f.is_negative() { -&self.d } else { self.d.clone() };
        let lifted = if signed.is_negative() { signed + &self.p } else { signed };
        lifted.magnitude().clone()
    }
}
