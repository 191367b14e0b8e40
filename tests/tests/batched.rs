//! The batched affine adder, Verilated, against arkworks.

use ark_bn254::g1;
use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, PrimeField};
use ark_grumpkin::GrumpkinConfig;
use num_bigint::BigUint;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::Block;
use spandrel_hdl::curve::Curve;
use spandrel_hdl::curve::batched::BatchedAdder;
use spandrel_hdl::datapath::DatapathConfig;
use spandrel_hdl::emit::{Emitted, emit};
use spandrel_hdl::field::{FIELD_BITS, Pace};
use spandrel_hdl::profile::Profile;
use spandrel_sim::model::PortHandle;
use spandrel_sim::testbench::{Stalls, Testbench};
use std::collections::VecDeque;

/// A curve of arkworks that is one of the hardware's.
trait Reference: SWCurveConfig<BaseField: PrimeField> {
    const CURVE: Curve;
}

impl Reference for g1::Config {
    const CURVE: Curve = Curve::Bn254;
}

impl Reference for GrumpkinConfig {
    const CURVE: Curve = Curve::Grumpkin;
}

/// x and y in Montgomery form, x lowest.
fn form<C: Reference>(point: &Affine<C>) -> BigUint {
    let montgomery =
        |element: C::BaseField| C::CURVE.base_field().to_montgomery(&element.into_bigint().into());
    let (x, y) = point.xy().unwrap_or_else(|| panic!("a point at infinity has no affine form"));
    montgomery(x) | montgomery(y) << FIELD_BITS
}

/// Points to add, each with its opposite, and their forms.
struct Pool<C: Reference> {
    points: Vec<Affine<C>>,
    forms: Vec<BigUint>,
}

impl<C: Reference> Pool<C> {
    fn new(count: usize) -> Pool<C> {
        let generator = Projective::<C>::from(C::GENERATOR);
        let mut last = generator.double();
        let multiples: Vec<_> = (0..count)
            .map(|_| {
                last = last.double() + generator;
                last
            })
            .collect();
        let mut points = Projective::normalize_batch(&multiples);
        points.extend(points.clone().iter().map(|point| -*point));
        let forms = points.iter().map(form).collect();
        Pool { points, forms }
    }

    /// Pairs, of which so many per cent are doublings and so many opposite.
    fn pairs(&self, rng: &mut ChaCha8Rng, count: usize, doublings: u32, opposites: u32) -> Vec<Pair> {
        let half = self.points.len() / 2;
        let chosen: Vec<(usize, usize)> = (0..count)
            .map(|_| {
                let (kind, p) = (rng.gen_range(0..100), rng.gen_range(0..2 * half));
                let q = match kind {
                    kind if kind < doublings => p,
                    kind if kind < doublings + opposites => (p + half) % (2 * half),
                    _ => (p + rng.gen_range(1..half)) % (2 * half),
                };
                (p, q)
            })
            .collect();
        let sums: Vec<Projective<C>> =
            chosen.iter().map(|(p, q)| Projective::from(self.points[*p]) + self.points[*q]).collect();
        let sums = Projective::normalize_batch(&sums);
        let pair = |((p, q), sum): ((usize, usize), Affine<C>)| Pair {
            p: self.forms[p].to_bytes_le(),
            q: self.forms[q].to_bytes_le(),
            doubling: p == q,
            sum: (!sum.is_zero()).then(|| form(&sum)),
        };
        chosen.into_iter().zip(sums).map(pair).collect()
    }
}

struct Pair {
    p: Vec<u8>,
    q: Vec<u8>,
    doubling: bool,
    sum: Option<BigUint>,
}

fn profile() -> DatapathConfig {
    Profile::load("sim-small").unwrap_or_else(|error| panic!("{error}")).datapath
}

/// Pipelines as deep as those for UltraScale+ parts, on tiles that simulate fast.
fn deep() -> DatapathConfig {
    DatapathConfig { tile: [64, 64], chunk_bits: 64, levels_per_stage: 1, tile_stages: 2, ..profile() }
}

fn design(curve: Curve, config: &DatapathConfig, batch_pairs: usize, pace: Pace) -> (Emitted, BatchedAdder) {
    let mut adder = BatchedAdder::new(curve, config, batch_pairs, pace);
    adder.connect_all();
    let emitted = emit(&adder, "batched_adder").unwrap_or_else(|error| panic!("{error}"));
    (emitted, adder)
}

/// What a run took.
#[derive(Debug)]
struct Run {
    /// Cycles from the first pair offered to the last taken.
    intake: u64,
    /// Cycles from the last pair taken to the last sum.
    tail: u64,
}

