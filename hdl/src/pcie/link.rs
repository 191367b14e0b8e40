//! Registers that tell of the link.

use rust_hdl::prelude::*;
use spandrel_abi::{LINK_OTHER_FAULTS, LINK_READ_FAULTS, LINK_STATUS};

/// Counts events up to 255 and stays there.
#[derive(LogicBlock, Default)]
pub struct Saturating {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Sets the count to zero.
    pub reset: Signal<In, Bit>,
    /// Counts in this cycle.
    pub increment: Signal<In, Bit>,
    /// Events so far.
    pub count: Signal<Out, Bits<8>>,
    events: DFF<Bits<8>>,
}

impl Logic for Saturating {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, events);
        self.count.next = self.events.q.val();
        if self.increment.val() & (self.events.q.val() != 255) {
            self.events.d.next = self.events.q.val() + 1;
        }
        if self.reset.val() {
            self.events.d.next = 0.into();
        }
    }
}

/// The link registers of the second 4 KiB of the BAR: what the host set up, and how often something failed.
#[derive(LogicBlock)]
pub struct LinkRegisters {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Sets the counts to zero.
    pub reset: Signal<In, Bit>,
    /// Byte address within the BAR.
    pub address: Signal<In, Bits<14>>,
    /// Value at `address`, combinational; 0 where no link register is.
    pub value: Signal<Out, Bits<32>>,
    /// Largest payload: 128 bytes shifted by this.
    pub max_payload: Signal<In, Bits<2>>,
    /// Largest read request: 128 bytes shifted by this.
    pub max_read: Signal<In, Bits<3>>,
    /// The host lets the card access its memory.
    pub bus_master: Signal<In, Bit>,
    /// The host has enabled MSI-X.
    pub msix_enable: Signal<In, Bit>,
    /// A read request timed out.
    pub timeout: Signal<In, Bit>,
    /// A read request was answered Unsupported Request.
    pub unsupported: Signal<In, Bit>,
    /// A read request was answered Completer Abort.
    pub aborted: Signal<In, Bit>,
    /// A read request was answered with poisoned data.
    pub poisoned: Signal<In, Bit>,
    /// A read request was answered with a completion that does not fit.
    pub malformed: Signal<In, Bit>,
    /// A completion belongs to no request.
    pub unexpected: Signal<In, Bit>,
    /// A request of the host was refused.
    pub refused: Signal<In, Bit>,
    timeouts: Saturating,
    unsupporteds: Saturating,
    aborts: Saturating,
    poisons: Saturating,
    malformeds: Saturating,
    unexpecteds: Saturating,
    refusals: Saturating,
    status: Signal<Local, Bits<32>>,
    width_code: Constant<Bits<32>>,
    status_at: Constant<Bits<14>>,
    read_faults_at: Constant<Bits<14>>,
    other_faults_at: Constant<Bits<14>>,
}

impl LinkRegisters {
    /// The registers of an endpoint whose streams are of 256 or 512 bits.
    pub fn new(stream_bits: usize) -> Self {
        let width_code: u64 = if stream_bits == 256 { 1 } else { 2 };
        Self {
            clock: Default::default(),
            reset: Default::default(),
            address: Default::default(),
            value: Default::default(),
            max_payload: Default::default(),
            max_read: Default::default(),
            bus_master: Default::default(),
            msix_enable: Default::default(),
            timeout: Default::default(),
            unsupported: Default::default(),
            aborted: Default::default(),
            poisoned: Default::default(),
            malformed: Default::default(),
            unexpected: Default::default(),
            refused: Default::default(),
            timeouts: Default::default(),
            unsupporteds: Default::default(),
            aborts: Default::default(),
            poisons: Default::default(),
            malformeds: Default::default(),
            unexpecteds: Default::default(),
            refusals: Default::default(),
            status: Default::default(),
            width_code: Constant::new((width_code << 16).into()),
            status_at: Constant::new(u64::from(LINK_STATUS.offset).into()),
            read_faults_at: Constant::new(u64::from(LINK_READ_FAULTS.offset).into()),
            other_faults_at: Constant::new(u64::from(LINK_OTHER_FAULTS.offset).into()),
        }
    }
}

impl Logic for LinkRegisters {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, timeouts, unsupporteds, aborts, poisons, malformeds, unexpecteds, refusals);
        self.timeouts.reset.next = self.reset.val();
        self.unsupporteds.reset.next = self.reset.val();
        self.aborts.reset.next = self.reset.val();
        self.poisons.reset.next = self.reset.val();
        self.malformeds.reset.next = self.reset.val();
        self.unexpecteds.reset.next = self.reset.val();
        self.refusals.reset.next = self.reset.val();
        self.timeouts.increment.next = self.timeout.val();
        self.unsupporteds.increment.next = self.unsupported.val();
        self.aborts.increment.next = self.aborted.val();
        self.poisons.increment.next = self.poisoned.val();
        self.malformeds.increment.next = self.malformed.val();
        self.unexpecteds.increment.next = self.unexpected.val();
        self.refusals.increment.next = self.refused.val();

        self.status.next = self.width_code.val()
            | bit_cast::<32, 2>(self.max_payload.val())
            | (bit_cast::<32, 3>(self.max_read.val()) << 4);
        if self.bus_master.val() {
            self.status.next = self.status.val() | 0x100;
        }
        if self.msix_enable.val() {
            self.status.next = self.status.val() | 0x200;
        }
        self.value.next = 0.into();
        if self.address.val() == self.status_at.val() {
            self.value.next = self.status.val();
        }
        if self.address.val() == self.read_faults_at.val() {
            self.value.next = bit_cast::<32, 8>(self.timeouts.count.val())
                | (bit_cast::<32, 8>(self.unsupporteds.count.val()) << 8)
                | (bit_cast::<32, 8>(self.aborts.count.val()) << 16)
                | (bit_cast::<32, 8>(self.poisons.count.val()) << 24);
        }
        if self.address.val() == self.other_faults_at.val() {
            self.value.next = bit_cast::<32, 8>(self.malformeds.count.val())
                | (bit_cast::<32, 8>(self.unexpecteds.count.val()) << 8)
                | (bit_cast::<32, 8>(self.refusals.count.val()) << 16);
        }
    }
}
