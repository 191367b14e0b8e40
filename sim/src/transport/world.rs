//! The two worlds that a simulated card can be in: on bare AXI buses, or on PCI Express.

use crate::control::Injection;
use crate::memory::{HostMemory, Memory};
use crate::pcie::{Enumeration, PcieSim};
use crate::{SimCard, SimControl, SimError, SimStatistics};
use spandrel_abi::{BAR0_BYTES, COMPLETION_VECTOR, MSIX_VECTORS, REGISTER_BYTES};
use spandrel_driver::{AccessWidth, DmaBuffer};

/// What the transport needs of a card and its surroundings.
pub(super) trait World: Send + std::fmt::Debug {
    /// Bytes of BAR 0.
    fn bar_bytes(&self) -> u64;
    /// Whether there is an interrupt vector.
    fn has_vector(&self, vector: u16) -> bool;
    /// The handle by which the card is made to fail.
    fn control(&self) -> SimControl;
    /// Carries out what was ordered through it.
    fn take_orders(&mut self) -> Result<(), SimError>;
    /// Tells it what was done.
    fn report(&self);
    /// Whether the card is off the bus.
    fn is_gone(&self) -> bool;
    /// Clock cycles so far.
    fn cycles(&self) -> u64;
    /// Reads registers; the access is aligned and inside of BAR 0.
    fn read(&mut self, offset: u64, width: AccessWidth) -> Result<u64, SimError>;
    /// Writes registers; the access is aligned and inside of BAR 0.
    fn write(&mut self, offset: u64, width: AccessWidth, value: u64) -> Result<(), SimError>;
    /// Runs cycles until the interrupt is there, at most so many; returns how many.
    fn run(&mut self, vector: u16, cycles: u64) -> Result<u64, SimError>;
    /// Whether the interrupt is there.
    fn interrupt(&self, vector: u16) -> bool;
    /// The host has seen the interrupt.
    fn acknowledge(&mut self, vector: u16);
    /// An error if the card ever broke the rules of its buses.
    fn check_rules(&self) -> Result<(), SimError>;
    /// Memory that the card reaches.
    fn allocate(&self, bytes: usize) -> Option<DmaBuffer>;
    /// Resets the card from outside.
    fn reset(&mut self) -> Result<(), SimError>;
    /// The card on PCI Express, if it is there.
    fn pcie(&mut self) -> Option<&mut PcieSim<HostMemory>> {
        None
    }
}

/// A card on bare AXI buses.
#[derive(Debug)]
pub(super) struct AxiWorld {
    pub(super) card: SimCard,
    control: SimControl,
    gone: bool,
    /// An interrupt without cause is there.
    spurious: bool,
}

impl AxiWorld {
    pub(super) fn new(card: SimCard) -> AxiWorld {
        AxiWorld { card, control: SimControl::default(), gone: false, spurious: false }
    }
}

impl World for AxiWorld {
    fn bar_bytes(&self) -> u64 {
        REGISTER_BYTES.into()
    }

    fn has_vector(&self, vector: u16) -> bool {
        vector == COMPLETION_VECTOR
    }

    fn control(&self) -> SimControl {
        self.control.clone()
    }

    fn take_orders(&mut self) -> Result<(), SimError> {
        for order in self.control.take() {
            match order {
                Injection::FailHostRead(n) | Injection::FaultRead(n, _) => self.card.host_mut().fail_read(n),
                Injection::FailHostWrite(n) => self.card.host_mut().fail_write(n),
                Injection::FailCardRead(n) => self.card.card_mut().fail_read(n),
                Injection::FailCardWrite(n) => self.card.card_mut().fail_write(n),
                Injection::HoldHost(held) => self.card.host_mut().hold(held),
                Injection::HoldCard(held) => self.card.card_mut().hold(held),
                Injection::DropInterrupts(count) => self.card.drop_interrupts(count),
                Injection::Gone(gone) => self.gone = gone,
                Injection::Deny(range) => self.card.host_mut().memory_mut().deny(range),
                Injection::AllowAll => self.card.host_mut().memory_mut().allow_all(),
                Injection::CorruptCompletion(n, mask) => {
                    self.card.host_mut().memory_mut().corrupt_completion(n, mask);
                }
                Injection::SpuriousInterrupt(vector) => self.spurious |= self.has_vector(vector),
                Injection::ResetLink | Injection::ResetFunction => self.card.reset()?,
            }
        }
        Ok(())
    }

    fn report(&self) {
        let memory = self.card.host().memory();
        self.control.report(SimStatistics {
            cycles: self.card.cycles(),
            host: self.card.host().traffic(),
            card: self.card.card().traffic(),
            host_faults: memory.failed_accesses(),
            denied_accesses: memory.denied_accesses(),
            mapped_buffers: memory.mappings(),
            pcie: Default::default(),
        });
    }

