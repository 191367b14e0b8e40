//! `spandrel card selftest`.

use super::args::CardArgs;
use super::error::CliError;
use super::open::open_driver;
use super::progress::Progress;
use super::report::{CardReport, grouped, print_json, print_text};
use crate::backend::{Backend, Card, CardProgress, Cpu, Dual};
use crate::curve::{Bn254G1, Grumpkin, MsmCurve};
use crate::hash::{CardHasher, CpuHasher, DualHasher, HashBackend, Output};
use crate::workload::{self, BaseKind, Distribution};
use clap::Args;
use serde::Serialize;
use spandrel_abi::{CurveId, POSEIDON_MAX_WIDTH, POSEIDON_MIN_WIDTH};
use spandrel_driver::CardOptions;
use std::sync::Arc;

/// Points of the self-test's multi-scalar multiplication.
const SELF_TEST_POINTS: usize = 64;

/// Messages of the self-test's hashes of each width.
const SELF_TEST_MESSAGES: usize = 32;

/// `spandrel card selftest`.
#[derive(Debug, Args)]
pub(super) struct SelfTest {
    #[command(flatten)]
    card: CardArgs,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
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
    /// For every width of the hash engine.
    hashes: Vec<HashTest>,
}

/// Hashes that were compared with the CPU's.
#[derive(Serialize)]
struct HashTest {
    width: u32,
    messages: usize,
    equal: bool,
    /// Engine cycles.
    cycles: u64,
}

impl SelfTest {
    pub(super) fn run(&self) -> Result<(), CliError> {
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
        let mut hashes = Vec::new();
        if report.identification.has_poseidon {
            progress.set_phase("hashes, compared with the CPU");
            hashes = compare_hashes(open_driver(&self.card, CardOptions::default())?, &progress)?;
        }
        progress.finish();
        if self.json {
            return print_json(&SelfTestReport {
                card: report,
                self_test_cycles,
                msm_points: SELF_TEST_POINTS,
                msm_equal: true,
                msm_cycles,
                hashes,
            });
        }
        let mut text = format!(
            "{name}: known answers are right ({} cycles).\n\
             {name}: an MSM of {SELF_TEST_POINTS} points equals the CPU's ({} cycles).\n",
            grouped(self_test_cycles),
            grouped(msm_cycles.unwrap_or_default())
        );
        for HashTest { width, messages, cycles, .. } in hashes {
            let cycles = grouped(cycles);
            text +=
                &format!("{name}: {messages} hashes of width {width} equal the CPU's ({cycles} cycles).\n");
        }
        print_text(&text)
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

/// Hashes messages on card and CPU, in every width that the card has lanes for. A disagreement is an error of its own.
fn compare_hashes(card: spandrel_driver::Card, progress: &Arc<Progress>) -> Result<Vec<HashTest>, CliError> {
    let identification = *card.identification();
    let progress = Arc::clone(progress);
    let card = CardHasher::new(card, Arc::new(move |told| progress.set_cycles(told.cycles)));
    let dual = DualHasher::new(Box::new(CpuHasher::new()), Box::new(card));
    let widths = (POSEIDON_MIN_WIDTH..=POSEIDON_MAX_WIDTH).filter(|width| identification.lanes(*width) > 0);
    let test = |width: u32| {
        let inputs = workload::elements(SELF_TEST_MESSAGES * (width as usize - 1), 0);
        let outcome = dual.hash(width as usize, Output::First, &inputs)?;
        let cycles = outcome.card.map_or(0, |run| run.counters.cycles);
        Ok(HashTest { width, messages: SELF_TEST_MESSAGES, equal: true, cycles })
    };
    widths.map(test).collect()
}
