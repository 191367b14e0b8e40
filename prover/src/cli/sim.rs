//! `spandrel sim`.

use super::error::CliError;
use super::interrupt;
use super::report::print_text;
use super::simulated::{card_error, profile};
use clap::{Args, Subcommand};
use serde::Serialize;
use spandrel_sim::memory::GuestMemory;
use spandrel_sim::server::{ServeError, Server};
use spandrel_sim::{PcieSim, SimOptions};
use std::path::{Path, PathBuf};

/// The profile of `--card sim`: one with an endpoint.
const DEFAULT_PROFILE: &str = "sim-pcie";

/// Runs simulated cards for others.
#[derive(Debug, Subcommand)]
pub(super) enum SimCommand {
    /// Serves a simulated PCIe card over a socket, to this command in another process or to a virtual machine.
    ///
    /// Speaks the vfio-user protocol. One client has the card at a time, others are told that it is in use; when a client
    /// leaves, however it does, the card is reset for the next one. Between its clients' requests the card stands still and
    /// costs no time. Ends with Ctrl-C (130), with --once when its first client has left (0), or when the card breaks down
    /// (4).
    #[command(after_help = "\
Examples:
  Serve a card, and prove on it from another terminal:
    spandrel sim serve --socket /tmp/card
    spandrel prove circuit.zkey witness.wtns proof.json public.json --backend card --card vfio-user:/tmp/card
  Give it to a virtual machine: QEMU 10.1 or later, with these arguments among its own:
    -machine q35,memory-backend=mem
    -object memory-backend-memfd,id=mem,size=1G,share=on
    -device pcie-root-port,id=rp0,bus=pcie.0,chassis=1,slot=1
    -device '{\"driver\":\"vfio-user-pci\",\"bus\":\"rp0\",\"socket\":{\"type\":\"unix\",\"path\":\"/tmp/card\"},\"x-msg-timeout\":60000}'
  The guest's memory must be shared, or the card cannot reach it; the long time-out is for a simulated card's resets. For
  VFIO inside the guest add -device intel-iommu,intremap=on,caching-mode=on before the others.")]
    Serve(Serve),
}

/// `spandrel sim serve`.
#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Where to make the socket file; the file of a server that is dead is replaced
    #[arg(long, value_name = "PATH")]
    socket: PathBuf,
    /// The card: `sim` or `sim:PROFILE`, a profile with a PCIe endpoint (a name from `spandrel card list`, or the path of a .toml file) [default: sim:sim-pcie]
    #[arg(long, value_name = "CARD")]
    card: Option<String>,
    /// Gives the link and the card's memory random latency and back-pressure from this seed; without it they take the same time always
    #[arg(long, value_name = "SEED")]
    stalls: Option<u64>,
    /// Writes the card's waveform to this file, for GTKWave or Surfer: slow, large, and as .vcd where FST's headers are not installed
    #[arg(long, value_name = "FILE.fst")]
    trace: Option<PathBuf>,
    /// Ends when the first client that had the card has left
    #[arg(long)]
    once: bool,
    /// Prints one JSON object, on one line, when clients can connect, instead of a sentence.
    #[arg(long)]
    json: bool,
}

/// What there is to say once clients can connect.
#[derive(Serialize)]
struct Ready<'a> {
    /// The socket's path.
    listening: &'a Path,
    /// The card.
    card: String,
    /// What to give to --card.
    client: String,
    /// This process.
    pid: u32,
}

impl SimCommand {
    pub(super) fn run(&self) -> Result<(), CliError> {
        match self {
            SimCommand::Serve(command) => command.run(),
        }
    }
}

impl Serve {
    fn run(&self) -> Result<(), CliError> {
        let profile = profile(self.card.as_deref(), DEFAULT_PROFILE)?;
        if profile.pcie.is_none() {
            return Err(CliError::Usage(format!(
                "the card sim:{} has no PCIe endpoint to serve: give one whose profile has a table [pcie], such as \
                 --card sim:{DEFAULT_PROFILE}",
                profile.name
            )));
        }
        let options = SimOptions {
            seed: self.stalls.unwrap_or(0),
            stalls: self.stalls.is_some(),
            trace: self.trace.clone(),
        };
        let memory = GuestMemory::new();
        let card = PcieSim::new(&profile, &options, memory.clone())
            .map_err(|error| card_error(&profile, error.into()))?;
        let failed = |error: ServeError| match error {
            ServeError::Card(error) => card_error(&profile, error.into()),
            error => CliError::Other(error.to_string()),
        };
        let mut server = Server::bind(&self.socket, card, memory).map_err(failed)?;
        let file = server.file();
        interrupt::before_end(move || file.remove());
        let ready = Ready {
            listening: &self.socket,
            card: format!("sim:{}", profile.name),
            client: format!("vfio-user:{}", self.socket.display()),
            pid: std::process::id(),
        };
        match self.json {
            // One line, so that a script knows when it has it all.
            true => print_text(&format!(
                "{}\n",
                serde_json::to_string(&ready).map_err(|error| CliError::Other(error.to_string()))?
            ))?,
            false => print_text(&format!(
                "Serving {} at {}: use it with --card {}. Ctrl-C ends it.\n",
                ready.card,
                self.socket.display(),
                ready.client
            ))?,
        }
        server.run(self.once).map_err(failed)
    }
}
