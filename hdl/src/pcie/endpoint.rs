//! The endpoint's parts, joined.

use super::{
    Access, Completer, FunctionReset, LinkRegisters, Msix, Narrow, ReadRequests, Requests, Widen,
    WriteRequests,
};
use crate::stream::Skid;
use rust_hdl::prelude::*;

/// The endpoint between the hard block's streams of `DATA` bits (256 or 512) and the card's buses.
///
/// `KEEP` is `DATA` / 32; `CQ`, `CC`, `RQ` and `RC` are the widths of the streams' `tuser`, which the hard block fixes:
/// [`Endpoint256`](super::Endpoint256) and [`Endpoint512`](super::Endpoint512) have them.
#[derive(LogicBlock)]
pub struct Endpoint<
    const DATA: usize,
    const KEEP: usize,
    const CQ: usize,
    const CC: usize,
    const RQ: usize,
    const RC: usize,
> {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset of the endpoint and of the buses, active high.
    pub reset: Signal<In, Bit>,
    /// Requests of the host: data.
    pub m_axis_cq_tdata: Signal<In, Bits<DATA>>,
    /// Requests of the host: DWORDs that exist.
    pub m_axis_cq_tkeep: Signal<In, Bits<KEEP>>,
    /// Requests of the host: last beat of the packet.
    pub m_axis_cq_tlast: Signal<In, Bit>,
    /// Requests of the host: byte enables and the like.
    pub m_axis_cq_tuser: Signal<In, Bits<CQ>>,
    /// Requests of the host: valid.
    pub m_axis_cq_tvalid: Signal<In, Bit>,
    /// Requests of the host: ready.
    pub m_axis_cq_tready: Signal<Out, Bit>,
    /// Completions to the host: data.
    pub s_axis_cc_tdata: Signal<Out, Bits<DATA>>,
    /// Completions to the host: DWORDs that exist.
    pub s_axis_cc_tkeep: Signal<Out, Bits<KEEP>>,
    /// Completions to the host: last beat of the packet.
    pub s_axis_cc_tlast: Signal<Out, Bit>,
    /// Completions to the host: byte enables and the like.
    pub s_axis_cc_tuser: Signal<Out, Bits<CC>>,
    /// Completions to the host: valid.
    pub s_axis_cc_tvalid: Signal<Out, Bit>,
    /// Completions to the host: ready.
    pub s_axis_cc_tready: Signal<In, Bit>,
    /// Requests to the host: data.
    pub s_axis_rq_tdata: Signal<Out, Bits<DATA>>,
    /// Requests to the host: DWORDs that exist.
    pub s_axis_rq_tkeep: Signal<Out, Bits<KEEP>>,
    /// Requests to the host: last beat of the packet.
    pub s_axis_rq_tlast: Signal<Out, Bit>,
    /// Requests to the host: byte enables and the like.
    pub s_axis_rq_tuser: Signal<Out, Bits<RQ>>,
    /// Requests to the host: valid.
    pub s_axis_rq_tvalid: Signal<Out, Bit>,
    /// Requests to the host: ready.
    pub s_axis_rq_tready: Signal<In, Bit>,
    /// Completions of the host: data.
    pub m_axis_rc_tdata: Signal<In, Bits<DATA>>,
    /// Completions of the host: DWORDs that exist.
    pub m_axis_rc_tkeep: Signal<In, Bits<KEEP>>,
    /// Completions of the host: last beat of the packet.
    pub m_axis_rc_tlast: Signal<In, Bit>,
    /// Completions of the host: byte enables and the like.
    pub m_axis_rc_tuser: Signal<In, Bits<RC>>,
    /// Completions of the host: valid.
    pub m_axis_rc_tvalid: Signal<In, Bit>,
    /// Completions of the host: ready.
    pub m_axis_rc_tready: Signal<Out, Bit>,
    /// Non-posted requests that the hard block may deliver: one more in each cycle.
    pub pcie_cq_np_req: Signal<Out, Bits<2>>,
    /// Largest payload: 128 bytes shifted by this.
    pub cfg_max_payload: Signal<In, Bits<2>>,
    /// Largest read request: 128 bytes shifted by this.
    pub cfg_max_read_req: Signal<In, Bits<3>>,
    /// Read completion boundary, not looked at: both are multiples of a beat.
    pub cfg_rcb_status: Signal<In, Bits<4>>,
    /// Function status: bit 2 says that the card may access the host's memory.
    pub cfg_function_status: Signal<In, Bits<16>>,
    /// Function-level reset asked for, bit 0.
    pub cfg_flr_in_process: Signal<In, Bits<4>>,
    /// Function-level reset done, bit 0, for one cycle.
    pub cfg_flr_done: Signal<Out, Bits<4>>,
    /// MSI-X enabled, bit 0.
    pub cfg_interrupt_msix_enable: Signal<In, Bits<4>>,
    /// MSI-X function mask, bit 0.
    pub cfg_interrupt_msix_mask: Signal<In, Bits<4>>,
    /// Asks the card for its orderly reset.
    pub reset_request: Signal<Out, Bit>,
    /// The card is in its own reset.
    pub resetting: Signal<In, Bit>,
    /// Causes of interrupts in this cycle, a bit for each vector.
    pub interrupt_events: Signal<In, Bits<2>>,
    /// Reads, writes or messages are under way.
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
    /// Host memory, AXI4: why the beat failed, see [`ReadRequests`](super::ReadRequests).
    pub s_axi_host_ruser: Signal<Out, Bits<3>>,
    /// Host memory, AXI4: last beat of a read burst.
    pub s_axi_host_rlast: Signal<Out, Bit>,
    /// Host memory, AXI4: read data valid.
    pub s_axi_host_rvalid: Signal<Out, Bit>,
    /// Host memory, AXI4: read data ready.
    pub s_axi_host_rready: Signal<In, Bit>,
    completer: Completer,
    access: Access,
    link: LinkRegisters,
    msix: Msix,
    writes: WriteRequests,
    reads: ReadRequests,
    requests: Requests,
    narrow: Narrow<DATA, KEEP>,
    widen: Widen<DATA, KEEP, RQ>,
    flr: FunctionReset,
    answers: Skid<264>,
    bus_master: Signal<Local, Bit>,
    own_reset: Signal<Local, Bit>,
    cq_first_be: Signal<Local, Bits<4>>,
    cq_last_be: Signal<Local, Bits<4>>,
    cq_flags: Signal<Local, Bits<CQ>>,
    rc_flags: Signal<Local, Bits<RC>>,
    cc_user: Signal<Local, Bits<32>>,
    cc_keep: Signal<Local, Bits<8>>,
    last_be_at: Constant<Bits<16>>,
    cq_discontinue_at: Constant<Bits<16>>,
    rc_discontinue_at: Constant<Bits<16>>,
    cc_marks: Constant<Bits<32>>,
    cc_lane: Signal<Local, Bits<32>>,
    cc_lane_mask: Constant<Bits<32>>,
}

