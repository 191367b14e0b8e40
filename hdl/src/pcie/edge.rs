//! Between the hard block's streams of 256 or 512 bits and the endpoint's 256.

use crate::stream::Fifo;
use rust_hdl::prelude::*;

/// Cuts the beats of RC to 256 bits; what comes out is always taken. A packet begins in the lowest DWORD of a beat.
///
/// Latency 1; one beat of 256 bits in each cycle.
#[derive(LogicBlock, Default)]
pub struct Narrow<const DATA: usize, const KEEP: usize> {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Forgets the beat.
    pub reset: Signal<In, Bit>,
    /// A beat of the hard block.
    pub in_data: Signal<In, Bits<DATA>>,
    /// Its DWORDs that exist.
    pub in_keep: Signal<In, Bits<KEEP>>,
    /// Last beat of the packet.
    pub in_last: Signal<In, Bit>,
    /// The packet is not to be used.
    pub in_discontinue: Signal<In, Bit>,
    /// A beat is offered.
    pub in_valid: Signal<In, Bit>,
    /// The beat is taken.
    pub in_ready: Signal<Out, Bit>,
    /// A beat of 256 bits.
    pub out_data: Signal<Out, Bits<256>>,
    /// Last beat of the packet.
    pub out_last: Signal<Out, Bit>,
    /// The packet is not to be used.
    pub out_discontinue: Signal<Out, Bit>,
    /// There is a beat.
    pub out_valid: Signal<Out, Bit>,
    held: DFF<Bits<DATA>>,
    held_last: DFF<Bit>,
    held_discontinue: DFF<Bit>,
    upper: DFF<Bit>,
    full: DFF<Bit>,
    second: DFF<Bit>,
    free: Signal<Local, Bit>,
    upper_keep: Signal<Local, Bits<16>>,
}

impl<const DATA: usize, const KEEP: usize> Logic for Narrow<DATA, KEEP> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, held, held_last, held_discontinue, upper, full, second);
        self.free.next = !self.full.q.val() | self.second.q.val() | !self.upper.q.val();
        self.in_ready.next = self.free.val();
        self.upper_keep.next = bit_cast::<16, KEEP>(self.in_keep.val()) >> 8;
        self.second.d.next = !self.free.val();
        if self.free.val() {
            self.full.d.next = self.in_valid.val();
            self.held.d.next = self.in_data.val();
            self.held_last.d.next = self.in_last.val();
            self.held_discontinue.d.next = self.in_discontinue.val();
            self.upper.d.next = self.upper_keep.val() != 0;
        }
        self.out_valid.next = self.full.q.val();
        self.out_data.next = bit_cast::<256, DATA>(self.held.q.val());
        self.out_last.next = self.held_last.q.val() & !self.upper.q.val();
        self.out_discontinue.next = self.held_discontinue.q.val();
        if self.second.q.val() {
            self.out_data.next = bit_cast::<256, DATA>(self.held.q.val() >> 256);
            self.out_last.next = self.held_last.q.val();
        }
        if self.reset.val() {
            self.full.d.next = false;
            self.second.d.next = false;
        }
    }
}

