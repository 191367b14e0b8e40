//! From AXI4 reads to read requests, and from their completions back to data in order.

use super::receive::{Receive, SLOT_BEATS};
use crate::stream::{Fifo, Memory};
use rust_hdl::prelude::*;

/// Slots for read requests: as many may be outstanding.
pub const SLOTS: usize = 32;

/// Cuts read bursts into read requests, gathers their completions, and gives the data in order.
///
/// Bursts are of 256-bit beats, aligned, and stay within 4 KiB. A request asks for at most the largest read request, or
/// 512 bytes where that is less, and has one of 32 slots, which are used in a circle; its tag is the slot (bits 4:0) and
/// the slot's generation (7:5). Completions of different requests may come in any order. A request that fails, for
/// whatever reason, gives its beats all the same, with the response SLVERR and the cause; after a failure after which
/// completions may still come (time-out, malformed) the slot's generation advances, so that they are known to be late.
/// While the card is no bus master nothing is asked for: every burst fails at once.
///
/// Offers a request two cycles after the burst was taken and one in each cycle from then on, and data three cycles after
/// a completion's last beat came in, one beat in each cycle. With the endpoint's buffers a request leaves on RQ three
/// cycles after the burst was taken, and data come four cycles after the last beat on RC.
#[derive(LogicBlock)]
pub struct ReadRequests {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Reset of the bus.
    pub reset: Signal<In, Bit>,
    /// Largest read request: 128 bytes shifted by this.
    pub max_read: Signal<In, Bits<3>>,
    /// The host lets the card access its memory.
    pub bus_master: Signal<In, Bit>,
    /// AXI read address.
    pub araddr: Signal<In, Bits<64>>,
    /// AXI burst length minus one.
    pub arlen: Signal<In, Bits<8>>,
    /// AXI read address valid.
    pub arvalid: Signal<In, Bit>,
    /// AXI read address ready.
    pub arready: Signal<Out, Bit>,
    /// AXI read data.
    pub rdata: Signal<Out, Bits<256>>,
    /// AXI read response.
    pub rresp: Signal<Out, Bits<2>>,
    /// AXI last beat of the burst.
    pub rlast: Signal<Out, Bit>,
    /// Why the beat failed: 0 it did not, 1 time-out, 2 unsupported, 3 aborted, 4 poisoned, 5 malformed, 6 no bus master.
    pub ruser: Signal<Out, Bits<3>>,
    /// AXI read data valid.
    pub rvalid: Signal<Out, Bit>,
    /// AXI read data ready.
    pub rready: Signal<In, Bit>,
    /// Address of a request.
    pub request_address: Signal<Out, Bits<64>>,
    /// Beats of the request, 1 to 16.
    pub request_beats: Signal<Out, Bits<5>>,
    /// Tag of the request.
    pub request_tag: Signal<Out, Bits<8>>,
    /// A request is offered.
    pub request_valid: Signal<Out, Bit>,
    /// The request goes.
    pub request_ready: Signal<In, Bit>,
    /// A beat of RC, always taken.
    pub rc_data: Signal<In, Bits<256>>,
    /// Last beat of the completion.
    pub rc_last: Signal<In, Bit>,
    /// The completion's data are not to be used.
    pub rc_discontinue: Signal<In, Bit>,
    /// There is a beat.
    pub rc_valid: Signal<In, Bit>,
    /// A request timed out.
    pub timeout: Signal<Out, Bit>,
    /// A request was answered Unsupported Request.
    pub unsupported: Signal<Out, Bit>,
    /// A request was answered Completer Abort.
    pub aborted: Signal<Out, Bit>,
    /// A request was answered with poisoned data.
    pub poisoned: Signal<Out, Bit>,
    /// A request was answered with a completion that does not fit.
    pub malformed: Signal<Out, Bit>,
    /// A completion belongs to no request.
    pub unexpected: Signal<Out, Bit>,
    /// No burst is under way.
    pub idle: Signal<Out, Bit>,
    receive: Receive,
    data: Memory<256>,
    order: Fifo<8>,
    issued: Memory<32>,
    address: DFF<Bits<64>>,
    left: DFF<Bits<16>>,
    head: DFF<Bits<5>>,
    tail: DFF<Bits<5>>,
    beat: DFF<Bits<5>>,
    asked_address: DFF<Bits<64>>,
    asked_beats: DFF<Bits<5>>,
    asked_tag: DFF<Bits<8>>,
    asked: DFF<Bit>,
    busy: DFF<Bits<32>>,
    done: DFF<Bits<32>>,
    cause0: DFF<Bits<32>>,
    cause1: DFF<Bits<32>>,
    cause2: DFF<Bits<32>>,
    generation0: DFF<Bits<32>>,
    generation1: DFF<Bits<32>>,
    generation2: DFF<Bits<32>>,
    now: DFF<Bits<32>>,
    scanned: DFF<Bits<5>>,
    longest: Signal<Local, Bits<16>>,
    beats: Signal<Local, Bits<16>>,
    allocate: Signal<Local, Bit>,
    entry: Signal<Local, Bits<8>>,
    tag: Signal<Local, Bits<8>>,
    head_busy: Signal<Local, Bits<32>>,
    head_generation0: Signal<Local, Bits<32>>,
    head_generation1: Signal<Local, Bits<32>>,
    head_generation2: Signal<Local, Bits<32>>,
    tail_done: Signal<Local, Bits<32>>,
    tail_cause0: Signal<Local, Bits<32>>,
    tail_cause1: Signal<Local, Bits<32>>,
    tail_cause2: Signal<Local, Bits<32>>,
    tail_beats: Signal<Local, Bits<5>>,
    next_tail: Signal<Local, Bits<5>>,
    next_beat: Signal<Local, Bits<5>>,
    give: Signal<Local, Bit>,
    moved: Signal<Local, Bit>,
    pop: Signal<Local, Bit>,
    open: Signal<Local, Bits<32>>,
    scan: Signal<Local, Bits<5>>,
    scan_open: Signal<Local, Bits<32>>,
    age: Signal<Local, Bits<32>>,
    expire: Signal<Local, Bit>,
    finish: Signal<Local, Bit>,
    finish_slot: Signal<Local, Bits<5>>,
    finish_cause: Signal<Local, Bits<3>>,
    finish_early: Signal<Local, Bit>,
    finish_hot: Signal<Local, Bits<32>>,
    early_hot: Signal<Local, Bits<32>>,
    allocate_hot: Signal<Local, Bits<32>>,
    denied_hot: Signal<Local, Bits<32>>,
    pop_hot: Signal<Local, Bits<32>>,
    cause0_hot: Signal<Local, Bits<32>>,
    cause1_hot: Signal<Local, Bits<32>>,
    cause2_hot: Signal<Local, Bits<32>>,
    cause: Signal<Local, Bits<3>>,
    one: Constant<Bits<32>>,
    patience: Constant<Bits<32>>,
}

