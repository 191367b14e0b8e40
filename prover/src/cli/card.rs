//! `spandrel card`, and the opening of cards.

use super::args::CardArgs;
use super::error::CliError;
use super::open::{open_driver, simulated_cards};
use super::progress::Progress;
use super::report::{CardReport, adder_name, curve_name, grouped, listed, print_json, print_text};
use crate::backend::{Backend, Card, CardProgress, Cpu, Dual};
use crate::curve::{Bn254G1, Grumpkin, MsmCurve};
use crate::workload::{self, BaseKind, Distribution};
use clap::{Args, Subcommand};
use serde::Serialize;
use spandrel_abi::{CurveId, Identification};
use spandrel_driver::CardOptions;
use std::sync::Arc;

/// Points of the self-test's multi-scalar multiplication.
const SELF_TEST_POINTS: usize = 64;

/// Lists, shows and tests cards.
#[derive(Debug, Subcommand)]
pub(super) enum CardCommand {
    /// Lists the cards that --card can name.
    List(List),
    /// Shows what a card says of itself.
    Info(Info),
    /// Has a card run its known answers, and compares a small multi-scalar multiplication with the CPU.
    #[command(after_help = "\
Ends with 0 if everything agrees and with 4 if not.

Example:
  spandrel card selftest --card sim:sim-small --stalls 1")]
    Selftest(SelfTest),
}

/// `spandrel card list`.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

