//! The recoder and the digit source, against signed digits computed with big integers.

use num_bigint::{BigInt, BigUint};
use proptest::prelude::*;
use proptest::sample::subsequence;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::Block;
use spandrel_abi::windows;
use spandrel_hdl::curve::Curve;
use spandrel_hdl::datapath::DatapathConfig;
use spandrel_hdl::emit::{Emitted, emit};
use spandrel_hdl::field::{FIELD_BITS, Prime};
use spandrel_hdl::msm::{Choice, DigitSource, Shape, recoder};
use spandrel_hdl::profile::Profile;
use spandrel_sim::testbench::{Stalls, Testbench};
use spandrel_tests::reference::bytes32;
use spandrel_tests::values::element;
use std::collections::VecDeque;

/// A token: slot in bank 0, local window, and the point's x and y.
type Token = (u64, u64, BigUint, BigUint);

/// A scalar and its point; the recoder does not ask whether that is on the curve.
#[derive(Clone, Debug)]
struct Element {
    scalar: BigUint,
    x: BigUint,
    y: BigUint,
}

impl Element {
    fn random(rng: &mut ChaCha8Rng, curve: Curve, useless_percent: u32) -> Element {
        let order = match curve {
            Curve::Bn254 => Prime::Fr,
            Curve::Grumpkin => Prime::Fq,
        };
        let (x, y) = (element(rng, curve.base_field()), element(rng, curve.base_field()));
        let scalar = match rng.gen_range(0..4) {
            0 => BigUint::from(1u32) << rng.gen_range(0..253usize),
            1 => BigUint::from(rng.r#gen::<u16>()),
            _ => element(rng, order),
        };
        match rng.gen_range(0..200) {
            random if random < useless_percent => Element { scalar, x: 0u32.into(), y: 0u32.into() },
            random if random < 2 * useless_percent => Element { scalar: 0u32.into(), x, y },
            _ => Element { scalar, x, y },
        }
    }

    fn point_bytes(&self) -> Vec<u8> {
        [bytes32(&self.x), bytes32(&self.y)].concat()
    }
}

fn datapath() -> DatapathConfig {
    Profile::load("sim-small").unwrap_or_else(|error| panic!("{error}")).datapath
}

/// A pipeline with a register behind every level of logic.
fn deep() -> DatapathConfig {
    DatapathConfig { chunk_bits: 64, levels_per_stage: 1, ..datapath() }
}

/// Signed digits −2^(c−1) … 2^(c−1) − 1, lowest window first, by carrying from window to window.
fn signed_digits(scalar: &BigUint, window_bits: usize) -> Vec<i64> {
    let half = 1i64 << (window_bits - 1);
    let mut rest = BigInt::from(scalar.clone());
    let mut digits = Vec::new();
    for _ in 0..windows(window_bits as u32) {
        let mut digit = i64::try_from(&rest & BigInt::from(2 * half - 1)).unwrap_or_else(|e| panic!("{e}"));
        if digit >= half {
            digit -= 2 * half;
        }
        rest = (rest - digit) >> window_bits;
        digits.push(digit);
    }
    assert_eq!(rest, BigInt::from(0), "the digits hold the whole scalar");
    digits
}

/// What a core makes of the element of number `index`.
fn tokens(element: &Element, index: u64, shape: &Shape, choice: &Choice) -> Vec<Token> {
    let nothing = BigUint::default();
    if element.x == nothing && element.y == nothing {
        return Vec::new();
    }
    let p = shape.curve.base_field().modulus();
    let minus_y = (&p - &element.y) % &p;
    let digits = signed_digits(&element.scalar, choice.window_bits);
    let residue = (index % shape.cores as u64) as u32;
    let per_window = choice.buckets_per_window() as u64;
    let mut tokens = Vec::new();
    for (local, share) in choice.windows.iter().enumerate() {
        let digit = digits[share.window as usize];
        if digit != 0 && (share.residues.0..share.residues.1).contains(&residue) {
            let slot = local as u64 * per_window + digit.unsigned_abs() % per_window;
            let y = if digit < 0 { minus_y.clone() } else { element.y.clone() };
            tokens.push((slot, local as u64, element.x.clone(), y));
        }
    }
    tokens
}

fn bits(value: &BigUint, lsb: usize, width: usize) -> BigUint {
    (value >> lsb) & ((BigUint::from(1u32) << width) - 1u32)
}

/// The digits that a line of the recoder says are not zero, with their local windows.
fn line_digits(line: &BigUint, choice: &Choice) -> Vec<(usize, i64)> {
    let c = choice.window_bits;
    let (first, rest) = (bits(line, 266, 85), bits(line, 351, 85));
    assert_eq!(first.count_ones(), 1, "the first digit is one");
    assert_eq!(line.bit(436), rest == BigUint::default());
    assert!(rest.trailing_zeros().is_none_or(|next| first.trailing_zeros() < Some(next)), "in order");
    let set = first | rest;
    let digit = |local: usize| {
        let chunk = u64::try_from(bits(line, c * local, c)).unwrap_or_else(|error| panic!("{error}"));
        chunk as i64 - (1 << (c - 1))
    };
    (0..85).filter(|local| set.bit(*local as u64)).map(|local| (local, digit(local))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    /// Whatever the choices and the number of cores are, the digits of all cores together are the scalar.
    #[test]
    fn the_cores_digits_are_the_scalar(
        seed: u64,
        choices in subsequence((3..=16usize).collect::<Vec<_>>(), 1..=14),
        cores in 1usize..=5,
        grumpkin: bool,
    ) {
        let curve = if grumpkin { Curve::Grumpkin } else { Curve::Bn254 };
        let shapes: Vec<Shape> = (0..cores).map(|core| Shape::new(&choices, cores, core, curve)).collect();
        let recoders: Vec<_> = shapes.iter().map(|shape| recoder(shape, &datapath())).collect();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for _ in 0..4 {
            let element = Element::random(&mut rng, curve, 10);
            let point = BigUint::from_bytes_le(&element.point_bytes());
            let number = rng.gen_range(0..choices.len());
            let residue = rng.gen_range(0..cores as u64);
            let mut sum = BigInt::default();
            for (shape, module) in shapes.iter().zip(&recoders) {
                let choice = &shape.choices[number];
                let inputs = [element.scalar.clone(), point.clone(), residue.into(), number.into(), 1u32.into()];
                let outputs = module.evaluate(&inputs);
                let expected = tokens(&element, residue, shape, choice);
                prop_assert_eq!(outputs[1] == 1u32.into(), !expected.is_empty());
                if expected.is_empty() {
                    continue;
                }
                let digits = line_digits(&outputs[0], choice);
                prop_assert_eq!(digits.len(), expected.len());
                for ((local, digit), token) in digits.into_iter().zip(expected) {
                    prop_assert_eq!(local as u64, token.1);
                    let y = bits(&outputs[0], if digit < 0 { 945 } else { 691 }, FIELD_BITS);
                    prop_assert_eq!((bits(&outputs[0], 437, FIELD_BITS), y), (token.2, token.3));
                    sum += BigInt::from(digit) << (choice.window_bits * choice.windows[local].window as usize);
                }
            }
            if point != BigUint::default() {
                prop_assert_eq!(sum, BigInt::from(element.scalar));
            }
        }
    }
}

#[test]
fn the_largest_scalars_fit_the_windows() {
    for order in Prime::ALL {
        for window_bits in 3..=16 {
            let digits = signed_digits(&(order.modulus() - 1u32), window_bits);
            assert_eq!(digits.len(), windows(window_bits as u32) as usize);
        }
    }
}

fn emitted(shape: &Shape, config: &DatapathConfig) -> (Emitted, u64) {
    let mut block = DigitSource::new(shape, config);
    let flush = block.flush_cycles() as u64;
    block.connect_all();
    (emit(&block, "digit_source").unwrap_or_else(|error| panic!("{error}")), flush)
}

/// A digit source on a test bench.
struct Source {
    bench: Testbench,
    shape: Shape,
    flush: u64,
    offered: Stalls,
    taken: Stalls,
}

/// What a job took.
struct Took {
    cycles: u64,
    starved: u64,
}

impl Source {
    fn new(design: &(Emitted, u64), shape: &Shape, seed: u64, stall_percent: u8) -> Source {
        let mut source = Source {
            bench: Testbench::build(&design.0),
            shape: shape.clone(),
            flush: design.1,
            offered: Stalls::random(seed, stall_percent),
            taken: Stalls::random(seed + 10, stall_percent),
        };
        source.bench.reset(source.flush);
        source
    }

    /// Runs one job; where `cut` is given, only so many cycles of it and then a reset.
    fn run(&mut self, choice: usize, elements: &[Element], cut: Option<u64>) -> Took {
        let per_element = elements
            .iter()
            .zip(0..)
            .map(|(element, index)| tokens(element, index, &self.shape, &self.shape.choices[choice]));
        let expected: Vec<Token> = per_element.flatten().collect();
        let mut queue: VecDeque<&Element> = elements.iter().collect();
        let (mut received, mut offering) = (Vec::new(), false);
        let mut took = Took { cycles: 0, starved: 0 };
        let bench = &mut self.bench;
        assert_eq!(bench.get("idle"), 1);
        bench.set("choice", choice as u64);
        bench.set("count", elements.len() as u64);
        bench.set("element_valid", 0);
        bench.pulse("start");
        let bound = 1_000 + 20 * (elements.len() + expected.len()) as u64;
        loop {
            offering = !queue.is_empty() && (offering || !self.offered.hold());
            let ready = !self.taken.hold();
            bench.set("token_ready", ready.into());
            bench.set("element_valid", (!offering).into());
            bench.model.settle();
            let element_ready = bench.get("element_ready");
            bench.set("element_valid", offering.into());
            match queue.front() {
                Some(element) if offering => {
                    bench.set_bytes("element_scalar", &bytes32(&element.scalar));
                    bench.set_bytes("element_point", &element.point_bytes());
                }
                // Junk, so that what is not valid is not taken.
                _ => {
                    bench.set_bytes("element_scalar", &[0x25; 32]);
                    bench.set_bytes("element_point", &[0x25; 64]);
                }
            }
            bench.model.settle();
            assert_eq!(bench.get("element_ready"), element_ready, "ready waits for valid");
            assert_eq!(bench.get("accepted"), u64::from(offering) & element_ready);
            assert_eq!(bench.get("starved"), u64::from(!offering) & element_ready);
            took.starved += bench.get("starved");
            if bench.get("idle") == 1 {
                break;
            }
            if offering && element_ready == 1 {
                queue.pop_front();
                offering = false;
            }
            if ready && bench.get("token_valid") == 1 {
                let point = BigUint::from_bytes_le(&bench.bytes("token_point"));
                assert_eq!(&point >> (2 * FIELD_BITS), self.shape.curve.base_field().one(), "Z = 1");
                let (x, y) = (bits(&point, 0, FIELD_BITS), bits(&point, FIELD_BITS, FIELD_BITS));
                received.push((bench.get("token_slot"), bench.get("token_window"), x, y));
            }
            bench.model.rise();
            took.cycles += 1;
            if cut == Some(took.cycles) {
                bench.reset(self.flush);
                return took;
            }
            assert!(took.cycles < bound, "{} of {} tokens", received.len(), expected.len());
        }
        assert!(queue.is_empty());
        assert_eq!(received, expected);
        took
    }
}

fn elements(rng: &mut ChaCha8Rng, curve: Curve, count: usize) -> Vec<Element> {
    (0..count).map(|_| Element::random(rng, curve, 30)).collect()
}

#[test]
fn verilated_digit_source_hands_out_every_token_in_order() {
    // One core with all windows; a middle core, whose first and last windows are shared, in a pipeline cut finely; a
    // core of many on the other curve.
    let cases = [
        (Shape::new(&[3, 8, 13, 16], 1, 0, Curve::Bn254), datapath()),
        (Shape::new(&[4, 5, 7, 11, 14], 3, 1, Curve::Bn254), deep()),
        (Shape::new(&[12], 5, 4, Curve::Grumpkin), datapath()),
    ];
    for (shape, config) in cases {
        let design = emitted(&shape, &config);
        for (seed, stall_percent) in [(1, 0), (2, 40), (3, 80)] {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let mut source = Source::new(&design, &shape, seed, stall_percent);
            // Jobs of every choice one after the other: elements are counted anew in each.
            for choice in (0..shape.choices.len()).chain([0]) {
                let count = rng.gen_range(0..25);
                source.run(choice, &elements(&mut rng, shape.curve, count), None);
            }
        }
    }
}

#[test]
fn verilated_digit_source_forgets_a_job_that_a_reset_cuts() {
    let shape = Shape::new(&[6, 9], 2, 1, Curve::Bn254);
    let design = emitted(&shape, &deep());
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    for stall_percent in [0, 50] {
        let mut source = Source::new(&design, &shape, 5, stall_percent);
        for cut in [1, 2, 7, 15, 30, 60, 90] {
            source.run(cut as usize % 2, &elements(&mut rng, shape.curve, 40), Some(cut));
            source.run(1, &elements(&mut rng, shape.curve, 7), None);
        }
    }
}

#[test]
fn verilated_digit_source_hands_out_one_token_a_cycle() {
    let shape = Shape::new(&[4, 13], 1, 0, Curve::Bn254);
    let design = emitted(&shape, &deep());
    let mut source = Source::new(&design, &shape, 1, 0);
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let latency = source.flush;
    for choice in [0, 1] {
        // Half of a real witness is zero, in bursts: what is useless is taken in while useful ones give their digits.
        let mut elements = elements(&mut rng, shape.curve, 90);
        for burst in elements.chunks_mut(12) {
            let zeros = burst.len() / 2;
            burst[..zeros].iter_mut().for_each(|element| element.scalar = BigUint::default());
            burst[zeros..]
                .iter_mut()
                .for_each(|element| *element = Element::random(&mut rng, shape.curve, 0));
        }
        let per_element =
            elements.iter().map(|element| tokens(element, 0, &shape, &shape.choices[choice]).len());
        let digits = per_element.sum::<usize>() as u64;
        let took = source.run(choice, &elements, None);
        // The leading zeros, the way through, and no more.
        assert!(took.cycles <= digits + 6 + latency + 4, "{} cycles for {digits} digits", took.cycles);
        assert_eq!(took.starved, 0);

        let useless = vec![Element { scalar: BigUint::default(), ..elements[0].clone() }; 50];
        let took = source.run(choice, &useless, None);
        assert!(took.cycles <= 50 + latency + 1, "{} cycles for 50 zeros", took.cycles);
    }
}