impl ReadRequests {
    /// Requests time out `timeout_cycles` cycles after they were put into a slot, at most 33 cycles late.
    pub fn new(timeout_cycles: u32) -> Self {
        Self {
            clock: Default::default(),
            reset: Default::default(),
            max_read: Default::default(),
            bus_master: Default::default(),
            araddr: Default::default(),
            arlen: Default::default(),
            arvalid: Default::default(),
            arready: Default::default(),
            rdata: Default::default(),
            rresp: Default::default(),
            rlast: Default::default(),
            ruser: Default::default(),
            rvalid: Default::default(),
            rready: Default::default(),
            request_address: Default::default(),
            request_beats: Default::default(),
            request_tag: Default::default(),
            request_valid: Default::default(),
            request_ready: Default::default(),
            rc_data: Default::default(),
            rc_last: Default::default(),
            rc_discontinue: Default::default(),
            rc_valid: Default::default(),
            timeout: Default::default(),
            unsupported: Default::default(),
            aborted: Default::default(),
            poisoned: Default::default(),
            malformed: Default::default(),
            unexpected: Default::default(),
            idle: Default::default(),
            receive: Default::default(),
            data: Memory::new(SLOTS * SLOT_BEATS),
            order: Fifo::new(SLOTS),
            issued: Memory::new(SLOTS),
            address: Default::default(),
            left: Default::default(),
            head: Default::default(),
            tail: Default::default(),
            beat: Default::default(),
            asked_address: Default::default(),
            asked_beats: Default::default(),
            asked_tag: Default::default(),
            asked: Default::default(),
            busy: Default::default(),
            done: Default::default(),
            cause0: Default::default(),
            cause1: Default::default(),
            cause2: Default::default(),
            generation0: Default::default(),
            generation1: Default::default(),
            generation2: Default::default(),
            now: Default::default(),
            scanned: Default::default(),
            longest: Default::default(),
            beats: Default::default(),
            allocate: Default::default(),
            entry: Default::default(),
            tag: Default::default(),
            head_busy: Default::default(),
            head_generation0: Default::default(),
            head_generation1: Default::default(),
            head_generation2: Default::default(),
            tail_done: Default::default(),
            tail_cause0: Default::default(),
            tail_cause1: Default::default(),
            tail_cause2: Default::default(),
            tail_beats: Default::default(),
            next_tail: Default::default(),
            next_beat: Default::default(),
            give: Default::default(),
            moved: Default::default(),
            pop: Default::default(),
            open: Default::default(),
            scan: Default::default(),
            scan_open: Default::default(),
            age: Default::default(),
            expire: Default::default(),
            finish: Default::default(),
            finish_slot: Default::default(),
            finish_cause: Default::default(),
            finish_early: Default::default(),
            finish_hot: Default::default(),
            early_hot: Default::default(),
            allocate_hot: Default::default(),
            denied_hot: Default::default(),
            pop_hot: Default::default(),
            cause0_hot: Default::default(),
            cause1_hot: Default::default(),
            cause2_hot: Default::default(),
            cause: Default::default(),
            one: Constant::new(1u64.into()),
            patience: Constant::new(timeout_cycles.to_bits()),
        }
    }
}

