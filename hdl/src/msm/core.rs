//! One core: a point adder with its buckets, and the windows that it serves.

use super::buckets::Buckets;
use super::digits::DigitSource;
use super::reduce::Reducer;
use super::shape::Shape;
use super::tally::AddEvents;
use crate::profile::Profile;
use crate::stream::Fifo;
use rust_hdl::prelude::*;

/// Sums up the windows of one [`Shape`]. All cores of an engine hear the same elements; each takes its own windows' digits.
///
/// The phases, each begun when the one before has nothing under way, in this core; cores do not wait for each other:
/// 1. *buckets*: fresh tokens into bank 0;
/// 2. *pass 1*: bank 0 is scanned, its sums go to rows and columns in bank 1;
/// 3. *pass 2*: bank 1 is scanned, its sums go to bit sums in bank 0;
/// 4. *results*: the bit sums are read out of bank 0, which leaves every slot empty for the next job. Then the results of
///    the cores behind this one are passed on.
#[derive(LogicBlock)]
pub struct MsmCore {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Aborts what is under way and empties the buckets.
    pub reset: Signal<In, Bit>,
    /// The reset is still under way.
    pub clearing: Signal<Out, Bit>,
    /// Begins a job; only while no core is `busy`.
    pub start: Signal<In, Bit>,
    /// Elements of the job, taken with `start`.
    pub count: Signal<In, Bits<32>>,
    /// The job's choice of window bits; constant from `start` to the end of the job.
    pub choice: Signal<In, Bits<4>>,
    /// The job is on the profile's second curve; constant from `start` to the end of the job. A core of another curve
    /// than the job's takes no part in it, but passes results on.
    pub second_curve: Signal<In, Bit>,
    /// Canonical scalar of the element.
    pub element_scalar: Signal<In, Bits<256>>,
    /// Its affine point.
    pub element_point: Signal<In, Bits<512>>,
    /// There is an element; it is taken.
    pub element_valid: Signal<In, Bit>,
    /// A register: elements may be sent, seven of them at most after it has fallen.
    pub room: Signal<Out, Bit>,
    /// Elements are missing because there is no scalar.
    pub host_is_late: Signal<In, Bit>,
    /// Elements are missing because there is no point.
    pub memory_is_late: Signal<In, Bit>,
    /// A coordinate of a result, of this core or one behind it.
    pub result_data: Signal<Out, Bits<256>>,
    /// There is one.
    pub result_valid: Signal<Out, Bit>,
    /// It is taken.
    pub result_ready: Signal<In, Bit>,
    /// A coordinate of a result of the core behind.
    pub behind_data: Signal<In, Bits<256>>,
    /// There is one.
    pub behind_valid: Signal<In, Bit>,
    /// It is taken.
    pub behind_ready: Signal<Out, Bit>,
    /// Tally of the cores before: a lane of eight bits for each kind of event.
    pub tally_before: Signal<In, Bits<112>>,
    /// Tally with this core's events, one cycle later.
    pub tally: Signal<Out, Bits<112>>,
    /// A job is under way in this core, or results wait in it.
    pub busy: Signal<Out, Bit>,
    /// It takes digits.
    pub in_buckets: Signal<Out, Bit>,
    /// It is in one of the two passes.
    pub in_passes: Signal<Out, Bit>,
    source: DigitSource,
    reducer: Reducer,
    buckets: Buckets,
    scalars: Fifo<256>,
    points: Fifo<512>,
    results: Fifo<256>,
    events: AddEvents,
    element_here: DFF<Bit>,
    scalar_here: DFF<Bits<256>>,
    point_here: DFF<Bits<512>>,
    room_now: DFF<Bit>,
    tally_now: DFF<Bits<112>>,
    phase: DFF<Bits<3>>,
    handed_over: DFF<Bit>,
    bucket_phase: Signal<Local, Bit>,
    pass_phase: Signal<Local, Bit>,
    quiet: Signal<Local, Bit>,
    fresh_over: Signal<Local, Bit>,
    fresh_here: Signal<Local, Bit>,
    idle: Signal<Local, Bit>,
    mine: Signal<Local, Bit>,
    on_second_curve: Constant<Bit>,
    enough: Constant<Bits<16>>,
}

/// Elements that may still come to a core after it has said that there is no more room: as many as there are registers
/// between its `room` and its FIFO, in the engine and here, and some to spare.
const ELEMENTS_UNDER_WAY: usize = 7;

/// Elements that a core holds before its recoder.
const ELEMENTS: usize = 16;

