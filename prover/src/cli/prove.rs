//! `spandrel prove`.

use super::args::{BackendArgs, OpenBackend};
use super::error::CliError;
use super::progress::Progress;
use super::report::{CardFigures, CardReport, grouped, print_json, print_text, ratio_text};
use crate::formats::{Outputs, Witness, Zkey, write_proof, write_public};
use crate::groth16::{Blinding, MsmRecord, Phase, Prover};
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Makes a Groth16 proof from a snarkjs proving key and witness.
///
/// The proof is verified before it is written; both outputs are written whole or not at all. Blinding comes from
/// the operating system, so that every proof of the same witness is another one.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  On the CPU:
    spandrel prove circuit.zkey witness.wtns proof.json public.json
  Every G1 multi-scalar multiplication on the simulated card:
    spandrel prove circuit.zkey witness.wtns proof.json public.json --backend card
  On both, compared, with numbers for a script:
    spandrel prove circuit.zkey witness.wtns proof.json public.json --backend dual --card sim:sim-small --json
  Then:
    snarkjs groth16 verify vk.json public.json proof.json")]
pub(super) struct Prove {
    /// Proving key of snarkjs (Groth16 over bn128).
    zkey: PathBuf,
    /// Witness of snarkjs or circom.
    wtns: PathBuf,
    /// Where to write the proof.
    proof: PathBuf,
    /// Where to write the public signals.
    public: PathBuf,
    #[command(flatten)]
    backend: BackendArgs,
    /// Takes the blinding from this seed, so that two proofs of the same witness are equal: to compare cards and backends. The proof is NOT zero-knowledge: never publish one of a witness that matters
    #[arg(long, value_name = "SEED")]
    insecure_blinding_seed: Option<u64>,
    /// Prints one JSON object instead of a summary.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    backend: String,
    card: Option<CardReport>,
    proof: &'a Path,
    public: &'a Path,
    variables: usize,
    public_signals: usize,
    domain: usize,
    /// Sum over the MSMs; absent on the CPU.
    total: Option<CardFigures>,
    msms: &'a [MsmRecord],
    phases: &'a [Phase],
    seconds: f64,
}

impl Prove {
    pub(super) fn run(&self) -> Result<(), CliError> {
        let started = Instant::now();
        self.backend.check()?;
        let outputs = [self.proof.as_path(), &self.public];
        let trace = self.backend.card.trace.as_deref();
        Outputs::check(&outputs, &[&[self.zkey.as_path(), &self.wtns], trace.as_slice()].concat())?;

        let progress = Arc::new(Progress::new());
        let mut phases = Vec::new();
        let mut timed = Timed { progress: &progress, phases: &mut phases };
        let (zkey, witness) = timed.phase("read and check the files", || {
            let zkey = Zkey::open(&self.zkey)?;
            let witness = Witness::open(&self.wtns)?;
            zkey.check_pair(&witness)?;
            Ok((zkey, witness))
        })?;
        let OpenBackend { backend, card } =
            timed.phase("open the backend", || self.backend.open(&progress))?;
        let prover = timed.phase("load the bases", || Ok(Prover::new(&zkey, &*backend)?))?;
        let blinding = match self.insecure_blinding_seed {
            Some(seed) => {
                tracing::warn!("the blinding follows from a seed: this proof is not zero-knowledge");
                Blinding::insecure_from_seed(seed)
            }
            None => Blinding::random()?,
        };
        let proven = prover.prove(&witness, blinding, &*progress)?;
        phases.extend(proven.phases.iter().cloned());
        let mut timed = Timed { progress: &progress, phases: &mut phases };
        timed.phase("write", || {
            let mut outputs = Outputs::default();
            outputs.add(&self.proof, write_proof(&proven.proof));
            outputs.add(&self.public, write_public(&proven.public));
            Ok(outputs.write()?)
        })?;
        progress.finish();

        let report = Report {
            backend: backend.describe(),
            card,
            proof: &self.proof,
            public: &self.public,
            variables: zkey.variables(),
            public_signals: zkey.public(),
            domain: zkey.domain(),
            total: CardFigures::sum(proven.msms.iter().filter_map(|msm| msm.card.as_ref())),
            msms: &proven.msms,
            phases: &phases,
            seconds: started.elapsed().as_secs_f64(),
        };
        if self.json {
            print_json(&report)?;
        } else {
            print_text(&report.summary())?;
        }
        Ok(())
    }
}

/// Shows and times the phases around the proof itself.
struct Timed<'a> {
    progress: &'a Progress,
    phases: &'a mut Vec<Phase>,
}

impl Timed<'_> {
    fn phase<T>(
        &mut self,
        name: &'static str,
        work: impl FnOnce() -> Result<T, CliError>,
    ) -> Result<T, CliError> {
        self.progress.set_phase(name);
        let started = Instant::now();
        let result = work()?;
        self.phases.push(Phase { name, seconds: started.elapsed().as_secs_f64() });
        Ok(result)
    }
}

impl Report<'_> {
    fn summary(&self) -> String {
        let mut text = format!(
            "Proof verified and written to {}, public signals to {}.\n\
             Circuit: {} variables, {} public signals, domain {}. Backend: {}.\n",
            self.proof.display(),
            self.public.display(),
            grouped(self.variables as u64),
            self.public_signals,
            grouped(self.domain as u64),
            self.backend
        );
        text.push_str("G1 MSMs:\n");
        for msm in self.msms {
            text.push_str(&format!("  {:<3} {:>10} elements", msm.name, grouped(msm.elements as u64)));
            if let Some(figures) = CardFigures::sum(&msm.card) {
                text.push_str(&figures_text(&figures));
            }
            text.push('\n');
        }
        if let Some(total) = &self.total {
            text.push_str(&format!("  all{:>20}{}\n", "", figures_text(total)));
        }
        text.push_str("Time (work on the card overlaps the CPU's):\n");
        for phase in self.phases {
            text.push_str(&format!("  {:<28} {:>9.3} s\n", phase.name, phase.seconds));
        }
        text.push_str(&format!("  {:<28} {:>9.3} s\n", "total", self.seconds));
        text
    }
}

fn figures_text(figures: &CardFigures) -> String {
    format!(
        "  {:>14} cycles  {:>14} additions  {} additions per cycle",
        grouped(figures.cycles),
        grouped(figures.additions),
        ratio_text(figures.additions_per_cycle)
    )
}
