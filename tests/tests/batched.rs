//! The batched affine adder, Verilated, against arkworks.

use ark_bn254::{Fq, Fr, g1};
use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_ec::{AffineRepr, CurveConfig, CurveGroup};
use ark_ff::{AdditiveGroup, Field, MontFp, PrimeField};
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

/// Grumpkin for arkworks.
#[derive(Clone)]
struct GrumpkinConfig;

impl CurveConfig for GrumpkinConfig {
    type BaseField = Fr;
    type ScalarField = Fq;
    const COFACTOR: &'static [u64] = &[1];
    const COFACTOR_INV: Fq = Fq::ONE;
}

impl SWCurveConfig for GrumpkinConfig {
    type ZeroFlag = bool;
    const COEFF_A: Fr = MontFp!("0");
    const COEFF_B: Fr = MontFp!("-17");
    const GENERATOR: Affine<GrumpkinConfig> = Affine::new_unchecked(
        MontFp!("1"),
        MontFp!("17631683881184975370165255887551781615748388533673675138860"),
    );
}

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
fn rate_and_latency() {
    let pool = Pool::<g1::Config>::new(500);
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut adder = Adder::new(Curve::Bn254, &profile(), 1024);
    println!("{:?}", adder.block.shape());
    for count in [1, 2, 16, 64, 256, 512, 1024, 2048] {
        let run = adder.check(&pool.pairs(&mut rng, count, 0, 0), Stalls::none());
        println!("burst of {count}: {run:?}");
    }
    let count = 20_000;
    let run = adder.check(&pool.pairs(&mut rng, count, 0, 0), Stalls::none());
    println!("{run:?}: {} pairs a cycle", count as f64 / run.intake as f64);
}
