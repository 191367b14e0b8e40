//! The recoder and the digit source, against signed digits computed with big integers.

use ark_bn254::{Fr, G1Affine, G1Projective};
use ark_ec::{AffineRepr, CurveGroup, PrimeGroup};
use ark_ff::{PrimeField, UniformRand};
use num_bigint::{BigInt, BigUint};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::Block;
use spandrel_hdl::curve::model::to_montgomery;
use spandrel_hdl::emit::emit;
use spandrel_hdl::field::{FIELD_BITS, Prime};
use spandrel_hdl::msm::{DigitSource, Shape, recoder};
use spandrel_hdl::profile::Profile;
use spandrel_sim::testbench::{Stalls, Testbench};
use spandrel_tests::reference::{point_bytes, scalar_bytes};
use spandrel_tests::values::element;

/// A token: slot in bank 0, and the point's x and y in Montgomery form.
type Token = (u64, BigUint, BigUint);

fn shape(window_bits: u32) -> (Profile, Shape) {
    let mut profile = Profile::load("sim-small").unwrap_or_else(|error| panic!("{error}"));
    profile.msm.window_bits = window_bits;
    let shape = Shape::of(&profile);
    (profile, shape)
}

/// Signed digits −2^(c−1) … 2^(c−1) − 1, lowest window first, by carrying from window to window.
fn signed_digits(scalar: &BigUint, shape: &Shape) -> Vec<i64> {
    let half = 1i64 << (shape.window_bits - 1);
    let mut rest = BigInt::from(scalar.clone());
    let mut digits = Vec::new();
    for _ in 0..shape.windows {
        let mut digit = i64::try_from(&rest & BigInt::from(2 * half - 1)).unwrap_or_else(|e| panic!("{e}"));
        if digit >= half {
            digit -= 2 * half;
        }
        rest = (rest - digit) >> shape.window_bits;
        digits.push(digit);
    }
    assert_eq!(rest, BigInt::from(0), "the digits hold the whole scalar");
    digits
}

fn tokens(scalar: &BigUint, point: &G1Affine, shape: &Shape) -> Vec<Token> {
    let Some((x, y)) = point.xy() else { return Vec::new() };
    let per_window = shape.buckets_per_window() as u64;
    let token = |(window, digit): (usize, i64)| {
        let slot = window as u64 * per_window + digit.unsigned_abs() % per_window;
        (slot, to_montgomery(x), to_montgomery(if digit < 0 { -y } else { y }))
    };
    signed_digits(scalar, shape).into_iter().enumerate().filter(|(_, digit)| *digit != 0).map(token).collect()
}

/// Walks the recoder's chain of digits, as the digit source does.
fn walk(outputs: &[BigUint], shape: &Shape) -> Vec<Token> {
    let [digits, first, x, y, minus_y, useful, _] = outputs else { panic!("seven outputs") };
    let bits =
        |value: &BigUint, lsb: usize, width: usize| (value >> lsb) & ((BigUint::from(1u32) << width) - 1u32);
    let small = |value: BigUint| u64::try_from(value).unwrap_or_else(|error| panic!("{error}"));
    let mut tokens = Vec::new();
    let mut window = small(first.clone());
    while *useful != BigUint::default() && tokens.len() <= shape.windows {
        let entry_bits = shape.window_bits + 8;
        let entry = bits(digits, window as usize * entry_bits, entry_bits);
        let bucket = small(bits(&entry, 0, shape.window_bits - 1));
        let negative = bits(&entry, shape.window_bits - 1, 1) == BigUint::from(1u32);
        tokens.push((
            window * shape.buckets_per_window() as u64 + bucket,
            x.clone(),
            if negative { minus_y.clone() } else { y.clone() },
        ));
        if bits(&entry, shape.window_bits + 7, 1) == BigUint::from(1u32) {
            break;
        }
        window = small(bits(&entry, shape.window_bits, 7));
    }
    tokens
}

fn any_point(rng: &mut ChaCha8Rng) -> G1Affine {
    match rng.gen_range(0..6) {
        0 => G1Affine::identity(),
        _ => (G1Projective::generator() * Fr::rand(rng)).into_affine(),
    }
}

