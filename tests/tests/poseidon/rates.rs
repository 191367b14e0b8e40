//! How long a hash takes, and how many there are in what time.

use crate::bench::{Core, Design, bytes, deep, fast, padded, permuted, random};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use spandrel_hdl::datapath::DatapathConfig;
use spandrel_sim::testbench::{Stalls, Testbench};

fn designs() -> Vec<Design> {
    let shapes: [(usize, usize, DatapathConfig); 5] =
        [(2, 3, fast()), (3, 1, fast()), (3, 2, fast()), (5, 1, fast()), (3, 1, deep())];
    shapes.iter().map(|(width, lanes, config)| Design::new(*width, *lanes, config)).collect()
}

#[test]
fn a_lone_state_takes_the_latency() {
    for design in designs() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut core = Core::unstalled(&design);
        core.bench.run_until(design.flush_cycles as u64 + 1, |bench| {
            bench.model.settle();
            bench.get("in_ready") == 1
        });
        // The slot that is at the head when the state comes out of the queue does not matter.
        for pause in [0, 1, 7] {
            core.bench.run(pause);
            let states = random(&mut rng, design.width, 1);
            core.push(&states);
            let taken = core.bench.cycles();
            core.run(1);
            // The result is taken in the cycle in which it is there first.
            assert_eq!(core.bench.cycles() - 1 - taken, design.latency as u64, "{} lanes", design.lanes);
            core.check(&states);
        }
    }
}

/// In any number of whole turns of full lanes, exactly their hashes: not one slot is lost.
#[test]
fn full_lanes_give_a_hash_every_pass() {
    for design in designs() {
        let turn = design.lanes * design.slots;
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        // As much as fits between the ends, so that a turn later slots are full again.
        let states = random(&mut rng, design.width, 5 * turn);
        let mut core = Core::unstalled(&design);
        core.push(&states);
        core.run(turn);
        let (start, starved) = (core.bench.cycles(), core.starved);
        core.run(4 * turn);
        let cycles = core.bench.cycles() - start;
        assert_eq!(cycles, (3 * design.passes * design.slots) as u64, "{} lanes", design.lanes);
        assert_eq!(core.starved, starved, "lanes starve though states wait");
        core.run(5 * turn);
        core.check(&states);
    }
}

/// What a stalled output holds up is held in full, and nothing of it is lost.
#[test]
fn a_core_takes_what_it_has_room_for() {
    for design in designs() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let slots = design.lanes * design.slots;
        let states = random(&mut rng, design.width, slots + 400);
        let mut bench = Testbench::new(design.model());
        let source = bench.source("in", Stalls::none());
        bench.set("out_ready", 0);
        bench.reset(1);
        states.iter().for_each(|state| bench.push(source, bytes(state)));
        // All that it takes goes through the lanes, turn by turn.
        bench.run((design.latency * (3 + 70 / slots)) as u64);
        assert_eq!((bench.get("in_ready"), bench.get("out_valid"), bench.get("passes")), (0, 1, 0));
        // More than what lanes hold, which so may run full though the output is slow for a while.
        let taken = states.len() - bench.pending(source);
        assert!((slots + 64..slots + 300).contains(&taken), "{taken} for {slots} slots");
        let sink = bench.sink("out", Stalls::none());
        bench.run_until(design.bound(states.len()), |bench| bench.received(sink).len() == states.len());
        let expected: Vec<Vec<u8>> = states.iter().map(|state| padded(&permuted(state))).collect();
        assert!(bench.take(sink) == expected, "a state was lost, changed or moved");
    }
}
