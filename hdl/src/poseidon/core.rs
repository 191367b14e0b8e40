//! Lanes between a stream of states and a stream of permuted ones.

use super::ends::{EntryPipeline, ExitPipeline};
use super::{Lane, STATE_BITS, Schedule};
use crate::datapath::{DatapathConfig, Statistics};
use crate::stream::Fifo;
use rust_hdl::prelude::*;

/// States that may wait for a free slot: as many as a burst from memory brings, so that slots which become free
/// together are filled together.
const QUEUE_DEPTH: usize = 64;

/// The permutation for states of one width, on one or more lanes.
///
/// States get the first constants, wait in a queue and enter, one a cycle at most, the first lane whose slot at the head
/// is free. A state takes the same time in every lane, so results leave in the order of the states. As lanes never wait,
/// a state is taken only while there is room for its result behind the lanes.
///
/// An unstalled core gives a result every P / lanes cycles, where P is the number of passes ([`Schedule::passes`]). A
/// lone state leaves [`PoseidonCore::latency`] cycles after it was taken. A `reset` of one cycle leaves nothing behind:
/// for [`PoseidonCore::flush_cycles`] after it nothing is taken and nothing leaves.
#[derive(LogicBlock)]
pub struct PoseidonCore {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset; needed once after power-on.
    pub reset: Signal<In, Bit>,
    /// State: element i, Montgomery form, below p, at bit 256·i; those past the width are ignored.
    pub in_state: Signal<In, Bits<STATE_BITS>>,
    /// `in_state` is a state.
    pub in_valid: Signal<In, Bit>,
    /// It is taken.
    pub in_ready: Signal<Out, Bit>,
    /// Permuted state, every element below p; those past the width are zero.
    pub out_state: Signal<Out, Bits<STATE_BITS>>,
    /// `out_state` is one.
    pub out_valid: Signal<Out, Bit>,
    /// It is taken.
    pub out_ready: Signal<In, Bit>,
    /// Lanes in whose head there is a state in this cycle.
    pub passes: Signal<Out, Bits<8>>,
    /// Lanes in whose head there is none.
    pub starved: Signal<Out, Bits<8>>,
    entry: EntryPipeline,
    waiting: Fifo<STATE_BITS>,
    lanes: Vec<Lane>,
    exit: ExitPipeline,
    results: Fifo<STATE_BITS>,
    flush_left: DFF<Bits<16>>,
    queued: DFF<Bits<16>>,
    contained: DFF<Bits<16>>,
    flushing: Signal<Local, Bit>,
    room: Signal<Local, Bit>,
    take: Signal<Local, Bit>,
    give: Signal<Local, Bit>,
    offered: Signal<Local, Bit>,
    enters: Signal<Local, Bit>,
    moving: Signal<Local, Bits<8>>,
    idle: Signal<Local, Bits<8>>,
    left: Signal<Local, Bits<STATE_BITS>>,
    left_valid: Signal<Local, Bit>,
    flush: Constant<Bits<16>>,
    queue: Constant<Bits<16>>,
    capacity: Constant<Bits<16>>,
    _lanes: usize,
    _slots: usize,
    _latency: usize,
    _flush_cycles: usize,
    _statistics: Statistics,
}

impl PoseidonCore {
    /// A core for states of `width` elements.
    ///
    /// # Panics
    ///
    /// When the width is not one of [`spandrel_poseidon::WIDTHS`], or there are not 1 to 15 lanes: an error of the
    /// hardware description. A checked profile has neither.
    pub fn new(width: usize, lanes: usize, config: &DatapathConfig) -> PoseidonCore {
        let schedule = Schedule::new(width).unwrap_or_else(|error| panic!("{error}"));
        assert!((1..=15).contains(&lanes), "a core has 1 to 15 lanes, not {lanes}");
        let count = lanes;
        let lanes: Vec<Lane> = (0..count).map(|_| Lane::new(&schedule, config)).collect();
        let (entry, exit) = (EntryPipeline::new(&schedule, config), ExitPipeline::new(&schedule, config));
        let (slots, hash_cycles) = (lanes[0].slots(), lanes[0].hash_cycles());
        // A FIFO takes a cycle.
        let ends = entry.latency() + exit.latency() + 2;
        let flush_cycles = slots.max(entry.latency()).max(exit.latency());
        // Full lanes, a full queue, and those that leave: so nothing but the lanes holds a core up.
        let capacity = count * slots + QUEUE_DEPTH + ends;
        PoseidonCore {
            clock: Default::default(),
            reset: Default::default(),
            in_state: Default::default(),
            in_valid: Default::default(),
            in_ready: Default::default(),
            out_state: Default::default(),
            out_valid: Default::default(),
            out_ready: Default::default(),
            passes: Default::default(),
            starved: Default::default(),
            waiting: Fifo::new(QUEUE_DEPTH),
            results: Fifo::new(capacity),
            flush_left: Default::default(),
            queued: Default::default(),
            contained: Default::default(),
            flushing: Default::default(),
            room: Default::default(),
            take: Default::default(),
            give: Default::default(),
            offered: Default::default(),
            enters: Default::default(),
            moving: Default::default(),
            idle: Default::default(),
            left: Default::default(),
            left_valid: Default::default(),
            flush: Constant::new(flush_cycles.to_bits()),
            queue: Constant::new(QUEUE_DEPTH.to_bits()),
            capacity: Constant::new(capacity.to_bits()),
            _lanes: count,
            _slots: slots,
            _latency: ends + hash_cycles,
            _flush_cycles: flush_cycles,
            _statistics: lanes[0].statistics(),
            entry,
            lanes,
            exit,
        }
    }

