//! The MSM engine, Verilated, against arkworks.

use ark_bn254::{Fr, G1Affine, G1Projective};
use ark_ec::{CurveGroup, PrimeGroup};
use ark_ff::{AdditiveGroup, Field, UniformRand};
use num_bigint::BigUint;
use proptest::collection::vec;
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::{Block, ToBits, simulate};
use spandrel_hdl::emit::{Emitted, emit};
use spandrel_hdl::msm::{MsmEngine, Shape};
use spandrel_hdl::profile::Profile;
use spandrel_sim::testbench::{SinkId, SourceId, Stalls, Testbench};
use spandrel_tests::reference::{bytes32, combine, msm, point_bytes, projective, scalar_bytes};
use std::sync::OnceLock;

/// An engine on a test bench, and what one job's counters must obey.
struct Engine {
    bench: Testbench,
    shape: Shape,
    scalars: SourceId,
    points: SourceId,
    results: SinkId,
}

/// A job's counters.
#[derive(Debug)]
struct Counters {
    cycles: u64,
    additions: u64,
    digits: u64,
    bucket_cycles: u64,
}

fn design(profile: &Profile) -> Emitted {
    let mut engine = MsmEngine::new(profile);
    engine.connect_all();
    emit(&engine, "msm_engine").unwrap_or_else(|error| panic!("{error}"))
}

impl Engine {
    fn new(profile: &Profile, emitted: &Emitted, seed: u64, stall_percent: u8) -> Engine {
        let mut bench = Testbench::build(emitted);
        let stalls = |stream: u64| Stalls::random(8 * seed + stream, stall_percent);
        let scalars = bench.source("scalar", stalls(1));
        let points = bench.source("point", stalls(2));
        let results = bench.sink("result", stalls(3));
        let mut engine = Engine { bench, shape: Shape::of(profile), scalars, points, results };
        engine.reset();
        engine
    }

    fn reset(&mut self) {
        self.bench.reset(2);
        self.bench.run_until(1 << 21, |bench| bench.get("busy") == 0);
    }

    fn offer(&mut self, bases: &[G1Affine], scalars: &[Fr]) {
        for (base, scalar) in bases.iter().zip(scalars) {
            self.bench.push(self.points, point_bytes(base));
            self.bench.push(self.scalars, scalar_bytes(scalar));
        }
        self.bench.set("count", scalars.len() as u64);
        self.bench.pulse("start");
    }

    fn run(&mut self, bases: &[G1Affine], scalars: &[Fr]) -> (G1Affine, Counters) {
        self.offer(bases, scalars);
        let beats = 3 * self.shape.result_points(0);
        let results = self.results;
        let bound = 200_000 + 400 * (scalars.len() * self.shape.local_windows()) as u64;
        self.bench.run_until(bound, |bench| bench.received(results).len() == beats);
        self.bench.run_until(4, |bench| bench.get("busy") == 0);
        let beats = self.bench.take(results);
        let sums: Vec<_> = beats.chunks(3).map(|point| projective(&point.concat())).collect();
        let counters = Counters {
            cycles: self.bench.get("cycles"),
            additions: self.bench.get("additions"),
            digits: self.bench.get("digits"),
            bucket_cycles: self.bench.get("bucket_cycles"),
        };
        assert!(counters.additions <= counters.cycles && counters.digits <= counters.cycles, "{counters:?}");
        assert_eq!(self.bench.get("elements"), scalars.len() as u64);
        (combine(&sums), counters)
    }

    fn check(&mut self, what: &str, bases: &[G1Affine], scalars: &[Fr]) -> Counters {
        let (result, counters) = self.run(bases, scalars);
        assert_eq!(result, msm(bases, scalars), "{what}, {} points: {counters:?}", scalars.len());
        counters
    }
}

fn small() -> (&'static Profile, &'static Emitted) {
    static SMALL: OnceLock<(Profile, Emitted)> = OnceLock::new();
    let (profile, emitted) = SMALL.get_or_init(|| {
        let profile = Profile::load("sim-small").unwrap_or_else(|error| panic!("{error}"));
        let emitted = design(&profile);
        (profile, emitted)
    });
    (profile, emitted)
}

/// A shape that `sim-small` is not: the narrowest window, a deep pipeline, a small pair FIFO.
fn deep() -> (&'static Profile, &'static Emitted) {
    static DEEP: OnceLock<(Profile, Emitted)> = OnceLock::new();
    let (profile, emitted) = DEEP.get_or_init(|| {
        let mut profile = Profile::load("sim-small").unwrap_or_else(|error| panic!("{error}"));
        profile.msm.window_bits = 3;
        profile.msm.pair_fifo_depth = 16;
        profile.datapath.levels_per_stage = 5;
        profile.datapath.chunk_bits = 128;
        profile.datapath.tile_stages = 1;
        let emitted = design(&profile);
        (profile, emitted)
    });
    (profile, emitted)
}

