//! Results, whatever the scalars, the bases, the stalls and the jobs before.

use crate::bench::Bench;
use crate::engines::{Design, Law, batched, both_curves, hold, on_bn254, two_on_grumpkin};
use crate::inputs::{any_scalars, colliding_bases, mixed_bases, random_bases, uniform};
use ark_bn254::g1::Config as Bn254;
use ark_ec::AffineRepr;
use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use ark_ff::{Field, UniformRand};
use ark_grumpkin::GrumpkinConfig;
use proptest::collection::vec;
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use spandrel_tests::reference::Coordinate;

fn kinds_of_scalars<F: ark_ff::PrimeField>(
    rng: &mut ChaCha8Rng,
    c: u64,
    count: usize,
) -> Vec<(&'static str, Vec<F>)> {
    let two = F::from(2u64);
    let each = |scalar: &dyn Fn(u64) -> F| (0..count as u64).map(scalar).collect::<Vec<F>>();
    let equal = F::rand(rng);
    vec![
        ("uniform", uniform(rng, count)),
        ("zero", vec![F::ZERO; count]),
        ("one", vec![F::ONE; count]),
        ("equal", vec![equal; count]),
        ("order - 1", vec![-F::ONE; count]),
        ("powers of two", each(&|i| two.pow([i % 254]))),
        ("one digit a window", each(&|i| two.pow([c * (i % (254 / c))]) * F::from(3u64))),
    ]
}

/// Every kind of scalars, every choice of window bits.
struct Kinds;

impl Law for Kinds {
    fn check<C: SWCurveConfig<BaseField: Coordinate>>(&self, what: &str, design: &Design) {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut engine: Bench<C> = design.bench(1, 0);
        let bases = random_bases::<C>(&mut rng, 131);
        for (choice, c) in design.profile.msm.window_bits.iter().enumerate() {
            for (kind, scalars) in kinds_of_scalars(&mut rng, u64::from(*c), 131) {
                for count in [1, 2, 131] {
                    let what = format!("{what}, {kind}, {c} bits");
                    engine.check(&what, choice, &bases[..count], &scalars[..count]);
                }
            }
            engine.check(&format!("{what}, nothing"), choice, &[], &[]);
        }
    }
}

#[test]
fn every_kind_of_scalars_is_exact() {
    hold(&Kinds);
}

/// Points that are equal, opposite or at infinity.
struct Bases;

impl Law for Bases {
    fn check<C: SWCurveConfig<BaseField: Coordinate>>(&self, what: &str, design: &Design) {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let mut engine: Bench<C> = design.bench(2, 20);
        let one = vec![C::ScalarField::ONE; 64];
        let same = vec![random_bases::<C>(&mut rng, 1)[0]; 64];
        engine.check(&format!("{what}: one base, one scalar"), 0, &same, &one);
        let opposite: Vec<Affine<C>> = (0..64).map(|i| if i % 2 == 0 { same[0] } else { -same[0] }).collect();
        engine.check(&format!("{what}: P - P + P - P"), 1, &opposite, &one);
        let halves: Vec<Affine<C>> = (0..64).map(|i| if i < 32 { same[0] } else { -same[0] }).collect();
        engine.check(&format!("{what}: P + P - P - P"), 0, &halves, &one);
        engine.check(&format!("{what}: all infinite"), 1, &[Affine::zero(); 16], &one[..16]);
        for choice in 0..design.profile.msm.window_bits.len() {
            let c = design.profile.msm.window_bits[choice] as usize;
            for _ in 0..2 {
                let bases = colliding_bases::<C>(&mut rng, 97);
                let scalars = any_scalars(&mut rng, c, 97);
                engine.check(&format!("{what}: mixed"), choice, &bases, &scalars);
            }
        }
    }
}

#[test]
fn equal_opposite_and_infinite_bases_are_exact() {
    hold(&Bases);
}

/// Jobs cut short by a reset.
struct Aborts;

