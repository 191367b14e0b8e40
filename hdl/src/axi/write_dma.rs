//! From a stream to memory.

use super::BurstPlan;
use crate::stream::Fifo;
use rust_hdl::prelude::*;

/// AXI4 write master of `DATA` bits: jobs (address, beats) say where the stream's data go, in the order of the jobs.
///
/// A burst starts when all of its data are in the internal buffer; address and data are offered together and neither
/// waits for the other. A response that is an error sets `fault`. `idle` is high when every job's data were written and
/// every response came. While `abort` is high no job and no data are accepted; a burst already begun is finished with
/// all byte strobes zero, so that it changes no memory: the master is as after power-on once `abort` and `idle` are
/// both high. `reset` is for a reset of the whole bus only.
///
/// Of long jobs, a burst of n beats takes n cycles.
#[derive(LogicBlock)]
pub struct WriteDma<const DATA: usize, const STROBES: usize> {
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
    /// Beats of the job; 0 is accepted and writes nothing.
    pub job_beats: Signal<In, Bits<32>>,
    /// A job is offered.
    pub job_valid: Signal<In, Bit>,
    /// The job is accepted.
    pub job_ready: Signal<Out, Bit>,
    /// Data of the stream.
    pub in_data: Signal<In, Bits<DATA>>,
    /// `in_data` is an element.
    pub in_valid: Signal<In, Bit>,
    /// The element is taken.
    pub in_ready: Signal<Out, Bit>,
    /// Nothing to write, and every burst was answered.
    pub idle: Signal<Out, Bit>,
    /// A burst since the last `clear` was answered with an error.
    pub fault: Signal<Out, Bit>,
    /// A beat of data went out in this cycle.
    pub beat: Signal<Out, Bit>,
    /// AXI write address.
    pub awaddr: Signal<Out, Bits<64>>,
    /// AXI burst length minus one.
    pub awlen: Signal<Out, Bits<8>>,
    /// AXI write address valid.
    pub awvalid: Signal<Out, Bit>,
    /// AXI write address ready.
    pub awready: Signal<In, Bit>,
    /// AXI write data.
    pub wdata: Signal<Out, Bits<DATA>>,
    /// AXI byte strobes.
    pub wstrb: Signal<Out, Bits<STROBES>>,
    /// AXI last beat of the burst.
    pub wlast: Signal<Out, Bit>,
    /// AXI write data valid.
    pub wvalid: Signal<Out, Bit>,
    /// AXI write data ready.
    pub wready: Signal<In, Bit>,
    /// AXI write response.
    pub bresp: Signal<In, Bits<2>>,
    /// AXI write response valid.
    pub bvalid: Signal<In, Bit>,
    /// AXI write response ready.
    pub bready: Signal<Out, Bit>,
    plan: BurstPlan<DATA>,
    buffer: Fifo<DATA>,
    address: DFF<Bits<64>>,
    length: DFF<Bits<8>>,
    address_valid: DFF<Bit>,
    to_send: DFF<Bits<16>>,
    data: DFF<Bits<DATA>>,
    strobes: DFF<Bits<STROBES>>,
    last: DFF<Bit>,
    data_valid: DFF<Bit>,
    unanswered: DFF<Bits<16>>,
    faulted: DFF<Bit>,
    stop: Signal<Local, Bit>,
    issue: Signal<Local, Bit>,
    load: Signal<Local, Bit>,
    clear_to_begin: Signal<Local, Bit>,
    answer: Signal<Local, Bit>,
    last_beat: Signal<Local, Bits<16>>,
    unanswered_next: Signal<Local, Bits<16>>,
    all_bytes: Constant<Bits<STROBES>>,
    most_unanswered: Constant<Bits<16>>,
}

impl<const DATA: usize, const STROBES: usize> WriteDma<DATA, STROBES> {
    /// A master with a buffer of `buffer_beats` beats, at least the longest burst; `STROBES` is `DATA` / 8.
    pub fn new(buffer_beats: usize) -> Self {
        assert_eq!(DATA, 8 * STROBES, "a write master has one strobe per byte");
        assert!(
            (super::MAX_BURST_BEATS..=32_768).contains(&buffer_beats),
            "a write master buffers 64 (the longest burst) to 32,768 beats, not {buffer_beats}"
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
            in_data: Default::default(),
            in_valid: Default::default(),
            in_ready: Default::default(),
            idle: Default::default(),
            fault: Default::default(),
            beat: Default::default(),
            awaddr: Default::default(),
            awlen: Default::default(),
            awvalid: Default::default(),
            awready: Default::default(),
            wdata: Default::default(),
            wstrb: Default::default(),
            wlast: Default::default(),
            wvalid: Default::default(),
            wready: Default::default(),
            bresp: Default::default(),
            bvalid: Default::default(),
            bready: Default::default(),
            plan: Default::default(),
            buffer: Fifo::new(buffer_beats),
            address: Default::default(),
            length: Default::default(),
            address_valid: Default::default(),
            to_send: Default::default(),
            data: Default::default(),
            strobes: Default::default(),
            last: Default::default(),
            data_valid: Default::default(),
            unanswered: Default::default(),
            faulted: Default::default(),
            stop: Default::default(),
            issue: Default::default(),
            load: Default::default(),
            clear_to_begin: Default::default(),
            answer: Default::default(),
            last_beat: Default::default(),
            unanswered_next: Default::default(),
            all_bytes: Constant::new(Bits::<STROBES>::mask()),
            most_unanswered: Constant::new(64.into()),
        }
    }
}

