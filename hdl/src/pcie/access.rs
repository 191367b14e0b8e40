//! From a register access in the BAR to whoever has the register.

use rust_hdl::prelude::*;

/// Leads accesses to the BAR: the first 4 KiB to the card's AXI4-Lite slave, the others to the endpoint's own registers.
///
/// An access to the endpoint's registers is done in the cycle in which it is wanted; one to the card's takes as long as
/// the slave, and two cycles.
#[derive(LogicBlock, Default)]
pub struct Access {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Reset of the bus.
    pub reset: Signal<In, Bit>,
    /// The access is a write.
    pub write: Signal<In, Bit>,
    /// Byte address within the BAR.
    pub address: Signal<In, Bits<14>>,
    /// Data of a write.
    pub data: Signal<In, Bits<32>>,
    /// Bytes of a write.
    pub strobes: Signal<In, Bits<4>>,
    /// An access is wanted; it stands until `done`.
    pub valid: Signal<In, Bit>,
    /// The access happened.
    pub done: Signal<Out, Bit>,
    /// Value read, with `done`.
    pub value: Signal<Out, Bits<32>>,
    /// Value of the endpoint's register at `address`, combinational; 0 where there is none.
    pub own_value: Signal<In, Bits<32>>,
    /// The endpoint's register at `address` is written in this cycle.
    pub own_write: Signal<Out, Bit>,
    /// Bits that a write changes.
    pub mask: Signal<Out, Bits<32>>,
    /// AXI write address.
    pub awaddr: Signal<Out, Bits<12>>,
    /// AXI write address valid.
    pub awvalid: Signal<Out, Bit>,
    /// AXI write address ready.
    pub awready: Signal<In, Bit>,
    /// AXI write data.
    pub wdata: Signal<Out, Bits<32>>,
    /// AXI byte strobes.
    pub wstrb: Signal<Out, Bits<4>>,
    /// AXI write data valid.
    pub wvalid: Signal<Out, Bit>,
    /// AXI write data ready.
    pub wready: Signal<In, Bit>,
    /// AXI write response valid.
    pub bvalid: Signal<In, Bit>,
    /// AXI write response ready.
    pub bready: Signal<Out, Bit>,
    /// AXI read address.
    pub araddr: Signal<Out, Bits<12>>,
    /// AXI read address valid.
    pub arvalid: Signal<Out, Bit>,
    /// AXI read address ready.
    pub arready: Signal<In, Bit>,
    /// AXI read data.
    pub rdata: Signal<In, Bits<32>>,
    /// AXI read data valid.
    pub rvalid: Signal<In, Bit>,
    /// AXI read data ready.
    pub rready: Signal<Out, Bit>,
    address_sent: DFF<Bit>,
    data_sent: DFF<Bit>,
    page: Signal<Local, Bits<2>>,
    to_card: Signal<Local, Bit>,
    finish: Signal<Local, Bit>,
    lane0: Signal<Local, Bits<32>>,
    lane1: Signal<Local, Bits<32>>,
    lane2: Signal<Local, Bits<32>>,
    lane3: Signal<Local, Bits<32>>,
}

impl Logic for Access {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, address_sent, data_sent);
        self.page.next = self.address.val().get_bits::<2>(12);
        self.to_card.next = self.valid.val() & (self.page.val() == 0);

        self.awaddr.next = self.address.val().get_bits::<12>(0);
        self.araddr.next = self.address.val().get_bits::<12>(0);
        self.wdata.next = self.data.val();
        self.wstrb.next = self.strobes.val();
        self.awvalid.next = self.to_card.val() & self.write.val() & !self.address_sent.q.val();
        self.wvalid.next = self.to_card.val() & self.write.val() & !self.data_sent.q.val();
        self.arvalid.next = self.to_card.val() & !self.write.val() & !self.address_sent.q.val();
        if self.to_card.val()
            & ((self.write.val() & self.awready.val()) | (!self.write.val() & self.arready.val()))
        {
            self.address_sent.d.next = true;
        }
        if self.to_card.val() & self.write.val() & self.wready.val() {
            self.data_sent.d.next = true;
        }
        self.bready.next = true;
        self.rready.next = true;
        self.finish.next = self.to_card.val()
            & self.address_sent.q.val()
            & ((self.write.val() & self.data_sent.q.val() & self.bvalid.val())
                | (!self.write.val() & self.rvalid.val()));
        if self.finish.val() {
            self.address_sent.d.next = false;
            self.data_sent.d.next = false;
        }

        self.own_write.next = self.valid.val() & self.write.val() & (self.page.val() != 0);
        self.done.next = self.finish.val() | (self.valid.val() & (self.page.val() != 0));
        self.value.next = self.own_value.val();
        if self.page.val() == 0 {
            self.value.next = self.rdata.val();
        }
        self.lane0.next = 0.into();
        if self.strobes.val().get_bit(0) {
            self.lane0.next = 0xff.into();
        }
        self.lane1.next = 0.into();
        if self.strobes.val().get_bit(1) {
            self.lane1.next = 0xff00.into();
        }
        self.lane2.next = 0.into();
        if self.strobes.val().get_bit(2) {
            self.lane2.next = 0xff_0000.into();
        }
        self.lane3.next = 0.into();
        if self.strobes.val().get_bit(3) {
            self.lane3.next = 0xff00_0000_u64.into();
        }
        self.mask.next = self.lane0.val() | self.lane1.val() | self.lane2.val() | self.lane3.val();
        if self.reset.val() {
            self.address_sent.d.next = false;
            self.data_sent.d.next = false;
        }
    }
}
