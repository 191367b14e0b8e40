//! The simulated card behind a pseudo-terminal.

use super::sim::SerialSim;
use crate::SimError;
use serialport::{SerialPort as _, TTYPort};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Cycles between two looks at the terminal.
const SLICE_CYCLES: u64 = 256;
/// Slices for which a card that has nothing to do goes on: what came is on its way through the shell.
const LINGER_SLICES: u32 = 16;
/// How long one look at a terminal takes while the card has nothing to do.
const REST: Duration = Duration::from_millis(20);
/// Bytes that wait for the line; more stay in the terminal.
const MOST_PENDING: usize = 256;

/// What a simulated card did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PtyStatistics {
    /// Clock cycles simulated.
    pub cycles: u64,
    /// Faults that happened on the line.
    pub faults: u64,
}

/// A simulated card whose serial line is a pseudo-terminal. The terminal's bit rate is that of the line, so a program
/// that sets the wrong one does not understand the card, and a zero byte at a low rate is a break.
pub struct SerialPty {
    card: SerialSim,
    master: TTYPort,
    /// Held, so that the terminal stays while no program has it open.
    _slave: TTYPort,
    path: PathBuf,
    baud: u32,
    statistics: Arc<Mutex<PtyStatistics>>,
}

impl SerialPty {
    /// Opens a pseudo-terminal for a card.
    ///
    /// # Errors
    /// [`SimError::Io`] where the system has none.
    pub fn new(card: SerialSim) -> Result<SerialPty, SimError> {
        let failed = |error: serialport::Error| SimError::io("open a pseudo-terminal at", "/dev/ptmx")(error.into());
        let (mut master, mut slave) = TTYPort::pair().map_err(failed)?;
        // Others may open it; who does has it alone.
        slave.set_exclusive(false).map_err(failed)?;
        master.set_timeout(Duration::ZERO).map_err(failed)?;
        let path = PathBuf::from(slave.name().unwrap_or_default());
        Ok(SerialPty { card, master, _slave: slave, path, baud: 0, statistics: Arc::default() })
    }

    /// The terminal's path, to be opened like a serial device.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the card did so far, at any time.
    pub fn statistics(&self) -> Arc<Mutex<PtyStatistics>> {
        self.statistics.clone()
    }

    /// Simulates the card until `stop` is set. While it has nothing to do it stands still and costs no time.
    ///
    /// # Errors
    /// Those of the model and of the terminal.
    pub fn run(&mut self, stop: &AtomicBool) -> Result<(), SimError> {
        let mut idle = 0;
        while !stop.load(Ordering::Acquire) {
            let came = self.exchange(idle > LINGER_SLICES)?;
            idle = if came || self.card.is_active() { 0 } else { idle + 1 };
            if idle <= LINGER_SLICES {
                self.card.run(SLICE_CYCLES)?;
            }
            *self.statistics.lock().unwrap_or_else(PoisonError::into_inner) =
                PtyStatistics { cycles: self.card.cycles(), faults: self.card.faults() };
        }
        Ok(())
    }

    /// Passes bytes between line and terminal; whether any came from there.
    fn exchange(&mut self, resting: bool) -> Result<bool, SimError> {
        let failed = |error: io::Error| SimError::io("use the pseudo-terminal", &self.path)(error);
        let bytes = self.card.receive();
        if !bytes.is_empty() {
            match self.master.write(&bytes) {
                // What the terminal has no room for is lost, as on a board.
                Ok(_) => {}
                Err(error) if is_passing(&error) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        // The rate changes when everything that was sent before has left.
        let baud = self.master.baud_rate().map_err(|error| failed(error.into()))?;
        if baud != self.baud && self.card.pending() == 0 {
            self.baud = baud;
            self.card.set_baud(baud);
        }
        if baud != self.baud || self.card.pending() >= MOST_PENDING {
            return Ok(false);
        }
        let wait = if resting { REST } else { Duration::ZERO };
        let mut bytes = [0; MOST_PENDING];
        let count = self.master.set_timeout(wait).map_err(io::Error::from).and_then(|()| self.master.read(&mut bytes));
        let count = match count {
            Ok(count) => count,
            Err(error) if is_passing(&error) => 0,
            Err(error) => return Err(failed(error)),
        };
        bytes[..count].iter().for_each(|byte| self.card.send(*byte));
        Ok(count > 0)
    }
}

fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::TimedOut | io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock
    )
}
