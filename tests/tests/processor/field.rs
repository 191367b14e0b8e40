//! The field unit on a processor.

use num_bigint::BigUint;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::Block;
use spandrel_hdl::emit::emit;
use spandrel_hdl::field::{Prime, SerialFieldUnit};
use spandrel_sim::model::{BuildOptions, ModelLibrary};
use spandrel_sim::testbench::Testbench;
use spandrel_tests::reference::bytes32;
use spandrel_tests::values::element;
use std::collections::VecDeque;

/// Operations of all kinds in both fields, with pauses and a reset among them.
#[test]
fn operations_of_both_fields_come_in_order_and_in_time() {
    let mut unit = SerialFieldUnit::new(1);
    let (interval, latency) = (unit.interval() as u64, unit.latency() as u64);
    assert_eq!(interval, 16, "a product of one multiplier");
    unit.connect_all();
    let emitted = emit(&unit, "serial_field_unit").unwrap_or_else(|error| panic!("{error}"));
    let options = BuildOptions { randomize: true, ..Default::default() };
    let library = ModelLibrary::build(&emitted, &options).unwrap_or_else(|error| panic!("{error}"));
    let mut bench = Testbench::new(library.instance_with_seed(3));
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut under_way: VecDeque<(u64, BigUint)> = VecDeque::new();
    let mut results = 0;
    for (chance, cycles) in [(1.0, 6_000), (0.02, 6_000)] {
        bench.reset(1);
        under_way.clear();
        let begin = bench.cycles();
        let (mut offered, mut taken) = (None, 0);
        while bench.cycles() < begin + cycles {
            if offered.is_none() && rng.gen_bool(chance) {
                let prime = Prime::ALL[rng.gen_range(0..2)];
                let (a, b) = (element(&mut rng, prime), element(&mut rng, prime));
                let operation = rng.gen_range(0..3);
                let p = prime.modulus();
                let result = match operation {
                    0 => (&a + &b) % &p,
                    1 => (&a + &p - &b) % &p,
                    _ => prime.montgomery_product(&a, &b),
                };
                bench.set_bytes("a", &bytes32(&a));
                bench.set_bytes("b", &bytes32(&b));
                bench.set("field", (prime == Prime::Fr).into());
                bench.set("operation", operation);
                offered = Some(result);
            }
            bench.set("valid_in", offered.is_some().into());
            bench.model.settle();
            if bench.get("valid_out") == 1 {
                let (since, result) = under_way.pop_front().expect("no result is due");
                assert!(bench.cycles() - since <= latency);
                assert_eq!(BigUint::from_bytes_le(&bench.bytes("result")), result, "result {results}");
                results += 1;
            }
            if bench.get("ready") == 1
                && let Some(result) = offered.take()
            {
                under_way.push_back((bench.cycles(), result));
                taken += 1;
            }
            bench.model.rise();
        }
        if chance == 1.0 {
            assert!(taken + 2 >= cycles / interval, "{taken} operations in {cycles} cycles");
        }
    }
    assert!(results > 400, "{results} results");
}
