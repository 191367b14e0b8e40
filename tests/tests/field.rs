//! Field arithmetic: pipelines interpreted, in RustHDL's simulation and Verilated, against integers and arkworks.

use ark_bn254::{Fq, Fr};
use ark_ff::{BigInt, PrimeField};
use num_bigint::BigUint;
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::{Block, simulate};
use spandrel_hdl::datapath::{ConstantProducts, Datapath, DatapathConfig, Interpreter, Module, Multipliers};
use spandrel_hdl::field::{
    FIELD_BITS, FieldPipeline, Prime, field_unit, montgomery_multiplier, shared_multiplier,
};
use spandrel_hdl::profile::Profile;
use spandrel_tests::pipeline::stream;
use spandrel_tests::values::element;
use std::rc::Rc;

fn sim_small() -> Profile {
    Profile::load("sim-small").unwrap_or_else(|error| panic!("{error}"))
}

/// Tiles of DSP48E2, DSP48E1 and ECP5 multipliers, and of the simulator's words; carry chains short and long.
fn shapes() -> Vec<DatapathConfig> {
    let shape = |tile, karatsuba_levels, chunk_bits, levels_per_stage, tile_stages| DatapathConfig {
        tile,
        karatsuba_levels,
        chunk_bits,
        levels_per_stage,
        tile_stages,
        constant_products: ConstantProducts::Tiles,
        multipliers: Multipliers::Own,
    };
    vec![
        sim_small().datapath,
        DatapathConfig::ultrascale(),
        DatapathConfig { constant_products: ConstantProducts::LowShiftAdd, ..DatapathConfig::ultrascale() },
        DatapathConfig { constant_products: ConstantProducts::ShiftAdd, ..sim_small().datapath },
        DatapathConfig { constant_products: ConstantProducts::ShiftAdd, ..DatapathConfig::ultrascale() },
        shape([24, 17], 1, 48, 2, 1),
        shape([18, 18], 3, 32, 1, 1),
        shape([254, 254], 0, 1024, 64, 0),
        shape([64, 64], 0, 127, 3, 0),
    ]
}

/// The Montgomery product of arkworks, on Montgomery forms.
fn ark_product(prime: Prime, a: &BigUint, b: &BigUint) -> BigUint {
    fn limbs(value: &BigUint) -> BigInt<4> {
        value.clone().try_into().unwrap_or_else(|_| panic!("{value} has more than 256 bits"))
    }
    match prime {
        Prime::Fq => BigInt::<4>::new((Fq::new_unchecked(limbs(a)) * Fq::new_unchecked(limbs(b))).0.0).into(),
        Prime::Fr => BigInt::<4>::new((Fr::new_unchecked(limbs(a)) * Fr::new_unchecked(limbs(b))).0.0).into(),
    }
}

fn expected(prime: Prime, operation: u32, a: &BigUint, b: &BigUint) -> BigUint {
    let p = prime.modulus();
    match operation {
        0 => (a + b) % p,
        1 => (a + &p - b) % p,
        _ => ark_product(prime, a, b),
    }
}

/// Operations on all kinds of elements: (field unit inputs, expected result).
fn operations(seed: u64, count: usize) -> Vec<(Vec<BigUint>, BigUint)> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let operation = |_| {
        let field = rng.gen_range(0..2u32);
        let prime = Prime::ALL[field as usize];
        let operation = rng.gen_range(0..3u32);
        let (a, b) = (element(&mut rng, prime), element(&mut rng, prime));
        let result = expected(prime, operation, &a, &b);
        let valid = rng.gen_range(0..2u32);
        (vec![a, b, field.into(), operation.into(), valid.into()], result)
    };
    (0..count).map(operation).collect()
}

#[test]
fn moduli_are_arkworks() {
    assert_eq!(Prime::Fq.modulus(), Fq::MODULUS.into());
    assert_eq!(Prime::Fr.modulus(), Fr::MODULUS.into());
}

fn check_field_unit(config: &DatapathConfig, count: usize) {
    let operations = operations(7, count);
    let inputs: Vec<_> = operations.iter().map(|(inputs, _)| inputs.clone()).collect();
    let outputs = stream(&field_unit(config), &inputs);
    assert_eq!(outputs.len(), count);
    for ((inputs, result), outputs) in operations.iter().zip(outputs) {
        assert_eq!(outputs, [result.clone(), inputs[4].clone()], "{inputs:?}");
    }
}

#[test]
fn verilated_field_unit_in_the_simulation_shape() {
    check_field_unit(&sim_small().datapath, 20_000);
}

#[test]
fn verilated_field_unit_in_the_ultrascale_shape() {
    check_field_unit(&DatapathConfig::ultrascale(), 4_000);
}

