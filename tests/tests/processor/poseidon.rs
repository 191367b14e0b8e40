//! The Poseidon core on a processor.

use ark_bn254::Fr;
use num_bigint::BigUint;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::Block;
use spandrel_hdl::emit::emit;
use spandrel_hdl::field::Prime;
use spandrel_hdl::poseidon::SerialPoseidon;
use spandrel_poseidon::{Parameters, permute_plain};
use spandrel_sim::model::{BuildOptions, ModelLibrary};
use spandrel_sim::testbench::Testbench;
use spandrel_tests::reference::bytes32;
use spandrel_tests::values::element;
use std::collections::VecDeque;

const WIDTH: usize = 3;

/// A state as it comes out: zero past the width.
fn packed(state: &[Fr], rest: u8) -> Vec<u8> {
    let mut bytes: Vec<u8> = state.iter().flat_map(|element| bytes32(&element.0.into())).collect();
    bytes.resize(160, rest);
    bytes
}

/// Full, then with a reset in the middle, then slowed down at both ends: results are exact and in order, every cycle is
/// counted once, and a full core gives a hash every 82 passes.
#[test]
fn permutations_are_exact_in_order_and_counted() {
    let mut core = SerialPoseidon::new(WIDTH, 2);
    let (frames, turn) = (core.frames(), core.pass_cycles());
    assert_eq!((turn, core.turns()), (64, 82), "eight products on two multipliers");
    let latency = core.latency() as u64;
    core.connect_all();
    let emitted = emit(&core, "serial_poseidon").unwrap_or_else(|error| panic!("{error}"));
    let options = BuildOptions { randomize: true, ..Default::default() };
    let library = ModelLibrary::build(&emitted, &options).unwrap_or_else(|error| panic!("{error}"));
    let mut bench = Testbench::new(library.instance_with_seed(5));
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let parameters = Parameters::new(WIDTH).unwrap();
    // States, how often one is offered, how often a result is taken, cycles until a reset.
    let phases =
        [(2 * frames, 1.0, 1.0, None), (frames, 1.0, 1.0, Some(10_000)), (frames, 0.001, 0.0005, None)];
    for (count, offers, takes, abandoned) in phases {
        bench.reset(1);
        let begin = bench.cycles();
        let (mut left, mut done) = (count, 0);
        let mut under_way: VecDeque<(u64, Vec<u8>)> = VecDeque::new();
        let mut offered: Option<Vec<Fr>> = None;
        let (mut passes, mut first) = (0, 0);
        while done < count {
            let now = bench.cycles() - begin;
            assert!(now < latency * 6, "{done} of {count} after {now} cycles");
            if abandoned.is_some_and(|after| now > after) {
                break;
            }
            if offered.is_none() && left > 0 && rng.gen_bool(offers) {
                let form = |_| Fr::new_unchecked(element(&mut rng, Prime::Fr).try_into().unwrap());
                let state: Vec<Fr> = (0..WIDTH).map(form).collect();
                bench.set_bytes("in_state", &packed(&state, 0xa5));
                offered = Some(state);
                left -= 1;
            }
            bench.set("in_valid", offered.is_some().into());
            let take = rng.gen_bool(takes);
            bench.set("out_ready", take.into());
            bench.model.settle();
            assert_eq!(bench.get("passes") + bench.get("starved"), 1);
            passes += bench.get("passes");
            if take && bench.get("out_valid") == 1 {
                let (since, expected) = under_way.pop_front().expect("no result is due");
                assert_eq!(bench.bytes("out_state"), expected, "state {done}");
                if done == 0 {
                    first = bench.cycles();
                    assert!(takes < 1.0 || first - since <= latency);
                }
                done += 1;
                if takes == 1.0 && done == count {
                    // One behind the other through every frame, at the core's own rate.
                    let rate = (bench.cycles() - first) as f64 / (count - 1) as f64;
                    assert!(rate < 1.1 * (82 * turn) as f64, "{rate} cycles a hash");
                }
            }
            if bench.get("in_ready") == 1
                && let Some(mut state) = offered.take()
            {
                permute_plain(parameters, &mut state);
                under_way.push_back((bench.cycles(), packed(&state, 0)));
            }
            bench.model.rise();
        }
        if abandoned.is_none() {
            // Whole turns: the last result leaves before the end of its own.
            let exact = (count * 82 * turn) as u64;
            assert!(
                (exact - turn as u64..=exact).contains(&passes),
                "{passes} cycles of passes, {exact} expected"
            );
        }
    }
    assert!(BigUint::from(latency).bits() < 20, "an identification has place for it");
}
