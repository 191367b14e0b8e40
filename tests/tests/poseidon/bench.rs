//! A core with streams attached.

use ark_bn254::Fr;
use ark_ff::UniformRand;
use num_bigint::BigUint;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::*;
use spandrel_hdl::datapath::DatapathConfig;
use spandrel_hdl::emit::{Emitted, emit};
use spandrel_hdl::field::Prime;
use spandrel_hdl::poseidon::{PoseidonCore, STATE_BITS, Schedule};
use spandrel_hdl::profile::Profile;
use spandrel_poseidon::{Parameters, permute_plain};
use spandrel_sim::model::{BuildOptions, Model, ModelLibrary};
use spandrel_sim::testbench::{SinkId, SourceId, Stalls, Testbench};
use spandrel_tests::reference::elements_bytes;
use spandrel_tests::values::element;

/// A core under the port names of the test bench's streams.
#[derive(LogicBlock)]
struct Streams {
    pub clock: Signal<In, Clock>,
    pub reset: Signal<In, Bit>,
    pub in_data: Signal<In, Bits<STATE_BITS>>,
    pub in_valid: Signal<In, Bit>,
    pub in_ready: Signal<Out, Bit>,
    pub out_data: Signal<Out, Bits<STATE_BITS>>,
    pub out_valid: Signal<Out, Bit>,
    pub out_ready: Signal<In, Bit>,
    pub passes: Signal<Out, Bits<8>>,
    pub starved: Signal<Out, Bits<8>>,
    core: PoseidonCore,
}

impl Logic for Streams {
    #[hdl_gen]
    fn update(&mut self) {
        self.core.clock.next = self.clock.val();
        self.core.reset.next = self.reset.val();
        self.core.in_state.next = self.in_data.val();
        self.core.in_valid.next = self.in_valid.val();
        self.in_ready.next = self.core.in_ready.val();
        self.out_data.next = self.core.out_state.val();
        self.out_valid.next = self.core.out_valid.val();
        self.core.out_ready.next = self.out_ready.val();
        self.passes.next = self.core.passes.val();
        self.starved.next = self.core.starved.val();
    }
}

/// A core as Verilog, and what it says of itself.
pub struct Design {
    emitted: Emitted,
    /// Modules that are compiled once for all their instances, where that takes long.
    parts: Vec<String>,
    pub width: usize,
    pub lanes: usize,
    /// Passes of a hash.
    pub passes: usize,
    /// Slots of a lane.
    pub slots: usize,
    pub latency: usize,
    pub flush_cycles: usize,
}

/// The shape in which simulations are fast.
pub fn fast() -> DatapathConfig {
    Profile::load("sim-small").unwrap().datapath
}

/// The shape of a board: a deep pipeline, registers after every level of logic.
pub fn deep() -> DatapathConfig {
    Profile::load("alveo-u250").unwrap().datapath
}

impl Design {
    pub fn new(width: usize, lanes: usize, config: &DatapathConfig) -> Design {
        let core = PoseidonCore::new(width, lanes, config);
        let (slots, latency, flush_cycles) = (core.pass_latency(), core.latency(), core.flush_cycles());
        let mut streams = Streams {
            clock: Default::default(),
            reset: Default::default(),
            in_data: Default::default(),
            in_valid: Default::default(),
            in_ready: Default::default(),
            out_data: Default::default(),
            out_valid: Default::default(),
            out_ready: Default::default(),
            passes: Default::default(),
            starved: Default::default(),
            core,
        };
        streams.connect_all();
        let emitted = emit(&streams, "poseidon_streams").unwrap_or_else(|error| panic!("{error}"));
        let passes = Schedule::new(width).unwrap().passes();
        let parts = match config.levels_per_stage {
            1 => ["multiplier", "single", &format!("row_{width}")]
                .map(|part| format!("poseidon_{part}"))
                .into(),
            _ => Vec::new(),
        };
        Design { emitted, parts, width, lanes, passes, slots, latency, flush_cycles }
    }