/// `spandrel card info`.
#[derive(Debug, Args)]
pub(super) struct Info {
    #[command(flatten)]
    card: CardArgs,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

/// `spandrel card selftest`.
#[derive(Debug, Args)]
pub(super) struct SelfTest {
    #[command(flatten)]
    card: CardArgs,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

/// A card that can be opened.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    /// What to give to --card.
    pub(super) card: String,
    /// What it is.
    pub(super) kind: &'static str,
    /// Assumed or real clock.
    pub(super) clock_khz: u32,
    /// Size of card memory.
    pub(super) card_memory_kib: u32,
    /// Curves of the MSM engine.
    pub(super) msm_curves: Vec<&'static str>,
    /// Bits per window that an MSM may choose.
    pub(super) msm_window_bits: Vec<u32>,
    /// Kind of point adder.
    pub(super) msm_adder: &'static str,
    /// Number of point adders.
    pub(super) msm_adders: u32,
}

#[derive(Serialize)]
struct SelfTestReport {
    card: CardReport,
    /// Cycles of the card's own known answers.
    self_test_cycles: u64,
    /// Points of the MSM that was compared with the CPU's.
    msm_points: usize,
    msm_equal: bool,
    msm_cycles: Option<u64>,
}

impl CardCommand {
    pub(super) fn run(&self) -> Result<(), CliError> {
        match self {
            CardCommand::List(command) => command.run(),
            CardCommand::Info(command) => command.run(),
            CardCommand::Selftest(command) => command.run(),
        }
    }
}

impl List {
    fn run(&self) -> Result<(), CliError> {
        let cards = simulated_cards()?;
        if self.json {
            return print_json(&serde_json::json!({ "cards": cards }));
        }
        for card in &cards {
            print_text(&format!(
                "{:<24} {}, {} kHz, {} KiB of card memory, {}, {} {} adder(s), windows of {} bits\n",
                card.card,
                card.kind,
                grouped(card.clock_khz.into()),
                grouped(card.card_memory_kib.into()),
                card.msm_curves.join(" and "),
                card.msm_adders,
                card.msm_adder,
                listed(&card.msm_window_bits)
            ))?;
        }
        if cards.is_empty() {
            print_text(
                "No card: this build has no simulator.
",
            )?;
        }
        Ok(())
    }
}

impl Info {
    fn run(&self) -> Result<(), CliError> {
        let progress = Arc::new(Progress::new());
        progress.set_phase("open the card");
        let card = open_driver(&self.card, CardOptions::default())?;
        progress.finish();
        let report =
            CardReport { description: card.name().to_owned(), identification: *card.identification() };
        if self.json {
            return print_json(&report);
        }
        print_text(&info_text(&report))
    }
}

fn info_text(report: &CardReport) -> String {
    let Identification {
        abi_major,
        abi_minor,
        git_revision,
        board,
        clock_khz,
        has_msm,
        has_field,
        msm_adders,
        msm_latency_cycles,
        card_memory_kib,
        field_latency_cycles,
        ..
    } = report.identification;
    let engine = |present: bool, text: String| if present { text } else { "none".to_owned() };
    let curves = CurveId::ALL.iter().filter(|curve| report.identification.has_curve(**curve));
    let curves: Vec<_> = curves.map(|curve| curve_name(*curve)).collect();
    let choices: Vec<_> = report.identification.window_choices().collect();
    let msm = engine(
        has_msm,
        format!(
            "{}, {msm_adders} {} adder(s) of {msm_latency_cycles} cycles, windows of {} bits",
            curves.join(" and "),
            adder_name(&report.identification),
            listed(&choices)
        ),
    );
    let field = engine(has_field, format!("Fq and Fr, multiplier of {field_latency_cycles} cycles"));
    format!(
        "Card           {}\n\
         Board          {board}\n\
         Interface      {abi_major}.{abi_minor}\n\
         Git revision   {git_revision:08x}\n\
         Clock          {} kHz\n\
         Card memory    {} KiB\n\
         MSM engine     {msm}\n\
         Field engine   {field}\n",
        report.description,
        grouped(clock_khz.into()),
        grouped(card_memory_kib.into()),
    )
}

impl SelfTest {
    fn run(&self) -> Result<(), CliError> {
        let progress = Arc::new(Progress::new());
        progress.set_phase("open the card");
        let mut card = open_driver(&self.card, CardOptions::default())?;
        let name = card.name().to_owned();
        let failed = |source: spandrel_driver::DriverError| CliError::Card {
            card: name.clone(),
            source: source.into(),
        };
        let report = CardReport { description: name.clone(), identification: *card.identification() };
        progress.set_phase("known answers");
        let self_test_cycles = card.self_test().map_err(failed)?;
        progress.set_phase("MSM, compared with the CPU");
        let msm_cycles = match card.identification().has_curve(CurveId::Bn254G1) {
            true => compare_msm::<Bn254G1>(card, &progress)?,
            false => compare_msm::<Grumpkin>(card, &progress)?,
        };
        progress.finish();
        if self.json {
            return print_json(&SelfTestReport {
                card: report,
                self_test_cycles,
                msm_points: SELF_TEST_POINTS,
                msm_equal: true,
                msm_cycles,
            });
        }
        print_text(&format!(
            "{name}: known answers are right ({} cycles).\n\
             {name}: an MSM of {SELF_TEST_POINTS} points equals the CPU's ({} cycles).\n",
            grouped(self_test_cycles),
            grouped(msm_cycles.unwrap_or_default())
        ))
    }
}

/// Runs a small MSM on card and CPU, and gives the card's engine cycles. A disagreement is an error of its own, with both
/// results.
fn compare_msm<C: MsmCurve>(
    card: spandrel_driver::Card,
    progress: &Arc<Progress>,
) -> Result<Option<u64>, CliError> {
    let progress = Arc::clone(progress);
    let on_progress = Arc::new(move |told: CardProgress| progress.set_cycles(told.cycles));
    let card = Card::<C>::on_curve(card, on_progress)?;
    let dual = Dual::new(Box::new(Cpu::<C>::on_curve()), Box::new(card));
    let bases = dual.load_bases(&workload::bases_of::<C>(SELF_TEST_POINTS, BaseKind::Distinct, 0))?;
    let scalars = workload::scalars_of::<C>(SELF_TEST_POINTS, Distribution::Uniform, 0);
    let outcome = dual.msm(&bases, 0..SELF_TEST_POINTS, &scalars)?;
    dual.release_bases(bases)?;
    Ok(outcome.card.map(|run| run.counters.cycles))
}
