//! Memory on the chip, against a model of what it promises.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::Block;
use spandrel_hdl::axi::AxiMemory;
use spandrel_hdl::emit::emit;
use spandrel_sim::testbench::Testbench;

const BYTES: u64 = 64 << 10;

/// Random bursts with random byte strobes and stalls, some of them beyond the end.
#[test]
fn memory_keeps_what_is_written() {
    let mut memory = AxiMemory::new((BYTES >> 10) as u32);
    memory.connect_all();
    let mut bench = Testbench::build(&emit(&memory, "axi_memory").unwrap());
    bench.reset(3);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut expected = vec![0u8; BYTES as usize];
    for round in 0..400 {
        let beats = rng.gen_range(1..=64u64);
        let beyond = round % 10 == 9;
        let page = if beyond { BYTES / 4096 + rng.gen_range(0..1 << 20) } else { rng.gen_range(0..4) };
        let address = 4096 * page + 64 * rng.gen_range(0..=64 - beats);
        let writes = rng.r#gen::<bool>();
        let stalls = round % 3 != 0;
        let channel = if writes { "aw" } else { "ar" };
        bench.set(&format!("{channel}addr"), address);
        bench.set(&format!("{channel}len"), beats - 1);
        bench.set(&format!("{channel}valid"), 1);
        bench.model.settle();
        assert_eq!(bench.get(&format!("{channel}ready")), 1, "one burst at a time, and none is under way");
        bench.model.rise();
        bench.set(&format!("{channel}valid"), 0);
        let (mut beat, mut cycles, mut held) = (0, 0, None);
        while beat < beats {
            cycles += 1;
            assert!(cycles < 2000, "round {round} does not end");
            let go = !stalls || rng.r#gen::<bool>();
            let at = (address + 64 * beat) as usize;
            if writes {
                let data: Vec<u8> = (0..64).map(|_| rng.r#gen()).collect();
                let strobes = [u64::MAX, 0, rng.r#gen()][rng.gen_range(0..3)];
                bench.set_bytes("wdata", &data);
                bench.set("wstrb", strobes);
                bench.set("wvalid", go.into());
                bench.model.settle();
                if go && bench.get("wready") == 1 {
                    for lane in (0..64).filter(|lane| !beyond && strobes >> lane & 1 == 1) {
                        expected[at + lane] = data[lane];
                    }
                    beat += 1;
                }
            } else {
                bench.set("rready", go.into());
                bench.model.settle();
                if bench.get("rvalid") == 1 {
                    let seen = (bench.bytes("rdata"), bench.get("rresp"), bench.get("rlast"));
                    assert!(held.is_none_or(|held| held == seen), "what was offered has changed");
                    if !beyond {
                        assert_eq!(seen.0, expected[at..at + 64], "round {round} beat {beat}");
                    }
                    assert_eq!(seen.1, if beyond { 2 } else { 0 });
                    assert_eq!(seen.2 == 1, beat + 1 == beats);
                    beat += u64::from(go);
                    held = (!go).then_some(seen);
                } else {
                    assert!(held.is_none(), "it was offered and is gone");
                }
            }
            bench.model.rise();
        }
        assert!(stalls || cycles <= beats + 5, "{beats} beats took {cycles} cycles");
        bench.set("wvalid", 0);
        bench.set("rready", 0);
        if writes {
            bench.model.settle();
            assert_eq!((bench.get("bvalid"), bench.get("bresp")), (1, if beyond { 2 } else { 0 }));
            bench.model.clock_cycle();
            bench.set("bready", 1);
            bench.model.clock_cycle();
            bench.set("bready", 0);
        }
        bench.model.clock_cycle();
    }
}
