//! Inversion by division steps: the steps on integers and on wires, and the inverter Verilated and in RustHDL's
//! simulation, against arkworks' inverse.

use ark_bn254::{Fq, Fr};
use ark_ff::{BigInt, Field};
use num_bigint::BigUint;
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::{Block, simulate};
use spandrel_hdl::emit::{Emitted, emit};
use spandrel_hdl::field::{DIVISION_STEPS, DivisionSteps, Inverter, Pace, Prime, division_steps};
use spandrel_sim::testbench::{Stalls, Testbench};
use spandrel_tests::reference::bytes32;
use spandrel_tests::values::{edges, element};

/// The inverse by arkworks of an element in Montgomery form, in Montgomery form; zero for zero.
fn ark_inverse(prime: Prime, form: &BigUint) -> BigUint {
    let limbs: BigInt<4> =
        form.clone().try_into().unwrap_or_else(|_| panic!("{form} has more than 256 bits"));
    match prime {
        Prime::Fq => Fq::new_unchecked(limbs).inverse().unwrap_or_default().0.into(),
        Prime::Fr => Fr::new_unchecked(limbs).inverse().unwrap_or_default().0.into(),
    }
}

/// The edges of the field, both as Montgomery forms and as values, then elements of all kinds.
fn elements(prime: Prime, seed: u64, count: usize) -> Vec<BigUint> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut elements = edges(prime);
    elements.extend(edges(prime).iter().map(|value| prime.to_montgomery(value)));
    elements.truncate(count);
    while elements.len() < count {
        elements.push(element(&mut rng, prime));
    }
    elements
}

fn inverter(prime: Prime, pace: Pace) -> (Emitted, u64) {
    let mut block = Inverter::with_pace(prime, pace);
    block.connect_all();
    let emitted =
        emit(&block, &format!("inverter_{}", prime.name())).unwrap_or_else(|error| panic!("{error}"));
    (emitted, block.latency() as u64)
}

fn received(beats: Vec<Vec<u8>>) -> Vec<BigUint> {
    beats.iter().map(|beat| BigUint::from_bytes_le(beat)).collect()
}

#[test]
fn one_step_a_cycle_takes_at_most_700_cycles() {
    let latency = |pace| Prime::ALL.map(|prime| Inverter::with_pace(prime, pace).latency());
    assert_eq!(Prime::ALL.map(|prime| Inverter::new(prime).latency()), latency(Pace::OneCycle));
    assert_eq!(latency(Pace::OneCycle), [592; 2]);
    assert_eq!(latency(Pace::HalfCycle), [297; 2]);
    assert_eq!(latency(Pace::TwoCycles), [1183; 2]);
}

/// One element at a time, nothing held back: the inverse is offered in exactly the cycle that was promised.
fn check_latency(prime: Prime, pace: Pace, count: usize) {
    let (emitted, latency) = inverter(prime, pace);
    let mut bench = Testbench::build(&emitted);
    bench.reset(2);
    bench.set("out_ready", 1);
    for element in elements(prime, 1, count) {
        bench.set_bytes("in_data", &bytes32(&element));
        bench.set("in_valid", 1);
        bench.model.settle();
        assert_eq!(bench.get("in_ready"), 1, "{prime:?}, {pace:?}, {element}");
        bench.cycle();
        // What stands at the input later is not looked at.
        bench.set_bytes("in_data", &[0x5a; 32]);
        bench.set("in_valid", 0);
        for cycle in 1..latency {
            bench.model.settle();
            assert_eq!(
                (bench.get("out_valid"), bench.get("in_ready")),
                (0, 0),
                "{prime:?}, {pace:?}, {element}, cycle {cycle}"
            );
            bench.cycle();
        }
        bench.model.settle();
        assert_eq!(bench.get("out_valid"), 1, "{prime:?}, {pace:?}, {element}");
        let inverse = BigUint::from_bytes_le(&bench.bytes("out_data"));
        assert_eq!(inverse, ark_inverse(prime, &element), "{prime:?}, {pace:?}, {element}");
    }
}

#[test]
fn verilated_inverter_holds_its_latency_for_every_value() {
    for prime in Prime::ALL {
        check_latency(prime, Pace::OneCycle, 300);
    }
}

#[test]
fn verilated_inverter_at_the_other_paces() {
    for prime in Prime::ALL {
        check_latency(prime, Pace::TwoCycles, 100);
        check_latency(prime, Pace::HalfCycle, 100);
    }
}

