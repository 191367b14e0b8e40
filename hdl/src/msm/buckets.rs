//! Match or park: the banks, the pair FIFO and the adder around which tokens run.

use super::adder::PointAdder;
use super::bank::Bank;
use super::shape::Shape;
use crate::datapath::{Datapath, Module};
use crate::pipeline_block;
use crate::stream::Fifo;
use rust_hdl::prelude::*;
use std::rc::Rc;

pipeline_block! {
    /// One line of the pair FIFO.
    combinational PackPair
    inputs {
        /// First point.
        p: Bits<762>,
        /// Second point.
        q: Bits<762>,
        /// Their slot.
        slot: Bits<20>,
    }
    outputs {
        /// All of them, the first lowest.
        line: Bits<1544>,
    }
}

impl PackPair {
    fn new() -> PackPair {
        let path = Datapath::combinational("pack_pair");
        let parts = [("p", 762), ("q", 762), ("slot", 20)].map(|(name, width)| path.input(name, width));
        let line = path.concat(&parts);
        PackPair::host(Rc::new(path.finish_combinational(&[("line", line)])))
    }
}

/// Tokens run through three cycles: their slot is looked up, they park or take, and the point taken is there.
/// Port A serves the sums that come back from the adder, at once and always; port B serves fresh tokens while the
/// pair FIFO has room. Two tokens of one slot in one cycle are a pair without touching the bank. Each cycle the
/// adder is issued a pair of port A if there is one, else the oldest of the pair FIFO.
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
    bank0: Bank,
    bank1: Bank,
    adder: PointAdder,
    pack: PackPair,
    pairs: Fifo<1544>,
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
    last_sweep: Constant<Bits<20>>,
    bucket_slots: Constant<Bits<20>>,
    sum_slots: Constant<Bits<20>>,
    margin: Constant<Bits<16>>,
    _clear_cycles: usize,
}

/// Entries that the pair FIFO keeps free for tokens already let in: two stages, and one to spare.
const PAIR_MARGIN: usize = 3;

impl Buckets {
    /// Buckets of a shape around an adder; `flush_cycles` is how long its neighbours need a reset to last.
    pub fn new(shape: &Shape, adder: Rc<Module>, pair_fifo_depth: usize, flush_cycles: usize) -> Buckets {
        let adder = PointAdder::new(adder);
        // Sums of an old job must have left the adder before a new one begins.
        let slots = shape.bucket_slots().max(shape.sum_slots());
        let clear_cycles = slots.max(adder.latency() + 8).max(flush_cycles + 8);
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
            bank0: Bank::new(shape.bucket_slots()),
            bank1: Bank::new(shape.sum_slots()),
            adder,
            pack: PackPair::new(),
            pairs: Fifo::new(pair_fifo_depth),
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
            last_sweep: Constant::new((clear_cycles - 1).to_bits()),
            bucket_slots: Constant::new(shape.bucket_slots().to_bits()),
            sum_slots: Constant::new(shape.sum_slots().to_bits()),
            margin: Constant::new(PAIR_MARGIN.to_bits()),
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
        self.pairs.clock.next = self.clock.val();
        self.pairs.reset.next = self.reset.val();

        // First cycle: look up. A fresh token waits in `held` until the pair FIFO has room for it.
        self.let_in.next = self.held.q.val() & (self.pairs.space.val() > self.margin.val());
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
        self.pack.q.next = self.bank0.b_read.val();
        self.scan_point.next = self.bank1.b_read.val();
        if self.token_bank.val() {
            self.partner.next = self.bank1.a_read.val();
            self.pack.q.next = self.bank1.b_read.val();
            self.scan_point.next = self.bank0.b_read.val();
        }
        if self.same2.q.val() {
            self.partner.next = self.b_point2.q.val();
        }
        self.scan_full.next = self.scan_full2.q.val();
        self.pack.p.next = self.b_point2.q.val();
        self.pack.slot.next = self.b_slot2.q.val();
        self.pairs.in_data.next = self.pack.line.val();
        self.pairs.in_valid.next = self.b_pair2.q.val();

        // Issue: sums that came back first, so that the FIFO can only drain.
        self.pairs.out_ready.next = !self.a_pair2.q.val() & !self.sweeping.q.val();
        self.adder.valid_in.next =
            (self.a_pair2.q.val() | self.pairs.out_valid.val()) & !self.sweeping.q.val();
        self.adder.p.next = self.pairs.out_data.val().get_bits::<762>(0);
        self.adder.q.next = self.pairs.out_data.val().get_bits::<762>(762);
        self.adder.tag.next = self.pairs.out_data.val().get_bits::<20>(1524);
        if self.a_pair2.q.val() {
            self.adder.p.next = self.a_point2.q.val();
            self.adder.q.next = self.partner.val();
            self.adder.tag.next = self.a_slot2.q.val();
        }
        self.issued.next = (self.a_pair2.q.val() | self.pairs.out_valid.val()) & !self.sweeping.q.val();

        // A token is in flight until it parks; of a pair, one goes on.
        self.gone.next = 0.into();
        if self.a_park.val() ^ self.b_park.val() {
            self.gone.next = 1.into();
        }
        if self.a_park.val() & self.b_park.val() {
            self.gone.next = 2.into();
        }
        if self.same.val() {
            self.gone.next = 1.into();
        }
        self.in_flight.d.next = self.in_flight.q.val() - self.gone.val();
        if self.enters.val() {
            self.in_flight.d.next = self.in_flight.q.val() + 1 - self.gone.val();
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
