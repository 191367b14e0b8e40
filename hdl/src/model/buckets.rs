//! Match or park around one adder: [`crate::msm::Buckets`] without its points.

use super::batched::{AdderEvents, Batched};
use super::delay::Delay;
use super::{AdderModel, CoreModel, Pair, Token};
use std::collections::VecDeque;

enum Adder {
    Complete(Delay<Token>),
    Batched(Box<Batched>),
}

impl Adder {
    fn ready(&self) -> bool {
        match self {
            Adder::Complete(_) => true,
            Adder::Batched(adder) => adder.ready(),
        }
    }

    fn step(&mut self, now: u64, pair: Option<Pair>) -> AdderEvents {
        match self {
            Adder::Batched(adder) => adder.step(now, pair),
            Adder::Complete(sums) => {
                let sum = sums.leave(now);
                if let Some(Pair { slot, p, q }) = pair {
                    sums.enter(now, Token { slot, point: p.wrapping_add(q) });
                }
                AdderEvents { sum, ..AdderEvents::default() }
            }
        }
    }
}

/// Slots, each with a point or empty.
struct Bank {
    full: Vec<bool>,
    points: Vec<u64>,
}

impl Bank {
    fn new(slots: usize) -> Bank {
        Bank { full: vec![false; slots], points: vec![0; slots] }
    }

    fn take(&mut self, slot: u32) -> Option<u64> {
        let slot = slot as usize;
        std::mem::take(&mut self.full[slot]).then(|| self.points[slot])
    }

    /// Parks the token, or makes it a pair.
    fn meet(&mut self, token: Token) -> Option<Pair> {
        match self.take(token.slot) {
            Some(q) => Some(Pair { slot: token.slot, p: token.point, q }),
            None => {
                self.full[token.slot as usize] = true;
                self.points[token.slot as usize] = token.point;
                None
            }
        }
    }
}

/// What a core counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CoreCounts {
    /// Pairs issued.
    pub additions: u64,
    /// Of these, doublings that a batched adder found.
    pub doublings: u64,
    /// And pairs without a sum.
    pub annihilations: u64,
    /// Cycles of the phases with additions in which none was issued.
    pub idle_cycles: u64,
    /// Of these, those in which the adder was not ready for a pair, or a fresh token was held back.
    pub idle_adder_cycles: u64,
    /// Batches closed.
    pub batches: u64,
    /// Most pairs that ever waited for the adder.
    pub most_pairs: usize,
}

/// Banks, pair FIFOs, adder.
pub(super) struct Buckets {
    adder: Adder,
    banks: [Bank; 2],
    fresh_depth: usize,
    own_fifo: bool,
    most_in_flight: u32,
    held: Option<Token>,
    a1: Option<Token>,
    b1: Option<Token>,
    a2: Option<Pair>,
    b2: Option<Pair>,
    scan1: Option<u32>,
    /// What the look-up before last found: of a look-up in cycle t, to be read in cycle t + 2.
    pub(super) found: Option<u64>,
    fresh: VecDeque<Pair>,
    returned: VecDeque<Pair>,
    in_flight: u32,
    pub(super) counts: CoreCounts,
}

/// Entries that the fresh tokens' FIFO keeps free.
const PAIR_MARGIN: usize = 3;

impl Buckets {
    pub(super) fn new(model: &CoreModel) -> Buckets {
        let adder = match model.adder {
            AdderModel::Complete { latency } => Adder::Complete(Delay::new(latency)),
            AdderModel::Batched(batched) => Adder::Batched(Box::new(Batched::new(batched))),
        };
        Buckets {
            own_fifo: matches!(adder, Adder::Batched(_)),
            adder,
            banks: [Bank::new(model.shape.bucket_slots()), Bank::new(model.shape.sum_slots())],
            fresh_depth: model.fresh_pairs as usize,
            most_in_flight: model.most_in_flight,
            held: None,
            a1: None,
            b1: None,
            a2: None,
            b2: None,
            scan1: None,
            found: None,
            fresh: VecDeque::new(),
            returned: VecDeque::new(),
            in_flight: 0,
            counts: CoreCounts::default(),
        }
    }

    /// No token is under way.
    pub(super) fn empty(&self) -> bool {
        self.in_flight == 0
    }

    fn let_in(&self) -> bool {
        self.fresh_depth - self.fresh.len() > PAIR_MARGIN && self.in_flight < self.most_in_flight
    }

    /// A fresh token would be taken.
    pub(super) fn fresh_ready(&self) -> bool {
        self.held.is_none() || self.let_in()
    }

    /// One cycle. Tokens go to `bank`, `scan` is a slot of the other one to look up. `counted`: the cycle is one of a
    /// phase with additions. `fresh` is taken if [`Buckets::fresh_ready`] was true before the cycle.
    pub(super) fn step(
        &mut self,
        now: u64,
        fresh: Option<Token>,
        bank: usize,
        scan: Option<u32>,
        counted: bool,
    ) {
        let (let_in, taken) = (self.let_in(), self.fresh_ready());
        let ready = self.adder.ready();

        // Third cycle: issue. Sums that came back go first.
        let there = !self.returned.is_empty() || self.a2.is_some() || !self.fresh.is_empty();
        let mut issued = None;
        let a2 = self.a2.take();
        if !self.returned.is_empty() {
            if ready {
                issued = self.returned.pop_front();
            }
            self.returned.extend(a2);
        } else if a2.is_some() {
            match ready {
                true => issued = a2,
                false => self.returned.extend(a2),
            }
        } else if ready {
            issued = self.fresh.pop_front();
        }
        self.fresh.extend(self.b2.take());
        debug_assert!(self.own_fifo || self.returned.is_empty());
        self.counts.most_pairs = self.counts.most_pairs.max(self.fresh.len() + self.returned.len());
        if issued.is_some() {
            self.counts.additions += 1;
        } else if counted {
            self.counts.idle_cycles += 1;
            let held_back = (there && !ready) || (self.held.is_some() && !let_in);
            self.counts.idle_adder_cycles += u64::from(held_back);
        }
        let AdderEvents { sum, annihilated, doubling } = self.adder.step(now, issued);
        self.counts.annihilations += u64::from(annihilated);
        self.counts.doublings += u64::from(doubling);
        let mut gone = u32::from(annihilated);

        // Second cycle: park, take, or pair up with each other.
        match (self.a1.take(), self.b1.take()) {
            (Some(a), Some(b)) if a.slot == b.slot => {
                self.a2 = Some(Pair { slot: a.slot, p: a.point, q: b.point });
                gone += 1;
            }
            (a, b) => {
                for (token, pair) in [(a, &mut self.a2), (b, &mut self.b2)] {
                    if let Some(token) = token {
                        *pair = self.banks[bank].meet(token);
                        gone += u32::from(pair.is_none());
                    }
                }
            }
        }
        self.found = self.scan1.take().and_then(|slot| self.banks[1 - bank].take(slot));
        self.scan1 = scan;

        // First cycle: look up.
        self.a1 = sum;
        if let_in {
            self.b1 = self.held.take();
        }
        if taken && fresh.is_some() {
            self.held = fresh;
            self.in_flight += 1;
        }
        self.in_flight -= gone;
    }

    /// Batches that the adder has closed.
    pub(super) fn batches(&self) -> u64 {
        match &self.adder {
            Adder::Complete(_) => 0,
            Adder::Batched(adder) => adder.batches,
        }
    }
}
