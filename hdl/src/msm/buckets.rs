//! Match or park: the banks, the pair FIFO and the adder around which tokens run.

use super::adder::PointAdder;
use super::bank::Bank;
use super::pairs::PairFifo;
use super::shape::Shape;
use super::store::PointStore;
use crate::profile::{AdderKind, Profile};
use rust_hdl::prelude::*;

/// Tokens run through three cycles: their slot is looked up, they park or take, and the point taken is there.
/// Port A serves the sums that come back from the adder, at once and always; port B serves fresh tokens while there is
/// room for them. Two tokens of one slot in one cycle are a pair without touching the bank. Each cycle the adder is
/// offered a pair of port A if there is one, else the oldest of port B's, which go through a FIFO.
///
/// An adder that may refuse a pair has a second FIFO before it, for the pairs of port A; what is in that one goes first.
/// It never overflows: each of its pairs stands for a token in flight, and fresh tokens are let in only while fewer
/// tokens are in flight than it has entries. Where the adder holds as many pairs as that, it is busy anyway.
///
/// While tokens go to one bank (`token_bank`), port B of the other can be scanned: each look-up empties its slot.
/// Reset sweeps all slots empty (`clearing`) and takes [`Buckets::clear_cycles`] cycles.
#[derive(LogicBlock)]
pub struct Buckets {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Empties everything.
    pub reset: Signal<In, Bit>,
    /// Reset is still under way: nothing is taken.
    pub clearing: Signal<Out, Bit>,
    /// Bank that tokens go to; may change only while `empty`.
    pub token_bank: Signal<In, Bit>,
    /// There is a fresh token.
    pub fresh_valid: Signal<In, Bit>,
    /// It is taken.
    pub fresh_ready: Signal<Out, Bit>,
    /// Its slot.
    pub fresh_slot: Signal<In, Bits<20>>,
    /// Its point.
    pub fresh_point: Signal<In, Bits<762>>,
    /// Look a slot of the other bank up, and empty it.
    pub scan_valid: Signal<In, Bit>,
    /// The slot.
    pub scan_slot: Signal<In, Bits<20>>,
    /// Two cycles later: it held a point.
    pub scan_full: Signal<Out, Bit>,
    /// Two cycles later: the point.
    pub scan_point: Signal<Out, Bits<762>>,
    /// No token is under way: every sum is in its slot.
    pub empty: Signal<Out, Bit>,
    /// A pair is issued to the adder in this cycle.
    pub issued: Signal<Out, Bit>,
    /// There is a pair, and the adder does not take it; or a fresh token is not let in.
    pub held_back: Signal<Out, Bit>,
    /// Pairs in the adder wait for their batch to be closed.
    pub waiting: Signal<Out, Bit>,
    /// Tokens that park in this cycle, 0 to 2. Of two tokens that are a pair without the bank, one counts as parked.
    pub parked: Signal<Out, Bits<2>>,
    /// Tokens that take another in this cycle, 0 to 2: each makes a pair.
    pub matched: Signal<Out, Bits<2>>,
    /// The adder found equal points.
    pub doubling: Signal<Out, Bit>,
    /// The adder found opposite points.
    pub annihilated: Signal<Out, Bit>,
    bank0: Bank,
    bank1: Bank,
    adder: PointAdder,
    pairs: PairFifo,
    returned: Vec<PairFifo>,
    // Fresh token, held until it is let in.
    held: DFF<Bit>,
    held_slot: DFF<Bits<20>>,
    held_point: DFF<Bits<762>>,
    // Second cycle: the flags are known.
    a_valid1: DFF<Bit>,
    a_slot1: DFF<Bits<20>>,
    a_point1: DFF<Bits<762>>,
    b_valid1: DFF<Bit>,
    b_slot1: DFF<Bits<20>>,
    b_point1: DFF<Bits<762>>,
    scan1: DFF<Bit>,
    // Third cycle: the points taken are there.
    a_pair2: DFF<Bit>,
    same2: DFF<Bit>,
    a_slot2: DFF<Bits<20>>,
    a_point2: DFF<Bits<762>>,
    b_pair2: DFF<Bit>,
    b_slot2: DFF<Bits<20>>,
    b_point2: DFF<Bits<762>>,
    scan_full2: DFF<Bit>,
    // Account of tokens that have entered and not parked.
    in_flight: DFF<Bits<16>>,
    sweeping: DFF<Bit>,
    sweep: DFF<Bits<20>>,
    let_in: Signal<Local, Bit>,
    enters: Signal<Local, Bit>,
    same: Signal<Local, Bit>,
    a_full: Signal<Local, Bit>,
    b_full: Signal<Local, Bit>,
    other_full: Signal<Local, Bit>,
    a_park: Signal<Local, Bit>,
    a_take: Signal<Local, Bit>,
    b_park: Signal<Local, Bit>,
    b_take: Signal<Local, Bit>,
    scan_take: Signal<Local, Bit>,
    gone: Signal<Local, Bits<16>>,
    partner: Signal<Local, Bits<762>>,
    fresh_partner: Signal<Local, Bits<762>>,
    returned_valid: Signal<Local, Bit>,
    pair: Signal<Local, Bit>,
    annihilates: Signal<Local, Bit>,
    last_sweep: Constant<Bits<20>>,
    bucket_slots: Constant<Bits<20>>,
    sum_slots: Constant<Bits<20>>,
    margin: Constant<Bits<16>>,
    most_in_flight: Constant<Bits<16>>,
    _returned: usize,
    _clear_cycles: usize,
}

