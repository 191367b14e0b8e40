//! RustHDL's own simulation of a core, which interprets the pipelines, against the Verilated one.

use crate::bench::{bytes, fast, random};
use num_bigint::BigUint;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::{Block, simulate};
use spandrel_hdl::emit::emit;
use spandrel_hdl::poseidon::PoseidonCore;
use spandrel_sim::testbench::Testbench;

#[test]
fn rusthdl_and_verilator_agree_cycle_by_cycle() {
    let mut block = PoseidonCore::new(2, 2, &fast());
    block.connect_all();
    let mut model = Testbench::build(&emit(&block, "poseidon_core").unwrap());
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let states = random(&mut rng, 2, 200);
    let cycles = 2 * block.latency() as u32 + 60;
    let (mut next, mut given) = (0, 0);
    for cycle in 0..cycles {
        // Again in the middle, a few cycles before the first results of before it.
        let reset = cycle < 2 || cycle == block.latency() as u32 - 3;
        let (valid, ready) = (rng.gen_bool(0.8), rng.gen_bool(0.7));
        let state = bytes(&states[next]);
        for (name, value) in [("reset", reset), ("in_valid", valid), ("out_ready", ready)] {
            model.set(name, value.into());
        }
        model.set_bytes("in_state", &state);
        model.model.settle();

        block.reset.next = reset;
        block.in_valid.next = valid;
        block.in_state.next = BigUint::from_bytes_le(&state).into();
        block.out_ready.next = ready;
        block.clock.next = false.into();
        assert!(simulate(&mut block, 100), "the block does not settle");

        for (name, value) in [("in_ready", block.in_ready.val()), ("out_valid", block.out_valid.val())] {
            assert_eq!(model.get(name), u64::from(value), "{name}, cycle {cycle}");
        }
        // Before the first reset has gone through, lanes hold whatever they came up with.
        if cycle > 0 {
            for (name, value) in [("passes", block.passes.val()), ("starved", block.starved.val())] {
                assert_eq!(model.get(name), u64::from(value), "{name}, cycle {cycle}");
            }
        }
        if block.out_valid.val() {
            let result: BigUint = block.out_state.val().into();
            assert_eq!(BigUint::from_bytes_le(&model.bytes("out_state")), result, "cycle {cycle}");
            given += usize::from(ready);
        }
        next += usize::from(valid && block.in_ready.val());
        block.clock.next = true.into();
        assert!(simulate(&mut block, 100), "the block does not settle");
        model.model.rise();
    }
    assert!(next > 40 && given > 5, "{next} states went in, {given} came out");
}
