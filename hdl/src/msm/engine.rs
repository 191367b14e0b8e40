//! The engine: its cores, what they share, and the counters of a job.

use super::core::MsmCore;
use super::counters::MsmCounters;
use super::shape::Shape;
use crate::profile::Profile;
use rust_hdl::prelude::*;

/// Multi-scalar multiplication of `count` scalars and points; see the [module](crate::msm).
///
/// After `start` the engine takes `count` elements, each a scalar and a point in one cycle, sends them to its cores, and
/// writes projective points, three beats each (X, Y, Z): for core 0 to k − 1 of the job's curve, for each of the core's windows in ascending
/// order, for bit 0 to c − 1, the sum S(w, b) with Σ s·P = Σ 2^(c·w + b)·S(w, b) over all of them. A window that several
/// cores serve comes once from each. A sum that nothing was added to is all zero. See
/// [`window_shares`](spandrel_abi::window_shares) for which core serves what.
///
/// Elements go through registers and are taken while every core has room, so cores are never more than a few elements
/// apart. The events of the cores run through a chain of registers, a core a cycle: `busy` falls when the last of them is
/// counted. Counters stand until the next `start`. `cycles` ends with the last result beat taken.
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
    /// The job is on the second of the profile's two curves, taken with `start`.
    pub second_curve: Signal<In, Bit>,
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
    /// Non-zero digits taken in, by all cores.
    pub digits: Signal<Out, Bits<64>>,
    /// Scalars taken in.
    pub elements: Signal<Out, Bits<64>>,
    /// Cycles in which some core takes digits.
    pub bucket_cycles: Signal<Out, Bits<64>>,
    /// Cycles in which some core is in one of the two passes and none takes digits.
    pub reduction_cycles: Signal<Out, Bits<64>>,
    /// Cycles in which a core in one of its first three phases issued no addition.
    pub idle_cycles: Signal<Out, Bits<64>>,
    /// Cycles in which a digit had to wait.
    pub digit_stall_cycles: Signal<Out, Bits<64>>,
    /// Idle: tokens were on their way, and none of them made a pair.
    pub idle_no_pair_cycles: Signal<Out, Bits<64>>,
    /// Idle: no token was left to take in, and pairs waited for their batch to be closed.
    pub idle_batch_cycles: Signal<Out, Bits<64>>,
    /// Idle: there was a pair, or a token that might have made one, and the adder was not ready.
    pub idle_adder_cycles: Signal<Out, Bits<64>>,
    /// Idle: points were awaited.
    pub idle_memory_cycles: Signal<Out, Bits<64>>,
    /// Idle: scalars were awaited.
    pub idle_host_cycles: Signal<Out, Bits<64>>,
    /// Idle: no token was left to take in, and the last sums were awaited.
    pub idle_drain_cycles: Signal<Out, Bits<64>>,
    /// Tokens that parked; of two that made a pair without the buckets, one counts.
    pub parked: Signal<Out, Bits<64>>,
    /// Pairs made, each by a token that took another.
    pub matched: Signal<Out, Bits<64>>,
    /// Additions of equal points, where the adder tells them apart.
    pub doublings: Signal<Out, Bits<64>>,
    /// Additions of opposite points, which give no sum, where the adder tells them apart.
    pub annihilations: Signal<Out, Bits<64>>,
    cores: Vec<MsmCore>,
    counters: MsmCounters,
    starting: DFF<Bit>,
    running: DFF<Bit>,
    choice: DFF<Bits<4>>,
    on_second_curve: DFF<Bit>,
    job_count: DFF<Bits<32>>,
    remaining: DFF<Bits<32>>,
    room: DFF<Bit>,
    sent: DFF<Bit>,
    sent_scalar: DFF<Bits<256>>,
    sent_point: DFF<Bits<512>>,
    host_late: DFF<Bit>,
    memory_late: DFF<Bit>,
    settled: DFF<Bits<6>>,
    cycles_count: DFF<Bits<64>>,
    elements_count: DFF<Bits<64>>,
    bucket_count: DFF<Bits<64>>,
    reduction_count: DFF<Bits<64>>,
    all_room: Signal<Local, Bit>,
    clearing: Signal<Local, Bit>,
    cores_busy: Signal<Local, Bit>,
    in_buckets: Signal<Local, Bit>,
    in_passes: Signal<Local, Bit>,
    tally: Signal<Local, Bits<112>>,
    begins: Signal<Local, Bit>,
    wanted: Signal<Local, Bit>,
    take: Signal<Local, Bit>,
    chain: Constant<Bits<6>>,
    _cores: usize,
    _links: usize,
}

