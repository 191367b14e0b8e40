//! An engine on a test bench, and what every job's counters must obey.

use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use spandrel_hdl::emit::Emitted;
use spandrel_hdl::profile::Profile;
use spandrel_sim::testbench::{SinkId, SourceId, Stalls, Testbench};
use spandrel_tests::reference::{Coordinate, combine_shares, msm, point_bytes, projective, scalar_bytes};
use std::marker::PhantomData;

/// A job's counters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counters {
    pub cycles: u64,
    pub additions: u64,
    pub digits: u64,
    pub elements: u64,
    pub bucket_cycles: u64,
    pub reduction_cycles: u64,
    pub idle: u64,
    pub digit_stalls: u64,
    pub no_pair: u64,
    pub batch: u64,
    pub adder: u64,
    pub memory: u64,
    pub host: u64,
    pub drain: u64,
    pub parked: u64,
    pub matched: u64,
    pub doublings: u64,
    pub annihilations: u64,
}

impl Counters {
    /// Additions a cycle of the whole job, a core.
    pub fn rate(&self, cores: u32) -> f64 {
        self.additions as f64 / (self.cycles * u64::from(cores)) as f64
    }
}

/// An engine of a curve.
pub struct Bench<C> {
    pub bench: Testbench,
    pub profile: Profile,
    pub scalars: SourceId,
    pub points: SourceId,
    pub results: SinkId,
    curve: PhantomData<C>,
}

impl<C: SWCurveConfig<BaseField: Coordinate>> Bench<C> {
    pub fn new(profile: &Profile, emitted: &Emitted, seed: u64, stall_percent: u8) -> Bench<C> {
        let mut bench = Testbench::build(emitted);
        let stalls = |stream: u64| Stalls::random(8 * seed + stream, stall_percent);
        let scalars = bench.source("scalar", stalls(1));
        let points = bench.source("point", stalls(2));
        let results = bench.sink("result", stalls(3));
        let mut engine =
            Bench { bench, profile: profile.clone(), scalars, points, results, curve: PhantomData };
        engine.reset();
        engine
    }

    /// The same engine, the next jobs of which are on the first or the second of its curves.
    pub fn on_curve<D: SWCurveConfig<BaseField: Coordinate>>(mut self, second: bool) -> Bench<D> {
        self.bench.set("second_curve", second.into());
        let Bench { bench, profile, scalars, points, results, .. } = self;
        Bench { bench, profile, scalars, points, results, curve: PhantomData }
    }

    /// Aborts what is under way.
    pub fn reset(&mut self) {
        self.bench.reset(2);
        self.bench.run_until(1 << 21, |bench| bench.get("busy") == 0);
    }

    /// Starts a job.
    pub fn offer(&mut self, choice: usize, bases: &[Affine<C>], scalars: &[C::ScalarField]) {
        for (base, scalar) in bases.iter().zip(scalars) {
            self.bench.push(self.points, point_bytes(base));
            self.bench.push(self.scalars, scalar_bytes(scalar));
        }
        self.bench.set("count", scalars.len() as u64);
        self.bench.set("window_choice", choice as u64);
        self.bench.pulse("start");
    }

    /// Runs a job and holds its counters against each other.
    pub fn run(
        &mut self,
        choice: usize,
        bases: &[Affine<C>],
        scalars: &[C::ScalarField],
    ) -> (Affine<C>, Counters) {
        let c = self.profile.msm.window_bits[choice];
        let cores = self.profile.msm.adders;
        self.offer(choice, bases, scalars);
        let bound = 400_000 + 1_000 * scalars.len() as u64 * u64::from(spandrel_abi::windows(c));
        self.bench.run_until(bound, |bench| bench.get("busy") == 0);
        let beats = self.bench.take(self.results);
        let sums: Vec<_> = beats.chunks(3).map(|point| projective::<C>(&point.concat())).collect();
        let counters = self.counters();
        self.check_counters(&counters, scalars.len());
        (combine_shares(c, cores, &sums), counters)
    }

    /// Runs a job and holds its result against arkworks.
    pub fn check(
        &mut self,
        what: &str,
        choice: usize,
        bases: &[Affine<C>],
        scalars: &[C::ScalarField],
    ) -> Counters {
        let (result, counters) = self.run(choice, bases, scalars);
        assert_eq!(result, msm(bases, scalars), "{what}, {} points: {counters:?}", scalars.len());
        counters
    }

    /// The counters as they stand.
    pub fn counters(&self) -> Counters {
        let get = |name: &str| self.bench.get(name);
        Counters {
            cycles: get("cycles"),
            additions: get("additions"),
            digits: get("digits"),
            elements: get("elements"),
            bucket_cycles: get("bucket_cycles"),
            reduction_cycles: get("reduction_cycles"),
            idle: get("idle_cycles"),
            digit_stalls: get("digit_stall_cycles"),
            no_pair: get("idle_no_pair_cycles"),
            batch: get("idle_batch_cycles"),
            adder: get("idle_adder_cycles"),
            memory: get("idle_memory_cycles"),
            host: get("idle_host_cycles"),
            drain: get("idle_drain_cycles"),
            parked: get("parked"),
            matched: get("matched"),
            doublings: get("doublings"),
            annihilations: get("annihilations"),
        }
    }

    fn check_counters(&self, counters: &Counters, elements: usize) {
        let Counters { cycles, additions, digits, .. } = *counters;
        let cores = u64::from(self.profile.msm.adders);
        assert_eq!(counters.elements, elements as u64, "{counters:?}");
        assert_eq!(counters.matched, additions, "every pair is added once: {counters:?}");
        let causes = [
            counters.no_pair,
            counters.batch,
            counters.adder,
            counters.memory,
            counters.host,
            counters.drain,
        ];
        assert_eq!(causes.iter().sum::<u64>(), counters.idle, "each idle cycle has one cause: {counters:?}");
        assert!(additions + counters.idle <= cores * cycles, "{counters:?}");
        let phases = counters.bucket_cycles + counters.reduction_cycles;
        assert!(phases <= cycles && additions + counters.idle <= cores * phases, "{counters:?}");
        // Fresh tokens are the digits and those of the passes; each parks or annihilates in the end.
        assert!(digits <= counters.parked + counters.annihilations, "{counters:?}");
        assert!(counters.doublings + counters.annihilations <= additions, "{counters:?}");
        if cores == 1 {
            assert_eq!(additions + counters.idle, phases, "{counters:?}");
        }
    }
}
