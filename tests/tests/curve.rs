//! The complete adder, interpreted and Verilated, against arkworks and against its own formulas in software.

use ark_bn254::{Fq, Fr, G1Affine, G1Projective};
use ark_ec::{AffineRepr, CurveGroup, PrimeGroup};
use ark_ff::{Field, UniformRand};
use num_bigint::BigUint;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use spandrel_hdl::curve::model::{Point, complete_add, to_montgomery};
use spandrel_hdl::curve::{Curve, POINT_BITS, complete_adder};
use spandrel_hdl::datapath::DatapathConfig;
use spandrel_hdl::field::FIELD_BITS;
use spandrel_hdl::profile::Profile;
use spandrel_tests::pipeline::stream;
use spandrel_tests::reference::{bytes32, projective};

const TAG_BITS: usize = 20;

/// A representative (X : Y : Z) of a point, with Z = 1, or any other.
fn represent(rng: &mut ChaCha8Rng, point: &G1Affine) -> Point {
    let scale = match rng.gen_range(0..3) {
        0 => Fq::ONE,
        1 => -Fq::ONE,
        _ => Fq::rand(rng),
    };
    match point.xy() {
        Some((x, y)) => [x * scale, y * scale, scale].map(to_montgomery),
        None => [Fq::from(0u64), scale, Fq::from(0u64)].map(to_montgomery),
    }
}

fn pack(point: &Point) -> BigUint {
    point.iter().rev().fold(BigUint::default(), |packed, coordinate| (packed << FIELD_BITS) | coordinate)
}

fn unpack(packed: &BigUint) -> Point {
    let mask = (BigUint::from(1u32) << FIELD_BITS) - 1u32;
    [0, 1, 2].map(|index| (packed >> (index * FIELD_BITS)) & &mask)
}

fn affine(point: &Point) -> G1Affine {
    let bytes: Vec<u8> = point.iter().flat_map(bytes32).collect();
    projective(&bytes).into_affine()
}

/// A pair of points in every relation that two points can have.
fn pair(rng: &mut ChaCha8Rng) -> (G1Affine, G1Affine) {
    let mut point = || (G1Projective::generator() * Fr::rand(rng)).into_affine();
    let (p, q) = (point(), point());
    match rng.gen_range(0..8) {
        0 => (p, p),
        1 => (p, -p),
        2 => (G1Affine::identity(), q),
        3 => (p, G1Affine::identity()),
        4 => (G1Affine::identity(), G1Affine::identity()),
        _ => (p, q),
    }
}

struct Case {
    inputs: Vec<BigUint>,
    p: G1Affine,
    q: G1Affine,
    coordinates: Point,
}

fn cases(seed: u64, count: usize) -> Vec<Case> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let case = |_| {
        let (p, q) = pair(&mut rng);
        let (a, b) = (represent(&mut rng, &p), represent(&mut rng, &q));
        let tag = BigUint::from(rng.gen_range(0..1u32 << TAG_BITS));
        let valid = BigUint::from(rng.gen_range(0..2u32));
        Case { coordinates: complete_add(&a, &b), inputs: vec![pack(&a), pack(&b), tag, valid], p, q }
    };
    (0..count).map(case).collect()
}

fn check(case: &Case, outputs: &[BigUint]) {
    let sum = unpack(&outputs[0]);
    assert_eq!(affine(&sum), (case.p + case.q).into_affine(), "{} + {}", case.p, case.q);
    assert_eq!(sum, case.coordinates, "coordinates of {} + {}", case.p, case.q);
    assert_eq!(outputs[1..], case.inputs[2..], "tag and valid travel with their sum");
}

#[test]
fn verilated_adder_is_complete_at_one_sum_a_cycle() {
    let profile = Profile::load("sim-small").unwrap_or_else(|error| panic!("{error}"));
    let cases = cases(1, 2_000);
    let inputs: Vec<_> = cases.iter().map(|case| case.inputs.clone()).collect();
    let outputs = stream(&complete_adder(Curve::Bn254, &profile.datapath, TAG_BITS), &inputs);
    assert_eq!(outputs.len(), cases.len());
    for (case, outputs) in cases.iter().zip(&outputs) {
        check(case, outputs);
    }
}

#[test]
fn interpreted_adder_is_complete_in_the_ultrascale_shape() {
    let adder = complete_adder(Curve::Bn254, &DatapathConfig::ultrascale(), TAG_BITS);
    assert_eq!(adder.input_widths()[0], POINT_BITS);
    for case in cases(2, 60) {
        check(&case, &adder.evaluate(&case.inputs));
    }
}

#[test]
fn the_adder_has_twelve_multipliers() {
    let config = Profile::load("sim-small").unwrap_or_else(|error| panic!("{error}")).datapath;
    let one =
        spandrel_hdl::field::montgomery_multiplier(spandrel_hdl::field::Prime::Fq, &config).statistics();
    let adder = complete_adder(Curve::Bn254, &config, TAG_BITS).statistics();
    assert_eq!(adder.multiplier_tiles, 12 * one.multiplier_tiles);
}