#[test]
fn every_shape_computes_the_same() {
    let operations = operations(8, 40);
    for config in shapes() {
        let unit = field_unit(&config);
        for (inputs, result) in &operations {
            assert_eq!(unit.evaluate(inputs)[0], *result, "{config:?}, {inputs:?}");
        }
        // With the prime as a constant, much of the graph folds.
        for prime in Prime::ALL {
            let multiplier = montgomery_multiplier(prime, &config);
            let mut rng = ChaCha8Rng::seed_from_u64(11);
            for _ in 0..20 {
                let (a, b) = (element(&mut rng, prime), element(&mut rng, prime));
                let product = ark_product(prime, &a, &b);
                assert_eq!(multiplier.evaluate(&[a, b]), [product], "{prime:?}, {config:?}");
            }
        }
    }
}

/// A shared multiplier is told with each product whose it is; what the other user sends does not matter. Operands in Fr may
/// be unreduced.
#[test]
fn shared_multipliers_serve_both_fields_in_every_shape() {
    let r = Prime::Fr.modulus();
    let mut rng = ChaCha8Rng::seed_from_u64(12);
    for config in shapes() {
        let multiplier = shared_multiplier(&config);
        for _ in 0..30 {
            let [a, b] = [0, 1].map(|_| element(&mut rng, Prime::Fq));
            let [c, d] = [0, 1].map(|_| element(&mut rng, Prime::Fr));
            let [lazy_c, lazy_d] = [&c, &d].map(|x| if rng.gen_bool(0.5) { x + &r } else { x.clone() });
            let operands = [a.clone(), b.clone(), lazy_c, lazy_d];
            let of = |used: u32| multiplier.evaluate(&[&operands[..], &[used.into()]].concat());
            assert_eq!(of(0), [ark_product(Prime::Fq, &a, &b)], "{config:?}, {operands:?}");
            assert_eq!(of(1), [ark_product(Prime::Fr, &c, &d)], "{config:?}, {operands:?}");
        }
        let largest = (&r << 1u32) - 1u32;
        let zero = BigUint::default();
        let inputs = [zero.clone(), zero, largest.clone(), largest.clone(), 1u32.into()];
        let expected = ark_product(Prime::Fr, &(&largest % &r), &(&largest % &r));
        assert_eq!(multiplier.evaluate(&inputs), [expected], "{config:?}");
    }
}

#[test]
fn clocked_interpreter_holds_latency_and_initiation_interval() {
    let operations = operations(9, 60);
    for config in [sim_small().datapath, DatapathConfig::ultrascale()] {
        let unit = field_unit(&config);
        let latency = unit.latency();
        let mut interpreter = Interpreter::new(unit);
        for cycle in 0..operations.len() + latency {
            let inputs = &operations[cycle.min(operations.len() - 1)].0;
            let outputs = interpreter.step(inputs);
            if cycle >= latency {
                assert_eq!(outputs[0], operations[cycle - latency].1, "cycle {cycle}, {config:?}");
            }
        }
    }
}

#[test]
fn rusthdl_simulation_of_the_field_unit_agrees() {
    let mut unit = FieldPipeline::new(&sim_small());
    unit.connect_all();
    let operations = operations(10, 50);
    let latency = unit.latency();
    for cycle in 0..operations.len() + latency {
        let (inputs, _) = &operations[cycle.min(operations.len() - 1)];
        unit.a.next = inputs[0].clone().into();
        unit.b.next = inputs[1].clone().into();
        unit.field.next = inputs[2] == BigUint::from(1u32);
        unit.operation.next = inputs[3].clone().into();
        unit.valid_in.next = inputs[4] == BigUint::from(1u32);
        unit.clock.next = false.into();
        assert!(simulate(&mut unit, 20));
        if cycle >= latency {
            let (inputs, result) = &operations[cycle - latency];
            assert_eq!(BigUint::from(unit.result.val()), *result, "cycle {cycle}");
            assert_eq!(unit.valid_out.val(), inputs[4] == BigUint::from(1u32));
        }
        unit.clock.next = true.into();
        assert!(simulate(&mut unit, 20));
    }
}

#[test]
fn costs_follow_the_shape() {
    // 254 / 32 = 8 words a side: a full product of 64 tiles, a low product of 36, and of q·p the 43 tiles that reach
    // above bit 248.
    let small = montgomery_multiplier(Prime::Fq, &sim_small().datapath).statistics();
    assert_eq!(small.multiplier_tiles, 64 + 36 + 43);
    assert_eq!(small.latency_cycles, montgomery_multiplier(Prime::Fq, &sim_small().datapath).latency());
    // Two levels of Karatsuba: fewer tiles than the 10·15 of each plain product.
    let plain = DatapathConfig { karatsuba_levels: 0, ..DatapathConfig::ultrascale() };
    let plain = montgomery_multiplier(Prime::Fq, &plain).statistics();
    let split = montgomery_multiplier(Prime::Fq, &DatapathConfig::ultrascale()).statistics();
    assert!(split.multiplier_tiles < plain.multiplier_tiles, "{split:?} {plain:?}");
}

