//! The driver's serial transport to a card that this process simulates.

use super::pty::{PtyStatistics, SerialPty};
use super::sim::{SerialOptions, SerialSim};
use crate::{SimError, SimOptions};
use spandrel_driver::serial::{SerialName, SerialStatistics, SerialTransport};
use spandrel_driver::{AccessWidth, ClockKind, DmaBuffer, Pace, Transport, TransportError};
use spandrel_hdl::profile::Profile;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// A simulated card behind a pseudo-terminal, and the driver's transport at its other end: every byte goes the way that it
/// goes to a board. The card is simulated by a thread of its own, until this is dropped.
pub struct InProcessSerial {
    /// First to be dropped: it ends its use of the terminal while that is still there.
    transport: SerialTransport,
    simulation: Simulation,
    name: String,
}

struct Simulation {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    failed: Arc<Mutex<Option<String>>>,
    statistics: Arc<Mutex<PtyStatistics>>,
    path: PathBuf,
}

impl Simulation {
    fn start(card: SerialSim) -> Result<Simulation, SimError> {
        let mut pty = SerialPty::new(card)?;
        let (stop, failed) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(None)));
        let (path, statistics) = (pty.path().to_owned(), pty.statistics());
        let (stopped, failure) = (stop.clone(), failed.clone());
        let thread = std::thread::Builder::new()
            .name("spandrel-sim-serial".to_owned())
            .spawn(move || {
                if let Err(error) = pty.run(&stopped) {
                    *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
                }
            })
            .map_err(SimError::io("start a thread to simulate the card at", &path))?;
        Ok(Simulation { stop, thread: Some(thread), failed, statistics, path })
    }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl InProcessSerial {
    /// The card of a profile with `[serial]`.
    ///
    /// # Errors
    /// As [`SerialSim::new`]; [`SimError::Line`] where the driver does not get to the card.
    pub fn new(profile: &Profile, sim: &SimOptions, options: SerialOptions) -> Result<InProcessSerial, SimError> {
        InProcessSerial::from_sim(SerialSim::new(profile, sim, options)?, &profile.name)
    }

    /// Wraps a card; `name` is what messages call it.
    ///
    /// # Errors
    /// [`SimError::Line`] where the driver does not get to the card.
    pub fn from_sim(card: SerialSim, name: &str) -> Result<InProcessSerial, SimError> {
        let simulation = Simulation::start(card)?;
        let device = SerialName { path: simulation.path.clone(), baud: None };
        let transport = SerialTransport::open(&device).map_err(|source| SimError::Line { source })?;
        Ok(InProcessSerial { transport, simulation, name: name.to_owned() })
    }

    /// What went over the line so far.
    pub fn line(&self) -> SerialStatistics {
        self.transport.statistics()
    }

    /// What the card did so far.
    pub fn statistics(&self) -> PtyStatistics {
        *self.simulation.statistics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The simulation's own failure is more telling than what it led to.
    fn told<T>(&self, result: Result<T, TransportError>) -> Result<T, TransportError> {
        let failed = self.simulation.failed.lock().unwrap_or_else(PoisonError::into_inner);
        match &*failed {
            Some(error) => Err(TransportError::Other(error.clone())),
            None => result,
        }
    }
}

impl Transport for InProcessSerial {
    fn describe(&self) -> String {
        format!("sim:{}", self.name)
    }

    fn read_bar(&mut self, offset: u64, width: AccessWidth) -> Result<u64, TransportError> {
        let result = self.transport.read_bar(offset, width);
        self.told(result)
    }

    fn write_bar(&mut self, offset: u64, width: AccessWidth, value: u64) -> Result<(), TransportError> {
        let result = self.transport.write_bar(offset, width, value);
        self.told(result)
    }

    fn allocate(&mut self, bytes: usize) -> Result<DmaBuffer, TransportError> {
        self.transport.allocate(bytes)
    }

    fn wait_interrupt(&mut self, vector: u16, timeout: Duration) -> Result<bool, TransportError> {
        let result = self.transport.wait_interrupt(vector, timeout);
        self.told(result)
    }

    fn now(&self) -> Duration {
        self.transport.now()
    }

    fn clock(&self) -> ClockKind {
        self.transport.clock()
    }

    fn pace(&self) -> Pace {
        self.transport.pace()
    }

    fn reset(&mut self) -> Result<(), TransportError> {
        let result = self.transport.reset();
        self.told(result)
    }

    fn cut_off(&mut self) -> Result<(), TransportError> {
        self.transport.cut_off()
    }
}
