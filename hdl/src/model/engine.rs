//! A whole job: [`crate::msm::MsmEngine`] without its points.

use super::buckets::{Buckets, CoreCounts};
use super::scalars::Element;
use super::scan::{Mode, Reducer};
use super::source::Source;
use super::{CoreModel, EngineModel, Token};
use std::collections::VecDeque;

/// What a job took.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Cycles of the job.
    pub cycles: u64,
    /// Of these, cycles in which some core takes digits.
    pub bucket_cycles: u64,
    /// And those in which some core is in a pass and none takes digits.
    pub reduction_cycles: u64,
    /// Non-zero digits of all cores.
    pub digits: u64,
    /// Additions of all cores.
    pub additions: u64,
    /// By core.
    pub cores: Vec<CoreCounts>,
    /// For each core, for each of its windows, for each bit: the sum that was read out.
    pub results: Vec<Vec<Option<u64>>>,
}

impl Outcome {
    /// Additions issued per cycle and core, over the whole job.
    pub fn additions_per_cycle(&self) -> f64 {
        self.additions as f64 / (self.cycles * self.cores.len() as u64) as f64
    }

    /// Cycles of the bucket phase, times cores, per non-zero digit.
    pub fn cycles_per_digit(&self) -> f64 {
        (self.bucket_cycles * self.cores.len() as u64) as f64 / self.digits as f64
    }
}

struct Core {
    source: Source,
    buckets: Buckets,
    reducer: Reducer,
    phase: u32,
    handed_over: bool,
    element: Option<Element>,
    room: bool,
    results: u32,
    digits: u64,
}

impl Core {
    fn new(model: &CoreModel, choice: usize, count: u64) -> Core {
        let choice = &model.shape.choices[choice];
        Core {
            source: Source::new(model, choice, count),
            buckets: Buckets::new(model),
            reducer: Reducer::new(choice),
            phase: 1,
            handed_over: false,
            element: None,
            room: true,
            results: 0,
            digits: 0,
        }
    }

    fn busy(&self) -> bool {
        self.phase != 0 || self.results != 0
    }

    /// One cycle. `ready`: the beat at its end of the chain of results is taken. `behind`: the core behind offers one;
    /// true if it is taken.
    fn step(&mut self, now: u64, sent: Option<Element>, ready: bool, behind: bool) -> bool {
        let bucket_phase = self.phase == 1;
        let fresh: Option<Token> = match bucket_phase {
            true => self.source.token(),
            false => self.reducer.token(),
        };
        if bucket_phase && let (Some(token), Some(window)) = (fresh, self.source.token_window()) {
            self.reducer.mark(token.slot, window);
        }
        let taken = fresh.is_some() && self.buckets.fresh_ready();
        self.digits += u64::from(bucket_phase && taken);
        let quiet = self.source.idle() && self.reducer.idle() && self.buckets.empty();

        // Results.
        let room = self.results < 2;
        let own = self.reducer.result() && room && !self.handed_over;
        let passed_on = self.handed_over && behind && room;
        if ready && self.results != 0 {
            self.results -= 1;
        }
        self.results += u32::from(own || passed_on);

        let bank = usize::from(self.phase == 2 || self.phase == 4);
        let point = self.buckets.found;
        let counted = (1..4).contains(&self.phase);
        let slot = self.reducer.slot();
        self.buckets.step(now, fresh.filter(|_| taken), bank, slot, counted);

        let start = match (quiet, self.phase) {
            (true, 1) => Some(Mode::Buckets),
            (true, 2) => Some(Mode::Sums),
            (true, 3) => Some(Mode::Bits),
            _ => None,
        };
        self.reducer.step(point, taken && !bucket_phase, own, start);
        if bucket_phase {
            let room = self.source.room();
            self.source.step(now, self.element.take(), taken);
            self.room = room;
            self.element = sent;
        }
        if quiet && self.phase != 0 {
            self.phase = (self.phase + 1) % 5;
            self.handed_over = self.phase == 0;
        }
        passed_on
    }
}

/// Runs a job of `count` elements that chooses the model's `choice`-th window bits. Elements are there when they are
/// wanted, the first of them `model.start_cycles` after the start, and results are taken at once.
pub fn run(model: &EngineModel, choice: usize, count: u64, mut element: impl FnMut() -> Element) -> Outcome {
    let mut cores: Vec<Core> = model.cores.iter().map(|core| Core::new(core, choice, count)).collect();
    let mut outcome = Outcome { cycles: 1, ..Outcome::default() };
    let mut remaining = count;
    let mut room = true;
    let mut sent: Option<Element> = None;
    let mut offers: VecDeque<bool> = VecDeque::new();
    while cores.iter().any(Core::busy) {
        outcome.cycles += 1;
        let now = outcome.cycles;
        let any = |test: fn(&Core) -> bool| cores.iter().any(test);
        match (any(|core| core.phase == 1), any(|core| core.phase == 2 || core.phase == 3)) {
            (true, _) => outcome.bucket_cycles += 1,
            (_, true) => outcome.reduction_cycles += 1,
            _ => {}
        }
        let take = room && remaining != 0 && now > u64::from(model.start_cycles);
        room = cores.iter().all(|core| core.room);
        offers.clear();
        offers.extend(cores.iter().map(|core| core.results != 0));
        offers.push_back(false);
        let mut ready = true;
        for (index, core) in cores.iter_mut().enumerate() {
            ready = core.step(now, sent, ready, offers[index + 1]);
        }
        sent = take.then(&mut element);
        remaining -= u64::from(take);
    }
    outcome.digits = cores.iter().map(|core| core.digits).sum();
    for core in &mut cores {
        core.buckets.counts.batches = core.buckets.batches();
    }
    outcome.additions = cores.iter().map(|core| core.buckets.counts.additions).sum();
    outcome.cores = cores.iter().map(|core| core.buckets.counts).collect();
    outcome.results = cores.into_iter().map(|core| core.reducer.results).collect();
    outcome
}

/// The discrete logarithm, modulo 2^64, of the sum that an outcome's bit sums stand for.
pub fn combined(model: &EngineModel, choice: usize, outcome: &Outcome) -> u64 {
    let mut sum = 0u64;
    for (core, results) in model.cores.iter().zip(&outcome.results) {
        let choice = &core.shape.choices[choice];
        for (index, result) in results.iter().enumerate() {
            let c = choice.window_bits;
            let weight = c * choice.windows[index / c].window as usize + index % c;
            if let (Some(result), true) = (result, weight < 64) {
                sum = sum.wrapping_add(result << weight);
            }
        }
    }
    sum
}
