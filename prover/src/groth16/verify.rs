//! Verification of a proof.

use ark_bn254::{Bn254, Fr};
use ark_groth16::{Groth16, Proof, VerifyingKey, prepare_verifying_key};

/// Why a proof could not be verified at all (which is not the same as being wrong).
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// Key and signals are of different circuits.
    #[error(
        "the verification key is for {expected} public signals, but {found} were given: they are of different circuits"
    )]
    SignalCount {
        /// The key's number.
        expected: usize,
        /// Number of signals.
        found: usize,
    },
}

/// Whether a proof shows the statement with these public signals. Points must have been checked to be in
/// their groups, as the readers of [`crate::formats`] do.
pub fn verify(vk: &VerifyingKey<Bn254>, public: &[Fr], proof: &Proof<Bn254>) -> Result<bool, VerifyError> {
    let expected = vk.gamma_abc_g1.len().saturating_sub(1);
    if vk.gamma_abc_g1.is_empty() || public.len() != expected {
        return Err(VerifyError::SignalCount { expected, found: public.len() });
    }
    // With the count checked, arkworks' only remaining error is a pairing product that cannot be
    // exponentiated (zero), and such a proof is not valid.
    Ok(Groth16::<Bn254>::verify_proof(&prepare_verifying_key(vk), proof, public).unwrap_or(false))
}
