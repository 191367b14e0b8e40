//! `spandrel card`, and the opening of cards.

use super::args::CardArgs;
use super::card_bus::{Binding, OnBus, SystemArgs, bus_line, cards_on_bus};
use super::card_load::{Load, check_running_against};
use super::card_reset::Reset;
use super::card_selftest::SelfTest;
use super::card_watch::Watch;
use super::error::CliError;
use super::open::{open_driver, simulated_cards};
use super::progress::Progress;
use super::report::{CardReport, adder_name, curve_name, grouped, listed, print_json, print_text};
use clap::{Args, Subcommand};
use serde::Serialize;
use spandrel_abi::{CurveId, Identification, POSEIDON_MAX_WIDTH, POSEIDON_MIN_WIDTH};
use spandrel_driver::{CardOptions, FoundCard, Link, PciAddress, System, find_card};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Lists, shows, watches and tests cards, and makes them usable.
#[derive(Debug, Subcommand)]
pub(super) enum CardCommand {
    /// Lists the cards that --card can name: those on the PCI bus, and the simulated ones.
    #[command(after_help = "\
Examples:
  spandrel card list
  spandrel card list --json")]
    List(List),
    /// Shows what a card says of itself, and the link to it. The card is reset for that.
    #[command(after_help = "\
Ends with 7 if the card does not run the image of --manifest.

Examples:
  spandrel card info --card serial:/dev/ttyUSB1 --manifest build/acorn-cle215/card.json
  spandrel card info --card sim:sim-small
  spandrel card info --card 0000:3b:00.0 --json")]
    Info(Info),
    Load(Load),
    /// Gives a card on the PCI bus to vfio-pci, the kernel's driver for cards that processes drive.
    #[command(after_help = "\
Needs root, an IOMMU that is switched on, and the module vfio-pci. To use the card as another user afterwards, that user
needs the file of the card's IOMMU group in /dev/vfio. The card keeps to vfio-pci until `spandrel card unbind` or the
next boot.

Example:
  sudo modprobe vfio-pci
  sudo spandrel card bind 0000:3b:00.0
  sudo chown $USER /dev/vfio/12")]
    Bind(Binding),
    /// Takes a card from vfio-pci.
    #[command(after_help = "\
Needs root. Refused while a process uses the card.

Example:
  sudo spandrel card unbind 0000:3b:00.0")]
    Unbind(Binding),
    Reset(Reset),
    Watch(Watch),
    /// Has a card run its known answers, and compares a small multi-scalar multiplication and hashes with the CPU.
    #[command(after_help = "\
Ends with 0 if everything agrees and with 4 if not.

Example:
  spandrel card selftest --card sim:sim-small --stalls 1")]
    Selftest(SelfTest),
}

/// `spandrel card list`.
#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    system: SystemArgs,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

