//! One pool of multipliers, used in turns: by the complete adder in Fq, by Poseidon lanes in Fr.

use ark_bn254::{Fq, Fr, G1Affine, G1Projective};
use ark_ec::{AffineRepr, CurveGroup, PrimeGroup};
use ark_ff::{AdditiveGroup, Field, UniformRand};
use light_poseidon::{Poseidon, PoseidonHasher};
use num_bigint::BigUint;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::{Block, simulate};
use spandrel_hdl::curve::model::{Point, to_montgomery};
use spandrel_hdl::datapath::DatapathConfig;
use spandrel_hdl::emit::{Emitted, emit};
use spandrel_hdl::field::{FIELD_BITS, Prime};
use spandrel_hdl::poseidon::Schedule;
use spandrel_hdl::profile::Profile;
use spandrel_hdl::shared_pool::SharedPool;
use spandrel_poseidon::{Parameters, permute_plain};
use spandrel_sim::testbench::{SinkId, SourceId, Stalls, Testbench};
use spandrel_tests::reference::elements_bytes;

const STATE_BYTES: usize = 160;

fn shape(profile: &str) -> DatapathConfig {
    Profile::load(profile).unwrap_or_else(|error| panic!("{error}")).datapath
}

/// A pool as Verilog, and what it says of itself.
struct Design {
    emitted: Emitted,
    width: usize,
    passes: usize,
    slots: usize,
    sum_latency: usize,
    hash_latency: usize,
}

impl Design {
    fn new(width: usize, lanes: usize, config: &DatapathConfig) -> Design {
        let mut pool = SharedPool::new(width, lanes, config);
        pool.connect_all();
        Design {
            emitted: emit(&pool, "shared_pool").unwrap_or_else(|error| panic!("{error}")),
            width,
            passes: Schedule::new(width).unwrap().passes(),
            slots: pool.core().pass_latency(),
            sum_latency: pool.sum_latency(),
            hash_latency: pool.core().latency(),
        }
    }
}

/// A pair of points, in every relation that two points can have, each in a random representation.
struct Pair {
    p: BigUint,
    q: BigUint,
    sum: G1Affine,
}

impl Pair {
    fn random(rng: &mut ChaCha8Rng) -> Pair {
        let mut point = || (G1Projective::generator() * Fr::rand(rng)).into_affine();
        let (p, q) = (point(), point());
        let (p, q) = match rng.gen_range(0..6) {
            0 => (p, p),
            1 => (p, -p),
            2 => (G1Affine::identity(), q),
            _ => (p, q),
        };
        let mut packed = |point: &G1Affine| {
            let scale = if rng.gen_bool(0.3) { Fq::ONE } else { Fq::rand(rng) };
            let coordinates: Point = match point.xy() {
                Some((x, y)) => [x * scale, y * scale, scale].map(to_montgomery),
                None => [Fq::ZERO, scale, Fq::ZERO].map(to_montgomery),
            };
            coordinates.iter().rev().fold(BigUint::default(), |word, element| (word << FIELD_BITS) | element)
        };
        Pair { p: packed(&p), q: packed(&q), sum: (p + q).into_affine() }
    }
}

impl Pair {
    /// These are coordinates of the sum, each below the prime. They are in Montgomery form, which their ratios do not see.
    fn adds_up_to(&self, packed: &BigUint) -> bool {
        let mask = (BigUint::from(1u32) << FIELD_BITS) - 1u32;
        let coordinates = [0, 1, 2].map(|index| (packed >> (index * FIELD_BITS)) & &mask);
        let reduced = coordinates.iter().all(|coordinate| *coordinate < Prime::Fq.modulus());
        let [x, y, z] = coordinates.map(Fq::from);
        reduced
            && match self.sum.xy() {
                Some((sum_x, sum_y)) => z != Fq::ZERO && sum_x * z == x && sum_y * z == y,
                None => z == Fq::ZERO && x == Fq::ZERO && y != Fq::ZERO,
            }
    }
}

/// States whose first element is zero, as those of fixed-length hashes.
fn states(rng: &mut ChaCha8Rng, width: usize, count: usize) -> Vec<Vec<Fr>> {
    let state = |_| [Fr::ZERO].into_iter().chain((1..width).map(|_| Fr::rand(rng))).collect();
    (0..count).map(state).collect()
}

fn bytes(state: &[Fr]) -> Vec<u8> {
    let mut bytes = elements_bytes(state);
    bytes.resize(STATE_BYTES, 0);
    bytes
}

struct Pool<'a> {
    design: &'a Design,
    bench: Testbench,
    states: SourceId,
    permuted: SinkId,
    rng: ChaCha8Rng,
}

