//! Ctrl-C.

use super::error::CliError;
use crate::formats::ExclusiveOutput;

/// Exit code of an interrupted command: 128 + SIGINT, as shells count.
const INTERRUPTED: i32 = 130;

/// Ends the process on Ctrl-C, but never while outputs are being put in place: they are there whole or not
/// at all, and no temporary file stays behind. Everything else the process holds (maps, sockets, a simulated
/// card) goes with it.
pub(super) fn install() -> Result<(), CliError> {
    ctrlc::set_handler(|| {
        let _whole = ExclusiveOutput::take();
        eprintln!("\ninterrupted; nothing was left half written");
        std::process::exit(INTERRUPTED);
    })
    .map_err(|error| CliError::Other(format!("the handler of Ctrl-C cannot be installed: {error}")))
}
