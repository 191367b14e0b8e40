//! The card behind a PCIe hard block.

use crate::card::Card;
use crate::emit::{EmitError, Emitted, emit};
use crate::profile::Profile;
use crate::serial::{SerialCard, SerialShape};
use rust_hdl::prelude::Block;

/// Name of every card's top module.
const TOP: &str = "spandrel_card";

/// Makes the top module of a card that has the ports of [`Card`](crate::card::Card) and an
/// [`Endpoint`](crate::pcie::Endpoint): [`PcieCard`](crate::pcie::PcieCard) itself, and in tests one whose engines are
/// small stand-ins.
///
/// Ports: `clock`, `reset`, `irq`, `busy`; those of the AMD UltraScale+ integrated block that the endpoint uses, by the
/// block's names; `m_axi_card_*` (card memory, AXI4, 512 bits, 40-bit addresses). The parameters are the endpoint's.
#[macro_export]
macro_rules! pcie_card_top {
    ($(#[$meta:meta])* $name:ident, $core:ty) => {
        $(#[$meta])*
        #[derive(::rust_hdl::prelude::LogicBlock)]
        pub struct $name<
            const DATA: usize,
            const KEEP: usize,
            const CQ: usize,
            const CC: usize,
            const RQ: usize,
            const RC: usize,
        > {
            /// Clock, rising edge.
            pub clock: Signal<In, Clock>,
            /// Synchronous reset of the card, the endpoint and the buses, active high.
            pub reset: Signal<In, Bit>,
            /// Interrupt request, a level; the host is told by messages.
            pub irq: Signal<Out, Bit>,
            /// Commands, reads, writes or messages are under way.
            pub busy: Signal<Out, Bit>,
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
            /// Card memory, AXI4: write identifier, 0.
            pub m_axi_card_awid: Signal<Out, Bits<4>>,
            /// Card memory, AXI4: write address.
            pub m_axi_card_awaddr: Signal<Out, Bits<40>>,
            /// Card memory, AXI4: write burst length minus one.
            pub m_axi_card_awlen: Signal<Out, Bits<8>>,
            /// Card memory, AXI4: write beat size, log2 of bytes.
            pub m_axi_card_awsize: Signal<Out, Bits<3>>,
            /// Card memory, AXI4: write burst type, incrementing.
            pub m_axi_card_awburst: Signal<Out, Bits<2>>,
            /// Card memory, AXI4: write address valid.
            pub m_axi_card_awvalid: Signal<Out, Bit>,
            /// Card memory, AXI4: write address ready.
            pub m_axi_card_awready: Signal<In, Bit>,
            /// Card memory, AXI4: write data.
            pub m_axi_card_wdata: Signal<Out, Bits<512>>,
            /// Card memory, AXI4: byte strobes.
            pub m_axi_card_wstrb: Signal<Out, Bits<64>>,
            /// Card memory, AXI4: last beat of a write burst.
            pub m_axi_card_wlast: Signal<Out, Bit>,
            /// Card memory, AXI4: write data valid.
            pub m_axi_card_wvalid: Signal<Out, Bit>,
            /// Card memory, AXI4: write data ready.
            pub m_axi_card_wready: Signal<In, Bit>,
            /// Card memory, AXI4: write response identifier, not looked at.
            pub m_axi_card_bid: Signal<In, Bits<4>>,
            /// Card memory, AXI4: write response.
            pub m_axi_card_bresp: Signal<In, Bits<2>>,
            /// Card memory, AXI4: write response valid.
            pub m_axi_card_bvalid: Signal<In, Bit>,
            /// Card memory, AXI4: write response ready.
            pub m_axi_card_bready: Signal<Out, Bit>,
            /// Card memory, AXI4: read identifier, 0.
            pub m_axi_card_arid: Signal<Out, Bits<4>>,
            /// Card memory, AXI4: read address.
            pub m_axi_card_araddr: Signal<Out, Bits<40>>,
            /// Card memory, AXI4: read burst length minus one.
            pub m_axi_card_arlen: Signal<Out, Bits<8>>,
            /// Card memory, AXI4: read beat size, log2 of bytes.
            pub m_axi_card_arsize: Signal<Out, Bits<3>>,
            /// Card memory, AXI4: read burst type, incrementing.
            pub m_axi_card_arburst: Signal<Out, Bits<2>>,
            /// Card memory, AXI4: read address valid.
            pub m_axi_card_arvalid: Signal<Out, Bit>,
            /// Card memory, AXI4: read address ready.
            pub m_axi_card_arready: Signal<In, Bit>,
            /// Card memory, AXI4: read identifier, not looked at.
            pub m_axi_card_rid: Signal<In, Bits<4>>,
            /// Card memory, AXI4: read data.
            pub m_axi_card_rdata: Signal<In, Bits<512>>,
            /// Card memory, AXI4: read response.
            pub m_axi_card_rresp: Signal<In, Bits<2>>,
            /// Card memory, AXI4: last beat of a read burst, not looked at: beats are counted.
            pub m_axi_card_rlast: Signal<In, Bit>,
            /// Card memory, AXI4: read data valid.
            pub m_axi_card_rvalid: Signal<In, Bit>,
            /// Card memory, AXI4: read data ready.
            pub m_axi_card_rready: Signal<Out, Bit>,
            core: $core,
            endpoint: $crate::pcie::Endpoint<DATA, KEEP, CQ, CC, RQ, RC>,
        }

        impl<
            const DATA: usize,
            const KEEP: usize,
            const CQ: usize,
            const CC: usize,
            const RQ: usize,
            const RC: usize,
        > $name<DATA, KEEP, CQ, CC, RQ, RC>
        {
            /// Joins a card with an endpoint whose read requests time out after `timeout_cycles`.
            pub fn assemble(core: $core, timeout_cycles: u32) -> Self {
                Self {
                    clock: Default::default(),
                    reset: Default::default(),
                    irq: Default::default(),
                    busy: Default::default(),
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
                    m_axi_card_awid: Default::default(),
                    m_axi_card_awaddr: Default::default(),
                    m_axi_card_awlen: Default::default(),
                    m_axi_card_awsize: Default::default(),
                    m_axi_card_awburst: Default::default(),
                    m_axi_card_awvalid: Default::default(),
                    m_axi_card_awready: Default::default(),
                    m_axi_card_wdata: Default::default(),
                    m_axi_card_wstrb: Default::default(),
                    m_axi_card_wlast: Default::default(),
                    m_axi_card_wvalid: Default::default(),
                    m_axi_card_wready: Default::default(),
                    m_axi_card_bid: Default::default(),
                    m_axi_card_bresp: Default::default(),
                    m_axi_card_bvalid: Default::default(),
                    m_axi_card_bready: Default::default(),
                    m_axi_card_arid: Default::default(),
                    m_axi_card_araddr: Default::default(),
                    m_axi_card_arlen: Default::default(),
                    m_axi_card_arsize: Default::default(),
                    m_axi_card_arburst: Default::default(),
                    m_axi_card_arvalid: Default::default(),
                    m_axi_card_arready: Default::default(),
                    m_axi_card_rid: Default::default(),
                    m_axi_card_rdata: Default::default(),
                    m_axi_card_rresp: Default::default(),
                    m_axi_card_rlast: Default::default(),
                    m_axi_card_rvalid: Default::default(),
                    m_axi_card_rready: Default::default(),
                    core,
                    endpoint: $crate::pcie::Endpoint::new(timeout_cycles),
                }
            }
        }

        impl<
            const DATA: usize,
            const KEEP: usize,
            const CQ: usize,
            const CC: usize,
            const RQ: usize,
            const RC: usize,
        > Logic for $name<DATA, KEEP, CQ, CC, RQ, RC>
        {
            #[hdl_gen]
            fn update(&mut self) {
                self.core.clock.next = self.clock.val();
                self.core.reset.next = self.reset.val();
                self.endpoint.clock.next = self.clock.val();
                self.endpoint.reset.next = self.reset.val();
                self.irq.next = self.core.irq.val();
                self.busy.next = self.core.busy.val() | self.endpoint.busy.val();
                self.core.reset_request.next = self.endpoint.reset_request.val();
                self.endpoint.resetting.next = self.core.resetting.val();
                self.endpoint.interrupt_events.next = self.core.interrupt_events.val();
                self.endpoint.m_axis_cq_tdata.next = self.m_axis_cq_tdata.val();
                self.endpoint.m_axis_cq_tkeep.next = self.m_axis_cq_tkeep.val();
                self.endpoint.m_axis_cq_tlast.next = self.m_axis_cq_tlast.val();
                self.endpoint.m_axis_cq_tuser.next = self.m_axis_cq_tuser.val();
                self.endpoint.m_axis_cq_tvalid.next = self.m_axis_cq_tvalid.val();
                self.m_axis_cq_tready.next = self.endpoint.m_axis_cq_tready.val();
                self.s_axis_cc_tdata.next = self.endpoint.s_axis_cc_tdata.val();
                self.s_axis_cc_tkeep.next = self.endpoint.s_axis_cc_tkeep.val();
                self.s_axis_cc_tlast.next = self.endpoint.s_axis_cc_tlast.val();
                self.s_axis_cc_tuser.next = self.endpoint.s_axis_cc_tuser.val();
                self.s_axis_cc_tvalid.next = self.endpoint.s_axis_cc_tvalid.val();
                self.endpoint.s_axis_cc_tready.next = self.s_axis_cc_tready.val();
                self.s_axis_rq_tdata.next = self.endpoint.s_axis_rq_tdata.val();
                self.s_axis_rq_tkeep.next = self.endpoint.s_axis_rq_tkeep.val();
                self.s_axis_rq_tlast.next = self.endpoint.s_axis_rq_tlast.val();
                self.s_axis_rq_tuser.next = self.endpoint.s_axis_rq_tuser.val();
                self.s_axis_rq_tvalid.next = self.endpoint.s_axis_rq_tvalid.val();
                self.endpoint.s_axis_rq_tready.next = self.s_axis_rq_tready.val();
                self.endpoint.m_axis_rc_tdata.next = self.m_axis_rc_tdata.val();
                self.endpoint.m_axis_rc_tkeep.next = self.m_axis_rc_tkeep.val();
                self.endpoint.m_axis_rc_tlast.next = self.m_axis_rc_tlast.val();
                self.endpoint.m_axis_rc_tuser.next = self.m_axis_rc_tuser.val();
                self.endpoint.m_axis_rc_tvalid.next = self.m_axis_rc_tvalid.val();
                self.m_axis_rc_tready.next = self.endpoint.m_axis_rc_tready.val();
                self.pcie_cq_np_req.next = self.endpoint.pcie_cq_np_req.val();
                self.endpoint.cfg_max_payload.next = self.cfg_max_payload.val();
                self.endpoint.cfg_max_read_req.next = self.cfg_max_read_req.val();
                self.endpoint.cfg_rcb_status.next = self.cfg_rcb_status.val();
                self.endpoint.cfg_function_status.next = self.cfg_function_status.val();
                self.endpoint.cfg_flr_in_process.next = self.cfg_flr_in_process.val();
                self.cfg_flr_done.next = self.endpoint.cfg_flr_done.val();
                self.endpoint.cfg_interrupt_msix_enable.next = self.cfg_interrupt_msix_enable.val();
                self.endpoint.cfg_interrupt_msix_mask.next = self.cfg_interrupt_msix_mask.val();
                self.m_axi_card_awid.next = self.core.m_axi_card_awid.val();
                self.m_axi_card_awaddr.next = self.core.m_axi_card_awaddr.val();
                self.m_axi_card_awlen.next = self.core.m_axi_card_awlen.val();
                self.m_axi_card_awsize.next = self.core.m_axi_card_awsize.val();
                self.m_axi_card_awburst.next = self.core.m_axi_card_awburst.val();
                self.m_axi_card_awvalid.next = self.core.m_axi_card_awvalid.val();
                self.core.m_axi_card_awready.next = self.m_axi_card_awready.val();
                self.m_axi_card_wdata.next = self.core.m_axi_card_wdata.val();
                self.m_axi_card_wstrb.next = self.core.m_axi_card_wstrb.val();
                self.m_axi_card_wlast.next = self.core.m_axi_card_wlast.val();
                self.m_axi_card_wvalid.next = self.core.m_axi_card_wvalid.val();
                self.core.m_axi_card_wready.next = self.m_axi_card_wready.val();
                self.core.m_axi_card_bid.next = self.m_axi_card_bid.val();
                self.core.m_axi_card_bresp.next = self.m_axi_card_bresp.val();
                self.core.m_axi_card_bvalid.next = self.m_axi_card_bvalid.val();
                self.m_axi_card_bready.next = self.core.m_axi_card_bready.val();
                self.m_axi_card_arid.next = self.core.m_axi_card_arid.val();
                self.m_axi_card_araddr.next = self.core.m_axi_card_araddr.val();
                self.m_axi_card_arlen.next = self.core.m_axi_card_arlen.val();
                self.m_axi_card_arsize.next = self.core.m_axi_card_arsize.val();
                self.m_axi_card_arburst.next = self.core.m_axi_card_arburst.val();
                self.m_axi_card_arvalid.next = self.core.m_axi_card_arvalid.val();
                self.core.m_axi_card_arready.next = self.m_axi_card_arready.val();
                self.core.m_axi_card_rid.next = self.m_axi_card_rid.val();
                self.core.m_axi_card_rdata.next = self.m_axi_card_rdata.val();
                self.core.m_axi_card_rresp.next = self.m_axi_card_rresp.val();
                self.core.m_axi_card_rlast.next = self.m_axi_card_rlast.val();
                self.core.m_axi_card_rvalid.next = self.m_axi_card_rvalid.val();
                self.m_axi_card_rready.next = self.core.m_axi_card_rready.val();
                self.core.s_axil_awaddr.next = self.endpoint.m_axil_awaddr.val();
                self.core.s_axil_awvalid.next = self.endpoint.m_axil_awvalid.val();
                self.endpoint.m_axil_awready.next = self.core.s_axil_awready.val();
                self.core.s_axil_wdata.next = self.endpoint.m_axil_wdata.val();
                self.core.s_axil_wstrb.next = self.endpoint.m_axil_wstrb.val();
                self.core.s_axil_wvalid.next = self.endpoint.m_axil_wvalid.val();
                self.endpoint.m_axil_wready.next = self.core.s_axil_wready.val();
                self.endpoint.m_axil_bvalid.next = self.core.s_axil_bvalid.val();
                self.core.s_axil_bready.next = self.endpoint.m_axil_bready.val();
                self.core.s_axil_araddr.next = self.endpoint.m_axil_araddr.val();
                self.core.s_axil_arvalid.next = self.endpoint.m_axil_arvalid.val();
                self.endpoint.m_axil_arready.next = self.core.s_axil_arready.val();
                self.endpoint.m_axil_rdata.next = self.core.s_axil_rdata.val();
                self.endpoint.m_axil_rvalid.next = self.core.s_axil_rvalid.val();
                self.core.s_axil_rready.next = self.endpoint.m_axil_rready.val();
                self.endpoint.s_axi_host_awaddr.next = self.core.m_axi_host_awaddr.val();
                self.endpoint.s_axi_host_awlen.next = self.core.m_axi_host_awlen.val();
                self.endpoint.s_axi_host_awvalid.next = self.core.m_axi_host_awvalid.val();
                self.core.m_axi_host_awready.next = self.endpoint.s_axi_host_awready.val();
                self.endpoint.s_axi_host_wdata.next = self.core.m_axi_host_wdata.val();
                self.endpoint.s_axi_host_wstrb.next = self.core.m_axi_host_wstrb.val();
                self.endpoint.s_axi_host_wvalid.next = self.core.m_axi_host_wvalid.val();
                self.core.m_axi_host_wready.next = self.endpoint.s_axi_host_wready.val();
                self.core.m_axi_host_bresp.next = self.endpoint.s_axi_host_bresp.val();
                self.core.m_axi_host_bvalid.next = self.endpoint.s_axi_host_bvalid.val();
                self.endpoint.s_axi_host_bready.next = self.core.m_axi_host_bready.val();
                self.endpoint.s_axi_host_araddr.next = self.core.m_axi_host_araddr.val();
                self.endpoint.s_axi_host_arlen.next = self.core.m_axi_host_arlen.val();
                self.endpoint.s_axi_host_arvalid.next = self.core.m_axi_host_arvalid.val();
                self.core.m_axi_host_arready.next = self.endpoint.s_axi_host_arready.val();
                self.core.m_axi_host_rdata.next = self.endpoint.s_axi_host_rdata.val();
                self.core.m_axi_host_rresp.next = self.endpoint.s_axi_host_rresp.val();
                self.core.m_axi_host_ruser.next = self.endpoint.s_axi_host_ruser.val();
                self.core.m_axi_host_rlast.next = self.endpoint.s_axi_host_rlast.val();
                self.core.m_axi_host_rvalid.next = self.endpoint.s_axi_host_rvalid.val();
                self.endpoint.s_axi_host_rready.next = self.core.m_axi_host_rready.val();
                self.core.m_axi_host_bid.next = 0.into();
                self.core.m_axi_host_rid.next = 0.into();
            }
        }
    };
}

mod shipped {
    use crate::card::Card;
    use rust_hdl::prelude::*;

    crate::pcie_card_top! {
        /// The whole card behind a PCIe hard block. Emitted as module `spandrel_card`.
        PcieCard, Card
    }
}

pub use shipped::PcieCard;

/// The card behind a hard block with streams of 256 bits.
pub type PcieCard256 = PcieCard<256, 8, 88, 33, 62, 75>;

/// The card behind a hard block with streams of 512 bits.
pub type PcieCard512 = PcieCard<512, 16, 183, 81, 137, 161>;

/// The Verilog of a profile's card, module `spandrel_card`: behind a PCIe hard block if the profile has `[pcie]`, behind a
/// serial line and with memory on the chip if it has `[serial]`, otherwise with its buses as ports. `git_revision` is as in [`Card::new`].
pub fn emit_card(profile: &Profile, git_revision: u32) -> Result<Emitted, EmitError> {
    let mut core = Card::new(profile, git_revision);
    if let Some(shape) = SerialShape::of(profile) {
        let mut card = SerialCard::assemble(core, shape);
        card.connect_all();
        return emit(&card, TOP);
    }
    let Some(pcie) = &profile.pcie else {
        core.connect_all();
        return emit(&core, TOP);
    };
    if pcie.stream_bits == 512 {
        let mut card = PcieCard512::assemble(core, pcie.completion_timeout_cycles);
        card.connect_all();
        emit(&card, TOP)
    } else {
        let mut card = PcieCard256::assemble(core, pcie.completion_timeout_cycles);
        card.connect_all();
        emit(&card, TOP)
    }
}
