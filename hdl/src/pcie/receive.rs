//! From completions to the memory of read data.

use crate::stream::Memory;
use rust_hdl::prelude::*;

/// Beats of 256 bits that a slot holds: 512 bytes, the longest read request.
pub const SLOT_BEATS: usize = 16;

/// Takes the completions of read requests from RC, holds each against its request, and writes its data where they belong.
///
/// A completion belongs to the open slot that its tag names (bits 4:0), if the generation in tag bits 7:5 is the slot's.
/// Its byte count, lower address and length must be what is still missing of the request; anything else fails the request
/// as malformed. The stream is always taken. What it says of a slot shows two cycles after the completion's last beat.
#[derive(LogicBlock)]
pub struct Receive {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Forgets a completion that has begun.
    pub reset: Signal<In, Bit>,
    /// A beat of RC: three DWORDs of descriptor, then data.
    pub rc_data: Signal<In, Bits<256>>,
    /// Last beat of the completion.
    pub rc_last: Signal<In, Bit>,
    /// The completion's data are not to be used.
    pub rc_discontinue: Signal<In, Bit>,
    /// There is a beat.
    pub rc_valid: Signal<In, Bit>,
    /// Slots whose request is outstanding.
    pub open: Signal<In, Bits<32>>,
    /// Bit 0 of every slot's generation.
    pub generation0: Signal<In, Bits<32>>,
    /// Bit 1 of every slot's generation.
    pub generation1: Signal<In, Bits<32>>,
    /// Bit 2 of every slot's generation.
    pub generation2: Signal<In, Bits<32>>,
    /// A request is put into a slot in this cycle.
    pub start: Signal<In, Bit>,
    /// Its slot.
    pub start_slot: Signal<In, Bits<5>>,
    /// Bits 11:5 of its address.
    pub start_address: Signal<In, Bits<7>>,
    /// Its beats, 1 to 16.
    pub start_beats: Signal<In, Bits<5>>,
    /// A beat of data is written to the memory.
    pub data_write: Signal<Out, Bit>,
    /// Its place: slot and beat.
    pub data_address: Signal<Out, Bits<16>>,
    /// The beat.
    pub data: Signal<Out, Bits<256>>,
    /// A request is over.
    pub finish: Signal<Out, Bit>,
    /// Its slot.
    pub finish_slot: Signal<Out, Bits<5>>,
    /// Why it failed: 0 it did not, 1 time-out, 2 unsupported, 3 aborted, 4 poisoned, 5 malformed.
    pub finish_cause: Signal<Out, Bits<3>>,
    /// More completions of the request may come.
    pub finish_early: Signal<Out, Bit>,
    /// A completion belongs to no request.
    pub unexpected: Signal<Out, Bit>,
    /// Slot asked about.
    pub look_slot: Signal<In, Bits<5>>,
    /// A completion of that slot is coming in.
    pub look_busy: Signal<Out, Bit>,
    requests: Memory<12>,
    progress: Memory<5>,
    inside: DFF<Bit>,
    beat: DFF<Bits<256>>,
    beat_first: DFF<Bit>,
    beat_last: DFF<Bit>,
    beat_broken: DFF<Bit>,
    beat_valid: DFF<Bit>,
    before: DFF<Bits<160>>,
    ending: DFF<Bit>,
    broken: DFF<Bit>,
    started: DFF<Bits<32>>,
    spoiled: DFF<Bits<32>>,
    active: DFF<Bit>,
    slot: DFF<Bits<5>>,
    unknown: DFF<Bit>,
    storing: DFF<Bit>,
    completes: DFF<Bit>,
    poisoned: DFF<Bit>,
    cause: DFF<Bits<3>>,
    place: DFF<Bits<16>>,
    expected: DFF<Bits<8>>,
    got: DFF<Bits<8>>,
    header: Signal<Local, Bit>,
    body: Signal<Local, Bit>,
    head: Signal<Local, Bits<96>>,
    head_slot: Signal<Local, Bits<5>>,
    head_generation: Signal<Local, Bits<3>>,
    error: Signal<Local, Bits<4>>,
    status: Signal<Local, Bits<3>>,
    byte_count: Signal<Local, Bits<13>>,
    lower: Signal<Local, Bits<12>>,
    beats: Signal<Local, Bits<8>>,
    slot_open: Signal<Local, Bits<32>>,
    slot_started: Signal<Local, Bits<32>>,
    slot_generation0: Signal<Local, Bits<32>>,
    slot_generation1: Signal<Local, Bits<32>>,
    slot_generation2: Signal<Local, Bits<32>>,
    slot_spoiled: Signal<Local, Bits<32>>,
    received: Signal<Local, Bits<8>>,
    remaining: Signal<Local, Bits<8>>,
    next_address: Signal<Local, Bits<7>>,
    fits: Signal<Local, Bit>,
    known: Signal<Local, Bit>,
    total: Signal<Local, Bits<8>>,
    one: Constant<Bits<32>>,
    head_hot: Signal<Local, Bits<32>>,
    slot_hot: Signal<Local, Bits<32>>,
    start_hot: Signal<Local, Bits<32>>,
    ends: Signal<Local, Bit>,
    still_open: Signal<Local, Bits<32>>,
    over: Signal<Local, Bit>,
}

