//! The serial device itself.

use crate::transport::TransportError;
use serialport::{ClearBuffer, DataBits, ErrorKind, FlowControl, Parity, SerialPort, StopBits, TTYPort};
use std::io;
use std::path::Path;
use std::time::Duration;

/// How long a read or a write may wait for the device.
const WAIT: Duration = Duration::from_millis(100);
/// Where the kernel keeps pseudo-terminals.
const PSEUDO_TERMINALS: &str = "/dev/pts/";

/// Opens a device, for this process alone.
pub(super) fn open(path: &Path, card: &str, baud: u32) -> Result<TTYPort, TransportError> {
    let text = path.to_str().ok_or_else(|| {
        TransportError::Other(format!("{card}: give the device by a path that is valid UTF-8"))
    })?;
    let port = serialport::new(text, baud)
        .data_bits(DataBits::Eight)
        .parity(Parity::None)
        .stop_bits(StopBits::One)
        .flow_control(FlowControl::None)
        .timeout(WAIT)
        .exclusive(true);
    let port = TTYPort::open(&port).map_err(|error| why(&error, path, card))?;
    // What was sent to somebody before.
    let _ = port.clear(ClearBuffer::All);
    Ok(port)
}

fn why(error: &serialport::Error, path: &Path, card: &str) -> TransportError {
    let path_text = path.display();
    // The library tells these by their text only.
    let text = error.to_string().to_lowercase();
    let busy = ["busy", "lock", "temporarily unavailable"].iter().any(|word| text.contains(word));
    match error.kind() {
        _ if busy => TransportError::InUse { card: card.to_owned() },
        ErrorKind::Io(io::ErrorKind::NotFound) | ErrorKind::NoDevice if !path.exists() => {
            TransportError::Other(format!(
                "there is no device {path_text}: is the board plugged in, and does `dmesg` tell its name?"
            ))
        }
        ErrorKind::Io(io::ErrorKind::PermissionDenied) => TransportError::Other(format!(
            "permission denied on {path_text}: add yourself to its group (`ls -l {path_text}` shows it, often dialout), or \
             run as root"
        )),
        _ => TransportError::Other(format!(
            "{path_text} cannot be used as a serial line ({error}): give a serial device, such as /dev/ttyUSB0"
        )),
    }
}

/// Whether the device is a pseudo-terminal, behind which there is a program and so a simulated card.
pub(super) fn is_pseudo_terminal(path: &Path) -> bool {
    path.canonicalize().is_ok_and(|path| path.starts_with(PSEUDO_TERMINALS))
}

/// Sets the bit rate.
pub(super) fn set_baud(port: &mut TTYPort, baud: u32, card: &str) -> Result<(), TransportError> {
    port.set_baud_rate(baud).map_err(|error| {
        TransportError::Other(format!("{card} cannot be set to {baud} bits a second ({error}): give another rate"))
    })
}
