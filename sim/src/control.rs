//! A hand on a simulated card that the driver already owns.

use crate::axi::Traffic;
use crate::pcie::{PcieTraffic, ReadFault};
use spandrel_abi::COMPLETION_BYTES;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a simulated card is told to do wrong.
#[derive(Clone, Debug)]
pub(crate) enum Injection {
    FailHostRead(u64),
    FailHostWrite(u64),
    FailCardRead(u64),
    FailCardWrite(u64),
    HoldHost(bool),
    HoldCard(bool),
    DropInterrupts(u32),
    Gone(bool),
    FaultRead(u64, ReadFault),
    Deny(Range<u64>),
    AllowAll,
    CorruptCompletion(u64, [u8; COMPLETION_BYTES]),
    SpuriousInterrupt(u16),
    ResetLink,
    ResetFunction,
}

/// What a simulated card did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SimStatistics {
    /// Clock cycles simulated.
    pub cycles: u64,
    /// Traffic between the card and host memory.
    pub host: Traffic,
    /// Traffic between the card and its own memory.
    pub card: Traffic,
    /// Accesses of the card to host memory that was not mapped.
    pub host_faults: u64,
    /// Accesses of the card to host memory that were denied by order (see [`SimControl::deny_host`]).
    pub denied_accesses: u64,
    /// Host buffers that are mapped.
    pub mapped_buffers: usize,
    /// What went over the link of a card on PCI Express; all zero for one on a bare AXI bus. `host` then counts requests as
    /// bursts, and beats of 32 bytes.
    pub pcie: PcieTraffic,
}

/// Makes a simulated card fail, and tells what it did, while a driver owns its transport.
///
/// Orders take effect when the driver next uses the transport, or within some thousand cycles while it waits. Clones
/// lead to the same card.
#[derive(Clone, Debug, Default)]
pub struct SimControl {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    pending: AtomicBool,
    orders: Mutex<Vec<Injection>>,
    statistics: Mutex<SimStatistics>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SimControl {
    /// Answers the card's `n`-th read of host memory from now (0 = the next burst) with a bus error.
    pub fn fail_host_read(&self, n: u64) {
        self.order(Injection::FailHostRead(n));
    }

    /// Answers the card's `n`-th write to host memory from now (0 = the next burst) with a bus error, and drops its data.
    pub fn fail_host_write(&self, n: u64) {
        self.order(Injection::FailHostWrite(n));
    }

    /// Answers the card's `n`-th read of its own memory from now (0 = the next burst) with a bus error.
    pub fn fail_card_read(&self, n: u64) {
        self.order(Injection::FailCardRead(n));
    }

    /// Answers the card's `n`-th write to its own memory from now (0 = the next burst) with a bus error.
    pub fn fail_card_write(&self, n: u64) {
        self.order(Injection::FailCardWrite(n));
    }

    /// Has host memory neither take nor answer anything, until it is let go: the card then hangs, busy.
    pub fn hold_host(&self, held: bool) {
        self.order(Injection::HoldHost(held));
    }

    /// Has the card's own memory neither take nor answer anything, until it is let go.
    pub fn hold_card(&self, held: bool) {
        self.order(Injection::HoldCard(held));
    }

    /// Keeps the next `count` rises of the interrupt line, or interrupt messages, from the driver.
    pub fn drop_interrupts(&self, count: u32) {
        self.order(Injection::DropInterrupts(count));
    }

    /// Takes the card off the bus: register reads give all ones, writes and resets go nowhere, no interrupt comes.
    pub fn unplug(&self) {
        self.order(Injection::Gone(true));
    }

    /// Puts the card back on the bus, in the state in which it left.
    pub fn plug(&self) {
        self.order(Injection::Gone(false));
    }

    /// Has something go wrong with the card's `n`-th read request from now (0 = the next). On a bare AXI bus, which knows
    /// no other fault of a read, it is answered with a bus error.
    pub fn fault_host_read(&self, n: u64, fault: ReadFault) {
        self.order(Injection::FaultRead(n, fault));
    }

    /// Denies the card a range of host addresses, as an I/O memory-management unit does: reads fail, writes are dropped
    /// (on a bare AXI bus, both are bus errors), and all are counted.
    pub fn deny_host(&self, range: Range<u64>) {
        self.order(Injection::Deny(range));
    }

    /// Takes back every [`SimControl::deny_host`].
    pub fn allow_host(&self) {
        self.order(Injection::AllowAll);
    }

    /// Exclusive-ors a mask into the `n`-th entry from now (0 = the next) of the completion ring, as the card writes it.
    pub fn corrupt_completion(&self, n: u64, mask: [u8; COMPLETION_BYTES]) {
        self.order(Injection::CorruptCompletion(n, mask));
    }

    /// Raises an interrupt vector, without cause.
    pub fn spurious_interrupt(&self, vector: u16) {
        self.order(Injection::SpuriousInterrupt(vector));
    }

    /// Resets the link, and with it the whole card, whatever it is doing; memories keep their contents. A card on PCI
    /// Express is then unconfigured, so that its registers read as all ones until it is reset through the transport.
    pub fn reset_link(&self) {
        self.order(Injection::ResetLink);
    }

    /// Starts a function-level reset behind the driver's back, as another program may do; on a bare AXI bus the card is
    /// reset. As after [`SimControl::reset_link`], the card is then unconfigured.
    pub fn reset_function(&self) {
        self.order(Injection::ResetFunction);
    }

    /// What the card had done when its transport was last used.
    pub fn statistics(&self) -> SimStatistics {
        *lock(&self.shared.statistics)
    }

    fn order(&self, order: Injection) {
        lock(&self.shared.orders).push(order);
        self.shared.pending.store(true, Ordering::Release);
    }

    /// Takes the orders given since the last call.
    pub(crate) fn take(&self) -> Vec<Injection> {
        if !self.shared.pending.swap(false, Ordering::Acquire) {
            return Vec::new();
        }
        std::mem::take(&mut *lock(&self.shared.orders))
    }

    pub(crate) fn report(&self, statistics: SimStatistics) {
        *lock(&self.shared.statistics) = statistics;
    }
}
