//! The shell's parts, joined.

use super::{FrameDecoder, FrameEncoder, Requester, Responder, UartReceiver, UartTransmitter};
use rust_hdl::prelude::*;

/// Between a serial line and the card's buses, as [`spandrel_abi`]'s serial link describes it.
///
/// Frames of the host go to [`Responder`] and [`Requester`] alike; each knows its own by their kind. A frame to the host is
/// sent whole; a reply goes before a request. After power-on and after `reset` a bit takes as many cycles as
/// [`SerialShell::new`] is told.
#[derive(LogicBlock)]
pub struct SerialShell {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset of the shell and of the buses, active high.
    pub reset: Signal<In, Bit>,
    /// The line from the host, of no clock.
    pub rxd: Signal<In, Bit>,
    /// The line to the host.
    pub txd: Signal<Out, Bit>,
    /// Asks the card for its orderly reset.
    pub reset_request: Signal<Out, Bit>,
    /// The card is in its own reset.
    pub resetting: Signal<In, Bit>,
    /// Causes of interrupts in this cycle, a bit for each vector.
    pub interrupt_events: Signal<In, Bits<2>>,
    /// A request of either side is under way.
    pub busy: Signal<Out, Bit>,
    /// Registers, AXI4-Lite: write address.
    pub m_axil_awaddr: Signal<Out, Bits<12>>,
    /// Registers, AXI4-Lite: write address valid.
    pub m_axil_awvalid: Signal<Out, Bit>,
    /// Registers, AXI4-Lite: write address ready.
    pub m_axil_awready: Signal<In, Bit>,
    /// Registers, AXI4-Lite: write data.
    pub m_axil_wdata: Signal<Out, Bits<32>>,
    /// Registers, AXI4-Lite: byte strobes.
    pub m_axil_wstrb: Signal<Out, Bits<4>>,
    /// Registers, AXI4-Lite: write data valid.
    pub m_axil_wvalid: Signal<Out, Bit>,
    /// Registers, AXI4-Lite: write data ready.
    pub m_axil_wready: Signal<In, Bit>,
    /// Registers, AXI4-Lite: write response.
    pub m_axil_bresp: Signal<In, Bits<2>>,
    /// Registers, AXI4-Lite: write response valid.
    pub m_axil_bvalid: Signal<In, Bit>,
    /// Registers, AXI4-Lite: write response ready.
    pub m_axil_bready: Signal<Out, Bit>,
    /// Registers, AXI4-Lite: read address.
    pub m_axil_araddr: Signal<Out, Bits<12>>,
    /// Registers, AXI4-Lite: read address valid.
    pub m_axil_arvalid: Signal<Out, Bit>,
    /// Registers, AXI4-Lite: read address ready.
    pub m_axil_arready: Signal<In, Bit>,
    /// Registers, AXI4-Lite: read data.
    pub m_axil_rdata: Signal<In, Bits<32>>,
    /// Registers, AXI4-Lite: read response.
    pub m_axil_rresp: Signal<In, Bits<2>>,
    /// Registers, AXI4-Lite: read data valid.
    pub m_axil_rvalid: Signal<In, Bit>,
    /// Registers, AXI4-Lite: read data ready.
    pub m_axil_rready: Signal<Out, Bit>,
    /// Host memory, AXI4: write address.
    pub s_axi_host_awaddr: Signal<In, Bits<64>>,
    /// Host memory, AXI4: write burst length minus one.
    pub s_axi_host_awlen: Signal<In, Bits<8>>,
    /// Host memory, AXI4: write address valid.
    pub s_axi_host_awvalid: Signal<In, Bit>,
    /// Host memory, AXI4: write address ready.
    pub s_axi_host_awready: Signal<Out, Bit>,
    /// Host memory, AXI4: write data.
    pub s_axi_host_wdata: Signal<In, Bits<256>>,
    /// Host memory, AXI4: byte strobes.
    pub s_axi_host_wstrb: Signal<In, Bits<32>>,
    /// Host memory, AXI4: write data valid.
    pub s_axi_host_wvalid: Signal<In, Bit>,
    /// Host memory, AXI4: write data ready.
    pub s_axi_host_wready: Signal<Out, Bit>,
    /// Host memory, AXI4: write response.
    pub s_axi_host_bresp: Signal<Out, Bits<2>>,
    /// Host memory, AXI4: write response valid.
    pub s_axi_host_bvalid: Signal<Out, Bit>,
    /// Host memory, AXI4: write response ready.
    pub s_axi_host_bready: Signal<In, Bit>,
    /// Host memory, AXI4: read address.
    pub s_axi_host_araddr: Signal<In, Bits<64>>,
    /// Host memory, AXI4: read burst length minus one.
    pub s_axi_host_arlen: Signal<In, Bits<8>>,
    /// Host memory, AXI4: read address valid.
    pub s_axi_host_arvalid: Signal<In, Bit>,
    /// Host memory, AXI4: read address ready.
    pub s_axi_host_arready: Signal<Out, Bit>,
    /// Host memory, AXI4: read data.
    pub s_axi_host_rdata: Signal<Out, Bits<256>>,
    /// Host memory, AXI4: read response.
    pub s_axi_host_rresp: Signal<Out, Bits<2>>,
    /// Host memory, AXI4: why the beat failed.
    pub s_axi_host_ruser: Signal<Out, Bits<3>>,
    /// Host memory, AXI4: last beat of a read burst.
    pub s_axi_host_rlast: Signal<Out, Bit>,
    /// Host memory, AXI4: read data valid.
    pub s_axi_host_rvalid: Signal<Out, Bit>,
    /// Host memory, AXI4: read data ready.
    pub s_axi_host_rready: Signal<In, Bit>,
    receiver: UartReceiver,
    transmitter: UartTransmitter,
    decoder: FrameDecoder,
    encoder: FrameEncoder,
    responder: Responder,
    requester: Requester,
    /// Whose frame is going out: 0 none, 1 the responder's, 2 the requester's.
    grant: DFF<Bits<2>>,
    sending: Signal<Local, Bit>,
}

