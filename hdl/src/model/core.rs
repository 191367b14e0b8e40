//! Match or park around one adder, and the scan of a reduction: register for register what the engine has.

use super::batched::Batched;
use super::{AdderModel, Issue, Pair, Token, Windows};
use std::collections::VecDeque;

/// Entries of the FIFO that a scan keeps free, and all of them.
const SCAN_MARGIN: usize = 3;
const SCAN_FIFO_DEPTH: usize = 8;

enum Adder {
    Complete { sums: VecDeque<(u64, Token)>, latency: u64, now: u64 },
    Batched(Box<Batched>),
}

impl Adder {
    fn ready(&self) -> bool {
        match self {
            Adder::Complete { .. } => true,
            Adder::Batched(adder) => adder.ready(),
        }
    }

    fn step(&mut self, pair: Option<Pair>) -> (Option<Token>, Issue) {
        match self {
            Adder::Batched(adder) => adder.step(pair),
            Adder::Complete { sums, latency, now } => {
                *now += 1;
                let sum = match sums.front() {
                    Some((due, token)) if *due == *now => {
                        let token = *token;
                        sums.pop_front();
                        Some(token)
                    }
                    _ => None,
                };
                let issue = match pair {
                    None => Issue::None,
                    Some(Pair { slot, p, q }) => {
                        sums.push_back((*now + *latency, Token { slot, point: p.wrapping_add(q) }));
                        Issue::Addition
                    }
                };
                (sum, issue)
            }
        }
    }
}

/// Slots, each empty or with a point.
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
        let slot = token.slot as usize;
        if self.full[slot] {
            self.full[slot] = false;
            return Some(Pair { slot: token.slot, p: token.point, q: self.points[slot] });
        }
        self.full[slot] = true;
        self.points[slot] = token.point;
        None
    }
}

/// What a core counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CoreCounts {
    /// Pairs issued.
    pub additions: u64,
    /// Cycles of the three phases without one.
    pub idle: u64,
    /// Of these, those in which a pair was there and the adder took none.
    pub adder_busy: u64,
    /// Doublings and annihilations among the pairs.
    pub doublings: u64,
    /// See `doublings`.
    pub annihilations: u64,
    /// Most pairs that waited at once.
    pub most_pairs: usize,
}

/// A core without its source of digits.
pub struct Core {
    windows: Windows,
    adder: Adder,
    banks: [Bank; 2],
    fresh_limit: usize,
    held: Option<Token>,
    a1: Option<Token>,
    b1: Option<Token>,
    a2: Option<Pair>,
    b2: Option<Pair>,
    pairs: VecDeque<Pair>,
    in_flight: u32,
    /// Counts of the job.
    pub counts: CoreCounts,
    // The reducer.
    pub(super) held_windows: u128,
    mode: u32,
    scanning: bool,
    window: u32,
    offset: u32,
    scan1: Option<(u32, u32, u32)>,
    scan2: Option<(u32, u32, Option<u64>)>,
    found: VecDeque<(u32, u32, Option<u64>)>,
    started: bool,
    pending: u32,
    beat: u32,
    pub(super) results: Vec<Option<u64>>,
}

impl Core {
    pub(super) fn new(windows: Windows, adder: AdderModel, fresh_limit: usize) -> Core {
        let adder = match adder {
            AdderModel::Complete { latency } => {
                Adder::Complete { sums: VecDeque::new(), latency: u64::from(latency), now: 0 }
            }
            AdderModel::Batched(shape) => Adder::Batched(Box::new(Batched::new(shape))),
        };
        Core {
            windows,
            adder,
            banks: [
                Bank::new((windows.count * windows.buckets()) as usize),
                Bank::new((windows.count * windows.sums()) as usize),
            ],
            fresh_limit,
            held: None,
            a1: None,
            b1: None,
            a2: None,
            b2: None,
            pairs: VecDeque::new(),
            in_flight: 0,
            counts: CoreCounts::default(),
            held_windows: 0,
            mode: 0,
            scanning: false,
            window: 0,
            offset: 0,
            scan1: None,
            scan2: None,
            found: VecDeque::new(),
            started: false,
            pending: 0,
            beat: 0,
            results: Vec::new(),
        }
    }

    /// No token under way, and the scan is over.
    pub fn quiet(&self) -> bool {
        self.in_flight == 0
            && !self.scanning
            && self.scan1.is_none()
            && self.scan2.is_none()
            && self.found.is_empty()
    }

    pub(super) fn start_scan(&mut self, mode: u32) {
        self.mode = mode;
        self.scanning = true;
        self.window = 0;
        self.offset = 0;
    }

    /// The token that the reducer offers.
    pub(super) fn reduced(&self) -> Option<Token> {
        let (offset, window, point) = *self.found.front()?;
        if self.mode == 2 {
            return None;
        }
        let bit = self.targets(offset).trailing_zeros();
        let (m, h) = (self.windows.column_bits(), self.windows.row_bits());
        let slot = match (self.mode, bit) {
            (0, 0) => window * self.windows.sums() + (offset >> m),
            (0, _) => window * self.windows.sums() + (1 << h) + (offset & ((1 << m) - 1)),
            _ => window * self.windows.buckets() + bit,
        };
        Some(Token { slot, point: point? })
    }

