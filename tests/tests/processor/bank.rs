//! Banks of digit-serial multipliers.

use num_bigint::BigUint;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::Block;
use spandrel_hdl::emit::emit;
use spandrel_hdl::field::Prime;
use spandrel_hdl::processor::{Moduli, SerialBank};
use spandrel_sim::model::{BuildOptions, ModelLibrary};
use spandrel_sim::testbench::Testbench;
use spandrel_tests::reference::bytes32;
use spandrel_tests::values::element;

/// An operand: below p, or, as processors have them, below 2p.
fn operand(rng: &mut ChaCha8Rng, prime: Prime) -> BigUint {
    let value = element(rng, prime);
    if rng.gen_bool(0.5) { value } else { value + prime.modulus() }
}

/// New operands in every cycle: those of the cycles in which the bank takes some come back as products in the one cycle
/// they belong to; a wrong latency or interval gives wrong values. Registers come up with anything in them.
fn check(moduli: Moduli, count: usize, first: usize, products: usize) {
    let mut bank = SerialBank::new(moduli, count, first);
    bank.connect_all();
    let emitted = emit(&bank, "serial_bank").unwrap_or_else(|error| panic!("{error}"));
    let options = BuildOptions { randomize: true, ..Default::default() };
    let library = ModelLibrary::build(&emitted, &options).unwrap_or_else(|error| panic!("{error}"));
    let mut rng = ChaCha8Rng::seed_from_u64(count as u64);
    let mut bench = Testbench::new(library.instance_with_seed(count as u32));
    // Twice, so that a reset comes among products.
    for round in 0..2usize {
        bench.reset(1 + round as u64);
        let mut expected: Vec<Option<BigUint>> = Vec::new();
        for cycle in 0..products * bank.interval() / (2 - round) {
            let second = moduli == Moduli::Both && rng.r#gen();
            let prime = moduli.prime(second);
            let (a, b) = (operand(&mut rng, prime), operand(&mut rng, prime));
            bench.set_bytes("a", &bytes32(&a));
            bench.set_bytes("b", &bytes32(&b));
            bench.set("second", second.into());
            let taken = cycle >= bank.first() && (cycle - bank.first()).is_multiple_of(bank.interval());
            expected.push(taken.then(|| prime.montgomery_product(&a, &b)));
            bench.model.settle();
            let due =
                cycle.checked_sub(bank.latency()).and_then(|from| expected[from].clone().zip(Some(from)));
            if let Some((product, from)) = due {
                let found = BigUint::from_bytes_le(&bench.bytes("product"));
                let at_most = Prime::ALL.iter().map(|prime| prime.modulus() << 1).max().unwrap();
                assert!(found < at_most, "cycle {from}");
                let right = Prime::ALL.map(|prime| &found % prime.modulus() == product);
                let of_field = match moduli {
                    Moduli::One(prime) => right[usize::from(prime == Prime::Fr)],
                    Moduli::Both => right[0] || right[1],
                };
                assert!(of_field, "{moduli:?}, {count} multipliers, taken in cycle {from}");
            }
            bench.model.rise();
        }
    }
}

#[test]
fn one_multiplier_gives_a_product_every_sixteen_cycles() {
    check(Moduli::One(Prime::Fq), 1, 0, 400);
}

#[test]
fn four_multipliers_take_turns() {
    check(Moduli::One(Prime::Fr), 4, 6, 1_600);
}

#[test]
fn two_multipliers_serve_both_fields() {
    check(Moduli::Both, 2, 3, 800);
}
