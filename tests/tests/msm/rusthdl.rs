//! RustHDL's own simulation of the engine, which interprets the pipelines, against the Verilated one.

use crate::engines::{Design, deep};
use crate::inputs::colliding_bases;
use ark_bn254::Fr;
use ark_bn254::g1::Config as Bn254;
use ark_ff::{Field, UniformRand};
use num_bigint::BigUint;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::{Block, ToBits, simulate};
use spandrel_abi::window_shares;
use spandrel_hdl::msm::MsmEngine;
use spandrel_sim::testbench::Testbench;
use spandrel_tests::reference::{bytes32, point_bytes, scalar_bytes};

#[test]
fn rusthdl_and_verilator_agree_cycle_by_cycle() {
    let Design { profile, emitted } = deep();
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let bases = colliding_bases::<Bn254>(&mut rng, 3);
    let scalars = [Fr::rand(&mut rng), Fr::ONE, -Fr::ONE];
    let (choice, cores) = (1, profile.msm.adders);
    let c = profile.msm.window_bits[choice];
    let beats = (0..cores).map(|core| 3 * c as usize * window_shares(c, cores, core).len()).sum::<usize>();
    let mut block = MsmEngine::new(profile);
    block.connect_all();
    let mut model = Testbench::build(emitted);
    let mut next = 0;
    let mut results = 0;
    let mut started = false;
    for cycle in 0..20_000 {
        let reset = cycle < 2;
        let idle = model.get("busy") == 0;
        let start = cycle > 2 && idle && !started;
        started |= start;
        let offered = next < scalars.len() && rng.gen_bool(0.7);
        let (scalar, point) = match offered {
            true => (scalar_bytes(&scalars[next]), point_bytes(&bases[next])),
            false => ([0xa5; 32], [0xa5; 64]),
        };
        let ready = rng.gen_bool(0.8);

        for (name, value) in [("reset", reset), ("start", start), ("result_ready", ready)] {
            model.set(name, value.into());
        }
        model.set("count", scalars.len() as u64);
        model.set("window_choice", choice as u64);
        model.set("scalar_valid", offered.into());
        model.set("point_valid", offered.into());
        model.set_bytes("scalar_data", &scalar);
        model.set_bytes("point_data", &point);
        model.model.settle();

        block.reset.next = reset;
        block.start.next = start;
        block.count.next = scalars.len().to_bits();
        block.window_choice.next = choice.to_bits();
        block.result_ready.next = ready;
        block.scalar_valid.next = offered;
        block.point_valid.next = offered;
        block.scalar_data.next = BigUint::from_bytes_le(&scalar).into();
        block.point_data.next = BigUint::from_bytes_le(&point).into();
        block.clock.next = false.into();
        assert!(simulate(&mut block, 1000), "RustHDL's simulation does not settle in cycle {cycle}");

        let same = |name: &str, value: u64| assert_eq!(model.get(name), value, "{name}, cycle {cycle}");
        // Before the reset has reached every register, power-on values may differ.
        if cycle > 2 {
            same("busy", block.busy.val().into());
            same("scalar_ready", block.scalar_ready.val().into());
            same("point_ready", block.point_ready.val().into());
            same("result_valid", block.result_valid.val().into());
            if started {
                same("additions", block.additions.val().to_u64());
                same("parked", block.parked.val().to_u64());
                same("idle_no_pair_cycles", block.idle_no_pair_cycles.val().to_u64());
            }
            if block.result_valid.val() {
                let value: BigUint = block.result_data.val().into();
                assert_eq!(model.bytes("result_data"), bytes32(&value), "result_data, cycle {cycle}");
            }
        }
        next += usize::from(offered && model.get("scalar_ready") == 1);
        results += usize::from(ready && model.get("result_valid") == 1);

        model.model.rise();
        block.clock.next = true.into();
        assert!(simulate(&mut block, 1000), "RustHDL's simulation does not settle in cycle {cycle}");
        if started && results == beats {
            return;
        }
    }
    panic!("the job did not end: {results} beats");
}
