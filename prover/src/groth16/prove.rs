//! Proving: five multi-scalar multiplications, one of them in G2, and the quotient polynomial.

use super::blinding::{Blinding, BlindingError};
use super::quotient::quotient;
use super::verify::{VerifyError, verify};
use crate::backend::{Backend, BackendError, Bases, CardRun, MsmOutcome, Pending, integers};
use crate::formats::{FormatError, Witness, Zkey, integer_to_bytes};
use ark_bn254::{Bn254, Fr, G1Projective, G2Projective};
use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM};
use ark_ff::PrimeField;
use ark_groth16::Proof;
use rayon::prelude::*;
use serde::Serialize;
use spandrel_abi::FIELD_BYTES;
use std::time::Instant;
use zeroize::Zeroizing;

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError {
    /// Key and witness do not belong together.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// A backend failed.
    #[error("{step}: {source}")]
    Backend {
        /// Which bases or MSM.
        step: &'static str,
        /// The backend's error.
        source: BackendError,
    },
    /// No randomness.
    #[error(transparent)]
    Blinding(#[from] BlindingError),
    /// The domain is larger than the field has roots of unity for.
    #[error("the circuit's domain of {domain} is larger than the field allows")]
    DomainTooLarge {
        /// Its size.
        domain: usize,
    },
    /// Verification could not even start.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The proof does not verify.
    #[error(
        "the proof made with {backend} does not verify and was discarded: either the witness does not satisfy the circuit \
         (check it with `snarkjs wtns check`), or the key is damaged (`snarkjs zkey verify`), or the backend computed something \
         wrong (prove again with `--backend dual`)"
    )]
    Rejected {
        /// What computed it.
        backend: String,
    },
}

/// Is told how a proof gets on. All methods may be called from any thread.
pub trait Observer: Send + Sync {
    /// A phase starts.
    fn phase(&self, _name: &'static str) {}
    /// An MSM was handed to the backend.
    fn msm_submitted(&self, _name: &'static str, _elements: usize) {}
    /// An MSM has ended.
    fn msm_done(&self, _record: &MsmRecord) {}
}

/// Wants to know nothing.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Observer for Silent {}

/// Wall-clock time of a phase.
#[derive(Clone, Debug, Serialize)]
pub struct Phase {
    /// What was done.
    pub name: &'static str,
    /// Wall-clock seconds.
    pub seconds: f64,
}

/// One G1 MSM of a proof.
#[derive(Clone, Debug, Serialize)]
pub struct MsmRecord {
    /// Which one.
    pub name: &'static str,
    /// Number of scalars.
    pub elements: usize,
    /// Wall-clock seconds from submission until its result was taken.
    pub seconds: f64,
    /// What the card measured, if one computed it.
    pub card: Option<CardRun>,
}

/// A verified proof and how it was made.
#[derive(Clone, Debug)]
pub struct Proven {
    /// The proof.
    pub proof: Proof<Bn254>,
    /// The public signals that it is about.
    pub public: Vec<Fr>,
    /// Phases, in order; work on a card overlaps them.
    pub phases: Vec<Phase>,
    /// The G1 MSMs, in order of submission.
    pub msms: Vec<MsmRecord>,
}

/// A proving key whose bases are resident in a backend: loaded once, for any number of proofs.
pub struct Prover<'a> {
    zkey: &'a Zkey,
    backend: &'a dyn Backend,
    bases: [Option<Bases>; 4],
}

/// The G1 MSMs, in the order of [`Prover::bases`].
const A: usize = 0;
const B1: usize = 1;
const C: usize = 2;
const H: usize = 3;
const NAMES: [&str; 4] = ["A", "B1", "C", "H"];

impl<'a> Prover<'a> {
    /// Loads a key's bases into a backend.
    pub fn new(zkey: &'a Zkey, backend: &'a dyn Backend) -> Result<Prover<'a>, ProveError> {
        let mut prover = Prover { zkey, backend, bases: [const { None }; 4] };
        for (index, points) in [zkey.a(), zkey.b1(), zkey.c(), zkey.h()].into_iter().enumerate() {
            let step = [
                "loading the A points",
                "loading the B1 points",
                "loading the C points",
                "loading the H points",
            ];
            let loaded = backend.load_bases(points);
            let bases = loaded.map_err(|source| ProveError::Backend { step: step[index], source })?;
            prover.bases[index] = Some(bases);
        }
        Ok(prover)
    }