/// Entries that the fresh tokens' pair FIFO keeps free for tokens already let in: two stages, and one to spare.
const PAIR_MARGIN: usize = 3;

/// The fresh tokens' pair FIFO, where returning ones have their own, has a quarter of that one's entries: sums of a
/// batch come back in one long run, and fresh pairs made meanwhile are what the adder takes in the pause after it.
pub(crate) const FRESH_SHARE: usize = 4;

impl Buckets {
    /// Buckets of a core around its adder; `flush_cycles` is how long its neighbours need a reset to last.
    pub fn new(profile: &Profile, shape: &Shape, flush_cycles: usize) -> Buckets {
        let adder = PointAdder::new(profile, shape.curve);
        let store = PointStore::of_profile(profile, shape.curve);
        let depth = profile.msm.pair_fifo_depth as usize;
        let (fresh_depth, returned, most_in_flight) = match (profile.msm.adder, &profile.digit_serial) {
            // Always ready: no returning pair ever waits, and the pipeline bounds what is in flight.
            (AdderKind::Complete, None) => (depth, vec![], usize::from(u16::MAX)),
            // A pair every so many cycles, in either way: few fresh ones need to wait.
            (AdderKind::Complete, Some(_)) => (depth / 2, vec![PairFifo::new(depth, &store)], depth),
            (AdderKind::BatchedAffine, _) => (depth / FRESH_SHARE, vec![PairFifo::new(depth, &store)], depth),
        };
        // Sums of an old job must have left the adder before a new one begins.
        let slots = shape.bucket_slots().max(shape.sum_slots());
        let clear_cycles = slots.max(adder.flush_cycles() + 8).max(flush_cycles + 8);
        Buckets {
            clock: Default::default(),
            reset: Default::default(),
            clearing: Default::default(),
            token_bank: Default::default(),
            fresh_valid: Default::default(),
            fresh_ready: Default::default(),
            fresh_slot: Default::default(),
            fresh_point: Default::default(),
            scan_valid: Default::default(),
            scan_slot: Default::default(),
            scan_full: Default::default(),
            scan_point: Default::default(),
            empty: Default::default(),
            issued: Default::default(),
            held_back: Default::default(),
            waiting: Default::default(),
            parked: Default::default(),
            matched: Default::default(),
            doubling: Default::default(),
            annihilated: Default::default(),
            bank0: Bank::new(shape.bucket_slots(), &store),
            bank1: Bank::new(shape.sum_slots(), &store),
            adder,
            pairs: PairFifo::new(fresh_depth, &store),
            _returned: returned.len(),
            returned,
            held: Default::default(),
            held_slot: Default::default(),
            held_point: Default::default(),
            a_valid1: Default::default(),
            a_slot1: Default::default(),
            a_point1: Default::default(),
            b_valid1: Default::default(),
            b_slot1: Default::default(),
            b_point1: Default::default(),
            scan1: Default::default(),
            a_pair2: Default::default(),
            same2: Default::default(),
            a_slot2: Default::default(),
            a_point2: Default::default(),
            b_pair2: Default::default(),
            b_slot2: Default::default(),
            b_point2: Default::default(),
            scan_full2: Default::default(),
            in_flight: Default::default(),
            sweeping: Default::default(),
            sweep: Default::default(),
            let_in: Default::default(),
            enters: Default::default(),
            same: Default::default(),
            a_full: Default::default(),
            b_full: Default::default(),
            other_full: Default::default(),
            a_park: Default::default(),
            a_take: Default::default(),
            b_park: Default::default(),
            b_take: Default::default(),
            scan_take: Default::default(),
            gone: Default::default(),
            partner: Default::default(),
            fresh_partner: Default::default(),
            returned_valid: Default::default(),
            pair: Default::default(),
            annihilates: Default::default(),
            last_sweep: Constant::new((clear_cycles - 1).to_bits()),
            bucket_slots: Constant::new(shape.bucket_slots().to_bits()),
            sum_slots: Constant::new(shape.sum_slots().to_bits()),
            margin: Constant::new(PAIR_MARGIN.to_bits()),
            most_in_flight: Constant::new(most_in_flight.to_bits()),
            _clear_cycles: clear_cycles,
        }
    }

