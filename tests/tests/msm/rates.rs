//! How busy the adders are kept.

use crate::bench::Bench;
use crate::engines::{batched, refusing, small, three};
use crate::inputs::{self, random_bases, uniform, witness};
use ark_bn254::Fr;
use ark_bn254::g1::Config as Bn254;
use ark_ff::{Field, UniformRand};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

#[test]
fn the_complete_adder_is_kept_busy() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let mut engine: Bench<Bn254> = small().bench(4, 0);
    let bases = random_bases(&mut rng, 1024);
    let uniform = engine.check("uniform", 1, &bases, &uniform(&mut rng, 1024));
    assert!(uniform.rate(1) >= 0.80, "{} additions a cycle: {uniform:?}", uniform.rate(1));
    // One bucket takes every token: the match-or-park engine must not stall on it.
    let one = engine.check("one", 1, &bases, &[Fr::ONE; 1024]);
    assert!(one.bucket_cycles <= 1024 + 1024 / 4, "{one:?}");
    assert_eq!(one.additions, 1023, "tokens - non-empty buckets");
}

#[test]
fn the_batched_adder_is_kept_busy() {
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let mut engine: Bench<Bn254> = batched().bench(6, 0);
    let bases = random_bases(&mut rng, 4096);
    let eight = 1;
    assert_eq!(batched().profile.msm.window_bits[eight], 8);
    let uniform = engine.check("uniform", eight, &bases, &uniform(&mut rng, 4096));
    assert!(uniform.bucket_cycles as f64 <= 1.05 * uniform.digits as f64, "{uniform:?}");
    assert!(uniform.rate(1) >= 0.88, "{} additions a cycle: {uniform:?}", uniform.rate(1));
    let equal = engine.check("equal", eight, &bases, &[Fr::rand(&mut rng); 4096]);
    assert!(equal.rate(1) >= 0.90, "{} additions a cycle: {equal:?}", equal.rate(1));
    // One bucket: its last tokens meet two by two, an adder's latency each time.
    let one = engine.check("one", eight, &bases, &[Fr::ONE; 4096]);
    assert!(one.cycles <= 4096 + 16_000, "{one:?}");
    let witness = engine.check("witness", eight, &bases, &witness(&mut rng, 4096));
    assert!(witness.bucket_cycles as f64 <= 1.6 * witness.digits as f64, "{witness:?}");
    // Every base the same point: doublings, and what cancels.
    let same = engine.check("same", eight, &vec![bases[0]; 4096], &inputs::uniform(&mut rng, 4096));
    assert!(same.doublings > 1_000, "{same:?}");
    assert!(same.cycles <= 2 * same.digits, "{same:?}");
}

#[test]
fn three_adders_share_the_work_evenly() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut engine: Bench<Bn254> = three().bench(7, 0);
    let bases = random_bases(&mut rng, 200);
    let job = engine.check("uniform", 2, &bases, &uniform(&mut rng, 200));
    // Batches of 64 with an inverse that takes longer than they last: four times the rate of 16, and three at once.
    let mut one: Bench<Bn254> = refusing().bench(7, 0);
    let alone = one.check("uniform", 1, &bases, &inputs::uniform(&mut rng, 200));
    assert!(job.cycles * 8 < alone.cycles, "{} and {} cycles: {job:?}", job.cycles, alone.cycles);
}
