//! The driver over the Verilated card: every job against arkworks, and faults that the next job must not feel.

use ark_bn254::{Fr, G1Affine, G1Projective};
use ark_ec::{CurveGroup, PrimeGroup};
use ark_ff::UniformRand;
use num_bigint::BigUint;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use spandrel_abi::{FieldId, FieldOperation, Status};
use spandrel_driver::{
    BasesHandle, BitLengths, Card, CardOptions, DriverError, Job, MsmOptions, MsmResult, best_msm,
    estimate_msm,
};
use spandrel_hdl::field::Prime;
use spandrel_hdl::profile::Profile;
use spandrel_sim::{InProcess, SimControl, SimOptions};
use spandrel_tests::reference::{bytes32, combine_weighted, msm, point_bytes, projective, scalar_bytes};
use spandrel_tests::values::element;
use std::ops::Range;

/// Makes the simulated card's surroundings fail once.
type Inject = fn(&SimControl);

struct World {
    card: Card,
    control: SimControl,
    rng: ChaCha8Rng,
    points: Vec<G1Affine>,
    bases: Option<BasesHandle>,
}

fn must<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}

impl World {
    fn new(seed: u64, stalls: bool, options: CardOptions) -> World {
        let profile = must(Profile::load("sim-small"));
        let transport = must(InProcess::new(&profile, SimOptions { seed, stalls, ..SimOptions::default() }));
        let control = transport.control();
        let card = must(Card::open(Box::new(transport), options));
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let generator = G1Projective::generator();
        let points = (0..48).map(|_| (generator * Fr::rand(&mut rng)).into_affine()).collect();
        let mut world = World { card, control, rng, points, bases: None };
        world.load();
        world
    }

    fn load(&mut self) {
        let bytes: Vec<u8> = self.points.iter().flat_map(point_bytes).collect();
        self.bases = Some(must(self.card.load_bases(&bytes)));
    }

    /// Submits the MSM of a random range; gives the job and the result that arkworks computes.
    fn submit(&mut self) -> Result<(Job<MsmResult>, G1Affine), DriverError> {
        let end = self.rng.gen_range(0..=self.points.len());
        let start = self.rng.gen_range(0..=end);
        let scalars: Vec<Fr> = (start..end).map(|_| Fr::rand(&mut self.rng)).collect();
        let expected = msm(&self.points[start..end], &scalars);
        Ok((self.submit_scalars(start..end, &scalars)?, expected))
    }

    fn submit_scalars(&mut self, range: Range<usize>, scalars: &[Fr]) -> Result<Job<MsmResult>, DriverError> {
        let bytes: Vec<u8> = scalars.iter().flat_map(scalar_bytes).collect();
        let bases = self.bases.as_ref().unwrap_or_else(|| panic!("no bases loaded"));
        self.card.submit_msm(bases, range, &bytes)
    }

    fn wait(&mut self, job: Job<MsmResult>) -> Result<G1Affine, DriverError> {
        let result = self.card.wait(job, &mut |_| {})?;
        assert!(result.counters.cycles <= result.cycles, "{result:?}");
        let sums: Vec<_> = result.points.iter().map(|bytes| projective(bytes)).collect();
        Ok(combine_weighted(&result.exponents, &sums))
    }

    fn check(&mut self) {
        let (job, expected) = must(self.submit());
        assert_eq!(must(self.wait(job)), expected);
    }

    fn check_field_vector(&mut self) {
        let count = self.rng.gen_range(1..70);
        let field = FieldId::ALL[self.rng.gen_range(0..FieldId::ALL.len())];
        let operation = FieldOperation::ALL[self.rng.gen_range(0..FieldOperation::ALL.len())];
        let prime = match field {
            FieldId::Fq => Prime::Fq,
            FieldId::Fr => Prime::Fr,
        };
        let mut draw = || (0..count).map(|_| element(&mut self.rng, prime)).collect::<Vec<_>>();
        let (a, b) = (draw(), draw());
        let p = prime.modulus();
        let expected = a.iter().zip(&b).map(|(a, b)| match operation {
            FieldOperation::Add => (a + b) % &p,
            FieldOperation::Subtract => (a + &p - b) % &p,
            FieldOperation::Multiply => prime.montgomery_product(a, b),
        });
        let expected: Vec<u8> = expected.flat_map(|value| bytes32(&value)).collect();
        let bytes = |values: &[BigUint]| values.iter().flat_map(bytes32).collect::<Vec<u8>>();
        let job = must(self.card.submit_field_vector(field, operation, &bytes(&a), &bytes(&b)));
        assert_eq!(
            must(self.card.wait(job, &mut |_| {})),
            expected,
            "{field:?} {operation:?}, {count} elements"
        );
    }
}

#[test]
fn jobs_several_deep_are_exact_under_stalls() {
    for (seed, entries) in [(1, 2), (2, 4), (3, 64)] {
        let options = CardOptions {
            submission_entries: entries,
            completion_entries: entries,
            ..CardOptions::default()
        };
        let mut world = World::new(seed, true, options);
        must(world.card.self_test());
        let mut jobs: Vec<_> = (0..5).map(|_| must(world.submit())).collect();
        while !jobs.is_empty() {
            // Awaited in any order; some are dropped and must disturb nobody.
            let (job, expected) = jobs.swap_remove(world.rng.gen_range(0..jobs.len()));
            if world.rng.gen_bool(0.2) {
                drop(job);
            } else {
                assert_eq!(must(world.wait(job)), expected);
            }
            world.check_field_vector();
        }
    }
}

