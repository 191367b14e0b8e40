//! The driver over the Verilated card: every job against arkworks, and faults that the next job must not feel.

use ark_bn254::Fr;
use ark_ff::UniformRand;
use rand::Rng;
use spandrel_abi::Status;
use spandrel_driver::{BitLengths, CardOptions, DriverError, MsmOptions, best_msm, estimate_msm};
use spandrel_sim::SimControl;
use spandrel_tests::reference::{combine_weighted, msm, projective, scalar_bytes};
use spandrel_tests::world::{World, must};

const CARD: &str = "sim-small";

/// Makes the simulated card's surroundings fail once.
type Inject = fn(&SimControl);

#[test]
fn jobs_several_deep_are_exact_under_stalls() {
    for (seed, entries) in [(1, 2), (2, 4), (3, 64)] {
        let options = CardOptions {
            submission_entries: entries,
            completion_entries: entries,
            ..CardOptions::default()
        };
        let mut world = World::new(CARD, seed, true, options);
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
    let mut world = World::new(CARD, 4, true, CardOptions::default());
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
    let mut world = World::new(CARD, 5, false, options);
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
    let mut world = World::new(CARD, 6, false, CardOptions::default());
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
    let mut world = World::new(CARD, 7, false, CardOptions::default());
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
    let mut worlds: Vec<_> =
        (0..3).map(|seed| World::new(CARD, 10 + seed, true, CardOptions::default())).collect();
    std::thread::scope(|scope| {
        for world in &mut worlds {
            scope.spawn(move || (0..3).for_each(|_| world.check()));
        }
    });
}
