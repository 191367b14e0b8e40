//! The MSM engine, Verilated, against arkworks.

use ark_bn254::{Fr, G1Affine, G1Projective};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, Field, UniformRand};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use spandrel_hdl::emit::{Emitted, emit};
use spandrel_hdl::msm::{MsmEngine, Shape};
use spandrel_hdl::profile::Profile;
use spandrel_sim::testbench::{SinkId, SourceId, Stalls, Testbench};
use spandrel_tests::reference::{combine, msm, point_bytes, projective, scalar_bytes};
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
}

fn design(profile: &Profile) -> Emitted {
    emit(&MsmEngine::new(profile), "msm_engine").unwrap_or_else(|error| panic!("{error}"))
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
        let beats = 3 * self.shape.result_points();
        let results = self.results;
        let bound = 200_000 + 400 * (scalars.len() * self.shape.windows) as u64;
        self.bench.run_until(bound, |bench| bench.received(results).len() == beats);
        self.bench.run_until(4, |bench| bench.get("busy") == 0);
        let beats = self.bench.take(results);
        let sums: Vec<_> = beats.chunks(3).map(|point| projective(&point.concat())).collect();
        let counters = Counters {
            cycles: self.bench.get("cycles"),
            additions: self.bench.get("additions"),
            digits: self.bench.get("digits"),
        };
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

fn random_bases(rng: &mut ChaCha8Rng, count: usize) -> Vec<G1Affine> {
    (0..count).map(|_| G1Affine::from(G1Projective::rand(rng))).collect()
}

#[test]
fn uniform_scalars() {
    let (profile, emitted) = small();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut engine = Engine::new(profile, emitted, 1, 0);
    for count in [0, 1, 2, 3, 17, 256] {
        let bases = random_bases(&mut rng, count);
        let scalars: Vec<Fr> = (0..count).map(|_| Fr::rand(&mut rng)).collect();
        let counters = engine.check("uniform", &bases, &scalars);
        println!("{count}: {counters:?}");
    }
}
