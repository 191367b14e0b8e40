//! Flags and points of a bank under random traffic, Verilated and in RustHDL's simulation, against a map.

use num_bigint::BigUint;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::{Block, ToBits, simulate};
use spandrel_hdl::emit::emit;
use spandrel_hdl::msm::{Bank, PointStore};
use spandrel_sim::testbench::Testbench;
use std::collections::HashMap;

const DEPTH: u64 = 11;
const PORTS: [&str; 2] = ["a", "b"];

/// What a port does in one cycle with the slot it named in the cycle before.
#[derive(Clone, Copy, PartialEq)]
enum Action {
    Nothing,
    Park(u64),
    Take,
}

#[test]
fn a_bank_keeps_and_returns_every_point() {
    let mut block = Bank::new(DEPTH as usize, &PointStore::projective());
    block.connect_all();
    let emitted = emit(&block, "bank").unwrap_or_else(|error| panic!("{error}"));
    let mut bench = Testbench::build(&emitted);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut slots: HashMap<u64, u64> = HashMap::new();
    let mut named = [0, 1];
    let mut taken: [Option<u64>; 2] = [None, None];
    let mut matched = 0;
    for cycle in 0..6_000u64 {
        let clearing = cycle < DEPTH;
        // Few slots, so that a slot is used again in the very next cycle; never the same one by both ports.
        let mut next = [0, 1].map(|_| rng.gen_range(0..DEPTH));
        if next[0] == next[1] {
            next[1] = (next[0] + 1) % DEPTH;
        }
        let actions = [0, 1].map(|port| match slots.get(&named[port]) {
            _ if clearing || cycle == DEPTH || rng.gen_bool(0.2) => Action::Nothing,
            Some(_) => Action::Take,
            None => Action::Park(rng.r#gen()),
        });
        bench.set("clear", clearing.into());
        bench.set("clear_index", cycle % DEPTH);
        block.clear.next = clearing;
        block.clear_index.next = (cycle % DEPTH).to_bits();
        for (port, name) in PORTS.iter().enumerate() {
            bench.set(&format!("{name}_index"), next[port]);
            bench.set(&format!("{name}_park"), matches!(actions[port], Action::Park(_)).into());
            bench.set(&format!("{name}_take"), (actions[port] == Action::Take).into());
            let data = if let Action::Park(data) = actions[port] { data } else { 0xbad };
            bench.set(&format!("{name}_data"), data);
        }
        let parks = actions.map(|action| matches!(action, Action::Park(_)));
        let takes = actions.map(|action| action == Action::Take);
        let data = actions.map(|action| if let Action::Park(data) = action { data } else { 0xbad });
        (block.a_index.next, block.b_index.next) = (next[0].to_bits(), next[1].to_bits());
        (block.a_park.next, block.b_park.next) = (parks[0], parks[1]);
        (block.a_take.next, block.b_take.next) = (takes[0], takes[1]);
        (block.a_data.next, block.b_data.next) = (data[0].to_bits(), data[1].to_bits());
        block.clock.next = false.into();
        assert!(simulate(&mut block, 50));
        bench.model.settle();

        if cycle > DEPTH {
            let rusthdl_full = [block.a_full.val(), block.b_full.val()];
            let rusthdl_read: [BigUint; 2] = [block.a_read.val().into(), block.b_read.val().into()];
            for (port, name) in PORTS.iter().enumerate() {
                let full = slots.contains_key(&named[port]);
                assert_eq!(
                    bench.get(&format!("{name}_full")) == 1,
                    full,
                    "{name}, slot {}, cycle {cycle}",
                    named[port]
                );
                assert_eq!(rusthdl_full[port], full, "RustHDL, {name}, cycle {cycle}");
                if let Some(value) = taken[port] {
                    let read = BigUint::from_bytes_le(&bench.bytes(&format!("{name}_read")));
                    assert_eq!(read, BigUint::from(value), "{name}, cycle {cycle}");
                    assert_eq!(rusthdl_read[port], BigUint::from(value), "RustHDL, {name}, cycle {cycle}");
                    matched += 1;
                }
            }
        }
        for port in [0, 1] {
            taken[port] = None;
            match actions[port] {
                Action::Nothing => {}
                Action::Park(data) => assert!(slots.insert(named[port], data).is_none()),
                Action::Take => taken[port] = slots.remove(&named[port]),
            }
        }
        named = next;
        bench.model.rise();
        block.clock.next = true.into();
        assert!(simulate(&mut block, 50));
    }
    assert!(matched > 2_000, "only {matched} points came back");
}