impl<const DATA: usize, const STROBES: usize> Logic for WriteDma<DATA, STROBES> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, address, length, address_valid, to_send, data);
        dff_setup!(self, clock, strobes, last, data_valid, unanswered, faulted);
        clock!(self, clock, plan, buffer);
        self.stop.next = self.reset.val() | self.abort.val();
        self.plan.reset.next = self.stop.val();
        self.buffer.reset.next = self.stop.val();

        self.plan.job_address.next = self.job_address.val();
        self.plan.job_beats.next = self.job_beats.val();
        self.plan.job_valid.next = self.job_valid.val() & !self.stop.val();
        self.job_ready.next = self.plan.job_ready.val() & !self.stop.val();
        self.buffer.in_data.next = self.in_data.val();
        self.buffer.in_valid.next = self.in_valid.val() & !self.stop.val();
        self.in_ready.next = self.buffer.in_ready.val() & !self.stop.val();

        // A burst begins when the last beat of the one before leaves the buffer, or has left, and all of its own data are
        // here.
        self.load.next = (self.to_send.q.val() != 0) & (!self.data_valid.q.val() | self.wready.val());
        self.clear_to_begin.next =
            (self.to_send.q.val() == 0) & (self.plan.burst_beats.val() <= self.buffer.count.val());
        if (self.to_send.q.val() == 1) & self.load.val() {
            self.clear_to_begin.next = self.plan.burst_beats.val() < self.buffer.count.val();
        }
        self.issue.next = self.plan.burst_valid.val()
            & !self.address_valid.q.val()
            & self.clear_to_begin.val()
            & (self.unanswered.q.val() < self.most_unanswered.val())
            & !self.stop.val();
        self.plan.burst_ready.next = self.issue.val();
        self.last_beat.next = self.plan.burst_beats.val() - 1;
        if self.address_valid.q.val() & self.awready.val() {
            self.address_valid.d.next = false;
        }
        if self.issue.val() {
            self.address_valid.d.next = true;
            self.address.d.next = self.plan.burst_address.val();
            self.length.d.next = bit_cast::<8, 16>(self.last_beat.val());
        }
        self.awaddr.next = self.address.q.val();
        self.awlen.next = self.length.q.val();
        self.awvalid.next = self.address_valid.q.val();

        self.buffer.out_ready.next = self.load.val();
        if self.data_valid.q.val() & self.wready.val() {
            self.data_valid.d.next = false;
        }
        if self.load.val() {
            self.data_valid.d.next = true;
            self.data.d.next = self.buffer.out_data.val();
            self.strobes.d.next = self.all_bytes.val();
            self.last.d.next = self.to_send.q.val() == 1;
            self.to_send.d.next = self.to_send.q.val() - 1;
            if self.stop.val() | !self.buffer.out_valid.val() {
                self.data.d.next = 0.into();
                self.strobes.d.next = 0.into();
            }
        }
        if self.issue.val() {
            self.to_send.d.next = self.plan.burst_beats.val();
        }
        self.wdata.next = self.data.q.val();
        self.wstrb.next = self.strobes.q.val();
        self.wlast.next = self.last.q.val();
        self.wvalid.next = self.data_valid.q.val();
        self.beat.next = self.data_valid.q.val() & self.wready.val() & !self.stop.val();

        self.bready.next = true;
        self.answer.next = self.bvalid.val() & (self.unanswered.q.val() != 0);
        self.unanswered_next.next = self.unanswered.q.val();
        if self.issue.val() {
            self.unanswered_next.next = self.unanswered_next.val() + 1;
        }
        if self.answer.val() {
            self.unanswered_next.next = self.unanswered_next.val() - 1;
        }
        self.unanswered.d.next = self.unanswered_next.val();
        if self.clear.val() {
            self.faulted.d.next = false;
        }
        if self.answer.val() & self.bresp.val().get_bit(1) {
            self.faulted.d.next = true;
        }
        self.fault.next = self.faulted.q.val();
        self.idle.next = self.plan.idle.val() & (self.unanswered.q.val() == 0);

        if self.abort.val() {
            self.faulted.d.next = false;
        }
        if self.reset.val() {
            self.address.d.next = 0.into();
            self.length.d.next = 0.into();
            self.address_valid.d.next = false;
            self.to_send.d.next = 0.into();
            self.data.d.next = 0.into();
            self.strobes.d.next = 0.into();
            self.last.d.next = false;
            self.data_valid.d.next = false;
            self.unanswered.d.next = 0.into();
            self.faulted.d.next = false;
        }
    }
}
