//! The whole Verilated card with the memories and the root complex around it.

mod elaborate;
mod options;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use elaborate::{pcie_library, serial_library};
pub use options::{SimOptions, Timing};

use crate::SimError;
use crate::axi::{AxiSlave, LiteMaster, LiteOutcome, Violation};
use crate::memory::{CardMemory, Guarded, HostMemory};
use crate::model::{Model, ModelLibrary, PortHandle};
use crate::testbench::Stalls;
use spandrel_hdl::profile::Profile;
use std::sync::Arc;

/// Cycles that the port `reset` is high in a reset.
const RESET_CYCLES: u64 = 16;
/// A register access that takes longer has failed; the card answers within a few cycles, stalls add some dozens.
const ACCESS_BOUND_CYCLES: u64 = 4096;

/// A Verilated card in its world.
///
/// The simulation advances only inside the methods of this type; register accesses take as many cycles as the card needs.
pub struct SimCard {
    model: Model,
    reset: PortHandle,
    irq: PortHandle,
    registers: LiteMaster,
    host: AxiSlave<Guarded<HostMemory>>,
    card: AxiSlave<CardMemory>,
    irq_level: bool,
    /// The current rise of the interrupt line is kept from the host.
    irq_hidden: bool,
    irq_drops: u32,
}

impl std::fmt::Debug for SimCard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimCard").field("model", &self.model).finish_non_exhaustive()
    }
}

impl SimCard {
    /// The card of a profile, reset, with empty memories.
    ///
    /// Its model is built if it is not in the cache (minutes, with progress on standard error); all cards of a profile in
    /// this process share it.
    pub fn new(profile: &Profile, options: &SimOptions) -> Result<SimCard, SimError> {
        SimCard::with_timing(profile, options, options.timing())
    }

    /// As [`SimCard::new`], with memories as slow as `timing` says.
    pub fn with_timing(profile: &Profile, options: &SimOptions, timing: Timing) -> Result<SimCard, SimError> {
        if profile.serial.is_some() {
            return Err(SimError::OnlySerialLine { profile: profile.name.clone() });
        }
        let library = elaborate::library(profile, options.trace.is_some())?;
        SimCard::from_library(&library, u64::from(profile.card_memory_kib) << 10, options, timing)
    }

    /// A card from its compiled model, reset, with empty memories; `card_memory_bytes` is the size of its own.
    ///
    /// The design's ports are those of the card's top module: `clock`, `reset`, `irq`, `s_axil_…`, `m_axi_host_…`,
    /// `m_axi_card_…`.
    pub fn from_library(
        library: &Arc<ModelLibrary>,
        card_memory_bytes: u64,
        options: &SimOptions,
        timing: Timing,
    ) -> Result<SimCard, SimError> {
        let mut model = library.instance();
        let seed = options.seed.wrapping_mul(3);
        let mut card = SimCard {
            reset: model.port("reset")?,
            irq: model.port("irq")?,
            registers: LiteMaster::new(
                &model,
                "s_axil_",
                Stalls::random(seed.wrapping_add(2), timing.register_stall_percent),
            )?,
            host: AxiSlave::new(&model, "m_axi_host_", Guarded::new(HostMemory::new()), timing.host, seed)?,
            card: AxiSlave::new(
                &model,
                "m_axi_card_",
                CardMemory::new(card_memory_bytes),
                timing.card,
                seed.wrapping_add(1),
            )?,
            irq_level: false,
            irq_hidden: false,
            irq_drops: 0,
            model: {
                if let Some(path) = &options.trace {
                    let written = model.open_trace(path)?;
                    tracing::info!(path = %written.display(), "writing a waveform");
                }
                model
            },
        };
        card.reset()?;
        Ok(card)
    }

    /// One clock cycle.
    #[inline]
    pub fn cycle(&mut self) -> Result<(), SimError> {
        self.host.drive(&mut self.model);
        self.card.drive(&mut self.model);
        self.registers.drive(&mut self.model);
        self.model.try_settle()?;
        self.host.observe(&self.model);
        self.card.observe(&self.model);
        self.registers.observe(&self.model);
        self.model.try_rise()?;
        let level = self.model.is_high(self.irq);
        if level != self.irq_level {
            self.irq_level = level;
            self.irq_hidden = level && self.irq_drops > 0;
            self.irq_drops -= u32::from(self.irq_hidden);
        }
        Ok(())
    }

