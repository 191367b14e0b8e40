//! The world around a card on PCI Express.
//!
//! - [`tlp`] has packets and their rules, [`config`] the configuration space.
//! - [`block`] is the AMD UltraScale+ integrated block, the four streams of which [`PcieSim`] connects to the card's
//!   endpoint; [`descriptor`], [`sideband`] and [`stream`] are its parts. It holds the card to the rules of streams and
//!   packets.
//! - [`root`] is the root complex with host memory behind it.
//! - [`PcieSim`] is all of that around the Verilated card, with what a platform does to it ([`PcieSim::enumerate`]).

pub mod block;
pub mod config;
pub mod descriptor;
mod platform;
pub mod root;
pub mod sideband;
pub mod stream;
#[cfg(test)]
pub(crate) mod tests;
pub mod tlp;

pub use platform::{DOORBELLS, Enumeration};
pub use root::{PcieTiming, PcieTraffic, ReadFault};

use crate::SimError;
use crate::axi::{AxiSlave, SlaveTiming, Traffic, Violation, Violations};
use crate::card::{SimOptions, Timing, pcie_library};
use crate::control::{Injection, SimControl, SimStatistics};
use crate::memory::{CardMemory, Guarded, Memory};
use crate::model::{Model, ModelLibrary, PortHandle};
use block::Block;
use config::ConfigSpace;
use platform::Vectors;
use root::Root;
use spandrel_hdl::profile::Profile;
use std::sync::Arc;

/// Cycles that the port `reset` is high in a reset.
const RESET_CYCLES: u64 = 16;
/// Orders from a [`SimControl`] are looked for so often while cycles are run.
const CONTROL_CYCLES: u64 = 1024;

/// A Verilated card with a PCI Express endpoint, the integrated block, and a root complex with host memory `M`, as the I/O
/// memory-management unit shows it to the card.
///
/// The simulation advances only inside of [`run`](PcieSim::run), [`cycle`](PcieSim::cycle) and the accesses to BAR 0;
/// [`config_read`](PcieSim::config_read) and [`config_write`](PcieSim::config_write) take no time. After
/// [`new`](PcieSim::new) the card is as after power-on: nothing answers in BAR 0 until the host has placed it, which is
/// what [`enumerate`](PcieSim::enumerate) does.
pub struct PcieSim<M> {
    model: Model,
    reset: PortHandle,
    card_busy: PortHandle,
    block: Block,
    root: Root<M>,
    card: AxiSlave<CardMemory>,
    config: ConfigSpace,
    vectors: Vectors,
    control: SimControl,
    /// The card is off the bus.
    gone: bool,
    next_tag: u8,
}

