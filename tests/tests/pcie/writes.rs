//! The card writes the host's memory.

use super::bench::{BASE, Bench, MEMORY, WriteBurst};
use super::reads::burst;
use rand::Rng;

/// A burst of random data for a random place.
pub fn random_burst(bench: &mut Bench) -> WriteBurst {
    let (address, beats) = burst(bench);
    let beats: Vec<[u8; 32]> = (0..beats).map(|_| bench.random.r#gen()).collect();
    let blank = vec![false; beats.len()];
    WriteBurst { address, beats, blank }
}

/// What the burst makes of the memory.
fn apply(memory: &mut [u8], burst: &WriteBurst) {
    let start = (burst.address - BASE) as usize;
    memory[start..start + burst.beats.len() * 32].copy_from_slice(&burst.beats.concat());
}

#[test]
fn bursts_arrive_whole_and_in_order() {
    for wide in [false, true] {
        for seed in 0..6u64 {
            let mut bench = Bench::new(wide, 20 + seed, [0, 20, 60][seed as usize % 3]);
            let payload = seed % 4;
            bench.set("cfg_max_payload", payload);
            let mut memory = bench.memory.clone();
            let bursts: Vec<_> = (0..100).map(|_| random_burst(&mut bench)).collect();
            let mut packets = 0;
            for burst in &bursts {
                apply(&mut memory, burst);
                bench.write(burst);
                packets += burst.beats.len().div_ceil(4 << payload);
            }
            bench.run_until(200_000, |bench| bench.answers.len() == bursts.len());
            assert!(bench.answers.iter().all(|(_, response)| *response == 0));
            assert_eq!(bench.memory, memory);
            assert_eq!(bench.requests.len(), packets);
            bench.run(20);
            assert_eq!(bench.get("busy"), 0);
        }
    }
}

#[test]
fn a_burst_is_answered_only_when_its_last_packet_has_left() {
    for wide in [false, true] {
        let mut bench = Bench::new(wide, 30, 50);
        let bursts: Vec<_> = (0..60).map(|_| random_burst(&mut bench)).collect();
        let mut packets = vec![];
        for burst in &bursts {
            bench.write(burst);
            packets.push(packets.last().unwrap_or(&0) + burst.beats.len().div_ceil(16));
        }
        bench.run_until(100_000, |bench| {
            let answered = bench.answers.len();
            assert!(answered == 0 || bench.requests.len() >= packets[answered - 1]);
            answered == bursts.len()
        });
    }
}

#[test]
fn beats_without_strobes_are_not_sent() {
    for wide in [false, true] {
        let mut bench = Bench::new(wide, 31, 30);
        bench.set("cfg_max_payload", 0);
        let mut memory = bench.memory.clone();
        let mut bursts = vec![];
        for index in 0..60 {
            let mut burst = random_burst(&mut bench);
            if index % 3 == 1 {
                // As after an abort: from some beat on.
                let from = bench.random.gen_range(0..burst.beats.len());
                burst.blank[from..].fill(true);
                let whole = from / 4 * 4;
                let kept = WriteBurst {
                    address: burst.address,
                    beats: burst.beats[..whole].to_vec(),
                    blank: vec![false; whole],
                };
                apply(&mut memory, &kept);
            } else {
                apply(&mut memory, &burst);
            }
            bursts.push(burst);
        }
        bursts.iter().for_each(|burst| bench.write(burst));
        bench.run_until(100_000, |bench| bench.answers.len() == bursts.len());
        assert!(bench.answers.iter().all(|(_, response)| *response == 0));
        assert_eq!(bench.memory, memory);
    }
}

#[test]
fn without_bus_mastering_writes_fail_and_nothing_leaves() {
    for wide in [false, true] {
        let mut bench = Bench::new(wide, 32, 20);
        bench.set("cfg_function_status", 3);
        let memory = bench.memory.clone();
        for _ in 0..10 {
            let burst = random_burst(&mut bench);
            bench.write(&burst);
        }
        bench.run_until(20_000, |bench| bench.answers.len() == 10);
        assert!(bench.answers.iter().all(|(_, response)| *response == 2));
        assert!(bench.requests.is_empty() && bench.memory == memory);
        bench.set("cfg_function_status", 7);
        let burst = random_burst(&mut bench);
        bench.write(&burst);
        bench.run_until(2_000, |bench| bench.answers.len() == 11);
        assert_eq!(bench.answers[10].1, 0);
        let start = (burst.address - BASE) as usize;
        assert_eq!(bench.memory[start..start + burst.beats.len() * 32], burst.beats.concat());
    }
}

#[test]
fn reads_and_writes_mix_without_mixing_up() {
    for wide in [false, true] {
        let mut bench = Bench::new(wide, 33, 30);
        // Reads from the low half, writes to the high one.
        let half = MEMORY as u64 / 2;
        let mut memory = bench.memory.clone();
        let mut wanted = vec![];
        let mut writes = 0;
        for _ in 0..100 {
            let (address, beats) = burst(&mut bench);
            let address = BASE + (address - BASE) % half;
            if bench.random.r#gen() {
                let start = (address - BASE) as usize;
                wanted.extend_from_slice(&bench.memory[start..start + beats as usize * 32]);
                bench.read(address, beats);
            } else {
                let beats: Vec<[u8; 32]> = (0..beats).map(|_| bench.random.r#gen()).collect();
                let blank = vec![false; beats.len()];
                let burst = WriteBurst { address: address + half, beats, blank };
                apply(&mut memory, &burst);
                bench.write(&burst);
                writes += 1;
            }
        }
        bench.run_until(100_000, |bench| {
            bench.answers.len() == writes && bench.beats.len() * 32 == wanted.len()
        });
        let data: Vec<u8> = bench.beats.iter().flat_map(|(_, beat)| beat.data.clone()).collect();
        assert!(data == wanted && bench.memory == memory);
    }
}
