//! `spandrel bench driver`.

use super::args::CardArgs;
use super::error::CliError;
use super::open::open_driver;
use super::progress::Progress;
use super::report::{CardReport, grouped, print_json, print_text};
use clap::Args;
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use spandrel_abi::HOST_ALIGNMENT;
use spandrel_driver::{Card, CardOptions, DriverError};
use std::time::Instant;

/// What is measured where no card is named.
const PCIE_CARD: &str = "sim:sim-pcie";
/// Reads of the 64-bit cycle counter; each is two register reads.
const COUNTER_READS: u32 = 500;
/// Bytes of a line of card memory.
const LINE_BYTES: usize = spandrel_abi::CARD_ALIGNMENT as usize;
/// Commands without work.
const EMPTY_COMMANDS: u32 = 100;

/// Measures the way to a card: register reads, a command without work, and copies to card memory and back.
///
/// Times are the host's; cycles are the card's own. Of a simulated card the times are those of the simulation and only
/// the cycles mean anything for hardware. A copy's whole rate is its bytes over the cycles from the fetch of its command to
/// its completion; its streaming rate is that of all but the first line, over the cycles beyond those of a copy of one line,
/// so without the latencies of command, memory and completion. Shares are of what the card's packet streams (without PCIe:
/// its host bus) could move.
///
/// Without --card it measures the simulated PCIe card twice: in this process, and served by another over vfio-user.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  spandrel bench driver --json
  spandrel bench driver --card vfio-user:/tmp/card.sock")]
pub(super) struct BenchDriver {
    #[command(flatten)]
    card: CardArgs,
    /// Largest copy in KiB; the others are a quarter and a sixteenth of it
    #[arg(long, default_value_t = 1024, value_name = "KIB", value_parser = clap::value_parser!(u32).range(16..=1 << 20))]
    copy_kib: u32,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Reports {
    cards: Vec<Report>,
}

#[derive(Serialize)]
struct Report {
    card: CardReport,
    /// Bytes that the card's packet stream, or without PCIe its host bus, could move in a cycle, each way.
    stream_bytes: u32,
    register_read: Access,
    empty_command: Access,
    /// A copy of one line of 64 bytes.
    line: Copied,
    copies: [Copies; 3],
}

/// What one access takes.
#[derive(Clone, Copy, Serialize)]
struct Access {
    /// Microseconds of the host.
    microseconds: f64,
    /// Cycles of the card.
    cycles: f64,
}

/// What was copied, and the cycles of each command.
#[derive(Clone, Copy, Serialize)]
struct Copied {
    bytes: usize,
    to_card_cycles: u64,
    from_card_cycles: u64,
}

#[derive(Clone, Copy, Serialize)]
struct Copies {
    #[serde(flatten)]
    copied: Copied,
    whole: Rates,
    streaming: Rates,
}

/// Bytes per cycle, and as a part of what the stream could move.
#[derive(Clone, Copy, Serialize)]
struct Rates {
    to_card_bytes_per_cycle: f64,
    from_card_bytes_per_cycle: f64,
    to_card_share: f64,
    from_card_share: f64,
}

impl Copied {
    fn rates(&self, stream_bytes: u32) -> Rates {
        let rate = |cycles: u64| self.bytes as f64 / (cycles as f64).max(1.0);
        let share = |cycles| rate(cycles) / f64::from(stream_bytes);
        Rates {
            to_card_bytes_per_cycle: rate(self.to_card_cycles),
            from_card_bytes_per_cycle: rate(self.from_card_cycles),
            to_card_share: share(self.to_card_cycles),
            from_card_share: share(self.from_card_cycles),
        }
    }

    fn beyond(&self, less: &Copied) -> Copied {
        Copied {
            bytes: self.bytes.saturating_sub(less.bytes),
            to_card_cycles: self.to_card_cycles.saturating_sub(less.to_card_cycles),
            from_card_cycles: self.from_card_cycles.saturating_sub(less.from_card_cycles),
        }
    }
}

impl BenchDriver {
    pub(super) fn run(&self) -> Result<(), CliError> {
        let progress = Progress::new();
        let mut cards = Vec::new();
        if self.card.card.is_some() {
            cards.push(self.open_and_measure(&self.card, &progress)?);
        } else {
            let named = |card: &str| CardArgs { card: Some(card.to_owned()), ..self.card.clone() };
            cards.push(self.open_and_measure(&named(PCIE_CARD), &progress)?);
            #[cfg(feature = "sim")]
            {
                progress.set_phase("serve the card");
                let served = super::served::Served::start(PCIE_CARD, &self.card)?;
                let connected = CardArgs { card: Some(served.card()), trace: None, stalls: None };
                cards.push(self.open_and_measure(&connected, &progress)?);
            }
        }
        progress.finish();
        if self.json {
            return print_json(&Reports { cards });
        }
        cards.iter().try_for_each(|report| print_text(&report.text()))
    }