struct Adder {
    bench: Testbench,
    block: BatchedAdder,
    inputs: [PortHandle; 4],
    outputs: [PortHandle; 8],
    next_tag: u32,
}

impl Adder {
    fn new(curve: Curve, config: &DatapathConfig, batch_pairs: usize) -> Adder {
        Adder::with_pace(curve, config, batch_pairs, Pace::OneCycle)
    }

    fn with_pace(curve: Curve, config: &DatapathConfig, batch_pairs: usize, pace: Pace) -> Adder {
        let (emitted, block) = design(curve, config, batch_pairs, pace);
        let mut bench = Testbench::build(&emitted);
        let inputs = ["p", "q", "tag", "valid_in"].map(|name| bench.port(name));
        let outputs = ["ready", "sum", "tag_out", "valid_out", "annihilated", "doubling", "waiting", "fault"]
            .map(|name| bench.port(name));
        bench.reset(1);
        Adder { bench, block, inputs, outputs, next_tag: 0xf_fff0 }
    }

    /// Offers the pairs with gaps and checks everything that leaves, until nothing is under way.
    fn check(&mut self, pairs: &[Pair], gaps: Stalls) -> Run {
        self.run(pairs, gaps, u64::MAX)
    }

    /// As [`check`](Adder::check), cut off after some cycles.
    fn run(&mut self, pairs: &[Pair], mut gaps: Stalls, cycles: u64) -> Run {
        let [p, q, tag, valid_in] = self.inputs;
        let [ready, sum, tag_out, valid_out, annihilated, doubling, waiting, fault] = self.outputs;
        let first_tag = self.next_tag;
        let mut seen = vec![false; pairs.len()];
        let sums_expected = pairs.iter().filter(|pair| pair.sum.is_some()).count();
        let doublings_expected = pairs.iter().filter(|pair| pair.doubling).count();
        let (mut taken, mut sums, mut opposites, mut doublings) = (0, 0, 0, 0);
        let (mut intake, mut cycle, mut since, mut offered) = (0, 0, 0, false);
        while cycle < cycles && (taken < pairs.len() || sums + opposites < pairs.len()) {
            // A pair that was offered stands until it is taken.
            offered = taken < pairs.len() && (offered || !gaps.hold());
            if let (Some(pair), true) = (pairs.get(taken), offered) {
                self.bench.model.set_bytes(p, &pair.p);
                self.bench.model.set_bytes(q, &pair.q);
                self.bench.model.set_u64(tag, u64::from(first_tag.wrapping_add(taken as u32) & 0xf_ffff));
            }
            self.bench.model.set_u64(valid_in, offered.into());
            self.bench.model.settle();
            let model = &self.bench.model;
            if model.is_high(valid_out) {
                let index = (model.get_u64(tag_out) as u32).wrapping_sub(first_tag) as usize & 0xf_ffff;
                assert!(index < taken, "cycle {cycle}: a sum of pair {index}, {taken} were taken");
                assert!(!seen[index], "cycle {cycle}: a second sum of pair {index}");
                seen[index] = true;
                let sum = BigUint::from_bytes_le(&model.bytes(sum));
                assert_eq!(Some(&sum), pairs[index].sum.as_ref(), "pair {index}, cycle {cycle}");
                sums += 1;
                since = 0;
            }
            opposites += usize::from(model.is_high(annihilated));
            doublings += usize::from(model.is_high(doubling));
            assert!(!model.is_high(fault), "cycle {cycle}: an invariant is broken");
            if offered && model.is_high(ready) {
                taken += 1;
                offered = false;
                intake = cycle + 1;
                since = 0;
            }
            self.bench.model.rise();
            cycle += 1;
            since += 1;
            assert!(
                since < 6_000,
                "cycle {cycle}: nothing moves; {taken} taken, {sums} sums of {}",
                pairs.len()
            );
        }
        self.next_tag = first_tag.wrapping_add(taken as u32) & 0xf_ffff;
        if cycles == u64::MAX {
            self.bench.model.set_u64(valid_in, 0);
            assert_eq!((sums, opposites), (sums_expected, pairs.len() - sums_expected));
            assert_eq!(doublings, doublings_expected);
            for _ in 0..50 {
                self.bench.model.settle();
                assert!(!self.bench.model.is_high(valid_out) && !self.bench.model.is_high(waiting));
                self.bench.model.rise();
            }
        }
        Run { intake, tail: cycle - intake }
    }
}

