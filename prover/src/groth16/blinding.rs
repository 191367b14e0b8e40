//! The two random scalars that make a proof zero-knowledge.

use ark_bn254::Fr;
use ark_ff::PrimeField;
use rand::rngs::OsRng;
use rand::{RngCore, SeedableRng};
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The blinding of one proof. Whoever learns it can tell something of the witness, so it is never shown and
/// is wiped when dropped; it is used up by the proof that it blinds.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Blinding {
    pub(super) r: Fr,
    pub(super) s: Fr,
}

/// The operating system gave no random bytes.
#[derive(Debug, thiserror::Error)]
#[error(
    "the operating system's random generator failed: {0}; a proof without randomness would leak the witness, so none is made"
)]
pub struct BlindingError(rand::Error);

impl Blinding {
    /// Fresh blinding from the operating system's generator.
    pub fn random() -> Result<Blinding, BlindingError> {
        Ok(Blinding { r: random_scalar()?, s: random_scalar()? })
    }

    /// Blinding that follows from a seed, for comparing provers: a proof made with it is **not** zero-knowledge, since
    /// whoever finds the seed can tell something of the witness.
    pub fn insecure_from_seed(seed: u64) -> Blinding {
        let mut random = rand_chacha::ChaCha20Rng::seed_from_u64(seed);
        let mut scalar = || {
            let mut bytes = Zeroizing::new([0; 64]);
            random.fill_bytes(&mut *bytes);
            Fr::from_le_bytes_mod_order(&*bytes)
        };
        Blinding { r: scalar(), s: scalar() }
    }

    /// Chosen blinding, for tests that compare provers: a real proof made with it is not zero-knowledge.
    #[doc(hidden)]
    pub fn fixed(r: Fr, s: Fr) -> Blinding {
        Blinding { r, s }
    }
}

impl fmt::Debug for Blinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Blinding(secret)")
    }
}

/// A scalar from 512 random bits: its bias is below 2^-256.
fn random_scalar() -> Result<Fr, BlindingError> {
    let mut bytes = Zeroizing::new([0; 64]);
    OsRng.try_fill_bytes(&mut *bytes).map_err(BlindingError)?;
    Ok(Fr::from_le_bytes_mod_order(&*bytes))
}