/// Makes the beats of RQ from beats of 256 bits.
///
/// RQ does not allow a gap within a packet: where two beats make one, a packet waits until all of it is here. The other
/// way round one beat leaves a cycle after it came in, and `in_valid` must have no gaps within a packet.
#[derive(LogicBlock)]
pub struct Widen<const DATA: usize, const KEEP: usize, const USER: usize> {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Forgets all beats.
    pub reset: Signal<In, Bit>,
    /// A beat of 256 bits.
    pub in_data: Signal<In, Bits<256>>,
    /// Its DWORDs that exist.
    pub in_keep: Signal<In, Bits<8>>,
    /// Last beat of a packet.
    pub in_last: Signal<In, Bit>,
    /// First beat of a packet.
    pub in_first: Signal<In, Bit>,
    /// With the first beat: the packet's payload is of one DWORD.
    pub in_single: Signal<In, Bit>,
    /// A beat is offered.
    pub in_valid: Signal<In, Bit>,
    /// The beat is taken.
    pub in_ready: Signal<Out, Bit>,
    /// RQ data.
    pub tdata: Signal<Out, Bits<DATA>>,
    /// RQ DWORDs that exist.
    pub tkeep: Signal<Out, Bits<KEEP>>,
    /// RQ byte enables and the like.
    pub tuser: Signal<Out, Bits<USER>>,
    /// RQ last beat.
    pub tlast: Signal<Out, Bit>,
    /// RQ valid.
    pub tvalid: Signal<Out, Bit>,
    /// RQ ready.
    pub tready: Signal<In, Bit>,
    /// Packets that have left, modulo 256.
    pub sent: Signal<Out, Bits<8>>,
    beats: Fifo<DATA>,
    marks: Fifo<32>,
    low: DFF<Bits<256>>,
    low_keep: DFF<Bits<8>>,
    low_first: DFF<Bit>,
    low_single: DFF<Bit>,
    low_full: DFF<Bit>,
    complete: DFF<Bits<16>>,
    leaves: DFF<Bits<8>>,
    both: Signal<Local, Bit>,
    store: Signal<Local, Bit>,
    push: Signal<Local, Bit>,
    pop: Signal<Local, Bit>,
    keep: Signal<Local, Bits<16>>,
    mark: Signal<Local, Bits<32>>,
    first: Signal<Local, Bit>,
    single: Signal<Local, Bit>,
    out_mark: Signal<Local, Bits<32>>,
    offered: Signal<Local, Bit>,
    user: Signal<Local, Bits<32>>,
    last_lane: Signal<Local, Bits<32>>,
    complete_next: Signal<Local, Bits<16>>,
    two: Constant<Bit>,
}

impl<const DATA: usize, const KEEP: usize, const USER: usize> Default for Widen<DATA, KEEP, USER> {
    fn default() -> Self {
        assert!(DATA == 256 || DATA == 512, "streams are of 256 or 512 bits, not {DATA}");
        // The longest packet is of 17 beats of 512 bits.
        let depth = if DATA == 512 { 64 } else { 4 };
        Self {
            clock: Default::default(),
            reset: Default::default(),
            in_data: Default::default(),
            in_keep: Default::default(),
            in_last: Default::default(),
            in_first: Default::default(),
            in_single: Default::default(),
            in_valid: Default::default(),
            in_ready: Default::default(),
            tdata: Default::default(),
            tkeep: Default::default(),
            tuser: Default::default(),
            tlast: Default::default(),
            tvalid: Default::default(),
            tready: Default::default(),
            sent: Default::default(),
            beats: Fifo::new(depth),
            marks: Fifo::new(depth),
            low: Default::default(),
            low_keep: Default::default(),
            low_first: Default::default(),
            low_single: Default::default(),
            low_full: Default::default(),
            complete: Default::default(),
            leaves: Default::default(),
            both: Default::default(),
            store: Default::default(),
            push: Default::default(),
            pop: Default::default(),
            keep: Default::default(),
            mark: Default::default(),
            first: Default::default(),
            single: Default::default(),
            out_mark: Default::default(),
            offered: Default::default(),
            user: Default::default(),
            last_lane: Default::default(),
            complete_next: Default::default(),
            two: Constant::new(DATA == 512),
        }
    }
}

