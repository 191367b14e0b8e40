//! From memory to a stream.

use super::BurstPlan;
use crate::stream::Fifo;
use rust_hdl::prelude::*;

/// AXI4 read master of `DATA` bits: jobs (address, beats) in, their data out as one stream, in the order of the jobs.
///
/// Several bursts are outstanding, as many as the internal buffer has room for, so `rready` is always one. A beat that
/// is answered with an error is delivered like any other and sets `fault`; so every job ends. While `abort` is high no
/// job is accepted and no burst issued; an address already offered stays until it is taken, and data that still come
/// are dropped: the master is as after power-on once `abort` and `idle` are both high. `reset` is for a reset of the
/// whole bus only.
///
/// One beat per cycle in long jobs; the first address is offered three cycles after the job was accepted, and data
/// leave one cycle after they came in.
#[derive(LogicBlock)]
pub struct ReadDma<const DATA: usize> {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Reset of the bus and of this master.
    pub reset: Signal<In, Bit>,
    /// Ends everything in an orderly manner.
    pub abort: Signal<In, Bit>,
    /// Clears `fault`.
    pub clear: Signal<In, Bit>,
    /// Byte address of a job's first beat, aligned to the bus.
    pub job_address: Signal<In, Bits<64>>,
    /// Beats of the job; 0 is accepted and reads nothing.
    pub job_beats: Signal<In, Bits<32>>,
    /// A job is offered.
    pub job_valid: Signal<In, Bit>,
    /// The job is accepted.
    pub job_ready: Signal<Out, Bit>,
    /// Data of the stream.
    pub out_data: Signal<Out, Bits<DATA>>,
    /// `out_data` is an element.
    pub out_valid: Signal<Out, Bit>,
    /// The element is taken.
    pub out_ready: Signal<In, Bit>,
    /// Nothing to read, nothing on the bus, nothing in the buffer.
    pub idle: Signal<Out, Bit>,
    /// A beat since the last `clear` was answered with an error.
    pub fault: Signal<Out, Bit>,
    /// `ruser` of the first such beat; 0 while there is none.
    pub cause: Signal<Out, Bits<3>>,
    /// A beat of data came in this cycle.
    pub beat: Signal<Out, Bit>,
    /// AXI read address.
    pub araddr: Signal<Out, Bits<64>>,
    /// AXI burst length minus one.
    pub arlen: Signal<Out, Bits<8>>,
    /// AXI read address valid.
    pub arvalid: Signal<Out, Bit>,
    /// AXI read address ready.
    pub arready: Signal<In, Bit>,
    /// AXI read data.
    pub rdata: Signal<In, Bits<DATA>>,
    /// AXI read response.
    pub rresp: Signal<In, Bits<2>>,
    /// Why the beat failed, if it did: [`spandrel_abi::HOST_READ_CAUSES`].
    pub ruser: Signal<In, Bits<3>>,
    /// AXI read data valid.
    pub rvalid: Signal<In, Bit>,
    /// AXI read data ready.
    pub rready: Signal<Out, Bit>,
    plan: BurstPlan<DATA>,
    buffer: Fifo<DATA>,
    address: DFF<Bits<64>>,
    length: DFF<Bits<8>>,
    address_valid: DFF<Bit>,
    pending: DFF<Bits<16>>,
    faulted: DFF<Bit>,
    first_cause: DFF<Bits<3>>,
    stop: Signal<Local, Bit>,
    issue: Signal<Local, Bit>,
    arrival: Signal<Local, Bit>,
    wanted: Signal<Local, Bits<16>>,
    last_beat: Signal<Local, Bits<16>>,
    pending_next: Signal<Local, Bits<16>>,
}

