//! Element-wise field operations on two vectors in host memory.

use crate::axi::MAX_BURST_BEATS;
use crate::stream::Fifo;
use rust_hdl::prelude::*;

/// Feeds the field unit with two vectors that come through one read master.
///
/// The vectors are read in alternating chunks of 64 elements, a before b; a chunk of a waits in a FIFO until its
/// partners come. Results of the field unit wait for nobody, so an operation is issued only when the result FIFO has room for it and
/// for all that are under way. At best one result per two cycles (two operands through one bus).
#[derive(LogicBlock)]
pub struct FieldVector {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Pulse: begin; only while `busy` is low.
    pub start: Signal<In, Bit>,
    /// Number of elements, at least 1; sampled at `start`.
    pub count: Signal<In, Bits<32>>,
    /// Host address of a; sampled at `start`.
    pub host_a: Signal<In, Bits<64>>,
    /// Host address of b; sampled at `start`.
    pub host_b: Signal<In, Bits<64>>,
    /// High from the cycle after `start` until the last result was taken.
    pub busy: Signal<Out, Bit>,
    /// Read job: host address.
    pub job_address: Signal<Out, Bits<64>>,
    /// Read job: beats.
    pub job_beats: Signal<Out, Bits<32>>,
    /// Read job: offered.
    pub job_valid: Signal<Out, Bit>,
    /// Read job: accepted.
    pub job_ready: Signal<In, Bit>,
    /// Elements that were read.
    pub in_data: Signal<In, Bits<256>>,
    /// `in_data` is an element.
    pub in_valid: Signal<In, Bit>,
    /// The element is taken.
    pub in_ready: Signal<Out, Bit>,
    /// Field unit: first operand (a register).
    pub unit_a: Signal<Out, Bits<256>>,
    /// Field unit: second operand (a register).
    pub unit_b: Signal<Out, Bits<256>>,
    /// Field unit: there is an operation (a register).
    pub unit_valid: Signal<Out, Bit>,
    /// Field unit: it is taken.
    pub unit_ready: Signal<In, Bit>,
    /// Field unit: result.
    pub unit_result: Signal<In, Bits<256>>,
    /// Field unit: a result leaves.
    pub unit_result_valid: Signal<In, Bit>,
    /// Results.
    pub out_data: Signal<Out, Bits<256>>,
    /// `out_data` is a result.
    pub out_valid: Signal<Out, Bit>,
    /// The result is taken.
    pub out_ready: Signal<In, Bit>,
    /// Pulse: an operand pair was issued.
    pub issued: Signal<Out, Bit>,
    first_operands: Fifo<256>,
    results: Fifo<256>,
    ask_left: DFF<Bits<32>>,
    ask_a: DFF<Bits<64>>,
    ask_b: DFF<Bits<64>>,
    ask_second: DFF<Bit>,
    take_left: DFF<Bits<32>>,
    chunk_left: DFF<Bits<32>>,
    take_second: DFF<Bit>,
    operand_a: DFF<Bits<256>>,
    operand_b: DFF<Bits<256>>,
    operands_valid: DFF<Bit>,
    in_flight: DFF<Bits<16>>,
    asked: Signal<Local, Bits<32>>,
    left_next: Signal<Local, Bits<32>>,
    chunk_next: Signal<Local, Bits<32>>,
    reserved: Signal<Local, Bits<16>>,
    room: Signal<Local, Bit>,
    stalled: Signal<Local, Bit>,
    take: Signal<Local, Bit>,
    issue: Signal<Local, Bit>,
    arrive: Signal<Local, Bit>,
    chunk: Constant<Bits<32>>,
    result_depth: Constant<Bits<16>>,
}

impl FieldVector {
    /// The engine for a field unit of this latency in cycles.
    pub fn new(unit_latency: usize) -> Self {
        // As many as a unit may hold that takes one a cycle; one with a longer latency takes them more slowly.
        let result_depth = unit_latency.min(MAX_BURST_BEATS) + MAX_BURST_BEATS;
        Self {
            clock: Default::default(),
            reset: Default::default(),
            start: Default::default(),
            count: Default::default(),
            host_a: Default::default(),
            host_b: Default::default(),
            busy: Default::default(),
            job_address: Default::default(),
            job_beats: Default::default(),
            job_valid: Default::default(),
            job_ready: Default::default(),
            in_data: Default::default(),
            in_valid: Default::default(),
            in_ready: Default::default(),
            unit_a: Default::default(),
            unit_b: Default::default(),
            unit_valid: Default::default(),
            unit_ready: Default::default(),
            unit_result: Default::default(),
            unit_result_valid: Default::default(),
            out_data: Default::default(),
            out_valid: Default::default(),
            out_ready: Default::default(),
            issued: Default::default(),
            first_operands: Fifo::new(MAX_BURST_BEATS),
            results: Fifo::new(result_depth),
            ask_left: Default::default(),
            ask_a: Default::default(),
            ask_b: Default::default(),
            ask_second: Default::default(),
            take_left: Default::default(),
            chunk_left: Default::default(),
            take_second: Default::default(),
            operand_a: Default::default(),
            operand_b: Default::default(),
            operands_valid: Default::default(),
            in_flight: Default::default(),
            asked: Default::default(),
            left_next: Default::default(),
            chunk_next: Default::default(),
            reserved: Default::default(),
            room: Default::default(),
            stalled: Default::default(),
            take: Default::default(),
            issue: Default::default(),
            arrive: Default::default(),
            chunk: Constant::new(MAX_BURST_BEATS.to_bits()),
            result_depth: Constant::new(result_depth.to_bits()),
        }
    }
}