impl Default for Receive {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            reset: Default::default(),
            rc_data: Default::default(),
            rc_last: Default::default(),
            rc_discontinue: Default::default(),
            rc_valid: Default::default(),
            open: Default::default(),
            generation0: Default::default(),
            generation1: Default::default(),
            generation2: Default::default(),
            start: Default::default(),
            start_slot: Default::default(),
            start_address: Default::default(),
            start_beats: Default::default(),
            data_write: Default::default(),
            data_address: Default::default(),
            data: Default::default(),
            finish: Default::default(),
            finish_slot: Default::default(),
            finish_cause: Default::default(),
            finish_early: Default::default(),
            unexpected: Default::default(),
            look_slot: Default::default(),
            look_busy: Default::default(),
            requests: Memory::new(32),
            progress: Memory::new(32),
            inside: Default::default(),
            beat: Default::default(),
            beat_first: Default::default(),
            beat_last: Default::default(),
            beat_broken: Default::default(),
            beat_valid: Default::default(),
            before: Default::default(),
            ending: Default::default(),
            broken: Default::default(),
            started: Default::default(),
            spoiled: Default::default(),
            active: Default::default(),
            slot: Default::default(),
            unknown: Default::default(),
            storing: Default::default(),
            completes: Default::default(),
            poisoned: Default::default(),
            cause: Default::default(),
            place: Default::default(),
            expected: Default::default(),
            got: Default::default(),
            header: Default::default(),
            body: Default::default(),
            head: Default::default(),
            head_slot: Default::default(),
            head_generation: Default::default(),
            error: Default::default(),
            status: Default::default(),
            byte_count: Default::default(),
            lower: Default::default(),
            beats: Default::default(),
            slot_open: Default::default(),
            slot_started: Default::default(),
            slot_generation0: Default::default(),
            slot_generation1: Default::default(),
            slot_generation2: Default::default(),
            slot_spoiled: Default::default(),
            received: Default::default(),
            remaining: Default::default(),
            next_address: Default::default(),
            fits: Default::default(),
            known: Default::default(),
            total: Default::default(),
            one: Constant::new(1u64.into()),
            head_hot: Default::default(),
            slot_hot: Default::default(),
            start_hot: Default::default(),
            ends: Default::default(),
            still_open: Default::default(),
            over: Default::default(),
        }
    }
}

