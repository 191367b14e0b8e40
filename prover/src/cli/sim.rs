//! `spandrel sim`.

use super::error::CliError;
use super::interrupt;
use super::report::print_text;
use super::simulated::{card_error, check_stalls, profile};
use clap::{Args, Subcommand};
use serde::Serialize;
use spandrel_hdl::profile::Profile;
use spandrel_sim::memory::GuestMemory;
use spandrel_sim::serial::{LineFaults, SerialOptions, SerialPty, SerialSim};
use spandrel_sim::server::{ServeError, Server};
use spandrel_sim::{PcieSim, SimOptions};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// The profile of `--card sim`: one with an endpoint.
const DEFAULT_PROFILE: &str = "sim-pcie";
/// The profile of `--card sim` behind a pseudo-terminal: one with a serial line.
const DEFAULT_SERIAL: &str = "sim-serial";

/// Runs simulated cards for others.
#[derive(Debug, Subcommand)]
pub(super) enum SimCommand {
    /// Serves a simulated PCIe card over a socket, to this command in another process or to a virtual machine; or one with a
    /// serial line as a pseudo-terminal.
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
  Serve a card with a serial line, and use the terminal that the first command prints like a board's device:
    spandrel sim serve --pty --card sim:sim-serial
    spandrel msm --points 16 --backend card --card serial:/dev/pts/3
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
    #[arg(long, value_name = "PATH", required_unless_present = "pty", conflicts_with = "pty")]
    socket: Option<PathBuf>,
    /// Makes a pseudo-terminal, at whose other end is the serial line of the card, and prints its path; the terminal's bit rate is the line's
    #[arg(long, conflicts_with_all = ["once", "stalls"])]
    pty: bool,
    /// With --pty: of a million bytes, so many arrive with a bit inverted, as many not at all, as many after one that nobody sent, as many late; in each direction
    #[arg(long, value_name = "N", requires = "pty", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    line_faults: u32,
    /// The card: `sim` or `sim:PROFILE`, a profile with a PCIe endpoint, or with --pty one with a serial line (a name from `spandrel card list`, or the path of a .toml file) [default: sim:sim-pcie, with --pty sim:sim-serial]
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
        let Some(socket) = &self.socket else { return self.run_pty() };
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
        let mut server = Server::bind(socket, card, memory).map_err(failed)?;
        let file = server.file();
        interrupt::before_end(move || file.remove());
        let ready = Ready {
            listening: socket,
            card: format!("sim:{}", profile.name),
            client: format!("vfio-user:{}", socket.display()),
            pid: std::process::id(),
        };
        self.print(&ready)?;
        server.run(self.once).map_err(failed)
    }
    /// Serves a card with a serial line, until it breaks down or this process is ended.
    fn run_pty(&self) -> Result<(), CliError> {
        let profile = profile(self.card.as_deref(), DEFAULT_SERIAL)?;
        check_stalls(&profile, self.stalls)?;
        let failed = |error: spandrel_sim::SimError| card_error(&profile, error.into());
        let mut pty = SerialPty::new(self.serial(&profile).map_err(failed)?).map_err(failed)?;
        let path = pty.path().to_owned();
        self.print(&Ready {
            listening: &path,
            card: format!("sim:{}", profile.name),
            client: format!("serial:{}", path.display()),
            pid: std::process::id(),
        })?;
        // Nothing has to be tidied up: the terminal goes with this process.
        pty.run(&AtomicBool::new(false)).map_err(failed)
    }

    fn serial(&self, profile: &Profile) -> Result<SerialSim, spandrel_sim::SimError> {
        let options = SimOptions { seed: 0, stalls: false, trace: self.trace.clone() };
        let faults = LineFaults::all(self.line_faults);
        SerialSim::new(profile, &options, SerialOptions { to_card: faults, to_host: faults, seed: 1 })
    }

    fn print(&self, ready: &Ready<'_>) -> Result<(), CliError> {
        match self.json {
            // One line, so that a script knows when it has it all.
            true => print_text(&format!(
                "{}\n",
                serde_json::to_string(ready).map_err(|error| CliError::Other(error.to_string()))?
            )),
            false => print_text(&format!(
                "Serving {} at {}: use it with --card {}. Ctrl-C ends it.\n",
                ready.card,
                ready.listening.display(),
                ready.client
            )),
        }
    }
}