    fn open_and_measure(&self, arguments: &CardArgs, progress: &Progress) -> Result<Report, CliError> {
        progress.set_phase("open the card");
        let mut card = open_driver(arguments, CardOptions::default())?;
        let measured = self.measure(&mut card, progress);
        measured.map_err(|source| CliError::Card { card: card.name().to_owned(), source: source.into() })
    }

    fn measure(&self, card: &mut Card, progress: &Progress) -> Result<Report, DriverError> {
        progress.set_phase("register reads");
        // One read of the counter ends each measurement, so the first is made outside.
        card.cycles()?;
        let register_read = timed(card, 2 * COUNTER_READS, |card| {
            (0..COUNTER_READS).try_for_each(|_| card.cycles().map(drop))
        })?;
        progress.set_phase("empty commands");
        let empty_command = timed(card, EMPTY_COMMANDS, |card| {
            (0..EMPTY_COMMANDS).try_for_each(|_| card.identify().map(drop))
        })?;
        progress.set_phase("copies");
        let mut data = vec![0; self.copy_kib as usize * 1024];
        ChaCha8Rng::seed_from_u64(0).fill_bytes(&mut data);
        let mut copy = |bytes: usize| -> Result<Copied, DriverError> {
            let measured = card.loopback(&data[..bytes])?;
            let (to_card_cycles, from_card_cycles) = (measured.load_cycles, measured.read_cycles);
            Ok(Copied { bytes, to_card_cycles, from_card_cycles })
        };
        let most = data.len();
        let line = copy(LINE_BYTES)?;
        let copied = [copy(most / 16)?, copy(most / 4)?, copy(most)?];
        let stream_bytes = card.link()?.map_or(HOST_ALIGNMENT as u32, |link| link.stream_bits / 8);
        Ok(Report {
            card: CardReport { description: card.name().to_owned(), identification: *card.identification() },
            stream_bytes,
            register_read,
            empty_command,
            line,
            copies: copied.map(|copied| Copies {
                copied,
                whole: copied.rates(stream_bytes),
                streaming: copied.beyond(&line).rates(stream_bytes),
            }),
        })
    }
}

/// What each of `count` accesses took on average.
fn timed(
    card: &mut Card,
    count: u32,
    accesses: impl FnOnce(&mut Card) -> Result<(), DriverError>,
) -> Result<Access, DriverError> {
    let (before, started) = (card.cycles()?, Instant::now());
    accesses(card)?;
    let elapsed = started.elapsed();
    let cycles = card.cycles()?.saturating_sub(before);
    Ok(Access {
        microseconds: elapsed.as_secs_f64() * 1e6 / f64::from(count),
        cycles: cycles as f64 / f64::from(count),
    })
}

impl Report {
    fn text(&self) -> String {
        let mut text = format!("{}\n", self.card.description);
        for (name, access) in
            [("register read", self.register_read), ("command without work", self.empty_command)]
        {
            let Access { microseconds, cycles } = access;
            text.push_str(&format!("  {name:<22} {microseconds:>10.2} µs, {cycles:>8.1} cycles\n"));
        }
        let Copied { to_card_cycles, from_card_cycles, .. } = self.line;
        text.push_str(&format!(
            "  one line of 64 bytes   {to_card_cycles} cycles to the card, {from_card_cycles} from it\n"
        ));
        for Copies { copied, whole, streaming } in &self.copies {
            let name = format!("{} bytes", grouped(copied.bytes as u64));
            for (name, kind, rates) in [(name.as_str(), "streaming", streaming), ("", "whole command", whole)]
            {
                text.push_str(&format!(
                    "  {name:<22} {kind:<13} {:>5.2} bytes a cycle to the card ({:.1} %), {:>5.2} from it ({:.1} %)\n",
                    rates.to_card_bytes_per_cycle,
                    100.0 * rates.to_card_share,
                    rates.from_card_bytes_per_cycle,
                    100.0 * rates.from_card_share
                ));
            }
        }
        text
    }
}