impl<M> std::fmt::Debug for PcieSim<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PcieSim")
            .field("model", &self.model)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl<M: Memory> PcieSim<M> {
    /// The card of a profile with a table `[pcie]`, after power-on.
    ///
    /// Its model is built if it is not in the cache (minutes, with progress on standard error); all cards of a profile in
    /// this process share it.
    pub fn new(profile: &Profile, options: &SimOptions, memory: M) -> Result<PcieSim<M>, SimError> {
        let library = pcie_library(profile, options.trace.is_some())?;
        let (timing, card) = if options.stalls {
            (PcieTiming::HOSTILE, Timing::HOSTILE.card)
        } else {
            (PcieTiming::STEADY, Timing::STEADY.card)
        };
        let bytes = u64::from(profile.card_memory_kib) << 10;
        PcieSim::from_library(&library, bytes, options, timing, card, memory)
    }

    /// A card from its compiled model; `card_memory_bytes` is the size of its own memory, `card_timing` how slow that is.
    pub fn from_library(
        library: &Arc<ModelLibrary>,
        card_memory_bytes: u64,
        options: &SimOptions,
        timing: PcieTiming,
        card_timing: SlaveTiming,
        memory: M,
    ) -> Result<PcieSim<M>, SimError> {
        let mut model = library.instance();
        let seed = options.seed.wrapping_mul(3);
        if let Some(path) = &options.trace {
            let written = model.open_trace(path)?;
            tracing::info!(path = %written.display(), "writing a waveform");
        }
        let card = CardMemory::new(card_memory_bytes);
        let mut sim = PcieSim {
            reset: model.port("reset")?,
            card_busy: model.port("busy")?,
            block: Block::new(&model, seed, timing.stall_percent)?,
            root: Root::new(memory, timing, seed.wrapping_add(2)),
            card: AxiSlave::new(&model, "m_axi_card_", card, card_timing, seed.wrapping_add(1))?,
            config: ConfigSpace::new(),
            vectors: Vectors::default(),
            control: SimControl::default(),
            gone: false,
            next_tag: 0,
            model,
        };
        sim.reset_link()?;
        Ok(sim)
    }

    /// One clock cycle.
    #[inline]
    pub fn cycle(&mut self) -> Result<(), SimError> {
        self.root.advance(
            &mut self.block,
            self.model.cycles(),
            128 << self.config.payload_code(),
            self.config.completion_boundary(),
        );
        self.block.drive(&mut self.model);
        self.card.drive(&mut self.model);
        self.model.try_settle()?;
        let reset_ended = self.block.observe(&self.model, &self.config);
        self.card.observe(&self.model);
        self.model.try_rise()?;
        if reset_ended {
            self.block.end_function_reset(&mut self.model);
        }
        while let Some(request) = self.block.requests.pop_front() {
            self.serve(request);
        }
        Ok(())
    }

    fn serve(&mut self, request: tlp::Request) {
        if self.gone {
            self.root.traffic_mut().dropped_requests += 1;
            if !request.write {
                self.block.lose(request.tag);
            }
        } else if !request.write {
            self.root.read(request, self.model.cycles());
        } else if !self.vectors.take(&request) {
            self.root.write(&request);
        } else {
            let traffic = self.root.traffic_mut();
            traffic.messages += 1;
            traffic.write_requests += 1;
            traffic.write_bytes += request.data.len() as u64;
        }
    }

    /// A number of clock cycles; takes orders (see [`PcieSim::control`]) now and then, and fails if the card broke the
    /// rules of its buses.
    pub fn run(&mut self, cycles: u64) -> Result<(), SimError> {
        let mut left = cycles;
        self.take_orders()?;
        while left > 0 {
            let slice = left.min(CONTROL_CYCLES);
            (0..slice).try_for_each(|_| self.cycle())?;
            left -= slice;
            self.take_orders()?;
        }
        self.report();
        self.check_rules()
    }

    /// Clock cycles since power-on.
    pub fn cycles(&self) -> u64 {
        self.model.cycles()
    }

    /// Whether work is under way: the card executes a command, or packets, completions or a reset are on their way.
    pub fn busy(&self) -> bool {
        self.model.is_high(self.card_busy)
            || self.block.is_busy()
            || self.root.is_busy()
            || self.block.in_function_reset()
            || !self.card.is_idle()
    }

    /// Vectors whose message has come since the last call, in order.
    pub fn take_interrupts(&mut self) -> Vec<u16> {
        self.vectors.take_arrived()
    }

    /// Whether a message has come since [`PcieSim::take_interrupts`].
    #[inline]
    pub fn has_interrupts(&self) -> bool {
        self.vectors.has_arrived()
    }

    /// Resets the link: the card from its port `reset`, and the configuration space; memories keep their contents.
    pub fn reset_link(&mut self) -> Result<(), SimError> {
        self.config = ConfigSpace::new();
        self.vectors.reset();
        self.root.reset();
        self.model.set_u64(self.reset, 1);
        self.block.reset(&mut self.model);
        self.card.reset(&mut self.model);
        self.block.configure(&mut self.model, &self.config);
        for _ in 0..RESET_CYCLES {
            self.model.try_settle()?;
            self.model.try_rise()?;
        }
        self.model.set_u64(self.reset, 0);
        Ok(())
    }

    /// Host memory.
    pub fn memory(&self) -> &M {
        self.root.memory()
    }

    /// Host memory.
    pub fn memory_mut(&mut self) -> &mut M {
        self.root.memory_mut()
    }

    /// Host memory with the orders to fail that it was given.
    pub fn guarded(&self) -> &Guarded<M> {
        self.root.memory()
    }

    /// Card memory and the bus to it.
    pub fn card(&self) -> &AxiSlave<CardMemory> {
        &self.card
    }

    /// Card memory and the bus to it.
    pub fn card_mut(&mut self) -> &mut AxiSlave<CardMemory> {
        &mut self.card
    }

    /// The model, for tests that look at ports.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// What went over the link.
    pub fn traffic(&self) -> PcieTraffic {
        let mut traffic = self.root.traffic();
        traffic.dropped_requests += self.block.dropped();
        traffic
    }

    /// Bytes of a beat of the block's streams: 32 or 64.
    pub fn beat_bytes(&self) -> usize {
        self.block.beat_bytes()
    }

    /// Whether the card was taken off the bus (see [`SimControl::unplug`]).
    pub fn is_gone(&self) -> bool {
        self.gone
    }

    /// A handle by which the card is made to fail, and tells what it did, whoever owns it.
    pub fn control(&self) -> SimControl {
        self.control.clone()
    }

    /// Carries out the orders that were given through [`PcieSim::control`].
    pub fn take_orders(&mut self) -> Result<(), SimError> {
        for order in self.control.take() {
            match order {
                Injection::FailHostRead(n) => self.root.fault_read(n, ReadFault::Unsupported),
                Injection::FailHostWrite(n) => self.root.drop_write(n),
                Injection::FailCardRead(n) => self.card.fail_read(n),
                Injection::FailCardWrite(n) => self.card.fail_write(n),
                Injection::HoldHost(held) => {
                    self.root.hold(held);
                    self.block.hold(held);
                }
                Injection::HoldCard(held) => self.card.hold(held),
                Injection::DropInterrupts(count) => self.vectors.drop_next(count),
                Injection::Gone(gone) => self.set_gone(gone),
                Injection::FaultRead(n, fault) => self.root.fault_read(n, fault),
                Injection::Deny(range) => self.root.memory_mut().deny(range),
                Injection::AllowAll => self.root.memory_mut().allow_all(),
                Injection::CorruptCompletion(n, mask) => self.root.memory_mut().corrupt_completion(n, mask),
                Injection::SpuriousInterrupt(vector) => self.vectors.raise(vector),
                Injection::ResetLink => self.reset_link()?,
                Injection::ResetFunction => self.start_function_reset(),
            }
        }
        Ok(())
    }

    fn set_gone(&mut self, gone: bool) {
        self.gone = gone;
        if gone {
            // What is on its way to the card never arrives.
            self.root.lose_all(&mut self.block);
        }
    }

    /// Tells [`PcieSim::control`] what was done so far.
    pub fn report(&self) {
        let pcie = self.traffic();
        let host = Traffic {
            read_bursts: pcie.read_requests,
            read_beats: pcie.read_bytes / 32,
            write_bursts: pcie.write_requests,
            write_beats: pcie.write_bytes / 32,
            error_answers: pcie.failed_completions,
        };
        let memory = self.root.memory();
        self.control.report(SimStatistics {
            cycles: self.cycles(),
            host,
            card: self.card.traffic(),
            host_faults: memory.failed_accesses(),
            denied_accesses: memory.denied_accesses(),
            mapped_buffers: memory.mappings(),
            pcie,
        });
    }

    fn all_violations(&self) -> [&Violations; 3] {
        let [cc, rq] = self.block.violations();
        [cc, rq, self.card.violations()]
    }

    /// What the card did that the rules of its buses forbid (the first of it).
    pub fn violations(&self) -> Vec<Violation> {
        self.all_violations().iter().flat_map(|bus| bus.list().iter().cloned()).collect()
    }

    /// An error if the card ever broke the rules of its buses.
    pub fn check_rules(&self) -> Result<(), SimError> {
        let count = self.all_violations().iter().map(|bus| bus.count()).sum();
        if count == 0 {
            return Ok(());
        }
        match self.violations().into_iter().min_by_key(|violation| violation.cycle) {
            Some(first) => Err(SimError::Protocol { count, first }),
            None => Ok(()),
        }
    }
}
