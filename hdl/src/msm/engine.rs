//! The engine: phases, and the counters of a job.

use super::buckets::Buckets;
use super::digits::DigitSource;
use super::reduce::Reducer;
use super::shape::Shape;
use crate::curve::complete_adder;
use crate::msm::adder::SLOT_BITS;
use crate::profile::{AdderKind, Profile};
use rust_hdl::prelude::*;

/// Multi-scalar multiplication of `count` scalars and points; see the [module](crate::msm).
///
/// After `start` the engine takes `count` scalars and as many points, and writes W·c projective points, three
/// beats each: for window 0 to W − 1, for bit 0 to c − 1, the sum S(w, k) with Σ s·P = Σ 2^(c·w + k)·S(w, k). A
/// sum that nothing was added to is all zero.
///
/// The phases, each begun when the one before has nothing under way:
/// 1. *buckets*: fresh tokens into bank 0;
/// 2. *pass 1*: bank 0 is scanned, its sums go to rows and columns in bank 1;
/// 3. *pass 2*: bank 1 is scanned, its sums go to bit sums in bank 0;
/// 4. *results*: the bit sums are read out of bank 0, which leaves every slot empty for the next job.
#[derive(LogicBlock)]
pub struct MsmEngine {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Aborts what is under way and empties the buckets.
    pub reset: Signal<In, Bit>,
    /// Begins a job; only while not `busy`.
    pub start: Signal<In, Bit>,
    /// Scalars of the job, taken with `start`.
    pub count: Signal<In, Bits<32>>,
    /// Which of the profile's window bits the job uses: an index into that list, taken with `start`.
    pub window_choice: Signal<In, Bits<4>>,
    /// A job or the clearing after a reset is under way.
    pub busy: Signal<Out, Bit>,
    /// Canonical scalar, below the group order.
    pub scalar_data: Signal<In, Bits<256>>,
    /// There is a scalar.
    pub scalar_valid: Signal<In, Bit>,
    /// It is taken.
    pub scalar_ready: Signal<Out, Bit>,
    /// Affine point, x in the low 256 bits, y in the high ones, Montgomery; zero = infinity.
    pub point_data: Signal<In, Bits<512>>,
    /// There is a point.
    pub point_valid: Signal<In, Bit>,
    /// It is taken.
    pub point_ready: Signal<Out, Bit>,
    /// A coordinate of a result.
    pub result_data: Signal<Out, Bits<256>>,
    /// There is one.
    pub result_valid: Signal<Out, Bit>,
    /// It is taken.
    pub result_ready: Signal<In, Bit>,
    /// Cycles since start.
    pub cycles: Signal<Out, Bits<64>>,
    /// Additions issued.
    pub additions: Signal<Out, Bits<64>>,
    /// Non-zero digits taken in.
    pub digits: Signal<Out, Bits<64>>,
    /// Scalars taken in.
    pub elements: Signal<Out, Bits<64>>,
    /// Cycles of the bucket phase.
    pub bucket_cycles: Signal<Out, Bits<64>>,
    /// Cycles of the two passes.
    pub reduction_cycles: Signal<Out, Bits<64>>,
    /// Cycles of the first three phases in which no addition was issued.
    pub idle_cycles: Signal<Out, Bits<64>>,
    /// Cycles of the bucket phase in which a digit had to wait.
    pub digit_stall_cycles: Signal<Out, Bits<64>>,
    /// Idle: tokens were taken in, and none of them found its bucket full.
    pub idle_no_pair_cycles: Signal<Out, Bits<64>>,
    /// Idle: nothing is left to take in, and the adder holds pairs in a batch that is not closed.
    pub idle_batch_cycles: Signal<Out, Bits<64>>,
    /// Idle: there was a pair, and the adder was not ready.
    pub idle_adder_cycles: Signal<Out, Bits<64>>,
    /// Idle: waited for points.
    pub idle_memory_cycles: Signal<Out, Bits<64>>,
    /// Idle: waited for scalars.
    pub idle_host_cycles: Signal<Out, Bits<64>>,
    /// Idle: nothing is left to take in, and what is under way is awaited.
    pub idle_drain_cycles: Signal<Out, Bits<64>>,
    /// Tokens that found their bucket empty and stayed there.
    pub parked: Signal<Out, Bits<64>>,
    /// Tokens that found their bucket full: pairs for the adder.
    pub matched: Signal<Out, Bits<64>>,
    /// Additions of two equal points, where the adder tells them apart.
    pub doublings: Signal<Out, Bits<64>>,
    /// Additions of opposite points, which gave no sum, where the adder tells them apart.
    pub annihilations: Signal<Out, Bits<64>>,
    source: DigitSource,
    reducer: Reducer,
    buckets: Buckets,
    phase: DFF<Bits<3>>,
    cycles_count: DFF<Bits<64>>,
    additions_count: DFF<Bits<64>>,
    digits_count: DFF<Bits<64>>,
    elements_count: DFF<Bits<64>>,
    bucket_count: DFF<Bits<64>>,
    reduction_count: DFF<Bits<64>>,
    idle_count: DFF<Bits<64>>,
    stall_count: DFF<Bits<64>>,
    in_buckets: Signal<Local, Bit>,
    in_passes: Signal<Local, Bit>,
    quiet: Signal<Local, Bit>,
    fresh_valid: Signal<Local, Bit>,
}

