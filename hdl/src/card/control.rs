//! Everything on the card but the engines.

use super::counters::JobCounters;
use super::execute::Executor;
use super::field_vector::FieldVector;
use super::queue::QueueControl;
use super::registers::RegisterFile;
use super::report::Report;
use super::reset::ResetControl;
use super::self_test::SelfTest;
use super::windows::WindowTable;
use crate::axi::{ReadDma, WriteDma};
use crate::stream::{Pair, Split};
use rust_hdl::prelude::*;
use spandrel_abi::{CurveId, HOST_READ_CAUSES, Identification, Status};

/// Beats that a bus master buffers: four of the longest bursts, which hides a memory latency of as many cycles.
const BUFFER_BEATS: usize = 256;

/// Registers, queues, bus masters, field vector engine and self-test; the MSM engine and the field unit are outside,
/// on the ports that begin with `msm_` and `field_`.
#[derive(LogicBlock)]
pub struct CardControl {
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
    /// MSM engine: reset.
    pub msm_reset: Signal<Out, Bit>,
    /// MSM engine: start.
    pub msm_start: Signal<Out, Bit>,
    /// MSM engine: number of elements.
    pub msm_count: Signal<Out, Bits<32>>,
    /// MSM engine: which of the choices of bits per window.
    pub msm_window_choice: Signal<Out, Bits<4>>,
    /// MSM engine: see its `second_curve`.
    pub msm_second_curve: Signal<Out, Bit>,
    /// MSM engine: it runs.
    pub msm_busy: Signal<In, Bit>,
    /// MSM engine: scalar.
    pub msm_scalar_data: Signal<Out, Bits<256>>,
    /// MSM engine: scalar valid.
    pub msm_scalar_valid: Signal<Out, Bit>,
    /// MSM engine: scalar taken.
    pub msm_scalar_ready: Signal<In, Bit>,
    /// MSM engine: affine point, x in the low half.
    pub msm_point_data: Signal<Out, Bits<512>>,
    /// MSM engine: point valid.
    pub msm_point_valid: Signal<Out, Bit>,
    /// MSM engine: point taken.
    pub msm_point_ready: Signal<In, Bit>,
    /// MSM engine: coordinate of a result.
    pub msm_result_data: Signal<In, Bits<256>>,
    /// MSM engine: coordinate valid.
    pub msm_result_valid: Signal<In, Bit>,
    /// MSM engine: coordinate taken.
    pub msm_result_ready: Signal<Out, Bit>,
    /// MSM engine: its counter `cycles`.
    pub msm_cycles: Signal<In, Bits<64>>,
    /// MSM engine: its counter `additions`.
    pub msm_additions: Signal<In, Bits<64>>,
    /// MSM engine: its counter `digits`.
    pub msm_digits: Signal<In, Bits<64>>,
    /// MSM engine: its counter `elements`.
    pub msm_elements: Signal<In, Bits<64>>,
    /// MSM engine: its counter `bucket_cycles`.
    pub msm_bucket_cycles: Signal<In, Bits<64>>,
    /// MSM engine: its counter `reduction_cycles`.
    pub msm_reduction_cycles: Signal<In, Bits<64>>,
    /// MSM engine: its counter `idle_cycles`.
    pub msm_idle_cycles: Signal<In, Bits<64>>,
    /// MSM engine: its counter `digit_stall_cycles`.
    pub msm_digit_stall_cycles: Signal<In, Bits<64>>,
    /// MSM engine: its counter `idle_no_pair_cycles`.
    pub msm_idle_no_pair_cycles: Signal<In, Bits<64>>,
    /// MSM engine: its counter `idle_batch_cycles`.
    pub msm_idle_batch_cycles: Signal<In, Bits<64>>,
    /// MSM engine: its counter `idle_adder_cycles`.
    pub msm_idle_adder_cycles: Signal<In, Bits<64>>,
    /// MSM engine: its counter `idle_memory_cycles`.
    pub msm_idle_memory_cycles: Signal<In, Bits<64>>,
    /// MSM engine: its counter `idle_host_cycles`.
    pub msm_idle_host_cycles: Signal<In, Bits<64>>,
    /// MSM engine: its counter `idle_drain_cycles`.
    pub msm_idle_drain_cycles: Signal<In, Bits<64>>,
    /// MSM engine: its counter `parked`.
    pub msm_parked: Signal<In, Bits<64>>,
    /// MSM engine: its counter `matched`.
    pub msm_matched: Signal<In, Bits<64>>,
    /// MSM engine: its counter `doublings`.
    pub msm_doublings: Signal<In, Bits<64>>,
    /// MSM engine: its counter `annihilations`.
    pub msm_annihilations: Signal<In, Bits<64>>,
    /// Field unit: first operand.
    pub field_a: Signal<Out, Bits<256>>,
    /// Field unit: second operand.
    pub field_b: Signal<Out, Bits<256>>,
    /// Field unit: field.
    pub field_field: Signal<Out, Bit>,
    /// Field unit: operation.
    pub field_operation: Signal<Out, Bits<2>>,
    /// Field unit: an operation enters.
    pub field_valid: Signal<Out, Bit>,
    /// Field unit: result.
    pub field_result: Signal<In, Bits<256>>,
    /// Field unit: a result leaves.
    pub field_result_valid: Signal<In, Bit>,
    registers: RegisterFile,
    resets: ResetControl,
    queue: QueueControl,
    windows: WindowTable,
    both_curves: Constant<Bit>,
    executor: Executor,
    report: Report,
    vector: FieldVector,
    self_test: SelfTest,
    counters: JobCounters,
    host_reader: ReadDma<256>,
    host_writer: WriteDma<256, 32>,
    card_reader: ReadDma<512>,
    card_writer: WriteDma<512, 64>,
    points: Pair<256, 512>,
    lines: Split<256, 512>,
    core_reset: Signal<Local, Bit>,
    draining: Signal<Local, Bit>,
    clear: Signal<Local, Bit>,
    host_idle: Signal<Local, Bit>,
    card_idle: Signal<Local, Bit>,
    taker_ready: Signal<Local, Bit>,
    vector_field: Signal<Local, Bits<24>>,
    command_parameter: Signal<Local, Bits<32>>,
    read_status: Signal<Local, Bits<8>>,
    host_read_fault: Constant<Bits<8>>,
    before_causes: Constant<Bits<8>>,
    last_cause: Constant<Bits<3>>,
    self_test_count: Constant<Bits<32>>,
}