#[test]
fn verilated_inverter_with_stalls_on_both_sides() {
    for (prime, pace) in Prime::ALL
        .into_iter()
        .zip([Pace::OneCycle, Pace::TwoCycles])
        .chain([(Prime::Fr, Pace::OneCycle), (Prime::Fq, Pace::HalfCycle)])
    {
        let (emitted, latency) = inverter(prime, pace);
        let elements = elements(prime, 2, 100);
        let expected: Vec<_> = elements.iter().map(|element| ark_inverse(prime, element)).collect();
        for (source_percent, sink_percent, shy) in
            [(0, 0, false), (60, 0, true), (0, 95, false), (50, 70, true)]
        {
            let mut bench = Testbench::build(&emitted);
            let source = bench.source("in", Stalls::random(3, source_percent));
            let stalls = Stalls::random(4, sink_percent);
            let sink = if shy { bench.shy_sink("out", stalls) } else { bench.sink("out", stalls) };
            bench.reset(1);
            elements.iter().for_each(|element| bench.push(source, bytes32(element)));
            let count = elements.len() as u64;
            let cycles = bench.run_until(count * (latency + 200), |bench| bench.received(sink).len() == 100);
            assert_eq!(received(bench.take(sink)), expected, "{prime:?}, {pace:?}");
            if source_percent + sink_percent == 0 {
                assert_eq!(cycles, count * latency + 1, "{prime:?}, {pace:?}: back to back");
            }
        }
    }
}

/// An inverse that is not taken waits, and so does the next one behind it, for however long.
#[test]
fn inverses_wait_for_the_sink() {
    for pace in Pace::ALL {
        let prime = Prime::Fq;
        let (emitted, latency) = inverter(prime, pace);
        for wait in [0, 1, 2, 3, 2500] {
            let mut bench = Testbench::build(&emitted);
            bench.reset(1);
            let source = bench.source("in", Stalls::none());
            let elements = elements(prime, 5 + wait, 90);
            let [first, second, third] = [&elements[88], &elements[89], &elements[80]];
            [first, second, third].into_iter().for_each(|element| bench.push(source, bytes32(element)));
            bench.set("out_ready", 0);
            (0..2 * latency + wait).for_each(|_| bench.cycle());
            bench.model.settle();
            assert_eq!((bench.pending(source), bench.get("in_ready")), (1, 0), "{pace:?}");
            let sink = bench.sink("out", Stalls::none());
            bench.run_until(2 * latency, |bench| bench.received(sink).len() == 3);
            let expected = [first, second, third].map(|element| ark_inverse(prime, element));
            assert_eq!(received(bench.take(sink)), expected, "{pace:?}, {wait}");
        }
    }
}

#[test]
fn a_reset_at_any_time_leaves_a_working_inverter() {
    for (prime, pace) in
        [(Prime::Fq, Pace::OneCycle), (Prime::Fr, Pace::TwoCycles), (Prime::Fr, Pace::HalfCycle)]
    {
        let (emitted, latency) = inverter(prime, pace);
        let mut bench = Testbench::build(&emitted);
        let source = bench.source("in", Stalls::none());
        let elements = elements(prime, 6, 90);
        bench.reset(1);
        for (index, cut) in
            [0, 1, 2, 3, 100, latency / 2, latency - 2, latency - 1, latency, latency + 1, latency + 2]
                .into_iter()
                .enumerate()
        {
            bench.set("out_ready", 0);
            bench.push(source, bytes32(&elements[80 - index]));
            (0..cut).for_each(|_| bench.cycle());
            bench.reset(1 + cut % 2);
            bench.model.settle();
            assert_eq!((bench.get("out_valid"), bench.get("in_ready")), (0, 1), "{pace:?}, {cut}");
            bench.push(source, bytes32(&elements[index]));
            let cycles = bench.run_until(latency + 1, |bench| {
                bench.model.settle();
                bench.get("out_valid") == 1
            });
            assert_eq!(cycles, latency, "{pace:?}: nothing of what was cut off after {cut} cycles comes out");
            let inverse = BigUint::from_bytes_le(&bench.bytes("out_data"));
            assert_eq!(inverse, ark_inverse(prime, &elements[index]), "{pace:?}, {cut}");
            bench.set("out_ready", 1);
            bench.cycle();
        }
    }
}

#[test]
fn rusthdl_simulation_and_verilated_block_agree_in_every_cycle() {
    for (prime, pace) in
        [(Prime::Fq, Pace::OneCycle), (Prime::Fr, Pace::TwoCycles), (Prime::Fr, Pace::HalfCycle)]
    {
        let (emitted, latency) = inverter(prime, pace);
        let mut bench = Testbench::build(&emitted);
        let mut block = Inverter::with_pace(prime, pace);
        block.connect_all();
        let elements = elements(prime, 8, 90);
        let mut expected = elements[88..].iter().map(|element| ark_inverse(prime, element));
        let mut entered = 0;
        let mut stalls = Stalls::random(9, 60);
        for cycle in 0..3 * latency + 100 {
            let reset = cycle < 2;
            // The inverse that waits is taken only while the next one waits behind it.
            let ready = cycle > 2 * latency + 20 && !stalls.hold();
            let data = &elements[88 + entered % 2];
            block.reset.next = reset;
            block.in_valid.next = entered < 2;
            block.in_data.next = data.clone().into();
            block.out_ready.next = ready;
            block.clock.next = false.into();
            assert!(simulate(&mut block, 50));
            bench.set("reset", reset.into());
            bench.set("in_valid", (entered < 2).into());
            bench.set_bytes("in_data", &bytes32(data));
            bench.set("out_ready", ready.into());
            bench.model.settle();
            if !reset {
                assert_eq!(bench.get("in_ready") == 1, block.in_ready.val(), "cycle {cycle}");
                assert_eq!(bench.get("out_valid") == 1, block.out_valid.val(), "cycle {cycle}");
                if block.out_valid.val() {
                    let inverse = BigUint::from(block.out_data.val());
                    assert_eq!(BigUint::from_bytes_le(&bench.bytes("out_data")), inverse, "cycle {cycle}");
                    if ready {
                        assert_eq!(Some(inverse), expected.next(), "cycle {cycle}");
                    }
                }
                entered += usize::from(entered < 2 && block.in_ready.val());
            }
            block.clock.next = true.into();
            assert!(simulate(&mut block, 50));
            bench.model.rise();
        }
        assert_eq!(expected.next(), None, "{prime:?}, {pace:?}: both came out");
    }
}