impl Logic for ReadRequests {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            address,
            left,
            head,
            tail,
            beat,
            asked_address,
            asked_beats,
            asked_tag,
            asked
        );
        dff_setup!(self, clock, busy, done, cause0, cause1, cause2, generation0, generation1, generation2);
        dff_setup!(self, clock, now, scanned);
        clock!(self, clock, receive, data, order, issued);
        self.receive.reset.next = self.reset.val();
        self.order.reset.next = self.reset.val();

        // A burst becomes requests, each into the next slot of the circle.
        self.arready.next = self.left.q.val() == 0;
        if (self.left.q.val() == 0) & self.arvalid.val() {
            self.address.d.next = self.araddr.val();
            self.left.d.next = bit_cast::<16, 8>(self.arlen.val()) + 1;
        }
        self.longest.next = 16.into();
        if self.max_read.val() == 0 {
            self.longest.next = 4.into();
        }
        if self.max_read.val() == 1 {
            self.longest.next = 8.into();
        }
        self.beats.next = self.longest.val();
        if self.left.q.val() < self.longest.val() {
            self.beats.next = self.left.q.val();
        }
        self.head_busy.next = self.busy.q.val() >> self.head.q.val();
        self.head_generation0.next = self.generation0.q.val() >> self.head.q.val();
        self.head_generation1.next = self.generation1.q.val() >> self.head.q.val();
        self.head_generation2.next = self.generation2.q.val() >> self.head.q.val();
        self.allocate.next = (self.left.q.val() != 0)
            & !self.head_busy.val().get_bit(0)
            & (!self.asked.q.val() | self.request_ready.val());
        self.tag.next = bit_cast::<8, 5>(self.head.q.val());
        if self.head_generation0.val().get_bit(0) {
            self.tag.next = self.tag.val() | 0x20;
        }
        if self.head_generation1.val().get_bit(0) {
            self.tag.next = self.tag.val() | 0x40;
        }
        if self.head_generation2.val().get_bit(0) {
            self.tag.next = self.tag.val() | 0x80;
        }
        if self.request_ready.val() {
            self.asked.d.next = false;
        }
        self.entry.next = self.beats.val().get_bits::<8>(0);
        if self.left.q.val() == self.beats.val() {
            self.entry.next = self.beats.val().get_bits::<8>(0) | 0x20;
        }
        if self.allocate.val() {
            self.left.d.next = self.left.q.val() - self.beats.val();
            self.address.d.next = self.address.q.val() + (bit_cast::<64, 16>(self.beats.val()) << 5);
            self.head.d.next = self.head.q.val() + 1;
            self.asked.d.next = self.bus_master.val();
            self.asked_address.d.next = self.address.q.val();
            self.asked_beats.d.next = self.beats.val().get_bits::<5>(0);
            self.asked_tag.d.next = self.tag.val();
        }
        self.order.in_data.next = self.entry.val();
        self.order.in_valid.next = self.allocate.val();
        self.request_address.next = self.asked_address.q.val();
        self.request_beats.next = self.asked_beats.q.val();
        self.request_tag.next = self.asked_tag.q.val();
        self.request_valid.next = self.asked.q.val();

        // Completions.
        self.open.next = self.busy.q.val() & !self.done.q.val();
        self.receive.open.next = self.open.val();
        self.receive.generation0.next = self.generation0.q.val();
        self.receive.generation1.next = self.generation1.q.val();
        self.receive.generation2.next = self.generation2.q.val();
        self.receive.start.next = self.allocate.val();
        self.receive.start_slot.next = self.head.q.val();
        self.receive.start_address.next = self.address.q.val().get_bits::<7>(5);
        self.receive.start_beats.next = self.beats.val().get_bits::<5>(0);
        self.receive.rc_data.next = self.rc_data.val();
        self.receive.rc_last.next = self.rc_last.val();
        self.receive.rc_discontinue.next = self.rc_discontinue.val();
        self.receive.rc_valid.next = self.rc_valid.val();
        self.data.write_enable.next = self.receive.data_write.val();
        self.data.write_address.next = self.receive.data_address.val();
        self.data.write_data.next = self.receive.data.val();
        self.unexpected.next = self.receive.unexpected.val();

        // One slot in each cycle is asked for its age.
        self.now.d.next = self.now.q.val() + 1;
        self.scan.next = self.scanned.q.val() + 1;
        self.scanned.d.next = self.scan.val();
        self.issued.read_address.next = bit_cast::<16, 5>(self.scan.val());
        self.issued.write_address.next = bit_cast::<16, 5>(self.head.q.val());
        self.issued.write_data.next = self.now.q.val();
        self.issued.write_enable.next = self.allocate.val();
        self.age.next = self.now.q.val() - self.issued.read_data.val();
        self.scan_open.next = self.open.val() >> self.scanned.q.val();
        self.receive.look_slot.next = self.scanned.q.val();
        self.expire.next = self.scan_open.val().get_bit(0)
            & (self.age.val() >= self.patience.val())
            & !self.receive.look_busy.val()
            & !self.receive.finish.val();

        self.finish.next = self.receive.finish.val() | self.expire.val();
        self.finish_slot.next = self.receive.finish_slot.val();
        self.finish_cause.next = self.receive.finish_cause.val();
        self.finish_early.next = self.receive.finish_early.val();
        if self.expire.val() {
            self.finish_slot.next = self.scanned.q.val();
            self.finish_cause.next = 1.into();
            self.finish_early.next = true;
        }
        self.timeout.next = self.finish.val() & (self.finish_cause.val() == 1);
        self.unsupported.next = self.finish.val() & (self.finish_cause.val() == 2);
        self.aborted.next = self.finish.val() & (self.finish_cause.val() == 3);
        self.poisoned.next = self.finish.val() & (self.finish_cause.val() == 4);
        self.malformed.next = self.finish.val() & (self.finish_cause.val() == 5);

        // The oldest slot gives its beats, once it is done.
        self.tail_done.next = self.done.q.val() >> self.tail.q.val();
        self.tail_cause0.next = self.cause0.q.val() >> self.tail.q.val();
        self.tail_cause1.next = self.cause1.q.val() >> self.tail.q.val();
        self.tail_cause2.next = self.cause2.q.val() >> self.tail.q.val();
        self.cause.next = 0.into();
        if self.tail_cause0.val().get_bit(0) {
            self.cause.next = self.cause.val() | 1;
        }
        if self.tail_cause1.val().get_bit(0) {
            self.cause.next = self.cause.val() | 2;
        }
        if self.tail_cause2.val().get_bit(0) {
            self.cause.next = self.cause.val() | 4;
        }
        self.tail_beats.next = self.order.out_data.val().get_bits::<5>(0);
        self.give.next = self.order.out_valid.val() & self.tail_done.val().get_bit(0);
        self.moved.next = self.give.val() & self.rready.val();
        self.next_tail.next = self.tail.q.val();
        self.next_beat.next = self.beat.q.val();
        self.pop.next = false;
        if self.moved.val() {
            self.next_beat.next = self.beat.q.val() + 1;
            if self.beat.q.val() + 1 == self.tail_beats.val() {
                self.next_beat.next = 0.into();
                self.next_tail.next = self.tail.q.val() + 1;
                self.pop.next = true;
            }
        }
        self.tail.d.next = self.next_tail.val();
        self.beat.d.next = self.next_beat.val();
        self.order.out_ready.next = self.pop.val();
        self.data.read_address.next =
            (bit_cast::<16, 5>(self.next_tail.val()) << 4) | bit_cast::<16, 5>(self.next_beat.val());
        self.rdata.next = self.data.read_data.val();
        self.rvalid.next = self.give.val();
        self.rlast.next =
            self.order.out_data.val().get_bit(5) & (self.beat.q.val() + 1 == self.tail_beats.val());
        self.ruser.next = self.cause.val();
        self.rresp.next = 0.into();
        if self.cause.val() != 0 {
            self.rresp.next = 2.into();
        }

        // What became of the slots in this cycle.
        self.finish_hot.next = 0.into();
        self.early_hot.next = 0.into();
        self.cause0_hot.next = 0.into();
        self.cause1_hot.next = 0.into();
        self.cause2_hot.next = 0.into();
        if self.finish.val() {
            self.finish_hot.next = self.one.val() << self.finish_slot.val();
            if self.finish_early.val() {
                self.early_hot.next = self.one.val() << self.finish_slot.val();
            }
            if self.finish_cause.val().get_bit(0) {
                self.cause0_hot.next = self.one.val() << self.finish_slot.val();
            }
            if self.finish_cause.val().get_bit(1) {
                self.cause1_hot.next = self.one.val() << self.finish_slot.val();
            }
            if self.finish_cause.val().get_bit(2) {
                self.cause2_hot.next = self.one.val() << self.finish_slot.val();
            }
        }
        self.allocate_hot.next = 0.into();
        self.denied_hot.next = 0.into();
        if self.allocate.val() {
            self.allocate_hot.next = self.one.val() << self.head.q.val();
            if !self.bus_master.val() {
                self.denied_hot.next = self.one.val() << self.head.q.val();
            }
        }
        self.pop_hot.next = 0.into();
        if self.pop.val() {
            self.pop_hot.next = self.one.val() << self.tail.q.val();
        }
        self.busy.d.next = (self.busy.q.val() | self.allocate_hot.val()) & !self.pop_hot.val();
        self.done.d.next =
            (self.done.q.val() & !self.pop_hot.val()) | self.finish_hot.val() | self.denied_hot.val();
        self.cause0.d.next = (self.cause0.q.val() & !self.allocate_hot.val()) | self.cause0_hot.val();
        self.cause1.d.next =
            (self.cause1.q.val() & !self.allocate_hot.val()) | self.cause1_hot.val() | self.denied_hot.val();
        self.cause2.d.next =
            (self.cause2.q.val() & !self.allocate_hot.val()) | self.cause2_hot.val() | self.denied_hot.val();
        self.generation0.d.next = self.generation0.q.val() ^ self.early_hot.val();
        self.generation1.d.next =
            self.generation1.q.val() ^ (self.early_hot.val() & self.generation0.q.val());
        self.generation2.d.next = self.generation2.q.val()
            ^ (self.early_hot.val() & self.generation0.q.val() & self.generation1.q.val());
        self.idle.next = (self.left.q.val() == 0) & (self.busy.q.val() == 0);

        if self.reset.val() {
            self.left.d.next = 0.into();
            self.head.d.next = 0.into();
            self.tail.d.next = 0.into();
            self.beat.d.next = 0.into();
            self.asked.d.next = false;
            self.busy.d.next = 0.into();
            self.done.d.next = 0.into();
        }
    }
}
