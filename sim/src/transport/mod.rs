//! The driver's transport to a simulated card in the same process.

#[cfg(test)]
mod tests;
mod world;

use crate::memory::HostMemory;
use crate::pcie::{Enumeration, PcieSim};
use crate::{SimCard, SimControl, SimError, SimOptions};
use spandrel_driver::{AccessWidth, ClockKind, DmaBuffer, Transport, TransportError};
use spandrel_hdl::profile::Profile;
use std::time::Duration;
use world::{AxiWorld, PcieWorld, World};

/// Orders from a [`SimControl`] are looked for so often while the driver waits.
const CONTROL_CYCLES: u64 = 1024;
/// What a register access takes of the card's time while the card is off the bus.
const DEAD_ACCESS_CYCLES: u64 = 250;

/// A simulated card in this process: deterministic, without privilege.
///
/// A profile with a table `[pcie]` gives a card on PCI Express, which is set up as an operating system does it; any other
/// a card on bare AXI buses. The simulation advances inside [`read_bar`](Transport::read_bar),
/// [`write_bar`](Transport::write_bar), [`wait_interrupt`](Transport::wait_interrupt) and [`reset`](Transport::reset); the
/// card's time is its cycles divided by the profile's clock. Should the card break the rules of one of its buses, every
/// later call fails and says so.
#[derive(Debug)]
pub struct InProcess {
    world: Box<dyn World>,
    name: String,
    clock_khz: u32,
    /// Cycles that passed without being simulated, while the card was off the bus.
    skipped_cycles: u64,
}

fn other(error: SimError) -> TransportError {
    TransportError::Other(error.to_string())
}

impl InProcess {
    /// The card of a profile; see [`SimCard::new`] and [`PcieSim::new`].
    pub fn new(profile: &Profile, options: SimOptions) -> Result<InProcess, SimError> {
        let (name, clock_khz) = (profile.name.as_str(), profile.clock_khz);
        if profile.pcie.is_some() {
            let sim = PcieSim::new(profile, &options, HostMemory::new())?;
            return InProcess::from_pcie(sim, Enumeration::default(), name, clock_khz);
        }
        Ok(InProcess::from_card(SimCard::new(profile, &options)?, name, clock_khz))
    }

    /// Wraps a card on bare AXI buses; `name` is what messages call it, `clock_khz` what its time is reckoned with (at
    /// least 1).
    pub fn from_card(card: SimCard, name: impl Into<String>, clock_khz: u32) -> InProcess {
        InProcess::around(Box::new(AxiWorld::new(card)), name.into(), clock_khz)
    }

    /// Sets a card on PCI Express up (see [`PcieSim::enumerate`]) and wraps it.
    ///
    /// # Errors
    /// Those of [`PcieSim::enumerate`].
    pub fn from_pcie(
        sim: PcieSim<HostMemory>,
        sizes: Enumeration,
        name: impl Into<String>,
        clock_khz: u32,
    ) -> Result<InProcess, SimError> {
        Ok(InProcess::around(Box::new(PcieWorld::new(sim, sizes)?), name.into(), clock_khz))
    }

    fn around(world: Box<dyn World>, name: String, clock_khz: u32) -> InProcess {
        InProcess { world, name, clock_khz: clock_khz.max(1), skipped_cycles: 0 }
    }

    /// A handle that goes on working after the driver has taken the transport: to make the card fail, and to see what it
    /// did.
    pub fn control(&self) -> SimControl {
        self.world.control()
    }

    /// The card on PCI Express, if it is there.
    pub fn pcie(&mut self) -> Option<&mut PcieSim<HostMemory>> {
        self.world.pcie()
    }

    /// Begins an access: checks it, takes orders; `true` if there is a card to do it.
    fn begin(&mut self, offset: u64, width: AccessWidth) -> Result<bool, TransportError> {
        let bar_bytes = self.world.bar_bytes();
        let inside = offset.checked_add(width.bytes()).is_some_and(|end| end <= bar_bytes);
        if !inside || !offset.is_multiple_of(width.bytes()) {
            return Err(TransportError::BadAccess { offset, width, bar_bytes });
        }
        self.world.take_orders().map_err(other)?;
        let gone = self.world.is_gone();
        if gone {
            self.skipped_cycles += DEAD_ACCESS_CYCLES;
        }
        Ok(!gone)
    }