impl CardControl {
    /// The control of a card that identifies itself so; the sizes of card memory and of results, and the latency of
    /// the field unit, are taken from there.
    pub fn new(identification: &Identification) -> Self {
        let field_latency = identification.field_latency_cycles as usize;
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
            msm_reset: Default::default(),
            msm_start: Default::default(),
            msm_count: Default::default(),
            msm_window_choice: Default::default(),
            msm_second_curve: Default::default(),
            msm_busy: Default::default(),
            msm_scalar_data: Default::default(),
            msm_scalar_valid: Default::default(),
            msm_scalar_ready: Default::default(),
            msm_point_data: Default::default(),
            msm_point_valid: Default::default(),
            msm_point_ready: Default::default(),
            msm_result_data: Default::default(),
            msm_result_valid: Default::default(),
            msm_result_ready: Default::default(),
            msm_cycles: Default::default(),
            msm_additions: Default::default(),
            msm_digits: Default::default(),
            msm_elements: Default::default(),
            msm_bucket_cycles: Default::default(),
            msm_reduction_cycles: Default::default(),
            msm_idle_cycles: Default::default(),
            msm_digit_stall_cycles: Default::default(),
            msm_idle_no_pair_cycles: Default::default(),
            msm_idle_batch_cycles: Default::default(),
            msm_idle_adder_cycles: Default::default(),
            msm_idle_memory_cycles: Default::default(),
            msm_idle_host_cycles: Default::default(),
            msm_idle_drain_cycles: Default::default(),
            msm_parked: Default::default(),
            msm_matched: Default::default(),
            msm_doublings: Default::default(),
            msm_annihilations: Default::default(),
            field_a: Default::default(),
            field_b: Default::default(),
            field_field: Default::default(),
            field_operation: Default::default(),
            field_valid: Default::default(),
            field_result: Default::default(),
            field_result_valid: Default::default(),
            registers: RegisterFile::new(identification),
            resets: ResetControl::new(field_latency),
            queue: QueueControl::new(identification),
            windows: WindowTable::new(identification),
            both_curves: Constant::new(CurveId::ALL.iter().all(|curve| identification.has_curve(*curve))),
            executor: Default::default(),
            report: Report::new(identification),
            vector: FieldVector::new(field_latency),
            self_test: SelfTest::new(identification),
            counters: Default::default(),
            host_reader: ReadDma::new(BUFFER_BEATS),
            host_writer: WriteDma::new(BUFFER_BEATS),
            card_reader: ReadDma::new(BUFFER_BEATS),
            card_writer: WriteDma::new(BUFFER_BEATS),
            points: Default::default(),
            lines: Default::default(),
            core_reset: Default::default(),
            draining: Default::default(),
            clear: Default::default(),
            host_idle: Default::default(),
            card_idle: Default::default(),
            taker_ready: Default::default(),
            vector_field: Default::default(),
            command_parameter: Default::default(),
            read_status: Default::default(),
            host_read_fault: Constant::new(Bits::from(Status::HostReadFault as u64)),
            before_causes: Constant::new(Bits::from(Status::Unsupported as u64)),
            last_cause: Constant::new(HOST_READ_CAUSES.len().to_bits()),
            self_test_count: Constant::new(super::self_test::SELF_TEST_MSM_COUNT.into()),
        }
    }
}

