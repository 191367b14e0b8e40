//! AXI4-Lite slave.

use super::register::RegisterBus;
use rust_hdl::prelude::*;

/// AXI4-Lite slave, 32 bits wide, 4 KiB: turns the five channels into [`RegisterBus`].
///
/// Address and data of a write may come in any order. One write and one read at a time; a write takes effect one
/// cycle after both its parts were taken and is answered in the next, a read is sampled one cycle after its address was
/// taken and answered in the next. Every answer is OKAY.
#[derive(LogicBlock, Default)]
pub struct LiteSlave {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Reset of the bus.
    pub reset: Signal<In, Bit>,
    /// AXI write address.
    pub awaddr: Signal<In, Bits<12>>,
    /// AXI write address valid.
    pub awvalid: Signal<In, Bit>,
    /// AXI write address ready.
    pub awready: Signal<Out, Bit>,
    /// AXI write data.
    pub wdata: Signal<In, Bits<32>>,
    /// AXI byte strobes.
    pub wstrb: Signal<In, Bits<4>>,
    /// AXI write data valid.
    pub wvalid: Signal<In, Bit>,
    /// AXI write data ready.
    pub wready: Signal<Out, Bit>,
    /// AXI write response, always OKAY.
    pub bresp: Signal<Out, Bits<2>>,
    /// AXI write response valid.
    pub bvalid: Signal<Out, Bit>,
    /// AXI write response ready.
    pub bready: Signal<In, Bit>,
    /// AXI read address.
    pub araddr: Signal<In, Bits<12>>,
    /// AXI read address valid.
    pub arvalid: Signal<In, Bit>,
    /// AXI read address ready.
    pub arready: Signal<Out, Bit>,
    /// AXI read data.
    pub rdata: Signal<Out, Bits<32>>,
    /// AXI read response, always OKAY.
    pub rresp: Signal<Out, Bits<2>>,
    /// AXI read data valid.
    pub rvalid: Signal<Out, Bit>,
    /// AXI read data ready.
    pub rready: Signal<In, Bit>,
    /// To the registers.
    pub bus: Signal<Out, RegisterBus>,
    /// From the registers: value at `bus.read_address`, combinational.
    pub read_value: Signal<In, Bits<32>>,
    write_address: DFF<Bits<12>>,
    write_address_full: DFF<Bit>,
    write_data: DFF<Bits<32>>,
    write_strobes: DFF<Bits<4>>,
    write_data_full: DFF<Bit>,
    write_answer: DFF<Bit>,
    read_address: DFF<Bits<12>>,
    read_address_full: DFF<Bit>,
    read_data: DFF<Bits<32>>,
    read_answer: DFF<Bit>,
    write_now: Signal<Local, Bit>,
    read_now: Signal<Local, Bit>,
    lane0: Signal<Local, Bits<32>>,
    lane1: Signal<Local, Bits<32>>,
    lane2: Signal<Local, Bits<32>>,
    lane3: Signal<Local, Bits<32>>,
}

impl Logic for LiteSlave {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, write_address, write_address_full, write_data, write_strobes);
        dff_setup!(self, clock, write_data_full, write_answer);
        dff_setup!(self, clock, read_address, read_address_full, read_data, read_answer);

        self.awready.next = !self.write_address_full.q.val();
        if self.awvalid.val() & !self.write_address_full.q.val() {
            self.write_address.d.next = self.awaddr.val();
            self.write_address_full.d.next = true;
        }
        self.wready.next = !self.write_data_full.q.val();
        if self.wvalid.val() & !self.write_data_full.q.val() {
            self.write_data.d.next = self.wdata.val();
            self.write_strobes.d.next = self.wstrb.val();
            self.write_data_full.d.next = true;
        }
        self.bresp.next = 0.into();
        self.bvalid.next = self.write_answer.q.val();
        if self.bready.val() {
            self.write_answer.d.next = false;
        }
        self.write_now.next =
            self.write_address_full.q.val() & self.write_data_full.q.val() & !self.write_answer.q.val();
        if self.write_now.val() {
            self.write_address_full.d.next = false;
            self.write_data_full.d.next = false;
            self.write_answer.d.next = true;
        }

        self.arready.next = !self.read_address_full.q.val();
        if self.arvalid.val() & !self.read_address_full.q.val() {
            self.read_address.d.next = self.araddr.val();
            self.read_address_full.d.next = true;
        }
        self.rresp.next = 0.into();
        self.rdata.next = self.read_data.q.val();
        self.rvalid.next = self.read_answer.q.val();
        if self.rready.val() {
            self.read_answer.d.next = false;
        }
        self.read_now.next = self.read_address_full.q.val() & !self.read_answer.q.val();
        if self.read_now.val() {
            self.read_address_full.d.next = false;
            self.read_data.d.next = self.read_value.val();
            self.read_answer.d.next = true;
        }

        self.lane0.next = 0.into();
        if self.write_strobes.q.val().get_bit(0) {
            self.lane0.next = 0xff.into();
        }
        self.lane1.next = 0.into();
        if self.write_strobes.q.val().get_bit(1) {
            self.lane1.next = 0xff00.into();
        }
        self.lane2.next = 0.into();
        if self.write_strobes.q.val().get_bit(2) {
            self.lane2.next = 0xff_0000.into();
        }
        self.lane3.next = 0.into();
        if self.write_strobes.q.val().get_bit(3) {
            self.lane3.next = 0xff00_0000_u64.into();
        }
        self.bus.next.write = self.write_now.val();
        self.bus.next.write_address = self.write_address.q.val();
        self.bus.next.write_data = self.write_data.q.val();
        self.bus.next.write_mask = self.lane0.val() | self.lane1.val() | self.lane2.val() | self.lane3.val();
        self.bus.next.read = self.read_now.val();
        self.bus.next.read_address = self.read_address.q.val();

        if self.reset.val() {
            self.write_address_full.d.next = false;
            self.write_data_full.d.next = false;
            self.write_answer.d.next = false;
            self.read_address_full.d.next = false;
            self.read_answer.d.next = false;
        }
    }
}