impl MsmEngine {
    /// The engine of a profile.
    pub fn new(profile: &Profile) -> MsmEngine {
        let cores: Vec<_> =
            Shape::of_cores(profile).iter().map(|shape| MsmCore::new(profile, shape)).collect();
        MsmEngine {
            clock: Default::default(),
            reset: Default::default(),
            start: Default::default(),
            count: Default::default(),
            window_choice: Default::default(),
            second_curve: Default::default(),
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
            counters: MsmCounters::new(),
            starting: Default::default(),
            running: Default::default(),
            choice: Default::default(),
            on_second_curve: Default::default(),
            job_count: Default::default(),
            remaining: Default::default(),
            room: Default::default(),
            sent: Default::default(),
            sent_scalar: Default::default(),
            sent_point: Default::default(),
            host_late: Default::default(),
            memory_late: Default::default(),
            settled: Default::default(),
            cycles_count: Default::default(),
            elements_count: Default::default(),
            bucket_count: Default::default(),
            reduction_count: Default::default(),
            all_room: Default::default(),
            clearing: Default::default(),
            cores_busy: Default::default(),
            in_buckets: Default::default(),
            in_passes: Default::default(),
            tally: Default::default(),
            begins: Default::default(),
            wanted: Default::default(),
            take: Default::default(),
            chain: Constant::new((cores.len() + 2).to_bits()),
            _cores: cores.len(),
            _links: cores.len() - 1,
            cores,
        }
    }

    /// Latency of the point adder in cycles.
    pub fn adder_latency(&self) -> usize {
        self.cores.iter().map(MsmCore::adder_latency).max().unwrap_or_default()
    }

    /// Cycles for which the engine is busy after a reset.
    pub fn clear_cycles(&self) -> usize {
        self.cores.iter().map(MsmCore::clear_cycles).max().unwrap_or_default()
    }
}

