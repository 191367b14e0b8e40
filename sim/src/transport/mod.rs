//! The driver's transport to a simulated card in the same process.

mod control;
#[cfg(test)]
mod tests;

pub use control::{SimControl, SimStatistics};

use crate::{SimCard, SimError, SimOptions};
use control::Injection;
use spandrel_abi::{COMPLETION_VECTOR, REGISTER_BYTES};
use spandrel_driver::{AccessWidth, ClockKind, DmaBuffer, Transport, TransportError};
use spandrel_hdl::profile::Profile;
use std::time::Duration;

/// Orders from a [`SimControl`] are looked for so often while the driver waits.
const CONTROL_CYCLES: u64 = 1024;
/// What a register access takes of the card's time while the card is off the bus.
const DEAD_ACCESS_CYCLES: u64 = 250;

/// A simulated card in this process: deterministic, without privilege.
///
/// The simulation advances inside [`read_bar`](Transport::read_bar), [`write_bar`](Transport::write_bar) and
/// [`wait_interrupt`](Transport::wait_interrupt); the card's time is its cycles divided by the profile's clock. Should
/// the card break the rules of one of its buses, every later call fails and says so.
pub struct InProcess {
    card: SimCard,
    name: String,
    clock_khz: u32,
    control: SimControl,
    /// The card is off the bus: reads give all ones.
    gone: bool,
    /// Cycles that passed without being simulated, while the card was off the bus.
    skipped_cycles: u64,
}

impl std::fmt::Debug for InProcess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InProcess")
            .field("name", &self.name)
            .field("card", &self.card)
            .finish_non_exhaustive()
    }
}

impl InProcess {
    /// The card of a profile; see [`SimCard::new`].
    pub fn new(profile: &Profile, options: SimOptions) -> Result<InProcess, SimError> {
        let card = SimCard::new(profile, &options)?;
        Ok(InProcess::from_card(card, &profile.name, profile.clock_khz))
    }

    /// Wraps a card; `name` is what messages call it, `clock_khz` what its time is reckoned with (at least 1).
    pub fn from_card(card: SimCard, name: impl Into<String>, clock_khz: u32) -> InProcess {
        let clock_khz = clock_khz.max(1);
        InProcess {
            card,
            name: name.into(),
            clock_khz,
            control: SimControl::default(),
            gone: false,
            skipped_cycles: 0,
        }
    }

    /// A handle that goes on working after the driver has taken the transport: to make the card fail, and to see what it
    /// did.
    pub fn control(&self) -> SimControl {
        self.control.clone()
    }

    /// The card.
    pub fn card(&self) -> &SimCard {
        &self.card
    }

    /// The card.
    pub fn card_mut(&mut self) -> &mut SimCard {
        &mut self.card
    }

    fn take_orders(&mut self) {
        for order in self.control.take() {
            match order {
                Injection::FailHostRead(n) => self.card.host_mut().fail_read(n),
                Injection::FailHostWrite(n) => self.card.host_mut().fail_write(n),
                Injection::FailCardRead(n) => self.card.card_mut().fail_read(n),
                Injection::FailCardWrite(n) => self.card.card_mut().fail_write(n),
                Injection::HoldHost(held) => self.card.host_mut().hold(held),
                Injection::HoldCard(held) => self.card.card_mut().hold(held),
                Injection::DropInterrupts(count) => self.card.drop_interrupts(count),
                Injection::Gone(gone) => self.gone = gone,
            }
        }
    }

    fn report(&self) {
        self.control.report(SimStatistics {
            cycles: self.card.cycles(),
            host: self.card.host().traffic(),
            card: self.card.card().traffic(),
            host_faults: self.card.host().memory().fault_count(),
            mapped_buffers: self.card.host().memory().mapped_buffers(),
        });
    }

