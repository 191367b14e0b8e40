//! From the elements of messages to states.

use super::{BlockWalk, ElementAdder};
use crate::datapath::DatapathConfig;
use crate::stream::Fifo;
use rust_hdl::prelude::*;

/// Sums that may wait besides those in the adder.
const SUMS_WAITING: usize = 8;

/// Reads messages from host memory and makes the states that go into the core.
///
/// Messages lie in groups, block-major (see [`BlockWalk`]), which is the order in which they are used, so a job reads a
/// group's block. Of a message's first block the state is the capacity (zero, or the element at `host_b`) and the
/// elements; of the others it is the state that left the core, with the elements added. All t elements of a state go
/// through one adder one after the other, so a state takes t cycles.
#[derive(LogicBlock)]
pub struct Absorb {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Pulse: begin. What follows stands from here on.
    pub start: Signal<In, Bit>,
    /// Messages.
    pub count: Signal<In, Bits<32>>,
    /// Blocks of a message, at least 1.
    pub blocks: Signal<In, Bits<16>>,
    /// Elements of a block, t − 1.
    pub rate: Signal<In, Bits<3>>,
    /// The capacity is read from `host_b`.
    pub sponge: Signal<In, Bit>,
    /// Host address of the messages.
    pub host_a: Signal<In, Bits<64>>,
    /// Host address of the capacity.
    pub host_b: Signal<In, Bits<64>>,
    /// Host read job: address.
    pub host_read_address: Signal<Out, Bits<64>>,
    /// Host read job: beats of 32 bytes.
    pub host_read_beats: Signal<Out, Bits<32>>,
    /// Host read job: offered.
    pub host_read_valid: Signal<Out, Bit>,
    /// Host read job: accepted.
    pub host_read_ready: Signal<In, Bit>,
    /// Data of the host read jobs.
    pub host_in_data: Signal<In, Bits<256>>,
    /// `host_in_data` is a beat.
    pub host_in_valid: Signal<In, Bit>,
    /// The beat is taken.
    pub host_in_ready: Signal<Out, Bit>,
    /// The oldest state that waits for its next block.
    pub waiting_data: Signal<In, Bits<1280>>,
    /// `waiting_data` is a state.
    pub waiting_valid: Signal<In, Bit>,
    /// The state is taken.
    pub waiting_ready: Signal<Out, Bit>,
    /// A state for the core.
    pub enter_data: Signal<Out, Bits<1280>>,
    /// `enter_data` is a state.
    pub enter_valid: Signal<Out, Bit>,
    /// The state is taken.
    pub enter_ready: Signal<In, Bit>,
    asks: BlockWalk,
    feeds: BlockWalk,
    adder: ElementAdder,
    sums: Fifo<256>,
    ask_capacity: DFF<Bit>,
    ask_address: DFF<Bits<64>>,
    take_capacity: DFF<Bit>,
    capacity: DFF<Bits<256>>,
    place: DFF<Bits<3>>,
    in_flight: DFF<Bits<16>>,
    made: DFF<Bits<3>>,
    complete: DFF<Bit>,
    element_0: DFF<Bits<256>>,
    element_1: DFF<Bits<256>>,
    element_2: DFF<Bits<256>>,
    element_3: DFF<Bits<256>>,
    element_4: DFF<Bits<256>>,
    beats: Signal<Local, Bits<32>>,
    asked: Signal<Local, Bit>,
    reserved: Signal<Local, Bits<16>>,
    may_feed: Signal<Local, Bit>,
    issue: Signal<Local, Bit>,
    arrive: Signal<Local, Bit>,
    take: Signal<Local, Bit>,
    most: Constant<Bits<16>>,
}

