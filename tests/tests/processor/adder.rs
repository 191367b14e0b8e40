//! The point adder on a processor.

use ark_bn254::{Fq, Fr, G1Projective};
use ark_ec::PrimeGroup;
use ark_ff::{Field, UniformRand};
use num_bigint::BigUint;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::Block;
use spandrel_hdl::curve::model::{Point, complete_add, to_montgomery};
use spandrel_hdl::curve::{Curve, SerialAdder};
use spandrel_hdl::emit::emit;
use spandrel_hdl::field::FIELD_BITS;
use spandrel_sim::model::{BuildOptions, ModelLibrary};
use spandrel_sim::testbench::Testbench;
use std::collections::VecDeque;

fn pack(point: &Point) -> Vec<u8> {
    let packed =
        point.iter().rev().fold(BigUint::default(), |packed, coordinate| packed << FIELD_BITS | coordinate);
    packed.to_bytes_le()
}

/// A point in any representation: also such as are none, with coordinates at the field's ends, for the formulas are those of
/// the model whatever they are given.
fn point(rng: &mut ChaCha8Rng, before: &Point) -> Point {
    let scale = Fq::rand(rng);
    match rng.gen_range(0..8) {
        0 => before.clone(),
        1 => {
            let [x, y, z] = before.clone();
            let p = Curve::Bn254.base_field().modulus();
            [x, (&p - y) % p, z]
        }
        2 => [Fq::from(0u64), scale, Fq::from(0u64)].map(to_montgomery),
        3 => [-Fq::ONE, Fq::from(0u64), -Fq::ONE].map(to_montgomery),
        4 => std::array::from_fn(|_| spandrel_tests::values::element(rng, Curve::Bn254.base_field())),
        _ => {
            let point = G1Projective::generator() * Fr::rand(rng);
            let affine: ark_bn254::G1Affine = point.into();
            [affine.x * scale, affine.y * scale, scale].map(to_montgomery)
        }
    }
}

/// Pairs with pauses, and resets among them: sums come in order, with their tags, each within the adder's latency; none of
/// before a reset comes behind it.
#[test]
fn sums_come_in_order_and_in_time_and_none_survives_a_reset() {
    let mut adder = SerialAdder::new(Curve::Bn254, 4);
    let (interval, latency, capacity) = (adder.interval(), adder.latency() as u64, adder.capacity());
    assert_eq!(interval, 48, "twelve products on four multipliers");
    adder.connect_all();
    let emitted = emit(&adder, "serial_adder").unwrap_or_else(|error| panic!("{error}"));
    let options = BuildOptions { randomize: true, ..Default::default() };
    let library = ModelLibrary::build(&emitted, &options).unwrap_or_else(|error| panic!("{error}"));
    let mut bench = Testbench::new(library.instance_with_seed(1));
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    bench.reset(1);
    let mut last: Point = [0u32, 1, 0].map(BigUint::from);
    let mut under_way: VecDeque<(u64, u64, Point)> = VecDeque::new();
    let mut sums = 0;
    // Busy, then with pauses, then with pairs that come alone.
    for (phase, (chance, cycles)) in
        [(1.0, 6_000), (0.03, 12_000), (0.002, 6_000), (1.0, 4_000)].into_iter().enumerate()
    {
        let begin = bench.cycles();
        let mut taken = 0;
        let mut offered: Option<(Point, Point, u64)> = None;
        while bench.cycles() < begin + cycles {
            if offered.is_none() && rng.gen_bool(chance) {
                let p = point(&mut rng, &last);
                let q = point(&mut rng, &p);
                last = q.clone();
                offered = Some((p, q, rng.gen_range(0..1 << 20)));
            }
            bench.set("valid_in", offered.is_some().into());
            if let Some((p, q, tag)) = &offered {
                bench.set_bytes("p", &pack(p));
                bench.set_bytes("q", &pack(q));
                bench.set("tag", *tag);
            }
            bench.model.settle();
            if bench.get("valid_out") == 1 {
                let (since, tag, sum) = under_way.pop_front().expect("no sum is due");
                assert!(bench.cycles() - since <= latency, "{} cycles", bench.cycles() - since);
                assert_eq!(bench.get("tag_out"), tag);
                let found = BigUint::from_bytes_le(&bench.bytes("sum"));
                assert_eq!(found, BigUint::from_bytes_le(&pack(&sum)), "sum {sums}");
                sums += 1;
            }
            if bench.get("ready") == 1
                && let Some((p, q, tag)) = offered.take()
            {
                under_way.push_back((bench.cycles(), tag, complete_add(&p, &q)));
                taken += 1;
            }
            assert!(under_way.len() <= capacity);
            bench.model.rise();
        }
        if chance == 1.0 {
            assert!(taken + 2 >= cycles / interval as u64, "{taken} pairs in {cycles} cycles");
        }
        bench.set("valid_in", 0);
        if phase == 1 {
            // In the middle of everything.
            bench.reset(1);
            under_way.clear();
        }
    }
    assert!(sums > 350, "{sums} sums");
}
