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
use crate::stream::{Pair, Split};
use rust_hdl::prelude::*;
use spandrel_abi::{CurveId, HOST_READ_CAUSES, Identification, Status};

/// Registers, queues, bus masters, field vector engine and self-test; the engines and the bus masters are outside.
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
    /// Stops the bus masters in an orderly manner.
    pub abort: Signal<Out, Bit>,
    /// Clears the bus masters' faults.
    pub clear: Signal<Out, Bit>,
    /// Job of the host read master: byte address.
    pub host_read_address: Signal<Out, Bits<64>>,
    /// Job of the host read master: beats.
    pub host_read_beats: Signal<Out, Bits<32>>,
    /// Job of the host read master: offered.
    pub host_read_valid: Signal<Out, Bit>,
    /// Job of the host read master: accepted.
    pub host_read_ready: Signal<In, Bit>,
    /// Beat from host memory.
    pub host_in_data: Signal<In, Bits<256>>,
    /// Beat from host memory: valid.
    pub host_in_valid: Signal<In, Bit>,
    /// Beat from host memory: taken.
    pub host_in_ready: Signal<Out, Bit>,
    /// Job of the host write master: byte address.
    pub host_write_address: Signal<Out, Bits<64>>,
    /// Job of the host write master: beats.
    pub host_write_beats: Signal<Out, Bits<32>>,
    /// Job of the host write master: offered.
    pub host_write_valid: Signal<Out, Bit>,
    /// Job of the host write master: accepted.
    pub host_write_ready: Signal<In, Bit>,
    /// Beat to host memory.
    pub host_out_data: Signal<Out, Bits<256>>,
    /// Beat to host memory: valid.
    pub host_out_valid: Signal<Out, Bit>,
    /// Beat to host memory: taken.
    pub host_out_ready: Signal<In, Bit>,
    /// Job of the card read master: byte address.
    pub card_read_address: Signal<Out, Bits<64>>,
    /// Job of the card read master: beats.
    pub card_read_beats: Signal<Out, Bits<32>>,
    /// Job of the card read master: offered.
    pub card_read_valid: Signal<Out, Bit>,
    /// Job of the card read master: accepted.
    pub card_read_ready: Signal<In, Bit>,
    /// Beat from card memory.
    pub card_in_data: Signal<In, Bits<512>>,
    /// Beat from card memory: valid.
    pub card_in_valid: Signal<In, Bit>,
    /// Beat from card memory: taken.
    pub card_in_ready: Signal<Out, Bit>,
    /// Job of the card write master: byte address.
    pub card_write_address: Signal<Out, Bits<64>>,
    /// Job of the card write master: beats.
    pub card_write_beats: Signal<Out, Bits<32>>,
    /// Job of the card write master: offered.
    pub card_write_valid: Signal<Out, Bit>,
    /// Job of the card write master: accepted.
    pub card_write_ready: Signal<In, Bit>,
    /// Beat to card memory.
    pub card_out_data: Signal<Out, Bits<512>>,
    /// Beat to card memory: valid.
    pub card_out_valid: Signal<Out, Bit>,
    /// Beat to card memory: taken.
    pub card_out_ready: Signal<In, Bit>,
    /// The host read master is idle.
    pub host_read_idle: Signal<In, Bit>,
    /// The host write master is idle.
    pub host_write_idle: Signal<In, Bit>,
    /// Both card-memory masters are idle.
    pub card_idle: Signal<In, Bit>,
    /// Host read master: error since the last `clear`.
    pub host_read_fault: Signal<In, Bit>,
    /// Its cause, as [`spandrel_abi::HOST_READ_CAUSES`] lists.
    pub host_read_cause: Signal<In, Bits<3>>,
    /// Host write master: error since the last `clear`.
    pub host_write_fault: Signal<In, Bit>,
    /// Either card-memory master: error since the last `clear`.
    pub card_fault: Signal<In, Bit>,
    /// A beat came from host memory.
    pub host_read_beat: Signal<In, Bit>,
    /// A beat went to host memory.
    pub host_write_beat: Signal<In, Bit>,
    /// A beat came from card memory.
    pub card_read_beat: Signal<In, Bit>,
    /// A beat went to card memory.
    pub card_write_beat: Signal<In, Bit>,
    /// Hash engine: reset.
    pub hash_reset: Signal<Out, Bit>,
    /// Hash engine: start.
    pub hash_start: Signal<Out, Bit>,
    /// Hash engine: what to do.
    pub hash_opcode: Signal<Out, Bits<8>>,
    /// Hash engine: number of elements.
    pub hash_count: Signal<Out, Bits<32>>,
    /// Hash engine: leaves of the tree.
    pub hash_size: Signal<Out, Bits<32>>,
    /// Hash engine: width or arity, output, blocks or depth.
    pub hash_parameter: Signal<Out, Bits<32>>,
    /// Hash engine: host address of the first operand.
    pub hash_host_a: Signal<Out, Bits<64>>,
    /// Hash engine: host address of the second operand.
    pub hash_host_b: Signal<Out, Bits<64>>,
    /// Hash engine: host address of the result.
    pub hash_host_out: Signal<Out, Bits<64>>,
    /// Hash engine: address in card memory.
    pub hash_card_address: Signal<Out, Bits<64>>,
    /// Hash engine: it runs.
    pub hash_busy: Signal<In, Bit>,
    /// Hash engine: why it refused what it was given, a status code; 0 where it did not.
    pub hash_refusal: Signal<In, Bits<8>>,
    /// Hash engine: a hash has finished.
    pub hash_hashed: Signal<In, Bit>,
    /// Hash engine: lanes that work on a state in this cycle.
    pub hash_passes: Signal<In, Bits<8>>,
    /// Hash engine: lanes that have no state in this cycle.
    pub hash_starved: Signal<In, Bits<8>>,
    /// The bus masters are the hash engine's.
    pub hashing: Signal<Out, Bit>,
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
    /// MSM engine: its counters, as [`MsmCounters`](super::MsmCounters) lays them out.
    pub msm_counters: Signal<In, Bits<2048>>,
    /// MSM engine: additions since its job's start.
    pub msm_additions: Signal<In, Bits<64>>,
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
    /// Field unit: it is taken.
    pub field_ready: Signal<In, Bit>,
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
    points: Pair<256, 512>,
    lines: Split<256, 512>,
    core_reset: Signal<Local, Bit>,
    host_idle: Signal<Local, Bit>,
    taker_ready: Signal<Local, Bit>,
    vector_field: Signal<Local, Bits<24>>,
    command_parameter: Signal<Local, Bits<32>>,
    read_status: Signal<Local, Bits<8>>,
    status_host_read: Constant<Bits<8>>,
    before_causes: Constant<Bits<8>>,
    last_cause: Constant<Bits<3>>,
    self_test_count: Constant<Bits<32>>,
}