    /// A model that comes up with random contents of all registers.
    pub fn model(&self) -> Model {
        let options = BuildOptions { randomize: true, hierarchy: self.parts.clone(), ..Default::default() };
        let library = ModelLibrary::build(&self.emitted, &options).unwrap_or_else(|error| panic!("{error}"));
        library.instance_with_seed(self.lanes as u32)
    }

    /// Cycles enough for so many hashes, with stalls.
    pub fn bound(&self, hashes: usize) -> u64 {
        (8 * (self.latency + hashes * self.passes / self.lanes) + 20_000) as u64
    }
}

/// A model of a core that has been reset.
pub struct Core<'a> {
    pub design: &'a Design,
    pub bench: Testbench,
    pub states: SourceId,
    pub results: SinkId,
    /// Sums of `passes` and `starved` over the cycles of [`Core::cycle`].
    pub moved: u64,
    pub starved: u64,
}

impl<'a> Core<'a> {
    pub fn new(design: &'a Design, stalls: [Stalls; 2]) -> Core<'a> {
        let mut bench = Testbench::new(design.model());
        let [before, behind] = stalls;
        let (states, results) = (bench.source("in", before), bench.sink("out", behind));
        bench.reset(1);
        Core { design, bench, states, results, moved: 0, starved: 0 }
    }

    /// Without stalls.
    pub fn unstalled(design: &'a Design) -> Core<'a> {
        Core::new(design, [Stalls::none(), Stalls::none()])
    }

    pub fn push(&mut self, states: &[Vec<Fr>]) {
        states.iter().for_each(|state| self.bench.push(self.states, bytes(state)));
    }

    /// A cycle, with its lanes counted.
    pub fn cycle(&mut self) {
        self.bench.cycle();
        // What is counted is the cycle that comes: it depends on registers and on `reset`.
        self.bench.model.settle();
        let (moved, starved) = (self.bench.get("passes"), self.bench.get("starved"));
        assert_eq!(moved + starved, self.design.lanes as u64, "{}", self.bench.describe());
        self.moved += moved;
        self.starved += starved;
    }

    /// Runs until so many results are there.
    pub fn run(&mut self, results: usize) {
        let bound = self.bench.cycles() + self.design.bound(results);
        while self.received() < results {
            assert!(self.bench.cycles() < bound, "{}", self.bench.describe());
            self.cycle();
        }
    }

    pub fn received(&self) -> usize {
        self.bench.received(self.results).len()
    }

    /// Holds the results so far to these states, in their order.
    pub fn check(&mut self, states: &[Vec<Fr>]) {
        let results = self.bench.take(self.results);
        assert_eq!(results.len(), states.len());
        for (index, (result, state)) in results.iter().zip(states).enumerate() {
            assert_eq!(*result, padded(&permuted(state)), "state {index}, {state:?}");
        }
    }
}

/// A state as it is sent: 32 bytes an element, Montgomery form. What lies past the width is junk, which a core ignores.
pub fn bytes(state: &[Fr]) -> Vec<u8> {
    let mut bytes = elements_bytes(state);
    bytes.resize(STATE_BITS / 8, 0xa5);
    bytes
}

/// A state as it comes back: zero past the width.
pub fn padded(state: &[Fr]) -> Vec<u8> {
    let mut bytes = elements_bytes(state);
    bytes.resize(STATE_BITS / 8, 0);
    bytes
}

/// The permutation in its plain form, without sparse matrices.
pub fn permuted(state: &[Fr]) -> Vec<Fr> {
    let mut permuted = state.to_vec();
    permute_plain(Parameters::new(state.len()).unwrap(), &mut permuted);
    permuted
}

/// Random states: uniform ones, and such as have forms at the edges of the field.
pub fn random(rng: &mut ChaCha8Rng, width: usize, count: usize) -> Vec<Vec<Fr>> {
    let of_form = |form: BigUint| Fr::new_unchecked(form.try_into().unwrap());
    let mut one = || match rng.gen_bool(0.5) {
        true => Fr::rand(rng),
        false => of_form(element(rng, Prime::Fr)),
    };
    (0..count).map(|_| (0..width).map(|_| one()).collect()).collect()
}
