//! The cycle model against the Verilated engine: the same job takes the same cycles, one for one.

use crate::bench::Bench;
use crate::engines::{Design, batched, refusing, small, three};
use crate::inputs::witness;
use ark_bn254::g1::Config as Bn254;
use ark_bn254::{Fr, G1Affine, G1Projective};
use ark_ec::{CurveGroup, PrimeGroup};
use ark_ff::{Field, PrimeField, UniformRand};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use spandrel_hdl::model::scalars::Element;
use spandrel_hdl::model::{CoreCounts, EngineModel, Outcome, combined, run};

/// Jobs whose points are small multiples of the generator, so that their discrete logarithms are known.
struct Job {
    what: &'static str,
    logarithms: Vec<i64>,
    scalars: Vec<Fr>,
}

fn jobs(rng: &mut ChaCha8Rng, count: usize) -> Vec<Job> {
    let apart: Vec<i64> = (0..count).map(|_| rng.gen_range(1..1 << 40)).collect();
    let few: Vec<i64> = (0..count).map(|_| rng.gen_range(-2..3)).collect();
    let uniform: Vec<Fr> = (0..count).map(|_| Fr::rand(rng)).collect();
    let mixed = witness(rng, count);
    let equal = vec![Fr::rand(rng); count];
    let job = |what, logarithms: &[i64], scalars: &[Fr]| Job {
        what,
        logarithms: logarithms.to_vec(),
        scalars: scalars.to_vec(),
    };
    vec![
        job("uniform", &apart, &uniform),
        job("one", &apart, &vec![Fr::ONE; count]),
        job("witness", &apart, &mixed),
        job("equal", &apart, &equal),
        job("all doublings", &vec![1; count], &uniform),
        job("few bases, their negatives and infinity", &few, &uniform),
        job("nothing", &[], &[]),
        job("a single one", &apart[..1], &uniform[..1]),
    ]
}

fn base(logarithm: i64) -> G1Affine {
    (G1Projective::generator() * Fr::from(logarithm)).into_affine()
}

/// Runs all jobs on both. The batched adder's lists take turns by the cycle, so a job depends a little on the cycle in which it
/// starts: it must be one of both turns.
fn agrees(design: &Design, choice: usize, count: usize, seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut bench: Bench<Bn254> = design.bench(seed, 0);
    let model = EngineModel::of(&design.profile);
    let other = model.clone().turned();
    for Job { what, logarithms, scalars } in jobs(&mut rng, count) {
        let bases: Vec<_> = logarithms.iter().map(|logarithm| base(*logarithm)).collect();
        let counted = bench.check(what, choice, &bases, &scalars);
        let modelled = |model: &EngineModel| {
            let mut elements = logarithms.iter().zip(&scalars);
            let mut sum = 0u64;
            let outcome = run(model, choice, scalars.len() as u64, || {
                let (logarithm, scalar) = elements.next().unwrap();
                let element = Element { scalar: scalar.into_bigint().0, point: *logarithm as u64 };
                sum = sum.wrapping_add(element.scalar[0].wrapping_mul(element.point));
                element
            });
            assert_eq!(combined(model, choice, &outcome), sum, "{what}: the model's own sum");
            outcome
        };
        let off = |outcome: &Outcome| {
            let bucket_cycles = outcome.bucket_cycles.abs_diff(counted.bucket_cycles);
            (outcome.cycles.abs_diff(counted.cycles), bucket_cycles)
        };
        let outcome = [&model, &other].map(modelled).into_iter().min_by_key(off).unwrap();
        println!("{what}: counted {} cycles, modelled {}", counted.cycles, outcome.cycles);
        let of_cores = |count: fn(&CoreCounts) -> u64| outcome.cores.iter().map(count).sum::<u64>();
        assert_eq!(outcome.digits, counted.digits, "{what}");
        assert_eq!(outcome.cycles, counted.cycles, "{what}, {} points: {counted:?}", scalars.len());
        assert_eq!(outcome.additions, counted.additions, "{what}");
        assert_eq!(outcome.bucket_cycles, counted.bucket_cycles, "{what}");
        assert_eq!(outcome.reduction_cycles, counted.reduction_cycles, "{what}");
        assert_eq!(of_cores(|core| core.idle_cycles), counted.idle, "{what}");
        assert_eq!(of_cores(|core| core.doublings), counted.doublings, "{what}");
        assert_eq!(of_cores(|core| core.annihilations), counted.annihilations, "{what}");
    }
}

#[test]
fn the_model_knows_every_cycle_of_a_complete_adder() {
    agrees(small(), 1, 700, 21);
}

#[test]
fn the_model_knows_every_cycle_of_a_batched_adder() {
    agrees(batched(), 1, 1500, 22);
}

#[test]
fn the_model_knows_every_cycle_of_small_batches() {
    agrees(refusing(), 0, 300, 23);
}

#[test]
fn the_model_knows_every_cycle_of_three_cores() {
    agrees(three(), 2, 300, 24);
}
