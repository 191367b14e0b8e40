//! `spandrel verify`.

use super::error::CliError;
use super::report::{print_json, print_text};
use crate::formats::{read_proof, read_public, read_verifying_key};
use crate::groth16::verify;
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;
use std::time::Instant;

/// Verifies a Groth16 proof, as `snarkjs groth16 verify` does.
///
/// Ends with 0 if the proof is valid, with 5 if it is not, and with 3 if a file cannot be used: a point off the
/// curve, a number out of range, a key of another circuit.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  spandrel verify vk.json public.json proof.json")]
pub(super) struct Verify {
    /// Verification key, from `snarkjs zkey export verificationkey`.
    vk: PathBuf,
    /// Public signals, from `spandrel prove` or snarkjs.
    public: PathBuf,
    /// Proof, from `spandrel prove` or snarkjs.
    proof: PathBuf,
    /// Prints one JSON object instead of a sentence.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    valid: bool,
    public_signals: usize,
    seconds: f64,
}

impl Verify {
    pub(super) fn run(&self) -> Result<(), CliError> {
        let started = Instant::now();
        let vk = read_verifying_key(&self.vk)?;
        let public = read_public(&self.public)?;
        let proof = read_proof(&self.proof)?;
        let valid = verify(&vk, &public, &proof)?;
        let seconds = started.elapsed().as_secs_f64();
        if self.json {
            print_json(&Report { valid, public_signals: public.len(), seconds })?;
        } else if valid {
            print_text(&format!("The proof is valid ({} public signals).\n", public.len()))?;
        }
        if valid { Ok(()) } else { Err(CliError::NotValid) }
    }
}