/// Everything in any density, at batch borders too.
fn everything<C: Reference>(config: &DatapathConfig, batch_pairs: usize) {
    let pool = Pool::<C>::new(200);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut adder = Adder::new(C::CURVE, config, batch_pairs);
    for count in [1, 2, 3, batch_pairs - 1, batch_pairs, batch_pairs + 1, 3 * batch_pairs + 5] {
        adder.check(&pool.pairs(&mut rng, count, 0, 0), Stalls::none());
    }
    for (doublings, opposites) in [(0, 0), (100, 0), (0, 100), (50, 50), (5, 5), (40, 2), (1, 60), (33, 33)] {
        for gaps in [0, 30, 80, 97] {
            let count = rng.gen_range(1..3 * batch_pairs.min(300));
            let pairs = pool.pairs(&mut rng, count, doublings, opposites);
            adder.check(&pairs, Stalls::random(rng.r#gen(), gaps));
        }
    }
}

#[test]
fn small_batches_are_exact() {
    everything::<g1::Config>(&profile(), 16);
    everything::<GrumpkinConfig>(&profile(), 16);
}

#[test]
fn batches_of_64_are_exact() {
    everything::<g1::Config>(&profile(), 64);
}

#[test]
fn the_largest_batches_are_exact() {
    everything::<GrumpkinConfig>(&profile(), 1024);
}

#[test]
fn deep_pipelines_are_exact() {
    everything::<g1::Config>(&deep(), 1024);
    everything::<GrumpkinConfig>(&deep(), 16);
}

#[test]
fn inverters_of_other_paces_are_exact() {
    let pool = Pool::<g1::Config>::new(100);
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    for pace in [Pace::HalfCycle, Pace::TwoCycles] {
        let mut adder = Adder::with_pace(Curve::Bn254, &profile(), 64, pace);
        for gaps in [0, 70] {
            adder.check(&pool.pairs(&mut rng, 500, 20, 10), Stalls::random(1, gaps));
        }
    }
}

/// Rate of a long stream, and how long after a burst its last sum leaves.
fn check_rate_and_latency(config: &DatapathConfig, rate: f64) {
    let pool = Pool::<g1::Config>::new(500);
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut adder = Adder::new(Curve::Bn254, config, 1024);
    adder.bench.run(adder.block.flush_cycles() as u64 + 2);
    println!("{:?}", adder.block.shape());
    for count in [1, 2, 16, 64, 256, 512, 1024, 2048] {
        let run = adder.check(&pool.pairs(&mut rng, count, 0, 0), Stalls::none());
        let bound = adder.block.burst_cycles(count) as u64;
        println!("a burst of {count}: {run:?}, bound {bound}");
        assert!(run.tail <= bound, "a burst of {count}: {run:?}, bound {bound}");
        assert!(run.intake <= count as u64 + 1 + count as u64 / 50, "a burst of {count}: {run:?}");
    }
    let count = 20_000;
    for (doublings, least) in [(0, rate), (2, rate - 0.06)] {
        let run = adder.check(&pool.pairs(&mut rng, count, doublings, 0), Stalls::none());
        let measured = count as f64 / run.intake as f64;
        println!("{doublings} % doublings: {run:?}: {measured:.4} pairs a cycle");
        assert!(measured >= least, "{measured} pairs a cycle");
    }
    let run = adder.check(&pool.pairs(&mut rng, 4_000, 100, 0), Stalls::none());
    let cycles = run.intake as f64 / 4_000.0;
    println!("nothing but doublings: {run:?}: {cycles:.3} cycles each");
    assert!(cycles <= 3.0, "{cycles} cycles for a doubling");
    let run = adder.check(&pool.pairs(&mut rng, 4_000, 0, 100), Stalls::none());
    assert!(run.intake <= 4_010, "nothing but opposites: {run:?}");
}

#[test]
fn a_pair_a_cycle_and_bounded_latency() {
    check_rate_and_latency(&profile(), 0.99);
}

#[test]
fn a_pair_a_cycle_and_bounded_latency_with_deep_pipelines() {
    check_rate_and_latency(&deep(), 0.98);
}

#[test]
fn a_reset_at_any_time_leaves_nothing_behind() {
    let pool = Pool::<g1::Config>::new(100);
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    for (config, batch_pairs) in [(profile(), 16), (profile(), 1024), (deep(), 1024)] {
        let mut adder = Adder::new(Curve::Bn254, &config, batch_pairs);
        for round in 0..12 {
            let cut = rng.gen_range(1..3_000);
            let gaps = Stalls::random(round, [0, 50, 95][round as usize % 3]);
            adder.run(&pool.pairs(&mut rng, 4_000, 20, 10), gaps, cut);
            adder.bench.set("valid_in", round % 2);
            adder.bench.reset(1);
            // Whatever comes out now is not looked for and fails.
            let count = rng.gen_range(1..300);
            adder.check(&pool.pairs(&mut rng, count, 20, 10), Stalls::none());
        }
    }
}

#[test]
fn pairs_of_points_on_no_curve_spoil_no_others_sum() {
    let pool = Pool::<g1::Config>::new(100);
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let mut adder = Adder::new(Curve::Bn254, &profile(), 64);
    let mut pairs = pool.pairs(&mut rng, 200, 10, 10);
    for index in [0, 50, 51, 150] {
        // y = 0: twice such a point is infinity, and its tangent has the denominator zero.
        let bytes = BigUint::from(7u32 + index as u32).to_bytes_le();
        pairs[index] = Pair { p: bytes.clone(), q: bytes, doubling: false, sum: None };
    }
    adder.check(&pairs, Stalls::none());
}

/// Sums tokens into buckets as an engine does: one that finds its bucket empty parks, one that finds it full becomes a
/// pair, and a sum is a token again. Gives the cycles.
fn sum_into_buckets<C: Reference>(
    adder: &mut Adder,
    pool: &Pool<C>,
    tokens: &[(usize, usize)],
    buckets: usize,
) -> u64 {
    let [p, q, tag, valid_in] = adder.inputs;
    let [ready, sum, tag_out, valid_out, annihilated, _, _, fault] = adder.outputs;
    let model = &mut adder.bench.model;
    let mut parked: Vec<Option<BigUint>> = vec![None; buckets];
    let mut pairs = VecDeque::new();
    let (mut fresh, mut flying, mut cycles) = (0, 0, 0);
    while fresh < tokens.len() || flying > 0 || !pairs.is_empty() {
        assert!(cycles < 100_000, "{fresh} of {} tokens, {flying} pairs under way", tokens.len());
        if let Some((a, b, bucket)) = pairs.front() {
            model.set_bytes(p, &BigUint::to_bytes_le(a));
            model.set_bytes(q, &BigUint::to_bytes_le(b));
            model.set_u64(tag, *bucket as u64);
        }
        model.set_u64(valid_in, (!pairs.is_empty()).into());
        model.settle();
        assert!(!model.is_high(fault), "cycle {cycles}: an invariant is broken");
        if !pairs.is_empty() && model.is_high(ready) {
            pairs.pop_front();
            flying += 1;
        }
        let mut arrivals = Vec::new();
        if model.is_high(valid_out) {
            flying -= 1;
            arrivals.push((BigUint::from_bytes_le(&model.bytes(sum)), model.get_u64(tag_out) as usize));
        }
        flying -= usize::from(model.is_high(annihilated));
        if let (Some((point, bucket)), true) = (tokens.get(fresh), pairs.len() < 64) {
            arrivals.push((pool.forms[*point].clone(), *bucket));
            fresh += 1;
        }
        for (point, bucket) in arrivals {
            match parked[bucket].take() {
                Some(other) => pairs.push_back((other, point, bucket)),
                None => parked[bucket] = Some(point),
            }
        }
        model.rise();
        cycles += 1;
    }
    let mut expected = vec![Projective::<C>::ZERO; buckets];
    tokens.iter().for_each(|(point, bucket)| expected[*bucket] += pool.points[*point]);
    for (bucket, expected) in expected.into_iter().enumerate() {
        let expected = expected.into_affine();
        let expected = (!expected.is_zero()).then(|| form(&expected));
        assert_eq!(parked[bucket], expected, "bucket {bucket}");
    }
    cycles
}

#[test]
fn sums_that_return_as_tokens_are_exact() {
    let pool = Pool::<g1::Config>::new(150);
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    for config in [profile(), deep()] {
        let mut adder = Adder::new(Curve::Bn254, &config, 1024);
        for (count, buckets) in [(100, 1), (1_000, 1), (5_000, 1), (3_000, 40), (5_000, 1_000)] {
            let tokens: Vec<(usize, usize)> = (0..count)
                .map(|_| (rng.gen_range(0..pool.points.len()), rng.gen_range(0..buckets)))
                .collect();
            let cycles = sum_into_buckets(&mut adder, &pool, &tokens, buckets);
            println!("{count} tokens into {buckets} buckets: {cycles} cycles");
        }
        // Few points: their sums meet each other and their opposites all the time.
        for _ in 0..5 {
            let tokens: Vec<(usize, usize)> =
                (0..400).map(|_| ([0, 1, 150, 151][rng.gen_range(0..4)], rng.gen_range(0..3))).collect();
            sum_into_buckets(&mut adder, &pool, &tokens, 3);
        }
    }
}
