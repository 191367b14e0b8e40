//! Arguments that several commands share, and what they open.

use super::error::CliError;
use super::progress::Progress;
use super::report::CardReport;
use crate::backend::{Backend, Cpu, Dual};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::sync::Arc;

/// What computes the G1 multi-scalar multiplications.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum BackendChoice {
    /// arkworks on all cores.
    Cpu,
    /// A card.
    Card,
    /// Both, and every result compared.
    Dual,
}

/// Which card.
#[derive(Clone, Debug, Args)]
pub(super) struct CardArgs {
    /// The card: `sim` or `sim:PROFILE` (a name from `spandrel card list`, or the path of a .toml file) [default: sim:sim-small]
    #[arg(long, value_name = "CARD")]
    pub(super) card: Option<String>,
    /// Writes the simulated card's waveform to this file, for GTKWave or Surfer: slow, large, and as .vcd where FST's headers are not installed
    #[arg(long, value_name = "FILE.fst")]
    pub(super) trace: Option<PathBuf>,
    /// Gives registers and memories of the simulated card random latency and back-pressure from this seed; without it they take the same time always
    #[arg(long, value_name = "SEED")]
    pub(super) stalls: Option<u64>,
}

/// Which backend, and which card it is to use.
#[derive(Clone, Debug, Args)]
pub(super) struct BackendArgs {
    /// What computes the G1 multi-scalar multiplications
    #[arg(long, value_enum, default_value = "cpu")]
    pub(super) backend: BackendChoice,
    #[command(flatten)]
    pub(super) card: CardArgs,
}

/// An open backend and what there is to say of its card.
pub(super) struct OpenBackend {
    pub(super) backend: Box<dyn Backend>,
    pub(super) card: Option<CardReport>,
}

impl BackendArgs {
    /// Refuses card options that a CPU backend would silently ignore.
    pub(super) fn check(&self) -> Result<(), CliError> {
        let card = &self.card;
        let given = card.card.is_some() || card.trace.is_some() || card.stalls.is_some();
        if self.backend == BackendChoice::Cpu && given {
            return Err(CliError::Usage(
                "--card, --trace and --stalls need --backend card or --backend dual: the CPU has no card"
                    .to_owned(),
            ));
        }
        Ok(())
    }

    /// Opens the backend.
    pub(super) fn open(&self, progress: &Arc<Progress>) -> Result<OpenBackend, CliError> {
        if self.backend == BackendChoice::Cpu {
            return Ok(OpenBackend { backend: Box::new(Cpu::new()), card: None });
        }
        let card = self.card.open(progress)?;
        let identification = card.identification();
        let report =
            identification.map(|identification| CardReport { description: card.describe(), identification });
        let backend = match self.backend {
            BackendChoice::Dual => Box::new(Dual::new(Box::new(Cpu::new()), card)),
            _ => card,
        };
        Ok(OpenBackend { backend, card: report })
    }
}