impl CardControl {
    /// The control of a card that identifies itself so; the sizes of card memory and of results, and the latency of
    /// the field unit, are taken from there.
    pub fn new(identification: &Identification) -> Self {
        let field_latency = identification.field_latency_cycles as usize;
        let longest_pipeline = field_latency.max(identification.poseidon_latency_cycles as usize);
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
            abort: Default::default(),
            clear: Default::default(),
            host_read_address: Default::default(),
            host_read_beats: Default::default(),
            host_read_valid: Default::default(),
            host_read_ready: Default::default(),
            host_in_data: Default::default(),
            host_in_valid: Default::default(),
            host_in_ready: Default::default(),
            host_write_address: Default::default(),
            host_write_beats: Default::default(),
            host_write_valid: Default::default(),
            host_write_ready: Default::default(),
            host_out_data: Default::default(),
            host_out_valid: Default::default(),
            host_out_ready: Default::default(),
            card_read_address: Default::default(),
            card_read_beats: Default::default(),
            card_read_valid: Default::default(),
            card_read_ready: Default::default(),
            card_in_data: Default::default(),
            card_in_valid: Default::default(),
            card_in_ready: Default::default(),
            card_write_address: Default::default(),
            card_write_beats: Default::default(),
            card_write_valid: Default::default(),
            card_write_ready: Default::default(),
            card_out_data: Default::default(),
            card_out_valid: Default::default(),
            card_out_ready: Default::default(),
            host_read_idle: Default::default(),
            host_write_idle: Default::default(),
            card_idle: Default::default(),
            host_read_fault: Default::default(),
            host_read_cause: Default::default(),
            host_write_fault: Default::default(),
            card_fault: Default::default(),
            host_read_beat: Default::default(),
            host_write_beat: Default::default(),
            card_read_beat: Default::default(),
            card_write_beat: Default::default(),
            hash_reset: Default::default(),
            hash_start: Default::default(),
            hash_opcode: Default::default(),
            hash_count: Default::default(),
            hash_size: Default::default(),
            hash_parameter: Default::default(),
            hash_host_a: Default::default(),
            hash_host_b: Default::default(),
            hash_host_out: Default::default(),
            hash_card_address: Default::default(),
            hash_busy: Default::default(),
            hash_refusal: Default::default(),
            hash_hashed: Default::default(),
            hash_passes: Default::default(),
            hash_starved: Default::default(),
            hashing: Default::default(),
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
            msm_counters: Default::default(),
            msm_additions: Default::default(),
            field_a: Default::default(),
            field_b: Default::default(),
            field_field: Default::default(),
            field_operation: Default::default(),
            field_valid: Default::default(),
            field_ready: Default::default(),
            field_result: Default::default(),
            field_result_valid: Default::default(),
            registers: RegisterFile::new(identification),
            resets: ResetControl::new(longest_pipeline),
            queue: QueueControl::new(identification),
            windows: WindowTable::new(identification),
            both_curves: Constant::new(CurveId::ALL.iter().all(|curve| identification.has_curve(*curve))),
            executor: Default::default(),
            report: Report::new(identification),
            vector: FieldVector::new(field_latency),
            self_test: SelfTest::new(identification),
            counters: Default::default(),
            points: Default::default(),
            lines: Default::default(),
            core_reset: Default::default(),
            host_idle: Default::default(),
            taker_ready: Default::default(),
            vector_field: Default::default(),
            command_parameter: Default::default(),
            read_status: Default::default(),
            status_host_read: Constant::new(Bits::from(Status::HostReadFault as u64)),
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
        clock!(self, clock, points, lines);

        // Resets.
        self.resets.reset.next = self.reset.val();
        self.resets.request.next = self.registers.reset_request.val() | self.reset_request.val();
        self.host_idle.next = self.host_read_idle.val() & self.host_write_idle.val();
        self.resets.drained.next = self.host_idle.val() & self.card_idle.val();
        self.abort.next = self.resets.abort.val();
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
        self.hash_reset.next = self.core_reset.val();
        self.clear.next = self.queue.clear.val();

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
        self.read_status.next = self.status_host_read.val();
        if (self.host_read_cause.val() != 0) & (self.host_read_cause.val() <= self.last_cause.val()) {
            self.read_status.next = self.before_causes.val() + bit_cast::<8, 3>(self.host_read_cause.val());
        }

        // Queues.
        self.queue.enable.next = self.registers.enable.val();
        self.queue.sq_base.next = self.registers.sq_base.val();
        self.queue.sq_mask.next = self.registers.sq_mask.val();
        self.queue.sq_tail.next = self.registers.sq_tail.val();
        self.queue.cq_base.next = self.registers.cq_base.val();
        self.queue.cq_mask.next = self.registers.cq_mask.val();
        self.queue.cq_head.next = self.registers.cq_head.val();
        self.queue.read_idle.next = self.host_read_idle.val();
        self.queue.read_fault.next = self.host_read_fault.val();
        self.queue.read_status.next = self.read_status.val();
        self.queue.write_idle.next = self.host_write_idle.val();
        self.queue.write_fault.next = self.host_write_fault.val();
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
        self.executor.host_read_fault.next = self.host_read_fault.val();
        self.executor.host_read_status.next = self.read_status.val();
        self.executor.host_write_fault.next = self.host_write_fault.val();
        self.executor.card_fault.next = self.card_fault.val();
        self.executor.msm_busy.next = self.msm_busy.val();
        self.executor.vector_busy.next = self.vector.busy.val();
        self.executor.hash_busy.next = self.hash_busy.val();
        self.executor.hash_refusal.next = self.hash_refusal.val();
        self.executor.report_busy.next = self.report.busy.val();
        self.executor.self_test_busy.next = self.self_test.busy.val();
        self.executor.self_test_failed.next = self.self_test.failed.val();

        // Jobs of the host read master: queue, command machine and field vector engine never ask at the same time.
        self.host_read_address.next = self.queue.read_address.val();
        self.host_read_beats.next = 2.into();
        self.host_read_valid.next = self.queue.read_valid.val();
        if self.executor.host_read_valid.val() {
            self.host_read_address.next = self.executor.host_read_address.val();
            self.host_read_beats.next = self.executor.host_read_beats.val();
            self.host_read_valid.next = true;
        }
        if self.executor.combining.val() {
            self.host_read_address.next = self.vector.job_address.val();
            self.host_read_beats.next = self.vector.job_beats.val();
            self.host_read_valid.next = self.vector.job_valid.val();
        }
        self.queue.read_ready.next = self.host_read_ready.val();
        self.executor.host_read_ready.next = self.host_read_ready.val();
        self.vector.job_ready.next = self.host_read_ready.val() & self.executor.combining.val();

        // Data of the host read master: to card memory, the MSM engine, the field vector engine or the queue.
        self.queue.entry_data.next = self.host_in_data.val();
        self.queue.entry_valid.next = self.host_in_valid.val();
        self.points.in_data.next = self.host_in_data.val();
        self.points.in_valid.next = self.host_in_valid.val() & self.executor.loading.val();
        self.vector.in_data.next = self.host_in_data.val();
        self.vector.in_valid.next = self.host_in_valid.val() & self.executor.combining.val();
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
        self.host_in_ready.next = self.taker_ready.val();

        // Jobs and data of the host write master.
        self.host_write_address.next = self.queue.write_address.val();
        self.host_write_beats.next = 1.into();
        self.host_write_valid.next = self.queue.write_valid.val();
        if self.executor.host_write_valid.val() {
            self.host_write_address.next = self.executor.host_write_address.val();
            self.host_write_beats.next = self.executor.host_write_beats.val();
            self.host_write_valid.next = true;
        }
        self.queue.write_ready.next = self.host_write_ready.val();
        self.executor.host_write_ready.next = self.host_write_ready.val();
        self.host_out_data.next = self.queue.completion_data.val();
        self.host_out_valid.next = self.queue.completion_valid.val();
        if self.executor.reporting.val() {
            self.host_out_data.next = self.report.out_data.val();
            self.host_out_valid.next = self.report.out_valid.val();
        }
        if self.executor.combining.val() {
            self.host_out_data.next = self.vector.out_data.val();
            self.host_out_valid.next = self.vector.out_valid.val();
        }
        if self.executor.multiplying.val() {
            self.host_out_data.next = self.msm_result_data.val();
            self.host_out_valid.next = self.msm_result_valid.val();
        }
        self.lines.in_data.next = self.card_in_data.val();
        self.lines.in_valid.next = self.card_in_valid.val() & self.executor.fetching.val();
        self.lines.out_ready.next = self.host_out_ready.val() & self.executor.fetching.val();
        if self.executor.fetching.val() {
            self.host_out_data.next = self.lines.out_data.val();
            self.host_out_valid.next = self.lines.out_valid.val();
        }
        self.queue.completion_ready.next = self.host_out_ready.val();
        self.report.out_ready.next = self.host_out_ready.val() & self.executor.reporting.val();
        self.vector.out_ready.next = self.host_out_ready.val() & self.executor.combining.val();

        // Card memory: bases go in when they are loaded, points come out for an MSM, lines for the host.
        self.card_write_address.next = self.executor.card_job_address.val();
        self.card_write_beats.next = self.executor.card_job_beats.val();
        self.card_write_valid.next = self.executor.card_write_valid.val();
        self.executor.card_write_ready.next = self.card_write_ready.val();
        self.card_out_data.next = self.points.out_data.val();
        self.card_out_valid.next = self.points.out_valid.val();
        self.points.out_ready.next = self.card_out_ready.val();
        self.card_read_address.next = self.executor.card_job_address.val();
        self.card_read_beats.next = self.executor.card_job_beats.val();
        self.card_read_valid.next = self.executor.card_read_valid.val();
        self.executor.card_read_ready.next = self.card_read_ready.val();
        self.card_in_ready.next = self.msm_point_ready.val() & self.executor.multiplying.val();
        if self.executor.fetching.val() {
            self.card_in_ready.next = self.lines.in_ready.val();
        }

        // The MSM engine, for a command or for the self-test.
        self.msm_start.next = self.executor.msm_start.val() | self.self_test.msm_start.val();
        self.msm_count.next = self.queue.count.val();
        self.msm_window_choice.next = self.windows.choice.val();
        // The command's curve is one that the card has; with both, the code is the place.
        self.msm_second_curve.next = self.both_curves.val() & self.command_parameter.val().get_bit(8);
        self.msm_scalar_data.next = self.host_in_data.val();
        self.msm_scalar_valid.next = self.host_in_valid.val() & self.executor.multiplying.val();
        self.msm_point_data.next = self.card_in_data.val();
        self.msm_point_valid.next = self.card_in_valid.val() & self.executor.multiplying.val();
        self.msm_result_ready.next = self.host_out_ready.val() & self.executor.multiplying.val();
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
        self.vector.unit_ready.next = self.field_ready.val() & !self.executor.testing.val();
        self.self_test.unit_ready.next = self.field_ready.val();
        self.vector.unit_result.next = self.field_result.val();
        self.vector.unit_result_valid.next = self.field_result_valid.val();
        self.self_test.unit_result.next = self.field_result.val();
        self.self_test.unit_result_valid.next = self.field_result_valid.val() & self.executor.testing.val();

        // The hash engine, which has the bus masters to itself while it runs.
        self.hashing.next = self.executor.hashing.val();
        self.hash_start.next = self.executor.hash_start.val();
        self.hash_opcode.next = self.queue.opcode.val();
        self.hash_count.next = self.queue.count.val();
        self.hash_size.next = self.queue.size.val();
        self.hash_parameter.next = self.queue.command_parameter.val();
        self.hash_host_a.next = self.queue.host_a.val();
        self.hash_host_b.next = self.queue.host_b.val();
        self.hash_host_out.next = self.queue.host_out.val();
        self.hash_card_address.next = self.queue.card_address.val();

        // Reports and counters.
        self.report.start_identification.next = self.executor.identification_start.val();
        self.report.start_counters.next = self.executor.counters_start.val();
        self.report.counters.next = self.counters.kept.val();
        self.counters.job_start.next = self.executor.counting_start.val();
        self.counters.job_end.next = self.executor.counting_end.val();
        self.counters.is_msm.next = self.executor.multiplying.val();
        self.counters.msm.next = self.msm_counters.val();
        self.counters.vector_busy.next = self.vector.busy.val();
        self.counters.vector_issued.next = self.vector.issued.val();
        self.counters.hash_busy.next = self.hash_busy.val();
        self.counters.hashed.next = self.hash_hashed.val();
        self.counters.hash_passes.next = self.hash_passes.val();
        self.counters.hash_starved.next = self.hash_starved.val();
        self.counters.host_read_beat.next = self.host_read_beat.val();
        self.counters.host_write_beat.next = self.host_write_beat.val();
        self.counters.card_read_beat.next = self.card_read_beat.val();
        self.counters.card_write_beat.next = self.card_write_beat.val();
    }
}