#[test]
fn bus_errors_are_statuses_and_the_next_job_is_exact() {
    let mut world = World::new(4, true, CardOptions::default());
    let faults: [(Inject, Status); 3] = [
        // The first read is that of the submission entry (two beats in one burst), the second the scalars'.
        (|control| control.fail_host_read(1), Status::HostReadFault),
        (|control| control.fail_host_write(0), Status::HostWriteFault),
        (|control| control.fail_card_read(0), Status::CardMemoryFault),
    ];
    for (inject, status) in faults {
        let whole = 0..world.points.len();
        let scalars = vec![Fr::from(5u64); whole.len()];
        inject(&world.control);
        let job = must(world.submit_scalars(whole, &scalars));
        match world.card.wait(job, &mut |_| {}) {
            Err(DriverError::CommandFailed { status: seen, .. }) => assert_eq!(seen, status),
            other => panic!("{status:?} expected: {other:?}"),
        }
        assert!(world.card.needs_reset().is_none());
        world.check();
        world.check_field_vector();
    }
}

#[test]
fn a_stuck_bus_times_out_and_a_reset_brings_the_card_back() {
    let options = CardOptions { bound_floor_cycles: 200_000, bound_factor: 2, ..CardOptions::default() };
    let mut world = World::new(5, false, options);
    world.check();
    let (job, _) = must(world.submit());
    world.control.hold_host(true);
    let error = world.wait(job).expect_err("a job that cannot read memory ends");
    assert!(matches!(error, DriverError::TimedOut { .. }), "{error}");
    assert!(world.card.needs_reset().is_some());
    assert!(world.submit().is_err(), "a card that needs a reset takes no job");
    world.control.hold_host(false);
    must(world.card.reset());
    assert!(world.submit().is_err(), "bases from before the reset are gone");
    world.load();
    world.check();
    world.check_field_vector();
}

#[test]
fn lost_interrupts_and_a_card_off_the_bus_do_not_hang() {
    let mut world = World::new(6, false, CardOptions::default());
    world.control.drop_interrupts(3);
    world.check();
    let (job, _) = must(world.submit());
    world.control.unplug();
    let error = world.wait(job).expect_err("a card off the bus ends no job");
    assert!(matches!(error, DriverError::CardGone { .. }), "{error}");
    world.control.plug();
    must(world.card.reset());
    world.load();
    world.check();
}

/// The driver chooses windows by its estimate: it must be near what the card takes, and order the choices as the card does.
#[test]
fn the_estimate_of_a_job_is_near_its_cycles() {
    let mut world = World::new(7, false, CardOptions::default());
    let count = 320;
    world.points = (0..count).map(|index| world.points[index % 48]).collect();
    world.load();
    let card = *world.card.identification();
    for kind in 0..3 {
        let mut scalar = |index: usize| match (kind, index % 6) {
            (0, _) | (1, 5) => Fr::rand(&mut world.rng),
            (1, 0..3) => Fr::from(0u64),
            _ => Fr::from(1u64),
        };
        let scalars: Vec<Fr> = (0..count).map(&mut scalar).collect();
        let bytes: Vec<u8> = scalars.iter().flat_map(scalar_bytes).collect();
        let lengths = BitLengths::of(&bytes);
        let expected = msm(&world.points, &scalars);
        let mut measured = Vec::new();
        for window_bits in card.window_choices() {
            let options = MsmOptions { window_bits: Some(window_bits), ..MsmOptions::default() };
            let bases = world.bases.as_ref().unwrap_or_else(|| panic!("no bases loaded"));
            let job = must(world.card.submit_msm_with(bases, 0..count, &bytes, &options));
            let result = must(world.card.wait(job, &mut |_| {}));
            let sums: Vec<_> = result.points.iter().map(|bytes| projective(bytes)).collect();
            assert_eq!(combine_weighted(&result.exponents, &sums), expected);
            let estimate = estimate_msm(&card, &lengths, window_bits);
            let counters = result.counters;
            let ratio = estimate.cycles() / counters.cycles as f64;
            assert!((0.85..1.15).contains(&ratio), "kind {kind}: {estimate:?}, {counters:?}");
            let digits = estimate.digits / counters.digits as f64;
            assert!((0.97..1.03).contains(&digits), "kind {kind}: {estimate:?}, {counters:?}");
            measured.push((counters.cycles, window_bits));
        }
        let chosen = best_msm(&card, &lengths).map(|best| best.window_bits);
        assert_eq!(chosen, measured.iter().min().map(|(_, window_bits)| *window_bits), "{measured:?}");
    }
}

#[test]
fn cards_in_one_process_do_not_know_of_each_other() {
    let mut worlds: Vec<_> = (0..3).map(|seed| World::new(10 + seed, true, CardOptions::default())).collect();
    std::thread::scope(|scope| {
        for world in &mut worlds {
            scope.spawn(move || (0..3).for_each(|_| world.check()));
        }
    });
}