impl<'a> Pool<'a> {
    fn new(design: &'a Design, stalls: [Stalls; 2]) -> Pool<'a> {
        let mut bench = Testbench::build(&design.emitted);
        let [before, behind] = stalls;
        let (states, permuted) = (bench.source("state", before), bench.sink("permuted", behind));
        bench.set("pair_valid", 0);
        bench.reset(1);
        bench.run(design.slots as u64 + 1);
        Pool { design, bench, states, permuted, rng: ChaCha8Rng::seed_from_u64(design.width as u64) }
    }

    /// Sends so many pairs, one in `percent` of the cycles, and gives each with its sum, which is taken in the one cycle
    /// in which it must be there.
    fn add(&mut self, count: usize, percent: f64) -> Vec<(Pair, BigUint)> {
        let mut sent: Vec<(u64, Pair)> = Vec::new();
        let mut done = Vec::new();
        let mut tag = 0;
        while done.len() < count {
            let now = self.bench.cycles();
            let send = sent.len() < count && self.rng.gen_bool(percent / 100.0);
            // What is not valid is junk.
            let pair = Pair::random(&mut self.rng);
            self.bench.set_bytes("p", &pair.p.to_bytes_le());
            self.bench.set_bytes("q", &pair.q.to_bytes_le());
            self.bench.set("tag", tag);
            self.bench.set("pair_valid", send.into());
            if send {
                sent.push((now, pair));
                tag += 1;
            }
            self.bench.model.settle();
            let due = sent.get(done.len()).is_some_and(|(at, _)| at + self.design.sum_latency as u64 == now);
            assert_eq!(self.bench.get("sum_valid"), u64::from(due), "cycle {now}");
            if due {
                assert_eq!(self.bench.get("sum_tag"), done.len() as u64);
                done.push(BigUint::from_bytes_le(&self.bench.bytes("sum")));
            }
            self.bench.cycle();
        }
        self.bench.set("pair_valid", 0);
        sent.into_iter().map(|(_, pair)| pair).zip(done).collect()
    }

    fn send(&mut self, states: &[Vec<Fr>]) {
        states.iter().for_each(|state| self.bench.push(self.states, bytes(state)));
    }

    /// Waits for the results of so many states.
    fn drain(&mut self, count: usize) {
        let bound = (8 * (self.design.hash_latency + count * self.design.passes) + 20_000) as u64;
        let permuted = self.permuted;
        self.bench.run_until(bound, |bench| bench.received(permuted).len() == count);
    }

    fn check(&mut self, states: &[Vec<Fr>]) {
        let results = self.bench.take(self.permuted);
        assert_eq!(results.len(), states.len());
        let mut hasher = Poseidon::<Fr>::new_circom(self.design.width - 1).unwrap();
        for (result, state) in results.iter().zip(states) {
            let mut expected = state.clone();
            permute_plain(Parameters::new(state.len()).unwrap(), &mut expected);
            assert_eq!(*result, bytes(&expected), "{state:?}");
            let hash = hasher.hash(&state[1..]).unwrap();
            assert_eq!(result[..32], bytes(&[hash])[..32], "{state:?}");
        }
    }
}

fn take_turns(design: &Design, pairs: usize, hashes: usize, percents: &[[u8; 3]]) {
    for (seed, [pair, before, behind]) in (1..).zip(percents) {
        let mut pool =
            Pool::new(design, [Stalls::random(2 * seed, *before), Stalls::random(2 * seed + 1, *behind)]);
        // Adder, lanes, adder, lanes: each finds the pool as the other left it.
        for _ in 0..2 {
            for (pair, sum) in pool.add(pairs, f64::from(*pair)) {
                assert!(pair.adds_up_to(&sum), "{}", pair.sum);
            }
            let states = states(&mut pool.rng, design.width, hashes);
            pool.send(&states);
            pool.drain(hashes);
            pool.check(&states);
        }
    }
}

#[test]
fn adder_and_lanes_take_turns() {
    let design = Design::new(3, 1, &shape("sim-small"));
    take_turns(&design, 200, 60, &[[100, 0, 0], [50, 30, 60]]);
}

/// More products than the adder has.
#[test]
fn two_lanes_take_turns_with_an_adder() {
    take_turns(&Design::new(3, 2, &shape("sim-small")), 50, 50, &[[70, 20, 20]]);
}

/// A sum and a pass every cycle, as with multipliers of their own.
#[test]
fn full_turns_lose_no_cycle() {
    let design = Design::new(3, 1, &shape("sim-small"));
    let mut pool = Pool::new(&design, [Stalls::none(), Stalls::none()]);
    let start = pool.bench.cycles();
    pool.add(300, 100.0);
    // The last sum is taken in the cycle in which it is there.
    assert_eq!(pool.bench.cycles() - start, (300 + design.sum_latency) as u64);
    let states = states(&mut pool.rng, 3, 4 * design.slots);
    pool.send(&states);
    pool.drain(design.slots);
    let start = pool.bench.cycles();
    pool.drain(3 * design.slots);
    assert_eq!(pool.bench.cycles() - start, (2 * design.passes * design.slots) as u64);
}

/// The lanes have the right of way: what the adder does to a pool that they use spoils its own sums, not their hashes.
#[test]
fn who_does_not_wait_for_its_turn_spoils_sums_alone() {
    let design = Design::new(3, 1, &shape("sim-small"));
    let mut pool = Pool::new(&design, [Stalls::none(), Stalls::none()]);
    let states = states(&mut pool.rng, 3, 2 * design.slots);
    pool.send(&states);
    pool.bench.run(2 * design.slots as u64 + 40);
    let sums = pool.add(100, 100.0);
    let right = sums.iter().filter(|(pair, sum)| pair.adds_up_to(sum)).count();
    assert_eq!(right, 0, "an adder that has multipliers of its own is not what is tested here");
    pool.drain(states.len());
    pool.check(&states);
}

#[test]
fn a_pool_has_as_many_multipliers_as_the_larger_user() {
    for (width, lanes, multipliers) in [(3, 1, 12), (5, 1, 12), (3, 2, 16)] {
        let verilog = Design::new(width, lanes, &shape("sim-small")).emitted.verilog;
        let instances = |module: &str| {
            let is_one = |line: &&str| line.trim_start().starts_with(&format!("{module} "));
            verilog.lines().filter(is_one).count()
        };
        assert_eq!(instances("shared_multiplier"), multipliers);
        for own in ["mont_mul_fq", "poseidon_multiplier", "poseidon_single", "poseidon_row_3"] {
            assert_eq!(instances(own), 0, "{own}");
        }
        assert!(!verilog.contains("side_of"));
    }
}

/// RustHDL's own simulation, in which each user interprets multipliers of its own, agrees with the pool in every cycle.
#[test]
fn rusthdl_and_verilator_agree_while_turns_are_kept() {
    let mut block = SharedPool::new(3, 1, &shape("sim-small"));
    block.connect_all();
    let mut model = Testbench::build(&emit(&block, "shared_pool").unwrap());
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let turn = 2 * block.sum_latency() as u32 + 8;
    let hash = block.core().latency() as u32 + 40;
    let (mut sums, mut hashes) = (0, 0);
    for cycle in 0..2 * turn + hash + 40 {
        let reset = cycle < 2;
        // Pairs, then states, then pairs; each pipeline runs dry in between.
        let (first, last) = (8..turn / 2, turn + hash + 20..turn + hash + 30);
        let pair_valid = (first.contains(&cycle) || last.contains(&cycle)) && rng.gen_bool(0.7);
        let state_valid = (turn..turn + 8).contains(&cycle) && rng.gen_bool(0.7);
        let pair = Pair::random(&mut rng);
        let state = bytes(&states(&mut rng, 3, 1)[0]);
        for (name, value) in [("reset", reset), ("pair_valid", pair_valid), ("state_valid", state_valid)] {
            model.set(name, value.into());
        }
        model.set("permuted_ready", 1);
        model.set_bytes("p", &pair.p.to_bytes_le());
        model.set_bytes("q", &pair.q.to_bytes_le());
        model.set_bytes("state_data", &state);
        model.model.settle();

        block.reset.next = reset;
        block.pair_valid.next = pair_valid;
        block.state_valid.next = state_valid;
        block.permuted_ready.next = true;
        block.p.next = pair.p.into();
        block.q.next = pair.q.into();
        block.state_data.next = BigUint::from_bytes_le(&state).into();
        block.clock.next = false.into();
        assert!(simulate(&mut block, 100), "the block does not settle");

        let flags = [
            ("sum_valid", block.sum_valid.val()),
            ("permuted_valid", block.permuted_valid.val()),
            ("state_ready", block.state_ready.val()),
        ];
        for (name, value) in flags {
            assert_eq!(model.get(name), u64::from(value), "{name}, cycle {cycle}");
        }
        if block.sum_valid.val() {
            let sum: BigUint = block.sum.val().into();
            assert_eq!(BigUint::from_bytes_le(&model.bytes("sum")), sum, "cycle {cycle}");
            sums += 1;
        }
        if block.permuted_valid.val() {
            let state: BigUint = block.permuted_data.val().into();
            assert_eq!(BigUint::from_bytes_le(&model.bytes("permuted_data")), state, "cycle {cycle}");
            hashes += 1;
        }
        block.clock.next = true.into();
        assert!(simulate(&mut block, 100), "the block does not settle");
        model.model.rise();
    }
    assert!(sums > 5 && hashes > 1, "{sums} sums, {hashes} hashes");
}