    /// Ends an access: a breach of the rules found meanwhile is more telling than the access's own result.
    fn end<T>(
        &self,
        result: Result<T, SimError>,
        offset: u64,
        width: AccessWidth,
    ) -> Result<T, TransportError> {
        self.world.report();
        self.world.check_rules().map_err(other)?;
        result.map_err(|error| match error {
            SimError::NoAnswer { .. } | SimError::BusError { .. } => {
                TransportError::AccessFailed { offset, width, reason: error.to_string() }
            }
            error => other(error),
        })
    }

    /// A duration in cycles, rounded up.
    fn cycles_of(&self, duration: Duration) -> u64 {
        let cycles = (duration.as_nanos() * u128::from(self.clock_khz)).div_ceil(1_000_000);
        u64::try_from(cycles).unwrap_or(u64::MAX)
    }

    /// Whether the configuration space has an access; an error where there is none.
    fn config(
        &mut self,
        offset: u16,
        width: AccessWidth,
    ) -> Result<&mut PcieSim<HostMemory>, TransportError> {
        let unsupported =
            TransportError::Unsupported { card: self.describe(), what: "PCI configuration space" };
        let bar_bytes = crate::pcie::config::CONFIG_BYTES as u64;
        let wide = width == AccessWidth::Double || !u64::from(offset).is_multiple_of(width.bytes());
        if wide || u64::from(offset) + width.bytes() > bar_bytes {
            return Err(TransportError::BadAccess { offset: offset.into(), width, bar_bytes });
        }
        self.world.take_orders().map_err(other)?;
        self.world.pcie().ok_or(unsupported)
    }
}

impl Transport for InProcess {
    fn describe(&self) -> String {
        format!("sim:{}", self.name)
    }

    fn read_bar(&mut self, offset: u64, width: AccessWidth) -> Result<u64, TransportError> {
        if !self.begin(offset, width)? {
            return Ok(width.all_ones());
        }
        let result = self.world.read(offset, width);
        self.end(result, offset, width)
    }

    fn write_bar(&mut self, offset: u64, width: AccessWidth, value: u64) -> Result<(), TransportError> {
        if !self.begin(offset, width)? {
            return Ok(());
        }
        let result = self.world.write(offset, width, value);
        self.end(result, offset, width)
    }

    fn allocate(&mut self, bytes: usize) -> Result<DmaBuffer, TransportError> {
        self.world.allocate(bytes).ok_or_else(|| TransportError::Allocation {
            bytes,
            reason: "this process is out of memory".to_owned(),
        })
    }

    fn wait_interrupt(&mut self, vector: u16, timeout: Duration) -> Result<bool, TransportError> {
        if !self.world.has_vector(vector) {
            return Err(TransportError::NoSuchVector { vector });
        }
        self.world.take_orders().map_err(other)?;
        let mut left = self.cycles_of(timeout);
        while !self.world.is_gone() && left > 0 && !self.world.interrupt(vector) {
            let slice = left.min(CONTROL_CYCLES);
            left -= self.world.run(vector, slice).map_err(other)?;
            self.world.check_rules().map_err(other)?;
            self.world.take_orders().map_err(other)?;
        }
        self.world.report();
        if self.world.is_gone() {
            self.skipped_cycles = self.skipped_cycles.saturating_add(left);
            return Ok(false);
        }
        let raised = self.world.interrupt(vector);
        if raised {
            self.world.acknowledge(vector);
        }
        Ok(raised)
    }

    fn now(&self) -> Duration {
        let cycles = u128::from(self.world.cycles()) + u128::from(self.skipped_cycles);
        let nanoseconds = cycles * 1_000_000 / u128::from(self.clock_khz);
        Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
    }

    fn clock(&self) -> ClockKind {
        ClockKind::Card
    }

    fn read_config(&mut self, offset: u16, width: AccessWidth) -> Result<u32, TransportError> {
        Ok(self.config(offset, width)?.config_read(offset, width.bytes() as u8))
    }

    fn write_config(&mut self, offset: u16, width: AccessWidth, value: u32) -> Result<(), TransportError> {
        self.config(offset, width)?.config_write(offset, width.bytes() as u8, value);
        Ok(())
    }

    fn reset(&mut self) -> Result<(), TransportError> {
        self.world.take_orders().map_err(other)?;
        if self.world.is_gone() {
            return Ok(());
        }
        let result = self.world.reset();
        self.world.report();
        result.map_err(other)
    }
}
