//! The units whose netlists are simulated, and what each should do.

use crate::pipeline::stream_of;
use crate::values::element;
use num_bigint::BigUint;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::Block;
use spandrel_hdl::datapath::{Datapath, DatapathConfig, Module};
use spandrel_hdl::emit::{Emitted, emit};
use spandrel_hdl::field::{FIELD_BITS, Prime, montgomery_multiplier};
use spandrel_hdl::msm::{Shape, recoder};
use spandrel_hdl::profile::Profile;
use spandrel_hdl::stream::Fifo;
use spandrel_sim::testbench::Testbench;
use std::collections::VecDeque;
use std::rc::Rc;

/// Inputs or cycles that each unit's netlist is compared on.
pub(super) const COMPARED: usize = 2_000;

/// The profile whose shapes the units have.
const PROFILE: &str = "acorn-cle215";

/// What a text should do: the first difference, as a sentence, is its error.
pub type Law = Box<dyn Fn(&Emitted) -> Result<(), String>>;

/// A unit whose netlist is simulated.
pub struct NetlistUnit {
    /// Its name.
    pub name: &'static str,
    /// Synthesis takes minutes.
    pub is_slow: bool,
    /// The unit's text, and what it should do.
    pub make: fn() -> (Emitted, Law),
}

/// The units, quick ones first.
pub const UNITS: &[NetlistUnit] = &[
    NetlistUnit { name: "fifo", is_slow: false, make: fifo },
    NetlistUnit { name: "modular_add", is_slow: false, make: modular_add },
    NetlistUnit { name: "tiles", is_slow: false, make: product },
    NetlistUnit { name: "recoder", is_slow: true, make: recoder_unit },
    NetlistUnit { name: "mont_mul", is_slow: true, make: mont_mul },
];

/// The shape of the small board's pipelines.
fn config() -> DatapathConfig {
    Profile::load(PROFILE).unwrap_or_else(|error| panic!("{error}")).datapath
}

