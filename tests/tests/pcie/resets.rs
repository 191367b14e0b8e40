//! Function-level reset.

use super::bench::{Answer, BASE, Bench, TIMEOUT};
use super::packets::{HostRequest, READ};
use super::reads::burst;
use super::writes::random_burst;
use rand::Rng;
use spandrel_abi::LINK_OTHER_FAULTS;

/// A reset among reads, writes and messages. The card's part in it, to end what it has begun, is played here: it asks
/// for no more, and is in reset until all is answered.
fn reset_under_traffic(wide: bool, seed: u64) {
    let mut bench = Bench::new(wide, 50 + seed, 30);
    bench.set("cfg_interrupt_msix_enable", 1);
    bench.bar_write(0x2000, 0xfee0_0000);
    bench.bar_write(0x2008, 0x1234);
    bench.send(&HostRequest::new(READ, 0, 64));
    bench.bar_write(0x200c, 0);
    // One request in four is never answered.
    let mut index = 0;
    bench.policy = Box::new(move |_| {
        index += 1;
        if index % 4 == 0 { Answer::Silence } else { Answer::Data }
    });
    let (mut beats, mut writes) = (0, 0);
    for _ in 0..10 {
        let (address, length) = burst(&mut bench);
        bench.read(address, length);
        beats += length as usize;
        let burst = random_burst(&mut bench);
        bench.write(&burst);
        writes += 1;
    }
    let wait = bench.random.gen_range(0..400);
    bench.run(wait);
    bench.set("interrupt_events", 2);
    bench.cycle();
    bench.set("interrupt_events", 0);
    bench.set("cfg_flr_in_process", 1);
    bench.run_until(10, |bench| bench.get("reset_request") == 1);
    bench.cycle();
    bench.set("resetting", 1);
    // The hard block resets the configuration space, so the card is no bus master.
    bench.set("cfg_function_status", 0);
    bench.run(3);
    assert_eq!(bench.get("reset_request"), 0);
    assert_eq!(bench.bar_read(0x14), bench.registers[5], "accesses are answered during a reset");
    bench.run_until(20 * TIMEOUT, |bench| {
        assert_eq!(bench.get("cfg_flr_done"), 0, "the reset cannot be done yet");
        bench.beats.len() == beats && bench.answers.len() == writes
    });
    let mut pulses = 0;
    bench.set("resetting", 0);
    for _ in 0..30 {
        bench.cycle();
        pulses += bench.get("cfg_flr_done");
    }
    assert_eq!(pulses, 1, "done for one cycle");
    bench.set("cfg_flr_in_process", 0);
    bench.set("cfg_function_status", 7);
    assert_eq!(bench.bar_read(0x2000), 0);
    assert_eq!(bench.bar_read(0x2008), 0);
    assert_eq!(bench.bar_read(0x200c), 1);
    assert_eq!(bench.bar_read(0x3000), 0);
    assert_eq!(bench.bar_read(0x1004), 0);
    assert_eq!(bench.bar_read(LINK_OTHER_FAULTS.offset.into()) >> 16, 0);
    // It works as after power-on.
    bench.policy = Box::new(|_| Answer::Data);
    bench.beats.clear();
    bench.read(BASE, 64);
    bench.run_until(2_000, |bench| bench.beats.len() == 64);
    let data: Vec<u8> = bench.beats.iter().flat_map(|(_, beat)| beat.data.clone()).collect();
    assert_eq!(data, bench.memory[..2048]);
}

#[test]
fn a_function_level_reset_ends_what_was_begun_and_clears_the_registers() {
    for wide in [false, true] {
        for seed in 0..4 {
            reset_under_traffic(wide, seed);
        }
    }
}