impl Logic for Receive {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, inside, beat, beat_first, beat_last, beat_broken, beat_valid, before);
        dff_setup!(self, clock, ending, broken, started, spoiled, active, slot, unknown, storing);
        dff_setup!(self, clock, completes, poisoned, cause, place, expected, got);
        clock!(self, clock, requests, progress);

        // What is known of the slot is read while the beat is put into a register.
        self.requests.read_address.next = bit_cast::<16, 5>(self.rc_data.val().get_bits::<5>(64));
        self.progress.read_address.next = bit_cast::<16, 5>(self.rc_data.val().get_bits::<5>(64));
        self.requests.write_address.next = bit_cast::<16, 5>(self.start_slot.val());
        self.requests.write_data.next =
            bit_cast::<12, 7>(self.start_address.val()) | (bit_cast::<12, 5>(self.start_beats.val()) << 7);
        self.requests.write_enable.next = self.start.val();
        self.beat_valid.d.next = self.rc_valid.val();
        if self.rc_valid.val() {
            self.beat.d.next = self.rc_data.val();
            self.beat_first.d.next = !self.inside.q.val();
            self.beat_last.d.next = self.rc_last.val();
            self.beat_broken.d.next = self.rc_discontinue.val();
            self.inside.d.next = !self.rc_last.val();
        }

        // What the completion says of its request, once its last beat has gone through.
        self.ending.d.next = self.beat_valid.q.val() & self.beat_last.q.val();
        self.ends.next = self.ending.q.val() & self.active.q.val();
        self.slot_hot.next = self.one.val() << self.slot.q.val();
        self.slot_spoiled.next = self.spoiled.q.val() & self.slot_hot.val();
        self.still_open.next = self.open.val() & self.slot_hot.val();
        self.finish.next = false;
        self.finish_slot.next = self.slot.q.val();
        self.finish_cause.next = self.cause.q.val();
        self.finish_early.next = (self.cause.q.val() == 1) | (self.cause.q.val() == 5);
        self.unexpected.next = self.ends.val() & self.unknown.q.val();
        self.start_hot.next = 0.into();
        if self.start.val() {
            self.start_hot.next = self.one.val() << self.start_slot.val();
        }
        self.spoiled.d.next = self.spoiled.q.val() & !self.start_hot.val();
        self.started.d.next = self.started.q.val() & !self.start_hot.val();
        if self.ends.val() & !self.unknown.q.val() & (self.still_open.val() != 0) {
            if self.cause.q.val() != 0 {
                self.finish.next = true;
            } else {
                if self.broken.q.val() | (self.got.q.val() != self.expected.q.val()) {
                    self.finish.next = true;
                    self.finish_cause.next = 5.into();
                    self.finish_early.next = true;
                } else {
                    if self.completes.q.val() {
                        self.finish.next = true;
                        if self.poisoned.q.val() | (self.slot_spoiled.val() != 0) {
                            self.finish_cause.next = 4.into();
                        }
                    }
                    if self.poisoned.q.val() {
                        self.spoiled.d.next =
                            (self.spoiled.q.val() & !self.start_hot.val()) | self.slot_hot.val();
                    }
                }
            }
        }
        if self.ending.q.val() {
            self.active.d.next = false;
        }

        // The descriptor against the request.
        self.header.next = self.beat_valid.q.val() & self.beat_first.q.val();
        self.body.next = self.beat_valid.q.val() & !self.beat_first.q.val();
        self.head.next = self.beat.q.val().get_bits::<96>(0);
        self.lower.next = self.head.val().get_bits::<12>(0);
        self.error.next = self.head.val().get_bits::<4>(12);
        self.byte_count.next = self.head.val().get_bits::<13>(16);
        self.beats.next = self.head.val().get_bits::<8>(35);
        self.status.next = self.head.val().get_bits::<3>(43);
        self.head_slot.next = self.head.val().get_bits::<5>(64);
        self.head_generation.next = self.head.val().get_bits::<3>(69);
        self.head_hot.next = self.one.val() << self.head_slot.val();
        self.slot_open.next = self.open.val() >> self.head_slot.val();
        self.slot_started.next = self.started.q.val() >> self.head_slot.val();
        self.slot_generation0.next = self.generation0.val() >> self.head_slot.val();
        self.slot_generation1.next = self.generation1.val() >> self.head_slot.val();
        self.slot_generation2.next = self.generation2.val() >> self.head_slot.val();
        self.received.next = 0.into();
        if self.slot_started.val().get_bit(0) {
            self.received.next = bit_cast::<8, 5>(self.progress.read_data.val());
        }
        self.remaining.next =
            bit_cast::<8, 5>(self.requests.read_data.val().get_bits::<5>(7)) - self.received.val();
        self.next_address.next =
            self.requests.read_data.val().get_bits::<7>(0) + self.received.val().get_bits::<7>(0);
        self.fits.next = (self.head.val().get_bits::<3>(32) == 0)
            & (self.beats.val() != 0)
            & (self.beats.val() <= self.remaining.val())
            & (self.byte_count.val() == (bit_cast::<13, 8>(self.remaining.val()) << 5))
            & (self.lower.val() == (bit_cast::<12, 7>(self.next_address.val()) << 5));
        self.known.next = self.slot_open.val().get_bit(0)
            & (self.slot_generation0.val().get_bit(0) == self.head_generation.val().get_bit(0))
            & (self.slot_generation1.val().get_bit(0) == self.head_generation.val().get_bit(1))
            & (self.slot_generation2.val().get_bit(0) == self.head_generation.val().get_bit(2))
            & (self.error.val() != 6)
            & !(self.finish.val() & (self.slot.q.val() == self.head_slot.val()));
        self.total.next = self.received.val() + self.beats.val();
        self.progress.write_address.next = bit_cast::<16, 5>(self.head_slot.val());
        self.progress.write_data.next = self.total.val().get_bits::<5>(0);
        self.progress.write_enable.next = false;

        // The beat before and this one make a beat of data.
        self.data.next = bit_cast::<256, 160>(self.before.q.val())
            | (bit_cast::<256, 96>(self.beat.q.val().get_bits::<96>(0)) << 160);
        self.data_address.next = self.place.q.val() + bit_cast::<16, 8>(self.got.q.val());
        self.over.next = self.got.q.val() >= self.expected.q.val();
        self.data_write.next = self.body.val() & self.storing.q.val() & !self.over.val();
        if self.beat_valid.q.val() {
            self.before.d.next = self.beat.q.val().get_bits::<160>(96);
            self.broken.d.next = self.beat_broken.q.val() | (self.broken.q.val() & !self.beat_first.q.val());
        }
        if self.body.val() & (self.got.q.val() != 255) {
            self.got.d.next = self.got.q.val() + 1;
        }

        if self.header.val() {
            self.active.d.next = true;
            self.slot.d.next = self.head_slot.val();
            self.unknown.d.next = !self.known.val();
            self.storing.d.next = false;
            self.completes.d.next = self.beats.val() == self.remaining.val();
            self.poisoned.d.next = (self.error.val() == 1) | self.head.val().get_bit(46);
            self.place.d.next =
                (bit_cast::<16, 5>(self.head_slot.val()) << 4) + bit_cast::<16, 8>(self.received.val());
            self.expected.d.next = self.beats.val();
            self.got.d.next = 0.into();
            self.cause.d.next = 5.into();
            if self.error.val() == 9 {
                self.cause.d.next = 1.into();
            }
            if self.error.val() == 8 {
                self.cause.d.next = 3.into();
            }
            if (self.error.val() == 2) | ((self.error.val() < 2) & (self.status.val() != 0)) {
                self.cause.d.next = 2.into();
                if self.status.val() == 4 {
                    self.cause.d.next = 3.into();
                }
            }
            if (self.error.val() < 2) & (self.status.val() == 0) & self.fits.val() {
                self.cause.d.next = 0.into();
                if self.known.val() {
                    self.storing.d.next = true;
                    self.progress.write_enable.next = true;
                    self.started.d.next =
                        (self.started.q.val() & !self.start_hot.val()) | self.head_hot.val();
                }
            }
        }
        self.look_busy.next = (self.header.val() & (self.head_slot.val() == self.look_slot.val()))
            | (self.active.q.val() & (self.slot.q.val() == self.look_slot.val()));

        if self.reset.val() {
            self.inside.d.next = false;
            self.beat_valid.d.next = false;
            self.ending.d.next = false;
            self.active.d.next = false;
            self.started.d.next = 0.into();
            self.spoiled.d.next = 0.into();
        }
    }
}