fn random_bases(rng: &mut ChaCha8Rng, count: usize) -> Vec<G1Affine> {
    let generator = G1Projective::generator();
    let start = generator * Fr::rand(rng);
    let step = generator * Fr::rand(rng);
    let advance = |point: &mut G1Projective, _| {
        *point += step;
        Some(*point)
    };
    let points: Vec<_> = (0..count).scan(start, advance).collect();
    G1Projective::normalize_batch(&points)
}

/// Bases with what trips adders up: few distinct points, their negatives, infinity.
fn colliding_bases(rng: &mut ChaCha8Rng, count: usize) -> Vec<G1Affine> {
    let few = random_bases(rng, 3);
    let pick = |rng: &mut ChaCha8Rng| match rng.gen_range(0..8) {
        0 => G1Affine::identity(),
        1..=3 => -few[rng.gen_range(0..few.len())],
        _ => few[rng.gen_range(0..few.len())],
    };
    (0..count).map(|_| pick(rng)).collect()
}

/// A scalar of any of the kinds that real and hostile jobs are made of.
fn any_scalar(rng: &mut ChaCha8Rng, window_bits: usize) -> Fr {
    match rng.gen_range(0..10) {
        0 => Fr::ZERO,
        1 => Fr::ONE,
        2 => -Fr::ONE,
        3 => Fr::from(2u64).pow([rng.gen_range(0..254u64)]),
        4 => -Fr::from(2u64).pow([rng.gen_range(0..254u64)]),
        5 => Fr::from(rng.gen_range(0..1u64 << 13)),
        // The largest magnitude in one window, and the smallest in all.
        6 => Fr::from(2u64).pow([(window_bits * rng.gen_range(1..254 / window_bits) - 1) as u64]),
        7 => (0..254 / window_bits).map(|w| Fr::from(2u64).pow([(w * window_bits) as u64])).sum(),
        _ => Fr::rand(rng),
    }
}

/// The scalar of each index.
type Scalars = Box<dyn Fn(usize) -> Fr>;

fn repeat(scalar: Fr) -> impl Fn(usize) -> Fr {
    move |_| scalar
}

#[test]
fn every_kind_of_scalars_is_exact() {
    let (profile, emitted) = small();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut engine = Engine::new(profile, emitted, 1, 0);
    let uniform: Vec<Fr> = (0..256).map(|_| Fr::rand(&mut rng)).collect();
    let kinds: [(&str, Scalars); 7] = [
        ("uniform", Box::new(move |i| uniform[i])),
        ("zero", Box::new(repeat(Fr::ZERO))),
        ("one", Box::new(repeat(Fr::ONE))),
        ("equal", Box::new(repeat(Fr::rand(&mut rng)))),
        ("r - 1", Box::new(repeat(-Fr::ONE))),
        ("powers of two", Box::new(|i| Fr::from(2u64).pow([i as u64 % 254]))),
        ("one digit a window", Box::new(|i| Fr::from(2u64).pow([8 * (i as u64 % 31)]) * Fr::from(77u64))),
    ];
    let bases = random_bases(&mut rng, 256);
    for (what, scalar) in kinds {
        for count in [1, 2, 255] {
            let scalars: Vec<Fr> = (0..count).map(&scalar).collect();
            engine.check(what, &bases[..count], &scalars);
        }
    }
    engine.check("nothing", &[], &[]);
}

#[test]
fn equal_opposite_and_infinite_bases_are_exact() {
    let (profile, emitted) = small();
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut engine = Engine::new(profile, emitted, 2, 20);
    let one_point = vec![random_bases(&mut rng, 1)[0]; 64];
    engine.check("one base, one scalar", &one_point, &[Fr::ONE; 64]);
    let opposite: Vec<G1Affine> =
        (0..64).map(|i| if i % 2 == 0 { one_point[0] } else { -one_point[0] }).collect();
    engine.check("P - P + P - P", &opposite, &[Fr::ONE; 64]);
    engine.check("all infinite", &[G1Affine::identity(); 16], &[Fr::ONE; 16]);
    for _ in 0..4 {
        let bases = colliding_bases(&mut rng, 97);
        let scalars: Vec<Fr> = (0..97).map(|_| any_scalar(&mut rng, 8)).collect();
        engine.check("mixed", &bases, &scalars);
    }
}

#[test]
fn a_job_aborted_anywhere_leaves_nothing_behind() {
    let (profile, emitted) = small();
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut engine = Engine::new(profile, emitted, 3, 10);
    let bases = random_bases(&mut rng, 40);
    let scalars: Vec<Fr> = (0..40).map(|_| any_scalar(&mut rng, 8)).collect();
    for _ in 0..6 {
        engine.offer(&bases, &scalars);
        let results = engine.results;
        let beats_or_cycles = rng.gen_range(1..9_000);
        engine.bench.run(beats_or_cycles);
        drop(engine.bench.take(results));
        engine.reset();
        engine.check("after an abort", &bases, &scalars);
    }
}