fn any_scalar(rng: &mut ChaCha8Rng) -> BigUint {
    match rng.gen_range(0..5) {
        0 => BigUint::default(),
        1 => BigUint::from(1u32) << rng.gen_range(0..253usize),
        _ => element(rng, Prime::Fr),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn digits_are_the_scalar_for_every_window_size(seed: u64, window_bits in 3u32..=16) {
        let (profile, shape) = shape(window_bits);
        let module = recoder(&shape, &profile.datapath);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for _ in 0..4 {
            let (scalar, point) = (any_scalar(&mut rng), any_point(&mut rng));
            let inputs = [scalar.clone(), BigUint::from_bytes_le(&point_bytes(&point)), 1u32.into()];
            prop_assert_eq!(walk(&module.evaluate(&inputs), &shape), tokens(&scalar, &point, &shape));
        }
    }
}

#[test]
fn the_largest_scalars_fit_the_windows() {
    let largest = Prime::Fr.modulus() - 1u32;
    for window_bits in 3..=16 {
        let (_, shape) = shape(window_bits);
        assert_eq!(signed_digits(&largest, &shape).len(), shape.windows);
    }
}

#[test]
fn verilated_digit_source_hands_out_one_token_a_cycle() {
    let (profile, shape) = shape(8);
    let mut block = DigitSource::new(&shape, &profile.datapath);
    let flush = block.flush_cycles() as u64;
    block.connect_all();
    let emitted = emit(&block, "digit_source").unwrap_or_else(|error| panic!("{error}"));
    for (seed, stall_percent) in [(1, 0), (2, 30), (3, 70)] {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut bench = Testbench::build(&emitted);
        let scalars = bench.source("scalar", Stalls::random(seed, stall_percent));
        let points = bench.source("point", Stalls::random(seed + 10, stall_percent));
        let mut stalls = Stalls::random(seed + 20, stall_percent);
        bench.reset(flush);
        let mut expected = Vec::new();
        let mut useless = 0;
        let count = 120;
        for _ in 0..count {
            // Half of a real witness is zero.
            let scalar = if rng.gen_bool(0.3) { Fr::from(0u64) } else { Fr::rand(&mut rng) };
            let point = any_point(&mut rng);
            bench.push(scalars, scalar_bytes(&scalar));
            bench.push(points, point_bytes(&point));
            let tokens = tokens(&scalar.into_bigint().into(), &point, &shape);
            useless += u64::from(tokens.is_empty());
            expected.extend(tokens);
        }
        bench.set("count", count);
        bench.pulse("start");
        let mut received = Vec::new();
        let mut cycles = 0;
        while received.len() < expected.len() {
            assert!(
                cycles < 100_000,
                "{} of {} tokens; {}",
                received.len(),
                expected.len(),
                bench.describe()
            );
            let ready = !stalls.hold();
            bench.set("token_ready", ready.into());
            // The state before the edge is what the cycle moves.
            bench.model.settle();
            if ready && bench.get("token_valid") == 1 {
                let point = BigUint::from_bytes_le(&bench.bytes("token_point"));
                let mask = (BigUint::from(1u32) << FIELD_BITS) - 1u32;
                assert_eq!(&point >> (2 * FIELD_BITS), Prime::Fq.one(), "Z = 1");
                let (x, y) = (&point & &mask, (&point >> FIELD_BITS) & &mask);
                received.push((bench.get("token_slot"), x, y));
                assert_eq!(
                    bench.get("token_window"),
                    bench.get("token_slot") / shape.buckets_per_window() as u64
                );
            }
            bench.cycle();
            cycles += 1;
        }
        assert_eq!(received, expected);
        bench.set("token_ready", 1);
        bench.run_until(2 * count + 50, |bench| bench.get("idle") == 1);
        if stall_percent == 0 {
            let bound = expected.len() as u64 + useless + 20;
            assert!(cycles <= bound, "{cycles} cycles for {} digits", expected.len());
        }
    }
}