    /// Proves that the witness satisfies the circuit, and verifies the proof.
    pub fn prove(
        &self,
        witness: &Witness,
        blinding: Blinding,
        observer: &dyn Observer,
    ) -> Result<Proven, ProveError> {
        let zkey = self.zkey;
        zkey.check_pair(witness)?;
        let mut run = Run { prover: self, observer, started: None, phases: Vec::new() };
        let key = zkey.verifying_key();

        // Longest first on a backend that works on its own, while the CPU computes what it must.
        run.phase("submit A, B1, C");
        let a = run.submit(A, witness.scalars())?;
        let b1 = run.submit(B1, witness.scalars())?;
        let c = run.submit(C, &witness.scalars()[FIELD_BYTES * (zkey.public() + 1)..])?;

        run.phase("quotient (NTT)");
        let quotient = quotient(zkey, witness);
        let quotient = quotient.ok_or(ProveError::DomainTooLarge { domain: zkey.domain() })?;
        let mut scalars = Zeroizing::new(vec![0; FIELD_BYTES * quotient.len()]);
        let chunks = scalars.as_chunks_mut::<FIELD_BYTES>().0.par_iter_mut();
        chunks
            .zip(quotient.par_iter())
            .for_each(|(bytes, value)| *bytes = integer_to_bytes(&value.into_bigint()));
        drop(quotient);

        run.phase("submit H");
        let h = run.submit(H, &scalars)?;
        drop(scalars);

        run.phase("B2 (G2 MSM)");
        let b2 = G2Projective::msm_bigint(zkey.b2(), &integers(witness.scalars()));

        run.phase("wait for G1 MSMs");
        let mut msms = Vec::new();
        let mut sums = [G1Projective::default(); 4];
        for (sum, submitted) in sums.iter_mut().zip([a, b1, c, h]) {
            let (outcome, record) = run.wait(submitted)?;
            *sum = outcome.point.into_group();
            msms.push(record);
        }

        run.phase("assemble");
        let [a, b1, c, h] = sums;
        let Blinding { r, s } = &blinding;
        let delta_g1 = zkey.delta_g1().into_group();
        let a = a + key.alpha_g1 + delta_g1 * r;
        let b1 = b1 + zkey.beta_g1() + delta_g1 * s;
        let b2 = b2 + key.beta_g2 + key.delta_g2.into_group() * s;
        let c = c + h + a * s + b1 * r - delta_g1 * (*r * s);
        let proof = Proof { a: a.into_affine(), b: b2.into_affine(), c: c.into_affine() };
        drop(blinding);

        run.phase("verify");
        let public = witness.public(zkey.public());
        if !verify(key, &public, &proof)? {
            return Err(ProveError::Rejected { backend: self.backend.describe() });
        }
        Ok(Proven { proof, public, phases: run.finish(), msms })
    }
}

impl Drop for Prover<'_> {
    fn drop(&mut self) {
        for bases in self.bases.iter_mut().filter_map(Option::take) {
            if let Err(error) = self.backend.release_bases(bases) {
                tracing::warn!(%error, "bases could not be released");
            }
        }
    }
}

/// One proof under way.
struct Run<'a> {
    prover: &'a Prover<'a>,
    observer: &'a dyn Observer,
    started: Option<(&'static str, Instant)>,
    phases: Vec<Phase>,
}

struct Submitted {
    index: usize,
    elements: usize,
    since: Instant,
    pending: Pending,
}

impl Run<'_> {
    fn phase(&mut self, name: &'static str) {
        self.end_phase();
        tracing::debug!(name, "phase");
        self.observer.phase(name);
        self.started = Some((name, Instant::now()));
    }

    fn end_phase(&mut self) {
        if let Some((name, since)) = self.started.take() {
            self.phases.push(Phase { name, seconds: since.elapsed().as_secs_f64() });
        }
    }

    fn finish(mut self) -> Vec<Phase> {
        self.end_phase();
        self.phases
    }

    fn submit(&self, index: usize, scalars: &[u8]) -> Result<Submitted, ProveError> {
        let error = |source| ProveError::Backend { step: MSM_STEPS[index], source };
        let bases = self.prover.bases[index].as_ref().ok_or_else(|| error(BackendError::ForeignBases))?;
        let since = Instant::now();
        self.observer.msm_submitted(NAMES[index], bases.len());
        let pending = self.prover.backend.submit(bases, 0..bases.len(), scalars).map_err(error)?;
        Ok(Submitted { index, elements: bases.len(), since, pending })
    }

    fn wait(&self, submitted: Submitted) -> Result<(MsmOutcome, MsmRecord), ProveError> {
        let Submitted { index, elements, since, pending } = submitted;
        let outcome =
            pending.wait().map_err(|source| ProveError::Backend { step: MSM_STEPS[index], source })?;
        let seconds = since.elapsed().as_secs_f64();
        let record = MsmRecord { name: NAMES[index], elements, seconds, card: outcome.card };
        self.observer.msm_done(&record);
        Ok((outcome, record))
    }
}

const MSM_STEPS: [&str; 4] = [
    "the MSM of the A points",
    "the MSM of the B1 points",
    "the MSM of the C points",
    "the MSM of the H points",
];