#[test]
fn the_adder_is_kept_busy() {
    let (profile, emitted) = small();
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let mut engine = Engine::new(profile, emitted, 4, 0);
    let bases = random_bases(&mut rng, 1024);
    let scalars: Vec<Fr> = (0..1024).map(|_| Fr::rand(&mut rng)).collect();
    let uniform = engine.check("uniform", &bases, &scalars);
    let rate = uniform.additions as f64 / uniform.cycles as f64;
    assert!(rate >= 0.80, "{rate} additions a cycle: {uniform:?}");
    // One bucket takes every token: the match-or-park engine must not stall on it.
    let one = engine.check("one", &bases, &[Fr::ONE; 1024]);
    assert!(one.bucket_cycles <= 1024 + 1024 / 4, "{one:?}");
    assert_eq!(one.additions, 1023, "tokens - non-empty buckets");
    // One window of 32 is scanned; the rest of the job is its W*c results of three beats.
    assert!(one.cycles <= 1024 + 256 + 128 + 32 + 2 * 32 + 3 * 256 + 64, "{one:?}");
}

#[test]
fn a_deep_pipeline_and_narrow_windows_are_exact() {
    let (profile, emitted) = deep();
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut engine = Engine::new(profile, emitted, 5, 15);
    for count in [1, 2, 33, 120] {
        let bases = colliding_bases(&mut rng, count);
        let scalars: Vec<Fr> = (0..count).map(|_| any_scalar(&mut rng, 3)).collect();
        engine.check("mixed", &bases, &scalars);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(40) })]

    /// Jobs back to back on one engine, each of any size, scalars and bases of all kinds, every stream stalling.
    #[test]
    fn any_jobs_back_to_back_are_exact(seed: u64, stall_percent in 0u8..80, sizes in vec(0usize..90, 1..4)) {
        let (profile, emitted) = small();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut engine = Engine::new(profile, emitted, seed >> 8, stall_percent);
        for count in sizes {
            let mut bases = random_bases(&mut rng, count);
            for (base, other) in bases.iter_mut().zip(colliding_bases(&mut rng, count)) {
                if rng.gen_bool(0.4) {
                    *base = other;
                }
            }
            let scalars: Vec<Fr> = (0..count).map(|_| any_scalar(&mut rng, 8)).collect();
            engine.check("any", &bases, &scalars);
        }
    }
}

/// RustHDL's own simulation of the engine, which interprets the pipelines, against the Verilated one.
#[test]
fn rusthdl_and_verilator_agree_cycle_by_cycle() {
    let (profile, emitted) = deep();
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let bases = colliding_bases(&mut rng, 3);
    let scalars = [Fr::rand(&mut rng), Fr::ONE, -Fr::ONE];
    let mut block = MsmEngine::new(profile);
    block.connect_all();
    let mut model = Testbench::build(emitted);
    let mut next = 0;
    let mut results = 0;
    let mut started = false;
    for cycle in 0..20_000 {
        let reset = cycle < 2;
        let idle = model.get("busy") == 0;
        let start = cycle > 2 && idle && !started;
        started |= start;
        let offered = next < scalars.len() && rng.gen_bool(0.7);
        let (scalar, point) = match offered {
            true => (scalar_bytes(&scalars[next]), point_bytes(&bases[next])),
            false => ([0xa5; 32], [0xa5; 64]),
        };
        let ready = rng.gen_bool(0.8);

        for (name, value) in [("reset", reset), ("start", start), ("result_ready", ready)] {
            model.set(name, value.into());
        }
        model.set("count", scalars.len() as u64);
        model.set("scalar_valid", offered.into());
        model.set("point_valid", offered.into());
        model.set_bytes("scalar_data", &scalar);
        model.set_bytes("point_data", &point);
        model.model.settle();

        block.reset.next = reset;
        block.start.next = start;
        block.count.next = scalars.len().to_bits();
        block.result_ready.next = ready;
        block.scalar_valid.next = offered;
        block.point_valid.next = offered;
        block.scalar_data.next = BigUint::from_bytes_le(&scalar).into();
        block.point_data.next = BigUint::from_bytes_le(&point).into();
        block.clock.next = false.into();
        assert!(simulate(&mut block, 1000), "RustHDL's simulation does not settle in cycle {cycle}");

        let same = |name: &str, value: u64| assert_eq!(model.get(name), value, "{name}, cycle {cycle}");
        // Before the reset has reached every register, power-on values may differ.
        if cycle > 2 {
            same("busy", block.busy.val().into());
            same("scalar_ready", block.scalar_ready.val().into());
            same("point_ready", block.point_ready.val().into());
            same("result_valid", block.result_valid.val().into());
            same("additions", block.additions.val().to_u64());
            if block.result_valid.val() {
                let value: BigUint = block.result_data.val().into();
                assert_eq!(model.bytes("result_data"), bytes32(&value), "result_data, cycle {cycle}");
            }
        }
        next += usize::from(offered && model.get("scalar_ready") == 1);
        results += usize::from(ready && model.get("result_valid") == 1);

        model.model.rise();
        block.clock.next = true.into();
        assert!(simulate(&mut block, 1000), "RustHDL's simulation does not settle in cycle {cycle}");
        if started && results == 3 * Shape::of(profile).result_points(0) {
            return;
        }
    }
    panic!("the job did not end: {results} beats");
}