impl<const DATA: usize> ReadDma<DATA> {
    /// A master with a buffer of `buffer_beats` beats: twice the longest burst hides a memory latency of as many cycles.
    pub fn new(buffer_beats: usize) -> Self {
        assert!(
            (super::MAX_BURST_BEATS..=32_768).contains(&buffer_beats),
            "a read master buffers 64 (the longest burst) to 32,768 beats, not {buffer_beats}"
        );
        Self {
            clock: Default::default(),
            reset: Default::default(),
            abort: Default::default(),
            clear: Default::default(),
            job_address: Default::default(),
            job_beats: Default::default(),
            job_valid: Default::default(),
            job_ready: Default::default(),
            out_data: Default::default(),
            out_valid: Default::default(),
            out_ready: Default::default(),
            idle: Default::default(),
            fault: Default::default(),
            cause: Default::default(),
            beat: Default::default(),
            araddr: Default::default(),
            arlen: Default::default(),
            arvalid: Default::default(),
            arready: Default::default(),
            rdata: Default::default(),
            rresp: Default::default(),
            ruser: Default::default(),
            rvalid: Default::default(),
            rready: Default::default(),
            plan: Default::default(),
            buffer: Fifo::new(buffer_beats),
            address: Default::default(),
            length: Default::default(),
            address_valid: Default::default(),
            pending: Default::default(),
            faulted: Default::default(),
            first_cause: Default::default(),
            stop: Default::default(),
            issue: Default::default(),
            arrival: Default::default(),
            wanted: Default::default(),
            last_beat: Default::default(),
            pending_next: Default::default(),
        }
    }
}

impl<const DATA: usize> Logic for ReadDma<DATA> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, address, length, address_valid, pending, faulted, first_cause);
        clock!(self, clock, plan, buffer);
        self.stop.next = self.reset.val() | self.abort.val();
        self.plan.reset.next = self.stop.val();
        self.buffer.reset.next = self.stop.val();

        self.plan.job_address.next = self.job_address.val();
        self.plan.job_beats.next = self.job_beats.val();
        self.plan.job_valid.next = self.job_valid.val() & !self.stop.val();
        self.job_ready.next = self.plan.job_ready.val() & !self.stop.val();

        // A burst is issued when the buffer has room for it besides all that is still to come.
        self.wanted.next = self.pending.q.val() + self.plan.burst_beats.val();
        self.issue.next = self.plan.burst_valid.val()
            & !self.address_valid.q.val()
            & (self.wanted.val() <= self.buffer.space.val())
            & !self.stop.val();
        self.plan.burst_ready.next = self.issue.val();
        self.last_beat.next = self.plan.burst_beats.val() - 1;
        if self.address_valid.q.val() & self.arready.val() {
            self.address_valid.d.next = false;
        }
        if self.issue.val() {
            self.address_valid.d.next = true;
            self.address.d.next = self.plan.burst_address.val();
            self.length.d.next = bit_cast::<8, 16>(self.last_beat.val());
        }
        self.araddr.next = self.address.q.val();
        self.arlen.next = self.length.q.val();
        self.arvalid.next = self.address_valid.q.val();

        // Data that nobody asked for are dropped.
        self.arrival.next = self.rvalid.val() & (self.pending.q.val() != 0);
        self.beat.next = self.arrival.val() & !self.stop.val();
        self.rready.next = true;
        self.buffer.in_data.next = self.rdata.val();
        self.buffer.in_valid.next = self.arrival.val() & !self.stop.val();
        self.pending_next.next = self.pending.q.val();
        if self.issue.val() {
            self.pending_next.next = self.wanted.val();
        }
        if self.arrival.val() {
            self.pending_next.next = self.pending_next.val() - 1;
        }
        self.pending.d.next = self.pending_next.val();
        if self.clear.val() {
            self.faulted.d.next = false;
            self.first_cause.d.next = 0.into();
        }
        if self.arrival.val() & self.rresp.val().get_bit(1) {
            self.faulted.d.next = true;
            if !self.faulted.q.val() | self.clear.val() {
                self.first_cause.d.next = self.ruser.val();
            }
        }
        self.fault.next = self.faulted.q.val();
        self.cause.next = self.first_cause.q.val();

        self.out_data.next = self.buffer.out_data.val();
        self.out_valid.next = self.buffer.out_valid.val();
        self.buffer.out_ready.next = self.out_ready.val();
        self.idle.next = self.plan.idle.val()
            & !self.address_valid.q.val()
            & (self.pending.q.val() == 0)
            & !self.buffer.out_valid.val();

        if self.abort.val() {
            self.faulted.d.next = false;
            self.first_cause.d.next = 0.into();
        }
        if self.reset.val() {
            self.address.d.next = 0.into();
            self.length.d.next = 0.into();
            self.address_valid.d.next = false;
            self.pending.d.next = 0.into();
            self.faulted.d.next = false;
            self.first_cause.d.next = 0.into();
        }
    }
}