/// `spandrel card info`.
#[derive(Debug, Args)]
pub(super) struct Info {
    #[command(flatten)]
    card: CardArgs,
    /// The manifest of the bitstream that the card should run: board, interface and git revision must agree
    #[arg(long, value_name = "CARD.json")]
    manifest: Option<PathBuf>,
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
struct InfoReport {
    #[serde(flatten)]
    card: CardReport,
    /// `null` for a card without a PCIe link.
    link: Option<LinkInfo>,
    /// What the system says of a card on the bus.
    bus: Option<OnBus>,
}

/// The link as the card tells.
#[derive(Serialize)]
struct LinkInfo {
    gigatransfers: Option<f64>,
    lanes: Option<u32>,
    max_payload_bytes: u32,
    max_read_bytes: u32,
    bus_master: bool,
    msix_enable: bool,
    stream_bits: u32,
    faults: BTreeMap<&'static str, u32>,
}

impl From<Link> for LinkInfo {
    fn from(link: Link) -> LinkInfo {
        LinkInfo {
            gigatransfers: link.speed.gigatransfers,
            lanes: link.speed.lanes,
            max_payload_bytes: link.max_payload_bytes,
            max_read_bytes: link.max_read_bytes,
            bus_master: link.bus_master,
            msix_enable: link.msix_enable,
            stream_bits: link.stream_bits,
            faults: link.faults.counts().into(),
        }
    }
}

impl CardCommand {
    pub(super) fn run(&self) -> Result<(), CliError> {
        match self {
            CardCommand::List(command) => command.run(),
            CardCommand::Info(command) => command.run(),
            CardCommand::Load(command) => command.run(),
            CardCommand::Bind(command) => command.bind(),
            CardCommand::Unbind(command) => command.unbind(),
            CardCommand::Reset(command) => command.run(),
            CardCommand::Watch(command) => command.run(),
            CardCommand::Selftest(command) => command.run(),
        }
    }
}

impl List {
    fn run(&self) -> Result<(), CliError> {
        let cards = simulated_cards()?;
        let system = self.system.system();
        let on_bus = cards_on_bus(&system);
        if self.json {
            return print_json(&serde_json::json!({ "cards": cards, "pci_cards": on_bus }));
        }
        for card in &on_bus {
            print_text(&bus_line(&system, card))?;
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
        if cards.is_empty() && on_bus.is_empty() {
            print_text("No card: none is on the PCI bus, and this build has no simulator.\n")?;
        }
        Ok(())
    }
}

impl Info {
    fn run(&self) -> Result<(), CliError> {
        let progress = Arc::new(Progress::new());
        progress.set_phase("open the card");
        let mut card = open_driver(&self.card, CardOptions::default())?;
        progress.finish();
        if let Some(manifest) = &self.manifest {
            check_running_against(manifest, &card)?;
        }
        let name = card.name().to_owned();
        let link =
            card.link().map_err(|source| CliError::Card { card: name.clone(), source: source.into() })?;
        let report = CardReport { description: name, identification: *card.identification() };
        // As the system sees it, while the card is open.
        let address = self.card.card.as_deref().map(|card| card.strip_prefix("sysfs:").unwrap_or(card));
        let address = address.and_then(|card| card.parse::<PciAddress>().ok());
        let found = address.and_then(|address| find_card(&System::default(), address).ok());
        if self.json {
            return print_json(&InfoReport {
                card: report,
                link: link.map(LinkInfo::from),
                bus: found.map(OnBus::from),
            });
        }
        print_text(&(info_text(&report) + &link_text(link.as_ref(), found.as_ref())))
    }
}

/// What is known of the way to the card.
fn link_text(link: Option<&Link>, found: Option<&FoundCard>) -> String {
    let mut text = String::new();
    if let Some(link) = link {
        let faults: Vec<_> =
            link.faults.counts().iter().map(|(name, count)| format!("{count} {name}")).collect();
        let packets =
            format!("payloads of {}, reads of {} bytes", link.max_payload_bytes, link.max_read_bytes);
        text.push_str(&format!(
            "Link           {}, {packets}, stream of {} bits\n",
            link.speed, link.stream_bits
        ));
        text.push_str(&format!("Link faults    {}\n", faults.join(", ")));
    }
    if let Some(found) = found {
        let or_none = |name: &Option<String>| name.clone().unwrap_or_else(|| "none".to_owned());
        text.push_str(&format!("Driver         {}\n", or_none(&found.driver)));
        text.push_str(&format!("IOMMU group    {}\n", or_none(&found.iommu_group)));
        text.push_str(&format!("Slot           {}\n", found.link_at_most));
    }
    text
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
        has_poseidon,
        poseidon_latency_cycles,
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
    let lanes = (POSEIDON_MIN_WIDTH..=POSEIDON_MAX_WIDTH)
        .map(|width| (width, report.identification.lanes(width)))
        .filter(|(_, lanes)| *lanes > 0)
        .map(|(width, lanes)| format!("{lanes} lane(s) of width {width}"));
    let lanes: Vec<_> = lanes.collect();
    let poseidon =
        engine(has_poseidon, format!("{}, a pass in {poseidon_latency_cycles} cycles", lanes.join(", ")));
    format!(
        "Card           {}\n\
         Board          {board}\n\
         Interface      {abi_major}.{abi_minor}\n\
         Git revision   {git_revision:08x}\n\
         Clock          {} kHz\n\
         Card memory    {} KiB\n\
         MSM engine     {msm}\n\
         Field engine   {field}\n\
         Hash engine    {poseidon}\n",
        report.description,
        grouped(clock_khz.into()),
        grouped(card_memory_kib.into()),
    )
}