/// One modular operation as a pipeline of its own, over any prime.
fn modular(operation: &str, prime: Prime, config: &DatapathConfig) -> Rc<Module> {
    let path = Datapath::new(format!("modular_{operation}"), config);
    let (a, b) = (path.input("a", FIELD_BITS), path.input("b", FIELD_BITS));
    let modulus = path.constant(prime.modulus(), FIELD_BITS);
    let result = match operation {
        "add" => path.modular_add(a, b, modulus),
        "subtract" => path.modular_subtract(a, b, modulus),
        _ => path.modular_negate(a, modulus),
    };
    Rc::new(path.finish(&[("result", result)]))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn modular_operations_over_any_chunk_size(seed: u64, chunk_bits in 16usize..300, levels_per_stage in 1usize..6) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let config = DatapathConfig { chunk_bits, levels_per_stage, ..DatapathConfig::ultrascale() };
        for prime in Prime::ALL {
            let p = prime.modulus();
            let (a, b) = (element(&mut rng, prime), element(&mut rng, prime));
            for (operation, result) in
                [("add", (&a + &b) % &p), ("subtract", (&a + &p - &b) % &p), ("negate", (&p - &a) % &p)]
            {
                let outputs = modular(operation, prime, &config).evaluate(&[a.clone(), b.clone()]);
                prop_assert_eq!(&outputs[0], &result, "{} of {} and {}", operation, a, b);
            }
        }
    }

    #[test]
    fn comparisons_over_any_chunk_size(seed: u64, chunk_bits in 16usize..300, width in 1usize..300) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let config = DatapathConfig { chunk_bits, ..DatapathConfig::ultrascale() };
        let path = Datapath::new("compare", &config);
        let (a, b) = (path.input("a", width), path.input("b", width));
        let outputs = [("below", path.below(a, b)), ("equal", path.equal(a, b))];
        let module = path.finish(&outputs);
        let mask = (BigUint::from(1u32) << width) - 1u32;
        let x = element(&mut rng, Prime::Fq) & &mask;
        let y = match rng.gen_range(0..3) {
            0 => x.clone(),
            1 => (&x + 1u32) & &mask,
            _ => element(&mut rng, Prime::Fq) & &mask,
        };
        let expected = [BigUint::from(x < y), BigUint::from(x == y)];
        prop_assert_eq!(module.evaluate(&[x, y]), expected);
    }

    #[test]
    fn products_with_any_constant(seed: u64, bits in 5usize..260, width_x in 5usize..260, kept in 1usize..520) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut draw = |width: usize| {
            let ones = (BigUint::from(1u32) << width) - 1u32;
            if rng.gen_bool(0.2) { ones } else { element(&mut rng, Prime::Fq) & ones }
        };
        let (constant, x) = (draw(bits), draw(width_x));
        let kept = kept.min(width_x + bits);
        let path = Datapath::new("constant_product", &DatapathConfig::ultrascale());
        let wire = path.input("x", width_x);
        let product = path.multiply_constant(wire, &constant, kept);
        let module = path.finish(&[("product", product)]);
        prop_assert_eq!(module.statistics().multiplier_tiles, 0);

        let path = Datapath::new("product_above", &DatapathConfig::ultrascale());
        let (wire, known) = (path.input("x", width_x), path.input("known", 8));
        let cut = 8 + kept.min(width_x + bits - 9);
        let outputs = [
            ("constant", path.multiply_constant_above(wire, &constant, cut, known)),
            ("tiles", path.multiply_above(wire, path.constant(constant.clone(), bits), cut, known)),
        ];
        let above = path.finish(&outputs);
        let known = ((&x * &constant) >> (cut - 8)) & BigUint::from(255u32);
        let expected = (&x * &constant) >> cut;
        for (output, value) in outputs.iter().zip(above.evaluate(&[x.clone(), known])) {
            prop_assert_eq!(&value, &expected, "{}, cut {}", output.0, cut);
        }
        prop_assert_eq!(module.evaluate(std::slice::from_ref(&x)), [(&x * &constant) % (BigUint::from(1u32) << kept)]);
    }

    #[test]
    fn products_over_any_tile(
        seed: u64, tall in 8usize..80, wide in 8usize..80, karatsuba_levels in 0usize..4, width_a in 9usize..300,
        width_b in 9usize..300, kept in 1usize..600,
    ) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let config = DatapathConfig { tile: [tall, wide], karatsuba_levels, ..DatapathConfig::ultrascale() };
        let path = Datapath::new("product", &config);
        let (a, b) = (path.input("a", width_a), path.input("b", width_b));
        let kept = kept.min(width_a + width_b);
        let outputs = [("full", path.multiply(a, b)), ("low", path.multiply_low(a, b, kept))];
        let module = path.finish(&outputs);
        let mut draw = |width: usize| {
            let ones = (BigUint::from(1u32) << width) - 1u32;
            if rng.gen_bool(0.3) { ones } else { element(&mut rng, Prime::Fq) & ones }
        };
        let (x, y) = (draw(width_a), draw(width_b));
        let product = &x * &y;
        let low = &product % (BigUint::from(1u32) << kept);
        prop_assert_eq!(module.evaluate(&[x, y]), [product, low]);
    }
}
