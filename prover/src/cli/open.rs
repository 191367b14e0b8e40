//! From what --card says to an open card.

use super::args::CardArgs;
use super::error::CliError;
use spandrel_driver::{
    Card, CardOptions, SERIAL_PREFIX, SerialName, SerialTransport, System, Transport, VfioUser, is_pci_name, open_pci,
};
use std::path::Path;

#[cfg(feature = "sim")]
pub(super) use super::simulated::{open_simulated, simulated_cards};

/// Before the path of the socket of a simulator in another process.
const VFIO_USER_PREFIX: &str = "vfio-user:";

/// Opens the card, ready for commands.
pub(super) fn open_driver(arguments: &CardArgs, options: CardOptions) -> Result<Card, CliError> {
    let transport = open_transport(arguments)?;
    let card = format!("card {}", transport.describe());
    Card::open(transport, options).map_err(|error| CliError::Card { card, source: error.into() })
}

/// Opens the way to the card that --card names.
fn open_transport(arguments: &CardArgs) -> Result<Box<dyn Transport>, CliError> {
    let name = arguments.card.as_deref().unwrap_or("sim");
    let failed = |source| CliError::Card { card: format!("card {name}"), source };
    if name == "sim" || name.starts_with("sim:") {
        return open_in_process(arguments);
    }
    if arguments.trace.is_some() || arguments.stalls.is_some() {
        return Err(CliError::Usage(format!(
            "--trace and --stalls are for a card that this process simulates, and {name} is none: give them to \
             `spandrel sim serve`, or use --card sim"
        )));
    }
    if name.starts_with(SERIAL_PREFIX) {
        let name: SerialName = name.parse().map_err(|error| CliError::Usage(format!("{error}")))?;
        return match SerialTransport::open(&name) {
            Ok(transport) => Ok(Box::new(transport)),
            Err(error) => Err(failed(error.into())),
        };
    }
    match name.strip_prefix(VFIO_USER_PREFIX) {
        Some("") => Err(no_such_card(name)),
        Some(path) => match VfioUser::connect(Path::new(path)) {
            Ok(transport) => Ok(Box::new(transport)),
            Err(error) => Err(failed(error.into())),
        },
        None if is_pci_name(name) => open_pci(&System::default(), name).map_err(|error| failed(error.into())),
        None => Err(no_such_card(name)),
    }
}

/// The error for what names no card.
pub(super) fn no_such_card(name: &str) -> CliError {
    CliError::Usage(format!(
        "there is no card \"{name}\": give `sim` or `sim:PROFILE`, `vfio-user:PATH` with the socket of a `spandrel sim \
         serve`, `serial:DEVICE[:BAUD]` with a serial device, or a PCI address like `0000:3b:00.0`; `spandrel card list` shows what there is"
    ))
}

#[cfg(feature = "sim")]
fn open_in_process(arguments: &CardArgs) -> Result<Box<dyn Transport>, CliError> {
    super::simulated::open_in_process(arguments)
}

#[cfg(not(feature = "sim"))]
fn open_in_process(_: &CardArgs) -> Result<Box<dyn Transport>, CliError> {
    Err(CliError::Usage(
        "this build has no simulated card: use --backend cpu or another --card, or build with the feature `sim`"
            .to_owned(),
    ))
}

#[cfg(not(feature = "sim"))]
pub(super) fn simulated_cards() -> Result<Vec<super::card::Listed>, CliError> {
    Ok(Vec::new())
}