impl<const DATA: usize, const KEEP: usize, const USER: usize> Logic for Widen<DATA, KEEP, USER> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, low, low_keep, low_first, low_single, low_full, complete, leaves);
        clock!(self, clock, beats, marks);
        self.beats.reset.next = self.reset.val();
        self.marks.reset.next = self.reset.val();

        // The low half waits for the high one, unless it is the packet's last.
        self.both.next = self.low_full.q.val();
        self.store.next = self.two.val() & !self.low_full.q.val() & !self.in_last.val();
        self.in_ready.next = self.beats.in_ready.val();
        self.push.next = self.in_valid.val() & self.beats.in_ready.val() & !self.store.val();
        self.beats.in_data.next = bit_cast::<DATA, 256>(self.in_data.val());
        self.keep.next = bit_cast::<16, 8>(self.in_keep.val());
        self.first.next = self.in_first.val();
        self.single.next = self.in_single.val();
        if self.both.val() {
            self.beats.in_data.next =
                bit_cast::<DATA, 256>(self.low.q.val()) | (bit_cast::<DATA, 256>(self.in_data.val()) << 256);
            self.keep.next =
                bit_cast::<16, 8>(self.low_keep.q.val()) | (bit_cast::<16, 8>(self.in_keep.val()) << 8);
            self.first.next = self.low_first.q.val();
            self.single.next = self.low_single.q.val();
        }
        if self.in_valid.val() & self.beats.in_ready.val() {
            self.low_full.d.next = self.store.val();
            self.low.d.next = self.in_data.val();
            self.low_keep.d.next = self.in_keep.val();
            self.low_first.d.next = self.in_first.val();
            self.low_single.d.next = self.in_single.val();
        }
        self.mark.next = bit_cast::<32, 16>(self.keep.val());
        if self.in_last.val() {
            self.mark.next = self.mark.val() | 0x1_0000;
        }
        if self.first.val() {
            self.mark.next = self.mark.val() | 0x2_0000;
        }
        if self.single.val() {
            self.mark.next = self.mark.val() | 0x4_0000;
        }
        self.beats.in_valid.next = self.push.val();
        self.marks.in_valid.next = self.push.val();
        self.marks.in_data.next = self.mark.val();

        self.out_mark.next = self.marks.out_data.val();
        self.offered.next = self.beats.out_valid.val() & (!self.two.val() | (self.complete.q.val() != 0));
        self.pop.next = self.offered.val() & self.tready.val();
        self.beats.out_ready.next = self.pop.val();
        self.marks.out_ready.next = self.pop.val();
        self.tvalid.next = self.offered.val();
        self.tdata.next = self.beats.out_data.val();
        self.tkeep.next = bit_cast::<KEEP, 32>(self.out_mark.val());
        self.tlast.next = self.out_mark.val().get_bit(16);

        // Byte enables with the first beat; at 512 bits also where the packet begins and ends.
        self.user.next = 0.into();
        self.last_lane.next = 3.into();
        if self.out_mark.val().get_bit(4) {
            self.last_lane.next = 4.into();
        }
        if self.out_mark.val().get_bit(7) {
            self.last_lane.next = 7.into();
        }
        if self.out_mark.val().get_bit(11) {
            self.last_lane.next = 11.into();
        }
        if self.out_mark.val().get_bit(15) {
            self.last_lane.next = 15.into();
        }
        if self.two.val() {
            if self.out_mark.val().get_bit(17) {
                self.user.next = 0x0010_0f0f.into();
                if self.out_mark.val().get_bit(18) {
                    self.user.next = 0x0010_000f.into();
                }
            }
            if self.out_mark.val().get_bit(16) {
                self.user.next = self.user.val() | 0x0400_0000 | (self.last_lane.val() << 28);
            }
        } else {
            if self.out_mark.val().get_bit(17) {
                self.user.next = 0xff.into();
                if self.out_mark.val().get_bit(18) {
                    self.user.next = 0x0f.into();
                }
            }
        }
        self.tuser.next = bit_cast::<USER, 32>(self.user.val());

        self.complete_next.next = self.complete.q.val();
        if self.push.val() & self.in_last.val() {
            self.complete_next.next = self.complete_next.val() + 1;
        }
        if self.pop.val() & self.out_mark.val().get_bit(16) {
            self.complete_next.next = self.complete_next.val() - 1;
            self.leaves.d.next = self.leaves.q.val() + 1;
        }
        self.complete.d.next = self.complete_next.val();
        self.sent.next = self.leaves.q.val();
        if self.reset.val() {
            self.low_full.d.next = false;
            self.complete.d.next = 0.into();
            self.leaves.d.next = 0.into();
        }
    }
}