    /// Cycles that a reset takes.
    pub fn clear_cycles(&self) -> usize {
        self._clear_cycles
    }

    /// Latency of the adder in cycles.
    pub fn adder_latency(&self) -> usize {
        self.adder.latency()
    }
}

impl Logic for Buckets {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, held, held_slot, held_point, a_valid1, a_slot1, a_point1, b_valid1, b_slot1);
        dff_setup!(
            self, clock, b_point1, scan1, a_pair2, same2, a_slot2, a_point2, b_pair2, b_slot2, b_point2
        );
        dff_setup!(self, clock, scan_full2, in_flight, sweeping, sweep);
        self.bank0.clock.next = self.clock.val();
        self.bank1.clock.next = self.clock.val();
        self.adder.clock.next = self.clock.val();
        self.adder.reset.next = self.reset.val() | self.sweeping.q.val();
        self.pairs.clock.next = self.clock.val();
        self.pairs.reset.next = self.reset.val();

        // First cycle: look up. A fresh token waits in `held` until there is room for it.
        self.let_in.next = self.held.q.val()
            & (self.pairs.space.val() > self.margin.val())
            & (self.in_flight.q.val() < self.most_in_flight.val());
        self.fresh_ready.next = (!self.held.q.val() | self.let_in.val()) & !self.sweeping.q.val();
        self.enters.next =
            self.fresh_valid.val() & (!self.held.q.val() | self.let_in.val()) & !self.sweeping.q.val();
        if self.let_in.val() {
            self.held.d.next = false;
        }
        if self.enters.val() {
            self.held.d.next = true;
            self.held_slot.d.next = self.fresh_slot.val();
            self.held_point.d.next = self.fresh_point.val();
        }
        self.a_valid1.d.next = self.adder.valid_out.val() & !self.sweeping.q.val();
        self.a_slot1.d.next = self.adder.tag_out.val();
        self.a_point1.d.next = self.adder.sum.val();
        self.b_valid1.d.next = self.let_in.val();
        self.b_slot1.d.next = self.held_slot.q.val();
        self.b_point1.d.next = self.held_point.q.val();
        self.scan1.d.next = self.scan_valid.val();
        self.bank0.a_index.next = self.adder.tag_out.val();
        self.bank1.a_index.next = self.adder.tag_out.val();
        self.bank0.b_index.next = self.held_slot.q.val();
        self.bank1.b_index.next = self.scan_slot.val();
        if self.token_bank.val() {
            self.bank0.b_index.next = self.scan_slot.val();
            self.bank1.b_index.next = self.held_slot.q.val();
        }

        // Second cycle: park, take, or pair up with each other.
        self.a_full.next = self.bank0.a_full.val();
        self.b_full.next = self.bank0.b_full.val();
        self.other_full.next = self.bank1.b_full.val();
        if self.token_bank.val() {
            self.a_full.next = self.bank1.a_full.val();
            self.b_full.next = self.bank1.b_full.val();
            self.other_full.next = self.bank0.b_full.val();
        }
        self.same.next =
            self.a_valid1.q.val() & self.b_valid1.q.val() & (self.a_slot1.q.val() == self.b_slot1.q.val());
        self.a_park.next = self.a_valid1.q.val() & !self.same.val() & !self.a_full.val();
        self.a_take.next = self.a_valid1.q.val() & !self.same.val() & self.a_full.val();
        self.b_park.next = self.b_valid1.q.val() & !self.same.val() & !self.b_full.val();
        self.b_take.next = self.b_valid1.q.val() & !self.same.val() & self.b_full.val();
        self.scan_take.next = self.scan1.q.val() & self.other_full.val();
        self.bank0.a_data.next = self.a_point1.q.val();
        self.bank1.a_data.next = self.a_point1.q.val();
        self.bank0.b_data.next = self.b_point1.q.val();
        self.bank1.b_data.next = self.b_point1.q.val();
        self.bank0.a_park.next = self.a_park.val() & !self.token_bank.val();
        self.bank1.a_park.next = self.a_park.val() & self.token_bank.val();
        self.bank0.a_take.next = self.a_take.val() & !self.token_bank.val();
        self.bank1.a_take.next = self.a_take.val() & self.token_bank.val();
        self.bank0.b_park.next = self.b_park.val() & !self.token_bank.val();
        self.bank1.b_park.next = self.b_park.val() & self.token_bank.val();
        self.bank0.b_take.next =
            (self.b_take.val() & !self.token_bank.val()) | (self.scan_take.val() & self.token_bank.val());
        self.bank1.b_take.next =
            (self.b_take.val() & self.token_bank.val()) | (self.scan_take.val() & !self.token_bank.val());
        self.a_pair2.d.next = self.a_take.val() | self.same.val();
        self.same2.d.next = self.same.val();
        self.a_slot2.d.next = self.a_slot1.q.val();
        self.a_point2.d.next = self.a_point1.q.val();
        self.b_pair2.d.next = self.b_take.val();
        self.b_slot2.d.next = self.b_slot1.q.val();
        self.b_point2.d.next = self.b_point1.q.val();
        self.scan_full2.d.next = self.scan_take.val();

        // Third cycle: the pairs are complete.
        self.partner.next = self.bank0.a_read.val();
        self.fresh_partner.next = self.bank0.b_read.val();
        self.scan_point.next = self.bank1.b_read.val();
        if self.token_bank.val() {
            self.partner.next = self.bank1.a_read.val();
            self.fresh_partner.next = self.bank1.b_read.val();
            self.scan_point.next = self.bank0.b_read.val();
        }
        if self.same2.q.val() {
            self.partner.next = self.b_point2.q.val();
        }
        self.scan_full.next = self.scan_full2.q.val();
        self.pairs.in_p.next = self.b_point2.q.val();
        self.pairs.in_q.next = self.fresh_partner.val();
        self.pairs.in_slot.next = self.b_slot2.q.val();
        self.pairs.in_valid.next = self.b_pair2.q.val();

        // Issue: sums that came back first, so that the fresh tokens' FIFO can only drain.
        self.returned_valid.next = false;
        for i in 0..self._returned {
            self.returned[i].clock.next = self.clock.val();
            self.returned[i].reset.next = self.reset.val();
            self.returned_valid.next = self.returned[i].out_valid.val();
        }
        self.pair.next = (self.returned_valid.val() | self.a_pair2.q.val() | self.pairs.out_valid.val())
            & !self.sweeping.q.val();
        self.adder.valid_in.next = self.pair.val();
        self.issued.next = self.pair.val() & self.adder.ready.val();
        self.held_back.next =
            (self.pair.val() & !self.adder.ready.val()) | (self.held.q.val() & !self.let_in.val());
        self.waiting.next = self.adder.waiting.val();
        self.adder.p.next = self.pairs.out_p.val();
        self.adder.q.next = self.pairs.out_q.val();
        self.adder.tag.next = self.pairs.out_slot.val();
        self.pairs.out_ready.next = self.adder.ready.val()
            & !self.a_pair2.q.val()
            & !self.returned_valid.val()
            & !self.sweeping.q.val();
        if self.a_pair2.q.val() {
            self.adder.p.next = self.a_point2.q.val();
            self.adder.q.next = self.partner.val();
            self.adder.tag.next = self.a_slot2.q.val();
        }
        for i in 0..self._returned {
            self.returned[i].in_p.next = self.a_point2.q.val();
            self.returned[i].in_q.next = self.partner.val();
            self.returned[i].in_slot.next = self.a_slot2.q.val();
            self.returned[i].in_valid.next =
                self.a_pair2.q.val() & (self.returned_valid.val() | !self.adder.ready.val());
            self.returned[i].out_ready.next = self.adder.ready.val() & !self.sweeping.q.val();
            if self.returned_valid.val() {
                self.adder.p.next = self.returned[i].out_p.val();
                self.adder.q.next = self.returned[i].out_q.val();
                self.adder.tag.next = self.returned[i].out_slot.val();
            }
        }

        // A token is in flight until it parks; of a pair, one goes on, unless its points annihilate each other.
        self.parked.next = 0.into();
        self.matched.next = 0.into();
        self.gone.next = 0.into();
        if self.same.val() | (self.a_park.val() ^ self.b_park.val()) {
            self.parked.next = 1.into();
            self.gone.next = 1.into();
        }
        if self.a_park.val() & self.b_park.val() {
            self.parked.next = 2.into();
            self.gone.next = 2.into();
        }
        if self.same.val() | (self.a_take.val() ^ self.b_take.val()) {
            self.matched.next = 1.into();
        }
        if self.a_take.val() & self.b_take.val() {
            self.matched.next = 2.into();
        }
        self.annihilates.next = self.adder.annihilated.val() & !self.sweeping.q.val();
        self.annihilated.next = self.annihilates.val();
        self.doubling.next = self.adder.doubling.val() & !self.sweeping.q.val();
        self.in_flight.d.next = self.in_flight.q.val() - self.gone.val();
        if self.enters.val() & !self.annihilates.val() {
            self.in_flight.d.next = self.in_flight.q.val() + 1 - self.gone.val();
        }
        if self.annihilates.val() & !self.enters.val() {
            self.in_flight.d.next = self.in_flight.q.val() - 1 - self.gone.val();
        }
        self.empty.next = self.in_flight.q.val() == 0;

        // Reset: one sweep over both banks.
        self.clearing.next = self.sweeping.q.val();
        self.bank0.clear.next = self.sweeping.q.val() & (self.sweep.q.val() < self.bucket_slots.val());
        self.bank0.clear_index.next = self.sweep.q.val();
        self.bank1.clear.next = self.sweeping.q.val() & (self.sweep.q.val() < self.sum_slots.val());
        self.bank1.clear_index.next = self.sweep.q.val();
        if self.sweeping.q.val() {
            self.sweep.d.next = self.sweep.q.val() + 1;
            if self.sweep.q.val() == self.last_sweep.val() {
                self.sweeping.d.next = false;
            }
        }
        if self.reset.val() {
            self.held.d.next = false;
            self.a_valid1.d.next = false;
            self.b_valid1.d.next = false;
            self.scan1.d.next = false;
            self.a_pair2.d.next = false;
            self.b_pair2.d.next = false;
            self.scan_full2.d.next = false;
            self.in_flight.d.next = 0.into();
            self.sweeping.d.next = true;
            self.sweep.d.next = 0.into();
        }
    }
}
