//! Short names of errors.

use spandrel_driver::{DriverError, Opcode, TransportError};

/// What an error is, in a few words.
pub(super) fn kind(error: &DriverError) -> String {
    let name = match error {
        DriverError::CommandFailed { opcode: Opcode::Msm, status } => return format!("status {status:?}"),
        DriverError::CommandFailed { opcode, status } => return format!("{opcode:?}: status {status:?}"),
        DriverError::QueueFault { code, .. } => {
            let status = spandrel_driver::Status::from_code(*code);
            return match status {
                Ok(status) => format!("queue fault {status:?}"),
                Err(code) => format!("queue fault {code}"),
            };
        }
        DriverError::QueueCorrupted { .. } => "completion ring corrupted",
        DriverError::TimedOut { .. } => "command timed out",
        DriverError::CardGone { .. } => "card gone",
        DriverError::AbiMismatch { .. } => "other interface version",
        DriverError::ResultNotWritten { .. } => "result not written",
        DriverError::ResetBehindDriver => "reset behind the driver",
        DriverError::JobLost => "job lost by a reset",
        DriverError::Transport(TransportError::Allocation { .. }) => "no memory for the card",
        DriverError::Transport(TransportError::AccessFailed { .. }) => "register access failed",
        DriverError::Transport(TransportError::Io { .. }) => "refused by the system",
        DriverError::Transport(TransportError::Disconnected { .. }) => "simulator gone",
        DriverError::Transport(_) => "transport",
        _ => return format!("{error:?}"),
    };
    name.to_owned()
}