impl MsmEngine {
    /// The engine of a profile.
    pub fn new(profile: &Profile) -> MsmEngine {
        let shape = Shape::of(profile);
        let source = DigitSource::new(&shape, &profile.datapath);
        let adder = match profile.msm.adder {
            AdderKind::Complete => complete_adder(&profile.datapath, SLOT_BITS),
            AdderKind::BatchedAffine => unimplemented!(),
        };
        let buckets =
            Buckets::new(&shape, adder, profile.msm.pair_fifo_depth as usize, source.flush_cycles());
        MsmEngine {
            clock: Default::default(),
            reset: Default::default(),
            start: Default::default(),
            count: Default::default(),
            busy: Default::default(),
            scalar_data: Default::default(),
            scalar_valid: Default::default(),
            scalar_ready: Default::default(),
            point_data: Default::default(),
            point_valid: Default::default(),
            point_ready: Default::default(),
            result_data: Default::default(),
            result_valid: Default::default(),
            result_ready: Default::default(),
            cycles: Default::default(),
            additions: Default::default(),
            digits: Default::default(),
            elements: Default::default(),
            bucket_cycles: Default::default(),
            reduction_cycles: Default::default(),
            idle_cycles: Default::default(),
            digit_stall_cycles: Default::default(),
            window_choice: Default::default(),
            idle_no_pair_cycles: Default::default(),
            idle_batch_cycles: Default::default(),
            idle_adder_cycles: Default::default(),
            idle_memory_cycles: Default::default(),
            idle_host_cycles: Default::default(),
            idle_drain_cycles: Default::default(),
            parked: Default::default(),
            matched: Default::default(),
            doublings: Default::default(),
            annihilations: Default::default(),
            source,
            reducer: Reducer::new(&shape),
            buckets,
            phase: Default::default(),
            cycles_count: Default::default(),
            additions_count: Default::default(),
            digits_count: Default::default(),
            elements_count: Default::default(),
            bucket_count: Default::default(),
            reduction_count: Default::default(),
            idle_count: Default::default(),
            stall_count: Default::default(),
            in_buckets: Default::default(),
            in_passes: Default::default(),
            quiet: Default::default(),
            fresh_valid: Default::default(),
        }
    }

    /// Latency of the point adder in cycles.
    pub fn adder_latency(&self) -> usize {
        self.buckets.adder_latency()
    }

    /// Cycles for which the engine is busy after a reset.
    pub fn clear_cycles(&self) -> usize {
        self.buckets.clear_cycles()
    }
}