    /// A number of clock cycles.
    pub fn run(&mut self, cycles: u64) -> Result<(), SimError> {
        (0..cycles).try_for_each(|_| self.cycle())
    }

    /// Clock cycles since the card was made.
    pub fn cycles(&self) -> u64 {
        self.model.cycles()
    }

    /// Resets the card from outside; memories keep their contents, accesses under way are forgotten by both sides.
    pub fn reset(&mut self) -> Result<(), SimError> {
        self.model.set_u64(self.reset, 1);
        self.registers.reset(&mut self.model);
        self.host.reset(&mut self.model);
        self.card.reset(&mut self.model);
        for _ in 0..RESET_CYCLES {
            self.model.try_settle()?;
            self.model.try_rise()?;
        }
        self.model.set_u64(self.reset, 0);
        (self.irq_level, self.irq_hidden) = (false, false);
        Ok(())
    }

    /// Reads the register word at a byte address (a multiple of 4).
    pub fn read_register(&mut self, address: u64) -> Result<u32, SimError> {
        self.registers.start_read(&mut self.model, address);
        self.finish_access(address)
    }

    /// Writes the bytes of the register word at a byte address (a multiple of 4) whose bit of `strobe` is set.
    pub fn write_register(&mut self, address: u64, data: u32, strobe: u8) -> Result<(), SimError> {
        if strobe == 0xf {
            self.host.memory_mut().host_wrote(address, data);
        }
        self.registers.start_write(&mut self.model, address, data, strobe);
        self.finish_access(address).map(|_| ())
    }

    fn finish_access(&mut self, address: u64) -> Result<u32, SimError> {
        for _ in 0..ACCESS_BOUND_CYCLES {
            self.cycle()?;
            match self.registers.outcome() {
                None => {}
                Some(LiteOutcome::Done(data)) => return Ok(data),
                Some(LiteOutcome::Refused(response)) => return Err(SimError::BusError { address, response }),
            }
        }
        self.registers.reset(&mut self.model);
        Err(SimError::NoAnswer { address, cycles: ACCESS_BOUND_CYCLES })
    }

    /// Whether the host sees the interrupt request line high.
    #[inline]
    pub fn interrupt(&self) -> bool {
        self.irq_level && !self.irq_hidden
    }

    /// Keeps the next `count` rises of the interrupt line from the host.
    pub fn drop_interrupts(&mut self, count: u32) {
        self.irq_drops = count;
    }

    /// Host memory and the bus to it.
    pub fn host(&self) -> &AxiSlave<Guarded<HostMemory>> {
        &self.host
    }

    /// Host memory and the bus to it.
    pub fn host_mut(&mut self) -> &mut AxiSlave<Guarded<HostMemory>> {
        &mut self.host
    }

    /// Card memory and the bus to it.
    pub fn card(&self) -> &AxiSlave<CardMemory> {
        &self.card
    }

    /// Card memory and the bus to it.
    pub fn card_mut(&mut self) -> &mut AxiSlave<CardMemory> {
        &mut self.card
    }

    /// What the card did that the rules of its buses forbid (the first of it).
    pub fn violations(&self) -> Vec<Violation> {
        let buses = [self.registers.violations(), self.host.violations(), self.card.violations()];
        buses.iter().flat_map(|bus| bus.list().iter().cloned()).collect()
    }

    /// An error if the card ever broke the rules of its buses.
    pub fn check_rules(&self) -> Result<(), SimError> {
        let count = self.registers.violations().count()
            + self.host.violations().count()
            + self.card.violations().count();
        if count == 0 {
            return Ok(());
        }
        match self.violations().into_iter().min_by_key(|violation| violation.cycle) {
            Some(first) => Err(SimError::Protocol { count, first }),
            None => Ok(()),
        }
    }

    /// The model, for tests that look at ports.
    pub fn model(&self) -> &Model {
        &self.model
    }
}