impl SerialShell {
    /// A shell whose bits take `divisor` cycles at first; the others are [`Requester::new`]'s.
    pub fn new(divisor: u16, timeout_cycles: u32, attempts: u8) -> Self {
        Self {
            clock: Default::default(),
            reset: Default::default(),
            rxd: Default::default(),
            txd: Default::default(),
            reset_request: Default::default(),
            resetting: Default::default(),
            interrupt_events: Default::default(),
            busy: Default::default(),
            m_axil_awaddr: Default::default(),
            m_axil_awvalid: Default::default(),
            m_axil_awready: Default::default(),
            m_axil_wdata: Default::default(),
            m_axil_wstrb: Default::default(),
            m_axil_wvalid: Default::default(),
            m_axil_wready: Default::default(),
            m_axil_bresp: Default::default(),
            m_axil_bvalid: Default::default(),
            m_axil_bready: Default::default(),
            m_axil_araddr: Default::default(),
            m_axil_arvalid: Default::default(),
            m_axil_arready: Default::default(),
            m_axil_rdata: Default::default(),
            m_axil_rresp: Default::default(),
            m_axil_rvalid: Default::default(),
            m_axil_rready: Default::default(),
            s_axi_host_awaddr: Default::default(),
            s_axi_host_awlen: Default::default(),
            s_axi_host_awvalid: Default::default(),
            s_axi_host_awready: Default::default(),
            s_axi_host_wdata: Default::default(),
            s_axi_host_wstrb: Default::default(),
            s_axi_host_wvalid: Default::default(),
            s_axi_host_wready: Default::default(),
            s_axi_host_bresp: Default::default(),
            s_axi_host_bvalid: Default::default(),
            s_axi_host_bready: Default::default(),
            s_axi_host_araddr: Default::default(),
            s_axi_host_arlen: Default::default(),
            s_axi_host_arvalid: Default::default(),
            s_axi_host_arready: Default::default(),
            s_axi_host_rdata: Default::default(),
            s_axi_host_rresp: Default::default(),
            s_axi_host_ruser: Default::default(),
            s_axi_host_rlast: Default::default(),
            s_axi_host_rvalid: Default::default(),
            s_axi_host_rready: Default::default(),
            receiver: Default::default(),
            transmitter: Default::default(),
            decoder: Default::default(),
            encoder: Default::default(),
            responder: Responder::new(divisor),
            requester: Requester::new(timeout_cycles, attempts),
            grant: Default::default(),
            sending: Default::default(),
        }
    }
}