    fn is_gone(&self) -> bool {
        self.gone
    }

    fn cycles(&self) -> u64 {
        self.card.cycles()
    }

    fn read(&mut self, offset: u64, width: AccessWidth) -> Result<u64, SimError> {
        let low = u64::from(self.card.read_register(offset & !3)?);
        Ok(match width {
            // A bus of 32 bits sees two accesses, the low word first.
            AccessWidth::Double => low | u64::from(self.card.read_register(offset + 4)?) << 32,
            _ => low >> (8 * (offset & 3)) & width.all_ones(),
        })
    }

    fn write(&mut self, offset: u64, width: AccessWidth, value: u64) -> Result<(), SimError> {
        if width == AccessWidth::Double {
            self.card.write_register(offset, value as u32, 0xf)?;
            return self.card.write_register(offset + 4, (value >> 32) as u32, 0xf);
        }
        let (lane, bytes) = (offset & 3, width.bytes());
        let data = (value & width.all_ones()) << (8 * lane);
        self.card.write_register(offset & !3, data as u32, ((1u8 << bytes) - 1) << lane)
    }

    fn run(&mut self, vector: u16, cycles: u64) -> Result<u64, SimError> {
        for done in 0..cycles {
            if self.interrupt(vector) {
                return Ok(done);
            }
            self.card.cycle()?;
        }
        Ok(cycles)
    }

    fn interrupt(&self, _: u16) -> bool {
        self.card.interrupt() || self.spurious
    }

    fn acknowledge(&mut self, _: u16) {
        // The line itself stays high until the card is told otherwise.
        self.spurious = false;
    }

    fn check_rules(&self) -> Result<(), SimError> {
        self.card.check_rules()
    }

    fn allocate(&self, bytes: usize) -> Option<DmaBuffer> {
        self.card.host().memory().allocate(bytes)
    }

    fn reset(&mut self) -> Result<(), SimError> {
        self.spurious = false;
        self.card.reset()
    }
}

/// A card on PCI Express, set up as an operating system does it.
#[derive(Debug)]
pub(super) struct PcieWorld {
    sim: PcieSim<HostMemory>,
    sizes: Enumeration,
    /// Vectors whose message has come.
    arrived: [bool; MSIX_VECTORS as usize],
}

impl PcieWorld {
    pub(super) fn new(mut sim: PcieSim<HostMemory>, sizes: Enumeration) -> Result<PcieWorld, SimError> {
        sim.enumerate(sizes)?;
        Ok(PcieWorld { sim, sizes, arrived: Default::default() })
    }

    fn collect(&mut self) {
        if self.sim.has_interrupts() {
            for vector in self.sim.take_interrupts() {
                self.arrived[usize::from(vector)] = true;
            }
        }
    }
}

impl World for PcieWorld {
    fn bar_bytes(&self) -> u64 {
        BAR0_BYTES.into()
    }

    fn has_vector(&self, vector: u16) -> bool {
        vector < MSIX_VECTORS
    }

    fn control(&self) -> SimControl {
        self.sim.control()
    }

    fn take_orders(&mut self) -> Result<(), SimError> {
        self.sim.take_orders()?;
        self.collect();
        Ok(())
    }

    fn report(&self) {
        self.sim.report();
    }

    fn is_gone(&self) -> bool {
        self.sim.is_gone()
    }

    fn cycles(&self) -> u64 {
        self.sim.cycles()
    }

    fn read(&mut self, offset: u64, width: AccessWidth) -> Result<u64, SimError> {
        let result = self.sim.bar_read(offset, width);
        self.collect();
        result
    }

    fn write(&mut self, offset: u64, width: AccessWidth, value: u64) -> Result<(), SimError> {
        let result = self.sim.bar_write(offset, width, value);
        self.collect();
        result
    }

    fn run(&mut self, vector: u16, cycles: u64) -> Result<u64, SimError> {
        for done in 0..cycles {
            if self.interrupt(vector) {
                return Ok(done);
            }
            self.sim.cycle()?;
            self.collect();
        }
        Ok(cycles)
    }

    fn interrupt(&self, vector: u16) -> bool {
        self.arrived[usize::from(vector)]
    }

    fn acknowledge(&mut self, vector: u16) {
        self.arrived[usize::from(vector)] = false;
    }

    fn check_rules(&self) -> Result<(), SimError> {
        self.sim.check_rules()
    }

    fn allocate(&self, bytes: usize) -> Option<DmaBuffer> {
        self.sim.memory().allocate(bytes)
    }

    fn reset(&mut self) -> Result<(), SimError> {
        let result = self.sim.function_reset(self.sizes);
        self.sim.take_interrupts();
        self.arrived = Default::default();
        result
    }

    fn pcie(&mut self) -> Option<&mut PcieSim<HostMemory>> {
        Some(&mut self.sim)
    }
}
