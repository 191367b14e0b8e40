//! `spandrel card watch`.

use super::args::CardArgs;
use super::card_bus::{SystemArgs, bus_error};
use super::error::CliError;
use super::interrupt;
use super::open::open_driver;
use super::report::{grouped, print_text};
use clap::Args;
use serde::Serialize;
use spandrel_driver::{Card, CardOptions, DriverError, Monitor, PciAddress, Snapshot};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// How often a pause looks whether it is to end.
const PATIENCE: Duration = Duration::from_millis(50);

/// Shows what a card does, once a second, until Ctrl-C.
///
/// A card on the PCI bus is looked at beside the process that uses it: registers are read and nothing is changed. That
/// needs root, and a kernel that does not guard the registers of a card in use. Any other card is opened for watching, so
/// that nobody else may be using it.
#[derive(Debug, Args)]
#[command(after_help = "\
busy says whether a command is being executed. The two pairs of numbers are the entries that wait in the submission and
in the completion ring, and the size of each. Additions per cycle are those of the MSM engine since the line before; the
most is the number of adders. Link faults are counted since the card's last reset.

Examples:
  spandrel card watch --card 0000:3b:00.0
  spandrel card watch --card 0000:3b:00.0 --json --count 60 > card.jsonl")]
pub(super) struct Watch {
    #[command(flatten)]
    card: CardArgs,
    #[command(flatten)]
    system: SystemArgs,
    /// Ends after so many looks
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0)]
    interval: f64,
    /// Prints one JSON object a line for each look
    #[arg(long)]
    json: bool,
}

/// The card, opened one way or the other.
enum Watched {
    Beside(Monitor),
    Own(Box<Card>),
}

#[derive(Serialize)]
struct Look {
    seconds: f64,
    cycles: u64,
    ready: bool,
    enabled: bool,
    busy: bool,
    fault: Option<u8>,
    submissions: u32,
    submission_entries: u32,
    completions: u32,
    completion_entries: u32,
    additions_per_cycle: Option<f64>,
    /// By name; `null` for a card without a PCIe link.
    link_faults: Option<serde_json::Map<String, serde_json::Value>>,
}

impl Watched {
    fn open(watch: &Watch) -> Result<Watched, CliError> {
        let name = watch.card.card.as_deref().unwrap_or_default();
        let address = name.strip_prefix("sysfs:").unwrap_or(name).parse::<PciAddress>().ok();
        Ok(match address {
            Some(address) => {
                let failed = |error| bus_error(&address.to_string(), error);
                let mut monitor = Monitor::beside(&watch.system.system(), address).map_err(failed)?;
                monitor.identification().map_err(|error| card_error(&address.to_string(), error))?;
                Watched::Beside(monitor)
            }
            None => Watched::Own(Box::new(open_driver(&watch.card, CardOptions::default())?)),
        })
    }

    fn snapshot(&mut self) -> Result<Snapshot, DriverError> {
        match self {
            Watched::Beside(monitor) => monitor.snapshot(),
            Watched::Own(card) => card.snapshot(),
        }
    }
}

fn card_error(name: &str, error: DriverError) -> CliError {
    let source = match error {
        DriverError::CardGone { .. } => "its registers read all ones: nobody uses the card, so that it is switched off, or it is off the bus \
             (`spandrel card list` shows which)".into(),
        error => error.into(),
    };
    CliError::Card { card: format!("card {name}"), source }
}

impl Watch {
    pub(super) fn run(&self) -> Result<(), CliError> {
        let interval = Duration::try_from_secs_f64(self.interval)
            .map_err(|error| CliError::Usage(format!("--interval {}: {error}", self.interval)))?;
        let name = self.card.card.as_deref().unwrap_or("sim");
        let mut card = Watched::open(self)?;
        let stop = interrupt::softly();
        let started = Instant::now();
        let overwrite = !self.json && std::io::stdout().is_terminal();
        let mut earlier: Option<Snapshot> = None;
        let mut looks = 0;
        while !stop.asked() {
            let now = card.snapshot().map_err(|error| card_error(name, error))?;
            let look = Look::new(started.elapsed(), &now, earlier.as_ref());
            looks += 1;
            let last = self.count == Some(looks);
            print_text(&match (self.json, overwrite) {
                (true, _) => {
                    serde_json::to_string(&look).map_err(|error| CliError::Other(error.to_string()))? + "\n"
                }
                (false, true) => format!("\r{}\x1b[K", look.line()),
                (false, false) => look.line() + "\n",
            })?;
            earlier = Some(now);
            if last {
                break;
            }
            let next = started + interval.saturating_mul(u32::try_from(looks).unwrap_or(u32::MAX));
            while !stop.asked() && Instant::now() < next {
                std::thread::sleep(PATIENCE.min(next.saturating_duration_since(Instant::now())));
            }
        }
        if overwrite {
            print_text("\n")?;
        }
        Ok(())
    }
}

impl Look {
    fn new(at: Duration, now: &Snapshot, earlier: Option<&Snapshot>) -> Look {
        let faults = |link: spandrel_driver::Link| {
            link.faults.counts().into_iter().map(|(name, count)| (name.to_owned(), count.into())).collect()
        };
        Look {
            seconds: at.as_secs_f64(),
            cycles: now.cycles,
            ready: now.ready,
            enabled: now.enabled,
            busy: now.busy,
            fault: now.fault,
            submissions: now.submissions,
            submission_entries: now.submission_entries,
            completions: now.completions,
            completion_entries: now.completion_entries,
            additions_per_cycle: earlier.and_then(|earlier| now.additions_per_cycle(earlier)),
            link_faults: now.link.map(faults),
        }
    }

    fn line(&self) -> String {
        let state = match (self.fault, self.ready, self.busy) {
            (Some(code), _, _) => format!("fault {code}"),
            (None, false, _) => "in reset".to_owned(),
            (None, true, true) => "busy".to_owned(),
            (None, true, false) if self.enabled => "idle".to_owned(),
            (None, true, false) => "disabled".to_owned(),
        };
        let additions = self.additions_per_cycle.map_or("-".to_owned(), |ratio| format!("{ratio:.3}"));
        let faults = self.link_faults.as_ref().map_or(String::new(), |faults| {
            let some = faults.iter().filter(|(_, count)| count.as_u64() != Some(0));
            let texts: Vec<_> = some.map(|(name, count)| format!("{count} {name}")).collect();
            format!(", link faults: {}", if texts.is_empty() { "none".to_owned() } else { texts.join(", ") })
        });
        format!(
            "{:>8.1} s, {} cycles, {state}, {}/{} submitted, {}/{} completed, {additions} additions/cycle{faults}",
            self.seconds,
            grouped(self.cycles),
            self.submissions,
            self.submission_entries,
            self.completions,
            self.completion_entries,
        )
    }
}