impl Absorb {
    /// The reader for groups of at most so many messages.
    pub fn new(group: u32, config: &DatapathConfig) -> Absorb {
        let adder = ElementAdder::new(config);
        let depth = adder.latency() + SUMS_WAITING;
        Absorb {
            clock: Default::default(),
            reset: Default::default(),
            start: Default::default(),
            count: Default::default(),
            blocks: Default::default(),
            rate: Default::default(),
            sponge: Default::default(),
            host_a: Default::default(),
            host_b: Default::default(),
            host_read_address: Default::default(),
            host_read_beats: Default::default(),
            host_read_valid: Default::default(),
            host_read_ready: Default::default(),
            host_in_data: Default::default(),
            host_in_valid: Default::default(),
            host_in_ready: Default::default(),
            waiting_data: Default::default(),
            waiting_valid: Default::default(),
            waiting_ready: Default::default(),
            enter_data: Default::default(),
            enter_valid: Default::default(),
            enter_ready: Default::default(),
            asks: BlockWalk::new(group),
            feeds: BlockWalk::new(group),
            adder,
            sums: Fifo::new(depth),
            ask_capacity: Default::default(),
            ask_address: Default::default(),
            take_capacity: Default::default(),
            capacity: Default::default(),
            place: Default::default(),
            in_flight: Default::default(),
            made: Default::default(),
            complete: Default::default(),
            element_0: Default::default(),
            element_1: Default::default(),
            element_2: Default::default(),
            element_3: Default::default(),
            element_4: Default::default(),
            beats: Default::default(),
            asked: Default::default(),
            reserved: Default::default(),
            may_feed: Default::default(),
            issue: Default::default(),
            arrive: Default::default(),
            take: Default::default(),
            most: Constant::new(depth.to_bits()),
        }
    }
}