impl Logic for FieldVector {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, ask_left, ask_a, ask_b, ask_second, take_left, chunk_left, take_second);
        dff_setup!(self, clock, operand_a, operand_b, operands_valid, in_flight);
        clock!(self, clock, first_operands, results);
        self.first_operands.reset.next = self.reset.val();
        self.results.reset.next = self.reset.val();

        // Asking: chunk by chunk, first of a, then of b.
        self.asked.next = self.ask_left.q.val();
        if self.chunk.val() < self.ask_left.q.val() {
            self.asked.next = self.chunk.val();
        }
        self.job_beats.next = self.asked.val();
        self.job_valid.next = self.ask_left.q.val() != 0;
        self.job_address.next = self.ask_a.q.val();
        if self.ask_second.q.val() {
            self.job_address.next = self.ask_b.q.val();
        }
        if self.job_ready.val() & (self.ask_left.q.val() != 0) {
            self.ask_second.d.next = !self.ask_second.q.val();
            if self.ask_second.q.val() {
                self.ask_left.d.next = self.ask_left.q.val() - self.asked.val();
                self.ask_b.d.next = self.ask_b.q.val() + (bit_cast::<64, 32>(self.asked.val()) << 5);
            } else {
                self.ask_a.d.next = self.ask_a.q.val() + (bit_cast::<64, 32>(self.asked.val()) << 5);
            }
        }

        // Taking: a chunk of a to its FIFO, a chunk of b together with what waits there.
        self.reserved.next = self.results.count.val() + self.in_flight.q.val();
        self.stalled.next = self.operands_valid.q.val() & !self.unit_ready.val();
        self.room.next = (self.reserved.val() < self.result_depth.val()) & !self.stalled.val();
        self.in_ready.next = false;
        self.issue.next = false;
        if self.take_left.q.val() != 0 {
            if self.take_second.q.val() {
                self.in_ready.next = self.room.val() & self.first_operands.out_valid.val();
                self.issue.next = self.in_valid.val() & self.room.val() & self.first_operands.out_valid.val();
            } else {
                self.in_ready.next = self.first_operands.in_ready.val();
            }
        }
        self.take.next = self.in_valid.val() & self.in_ready.val();
        self.first_operands.in_data.next = self.in_data.val();
        self.first_operands.in_valid.next = self.take.val() & !self.take_second.q.val();
        self.first_operands.out_ready.next = self.issue.val();
        self.left_next.next = self.take_left.q.val();
        if self.issue.val() {
            self.left_next.next = self.take_left.q.val() - 1;
        }
        self.take_left.d.next = self.left_next.val();
        self.chunk_next.next = self.left_next.val();
        if self.chunk.val() < self.left_next.val() {
            self.chunk_next.next = self.chunk.val();
        }
        if self.take.val() {
            self.chunk_left.d.next = self.chunk_left.q.val() - 1;
            if self.chunk_left.q.val() == 1 {
                self.take_second.d.next = !self.take_second.q.val();
                self.chunk_left.d.next = self.chunk_next.val();
            }
        }

        if !self.stalled.val() {
            self.operand_a.d.next = self.first_operands.out_data.val();
            self.operand_b.d.next = self.in_data.val();
            self.operands_valid.d.next = self.issue.val();
        }
        self.issued.next = self.issue.val();
        self.unit_a.next = self.operand_a.q.val();
        self.unit_b.next = self.operand_b.q.val();
        self.unit_valid.next = self.operands_valid.q.val();

        // Results of others (the self-test) are not ours: none of our operations is in flight then.
        self.arrive.next = self.unit_result_valid.val() & (self.in_flight.q.val() != 0);
        self.results.in_data.next = self.unit_result.val();
        self.results.in_valid.next = self.arrive.val();
        if self.issue.val() & !self.arrive.val() {
            self.in_flight.d.next = self.in_flight.q.val() + 1;
        }
        if self.arrive.val() & !self.issue.val() {
            self.in_flight.d.next = self.in_flight.q.val() - 1;
        }
        self.out_data.next = self.results.out_data.val();
        self.out_valid.next = self.results.out_valid.val();
        self.results.out_ready.next = self.out_ready.val();

        self.busy.next =
            (self.take_left.q.val() != 0) | (self.in_flight.q.val() != 0) | self.results.out_valid.val();

        if self.start.val() {
            self.ask_left.d.next = self.count.val();
            self.ask_a.d.next = self.host_a.val();
            self.ask_b.d.next = self.host_b.val();
            self.ask_second.d.next = false;
            self.take_left.d.next = self.count.val();
            self.take_second.d.next = false;
            self.chunk_left.d.next = self.count.val();
            if self.chunk.val() < self.count.val() {
                self.chunk_left.d.next = self.chunk.val();
            }
        }
        if self.reset.val() {
            self.ask_left.d.next = 0.into();
            self.ask_a.d.next = 0.into();
            self.ask_b.d.next = 0.into();
            self.ask_second.d.next = false;
            self.take_left.d.next = 0.into();
            self.chunk_left.d.next = 0.into();
            self.take_second.d.next = false;
            self.operand_a.d.next = 0.into();
            self.operand_b.d.next = 0.into();
            self.operands_valid.d.next = false;
            self.in_flight.d.next = 0.into();
        }
    }
}