impl Law for Aborts {
    fn check<C: SWCurveConfig<BaseField: Coordinate>>(&self, what: &str, design: &Design) {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut engine: Bench<C> = design.bench(3, 10);
        let bases = mixed_bases::<C>(&mut rng, 40);
        for round in 0..6 {
            let choice = round % design.profile.msm.window_bits.len();
            let c = design.profile.msm.window_bits[choice] as usize;
            let scalars = any_scalars(&mut rng, c, 40);
            engine.offer(choice, &bases, &scalars);
            let results = engine.results;
            let cycles = rng.gen_range(1..6_000);
            engine.bench.run(cycles);
            drop(engine.bench.take(results));
            engine.reset();
            engine.check(&format!("{what}: after an abort"), choice, &bases, &scalars);
        }
    }
}

#[test]
fn a_job_aborted_anywhere_leaves_nothing_behind() {
    hold(&Aborts);
}

#[test]
fn the_batched_adder_in_full_size_is_exact_for_every_choice() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut engine: Bench<Bn254> = batched().bench(5, 5);
    for choice in 0..batched().profile.msm.window_bits.len() {
        let c = batched().profile.msm.window_bits[choice] as usize;
        let bases = mixed_bases(&mut rng, 150);
        let scalars = any_scalars(&mut rng, c, 150);
        engine.check(&format!("{c} bits"), choice, &bases, &scalars);
    }
    // Nothing but doublings: more of them than a batch holds.
    let same = vec![random_bases::<Bn254>(&mut rng, 1)[0]; 1500];
    let scalar = ark_bn254::Fr::rand(&mut rng);
    engine.check("one base", 1, &same, &vec![scalar; 1500]);
}

fn back_to_back<C: SWCurveConfig<BaseField: Coordinate>>(
    design: &Design,
    seed: u64,
    stall_percent: u8,
    jobs: &[(usize, usize)],
) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut engine: Bench<C> = design.bench(seed >> 8, stall_percent);
    for (choice, count) in jobs {
        any_job(&mut rng, &mut engine, choice % design.profile.msm.window_bits.len(), *count);
    }
}

/// One job on either curve, of any size and choice.
fn any_job<C: SWCurveConfig<BaseField: Coordinate>>(
    rng: &mut ChaCha8Rng,
    engine: &mut Bench<C>,
    choice: usize,
    count: usize,
) {
    let c = engine.profile.msm.window_bits[choice] as usize;
    let bases = mixed_bases::<C>(rng, count);
    let scalars = any_scalars(rng, c, count);
    engine.check("any", choice, &bases, &scalars);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(40) })]

    /// Jobs back to back on one engine, each of any size and choice, scalars and bases of all kinds, every stream stalling.
    #[test]
    fn any_jobs_back_to_back_are_exact(
        engine in 0usize..5,
        seed: u64,
        stall_percent in 0u8..80,
        jobs in vec((0usize..3, 0usize..90), 1..4),
    ) {
        match on_bn254().get(engine) {
            Some((_, design)) => back_to_back::<Bn254>(design, seed, stall_percent, &jobs),
            None => back_to_back::<GrumpkinConfig>(two_on_grumpkin(), seed, stall_percent, &jobs),
        }
    }

    /// Jobs of both curves on one engine, in any order: the cores of one leave those of the other alone.
    #[test]
    fn curves_take_turns(
        seed: u64,
        stall_percent in 0u8..60,
        jobs in vec((any::<bool>(), 0usize..2, 0usize..60), 2..6),
    ) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut engine: Bench<Bn254> = both_curves().bench(seed >> 8, stall_percent);
        for (second, choice, count) in jobs {
            if second {
                let mut other: Bench<GrumpkinConfig> = engine.on_curve(true);
                any_job(&mut rng, &mut other, choice, count);
                engine = other.on_curve(false);
            } else {
                any_job(&mut rng, &mut engine, choice, count);
            }
        }
    }
}
