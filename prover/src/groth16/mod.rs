//! Groth16 over BN254: proofs of snarkjs' keys and witnesses, every G1 multi-scalar multiplication through a
//! [`crate::backend::Backend`].

mod blinding;
mod prove;
mod quotient;
mod verify;

pub use blinding::{Blinding, BlindingError};
pub use prove::{MsmRecord, Observer, Phase, ProveError, Proven, Prover, Silent};
pub use quotient::quotient;
pub use verify::{VerifyError, verify};
