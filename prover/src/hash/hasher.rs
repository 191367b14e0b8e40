//! Hashing over any backend.

use super::{HashBackend, HashError, Output};
use ark_bn254::Fr;
use spandrel_poseidon::{InputError, WIDTHS, WidthError};
use std::fmt;
use std::sync::Arc;

/// Poseidon at one width, over any backend.
///
/// A card is for many messages at once: one alone goes through its rounds one after the other, and through the driver.
///
/// ```
/// use spandrel::hash::{CpuHasher, Output, PoseidonHasher};
/// use ark_bn254::Fr;
/// use std::sync::Arc;
///
/// let hasher = PoseidonHasher::new(Arc::new(CpuHasher::new()), 3, Output::First)?;
/// let messages: Vec<Fr> = (1..=6).map(Fr::from).collect();
/// let digests = hasher.hash_many(&messages)?;
/// assert_eq!(digests.len(), 3);
/// assert_eq!(digests[1], hasher.hash(&messages[2..4])?);
///
/// // Messages of another length go through a sponge.
/// assert_eq!(hasher.sponge(&messages)?, hasher.sponge_many(6, &messages)?[0]);
/// assert!(hasher.hash(&messages).is_err());
/// # Ok::<(), spandrel::hash::HashError>(())
/// ```
#[derive(Clone)]
pub struct PoseidonHasher {
    backend: Arc<dyn HashBackend>,
    width: usize,
    output: Output,
}

impl PoseidonHasher {
    /// Hashes with states of `width` elements. `output` says which element of the permuted state is the digest of
    /// [`PoseidonHasher::hash`].
    ///
    /// # Errors
    /// [`HashError::Width`] for a width without parameters. Whether a card has lanes for it is seen when it hashes.
    pub fn new(
        backend: Arc<dyn HashBackend>,
        width: usize,
        output: Output,
    ) -> Result<PoseidonHasher, HashError> {
        match WIDTHS.contains(&width) {
            true => Ok(PoseidonHasher { backend, width, output }),
            false => Err(WidthError { width }.into()),
        }
    }

    /// Elements t of the state.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Which element of the permuted state is the digest of a message of fixed length.
    pub fn output(&self) -> Output {
        self.output
    }

    /// What computes.
    pub fn backend(&self) -> &Arc<dyn HashBackend> {
        &self.backend
    }

    /// The hash of `width` - 1 elements, as circomlib's with [`Output::First`].
    pub fn hash(&self, inputs: &[Fr]) -> Result<Fr, HashError> {
        let expected = self.width - 1;
        if inputs.len() != expected {
            return Err(InputError::WrongCount { found: inputs.len(), expected }.into());
        }
        self.only(self.hash_many(inputs)?)
    }

    /// The hashes of many messages of `width` - 1 elements, which lie one behind the other.
    pub fn hash_many(&self, inputs: &[Fr]) -> Result<Vec<Fr>, HashError> {
        Ok(self.backend.hash(self.width, self.output, inputs)?.digests)
    }

    /// The hash of a message of any length: a sponge of rate `width` - 1, whose capacity element tells the length.
    pub fn sponge(&self, message: &[Fr]) -> Result<Fr, HashError> {
        self.only(self.sponge_many(message.len(), message)?)
    }

    /// The hashes of many messages of `message_elements` elements each, which lie one behind the other. Messages of no
    /// elements are one message, the empty one.
    pub fn sponge_many(&self, message_elements: usize, inputs: &[Fr]) -> Result<Vec<Fr>, HashError> {
        Ok(self.backend.sponge(self.width, message_elements, inputs)?.digests)
    }

    fn only(&self, digests: Vec<Fr>) -> Result<Fr, HashError> {
        match digests.as_slice() {
            [digest] => Ok(*digest),
            digests => Err(HashError::BadResult {
                backend: self.backend.describe(),
                why: format!("{} digests came of one message", digests.len()),
            }),
        }
    }
}

impl fmt::Debug for PoseidonHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoseidonHasher")
            .field("backend", &self.backend.describe())
            .field("width", &self.width)
            .field("output", &self.output)
            .finish()
    }
}