impl<const DATA: usize, const KEEP: usize, const CQ: usize, const CC: usize, const RQ: usize, const RC: usize>
    Endpoint<DATA, KEEP, CQ, CC, RQ, RC>
{
    /// An endpoint whose read requests time out after `timeout_cycles`.
    pub fn new(timeout_cycles: u32) -> Self {
        let wide = DATA == 512;
        Self {
            clock: Default::default(),
            reset: Default::default(),
            m_axis_cq_tdata: Default::default(),
            m_axis_cq_tkeep: Default::default(),
            m_axis_cq_tlast: Default::default(),
            m_axis_cq_tuser: Default::default(),
            m_axis_cq_tvalid: Default::default(),
            m_axis_cq_tready: Default::default(),
            s_axis_cc_tdata: Default::default(),
            s_axis_cc_tkeep: Default::default(),
            s_axis_cc_tlast: Default::default(),
            s_axis_cc_tuser: Default::default(),
            s_axis_cc_tvalid: Default::default(),
            s_axis_cc_tready: Default::default(),
            s_axis_rq_tdata: Default::default(),
            s_axis_rq_tkeep: Default::default(),
            s_axis_rq_tlast: Default::default(),
            s_axis_rq_tuser: Default::default(),
            s_axis_rq_tvalid: Default::default(),
            s_axis_rq_tready: Default::default(),
            m_axis_rc_tdata: Default::default(),
            m_axis_rc_tkeep: Default::default(),
            m_axis_rc_tlast: Default::default(),
            m_axis_rc_tuser: Default::default(),
            m_axis_rc_tvalid: Default::default(),
            m_axis_rc_tready: Default::default(),
            pcie_cq_np_req: Default::default(),
            cfg_max_payload: Default::default(),
            cfg_max_read_req: Default::default(),
            cfg_rcb_status: Default::default(),
            cfg_function_status: Default::default(),
            cfg_flr_in_process: Default::default(),
            cfg_flr_done: Default::default(),
            cfg_interrupt_msix_enable: Default::default(),
            cfg_interrupt_msix_mask: Default::default(),
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
            m_axil_bvalid: Default::default(),
            m_axil_bready: Default::default(),
            m_axil_araddr: Default::default(),
            m_axil_arvalid: Default::default(),
            m_axil_arready: Default::default(),
            m_axil_rdata: Default::default(),
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
            completer: Default::default(),
            access: Default::default(),
            link: LinkRegisters::new(DATA),
            msix: Default::default(),
            writes: Default::default(),
            reads: ReadRequests::new(timeout_cycles),
            requests: Default::default(),
            narrow: Default::default(),
            widen: Default::default(),
            flr: Default::default(),
            answers: Default::default(),
            bus_master: Default::default(),
            own_reset: Default::default(),
            cq_first_be: Default::default(),
            cq_last_be: Default::default(),
            cq_flags: Default::default(),
            rc_flags: Default::default(),
            cc_user: Default::default(),
            cc_keep: Default::default(),
            last_be_at: Constant::new(if wide { 8u64 } else { 4 }.into()),
            cq_discontinue_at: Constant::new(if wide { 96u64 } else { 41 }.into()),
            rc_discontinue_at: Constant::new(if wide { 96u64 } else { 42 }.into()),
            cc_marks: Constant::new(if wide { 0x41u64 } else { 0 }.into()),
            cc_lane: Default::default(),
            cc_lane_mask: Constant::new(if wide { 0xfu64 } else { 0 }.into()),
        }
    }
}