    fn targets(&self, offset: u32) -> u32 {
        if self.started {
            return self.pending;
        }
        let (m, h) = (self.windows.column_bits(), self.windows.row_bits());
        match self.mode {
            0 => {
                let (low, high) = (offset & ((1 << m) - 1), offset >> m);
                u32::from(high != 0 || low == 0) | u32::from(low != 0) << 1
            }
            _ => {
                let value = offset & ((1 << h) - 1);
                match (offset >> h != 0, value) {
                    (true, value) => value,
                    (false, 0) => 1 << (self.windows.bits - 1),
                    (false, value) => value << m,
                }
            }
        }
    }

    /// One cycle. `fresh` is offered; true if it was taken. `result_ready`: a beat of a result is taken.
    pub(super) fn step(&mut self, fresh: Option<Token>, phase: u32, result_ready: bool) -> bool {
        let bank = usize::from(phase == 2 || phase == 4);

        // Third cycle: issue.
        let ready = self.adder.ready();
        let mut issue = None;
        let mut waiting = None;
        let waits = self.a2.is_some() || !self.pairs.is_empty();
        let full = self.pairs.len() >= self.fresh_limit;
        if ready {
            issue = self.a2.take().or_else(|| self.pairs.pop_front());
        } else {
            waiting = self.a2.take();
        }
        if issue.is_some() {
            self.counts.additions += 1;
        } else if phase < 4 {
            self.counts.idle += 1;
            self.counts.adder_busy += u64::from(waits);
        }
        self.pairs.extend(waiting);
        self.pairs.extend(self.b2.take());
        self.counts.most_pairs = self.counts.most_pairs.max(self.pairs.len());
        let (sum, issued) = self.adder.step(issue);
        match issued {
            Issue::Annihilation => {
                self.counts.annihilations += 1;
                self.in_flight -= 1;
            }
            Issue::Doubling => self.counts.doublings += 1,
            _ => {}
        }

        // The scan, which looks at the other bank.
        self.scan(fresh.is_some() && self.mode != 2, result_ready, bank, phase, &fresh, full);

        // Second cycle: meet.
        match (self.a1.take(), self.b1.take()) {
            (Some(a), Some(b)) if a.slot == b.slot => {
                self.a2 = Some(Pair { slot: a.slot, p: a.point, q: b.point });
                self.in_flight -= 1;
            }
            (a, b) => {
                for (token, pair) in [(a, &mut self.a2), (b, &mut self.b2)] {
                    if let Some(token) = token {
                        *pair = self.banks[bank].meet(token);
                        self.in_flight -= u32::from(pair.is_none());
                    }
                }
            }
        }

        // First cycle.
        self.a1 = sum;
        let taken = match (self.held.is_some(), full) {
            (true, true) => false,
            _ => {
                self.b1 = self.held.take();
                self.held = fresh;
                fresh.is_some()
            }
        };
        self.in_flight += u32::from(taken);
        taken
    }

    fn scan(
        &mut self,
        offered: bool,
        result_ready: bool,
        bank: usize,
        phase: u32,
        fresh: &Option<Token>,
        full: bool,
    ) {
        if phase == 1 {
            return;
        }
        let space = SCAN_FIFO_DEPTH - self.found.len();
        let taken = offered && fresh.is_some() && !(self.held.is_some() && full);
        if taken && let Some((offset, ..)) = self.found.front() {
            let mask = self.targets(*offset);
            let rest = mask & (mask - 1);
            self.started = rest != 0;
            self.pending = rest;
            if rest == 0 {
                self.found.pop_front();
            }
        }
        if self.mode == 2 && result_ready && !self.found.is_empty() {
            self.beat += 1;
            if self.beat == 3 {
                self.beat = 0;
                if let Some((.., point)) = self.found.pop_front() {
                    self.results.push(point);
                }
            }
        }
        if let Some(found) = self.scan2.take()
            && (found.2.is_some() || self.mode == 2)
        {
            self.found.push_back(found);
        }
        if let Some((slot, offset, window)) = self.scan1.take() {
            self.scan2 = Some((offset, window, self.banks[1 - bank].take(slot)));
        }
        if !self.scanning {
            return;
        }
        let skip = self.mode != 2 && self.held_windows >> self.window & 1 == 0;
        let (stride, last) = match self.mode {
            0 => (self.windows.buckets(), self.windows.buckets() - 1),
            1 => (self.windows.sums(), self.windows.sums() - 1),
            _ => (self.windows.buckets(), self.windows.bits - 1),
        };
        let issue = !skip && space > SCAN_MARGIN;
        if issue {
            self.scan1 = Some((self.window * stride + self.offset, self.offset, self.window));
            self.offset += 1;
        }
        if skip || (issue && self.offset > last) {
            self.offset = 0;
            self.window += 1;
            self.scanning = self.window != self.windows.count;
        }
    }

    pub fn debug(&self) { eprintln!("in flight {} pairs {}", self.in_flight, self.pairs.len()); if let Adder::Batched(a) = &self.adder { a.debug(); } }
    /// Batches that the adder closed.
    pub fn batches(&self) -> u64 {
        match &self.adder {
            Adder::Complete { .. } => 0,
            Adder::Batched(adder) => adder.batches,
        }
    }
}
