//! `spandrel card reset`.

use super::args::CardArgs;
use super::error::CliError;
use super::open::open_driver;
use super::report::{print_json, print_text};
use clap::Args;
use serde::Serialize;
use spandrel_driver::CardOptions;
use std::time::Instant;

/// Resets a card and looks whether it works: its registers, its access to memory, and its queues.
///
/// Every command that opens a card resets it first, so that this is for finding out whether a card can be used.
#[derive(Debug, Args)]
#[command(after_help = "\
Ends with 0 if the card works and with 4 if not.

Examples:
  spandrel card reset --card 0000:3b:00.0
  spandrel card reset --card sim:sim-small --json")]
pub(super) struct Reset {
    #[command(flatten)]
    card: CardArgs,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    card: String,
    /// Of the host, for opening and resetting.
    seconds: f64,
    working: bool,
}

impl Reset {
    pub(super) fn run(&self) -> Result<(), CliError> {
        let started = Instant::now();
        let mut card = open_driver(&self.card, CardOptions::default())?;
        let name = card.name().to_owned();
        let identified = card.reset().and_then(|()| card.identify());
        identified.map_err(|source| CliError::Card { card: name.clone(), source: source.into() })?;
        let seconds = started.elapsed().as_secs_f64();
        if self.json {
            return print_json(&Report { card: name, seconds, working: true });
        }
        print_text(&format!("{name} is reset and works ({seconds:.2} s)\n"))
    }
}