impl<const DATA: usize, const KEEP: usize, const CQ: usize, const CC: usize, const RQ: usize, const RC: usize>
    Logic for Endpoint<DATA, KEEP, CQ, CC, RQ, RC>
{
    #[hdl_gen]
    fn update(&mut self) {
        clock!(
            self, clock, completer, access, link, msix, writes, reads, requests, narrow, widen, flr, answers
        );
        self.completer.reset.next = self.reset.val();
        self.access.reset.next = self.reset.val();
        self.writes.reset.next = self.reset.val();
        self.reads.reset.next = self.reset.val();
        self.requests.reset.next = self.reset.val();
        self.narrow.reset.next = self.reset.val();
        self.widen.reset.next = self.reset.val();
        self.flr.reset.next = self.reset.val();
        self.answers.reset.next = self.reset.val();
        self.own_reset.next = self.reset.val() | self.flr.done.val();
        self.link.reset.next = self.own_reset.val();
        self.msix.reset.next = self.own_reset.val();
        self.bus_master.next = self.cfg_function_status.val().get_bit(2);

        // Requests of the host: all that is served is within the low 256 bits of a packet's first beat.
        self.pcie_cq_np_req.next = 1.into();
        self.cq_flags.next = self.m_axis_cq_tuser.val() >> self.cq_discontinue_at.val();
        self.cq_first_be.next = bit_cast::<4, CQ>(self.m_axis_cq_tuser.val());
        self.cq_last_be.next = bit_cast::<4, CQ>(self.m_axis_cq_tuser.val() >> self.last_be_at.val());
        self.completer.request_data.next = bit_cast::<256, DATA>(self.m_axis_cq_tdata.val());
        self.completer.request_first_be.next = self.cq_first_be.val();
        self.completer.request_last_be.next = self.cq_last_be.val();
        self.completer.request_discontinue.next = self.cq_flags.val().get_bit(0);
        self.completer.request_last.next = self.m_axis_cq_tlast.val();
        self.completer.request_valid.next = self.m_axis_cq_tvalid.val();
        self.m_axis_cq_tready.next = self.completer.request_ready.val();

        // Completions to the host: one beat each.
        self.answers.in_data.next = bit_cast::<264, 256>(self.completer.completion_data.val())
            | (bit_cast::<264, 8>(self.completer.completion_keep.val()) << 256);
        self.answers.in_valid.next = self.completer.completion_valid.val();
        self.completer.completion_ready.next = self.answers.in_ready.val();
        self.cc_keep.next = self.answers.out_data.val().get_bits::<8>(256);
        self.s_axis_cc_tdata.next = bit_cast::<DATA, 256>(self.answers.out_data.val().get_bits::<256>(0));
        self.s_axis_cc_tkeep.next = bit_cast::<KEEP, 8>(self.cc_keep.val());
        self.s_axis_cc_tlast.next = true;
        self.cc_lane.next = 3.into();
        if self.cc_keep.val().get_bit(4) {
            self.cc_lane.next = 4.into();
        }
        if self.cc_keep.val().get_bit(7) {
            self.cc_lane.next = 7.into();
        }
        self.cc_user.next = self.cc_marks.val() | ((self.cc_lane.val() & self.cc_lane_mask.val()) << 8);
        self.s_axis_cc_tuser.next = bit_cast::<CC, 32>(self.cc_user.val());
        self.s_axis_cc_tvalid.next = self.answers.out_valid.val();
        self.answers.out_ready.next = self.s_axis_cc_tready.val();

        // Register accesses.
        self.access.write.next = self.completer.access_write.val();
        self.access.address.next = self.completer.access_address.val();
        self.access.data.next = self.completer.access_data.val();
        self.access.strobes.next = self.completer.access_strobes.val();
        self.access.valid.next = self.completer.access_valid.val();
        self.completer.access_done.next = self.access.done.val();
        self.completer.access_value.next = self.access.value.val();
        self.access.own_value.next = self.link.value.val() | self.msix.value.val();
        self.m_axil_awaddr.next = self.access.awaddr.val();
        self.m_axil_awvalid.next = self.access.awvalid.val();
        self.access.awready.next = self.m_axil_awready.val();
        self.m_axil_wdata.next = self.access.wdata.val();
        self.m_axil_wstrb.next = self.access.wstrb.val();
        self.m_axil_wvalid.next = self.access.wvalid.val();
        self.access.wready.next = self.m_axil_wready.val();
        self.access.bvalid.next = self.m_axil_bvalid.val();
        self.m_axil_bready.next = self.access.bready.val();
        self.m_axil_araddr.next = self.access.araddr.val();
        self.m_axil_arvalid.next = self.access.arvalid.val();
        self.access.arready.next = self.m_axil_arready.val();
        self.access.rdata.next = self.m_axil_rdata.val();
        self.access.rvalid.next = self.m_axil_rvalid.val();
        self.m_axil_rready.next = self.access.rready.val();

        self.link.address.next = self.completer.access_address.val();
        self.link.max_payload.next = self.cfg_max_payload.val();
        self.link.max_read.next = self.cfg_max_read_req.val();
        self.link.bus_master.next = self.bus_master.val();
        self.link.msix_enable.next = self.cfg_interrupt_msix_enable.val().get_bit(0);
        self.link.timeout.next = self.reads.timeout.val();
        self.link.unsupported.next = self.reads.unsupported.val();
        self.link.aborted.next = self.reads.aborted.val();
        self.link.poisoned.next = self.reads.poisoned.val();
        self.link.malformed.next = self.reads.malformed.val();
        self.link.unexpected.next = self.reads.unexpected.val();
        self.link.refused.next = self.completer.refused.val();

        self.msix.address.next = self.completer.access_address.val();
        self.msix.write.next = self.access.own_write.val();
        self.msix.data.next = self.completer.access_data.val();
        self.msix.mask.next = self.access.mask.val();
        self.msix.causes.next = self.interrupt_events.val();
        self.msix.enable.next = self.cfg_interrupt_msix_enable.val().get_bit(0)
            & !self.cfg_interrupt_msix_mask.val().get_bit(0)
            & self.bus_master.val()
            & !self.flr.active.val();

        // Requests to the host.
        self.writes.max_payload.next = self.cfg_max_payload.val();
        self.writes.bus_master.next = self.bus_master.val();
        self.writes.awaddr.next = self.s_axi_host_awaddr.val();
        self.writes.awlen.next = self.s_axi_host_awlen.val();
        self.writes.awvalid.next = self.s_axi_host_awvalid.val();
        self.s_axi_host_awready.next = self.writes.awready.val();
        self.writes.wdata.next = self.s_axi_host_wdata.val();
        self.writes.wstrb.next = self.s_axi_host_wstrb.val();
        self.writes.wvalid.next = self.s_axi_host_wvalid.val();
        self.s_axi_host_wready.next = self.writes.wready.val();
        self.s_axi_host_bresp.next = self.writes.bresp.val();
        self.s_axi_host_bvalid.next = self.writes.bvalid.val();
        self.writes.bready.next = self.s_axi_host_bready.val();
        self.writes.queued.next = self.requests.queued.val();
        self.writes.sent.next = self.widen.sent.val();
        self.reads.max_read.next = self.cfg_max_read_req.val();
        self.reads.bus_master.next = self.bus_master.val();
        self.reads.araddr.next = self.s_axi_host_araddr.val();
        self.reads.arlen.next = self.s_axi_host_arlen.val();
        self.reads.arvalid.next = self.s_axi_host_arvalid.val();
        self.s_axi_host_arready.next = self.reads.arready.val();
        self.s_axi_host_rdata.next = self.reads.rdata.val();
        self.s_axi_host_rresp.next = self.reads.rresp.val();
        self.s_axi_host_ruser.next = self.reads.ruser.val();
        self.s_axi_host_rlast.next = self.reads.rlast.val();
        self.s_axi_host_rvalid.next = self.reads.rvalid.val();
        self.reads.rready.next = self.s_axi_host_rready.val();
        self.requests.read_address.next = self.reads.request_address.val();
        self.requests.read_beats.next = self.reads.request_beats.val();
        self.requests.read_tag.next = self.reads.request_tag.val();
        self.requests.read_valid.next = self.reads.request_valid.val();
        self.reads.request_ready.next = self.requests.read_ready.val();
        self.requests.write_address.next = self.writes.packet_address.val();
        self.requests.write_beats.next = self.writes.packet_beats.val();
        self.requests.write_valid.next = self.writes.packet_valid.val();
        self.writes.packet_ready.next = self.requests.write_ready.val();
        self.requests.write_payload.next = self.writes.payload.val();
        self.writes.take.next = self.requests.write_take.val();
        self.requests.writes_accepted.next = self.writes.accepted.val();
        self.requests.writes_finished.next = self.writes.finished.val();
        self.requests.message_address.next = self.msix.message_address.val();
        self.requests.message_data.next = self.msix.message_data.val();
        self.requests.message_valid.next = self.msix.message_valid.val();
        self.msix.message_ready.next = self.requests.message_ready.val();
        self.widen.in_data.next = self.requests.out_data.val();
        self.widen.in_keep.next = self.requests.out_keep.val();
        self.widen.in_last.next = self.requests.out_last.val();
        self.widen.in_first.next = self.requests.out_first.val();
        self.widen.in_single.next = self.requests.out_single.val();
        self.widen.in_valid.next = self.requests.out_valid.val();
        self.requests.out_ready.next = self.widen.in_ready.val();
        self.s_axis_rq_tdata.next = self.widen.tdata.val();
        self.s_axis_rq_tkeep.next = self.widen.tkeep.val();
        self.s_axis_rq_tlast.next = self.widen.tlast.val();
        self.s_axis_rq_tuser.next = self.widen.tuser.val();
        self.s_axis_rq_tvalid.next = self.widen.tvalid.val();
        self.widen.tready.next = self.s_axis_rq_tready.val();

        // Completions of the host.
        self.rc_flags.next = self.m_axis_rc_tuser.val() >> self.rc_discontinue_at.val();
        self.narrow.in_data.next = self.m_axis_rc_tdata.val();
        self.narrow.in_keep.next = self.m_axis_rc_tkeep.val();
        self.narrow.in_last.next = self.m_axis_rc_tlast.val();
        self.narrow.in_discontinue.next = self.rc_flags.val().get_bit(0);
        self.narrow.in_valid.next = self.m_axis_rc_tvalid.val();
        self.m_axis_rc_tready.next = self.narrow.in_ready.val();
        self.reads.rc_data.next = self.narrow.out_data.val();
        self.reads.rc_last.next = self.narrow.out_last.val();
        self.reads.rc_discontinue.next = self.narrow.out_discontinue.val();
        self.reads.rc_valid.next = self.narrow.out_valid.val();

        self.flr.wanted.next = self.cfg_flr_in_process.val().get_bit(0);
        self.flr.resetting.next = self.resetting.val();
        self.flr.quiet.next = self.reads.idle.val() & self.writes.idle.val();
        self.reset_request.next = self.flr.request.val();
        self.cfg_flr_done.next = 0.into();
        if self.flr.done.val() {
            self.cfg_flr_done.next = 1.into();
        }
        self.busy.next = !self.reads.idle.val() | !self.writes.idle.val() | self.msix.message_valid.val();
    }
}