    /// Begins an access: checks it, takes orders; `true` if there is a card to do it.
    fn begin(&mut self, offset: u64, width: AccessWidth) -> Result<bool, TransportError> {
        let bar_bytes = u64::from(REGISTER_BYTES);
        let inside = offset.checked_add(width.bytes()).is_some_and(|end| end <= bar_bytes);
        if !inside || !offset.is_multiple_of(width.bytes()) {
            return Err(TransportError::BadAccess { offset, width, bar_bytes });
        }
        self.take_orders();
        if self.gone {
            self.skipped_cycles += DEAD_ACCESS_CYCLES;
        }
        Ok(!self.gone)
    }

    /// Ends an access: a breach of the rules found meanwhile is more telling than the access's own result.
    fn end<T>(
        &self,
        result: Result<T, SimError>,
        offset: u64,
        width: AccessWidth,
    ) -> Result<T, TransportError> {
        self.report();
        self.card.check_rules().map_err(|error| TransportError::Other(error.to_string()))?;
        result.map_err(|error| match error {
            SimError::NoAnswer { .. } | SimError::BusError { .. } => {
                TransportError::AccessFailed { offset, width, reason: error.to_string() }
            }
            error => TransportError::Other(error.to_string()),
        })
    }

    /// A duration in cycles, rounded up.
    fn cycles_of(&self, duration: Duration) -> u64 {
        let cycles = (duration.as_nanos() * u128::from(self.clock_khz)).div_ceil(1_000_000);
        u64::try_from(cycles).unwrap_or(u64::MAX)
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
}

impl Transport for InProcess {
    fn describe(&self) -> String {
        format!("sim:{}", self.name)
    }

    fn read_bar(&mut self, offset: u64, width: AccessWidth) -> Result<u64, TransportError> {
        if !self.begin(offset, width)? {
            return Ok(width.all_ones());
        }
        let result = self.read(offset, width);
        self.end(result, offset, width)
    }

    fn write_bar(&mut self, offset: u64, width: AccessWidth, value: u64) -> Result<(), TransportError> {
        if !self.begin(offset, width)? {
            return Ok(());
        }
        let result = self.write(offset, width, value);
        self.end(result, offset, width)
    }

    fn allocate(&mut self, bytes: usize) -> Result<DmaBuffer, TransportError> {
        let buffer = self.card.host().memory().allocate(bytes);
        buffer.ok_or_else(|| TransportError::Allocation {
            bytes,
            reason: "this process is out of memory".to_owned(),
        })
    }

    fn wait_interrupt(&mut self, vector: u16, timeout: Duration) -> Result<bool, TransportError> {
        if vector != COMPLETION_VECTOR {
            return Err(TransportError::NoSuchVector { vector });
        }
        self.take_orders();
        let mut left = self.cycles_of(timeout);
        while !self.gone && left > 0 && !self.card.interrupt() {
            let slice = left.min(CONTROL_CYCLES);
            let mut result = Ok(());
            for _ in 0..slice {
                result = self.card.cycle();
                left -= 1;
                if result.is_err() || self.card.interrupt() {
                    break;
                }
            }
            result
                .and_then(|()| self.card.check_rules())
                .map_err(|error| TransportError::Other(error.to_string()))?;
            self.take_orders();
        }
        self.report();
        if self.gone {
            self.skipped_cycles = self.skipped_cycles.saturating_add(left);
            return Ok(false);
        }
        Ok(self.card.interrupt())
    }

    fn now(&self) -> Duration {
        let cycles = u128::from(self.card.cycles()) + u128::from(self.skipped_cycles);
        let nanoseconds = cycles * 1_000_000 / u128::from(self.clock_khz);
        Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
    }

    fn clock(&self) -> ClockKind {
        ClockKind::Card
    }

    fn reset(&mut self) -> Result<(), TransportError> {
        self.take_orders();
        if self.gone {
            return Ok(());
        }
        let result = self.card.reset();
        self.report();
        result.map_err(|error| TransportError::Other(error.to_string()))
    }
}