impl Logic for MsmEngine {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, starting, running, choice, job_count, remaining, room, sent, sent_scalar);
        dff_setup!(self, clock, sent_point, host_late, memory_late, settled, cycles_count, elements_count);
        dff_setup!(self, clock, bucket_count, reduction_count, on_second_curve);
        self.counters.clock.next = self.clock.val();

        // A job begins one cycle after `start`, everywhere, from registers.
        self.all_room.next = true;
        self.clearing.next = false;
        self.cores_busy.next = self.starting.q.val();
        self.in_buckets.next = false;
        self.in_passes.next = false;
        self.tally.next = 0.into();
        for i in 0..self._cores {
            self.cores[i].clock.next = self.clock.val();
            self.cores[i].reset.next = self.reset.val();
            self.cores[i].start.next = self.starting.q.val();
            self.cores[i].count.next = self.job_count.q.val();
            self.cores[i].choice.next = self.choice.q.val();
            self.cores[i].second_curve.next = self.on_second_curve.q.val();
            self.cores[i].element_scalar.next = self.sent_scalar.q.val();
            self.cores[i].element_point.next = self.sent_point.q.val();
            self.cores[i].element_valid.next = self.sent.q.val();
            self.cores[i].host_is_late.next = self.host_late.q.val();
            self.cores[i].memory_is_late.next = self.memory_late.q.val();
            self.cores[i].behind_data.next = 0.into();
            self.cores[i].behind_valid.next = false;
            self.cores[i].result_ready.next = self.result_ready.val();
            self.cores[i].tally_before.next = self.tally.val();
            self.tally.next = self.cores[i].tally.val();
            self.all_room.next = self.all_room.val() & self.cores[i].room.val();
            self.clearing.next = self.clearing.val() | self.cores[i].clearing.val();
            self.cores_busy.next = self.cores_busy.val() | self.cores[i].busy.val();
            self.in_buckets.next = self.in_buckets.val() | self.cores[i].in_buckets.val();
            self.in_passes.next = self.in_passes.val() | self.cores[i].in_passes.val();
        }
        for i in 0..self._links {
            self.cores[i].behind_data.next = self.cores[i + 1].result_data.val();
            self.cores[i].behind_valid.next = self.cores[i + 1].result_valid.val();
            self.cores[i + 1].result_ready.next = self.cores[i].behind_ready.val();
        }
        self.result_data.next = self.cores[0].result_data.val();
        self.result_valid.next = self.cores[0].result_valid.val();
        self.busy.next = self.running.q.val() | self.clearing.val();
        self.begins.next = self.start.val() & !self.running.q.val() & !self.clearing.val();
        self.starting.d.next = self.begins.val();
        if self.begins.val() {
            self.running.d.next = true;
            self.choice.d.next = self.window_choice.val();
            self.on_second_curve.d.next = self.second_curve.val();
            self.job_count.d.next = self.count.val();
            self.remaining.d.next = self.count.val();
        }

        // Elements are sent to all cores at once.
        self.room.d.next = self.all_room.val();
        self.wanted.next = self.room.q.val()
            & (self.remaining.q.val() != 0)
            & self.running.q.val()
            & !self.starting.q.val()
            & !self.reset.val();
        self.take.next = self.wanted.val() & self.scalar_valid.val() & self.point_valid.val();
        self.scalar_ready.next = self.take.val();
        self.point_ready.next = self.take.val();
        self.sent.d.next = self.take.val();
        self.sent_scalar.d.next = self.scalar_data.val();
        self.sent_point.d.next = self.point_data.val();
        self.host_late.d.next = self.wanted.val() & !self.scalar_valid.val();
        self.memory_late.d.next = self.wanted.val() & self.scalar_valid.val() & !self.point_valid.val();
        if self.take.val() {
            self.remaining.d.next = self.remaining.q.val() - 1;
        }

        // The job is over when the events of the last core have come through the chain.
        self.settled.d.next = 0.into();
        if self.running.q.val() & !self.cores_busy.val() {
            self.settled.d.next = self.settled.q.val() + 1;
            if self.settled.q.val() == self.chain.val() {
                self.running.d.next = false;
            }
        }

        // Counters.
        self.counters.tally.next = self.tally.val();
        self.counters.clear.next = self.starting.q.val();
        if self.running.q.val() & self.cores_busy.val() {
            self.cycles_count.d.next = self.cycles_count.q.val() + 1;
        }
        if self.take.val() {
            self.elements_count.d.next = self.elements_count.q.val() + 1;
        }
        if self.in_buckets.val() {
            self.bucket_count.d.next = self.bucket_count.q.val() + 1;
        }
        if self.in_passes.val() & !self.in_buckets.val() {
            self.reduction_count.d.next = self.reduction_count.q.val() + 1;
        }
        if self.begins.val() {
            self.cycles_count.d.next = 0.into();
            self.elements_count.d.next = 0.into();
            self.bucket_count.d.next = 0.into();
            self.reduction_count.d.next = 0.into();
        }
        self.cycles.next = self.cycles_count.q.val();
        self.elements.next = self.elements_count.q.val();
        self.bucket_cycles.next = self.bucket_count.q.val();
        self.reduction_cycles.next = self.reduction_count.q.val();
        self.additions.next = self.counters.additions.val();
        self.digits.next = self.counters.digits.val();
        self.idle_cycles.next = self.counters.idle_cycles.val();
        self.digit_stall_cycles.next = self.counters.digit_stall_cycles.val();
        self.idle_no_pair_cycles.next = self.counters.idle_no_pair_cycles.val();
        self.idle_batch_cycles.next = self.counters.idle_batch_cycles.val();
        self.idle_adder_cycles.next = self.counters.idle_adder_cycles.val();
        self.idle_memory_cycles.next = self.counters.idle_memory_cycles.val();
        self.idle_host_cycles.next = self.counters.idle_host_cycles.val();
        self.idle_drain_cycles.next = self.counters.idle_drain_cycles.val();
        self.parked.next = self.counters.parked.val();
        self.matched.next = self.counters.matched.val();
        self.doublings.next = self.counters.doublings.val();
        self.annihilations.next = self.counters.annihilations.val();

        if self.reset.val() {
            self.starting.d.next = false;
            self.running.d.next = false;
            self.sent.d.next = false;
            self.remaining.d.next = 0.into();
        }
    }
}
