//! One pool of multipliers, used by turns: by the complete adder in Fq, and in Fr.

use num_bigint::BigUint;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::*;
use spandrel_hdl::curve::Curve;
use spandrel_hdl::curve::model::{Point, complete_add};
use spandrel_hdl::datapath::{Datapath, DatapathConfig, Multipliers};
use spandrel_hdl::emit::{Emitted, emit};
use spandrel_hdl::field::{FIELD_BITS, Prime, shared_multiplier_for};
use spandrel_hdl::msm::CompletePipeline;
use spandrel_hdl::pipeline_block;
use spandrel_hdl::profile::Profile;
use spandrel_sim::testbench::Testbench;
use spandrel_tests::values::element;
use std::rc::Rc;

pipeline_block! {
    /// x⁵ in Fr on three multipliers of the pool.
    clocked Power
    inputs {
        /// x.
        x: Bits<254>,
        /// An element enters.
        valid_in: Bit,
    }
    outputs {
        /// x⁵.
        y: Bits<254>,
        /// A power leaves.
        valid_out: Bit,
    }
}

impl Power {
    fn new(config: &DatapathConfig) -> Power {
        let path = Datapath::new("power", config);
        let (x, valid) = (path.input("x", FIELD_BITS), path.input("valid_in", 1));
        let multiplier = shared_multiplier_for(Prime::Fr, config);
        let multiply = |a, b| path.instance(&multiplier, &[a, b, valid])[0];
        let square = multiply(x, x);
        let y = multiply(multiply(square, square), x);
        Power::host(Rc::new(path.finish(&[("y", y), ("valid_out", valid)])))
    }
}

/// An adder and two powers that take turns.
#[derive(LogicBlock)]
struct Turns {
    pub clock: Signal<In, Clock>,
    pub p: Signal<In, Bits<762>>,
    pub q: Signal<In, Bits<762>>,
    pub pair_valid: Signal<In, Bit>,
    pub x: Signal<In, Bits<254>>,
    pub x_valid: Signal<In, Bit>,
    pub sum: Signal<Out, Bits<762>>,
    pub sum_valid: Signal<Out, Bit>,
    pub y: Signal<Out, Bits<254>>,
    pub y_valid: Signal<Out, Bit>,
    adder: CompletePipeline,
    powers: Vec<Power>,
}

impl Logic for Turns {
    #[hdl_gen]
    fn update(&mut self) {
        self.adder.clock.next = self.clock.val();
        self.adder.p.next = self.p.val();
        self.adder.q.next = self.q.val();
        self.adder.tag.next = 0.into();
        self.adder.valid_in.next = self.pair_valid.val();
        self.sum.next = self.adder.sum.val();
        self.sum_valid.next = self.adder.valid_out.val();
        for i in 0..2 {
            self.powers[i].clock.next = self.clock.val();
        }
        self.powers[0].x.next = self.x.val();
        self.powers[0].valid_in.next = self.x_valid.val();
        self.powers[1].x.next = self.powers[0].y.val();
        self.powers[1].valid_in.next = self.powers[0].valid_out.val();
        self.y.next = self.powers[1].y.val();
        self.y_valid.next = self.powers[1].valid_out.val();
    }
}

fn shared(profile: &str) -> DatapathConfig {
    let profile = Profile::load(profile).unwrap_or_else(|error| panic!("{error}"));
    DatapathConfig { multipliers: Multipliers::Shared, ..profile.datapath }
}

fn turns(config: &DatapathConfig) -> Turns {
    let mut turns = Turns {
        clock: Default::default(),
        p: Default::default(),
        q: Default::default(),
        pair_valid: Default::default(),
        x: Default::default(),
        x_valid: Default::default(),
        sum: Default::default(),
        sum_valid: Default::default(),
        y: Default::default(),
        y_valid: Default::default(),
        adder: CompletePipeline::new(Curve::Bn254, config),
        powers: (0..2).map(|_| Power::new(config)).collect(),
    };
    turns.connect_all();
    turns
}

fn emitted(turns: &Turns) -> Emitted {
    emit(turns, "turns").unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn first() {
    let turns = turns(&shared("sim-small"));
    let emitted = emitted(&turns);
    std::fs::write("/tmp/turns.v", &emitted.verilog).unwrap();
    let mut bench = Testbench::build(&emitted);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let pack = |point: &Point| point.iter().rev().fold(BigUint::default(), |packed, c| (packed << FIELD_BITS) | c);
    for _ in 0..5 {
        let mut sums = Vec::new();
        let mut expected = Vec::new();
        for cycle in 0..200 {
            let p: Point = std::array::from_fn(|_| element(&mut rng, Prime::Fq));
            let q: Point = std::array::from_fn(|_| element(&mut rng, Prime::Fq));
            let valid = cycle < 150 && rng.gen_bool(0.8);
            bench.set_bytes("p", &pack(&p).to_bytes_le());
            bench.set_bytes("q", &pack(&q).to_bytes_le());
            bench.set("pair_valid", valid.into());
            if valid {
                expected.push(pack(&complete_add(&p, &q)));
            }
            bench.model.settle();
            if bench.get("sum_valid") == 1 {
                sums.push(BigUint::from_bytes_le(&bench.bytes("sum")));
            }
            bench.model.rise();
        }
        assert!(sums == expected);
        let mut powers = Vec::new();
        let mut expected = Vec::new();
        for cycle in 0..200 {
            let x = element(&mut rng, Prime::Fr);
            let valid = cycle < 150 && rng.gen_bool(0.8);
            bench.set_bytes("x", &x.to_bytes_le());
            bench.set("x_valid", valid.into());
            if valid {
                let product = |a: &BigUint, b: &BigUint| Prime::Fr.montgomery_product(a, b);
                let power = |x: &BigUint| product(&product(&product(x, x), &product(x, x)), x);
                expected.push(power(&power(&x)));
            }
            bench.model.settle();
            if bench.get("y_valid") == 1 {
                powers.push(BigUint::from_bytes_le(&bench.bytes("y")));
            }
            bench.model.rise();
        }
        assert!(powers == expected);
    }
}
