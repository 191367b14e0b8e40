//! Arguments that several commands share, and what they open.

use super::error::CliError;
use super::open::open_driver;
use super::progress::Progress;
use super::report::CardReport;
use crate::backend::{Backend, Card, Cpu, Dual, OnProgress};
use crate::curve::{Bn254G1, MsmCurve};
use clap::{Args, ValueEnum};
use spandrel_driver::CardOptions;
use std::path::PathBuf;
use std::sync::Arc;

/// What computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum BackendChoice {
    /// The CPU, on all cores.
    Cpu,
    /// A card.
    Card,
    /// Both, and every result compared.
    Dual,
}

/// Which card.
#[derive(Clone, Debug, Args)]
pub(super) struct CardArgs {
    /// The card: `sim` or `sim:PROFILE` (a name from `spandrel card list`, or the path of a .toml file); `vfio-user:PATH` (the socket of `spandrel sim serve`); `serial:DEVICE[:BAUD]` (a board at a serial line, or the terminal of `spandrel sim serve --pty`); a PCI address like `0000:3b:00.0`; or `sysfs:` and an address, on a machine of one's own without an IOMMU [default: sim:sim-small; for hashes and trees sim:sim-poseidon]
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
    /// Bits per window of the card's multi-scalar multiplications, one of those that `spandrel card info` shows; without it the card's driver chooses for each
    #[arg(long, value_name = "C")]
    pub(super) window_bits: Option<u32>,
    #[command(flatten)]
    pub(super) card: CardArgs,
}

/// The curve of bases and result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum CurveChoice {
    /// BN254's G1.
    Bn254,
    /// Grumpkin, whose coordinates are BN254's scalars; the card must have it.
    Grumpkin,
}

/// An open backend and what there is to say of its card.
pub(super) struct OpenBackend<C: MsmCurve = Bn254G1> {
    pub(super) backend: Box<dyn Backend<C>>,
    pub(super) card: Option<CardReport>,
}

impl BackendArgs {
    /// Refuses card options that a CPU backend would silently ignore.
    pub(super) fn check(&self) -> Result<(), CliError> {
        let card = &self.card;
        let given = card.card.is_some() || card.trace.is_some() || card.stalls.is_some();
        if self.backend == BackendChoice::Cpu && (given || self.window_bits.is_some()) {
            return Err(CliError::Usage(
                "--card, --trace, --stalls and --window-bits need --backend card or --backend dual: the CPU has no card"
                    .to_owned(),
            ));
        }
        Ok(())
    }

    /// Opens the backend for BN254's G1.
    pub(super) fn open(&self, progress: &Arc<Progress>) -> Result<OpenBackend, CliError> {
        let progress = Arc::clone(progress);
        self.open_on(CardOptions::default(), Arc::new(move |told| progress.set_cycles(told.cycles)))
    }

    /// Opens the backend for a curve; the card is driven with these options and tells how far it has come.
    pub(super) fn open_on<C: MsmCurve>(
        &self,
        options: CardOptions,
        on_progress: OnProgress,
    ) -> Result<OpenBackend<C>, CliError> {
        if self.backend == BackendChoice::Cpu {
            return Ok(OpenBackend { backend: Box::new(Cpu::on_curve()), card: None });
        }
        let card = open_driver(&self.card, options)?;
        let card = Card::on_curve(card, on_progress)?.with_window_bits(self.window_bits);
        let identification = card.identification();
        let report =
            identification.map(|identification| CardReport { description: card.describe(), identification });
        let backend: Box<dyn Backend<C>> = match self.backend {
            BackendChoice::Dual => Box::new(Dual::new(Box::new(Cpu::on_curve()), Box::new(card))),
            _ => Box::new(card),
        };
        Ok(OpenBackend { backend, card: report })
    }
}