impl MsmCore {
    /// The core of a shape.
    pub fn new(profile: &Profile, shape: &Shape) -> MsmCore {
        let source = DigitSource::new(shape, &profile.datapath);
        let buckets = Buckets::new(profile, shape, source.flush_cycles());
        MsmCore {
            clock: Default::default(),
            reset: Default::default(),
            clearing: Default::default(),
            start: Default::default(),
            count: Default::default(),
            choice: Default::default(),
            second_curve: Default::default(),
            element_scalar: Default::default(),
            element_point: Default::default(),
            element_valid: Default::default(),
            room: Default::default(),
            host_is_late: Default::default(),
            memory_is_late: Default::default(),
            result_data: Default::default(),
            result_valid: Default::default(),
            result_ready: Default::default(),
            behind_data: Default::default(),
            behind_valid: Default::default(),
            behind_ready: Default::default(),
            tally_before: Default::default(),
            tally: Default::default(),
            busy: Default::default(),
            in_buckets: Default::default(),
            in_passes: Default::default(),
            source,
            reducer: Reducer::new(shape),
            buckets,
            scalars: Fifo::new(ELEMENTS),
            points: Fifo::new(ELEMENTS),
            results: Fifo::new(2),
            events: AddEvents::new(),
            element_here: Default::default(),
            scalar_here: Default::default(),
            point_here: Default::default(),
            room_now: Default::default(),
            tally_now: Default::default(),
            phase: Default::default(),
            handed_over: Default::default(),
            bucket_phase: Default::default(),
            pass_phase: Default::default(),
            quiet: Default::default(),
            fresh_over: Default::default(),
            fresh_here: Default::default(),
            idle: Default::default(),
            mine: Default::default(),
            on_second_curve: Constant::new(profile.first_curve() != shape.curve),
            enough: Constant::new(ELEMENTS_UNDER_WAY.to_bits()),
        }
    }

    /// Latency of the point adder in cycles.
    pub fn adder_latency(&self) -> usize {
        self.buckets.adder_latency()
    }

    /// Cycles for which the core is clearing after a reset.
    pub fn clear_cycles(&self) -> usize {
        self.buckets.clear_cycles()
    }
}