impl Logic for MsmEngine {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, phase, cycles_count, additions_count, digits_count, elements_count);
        dff_setup!(self, clock, bucket_count, reduction_count, idle_count, stall_count);
        self.source.clock.next = self.clock.val();
        self.reducer.clock.next = self.clock.val();
        self.buckets.clock.next = self.clock.val();
        self.source.reset.next = self.reset.val() | self.buckets.clearing.val();
        self.reducer.reset.next = self.reset.val() | self.buckets.clearing.val();
        self.buckets.reset.next = self.reset.val();
        self.busy.next = (self.phase.q.val() != 0) | self.buckets.clearing.val();

        self.in_buckets.next = self.phase.q.val() == 1;
        self.in_passes.next = (self.phase.q.val() == 2) | (self.phase.q.val() == 3);

        self.source.start.next = false;
        self.reducer.clear_windows.next = false;
        self.reducer.mark_window.next = self.source.token_valid.val() & self.in_buckets.val();
        self.reducer.marked_window.next = self.source.token_window.val();
        self.source.count.next = self.count.val();
        self.source.scalar_data.next = self.scalar_data.val();
        self.source.scalar_valid.next = self.scalar_valid.val();
        self.scalar_ready.next = self.source.scalar_ready.val();
        self.source.point_data.next = self.point_data.val();
        self.source.point_valid.next = self.point_valid.val();
        self.point_ready.next = self.source.point_ready.val();
        self.result_data.next = self.reducer.result_data.val();
        self.result_valid.next = self.reducer.result_valid.val();
        self.reducer.result_ready.next = self.result_ready.val();

        // Fresh tokens: digits in the bucket phase, scanned sums in the passes.
        self.fresh_valid.next = self.reducer.token_valid.val();
        self.buckets.fresh_slot.next = self.reducer.token_slot.val();
        self.buckets.fresh_point.next = self.reducer.token_point.val();
        if self.in_buckets.val() {
            self.fresh_valid.next = self.source.token_valid.val();
            self.buckets.fresh_slot.next = self.source.token_slot.val();
            self.buckets.fresh_point.next = self.source.token_point.val();
        }
        self.buckets.fresh_valid.next = self.fresh_valid.val();
        self.source.token_ready.next = self.buckets.fresh_ready.val() & self.in_buckets.val();
        self.reducer.token_ready.next = self.buckets.fresh_ready.val() & !self.in_buckets.val();
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
        if (self.phase.q.val() == 0) & self.start.val() & !self.buckets.clearing.val() {
            self.phase.d.next = 1.into();
            self.source.start.next = true;
            self.reducer.clear_windows.next = true;
        }
        if (self.phase.q.val() != 0) & self.quiet.val() {
            self.phase.d.next = self.phase.q.val() + 1;
            self.reducer.start.next = true;
            if self.phase.q.val() == 4 {
                self.phase.d.next = 0.into();
                self.reducer.start.next = false;
            }
        }

        // Counters.
        if self.phase.q.val() != 0 {
            self.cycles_count.d.next = self.cycles_count.q.val() + 1;
        }
        if self.buckets.issued.val() {
            self.additions_count.d.next = self.additions_count.q.val() + 1;
        }
        if self.source.accepted.val() {
            self.elements_count.d.next = self.elements_count.q.val() + 1;
        }
        if self.in_buckets.val() {
            self.bucket_count.d.next = self.bucket_count.q.val() + 1;
            if self.source.token_valid.val() {
                if self.buckets.fresh_ready.val() {
                    self.digits_count.d.next = self.digits_count.q.val() + 1;
                } else {
                    self.stall_count.d.next = self.stall_count.q.val() + 1;
                }
            }
        }
        if self.in_passes.val() {
            self.reduction_count.d.next = self.reduction_count.q.val() + 1;
        }
        if (self.in_buckets.val() | self.in_passes.val()) & !self.buckets.issued.val() {
            self.idle_count.d.next = self.idle_count.q.val() + 1;
        }
        if self.start.val() & (self.phase.q.val() == 0) {
            self.cycles_count.d.next = 0.into();
            self.additions_count.d.next = 0.into();
            self.digits_count.d.next = 0.into();
            self.elements_count.d.next = 0.into();
            self.bucket_count.d.next = 0.into();
            self.reduction_count.d.next = 0.into();
            self.idle_count.d.next = 0.into();
            self.stall_count.d.next = 0.into();
        }
        self.cycles.next = self.cycles_count.q.val();
        self.additions.next = self.additions_count.q.val();
        self.digits.next = self.digits_count.q.val();
        self.elements.next = self.elements_count.q.val();
        self.bucket_cycles.next = self.bucket_count.q.val();
        self.reduction_cycles.next = self.reduction_count.q.val();
        self.idle_cycles.next = self.idle_count.q.val();
        self.digit_stall_cycles.next = self.stall_count.q.val();
        self.idle_no_pair_cycles.next = 0.into();
        self.idle_batch_cycles.next = 0.into();
        self.idle_adder_cycles.next = 0.into();
        self.idle_memory_cycles.next = 0.into();
        self.idle_host_cycles.next = 0.into();
        self.idle_drain_cycles.next = 0.into();
        self.parked.next = 0.into();
        self.matched.next = 0.into();
        self.doublings.next = 0.into();
        self.annihilations.next = 0.into();

        if self.reset.val() {
            self.phase.d.next = 0.into();
        }
    }
}
