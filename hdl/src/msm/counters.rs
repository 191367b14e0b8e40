//! The counters of a job.

use rust_hdl::prelude::*;

/// Adds up the tallies of all cores, each of which has a lane of eight bits for each of the counters, in this order.
#[derive(LogicBlock)]
pub struct MsmCounters {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Zeroes all: a job begins.
    pub clear: Signal<In, Bit>,
    /// Events of one cycle; see [`AddEvents`](super::tally::AddEvents).
    pub tally: Signal<In, Bits<112>>,
    /// Additions issued.
    pub additions: Signal<Out, Bits<64>>,
    /// Non-zero digits taken in.
    pub digits: Signal<Out, Bits<64>>,
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
    additions_now: DFF<Bits<64>>,
    digits_now: DFF<Bits<64>>,
    idle_cycles_now: DFF<Bits<64>>,
    digit_stall_cycles_now: DFF<Bits<64>>,
    idle_no_pair_cycles_now: DFF<Bits<64>>,
    idle_batch_cycles_now: DFF<Bits<64>>,
    idle_adder_cycles_now: DFF<Bits<64>>,
    idle_memory_cycles_now: DFF<Bits<64>>,
    idle_host_cycles_now: DFF<Bits<64>>,
    idle_drain_cycles_now: DFF<Bits<64>>,
    parked_now: DFF<Bits<64>>,
    matched_now: DFF<Bits<64>>,
    doublings_now: DFF<Bits<64>>,
    annihilations_now: DFF<Bits<64>>,
}

impl MsmCounters {
    /// Counters at zero.
    pub fn new() -> MsmCounters {
        MsmCounters {
            clock: Default::default(),
            clear: Default::default(),
            tally: Default::default(),
            additions: Default::default(),
            digits: Default::default(),
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
            additions_now: Default::default(),
            digits_now: Default::default(),
            idle_cycles_now: Default::default(),
            digit_stall_cycles_now: Default::default(),
            idle_no_pair_cycles_now: Default::default(),
            idle_batch_cycles_now: Default::default(),
            idle_adder_cycles_now: Default::default(),
            idle_memory_cycles_now: Default::default(),
            idle_host_cycles_now: Default::default(),
            idle_drain_cycles_now: Default::default(),
            parked_now: Default::default(),
            matched_now: Default::default(),
            doublings_now: Default::default(),
            annihilations_now: Default::default(),
        }
    }
}

impl Logic for MsmCounters {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, additions_now, digits_now, idle_cycles_now, digit_stall_cycles_now);
        dff_setup!(
            self,
            clock,
            idle_no_pair_cycles_now,
            idle_batch_cycles_now,
            idle_adder_cycles_now,
            idle_memory_cycles_now
        );
        dff_setup!(self, clock, idle_host_cycles_now, idle_drain_cycles_now, parked_now, matched_now);
        dff_setup!(self, clock, doublings_now, annihilations_now);
        self.additions_now.d.next =
            self.additions_now.q.val() + bit_cast::<64, 8>(self.tally.val().get_bits::<8>(0));
        self.digits_now.d.next =
            self.digits_now.q.val() + bit_cast::<64, 8>(self.tally.val().get_bits::<8>(8));
        self.idle_cycles_now.d.next =
            self.idle_cycles_now.q.val() + bit_cast::<64, 8>(self.tally.val().get_bits::<8>(16));
        self.digit_stall_cycles_now.d.next =
            self.digit_stall_cycles_now.q.val() + bit_cast::<64, 8>(self.tally.val().get_bits::<8>(24));
        self.idle_no_pair_cycles_now.d.next =
            self.idle_no_pair_cycles_now.q.val() + bit_cast::<64, 8>(self.tally.val().get_bits::<8>(32));
        self.idle_batch_cycles_now.d.next =
            self.idle_batch_cycles_now.q.val() + bit_cast::<64, 8>(self.tally.val().get_bits::<8>(40));
        self.idle_adder_cycles_now.d.next =
            self.idle_adder_cycles_now.q.val() + bit_cast::<64, 8>(self.tally.val().get_bits::<8>(48));
        self.idle_memory_cycles_now.d.next =
            self.idle_memory_cycles_now.q.val() + bit_cast::<64, 8>(self.tally.val().get_bits::<8>(56));
        self.idle_host_cycles_now.d.next =
            self.idle_host_cycles_now.q.val() + bit_cast::<64, 8>(self.tally.val().get_bits::<8>(64));
        self.idle_drain_cycles_now.d.next =
            self.idle_drain_cycles_now.q.val() + bit_cast::<64, 8>(self.tally.val().get_bits::<8>(72));
        self.parked_now.d.next =
            self.parked_now.q.val() + bit_cast::<64, 8>(self.tally.val().get_bits::<8>(80));
        self.matched_now.d.next =
            self.matched_now.q.val() + bit_cast::<64, 8>(self.tally.val().get_bits::<8>(88));
        self.doublings_now.d.next =
            self.doublings_now.q.val() + bit_cast::<64, 8>(self.tally.val().get_bits::<8>(96));
        self.annihilations_now.d.next =
            self.annihilations_now.q.val() + bit_cast::<64, 8>(self.tally.val().get_bits::<8>(104));
        if self.clear.val() {
            self.additions_now.d.next = 0.into();
            self.digits_now.d.next = 0.into();
            self.idle_cycles_now.d.next = 0.into();
            self.digit_stall_cycles_now.d.next = 0.into();
            self.idle_no_pair_cycles_now.d.next = 0.into();
            self.idle_batch_cycles_now.d.next = 0.into();
            self.idle_adder_cycles_now.d.next = 0.into();
            self.idle_memory_cycles_now.d.next = 0.into();
            self.idle_host_cycles_now.d.next = 0.into();
            self.idle_drain_cycles_now.d.next = 0.into();
            self.parked_now.d.next = 0.into();
            self.matched_now.d.next = 0.into();
            self.doublings_now.d.next = 0.into();
            self.annihilations_now.d.next = 0.into();
        }
        self.additions.next = self.additions_now.q.val();
        self.digits.next = self.digits_now.q.val();
        self.idle_cycles.next = self.idle_cycles_now.q.val();
        self.digit_stall_cycles.next = self.digit_stall_cycles_now.q.val();
        self.idle_no_pair_cycles.next = self.idle_no_pair_cycles_now.q.val();
        self.idle_batch_cycles.next = self.idle_batch_cycles_now.q.val();
        self.idle_adder_cycles.next = self.idle_adder_cycles_now.q.val();
        self.idle_memory_cycles.next = self.idle_memory_cycles_now.q.val();
        self.idle_host_cycles.next = self.idle_host_cycles_now.q.val();
        self.idle_drain_cycles.next = self.idle_drain_cycles_now.q.val();
        self.parked.next = self.parked_now.q.val();
        self.matched.next = self.matched_now.q.val();
        self.doublings.next = self.doublings_now.q.val();
        self.annihilations.next = self.annihilations_now.q.val();
    }
}