impl Logic for MsmCore {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, element_here, scalar_here, point_here, room_now, tally_now, phase);
        dff_setup!(self, clock, handed_over);
        self.source.clock.next = self.clock.val();
        self.reducer.clock.next = self.clock.val();
        self.buckets.clock.next = self.clock.val();
        self.scalars.clock.next = self.clock.val();
        self.points.clock.next = self.clock.val();
        self.results.clock.next = self.clock.val();
        self.source.reset.next = self.reset.val() | self.buckets.clearing.val();
        self.reducer.reset.next = self.reset.val() | self.buckets.clearing.val();
        self.buckets.reset.next = self.reset.val();
        self.scalars.reset.next = self.reset.val() | self.buckets.clearing.val();
        self.points.reset.next = self.reset.val() | self.buckets.clearing.val();
        self.results.reset.next = self.reset.val();
        self.clearing.next = self.buckets.clearing.val();

        // Elements: a register, a FIFO, the recoder.
        self.mine.next = self.second_curve.val() == self.on_second_curve.val();
        self.element_here.d.next = self.element_valid.val() & self.mine.val();
        self.scalar_here.d.next = self.element_scalar.val();
        self.point_here.d.next = self.element_point.val();
        self.scalars.in_data.next = self.scalar_here.q.val();
        self.scalars.in_valid.next = self.element_here.q.val();
        self.points.in_data.next = self.point_here.q.val();
        self.points.in_valid.next = self.element_here.q.val();
        self.room_now.d.next = self.scalars.space.val() > self.enough.val();
        self.room.next = self.room_now.q.val();
        self.source.element_scalar.next = self.scalars.out_data.val();
        self.source.element_point.next = self.points.out_data.val();
        self.source.element_valid.next = self.scalars.out_valid.val();
        self.scalars.out_ready.next = self.source.element_ready.val();
        self.points.out_ready.next = self.source.element_ready.val();

        self.bucket_phase.next = self.phase.q.val() == 1;
        self.pass_phase.next = (self.phase.q.val() == 2) | (self.phase.q.val() == 3);
        self.in_buckets.next = self.bucket_phase.val();
        self.in_passes.next = self.pass_phase.val();
        self.source.start.next = false;
        self.source.count.next = self.count.val();
        self.source.choice.next = self.choice.val();
        self.reducer.choice.next = self.choice.val();
        self.reducer.clear_marks.next = false;
        self.reducer.mark_valid.next = self.source.token_valid.val() & self.bucket_phase.val();
        self.reducer.mark_slot.next = self.source.token_slot.val();
        self.reducer.mark_window.next = self.source.token_window.val();

        // Fresh tokens: digits in the bucket phase, scanned sums in the passes.
        self.fresh_here.next = self.reducer.token_valid.val();
        self.fresh_over.next = self.reducer.idle.val();
        self.buckets.fresh_slot.next = self.reducer.token_slot.val();
        self.buckets.fresh_point.next = self.reducer.token_point.val();
        if self.bucket_phase.val() {
            self.fresh_here.next = self.source.token_valid.val();
            self.fresh_over.next = self.source.idle.val();
            self.buckets.fresh_slot.next = self.source.token_slot.val();
            self.buckets.fresh_point.next = self.source.token_point.val();
        }
        self.buckets.fresh_valid.next = self.fresh_here.val();
        self.source.token_ready.next = self.buckets.fresh_ready.val() & self.bucket_phase.val();
        self.reducer.token_ready.next = self.buckets.fresh_ready.val() & !self.bucket_phase.val();
        self.buckets.scan_valid.next = self.reducer.scan_valid.val();
        self.buckets.scan_slot.next = self.reducer.scan_slot.val();
        self.reducer.scan_full.next = self.buckets.scan_full.val();
        self.reducer.scan_point.next = self.buckets.scan_point.val();

        // Phases. Bank 1 takes tokens in pass 1, and none in the read-out, when bank 0 is scanned.
        self.buckets.token_bank.next = (self.phase.q.val() == 2) | (self.phase.q.val() == 4);
        self.reducer.start.next = false;
        self.reducer.mode.next = 0.into();
        if self.phase.q.val() == 3 {
            self.reducer.mode.next = 1.into();
        }
        if self.phase.q.val() == 4 {
            self.reducer.mode.next = 2.into();
        }
        self.quiet.next = self.source.idle.val() & self.reducer.idle.val() & self.buckets.empty.val();
        if self.start.val() {
            self.handed_over.d.next = true;
        }
        if self.start.val() & self.mine.val() {
            self.phase.d.next = 1.into();
            self.handed_over.d.next = false;
            self.source.start.next = true;
            self.reducer.clear_marks.next = true;
        }
        if (self.phase.q.val() != 0) & self.quiet.val() {
            self.phase.d.next = self.phase.q.val() + 1;
            self.reducer.start.next = true;
            if self.phase.q.val() == 4 {
                self.phase.d.next = 0.into();
                self.handed_over.d.next = true;
                self.reducer.start.next = false;
            }
        }

        // Results: first its own, then those of the cores behind.
        self.results.in_data.next = self.reducer.result_data.val();
        self.results.in_valid.next = self.reducer.result_valid.val();
        self.reducer.result_ready.next = self.results.in_ready.val();
        self.behind_ready.next = false;
        if self.handed_over.q.val() {
            self.results.in_data.next = self.behind_data.val();
            self.results.in_valid.next = self.behind_valid.val();
            self.behind_ready.next = self.results.in_ready.val();
        }
        self.result_data.next = self.results.out_data.val();
        self.result_valid.next = self.results.out_valid.val();
        self.results.out_ready.next = self.result_ready.val();
        self.busy.next = (self.phase.q.val() != 0) | self.results.out_valid.val();

        // Events. A cycle in which nothing is issued has one cause.
        self.idle.next = (self.bucket_phase.val() | self.pass_phase.val()) & !self.buckets.issued.val();
        self.events.before.next = self.tally_before.val();
        self.events.addition.next = 0.into();
        self.events.digit.next = 0.into();
        self.events.digit_stall.next = 0.into();
        self.events.idle.next = 0.into();
        self.events.idle_no_pair.next = 0.into();
        self.events.idle_batch.next = 0.into();
        self.events.idle_adder.next = 0.into();
        self.events.idle_memory.next = 0.into();
        self.events.idle_host.next = 0.into();
        self.events.idle_drain.next = 0.into();
        self.events.parked.next = self.buckets.parked.val();
        self.events.matched.next = self.buckets.matched.val();
        self.events.doubling.next = 0.into();
        self.events.annihilation.next = 0.into();
        if self.buckets.issued.val() {
            self.events.addition.next = 1.into();
        }
        if self.buckets.doubling.val() {
            self.events.doubling.next = 1.into();
        }
        if self.buckets.annihilated.val() {
            self.events.annihilation.next = 1.into();
        }
        if self.bucket_phase.val() & self.source.token_valid.val() {
            if self.buckets.fresh_ready.val() {
                self.events.digit.next = 1.into();
            } else {
                self.events.digit_stall.next = 1.into();
            }
        }
        if self.idle.val() {
            self.events.idle.next = 1.into();
            if self.buckets.held_back.val() {
                self.events.idle_adder.next = 1.into();
            } else {
                if self.fresh_over.val() {
                    if self.buckets.waiting.val() {
                        self.events.idle_batch.next = 1.into();
                    } else {
                        self.events.idle_drain.next = 1.into();
                    }
                } else {
                    if self.fresh_here.val() | !(self.host_is_late.val() | self.memory_is_late.val()) {
                        self.events.idle_no_pair.next = 1.into();
                    } else {
                        if self.host_is_late.val() {
                            self.events.idle_host.next = 1.into();
                        } else {
                            self.events.idle_memory.next = 1.into();
                        }
                    }
                }
            }
        }
        self.tally_now.d.next = self.events.tally.val();
        self.tally.next = self.tally_now.q.val();

        if self.reset.val() {
            self.phase.d.next = 0.into();
            self.handed_over.d.next = false;
            self.element_here.d.next = false;
        }
    }
}
