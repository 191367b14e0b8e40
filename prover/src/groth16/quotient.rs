//! The scalars of the H points: A·B - C at the odd places of twice the domain.
//!
//! snarkjs' H points are the Lagrange basis at those places, so no division by the vanishing polynomial is
//! needed: at the even places (the domain itself) A·B - C is zero for a witness that satisfies the circuit.
//! C is taken to be A·B on the domain; a witness for which that is not so makes a proof that does not verify.

use crate::formats::{Matrix, Witness, Zkey, integer_from_bytes};
use ark_bn254::Fr;
use ark_ff::{FftField, Zero};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use rayon::prelude::*;
use zeroize::Zeroizing;

/// Values of a polynomial on the domain; they depend on the witness and are wiped when dropped.
type Values = Zeroizing<Vec<Fr>>;

/// The scalars of the H points, as many as the domain is large. The witness must be of the key's circuit
/// (see [`Zkey::check_pair`]).
///
/// `None` if the domain has no root of unity of twice its order, which a checked key excludes.
pub fn quotient(zkey: &Zkey, witness: &Witness) -> Option<Values> {
    let domain = Radix2EvaluationDomain::<Fr>::new(zkey.domain())?;
    let odd = domain.get_coset(Fr::get_root_of_unity(2 * zkey.domain() as u64)?)?;
    let (mut a, mut b) =
        rayon::join(|| multiply(zkey, Matrix::A, witness), || multiply(zkey, Matrix::B, witness));
    let mut c: Values = Zeroizing::new(a.par_iter().zip(b.par_iter()).map(|(a, b)| a * b).collect());
    [&mut a, &mut b, &mut c].into_par_iter().for_each(|values| {
        domain.ifft_in_place(&mut **values);
        odd.fft_in_place(&mut **values);
    });
    a.par_iter_mut().zip(b.par_iter()).zip(c.par_iter()).for_each(|((a, b), c)| *a = *a * b - c);
    Some(a)
}

/// A matrix times the witness, padded with zeros to the domain.
fn multiply(zkey: &Zkey, matrix: Matrix, witness: &Witness) -> Values {
    let mut rows = Zeroizing::new(vec![Fr::zero(); zkey.domain()]);
    let values = witness.values();
    for entry in zkey.coefficients().iter().filter(|entry| entry.matrix == matrix) {
        // The entry carries 2^512 and the canonical value no factor, so their Montgomery product is in
        // Montgomery form.
        let value = Fr::new_unchecked(integer_from_bytes(&values[entry.signal]));
        rows[entry.constraint] += entry.value_montgomery * value;
    }
    rows
}