impl Logic for Absorb {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            ask_capacity,
            ask_address,
            take_capacity,
            capacity,
            place,
            in_flight,
            made,
            complete
        );
        dff_setup!(self, clock, element_0, element_1, element_2, element_3, element_4);
        clock!(self, clock, asks, feeds, adder, sums);
        self.asks.reset.next = self.reset.val();
        self.feeds.reset.next = self.reset.val();
        self.sums.reset.next = self.reset.val();
        self.asks.start.next = self.start.val();
        self.asks.count.next = self.count.val();
        self.asks.blocks.next = self.blocks.val();
        self.feeds.start.next = self.start.val();
        self.feeds.count.next = self.count.val();
        self.feeds.blocks.next = self.blocks.val();

        // Asking: the capacity, then block by block.
        self.beats.next = 0.into();
        if self.rate.val().get_bit(0) {
            self.beats.next = self.asks.messages.val();
        }
        if self.rate.val().get_bit(1) {
            self.beats.next = self.beats.val() + (self.asks.messages.val() << 1);
        }
        if self.rate.val().get_bit(2) {
            self.beats.next = self.beats.val() + (self.asks.messages.val() << 2);
        }
        self.host_read_address.next = self.ask_address.q.val();
        self.host_read_beats.next = self.beats.val();
        self.host_read_valid.next = self.ask_capacity.q.val() | self.asks.busy.val();
        self.asked.next = self.host_read_ready.val() & !self.ask_capacity.q.val() & self.asks.busy.val();
        if self.ask_capacity.q.val() {
            self.host_read_address.next = self.host_b.val();
            self.host_read_beats.next = 1.into();
            if self.host_read_ready.val() {
                self.ask_capacity.d.next = false;
            }
        }
        self.asks.next_message.next = false;
        self.asks.next_block.next = self.asked.val();
        if self.asked.val() {
            self.ask_address.d.next = self.ask_address.q.val() + (bit_cast::<64, 32>(self.beats.val()) << 5);
        }

        // Adding: the capacity of a state, then each of its elements.
        self.reserved.next = self.sums.count.val() + self.in_flight.q.val();
        self.may_feed.next = self.feeds.busy.val()
            & !self.take_capacity.q.val()
            & (self.reserved.val() < self.most.val())
            & (self.feeds.first.val() | self.waiting_valid.val());
        self.adder.a.next = self.host_in_data.val();
        self.adder.b.next = 0.into();
        self.host_in_ready.next = self.take_capacity.q.val();
        self.issue.next = false;
        self.feeds.next_message.next = false;
        self.feeds.next_block.next = false;
        self.waiting_ready.next = false;
        if self.place.q.val() == 0 {
            self.issue.next = self.may_feed.val();
            self.adder.a.next = self.capacity.q.val();
            if !self.feeds.first.val() {
                self.adder.a.next = self.waiting_data.val().get_bits::<256>(0);
            }
        } else {
            self.issue.next = self.may_feed.val() & self.host_in_valid.val();
            if self.may_feed.val() {
                self.host_in_ready.next = true;
            }
            if !self.feeds.first.val() {
                if self.place.q.val() == 1 {
                    self.adder.b.next = self.waiting_data.val().get_bits::<256>(256);
                }
                if self.place.q.val() == 2 {
                    self.adder.b.next = self.waiting_data.val().get_bits::<256>(512);
                }
                if self.place.q.val() == 3 {
                    self.adder.b.next = self.waiting_data.val().get_bits::<256>(768);
                }
                if self.place.q.val() == 4 {
                    self.adder.b.next = self.waiting_data.val().get_bits::<256>(1024);
                }
            }
        }
        self.adder.valid_in.next = self.issue.val();
        if self.issue.val() {
            self.place.d.next = self.place.q.val() + 1;
            if self.place.q.val() == self.rate.val() {
                self.place.d.next = 0.into();
                self.feeds.next_message.next = true;
                self.waiting_ready.next = !self.feeds.first.val();
            }
        }
        if self.take_capacity.q.val() & self.host_in_valid.val() {
            self.capacity.d.next = self.host_in_data.val();
            self.take_capacity.d.next = false;
        }
        self.arrive.next = self.adder.valid_out.val() & (self.in_flight.q.val() != 0);
        self.sums.in_data.next = self.adder.sum.val();
        self.sums.in_valid.next = self.arrive.val();
        if self.issue.val() & !self.arrive.val() {
            self.in_flight.d.next = self.in_flight.q.val() + 1;
        }
        if self.arrive.val() & !self.issue.val() {
            self.in_flight.d.next = self.in_flight.q.val() - 1;
        }

        // Putting together.
        self.enter_valid.next = self.complete.q.val();
        self.enter_data.next = bit_cast::<1280, 256>(self.element_0.q.val())
            | (bit_cast::<1280, 256>(self.element_1.q.val()) << 256)
            | (bit_cast::<1280, 256>(self.element_2.q.val()) << 512)
            | (bit_cast::<1280, 256>(self.element_3.q.val()) << 768)
            | (bit_cast::<1280, 256>(self.element_4.q.val()) << 1024);
        if self.enter_ready.val() {
            self.complete.d.next = false;
        }
        self.sums.out_ready.next = !self.complete.q.val() | self.enter_ready.val();
        self.take.next = self.sums.out_valid.val() & (!self.complete.q.val() | self.enter_ready.val());
        if self.take.val() {
            self.made.d.next = self.made.q.val() + 1;
            if self.made.q.val() == 0 {
                self.element_0.d.next = self.sums.out_data.val();
                self.element_1.d.next = 0.into();
                self.element_2.d.next = 0.into();
                self.element_3.d.next = 0.into();
                self.element_4.d.next = 0.into();
            }
            if self.made.q.val() == 1 {
                self.element_1.d.next = self.sums.out_data.val();
            }
            if self.made.q.val() == 2 {
                self.element_2.d.next = self.sums.out_data.val();
            }
            if self.made.q.val() == 3 {
                self.element_3.d.next = self.sums.out_data.val();
            }
            if self.made.q.val() == 4 {
                self.element_4.d.next = self.sums.out_data.val();
            }
            if self.made.q.val() == self.rate.val() {
                self.made.d.next = 0.into();
                self.complete.d.next = true;
            }
        }

        if self.start.val() {
            self.ask_capacity.d.next = self.sponge.val();
            self.take_capacity.d.next = self.sponge.val();
            self.ask_address.d.next = self.host_a.val();
            self.capacity.d.next = 0.into();
        }
        if self.reset.val() {
            self.ask_capacity.d.next = false;
            self.take_capacity.d.next = false;
            self.place.d.next = 0.into();
            self.in_flight.d.next = 0.into();
            self.made.d.next = 0.into();
            self.complete.d.next = false;
        }
    }
}