impl Logic for SerialShell {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, grant);
        clock!(self, clock, receiver, transmitter, decoder, encoder, responder, requester);
        self.receiver.reset.next = self.reset.val();
        self.transmitter.reset.next = self.reset.val();
        self.decoder.reset.next = self.reset.val();
        self.encoder.reset.next = self.reset.val();
        self.responder.reset.next = self.reset.val();
        self.requester.reset.next = self.reset.val();

        self.receiver.rxd.next = self.rxd.val();
        self.receiver.divisor.next = self.responder.divisor.val();
        self.decoder.in_data.next = self.receiver.data.val();
        self.decoder.in_valid.next = self.receiver.valid.val();
        self.decoder.in_error.next = self.receiver.error.val();
        self.responder.frame_data.next = self.decoder.data.val();
        self.responder.frame_index.next = self.decoder.index.val();
        self.responder.frame_valid.next = self.decoder.valid.val();
        self.responder.frame_good.next = self.decoder.good.val();
        self.responder.frame_length.next = self.decoder.length.val();
        self.requester.frame_data.next = self.decoder.data.val();
        self.requester.frame_index.next = self.decoder.index.val();
        self.requester.frame_valid.next = self.decoder.valid.val();
        self.requester.frame_good.next = self.decoder.good.val();
        self.requester.frame_length.next = self.decoder.length.val();

        // A frame holds the encoder until its last byte is taken, and the next one waits until all of it has left.
        self.encoder.in_data.next = self.requester.out_data.val();
        self.encoder.in_last.next = self.requester.out_last.val();
        self.encoder.in_valid.next = false;
        self.responder.out_ready.next = false;
        self.requester.out_ready.next = false;
        if self.grant.q.val() == 1 {
            self.encoder.in_data.next = self.responder.out_data.val();
            self.encoder.in_last.next = self.responder.out_last.val();
            self.encoder.in_valid.next = self.responder.out_valid.val();
            self.responder.out_ready.next = self.encoder.in_ready.val();
            if self.encoder.in_ready.val() & self.responder.out_valid.val() & self.responder.out_last.val() {
                self.grant.d.next = 0.into();
            }
        }
        if self.grant.q.val() == 2 {
            self.encoder.in_valid.next = self.requester.out_valid.val();
            self.requester.out_ready.next = self.encoder.in_ready.val();
            if self.encoder.in_ready.val() & self.requester.out_valid.val() & self.requester.out_last.val() {
                self.grant.d.next = 0.into();
            }
        }
        if (self.grant.q.val() == 0) & self.encoder.idle.val() & !self.responder.hold.val() {
            if self.responder.out_valid.val() {
                self.grant.d.next = 1.into();
            } else {
                if self.requester.out_valid.val() {
                    self.grant.d.next = 2.into();
                }
            }
        }

        self.transmitter.divisor.next = self.responder.divisor.val();
        self.transmitter.data.next = self.encoder.out_data.val();
        self.transmitter.valid.next = self.encoder.out_valid.val();
        self.encoder.out_ready.next = self.transmitter.ready.val();
        self.txd.next = self.transmitter.txd.val();
        self.sending.next =
            !self.encoder.idle.val() | !self.transmitter.ready.val() | (self.grant.q.val() != 0);
        self.responder.line_idle.next = !self.sending.val();
        self.responder.line_break.next = self.receiver.line_break.val();
        self.requester.line_busy.next = self.sending.val() | self.receiver.valid.val();

        self.requester.interrupt_events.next = self.interrupt_events.val();
        self.reset_request.next = self.responder.reset_request.val();
        self.responder.resetting.next = self.resetting.val();
        self.busy.next = self.responder.busy.val() | self.requester.busy.val();

        self.m_axil_awaddr.next = self.responder.m_axil_awaddr.val();
        self.m_axil_awvalid.next = self.responder.m_axil_awvalid.val();
        self.responder.m_axil_awready.next = self.m_axil_awready.val();
        self.m_axil_wdata.next = self.responder.m_axil_wdata.val();
        self.m_axil_wstrb.next = self.responder.m_axil_wstrb.val();
        self.m_axil_wvalid.next = self.responder.m_axil_wvalid.val();
        self.responder.m_axil_wready.next = self.m_axil_wready.val();
        self.responder.m_axil_bresp.next = self.m_axil_bresp.val();
        self.responder.m_axil_bvalid.next = self.m_axil_bvalid.val();
        self.m_axil_bready.next = self.responder.m_axil_bready.val();
        self.m_axil_araddr.next = self.responder.m_axil_araddr.val();
        self.m_axil_arvalid.next = self.responder.m_axil_arvalid.val();
        self.responder.m_axil_arready.next = self.m_axil_arready.val();
        self.responder.m_axil_rdata.next = self.m_axil_rdata.val();
        self.responder.m_axil_rresp.next = self.m_axil_rresp.val();
        self.responder.m_axil_rvalid.next = self.m_axil_rvalid.val();
        self.m_axil_rready.next = self.responder.m_axil_rready.val();
        self.requester.s_axi_host_awaddr.next = self.s_axi_host_awaddr.val();
        self.requester.s_axi_host_awlen.next = self.s_axi_host_awlen.val();
        self.requester.s_axi_host_awvalid.next = self.s_axi_host_awvalid.val();
        self.s_axi_host_awready.next = self.requester.s_axi_host_awready.val();
        self.requester.s_axi_host_wdata.next = self.s_axi_host_wdata.val();
        self.requester.s_axi_host_wstrb.next = self.s_axi_host_wstrb.val();
        self.requester.s_axi_host_wvalid.next = self.s_axi_host_wvalid.val();
        self.s_axi_host_wready.next = self.requester.s_axi_host_wready.val();
        self.s_axi_host_bresp.next = self.requester.s_axi_host_bresp.val();
        self.s_axi_host_bvalid.next = self.requester.s_axi_host_bvalid.val();
        self.requester.s_axi_host_bready.next = self.s_axi_host_bready.val();
        self.requester.s_axi_host_araddr.next = self.s_axi_host_araddr.val();
        self.requester.s_axi_host_arlen.next = self.s_axi_host_arlen.val();
        self.requester.s_axi_host_arvalid.next = self.s_axi_host_arvalid.val();
        self.s_axi_host_arready.next = self.requester.s_axi_host_arready.val();
        self.s_axi_host_rdata.next = self.requester.s_axi_host_rdata.val();
        self.s_axi_host_rresp.next = self.requester.s_axi_host_rresp.val();
        self.s_axi_host_ruser.next = self.requester.s_axi_host_ruser.val();
        self.s_axi_host_rlast.next = self.requester.s_axi_host_rlast.val();
        self.s_axi_host_rvalid.next = self.requester.s_axi_host_rvalid.val();
        self.requester.s_axi_host_rready.next = self.s_axi_host_rready.val();
    }
}
