//! The reducer, Verilated, against a bank in software.

use num_bigint::BigUint;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::Block;
use spandrel_hdl::curve::Curve;
use spandrel_hdl::emit::{Emitted, emit};
use spandrel_hdl::field::FIELD_BITS;
use spandrel_hdl::msm::{Choice, Reducer, Shape};
use spandrel_sim::testbench::{Stalls, Testbench};
use std::collections::{BTreeMap, BTreeSet};

/// Points by slot.
type Slots = BTreeMap<u64, BigUint>;

/// A reducer on a test bench, with the bank it scans.
struct Bench {
    bench: Testbench,
    shape: Shape,
    rng: ChaCha8Rng,
    tokens: Stalls,
    results: Stalls,
}

/// What a scan gave.
#[derive(Default)]
struct Scanned {
    /// Slots in the order of their look-ups.
    slots: Vec<u64>,
    tokens: Vec<(u64, BigUint)>,
    results: Vec<BigUint>,
    cycles: u64,
}

fn design(shape: &Shape) -> Emitted {
    let mut block = Reducer::new(shape);
    block.connect_all();
    emit(&block, "reducer").unwrap_or_else(|error| panic!("{error}"))
}

impl Bench {
    fn new(emitted: &Emitted, shape: &Shape, seed: u64, stall_percent: u8) -> Bench {
        let mut bench = Testbench::build(emitted);
        bench.reset(2);
        Bench {
            bench,
            shape: shape.clone(),
            rng: ChaCha8Rng::seed_from_u64(seed),
            tokens: Stalls::random(seed + 1, stall_percent),
            results: Stalls::random(seed + 2, stall_percent),
        }
    }

    /// A new job, with tokens in these slots of bank 0.
    fn job(&mut self, choice: usize, slots: impl Iterator<Item = u64>) {
        let per_window = self.shape.choices[choice].buckets_per_window() as u64;
        self.bench.set("choice", choice as u64);
        self.bench.pulse("clear_marks");
        self.bench.set("mark_valid", 1);
        for slot in slots {
            self.bench.set("mark_slot", slot);
            self.bench.set("mark_window", slot / per_window);
            self.bench.cycle();
        }
        self.bench.set("mark_valid", 0);
        // Junk, which is not marked.
        self.bench.set("mark_slot", 0);
        self.bench.run(2);
    }

    /// One scan; it takes the points out of `bank`. Where `cut` is given, only so many cycles of it and then a reset.
    fn scan(&mut self, mode: u64, bank: &mut Slots, cut: Option<u64>) -> Scanned {
        let mut scanned = Scanned::default();
        let mut beats: Vec<BigUint> = Vec::new();
        // What was found one and two cycles ago.
        let mut pipe: [Option<BigUint>; 2] = [None, None];
        assert_eq!(self.bench.get("idle"), 1);
        self.bench.pulse("start");
        self.bench.set("mode", mode);
        loop {
            let (token_ready, result_ready) = (!self.tokens.hold(), !self.results.hold());
            let bench = &mut self.bench;
            bench.set("token_ready", token_ready.into());
            bench.set("result_ready", result_ready.into());
            bench.set("scan_full", pipe[1].is_some().into());
            let junk: [u8; 95] = self.rng.r#gen::<[u8; 32]>().repeat(3)[..95].try_into().unwrap_or([0; 95]);
            let found = pipe[1].take().map_or(junk.to_vec(), |point| point.to_bytes_le());
            bench.set_bytes("scan_point", &found);
            bench.model.settle();
            if bench.get("idle") == 1 {
                break;
            }
            pipe[1] = pipe[0].take();
            if bench.get("scan_valid") == 1 {
                let slot = bench.get("scan_slot");
                scanned.slots.push(slot);
                pipe[0] = bank.remove(&slot);
            }
            if token_ready && bench.get("token_valid") == 1 {
                assert!(mode < 2);
                let point = BigUint::from_bytes_le(&bench.bytes("token_point"));
                scanned.tokens.push((bench.get("token_slot"), point));
            }
            if result_ready && bench.get("result_valid") == 1 {
                assert_eq!(mode, 2);
                beats.push(BigUint::from_bytes_le(&bench.bytes("result_data")));
            }
            bench.model.rise();
            scanned.cycles += 1;
            if cut == Some(scanned.cycles) {
                bench.reset(1);
                return scanned;
            }
            assert!(scanned.cycles < 2_000_000, "the scan does not end");
        }
        assert_eq!(beats.len() % 3, 0);
        let join = |beats: &[BigUint]| {
            beats.iter().rev().fold(BigUint::default(), |point, beat| (point << FIELD_BITS) | beat)
        };
        scanned.results = beats.chunks(3).map(join).collect();
        scanned
    }
}

