//! The Verilated card and the port at its line.

use super::faults::LineFaults;
use super::port::SerialPort;
use crate::card::serial_library;
use crate::model::{Model, ModelLibrary, PortHandle};
use crate::{SimError, SimOptions};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use spandrel_abi::SERIAL_BAUD;
use spandrel_hdl::profile::Profile;
use std::sync::Arc;

/// What goes wrong on the line of a simulated card.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SerialOptions {
    /// From the host to the card.
    pub to_card: LineFaults,
    /// From the card to the host.
    pub to_host: LineFaults,
    /// For the faults' places.
    pub seed: u64,
}

/// A Verilated card with a serial line, and the port at the line's other end.
#[derive(Debug)]
pub struct SerialSim {
    model: Model,
    rxd: PortHandle,
    txd: PortHandle,
    busy: PortHandle,
    port: SerialPort,
    clock_hz: u64,
    options: SerialOptions,
    random: ChaCha8Rng,
    faults: u64,
}

impl SerialSim {
    /// The card of a profile with `[serial]`, as after power-on.
    ///
    /// # Errors
    /// [`SimError::NoSerialLine`] where the profile has none; those of the model.
    pub fn new(profile: &Profile, sim: &SimOptions, options: SerialOptions) -> Result<SerialSim, SimError> {
        let library = serial_library(profile, sim.trace.is_some())?;
        let mut card = SerialSim::from_library(&library, profile.clock_khz, options)?;
        if let Some(path) = &sim.trace {
            let written = card.model.open_trace(path)?;
            tracing::info!(path = %written.display(), "writing a waveform");
        }
        Ok(card)
    }

    /// A card from its compiled model, with the ports `clock`, `reset`, `serial_rxd`, `serial_txd` and `busy`.
    pub fn from_library(
        library: &Arc<ModelLibrary>,
        clock_khz: u32,
        options: SerialOptions,
    ) -> Result<SerialSim, SimError> {
        let model = library.instance();
        let clock_hz = u64::from(clock_khz) * 1000;
        Ok(SerialSim {
            rxd: model.port("serial_rxd")?,
            txd: model.port("serial_txd")?,
            busy: model.port("busy")?,
            port: SerialPort::new(clock_hz, SERIAL_BAUD),
            model,
            clock_hz,
            options,
            random: ChaCha8Rng::seed_from_u64(options.seed),
            faults: 0,
        })
    }

    /// Changes the rate of the host's end.
    pub fn set_baud(&mut self, baud: u32) {
        self.port.set_rate(self.clock_hz, baud);
    }

    /// Sends a byte to the card, as faulty as the line is.
    pub fn send(&mut self, byte: u8) {
        for (rest, byte) in self.options.to_card.of(byte, &mut self.random, &mut self.faults) {
            self.port.send(rest, byte);
        }
    }

    /// Takes what the card sent, as it arrived.
    pub fn receive(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while let Some(byte) = self.port.receive() {
            let arrives = self.options.to_host.of(byte, &mut self.random, &mut self.faults);
            bytes.extend(arrives.into_iter().map(|(_, byte)| byte));
        }
        bytes
    }

    /// Runs clock cycles.
    pub fn run(&mut self, cycles: u64) -> Result<(), SimError> {
        for _ in 0..cycles {
            let level = self.port.step(self.model.is_high(self.txd));
            self.model.set_u64(self.rxd, level.into());
            self.model.try_settle()?;
            self.model.try_rise()?;
        }
        Ok(())
    }

    /// Bytes that are still to be sent to the card.
    pub fn pending(&self) -> usize {
        self.port.pending()
    }

    /// Whether the card does something, or a byte is on the line.
    pub fn is_active(&self) -> bool {
        self.model.is_high(self.busy) || self.port.pending() > 0 || self.port.is_receiving()
    }

    /// Clock cycles so far.
    pub fn cycles(&self) -> u64 {
        self.model.cycles()
    }

    /// Faults that happened on the line.
    pub fn faults(&self) -> u64 {
        self.faults
    }
}