/// A state as the wires have it: two's complement.
fn wires(state: &DivisionSteps) -> Vec<BigUint> {
    let complement = |value: &num_bigint::BigInt, bits: usize| -> BigUint {
        let modulus = num_bigint::BigInt::from(1) << bits;
        let half: num_bigint::BigInt = &modulus >> 1;
        assert!(*value < half && *value >= -half, "{value} in {bits} bits");
        (((value % &modulus) + &modulus) % &modulus).magnitude().clone()
    };
    let mut wires: Vec<_> =
        [&state.f, &state.g, &state.d, &state.e].map(|value| complement(value, 255)).into();
    wires.push(complement(&state.zeta.into(), 11));
    wires
}

#[test]
fn wires_hold_the_integers_after_every_step() {
    for prime in Prime::ALL {
        let modules = Pace::ALL.map(|pace| (pace, division_steps(prime, pace)));
        for element in elements(prime, 10, 90).into_iter().step_by(22) {
            let mut state = DivisionSteps::new(prime, &element);
            let mut states = vec![wires(&state)];
            for _ in 0..DIVISION_STEPS + 10 {
                state.step();
                states.push(wires(&state));
            }
            for (pace, module) in &modules {
                let junk = vec![BigUint::from(3u32); 5];
                let begin = [vec![1u32.into(), element.clone()], junk].concat();
                assert_eq!(module.evaluate(&begin), states[0], "{prime:?}, {pace:?}");
                for index in 0..DIVISION_STEPS {
                    let inputs = [vec![0u32.into(), 7u32.into()], states[index].clone()].concat();
                    let next = &states[index + pace.steps_per_round()];
                    assert_eq!(
                        module.evaluate(&inputs),
                        *next,
                        "{prime:?}, {pace:?}, {element}, step {index}"
                    );
                }
            }
        }
    }
}

/// Division steps on integers; also how many were needed.
fn invert(prime: Prime, element: &BigUint) -> (BigUint, usize) {
    let mut state = DivisionSteps::new(prime, element);
    let p = num_bigint::BigInt::from(prime.modulus());
    let mut needed = 0;
    for _ in 0..DIVISION_STEPS {
        needed += usize::from(!state.finished());
        state.step();
        for value in [&state.d, &state.e] {
            assert!(*value < p && *value > -&p, "{prime:?}, {element}: {value} is out of range");
        }
        for value in [&state.f, &state.g] {
            assert!(*value <= p && *value >= -&p, "{prime:?}, {element}: {value} is out of range");
        }
    }
    assert!(state.finished(), "{prime:?}, {element}");
    (state.result(), needed)
}

#[test]
fn costs_are_two_additions_and_four_registers_of_the_states_width() {
    // g, e: 256 bits and a carry-out each; ζ: 11 bits and one. Halving the chains adds a carry-in place each.
    let cost = |pace| division_steps(Prime::Fq, pace).statistics();
    assert_eq!(cost(Pace::OneCycle).multiplier_tiles, 0);
    assert_eq!(cost(Pace::OneCycle).adder_bits, 2 * 257 + 12);
    assert_eq!(cost(Pace::OneCycle).register_bits, 4 * 255 + 11);
    assert_eq!(cost(Pace::HalfCycle).adder_bits, 2 * (2 * 257 + 12));
    assert_eq!(cost(Pace::HalfCycle).register_bits, 4 * 255 + 11);
    assert_eq!(cost(Pace::TwoCycles).adder_bits, 2 * (129 + 130) + 12);
}

#[test]
fn division_steps_invert_the_edges() {
    for prime in Prime::ALL {
        for element in elements(prime, 11, 90) {
            assert_eq!(invert(prime, &element).0, ark_inverse(prime, &element), "{prime:?}, {element}");
        }
        assert_eq!(invert(prime, &BigUint::default()), (BigUint::default(), 0));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn division_steps_invert(seed: u64) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for prime in Prime::ALL {
            let element = element(&mut rng, prime);
            let (inverse, _) = invert(prime, &element);
            prop_assert_eq!(&inverse, &ark_inverse(prime, &element), "{:?}, {}", prime, &element);
            // And back again.
            prop_assert_eq!(invert(prime, &inverse).0, element);
        }
    }
}