    /// Cycles of a pass: the states that one lane holds.
    pub fn pass_latency(&self) -> usize {
        self._slots
    }

    /// Cycles from the one in which a state is taken to the first in which its result is there, if a slot is free when
    /// it comes out of the queue.
    pub fn latency(&self) -> usize {
        self._latency
    }

    /// Cycles after a reset in which nothing is taken.
    pub fn flush_cycles(&self) -> usize {
        self._flush_cycles
    }

    /// What the pass of one lane is made of.
    pub fn statistics(&self) -> Statistics {
        self._statistics
    }
}

impl Logic for PoseidonCore {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, flush_left, queued, contained);
        clock!(self, clock, entry, waiting, exit, results);

        // A reset lasts until every pipeline is empty.
        self.flushing.next = self.reset.val() | (self.flush_left.q.val() != 0);
        if self.flush_left.q.val() != 0 {
            self.flush_left.d.next = self.flush_left.q.val() - 1;
        }
        self.waiting.reset.next = self.flushing.val();
        self.results.reset.next = self.flushing.val();

        // From the input to the queue.
        self.room.next = (self.queued.q.val() < self.queue.val())
            & (self.contained.q.val() < self.capacity.val())
            & (self.flush_left.q.val() == 0);
        self.take.next = self.in_valid.val() & self.room.val();
        self.in_ready.next = self.room.val();
        self.entry.in_state.next = self.in_state.val();
        self.entry.in_valid.next = self.take.val();
        self.waiting.in_data.next = self.entry.out_state.val();
        self.waiting.in_valid.next = self.entry.out_valid.val();

        // Through the lanes. What waits is offered to one after the other.
        self.offered.next = self.waiting.out_valid.val() & !self.flushing.val();
        self.enters.next = false;
        self.moving.next = 0.into();
        self.idle.next = 0.into();
        self.left.next = 0.into();
        self.left_valid.next = false;
        for i in 0..self._lanes {
            self.lanes[i].clock.next = self.clock.val();
            self.lanes[i].in_state.next = self.waiting.out_data.val();
            self.lanes[i].in_valid.next = self.offered.val() & !self.lanes[i].occupied.val();
            self.lanes[i].keep.next = !self.flushing.val();
            if !self.flushing.val() & (self.offered.val() | self.lanes[i].occupied.val()) {
                self.moving.next = self.moving.val() + 1;
            } else {
                self.idle.next = self.idle.val() + 1;
            }
            if !self.lanes[i].occupied.val() {
                self.enters.next = self.enters.val() | self.offered.val();
                self.offered.next = false;
            }
            // As no two states enter in one cycle, no two leave in one.
            if self.lanes[i].out_valid.val() & !self.flushing.val() {
                self.left.next = self.left.val() | self.lanes[i].out_state.val();
                self.left_valid.next = true;
            }
        }
        self.waiting.out_ready.next = self.enters.val();
        self.passes.next = self.moving.val();
        self.starved.next = self.idle.val();

        // To the output, where there is room for it.
        self.exit.in_state.next = self.left.val();
        self.exit.in_valid.next = self.left_valid.val();
        self.results.in_data.next = self.exit.out_state.val();
        self.results.in_valid.next = self.exit.out_valid.val();
        self.out_state.next = self.results.out_data.val();
        self.out_valid.next = self.results.out_valid.val();
        self.results.out_ready.next = self.out_ready.val();
        self.give.next = self.results.out_valid.val() & self.out_ready.val();

        if self.take.val() & !self.enters.val() {
            self.queued.d.next = self.queued.q.val() + 1;
        }
        if self.enters.val() & !self.take.val() {
            self.queued.d.next = self.queued.q.val() - 1;
        }
        if self.take.val() & !self.give.val() {
            self.contained.d.next = self.contained.q.val() + 1;
        }
        if self.give.val() & !self.take.val() {
            self.contained.d.next = self.contained.q.val() - 1;
        }
        if self.reset.val() {
            self.flush_left.d.next = self.flush.val();
            self.queued.d.next = 0.into();
            self.contained.d.next = 0.into();
        }
    }
}
