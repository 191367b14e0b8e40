//! Ctrl-C, and the other ways in which a process is asked to end (SIGTERM, SIGHUP).

use super::error::CliError;
use crate::formats::ExclusiveOutput;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Exit code of an interrupted command: 128 + SIGINT, as shells count.
const INTERRUPTED: i32 = 130;

/// Whether the command ends by itself when it is asked to.
static SOFTLY: AtomicBool = AtomicBool::new(false);
/// Whether it was asked to.
static ASKED: AtomicBool = AtomicBool::new(false);

/// For a command that runs until it is asked to end: it must look often.
pub(super) struct Stop;

impl Stop {
    /// Whether the process was asked to end.
    pub(super) fn asked(&self) -> bool {
        ASKED.load(Ordering::Relaxed)
    }
}

/// From here on, the command ends by itself when it is asked to; asked a second time, the process ends at once.
pub(super) fn softly() -> Stop {
    SOFTLY.store(true, Ordering::Relaxed);
    Stop
}

/// What is still to be done when the process is asked to end.
static BEFORE_END: Mutex<Option<Box<dyn FnOnce() + Send>>> = Mutex::new(None);

/// Has something done when the process is asked to end: what nothing else would clean up after it. It must not wait.
#[cfg_attr(
    not(feature = "sim"),
    allow(dead_code, reason = "only a simulator that serves others leaves a file")
)]
pub(super) fn before_end(work: impl FnOnce() + Send + 'static) {
    *BEFORE_END.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(work));
}

/// Ends the process when it is asked to, but never while outputs are being put in place: they are there whole or not
/// at all, and no temporary file stays behind. Everything else the process holds (maps, sockets, a simulated
/// card) goes with it.
pub(super) fn install() -> Result<(), CliError> {
    ctrlc::set_handler(|| {
        if SOFTLY.load(Ordering::Relaxed) && !ASKED.swap(true, Ordering::Relaxed) {
            return;
        }
        let _whole = ExclusiveOutput::take();
        let work = BEFORE_END.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(work) = work {
            work();
        }
        // Not `eprintln!`, which panics where standard error is gone.
        let _ = std::io::stderr().write_all(b"\ninterrupted; nothing was left half written\n");
        // SAFETY: ends the process without running destructors, and touches no memory. `exit` would run those of
        // the compiled model while the card's thread is still inside it.
        unsafe { libc::_exit(INTERRUPTED) };
    })
    .map_err(|error| CliError::Other(format!("the handler of Ctrl-C cannot be installed: {error}")))
}
