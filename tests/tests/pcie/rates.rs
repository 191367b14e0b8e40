//! How fast data move, and how long they are on their way.

use super::bench::{BASE, Bench, WriteBurst};
use rand::Rng;

/// Bytes per cycle of long reads, with completions of at most `completion` bytes from a host that answers at once.
fn read_rate(wide: bool, completion: u32) -> f64 {
    let mut bench = Bench::new(wide, 60, 0);
    bench.largest_completion = completion;
    bench.max_latency = 0;
    bench.in_order = true;
    for index in 0..40 {
        bench.read(BASE + index * 2048, 64);
    }
    bench.run_until(20_000, |bench| bench.beats.len() == 40 * 64);
    // From the first beat to the last: what is not latency.
    let (first, last) = (bench.beats[0].0, bench.beats[40 * 64 - 1].0);
    32.0 * (40 * 64 - 1) as f64 / (last - first) as f64
}

/// Bytes per cycle of long writes with a largest payload of 128 bytes shifted by `payload`.
fn write_rate(wide: bool, payload: u64) -> f64 {
    let mut bench = Bench::new(wide, 61, 0);
    bench.set("cfg_max_payload", payload);
    for index in 0..40 {
        let beats: Vec<[u8; 32]> = (0..64).map(|_| bench.random.r#gen()).collect();
        let blank = vec![false; beats.len()];
        bench.write(&WriteBurst { address: BASE + index * 2048, beats, blank });
    }
    bench.run_until(20_000, |bench| bench.answers.len() == 40);
    let (first, last) = (bench.answers[0].0, bench.answers[39].0);
    2048.0 * 39.0 / (last - first) as f64
}

#[test]
fn reads_and_writes_are_nearly_as_fast_as_the_bus() {
    for wide in [false, true] {
        for (completion, least) in [(512, 0.90), (256, 0.85), (128, 0.75), (64, 0.60)] {
            let rate = read_rate(wide, completion);
            println!("wide {wide}: reads, completions of {completion} bytes: {rate:.2} bytes a cycle");
            assert!(rate / 32.0 >= least, "{rate} bytes a cycle");
        }
        for (payload, least) in [(3, 0.90), (2, 0.90), (1, 0.85), (0, 0.75)] {
            let rate = write_rate(wide, payload);
            println!("wide {wide}: writes, payloads of {} bytes: {rate:.2} bytes a cycle", 128 << payload);
            assert!(rate / 32.0 >= least, "{rate} bytes a cycle");
        }
    }
}

#[test]
fn requests_and_data_are_on_their_way_as_long_as_stated() {
    for (wide, to_request, to_data) in [(false, 3, 4), (true, 3, 4)] {
        let mut bench = Bench::new(wide, 62, 0);
        bench.max_latency = 0;
        bench.read(BASE, 2);
        let start = bench.cycles();
        bench.run_until(100, |bench| !bench.requests.is_empty());
        let request = bench.requests[0].0 - start;
        bench.run_until(100, |bench| bench.rc_packets == 1);
        let arrived = bench.cycles() - 1;
        bench.run_until(100, |bench| !bench.beats.is_empty());
        let data = bench.beats[0].0 - arrived;
        println!("wide {wide}: {request} cycles from AR to RQ, {data} from RC to R");
        assert_eq!((request, data), (to_request, to_data));
    }
}