/// Points in these slots, each different.
fn bank(rng: &mut ChaCha8Rng, slots: impl Iterator<Item = u64>) -> Slots {
    let mut point = || BigUint::from_bytes_le(&rng.r#gen::<[u8; 32]>().repeat(3)) >> 6u32;
    slots.map(|slot| (slot, point())).collect()
}

/// Tokens of pass 1, by the definition: bucket j = hi·2^m + lo goes to row hi and column lo; bucket 0 stands for
/// 2^(c−1) and goes to row 0.
fn to_sums(bank: &Slots, choice: &Choice) -> Vec<(u64, BigUint)> {
    let mut tokens = Vec::new();
    for (slot, point) in bank {
        let (window, j) = (slot >> (choice.window_bits - 1), slot % choice.buckets_per_window() as u64);
        let (high, low) = (j >> choice.column_bits, j % (1 << choice.column_bits));
        let sums = window * choice.sums_per_window() as u64;
        if high != 0 || j == 0 {
            tokens.push((sums + high, point.clone()));
        }
        if low != 0 {
            tokens.push((sums + (1 << choice.row_bits) + low, point.clone()));
        }
    }
    tokens
}

/// Tokens of pass 2: a sum goes to every bit of the weight that its row or column stands for.
fn to_bits(bank: &Slots, choice: &Choice) -> Vec<(u64, BigUint)> {
    let mut tokens = Vec::new();
    for (slot, point) in bank {
        let per_window = choice.sums_per_window() as u64;
        let (window, sum) = (slot / per_window, slot % per_window);
        let weight = match sum.checked_sub(1 << choice.row_bits) {
            Some(column) => column,
            None if sum == 0 => 1 << (choice.window_bits - 1),
            None => sum << choice.column_bits,
        };
        let bits = (0..choice.window_bits as u64).filter(|bit| weight >> bit & 1 == 1);
        tokens.extend(bits.map(|bit| (window * choice.buckets_per_window() as u64 + bit, point.clone())));
    }
    tokens
}

/// Slots of bank 1 that pass 1 fills.
fn sum_slots(bank: &Slots, choice: &Choice) -> BTreeSet<u64> {
    to_sums(bank, choice).into_iter().map(|(slot, _)| slot).collect()
}

fn sorted(mut tokens: Vec<(u64, BigUint)>) -> Vec<(u64, BigUint)> {
    tokens.sort();
    tokens
}

/// Every slot at most once, and all of them below the border.
fn distinct(slots: &[u64], border: usize) -> bool {
    slots.iter().collect::<BTreeSet<_>>().len() == slots.len()
        && slots.iter().all(|slot| *slot < border as u64)
}

/// Runs a job's three scans over points in these slots.
fn check(bench: &mut Bench, number: usize, slots: &BTreeSet<u64>) -> [Scanned; 3] {
    let choice = bench.shape.choices[number].clone();
    bench.job(number, slots.iter().copied());
    let buckets = bank(&mut bench.rng, slots.iter().copied());
    let mut left = buckets.clone();
    let first = bench.scan(0, &mut left, None);
    assert!(left.is_empty(), "{} points were not found", left.len());
    assert!(distinct(&first.slots, choice.bucket_slots()));
    assert_eq!(sorted(first.tokens.clone()), sorted(to_sums(&buckets, &choice)));

    let sums = bank(&mut bench.rng, sum_slots(&buckets, &choice).into_iter());
    let mut left = sums.clone();
    let second = bench.scan(1, &mut left, None);
    assert!(left.is_empty(), "{} sums were not found", left.len());
    assert!(distinct(&second.slots, choice.sum_slots()));
    assert_eq!(sorted(second.tokens.clone()), sorted(to_bits(&sums, &choice)));

    let filled: BTreeSet<u64> = to_bits(&sums, &choice).into_iter().map(|(slot, _)| slot).collect();
    let mut left = bank(&mut bench.rng, filled.into_iter());
    let places = (0..choice.local_windows()).flat_map(|window| {
        (0..choice.window_bits).map(move |bit| (window << (choice.window_bits - 1) | bit) as u64)
    });
    let expected: Vec<BigUint> = places.map(|slot| left.get(&slot).cloned().unwrap_or_default()).collect();
    let third = bench.scan(2, &mut left, None);
    assert!(left.is_empty());
    assert_eq!(third.results, expected);
    [first, second, third]
}

/// Some slots of a choice: `percent` of all, in some of the windows.
fn some(rng: &mut ChaCha8Rng, choice: &Choice, percent: u32) -> BTreeSet<u64> {
    let windows: Vec<bool> = (0..choice.local_windows()).map(|_| rng.gen_bool(0.7)).collect();
    let all = 0..choice.bucket_slots() as u64;
    all.filter(|slot| windows[(slot >> (choice.window_bits - 1)) as usize] && rng.gen_range(0..100) < percent)
        .collect()
}

fn shapes() -> [Shape; 3] {
    [
        Shape::new(&[3, 4, 7, 8], 1, 0, Curve::Bn254),
        Shape::new(&[5, 9, 10], 4, 2, Curve::Bn254),
        Shape::new(&[11], 16, 9, Curve::Bn254),
    ]
}

#[test]
fn verilated_reducer_sends_every_point_to_its_sums_and_bits() {
    for shape in shapes() {
        let emitted = design(&shape);
        for (seed, stall_percent) in [(1, 0), (2, 50)] {
            let mut bench = Bench::new(&emitted, &shape, seed, stall_percent);
            for number in (0..shape.choices.len()).chain([0]) {
                let choice = shape.choices[number].clone();
                for percent in [0, 3, 60, 100] {
                    let slots = some(&mut bench.rng, &choice, percent);
                    check(&mut bench, number, &slots);
                }
                // One bucket alone, in the last window: among others those that stand at the ends.
                let last = choice.bucket_slots() as u64 - 1;
                let first = last + 1 - choice.buckets_per_window() as u64;
                let any = bench.rng.gen_range(first..=last);
                for slot in [first, last, any] {
                    check(&mut bench, number, &BTreeSet::from([slot]));
                }
            }
        }
    }
}

#[test]
fn verilated_reducer_forgets_a_scan_that_a_reset_cuts() {
    let shape = Shape::new(&[4, 8], 2, 0, Curve::Bn254);
    let mut bench = Bench::new(&design(&shape), &shape, 3, 40);
    for cut in [1, 2, 3, 5, 9, 30, 111] {
        let number = cut as usize % 2;
        let slots = some(&mut bench.rng, &shape.choices[1 - number], 60);
        for mode in [0, 1, 2] {
            let choice = &shape.choices[1 - number];
            bench.job(1 - number, slots.iter().copied());
            let border = if mode == 1 { choice.sum_slots() } else { choice.bucket_slots() } as u64;
            let mut full = bank(&mut bench.rng, 0..border);
            bench.scan(mode, &mut full, Some(cut));
            let slots = some(&mut bench.rng, &shape.choices[number], 30);
            check(&mut bench, number, &slots);
        }
    }
}

#[test]
fn verilated_reducer_scans_one_slot_a_cycle_and_little_where_little_is() {
    let shape = Shape::new(&[7, 11], 1, 0, Curve::Bn254);
    let mut bench = Bench::new(&design(&shape), &shape, 4, 0);
    // Cycles beyond the look-ups: two a group, and the way through.
    let overhead = 2 * 16 + 10;
    for (number, choice) in shape.choices.clone().iter().enumerate() {
        let all: BTreeSet<u64> = (0..choice.bucket_slots() as u64).collect();
        let [first, second, third] = check(&mut bench, number, &all);
        assert_eq!(first.slots.len(), choice.bucket_slots());
        assert_eq!(second.slots.len(), choice.sum_slots());
        // Its tokens, one a cycle, and no more: but there is no column 0 of any window.
        let empty = choice.local_windows() as u64;
        assert!(first.cycles <= first.tokens.len() as u64 + overhead, "{} cycles", first.cycles);
        assert!(second.cycles <= second.tokens.len() as u64 + empty + overhead, "{} cycles", second.cycles);
        assert!(third.cycles <= 3 * choice.result_points() as u64 + overhead, "{} cycles", third.cycles);

        // A bucket of each of three windows: a group of each is scanned, and of bank 1 those windows.
        let mut windows: Vec<u64> = (0..choice.local_windows() as u64).collect();
        windows.shuffle(&mut bench.rng);
        let buckets = choice.buckets_per_window() as u64;
        let slots: BTreeSet<u64> =
            windows[..3].iter().map(|window| window * buckets + bench.rng.gen_range(0..buckets)).collect();
        let [first, second, _] = check(&mut bench, number, &slots);
        let group = buckets / 4;
        assert!(first.slots.len() as u64 <= 3 * group, "{} of 3·{group}", first.slots.len());
        assert!(first.cycles <= first.slots.len() as u64 + overhead);
        assert_eq!(second.slots.len(), 3 * choice.sums_per_window());
        let [first, second, third] = check(&mut bench, number, &BTreeSet::new());
        assert!(first.slots.is_empty() && second.slots.is_empty() && first.cycles <= overhead);
        assert_eq!(third.results.len(), choice.result_points());
    }
}

/// Tokens for one sum, which wait for each other in the adder, come at an even pace and not one after the other.
#[test]
fn tokens_for_one_sum_come_far_apart() {
    for (choices, cores) in [(&[9usize][..], 1), (&[10], 16)] {
        let shape = Shape::new(choices, cores, 0, Curve::Bn254);
        let choice = shape.choices[0].clone();
        let mut bench = Bench::new(&design(&shape), &shape, 4, 0);
        let all: BTreeSet<u64> = (0..choice.bucket_slots() as u64).collect();
        let [first, second, _] = check(&mut bench, 0, &all);
        let nearest = |tokens: &[(u64, BigUint)]| {
            let mut last: BTreeMap<u64, usize> = BTreeMap::new();
            let gaps = tokens
                .iter()
                .enumerate()
                .filter_map(|(at, (slot, _))| last.insert(*slot, at).map(|before| at - before));
            gaps.min().unwrap_or(usize::MAX)
        };
        let windows = choice.local_windows();
        // A row or column comes once while all columns of all windows do, give or take one; twice as many tokens.
        let columns = 1 << choice.column_bits;
        assert!(nearest(&first.tokens) >= (columns - 2) * windows, "pass 1: {}", nearest(&first.tokens));
        assert!(nearest(&second.tokens) >= windows, "pass 2: {}", nearest(&second.tokens));
    }
}