impl Logic for CardControl {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, registers, resets, queue, executor, report, vector, self_test, counters);
        clock!(self, clock, host_reader, host_writer, card_reader, card_writer, points, lines);

        // Resets.
        self.resets.reset.next = self.reset.val();
        self.resets.request.next = self.registers.reset_request.val() | self.reset_request.val();
        self.host_idle.next = self.host_reader.idle.val() & self.host_writer.idle.val();
        self.card_idle.next = self.card_reader.idle.val() & self.card_writer.idle.val();
        self.resets.drained.next = self.host_idle.val() & self.card_idle.val();
        self.draining.next = self.resets.abort.val();
        self.core_reset.next = self.resets.core_reset.val();
        self.registers.reset.next = self.reset.val();
        self.registers.core_reset.next = self.core_reset.val();
        self.registers.resetting.next = self.core_reset.val();
        self.queue.reset.next = self.core_reset.val();
        self.executor.reset.next = self.core_reset.val();
        self.report.reset.next = self.core_reset.val();
        self.vector.reset.next = self.core_reset.val();
        self.self_test.reset.next = self.core_reset.val();
        self.counters.reset.next = self.core_reset.val();
        self.points.reset.next = self.core_reset.val();
        self.lines.reset.next = self.core_reset.val();
        self.msm_reset.next = self.core_reset.val();
        self.host_reader.reset.next = self.reset.val();
        self.host_writer.reset.next = self.reset.val();
        self.card_reader.reset.next = self.reset.val();
        self.card_writer.reset.next = self.reset.val();
        self.host_reader.abort.next = self.draining.val();
        self.host_writer.abort.next = self.draining.val();
        self.card_reader.abort.next = self.draining.val();
        self.card_writer.abort.next = self.draining.val();
        self.clear.next = self.queue.clear.val();
        self.host_reader.clear.next = self.clear.val();
        self.host_writer.clear.next = self.clear.val();
        self.card_reader.clear.next = self.clear.val();
        self.card_writer.clear.next = self.clear.val();

        // Registers.
        self.registers.awaddr.next = self.s_axil_awaddr.val();
        self.registers.awvalid.next = self.s_axil_awvalid.val();
        self.s_axil_awready.next = self.registers.awready.val();
        self.registers.wdata.next = self.s_axil_wdata.val();
        self.registers.wstrb.next = self.s_axil_wstrb.val();
        self.registers.wvalid.next = self.s_axil_wvalid.val();
        self.s_axil_wready.next = self.registers.wready.val();
        self.s_axil_bresp.next = self.registers.bresp.val();
        self.s_axil_bvalid.next = self.registers.bvalid.val();
        self.registers.bready.next = self.s_axil_bready.val();
        self.registers.araddr.next = self.s_axil_araddr.val();
        self.registers.arvalid.next = self.s_axil_arvalid.val();
        self.s_axil_arready.next = self.registers.arready.val();
        self.s_axil_rdata.next = self.registers.rdata.val();
        self.s_axil_rresp.next = self.registers.rresp.val();
        self.s_axil_rvalid.next = self.registers.rvalid.val();
        self.registers.rready.next = self.s_axil_rready.val();
        self.registers.busy.next = self.queue.busy.val();
        self.registers.fault.next = self.queue.fault.val();
        self.registers.fault_code.next = self.queue.fault_code.val();
        self.registers.completed.next = self.queue.completed.val();
        self.registers.faulted.next = self.queue.faulted.val();
        self.registers.sq_head.next = self.queue.sq_head.val();
        self.registers.cq_tail.next = self.queue.cq_tail.val();
        self.registers.msm_additions.next = self.msm_additions.val();
        self.irq.next = self.registers.irq.val();
        self.interrupt_events.next = self.registers.interrupt_events.val();
        self.resetting.next = self.core_reset.val();
        self.busy.next = self.queue.busy.val() | self.core_reset.val();

        // A cause of a failed read that has a status of its own is told by it.
        self.read_status.next = self.host_read_fault.val();
        if (self.host_reader.cause.val() != 0) & (self.host_reader.cause.val() <= self.last_cause.val()) {
            self.read_status.next = self.before_causes.val() + bit_cast::<8, 3>(self.host_reader.cause.val());
        }

        // Queues.
        self.queue.enable.next = self.registers.enable.val();
        self.queue.sq_base.next = self.registers.sq_base.val();
        self.queue.sq_mask.next = self.registers.sq_mask.val();
        self.queue.sq_tail.next = self.registers.sq_tail.val();
        self.queue.cq_base.next = self.registers.cq_base.val();
        self.queue.cq_mask.next = self.registers.cq_mask.val();
        self.queue.cq_head.next = self.registers.cq_head.val();
        self.queue.read_idle.next = self.host_reader.idle.val();
        self.queue.read_fault.next = self.host_reader.fault.val();
        self.queue.read_status.next = self.read_status.val();
        self.queue.write_idle.next = self.host_writer.idle.val();
        self.queue.write_fault.next = self.host_writer.fault.val();
        self.queue.done.next = self.executor.done.val();
        self.queue.done_status.next = self.executor.status.val();

        // The command machine.
        self.executor.start.next = self.queue.start.val();
        self.executor.opcode.next = self.queue.opcode.val();
        self.executor.count.next = self.queue.count.val();
        self.executor.host_a.next = self.queue.host_a.val();
        self.executor.host_out.next = self.queue.host_out.val();
        self.executor.card_address.next = self.queue.card_address.val();
        self.command_parameter.next = self.queue.command_parameter.val();
        self.windows.window_bits.next = self.command_parameter.val().get_bits::<8>(0);
        self.executor.result_beats.next = self.windows.result_beats.val();
        self.executor.masters_idle.next = self.host_idle.val() & self.card_idle.val();
        self.executor.host_read_fault.next = self.host_reader.fault.val();
        self.executor.host_read_status.next = self.read_status.val();
        self.executor.host_write_fault.next = self.host_writer.fault.val();
        self.executor.card_fault.next = self.card_reader.fault.val() | self.card_writer.fault.val();
        self.executor.msm_busy.next = self.msm_busy.val();
        self.executor.vector_busy.next = self.vector.busy.val();
        self.executor.report_busy.next = self.report.busy.val();
        self.executor.self_test_busy.next = self.self_test.busy.val();
        self.executor.self_test_failed.next = self.self_test.failed.val();

        // Jobs of the host read master: queue, command machine and field vector engine never ask at the same time.
        self.host_reader.job_address.next = self.queue.read_address.val();
        self.host_reader.job_beats.next = 2.into();
        self.host_reader.job_valid.next = self.queue.read_valid.val();
        if self.executor.host_read_valid.val() {
            self.host_reader.job_address.next = self.executor.host_read_address.val();
            self.host_reader.job_beats.next = self.executor.host_read_beats.val();
            self.host_reader.job_valid.next = true;
        }
        if self.executor.combining.val() {
            self.host_reader.job_address.next = self.vector.job_address.val();
            self.host_reader.job_beats.next = self.vector.job_beats.val();
            self.host_reader.job_valid.next = self.vector.job_valid.val();
        }
        self.queue.read_ready.next = self.host_reader.job_ready.val();
        self.executor.host_read_ready.next = self.host_reader.job_ready.val();
        self.vector.job_ready.next = self.host_reader.job_ready.val() & self.executor.combining.val();

        // Data of the host read master: to card memory, the MSM engine, the field vector engine or the queue.
        self.queue.entry_data.next = self.host_reader.out_data.val();
        self.queue.entry_valid.next = self.host_reader.out_valid.val();
        self.points.in_data.next = self.host_reader.out_data.val();
        self.points.in_valid.next = self.host_reader.out_valid.val() & self.executor.loading.val();
        self.vector.in_data.next = self.host_reader.out_data.val();
        self.vector.in_valid.next = self.host_reader.out_valid.val() & self.executor.combining.val();
        self.taker_ready.next = self.queue.entry_ready.val();
        if self.executor.loading.val() {
            self.taker_ready.next = self.points.in_ready.val();
        }
        if self.executor.multiplying.val() {
            self.taker_ready.next = self.msm_scalar_ready.val();
        }
        if self.executor.combining.val() {
            self.taker_ready.next = self.vector.in_ready.val();
        }
        self.host_reader.out_ready.next = self.taker_ready.val();

        // Jobs and data of the host write master.
        self.host_writer.job_address.next = self.queue.write_address.val();
        self.host_writer.job_beats.next = 1.into();
        self.host_writer.job_valid.next = self.queue.write_valid.val();
        if self.executor.host_write_valid.val() {
            self.host_writer.job_address.next = self.executor.host_write_address.val();
            self.host_writer.job_beats.next = self.executor.host_write_beats.val();
            self.host_writer.job_valid.next = true;
        }
        self.queue.write_ready.next = self.host_writer.job_ready.val();
        self.executor.host_write_ready.next = self.host_writer.job_ready.val();
        self.host_writer.in_data.next = self.queue.completion_data.val();
        self.host_writer.in_valid.next = self.queue.completion_valid.val();
        if self.executor.reporting.val() {
            self.host_writer.in_data.next = self.report.out_data.val();
            self.host_writer.in_valid.next = self.report.out_valid.val();
        }
        if self.executor.combining.val() {
            self.host_writer.in_data.next = self.vector.out_data.val();
            self.host_writer.in_valid.next = self.vector.out_valid.val();
        }
        if self.executor.multiplying.val() {
            self.host_writer.in_data.next = self.msm_result_data.val();
            self.host_writer.in_valid.next = self.msm_result_valid.val();
        }
        self.lines.in_data.next = self.card_reader.out_data.val();
        self.lines.in_valid.next = self.card_reader.out_valid.val() & self.executor.fetching.val();
        self.lines.out_ready.next = self.host_writer.in_ready.val() & self.executor.fetching.val();
        if self.executor.fetching.val() {
            self.host_writer.in_data.next = self.lines.out_data.val();
            self.host_writer.in_valid.next = self.lines.out_valid.val();
        }
        self.queue.completion_ready.next = self.host_writer.in_ready.val();
        self.report.out_ready.next = self.host_writer.in_ready.val() & self.executor.reporting.val();
        self.vector.out_ready.next = self.host_writer.in_ready.val() & self.executor.combining.val();

        // Card memory: bases go in when they are loaded, points come out for an MSM, lines for the host.
        self.card_writer.job_address.next = self.executor.card_job_address.val();
        self.card_writer.job_beats.next = self.executor.card_job_beats.val();
        self.card_writer.job_valid.next = self.executor.card_write_valid.val();
        self.executor.card_write_ready.next = self.card_writer.job_ready.val();
        self.card_writer.in_data.next = self.points.out_data.val();
        self.card_writer.in_valid.next = self.points.out_valid.val();
        self.points.out_ready.next = self.card_writer.in_ready.val();
        self.card_reader.job_address.next = self.executor.card_job_address.val();
        self.card_reader.job_beats.next = self.executor.card_job_beats.val();
        self.card_reader.job_valid.next = self.executor.card_read_valid.val();
        self.executor.card_read_ready.next = self.card_reader.job_ready.val();
        self.card_reader.out_ready.next = self.msm_point_ready.val() & self.executor.multiplying.val();
        if self.executor.fetching.val() {
            self.card_reader.out_ready.next = self.lines.in_ready.val();
        }

        // The MSM engine, for a command or for the self-test.
        self.msm_start.next = self.executor.msm_start.val() | self.self_test.msm_start.val();
        self.msm_count.next = self.queue.count.val();
        self.msm_window_choice.next = self.windows.choice.val();
        // The command's curve is one that the card has; with both, the code is the place.
        self.msm_second_curve.next = self.both_curves.val() & self.command_parameter.val().get_bit(8);
        self.msm_scalar_data.next = self.host_reader.out_data.val();
        self.msm_scalar_valid.next = self.host_reader.out_valid.val() & self.executor.multiplying.val();
        self.msm_point_data.next = self.card_reader.out_data.val();
        self.msm_point_valid.next = self.card_reader.out_valid.val() & self.executor.multiplying.val();
        self.msm_result_ready.next = self.host_writer.in_ready.val() & self.executor.multiplying.val();
        if self.executor.testing.val() {
            self.msm_count.next = self.self_test_count.val();
            self.msm_window_choice.next = 0.into();
            self.msm_second_curve.next = false;
            self.msm_scalar_data.next = self.self_test.scalar_data.val();
            self.msm_scalar_valid.next = self.self_test.scalar_valid.val();
            self.msm_point_data.next = self.self_test.point_data.val();
            self.msm_point_valid.next = self.self_test.point_valid.val();
            self.msm_result_ready.next = self.self_test.result_ready.val();
        }
        self.self_test.start.next = self.executor.self_test_start.val();
        self.self_test.msm_busy.next = self.msm_busy.val();
        self.self_test.scalar_ready.next = self.msm_scalar_ready.val() & self.executor.testing.val();
        self.self_test.point_ready.next = self.msm_point_ready.val() & self.executor.testing.val();
        self.self_test.result_data.next = self.msm_result_data.val();
        self.self_test.result_valid.next = self.msm_result_valid.val() & self.executor.testing.val();

        // The field unit, for a command or for the self-test.
        self.vector_field.next = self.command_parameter.val().get_bits::<24>(8);
        self.field_a.next = self.vector.unit_a.val();
        self.field_b.next = self.vector.unit_b.val();
        self.field_field.next = self.vector_field.val().any();
        self.field_operation.next = self.command_parameter.val().get_bits::<2>(0);
        self.field_valid.next = self.vector.unit_valid.val();
        if self.executor.testing.val() {
            self.field_a.next = self.self_test.unit_a.val();
            self.field_b.next = self.self_test.unit_b.val();
            self.field_field.next = self.self_test.unit_field.val();
            self.field_operation.next = self.self_test.unit_operation.val();
            self.field_valid.next = self.self_test.unit_valid.val();
        }
        self.vector.start.next = self.executor.vector_start.val();
        self.vector.count.next = self.queue.count.val();
        self.vector.host_a.next = self.queue.host_a.val();
        self.vector.host_b.next = self.queue.host_b.val();
        self.vector.unit_result.next = self.field_result.val();
        self.vector.unit_result_valid.next = self.field_result_valid.val();
        self.self_test.unit_result.next = self.field_result.val();
        self.self_test.unit_result_valid.next = self.field_result_valid.val() & self.executor.testing.val();

        // Reports and counters.
        self.report.start_identification.next = self.executor.identification_start.val();
        self.report.start_counters.next = self.executor.counters_start.val();
        self.report.counters.next = self.counters.kept.val();
        self.counters.job_start.next = self.executor.counting_start.val();
        self.counters.job_end.next = self.executor.counting_end.val();
        self.counters.is_msm.next = self.executor.multiplying.val();
        self.counters.msm_cycles.next = self.msm_cycles.val();
        self.counters.msm_additions.next = self.msm_additions.val();
        self.counters.msm_digits.next = self.msm_digits.val();
        self.counters.msm_elements.next = self.msm_elements.val();
        self.counters.msm_bucket_cycles.next = self.msm_bucket_cycles.val();
        self.counters.msm_reduction_cycles.next = self.msm_reduction_cycles.val();
        self.counters.msm_idle_cycles.next = self.msm_idle_cycles.val();
        self.counters.msm_digit_stall_cycles.next = self.msm_digit_stall_cycles.val();
        self.counters.msm_idle_no_pair_cycles.next = self.msm_idle_no_pair_cycles.val();
        self.counters.msm_idle_batch_cycles.next = self.msm_idle_batch_cycles.val();
        self.counters.msm_idle_adder_cycles.next = self.msm_idle_adder_cycles.val();
        self.counters.msm_idle_memory_cycles.next = self.msm_idle_memory_cycles.val();
        self.counters.msm_idle_host_cycles.next = self.msm_idle_host_cycles.val();
        self.counters.msm_idle_drain_cycles.next = self.msm_idle_drain_cycles.val();
        self.counters.msm_parked.next = self.msm_parked.val();
        self.counters.msm_matched.next = self.msm_matched.val();
        self.counters.msm_doublings.next = self.msm_doublings.val();
        self.counters.msm_annihilations.next = self.msm_annihilations.val();
        self.counters.vector_busy.next = self.vector.busy.val();
        self.counters.vector_issued.next = self.vector.issued.val();
        self.counters.host_read_beat.next = self.host_reader.beat.val();
        self.counters.host_write_beat.next = self.host_writer.beat.val();
        self.counters.card_read_beat.next = self.card_reader.beat.val();
        self.counters.card_write_beat.next = self.card_writer.beat.val();

        // Buses.
        self.m_axi_host_awid.next = 0.into();
        self.m_axi_host_awaddr.next = self.host_writer.awaddr.val();
        self.m_axi_host_awlen.next = self.host_writer.awlen.val();
        self.m_axi_host_awsize.next = 5.into();
        self.m_axi_host_awburst.next = 1.into();
        self.m_axi_host_awvalid.next = self.host_writer.awvalid.val();
        self.host_writer.awready.next = self.m_axi_host_awready.val();
        self.m_axi_host_wdata.next = self.host_writer.wdata.val();
        self.m_axi_host_wstrb.next = self.host_writer.wstrb.val();
        self.m_axi_host_wlast.next = self.host_writer.wlast.val();
        self.m_axi_host_wvalid.next = self.host_writer.wvalid.val();
        self.host_writer.wready.next = self.m_axi_host_wready.val();
        self.host_writer.bresp.next = self.m_axi_host_bresp.val();
        self.host_writer.bvalid.next = self.m_axi_host_bvalid.val();
        self.m_axi_host_bready.next = self.host_writer.bready.val();
        self.m_axi_host_arid.next = 0.into();
        self.m_axi_host_araddr.next = self.host_reader.araddr.val();
        self.m_axi_host_arlen.next = self.host_reader.arlen.val();
        self.m_axi_host_arsize.next = 5.into();
        self.m_axi_host_arburst.next = 1.into();
        self.m_axi_host_arvalid.next = self.host_reader.arvalid.val();
        self.host_reader.arready.next = self.m_axi_host_arready.val();
        self.host_reader.rdata.next = self.m_axi_host_rdata.val();
        self.host_reader.rresp.next = self.m_axi_host_rresp.val();
        self.host_reader.ruser.next = self.m_axi_host_ruser.val();
        self.host_reader.rvalid.next = self.m_axi_host_rvalid.val();
        self.m_axi_host_rready.next = self.host_reader.rready.val();

        self.m_axi_card_awid.next = 0.into();
        self.m_axi_card_awaddr.next = bit_cast::<40, 64>(self.card_writer.awaddr.val());
        self.m_axi_card_awlen.next = self.card_writer.awlen.val();
        self.m_axi_card_awsize.next = 6.into();
        self.m_axi_card_awburst.next = 1.into();
        self.m_axi_card_awvalid.next = self.card_writer.awvalid.val();
        self.card_writer.awready.next = self.m_axi_card_awready.val();
        self.m_axi_card_wdata.next = self.card_writer.wdata.val();
        self.m_axi_card_wstrb.next = self.card_writer.wstrb.val();
        self.m_axi_card_wlast.next = self.card_writer.wlast.val();
        self.m_axi_card_wvalid.next = self.card_writer.wvalid.val();
        self.card_writer.wready.next = self.m_axi_card_wready.val();
        self.card_writer.bresp.next = self.m_axi_card_bresp.val();
        self.card_writer.bvalid.next = self.m_axi_card_bvalid.val();
        self.m_axi_card_bready.next = self.card_writer.bready.val();
        self.m_axi_card_arid.next = 0.into();
        self.m_axi_card_araddr.next = bit_cast::<40, 64>(self.card_reader.araddr.val());
        self.m_axi_card_arlen.next = self.card_reader.arlen.val();
        self.m_axi_card_arsize.next = 6.into();
        self.m_axi_card_arburst.next = 1.into();
        self.m_axi_card_arvalid.next = self.card_reader.arvalid.val();
        self.card_reader.arready.next = self.m_axi_card_arready.val();
        self.card_reader.rdata.next = self.m_axi_card_rdata.val();
        self.card_reader.rresp.next = self.m_axi_card_rresp.val();
        self.card_reader.ruser.next = 0.into();
        self.card_reader.rvalid.next = self.m_axi_card_rvalid.val();
        self.m_axi_card_rready.next = self.card_reader.rready.val();
    }
}
