//! The card's top.

use crate::axi::MAX_BURST_BEATS;
use crate::field::FieldUnit;
use crate::merkle::HashEngine;
use crate::msm::MsmEngine;
use crate::profile::{AdderKind, Profile};
use spandrel_abi::{ABI_MAJOR, ABI_MINOR, Identification, MAGIC_VALUE, POSEIDON_MIN_WIDTH};

/// Makes a card's top module of [`CardControl`](crate::card::CardControl), [`BusMasters`](crate::card::BusMasters) and three
/// engines that have the ports of [`MsmEngine`](crate::msm::MsmEngine), [`FieldUnit`](crate::field::FieldUnit) and
/// [`HashEngine`](crate::merkle::HashEngine): [`Card`](crate::card::Card) itself, and in tests of the control a card whose
/// engines are small stand-ins.
///
/// Ports: `clock`, `reset`, `irq`; `reset_request`, `resetting`, `busy` and `interrupt_events` for a shell such as the
/// PCIe endpoint; `s_axil_*` (registers, AXI4-Lite, 32 bits, 4 KiB); `m_axi_host_*` (host memory, AXI4,
/// 256 bits, 64-bit addresses); `m_axi_card_*` (card memory, AXI4, 512 bits, 40-bit addresses).
#[macro_export]
macro_rules! card_top {
    ($(#[$meta:meta])* $name:ident, $msm:ty, $field:ty, $hash:ty) => {
        $(#[$meta])*
        #[derive(::rust_hdl::prelude::LogicBlock)]
        pub struct $name {
            /// Clock, rising edge.
            pub clock: Signal<In, Clock>,
            /// Synchronous reset of the card and its buses, active high.
            pub reset: Signal<In, Bit>,
            /// Interrupt request, a level.
            pub irq: Signal<Out, Bit>,
            /// A pulse for each enabled interrupt cause that arises: bit 0 completion, bit 1 fault.
            pub interrupt_events: Signal<Out, Bits<2>>,
            /// Asks for a reset in an orderly manner, as writing `CONTROL.RESET` does.
            pub reset_request: Signal<In, Bit>,
            /// A reset is under way.
            pub resetting: Signal<Out, Bit>,
            /// A command is being executed, or a reset is under way.
            pub busy: Signal<Out, Bit>,
            /// Registers, AXI4-Lite: write address.
            pub s_axil_awaddr: Signal<In, Bits<12>>,
            /// Registers, AXI4-Lite: write address valid.
            pub s_axil_awvalid: Signal<In, Bit>,
            /// Registers, AXI4-Lite: write address ready.
            pub s_axil_awready: Signal<Out, Bit>,
            /// Registers, AXI4-Lite: write data.
            pub s_axil_wdata: Signal<In, Bits<32>>,
            /// Registers, AXI4-Lite: byte strobes.
            pub s_axil_wstrb: Signal<In, Bits<4>>,
            /// Registers, AXI4-Lite: write data valid.
            pub s_axil_wvalid: Signal<In, Bit>,
            /// Registers, AXI4-Lite: write data ready.
            pub s_axil_wready: Signal<Out, Bit>,
            /// Registers, AXI4-Lite: write response.
            pub s_axil_bresp: Signal<Out, Bits<2>>,
            /// Registers, AXI4-Lite: write response valid.
            pub s_axil_bvalid: Signal<Out, Bit>,
            /// Registers, AXI4-Lite: write response ready.
            pub s_axil_bready: Signal<In, Bit>,
            /// Registers, AXI4-Lite: read address.
            pub s_axil_araddr: Signal<In, Bits<12>>,
            /// Registers, AXI4-Lite: read address valid.
            pub s_axil_arvalid: Signal<In, Bit>,
            /// Registers, AXI4-Lite: read address ready.
            pub s_axil_arready: Signal<Out, Bit>,
            /// Registers, AXI4-Lite: read data.
            pub s_axil_rdata: Signal<Out, Bits<32>>,
            /// Registers, AXI4-Lite: read response.
            pub s_axil_rresp: Signal<Out, Bits<2>>,
            /// Registers, AXI4-Lite: read data valid.
            pub s_axil_rvalid: Signal<Out, Bit>,
            /// Registers, AXI4-Lite: read data ready.
            pub s_axil_rready: Signal<In, Bit>,
            /// Host memory, AXI4: write identifier, 0.
            pub m_axi_host_awid: Signal<Out, Bits<4>>,
            /// Host memory, AXI4: write address.
            pub m_axi_host_awaddr: Signal<Out, Bits<64>>,
            /// Host memory, AXI4: write burst length minus one.
            pub m_axi_host_awlen: Signal<Out, Bits<8>>,
            /// Host memory, AXI4: write beat size, log2 of bytes.
            pub m_axi_host_awsize: Signal<Out, Bits<3>>,
            /// Host memory, AXI4: write burst type, incrementing.
            pub m_axi_host_awburst: Signal<Out, Bits<2>>,
            /// Host memory, AXI4: write address valid.
            pub m_axi_host_awvalid: Signal<Out, Bit>,
            /// Host memory, AXI4: write address ready.
            pub m_axi_host_awready: Signal<In, Bit>,
            /// Host memory, AXI4: write data.
            pub m_axi_host_wdata: Signal<Out, Bits<256>>,
            /// Host memory, AXI4: byte strobes.
            pub m_axi_host_wstrb: Signal<Out, Bits<32>>,
            /// Host memory, AXI4: last beat of a write burst.
            pub m_axi_host_wlast: Signal<Out, Bit>,
            /// Host memory, AXI4: write data valid.
            pub m_axi_host_wvalid: Signal<Out, Bit>,
            /// Host memory, AXI4: write data ready.
            pub m_axi_host_wready: Signal<In, Bit>,
            /// Host memory, AXI4: write response identifier, not looked at.
            pub m_axi_host_bid: Signal<In, Bits<4>>,
            /// Host memory, AXI4: write response.
            pub m_axi_host_bresp: Signal<In, Bits<2>>,
            /// Host memory, AXI4: write response valid.
            pub m_axi_host_bvalid: Signal<In, Bit>,
            /// Host memory, AXI4: write response ready.
            pub m_axi_host_bready: Signal<Out, Bit>,
            /// Host memory, AXI4: read identifier, 0.
            pub m_axi_host_arid: Signal<Out, Bits<4>>,
            /// Host memory, AXI4: read address.
            pub m_axi_host_araddr: Signal<Out, Bits<64>>,
            /// Host memory, AXI4: read burst length minus one.
            pub m_axi_host_arlen: Signal<Out, Bits<8>>,
            /// Host memory, AXI4: read beat size, log2 of bytes.
            pub m_axi_host_arsize: Signal<Out, Bits<3>>,
            /// Host memory, AXI4: read burst type, incrementing.
            pub m_axi_host_arburst: Signal<Out, Bits<2>>,
            /// Host memory, AXI4: read address valid.
            pub m_axi_host_arvalid: Signal<Out, Bit>,
            /// Host memory, AXI4: read address ready.
            pub m_axi_host_arready: Signal<In, Bit>,
            /// Host memory, AXI4: read identifier, not looked at.
            pub m_axi_host_rid: Signal<In, Bits<4>>,
            /// Host memory, AXI4: read data.
            pub m_axi_host_rdata: Signal<In, Bits<256>>,
            /// Host memory, AXI4: read response.
            pub m_axi_host_rresp: Signal<In, Bits<2>>,
            /// Host memory, AXI4: why a read beat failed, as [`spandrel_abi::HOST_READ_CAUSES`] lists.
            pub m_axi_host_ruser: Signal<In, Bits<3>>,
            /// Host memory, AXI4: last beat of a read burst, not looked at: beats are counted.
            pub m_axi_host_rlast: Signal<In, Bit>,
            /// Host memory, AXI4: read data valid.
            pub m_axi_host_rvalid: Signal<In, Bit>,
            /// Host memory, AXI4: read data ready.
            pub m_axi_host_rready: Signal<Out, Bit>,
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
            control: $crate::card::CardControl,
            masters: $crate::card::BusMasters,
            hash: $hash,
            msm: $msm,
            msm_counters: $crate::card::MsmCounters,
            field_unit: $field,
            _identification: ::spandrel_abi::Identification,
        }

        impl $name {
            /// Joins the engines with the control of a card that identifies itself so.
            pub fn assemble(identification: ::spandrel_abi::Identification, msm: $msm, field_unit: $field, hash: $hash) -> Self {
                Self {
                    clock: Default::default(),
                    reset: Default::default(),
                    irq: Default::default(),
                    interrupt_events: Default::default(),
                    reset_request: Default::default(),
                    resetting: Default::default(),
                    busy: Default::default(),
                    s_axil_awaddr: Default::default(),
                    s_axil_awvalid: Default::default(),
                    s_axil_awready: Default::default(),
                    s_axil_wdata: Default::default(),
                    s_axil_wstrb: Default::default(),
                    s_axil_wvalid: Default::default(),
                    s_axil_wready: Default::default(),
                    s_axil_bresp: Default::default(),
                    s_axil_bvalid: Default::default(),
                    s_axil_bready: Default::default(),
                    s_axil_araddr: Default::default(),
                    s_axil_arvalid: Default::default(),
                    s_axil_arready: Default::default(),
                    s_axil_rdata: Default::default(),
                    s_axil_rresp: Default::default(),
                    s_axil_rvalid: Default::default(),
                    s_axil_rready: Default::default(),
                    m_axi_host_awid: Default::default(),
                    m_axi_host_awaddr: Default::default(),
                    m_axi_host_awlen: Default::default(),
                    m_axi_host_awsize: Default::default(),
                    m_axi_host_awburst: Default::default(),
                    m_axi_host_awvalid: Default::default(),
                    m_axi_host_awready: Default::default(),
                    m_axi_host_wdata: Default::default(),
                    m_axi_host_wstrb: Default::default(),
                    m_axi_host_wlast: Default::default(),
                    m_axi_host_wvalid: Default::default(),
                    m_axi_host_wready: Default::default(),
                    m_axi_host_bid: Default::default(),
                    m_axi_host_bresp: Default::default(),
                    m_axi_host_bvalid: Default::default(),
                    m_axi_host_bready: Default::default(),
                    m_axi_host_arid: Default::default(),
                    m_axi_host_araddr: Default::default(),
                    m_axi_host_arlen: Default::default(),
                    m_axi_host_arsize: Default::default(),
                    m_axi_host_arburst: Default::default(),
                    m_axi_host_arvalid: Default::default(),
                    m_axi_host_arready: Default::default(),
                    m_axi_host_rid: Default::default(),
                    m_axi_host_rdata: Default::default(),
                    m_axi_host_rresp: Default::default(),
                    m_axi_host_ruser: Default::default(),
                    m_axi_host_rlast: Default::default(),
                    m_axi_host_rvalid: Default::default(),
                    m_axi_host_rready: Default::default(),
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
                    control: $crate::card::CardControl::new(&identification),
                    masters: Default::default(),
                    hash,
                    msm,
                    msm_counters: Default::default(),
                    field_unit,
                    _identification: identification,
                }
            }

            /// The same card with bus masters that buffer so many beats, at least the longest burst.
            pub fn with_buffers(mut self, beats: usize) -> Self {
                self.masters = $crate::card::BusMasters::new(beats);
                self
            }

            /// What this card says of itself.
            pub fn identification(&self) -> &::spandrel_abi::Identification {
                &self._identification
            }
        }

        impl Logic for $name {
            #[hdl_gen]
            fn update(&mut self) {
                self.control.clock.next = self.clock.val();
                self.control.reset.next = self.reset.val();
                self.irq.next = self.control.irq.val();
                self.interrupt_events.next = self.control.interrupt_events.val();
                self.control.reset_request.next = self.reset_request.val();
                self.resetting.next = self.control.resetting.val();
                self.busy.next = self.control.busy.val();
                self.control.s_axil_awaddr.next = self.s_axil_awaddr.val();
                self.control.s_axil_awvalid.next = self.s_axil_awvalid.val();
                self.s_axil_awready.next = self.control.s_axil_awready.val();
                self.control.s_axil_wdata.next = self.s_axil_wdata.val();
                self.control.s_axil_wstrb.next = self.s_axil_wstrb.val();
                self.control.s_axil_wvalid.next = self.s_axil_wvalid.val();
                self.s_axil_wready.next = self.control.s_axil_wready.val();
                self.s_axil_bresp.next = self.control.s_axil_bresp.val();
                self.s_axil_bvalid.next = self.control.s_axil_bvalid.val();
                self.control.s_axil_bready.next = self.s_axil_bready.val();
                self.control.s_axil_araddr.next = self.s_axil_araddr.val();
                self.control.s_axil_arvalid.next = self.s_axil_arvalid.val();
                self.s_axil_arready.next = self.control.s_axil_arready.val();
                self.s_axil_rdata.next = self.control.s_axil_rdata.val();
                self.s_axil_rresp.next = self.control.s_axil_rresp.val();
                self.s_axil_rvalid.next = self.control.s_axil_rvalid.val();
                self.control.s_axil_rready.next = self.s_axil_rready.val();
                self.m_axi_host_awid.next = self.masters.m_axi_host_awid.val();
                self.m_axi_host_awaddr.next = self.masters.m_axi_host_awaddr.val();
                self.m_axi_host_awlen.next = self.masters.m_axi_host_awlen.val();
                self.m_axi_host_awsize.next = self.masters.m_axi_host_awsize.val();
                self.m_axi_host_awburst.next = self.masters.m_axi_host_awburst.val();
                self.m_axi_host_awvalid.next = self.masters.m_axi_host_awvalid.val();
                self.masters.m_axi_host_awready.next = self.m_axi_host_awready.val();
                self.m_axi_host_wdata.next = self.masters.m_axi_host_wdata.val();
                self.m_axi_host_wstrb.next = self.masters.m_axi_host_wstrb.val();
                self.m_axi_host_wlast.next = self.masters.m_axi_host_wlast.val();
                self.m_axi_host_wvalid.next = self.masters.m_axi_host_wvalid.val();
                self.masters.m_axi_host_wready.next = self.m_axi_host_wready.val();
                self.masters.m_axi_host_bid.next = self.m_axi_host_bid.val();
                self.masters.m_axi_host_bresp.next = self.m_axi_host_bresp.val();
                self.masters.m_axi_host_bvalid.next = self.m_axi_host_bvalid.val();
                self.m_axi_host_bready.next = self.masters.m_axi_host_bready.val();
                self.m_axi_host_arid.next = self.masters.m_axi_host_arid.val();
                self.m_axi_host_araddr.next = self.masters.m_axi_host_araddr.val();
                self.m_axi_host_arlen.next = self.masters.m_axi_host_arlen.val();
                self.m_axi_host_arsize.next = self.masters.m_axi_host_arsize.val();
                self.m_axi_host_arburst.next = self.masters.m_axi_host_arburst.val();
                self.m_axi_host_arvalid.next = self.masters.m_axi_host_arvalid.val();
                self.masters.m_axi_host_arready.next = self.m_axi_host_arready.val();
                self.masters.m_axi_host_rid.next = self.m_axi_host_rid.val();
                self.masters.m_axi_host_rdata.next = self.m_axi_host_rdata.val();
                self.masters.m_axi_host_rresp.next = self.m_axi_host_rresp.val();
                self.masters.m_axi_host_ruser.next = self.m_axi_host_ruser.val();
                self.masters.m_axi_host_rlast.next = self.m_axi_host_rlast.val();
                self.masters.m_axi_host_rvalid.next = self.m_axi_host_rvalid.val();
                self.m_axi_host_rready.next = self.masters.m_axi_host_rready.val();
                self.m_axi_card_awid.next = self.masters.m_axi_card_awid.val();
                self.m_axi_card_awaddr.next = self.masters.m_axi_card_awaddr.val();
                self.m_axi_card_awlen.next = self.masters.m_axi_card_awlen.val();
                self.m_axi_card_awsize.next = self.masters.m_axi_card_awsize.val();
                self.m_axi_card_awburst.next = self.masters.m_axi_card_awburst.val();
                self.m_axi_card_awvalid.next = self.masters.m_axi_card_awvalid.val();
                self.masters.m_axi_card_awready.next = self.m_axi_card_awready.val();
                self.m_axi_card_wdata.next = self.masters.m_axi_card_wdata.val();
                self.m_axi_card_wstrb.next = self.masters.m_axi_card_wstrb.val();
                self.m_axi_card_wlast.next = self.masters.m_axi_card_wlast.val();
                self.m_axi_card_wvalid.next = self.masters.m_axi_card_wvalid.val();
                self.masters.m_axi_card_wready.next = self.m_axi_card_wready.val();
                self.masters.m_axi_card_bid.next = self.m_axi_card_bid.val();
                self.masters.m_axi_card_bresp.next = self.m_axi_card_bresp.val();
                self.masters.m_axi_card_bvalid.next = self.m_axi_card_bvalid.val();
                self.m_axi_card_bready.next = self.masters.m_axi_card_bready.val();
                self.m_axi_card_arid.next = self.masters.m_axi_card_arid.val();
                self.m_axi_card_araddr.next = self.masters.m_axi_card_araddr.val();
                self.m_axi_card_arlen.next = self.masters.m_axi_card_arlen.val();
                self.m_axi_card_arsize.next = self.masters.m_axi_card_arsize.val();
                self.m_axi_card_arburst.next = self.masters.m_axi_card_arburst.val();
                self.m_axi_card_arvalid.next = self.masters.m_axi_card_arvalid.val();
                self.masters.m_axi_card_arready.next = self.m_axi_card_arready.val();
                self.masters.m_axi_card_rid.next = self.m_axi_card_rid.val();
                self.masters.m_axi_card_rdata.next = self.m_axi_card_rdata.val();
                self.masters.m_axi_card_rresp.next = self.m_axi_card_rresp.val();
                self.masters.m_axi_card_rlast.next = self.m_axi_card_rlast.val();
                self.masters.m_axi_card_rvalid.next = self.m_axi_card_rvalid.val();
                self.m_axi_card_rready.next = self.masters.m_axi_card_rready.val();

                self.masters.clock.next = self.clock.val();
                self.masters.reset.next = self.reset.val();
                self.masters.abort.next = self.control.abort.val();
                self.masters.clear.next = self.control.clear.val();
                self.masters.hashing.next = self.control.hashing.val();
                self.masters.host_read_address.next = self.control.host_read_address.val();
                self.masters.host_read_beats.next = self.control.host_read_beats.val();
                self.masters.host_read_valid.next = self.control.host_read_valid.val();
                self.control.host_read_ready.next = self.masters.host_read_ready.val();
                self.control.host_in_data.next = self.masters.host_in_data.val();
                self.control.host_in_valid.next = self.masters.host_in_valid.val();
                self.masters.host_in_ready.next = self.control.host_in_ready.val();
                self.masters.host_write_address.next = self.control.host_write_address.val();
                self.masters.host_write_beats.next = self.control.host_write_beats.val();
                self.masters.host_write_valid.next = self.control.host_write_valid.val();
                self.control.host_write_ready.next = self.masters.host_write_ready.val();
                self.masters.host_out_data.next = self.control.host_out_data.val();
                self.masters.host_out_valid.next = self.control.host_out_valid.val();
                self.control.host_out_ready.next = self.masters.host_out_ready.val();
                self.masters.card_read_address.next = self.control.card_read_address.val();
                self.masters.card_read_beats.next = self.control.card_read_beats.val();
                self.masters.card_read_valid.next = self.control.card_read_valid.val();
                self.control.card_read_ready.next = self.masters.card_read_ready.val();
                self.control.card_in_data.next = self.masters.card_in_data.val();
                self.control.card_in_valid.next = self.masters.card_in_valid.val();
                self.masters.card_in_ready.next = self.control.card_in_ready.val();
                self.masters.card_write_address.next = self.control.card_write_address.val();
                self.masters.card_write_beats.next = self.control.card_write_beats.val();
                self.masters.card_write_valid.next = self.control.card_write_valid.val();
                self.control.card_write_ready.next = self.masters.card_write_ready.val();
                self.masters.card_out_data.next = self.control.card_out_data.val();
                self.masters.card_out_valid.next = self.control.card_out_valid.val();
                self.control.card_out_ready.next = self.masters.card_out_ready.val();
                self.control.host_read_idle.next = self.masters.host_read_idle.val();
                self.control.host_write_idle.next = self.masters.host_write_idle.val();
                self.control.card_idle.next = self.masters.card_idle.val();
                self.control.host_read_fault.next = self.masters.host_read_fault.val();
                self.control.host_read_cause.next = self.masters.host_read_cause.val();
                self.control.host_write_fault.next = self.masters.host_write_fault.val();
                self.control.card_fault.next = self.masters.card_fault.val();
                self.control.host_read_beat.next = self.masters.host_read_beat.val();
                self.control.host_write_beat.next = self.masters.host_write_beat.val();
                self.control.card_read_beat.next = self.masters.card_read_beat.val();
                self.control.card_write_beat.next = self.masters.card_write_beat.val();

                self.hash.clock.next = self.clock.val();
                self.hash.reset.next = self.control.hash_reset.val();
                self.hash.start.next = self.control.hash_start.val();
                self.hash.opcode.next = self.control.hash_opcode.val();
                self.hash.count.next = self.control.hash_count.val();
                self.hash.size.next = self.control.hash_size.val();
                self.hash.command_parameter.next = self.control.hash_parameter.val();
                self.hash.host_a.next = self.control.hash_host_a.val();
                self.hash.host_b.next = self.control.hash_host_b.val();
                self.hash.host_out.next = self.control.hash_host_out.val();
                self.hash.card_address.next = self.control.hash_card_address.val();
                self.control.hash_busy.next = self.hash.busy.val();
                self.control.hash_refusal.next = self.hash.refusal.val();
                self.control.hash_hashed.next = self.hash.hashed.val();
                self.control.hash_passes.next = self.hash.passes.val();
                self.control.hash_starved.next = self.hash.starved.val();
                self.masters.hash_host_read_address.next = self.hash.host_read_address.val();
                self.masters.hash_host_read_beats.next = self.hash.host_read_beats.val();
                self.masters.hash_host_read_valid.next = self.hash.host_read_valid.val();
                self.hash.host_read_ready.next = self.masters.hash_host_read_ready.val();
                self.hash.host_in_data.next = self.masters.hash_host_in_data.val();
                self.hash.host_in_valid.next = self.masters.hash_host_in_valid.val();
                self.masters.hash_host_in_ready.next = self.hash.host_in_ready.val();
                self.masters.hash_host_write_address.next = self.hash.host_write_address.val();
                self.masters.hash_host_write_beats.next = self.hash.host_write_beats.val();
                self.masters.hash_host_write_valid.next = self.hash.host_write_valid.val();
                self.hash.host_write_ready.next = self.masters.hash_host_write_ready.val();
                self.masters.hash_host_out_data.next = self.hash.host_out_data.val();
                self.masters.hash_host_out_valid.next = self.hash.host_out_valid.val();
                self.hash.host_out_ready.next = self.masters.hash_host_out_ready.val();
                self.masters.hash_card_read_address.next = self.hash.card_read_address.val();
                self.masters.hash_card_read_beats.next = self.hash.card_read_beats.val();
                self.masters.hash_card_read_valid.next = self.hash.card_read_valid.val();
                self.hash.card_read_ready.next = self.masters.hash_card_read_ready.val();
                self.hash.card_in_data.next = self.masters.hash_card_in_data.val();
                self.hash.card_in_valid.next = self.masters.hash_card_in_valid.val();
                self.masters.hash_card_in_ready.next = self.hash.card_in_ready.val();
                self.masters.hash_card_write_address.next = self.hash.card_write_address.val();
                self.masters.hash_card_write_beats.next = self.hash.card_write_beats.val();
                self.masters.hash_card_write_valid.next = self.hash.card_write_valid.val();
                self.hash.card_write_ready.next = self.masters.hash_card_write_ready.val();
                self.masters.hash_card_out_data.next = self.hash.card_out_data.val();
                self.masters.hash_card_out_valid.next = self.hash.card_out_valid.val();
                self.hash.card_out_ready.next = self.masters.hash_card_out_ready.val();
                self.hash.card_write_idle.next = self.masters.hash_card_write_idle.val();

                self.msm.clock.next = self.clock.val();
                self.msm.reset.next = self.control.msm_reset.val();
                self.msm.start.next = self.control.msm_start.val();
                self.msm.count.next = self.control.msm_count.val();
                self.msm.window_choice.next = self.control.msm_window_choice.val();
                self.msm.second_curve.next = self.control.msm_second_curve.val();
                self.control.msm_busy.next = self.msm.busy.val();
                self.msm.scalar_data.next = self.control.msm_scalar_data.val();
                self.msm.scalar_valid.next = self.control.msm_scalar_valid.val();
                self.control.msm_scalar_ready.next = self.msm.scalar_ready.val();
                self.msm.point_data.next = self.control.msm_point_data.val();
                self.msm.point_valid.next = self.control.msm_point_valid.val();
                self.control.msm_point_ready.next = self.msm.point_ready.val();
                self.control.msm_result_data.next = self.msm.result_data.val();
                self.control.msm_result_valid.next = self.msm.result_valid.val();
                self.msm.result_ready.next = self.control.msm_result_ready.val();
                self.msm_counters.cycles.next = self.msm.cycles.val();
                self.msm_counters.additions.next = self.msm.additions.val();
                self.control.msm_additions.next = self.msm.additions.val();
                self.msm_counters.digits.next = self.msm.digits.val();
                self.msm_counters.elements.next = self.msm.elements.val();
                self.msm_counters.bucket_cycles.next = self.msm.bucket_cycles.val();
                self.msm_counters.reduction_cycles.next = self.msm.reduction_cycles.val();
                self.msm_counters.idle_cycles.next = self.msm.idle_cycles.val();
                self.msm_counters.digit_stall_cycles.next = self.msm.digit_stall_cycles.val();
                self.msm_counters.idle_no_pair_cycles.next = self.msm.idle_no_pair_cycles.val();
                self.msm_counters.idle_batch_cycles.next = self.msm.idle_batch_cycles.val();
                self.msm_counters.idle_adder_cycles.next = self.msm.idle_adder_cycles.val();
                self.msm_counters.idle_memory_cycles.next = self.msm.idle_memory_cycles.val();
                self.msm_counters.idle_host_cycles.next = self.msm.idle_host_cycles.val();
                self.msm_counters.idle_drain_cycles.next = self.msm.idle_drain_cycles.val();
                self.msm_counters.parked.next = self.msm.parked.val();
                self.msm_counters.matched.next = self.msm.matched.val();
                self.msm_counters.doublings.next = self.msm.doublings.val();
                self.msm_counters.annihilations.next = self.msm.annihilations.val();
                self.control.msm_counters.next = self.msm_counters.block.val();

                self.field_unit.clock.next = self.clock.val();
                self.field_unit.reset.next = self.control.hash_reset.val();
                self.field_unit.a.next = self.control.field_a.val();
                self.field_unit.b.next = self.control.field_b.val();
                self.field_unit.field.next = self.control.field_field.val();
                self.field_unit.operation.next = self.control.field_operation.val();
                self.field_unit.valid_in.next = self.control.field_valid.val();
                self.control.field_ready.next = self.field_unit.ready.val();
                self.control.field_result.next = self.field_unit.result.val();
                self.control.field_result_valid.next = self.field_unit.valid_out.val();
            }
        }
    };
}

mod shipped {
    use super::{FieldUnit, HashEngine, MsmEngine};
    use rust_hdl::prelude::*;

    crate::card_top! {
        /// The whole card: control, MSM engine, field unit. Emitted as module `spandrel_card`.
        Card, MsmEngine, FieldUnit, HashEngine
    }
}

pub use shipped::Card;

impl Card {
    /// The card of a profile. `git_revision` is the first 32 bits of the revision it is built from, or 0.
    pub fn new(profile: &Profile, git_revision: u32) -> Card {
        let msm = MsmEngine::new(profile);
        let field_unit = FieldUnit::new(profile);
        let hash = HashEngine::new(profile);
        let lanes = |width: u32| {
            profile.poseidon.iter().find(|core| core.width == width).map_or(0, |core| core.lanes as u8)
        };
        let identification = Identification {
            magic: MAGIC_VALUE,
            abi_major: ABI_MAJOR,
            abi_minor: ABI_MINOR,
            git_revision,
            board: profile.board,
            clock_khz: profile.clock_khz,
            has_msm: true,
            has_field: true,
            msm_curves: profile.msm.curves.iter().fold(0, |mask, curve| mask | 1 << curve.id() as u32),
            msm_window_choices: profile.msm.window_bits.iter().fold(0, |mask, bits| mask | 1 << bits),
            msm_adders: profile.msm.adders,
            msm_adder_kind: match profile.msm.adder {
                AdderKind::Complete => 0,
                AdderKind::BatchedAffine => 1,
            },
            msm_latency_cycles: msm.adder_latency() as u32,
            card_memory_kib: profile.card_memory_kib,
            field_latency_cycles: field_unit.latency() as u32,
            has_poseidon: !profile.poseidon.is_empty(),
            poseidon_lanes: std::array::from_fn(|at| lanes(POSEIDON_MIN_WIDTH + at as u32)),
            poseidon_latency_cycles: hash.pass_latency() as u32,
        };
        let card = Card::assemble(identification, msm, field_unit, hash);
        // Boards with digit-serial multipliers have their memory in block RAM, which answers at once, and none of it to spare.
        if profile.digit_serial.is_some() { card.with_buffers(MAX_BURST_BEATS) } else { card }
    }
}