fn random(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// A pipeline that should give these outputs for these inputs.
fn pipeline(module: &Module, cases: Vec<(Vec<BigUint>, Vec<BigUint>)>) -> (Emitted, Law) {
    let latency = module.latency();
    let law = move |emitted: &Emitted| {
        let inputs: Vec<_> = cases.iter().map(|(inputs, _)| inputs.clone()).collect();
        let outputs = stream_of(emitted, latency, &inputs);
        match cases.iter().zip(&outputs).find(|((_, expected), found)| expected != *found) {
            None => Ok(()),
            Some(((inputs, expected), found)) => {
                Err(format!("for {inputs:x?} it gives {found:x?}, and should give {expected:x?}"))
            }
        }
    };
    (module.emitted(), Box::new(law))
}

/// A sum of two elements of Fq, reduced: carry chains and LUTs.
fn modular_add() -> (Emitted, Law) {
    let p = Prime::Fq.modulus();
    let path = Datapath::new("modular_add", &config());
    let (a, b) = (path.input("a", FIELD_BITS), path.input("b", FIELD_BITS));
    let sum = path.modular_add(a, b, path.constant(p.clone(), FIELD_BITS));
    let module = path.finish(&[("sum", sum)]);
    let mut rng = random(1);
    let case = |_| {
        let (a, b) = (element(&mut rng, Prime::Fq), element(&mut rng, Prime::Fq));
        let sum = (&a + &b) % &p;
        (vec![a, b], vec![sum])
    };
    pipeline(&module, (0..COMPARED).map(case).collect())
}

/// A product of 51 by 48 bits in four tiles: DSP slices with their registers.
fn product() -> (Emitted, Law) {
    let path = Datapath::new("tiles", &config());
    let (a, b) = (path.input("a", 51), path.input("b", 48));
    let product = path.multiply(a, b);
    let module = path.finish(&[("product", product)]);
    let mut rng = random(2);
    let mut operand = |bits: u32| match rng.gen_range(0..4) {
        0 => (BigUint::from(1u32) << bits) - 1u32,
        1 => BigUint::from(1u32) << rng.gen_range(0..bits),
        _ => BigUint::from(rng.r#gen::<u64>()) >> (64 - bits),
    };
    let mut case = |_| {
        let (a, b) = (operand(51), operand(48));
        let product = &a * &b;
        (vec![a, b], vec![product])
    };
    let cases = (0..COMPARED).map(&mut case).collect();
    pipeline(&module, cases)
}

/// Montgomery's product of two elements of Fq.
fn mont_mul() -> (Emitted, Law) {
    let p = Prime::Fq.modulus();
    let module = montgomery_multiplier(Prime::Fq, &config());
    // 2^-256 mod p, by Fermat.
    let inverse = (BigUint::from(1u32) << 256u32).modpow(&(&p - 2u32), &p);
    let mut rng = random(3);
    let case = |_| {
        let (a, b) = (element(&mut rng, Prime::Fq), element(&mut rng, Prime::Fq));
        let product = &a * &b * &inverse % &p;
        (vec![a, b], vec![product])
    };
    pipeline(&module, (0..COMPARED).map(case).collect())
}

/// The recoder of the small board's core, against the interpreted pipeline, which the tests of the recoder hold to signed
/// digits.
fn recoder_unit() -> (Emitted, Law) {
    let profile = Profile::load(PROFILE).unwrap_or_else(|error| panic!("{error}"));
    let shapes: Vec<Shape> = Shape::of_cores(&profile);
    let module: Rc<Module> = recoder(&shapes[0], &profile.datapath);
    let mut rng = random(4);
    let widths = module.input_widths();
    let case = |_| {
        let inputs: Vec<BigUint> = widths
            .iter()
            .map(|width| {
                let wide = BigUint::from_bytes_le(&(0..64).map(|_| rng.r#gen::<u8>()).collect::<Vec<_>>());
                // Choices and residues are numbers that exist: the lowest.
                let most = if *width <= 8 { 1 } else { *width };
                wide % (BigUint::from(1u32) << most)
            })
            .collect();
        let outputs = module.evaluate(&inputs);
        (inputs, outputs)
    };
    let cases = (0..COMPARED).map(case).collect();
    pipeline(&module, cases)
}

/// A FIFO of 50 elements of 40 bits under random back-pressure and resets, against a queue: memory and control.
fn fifo() -> (Emitted, Law) {
    const DEPTH: usize = 50;
    let mut block = Fifo::<40>::new(DEPTH);
    block.connect_all();
    let emitted = emit(&block, "fifo").unwrap_or_else(|error| panic!("{error}"));
    let law = |emitted: &Emitted| {
        let mut bench = Testbench::build(emitted);
        let mut rng = random(5);
        let mut queue: VecDeque<u64> = VecDeque::new();
        let (mut fill, mut drain) = (90, 10);
        bench.set("reset", 1);
        bench.model.settle();
        bench.model.rise();
        for cycle in 0..COMPARED {
            if cycle % 60 == 0 {
                (fill, drain) = (rng.gen_range(5..=100), rng.gen_range(5..=100));
            }
            let (data, valid) = (rng.r#gen::<u64>() >> 24, rng.gen_ratio(fill, 100));
            let (ready, reset) = (rng.gen_ratio(drain, 100), rng.gen_ratio(1, 150));
            for (name, value) in [
                ("in_data", data),
                ("in_valid", valid.into()),
                ("out_ready", ready.into()),
                ("reset", reset.into()),
            ] {
                bench.set(name, value);
            }
            bench.model.settle();
            let shown = [bench.get("in_ready"), bench.get("out_valid"), bench.get("count")];
            let wanted = [u64::from(queue.len() < DEPTH), u64::from(!queue.is_empty()), queue.len() as u64];
            if shown != wanted {
                return Err(format!(
                    "cycle {cycle}: ready, valid, count are {shown:?}, and should be {wanted:?}"
                ));
            }
            if let Some(front) = queue.front()
                && bench.get("out_data") != *front
            {
                return Err(format!(
                    "cycle {cycle}: {:x} is at the head, and should be {front:x}",
                    bench.get("out_data")
                ));
            }
            if ready {
                queue.pop_front();
            }
            if valid && wanted[0] == 1 {
                queue.push_back(data);
            }
            if reset {
                queue.clear();
            }
            bench.model.rise();
        }
        Ok(())
    };
    (emitted, Box::new(law))
}
