//! The card reads the host's memory.

use super::bench::{Answer, BASE, Bench, Flaw, MEMORY, ReadBeat, TIMEOUT};
use super::packets::CardCompletion;
use rand::Rng;
use spandrel_abi::{LINK_OTHER_FAULTS, LINK_READ_FAULTS};

/// A random burst: aligned, within 4 KiB, at most 64 beats.
pub fn burst(bench: &mut Bench) -> (u64, u32) {
    let at = bench.random.gen_range(0..MEMORY as u64 / 32) * 32;
    let room = ((4096 - at % 4096) / 32).min(64) as u32;
    let beats = if bench.random.gen_ratio(1, 4) { room } else { bench.random.gen_range(1..=room) };
    (BASE + at, beats)
}

/// The beats of a burst without faults.
fn wanted(bench: &Bench, address: u64, beats: u32) -> Vec<ReadBeat> {
    let start = (address - BASE) as usize;
    let data = bench.memory[start..start + beats as usize * 32].chunks(32);
    let beat = |(index, data): (usize, &[u8])| ReadBeat {
        data: data.to_vec(),
        response: 0,
        cause: 0,
        last: index as u32 + 1 == beats,
    };
    data.enumerate().map(beat).collect()
}

fn counts(bench: &mut Bench) -> (u32, u32) {
    let read = bench.bar_read(LINK_READ_FAULTS.offset.into());
    let other = bench.bar_read(LINK_OTHER_FAULTS.offset.into());
    (read, other)
}

fn in_order(wide: bool, seed: u64, percent: u8) {
    let mut bench = Bench::new(wide, seed, percent);
    let read_size = bench.random.gen_range(0..6);
    bench.set("cfg_max_read_req", read_size);
    bench.boundary = if bench.random.r#gen() { 64 } else { 128 };
    bench.largest_completion = [128, 256, 512][bench.random.gen_range(0..3)];
    bench.max_latency = [0, 50, 600][bench.random.gen_range(0..3)];
    let bursts: Vec<_> = (0..120).map(|_| burst(&mut bench)).collect();
    let beats: Vec<_> = bursts.iter().flat_map(|(at, beats)| wanted(&bench, *at, *beats)).collect();
    bursts.iter().for_each(|(at, beats)| bench.read(*at, *beats));
    bench.run_until(200_000, |bench| bench.beats.len() == beats.len());
    for (index, ((_, got), wanted)) in bench.beats.iter().zip(&beats).enumerate() {
        assert_eq!(got, wanted, "beat {index}");
    }
    let largest = bench.requests.iter().map(|(_, request)| request.dwords * 4).max();
    assert_eq!(largest, Some((128 << read_size).min(512)));
    assert_eq!(counts(&mut bench), (0, 0));
    assert_eq!(bench.get("busy"), 0);
}

#[test]
fn data_come_in_order_whatever_the_order_of_the_completions() {
    for wide in [false, true] {
        for seed in 0..6 {
            in_order(wide, seed, [0, 20, 60][seed as usize % 3]);
        }
    }
}

/// Bursts of which every third request or so fails as the policy says, among others that do not.
fn failing(wide: bool, seed: u64, answer: Answer, cause: u64) -> (u64, (u32, u32)) {
    let mut bench = Bench::new(wide, seed, 25);
    bench.max_latency = 100;
    let mut index = 0u32;
    bench.policy = Box::new(move |_| {
        index += 1;
        if index % 3 == 1 { answer } else { Answer::Data }
    });
    let bursts: Vec<_> = (0..12).map(|_| burst(&mut bench)).collect();
    let beats: Vec<_> = bursts.iter().flat_map(|(at, beats)| wanted(&bench, *at, *beats)).collect();
    bursts.iter().for_each(|(at, beats)| bench.read(*at, *beats));
    bench.run_until(60_000, |bench| bench.beats.len() == beats.len());
    // Which request a beat belongs to.
    let owner = bench.requests.iter().enumerate();
    let owner: Vec<usize> =
        owner.flat_map(|(index, (_, request))| vec![index; request.dwords as usize / 8]).collect();
    let failed = bench.requests.len().div_ceil(3) as u64;
    for (index, ((_, got), wanted)) in bench.beats.iter().zip(&beats).enumerate() {
        assert_eq!(got.last, wanted.last);
        if owner[index].is_multiple_of(3) {
            assert_eq!((got.response, got.cause), (2, cause), "beat {index}");
        } else {
            assert_eq!(got, wanted, "beat {index}");
        }
    }
    // Whatever is late has come by now, and more reads are answered well.
    bench.run_until(10_000, |bench| bench.rc.is_empty());
    bench.run(4 * TIMEOUT);
    bench.policy = Box::new(|_| Answer::Data);
    bench.beats.clear();
    let (at, length) = burst(&mut bench);
    bench.read(at, length);
    let wanted = wanted(&bench, at, length);
    bench.run_until(10_000, |bench| bench.beats.len() == wanted.len());
    assert!(bench.beats.iter().map(|(_, beat)| beat).eq(&wanted));
    let counted = counts(&mut bench);
    (failed, counted)
}

#[test]
fn a_failed_request_says_why_and_does_no_harm_to_others() {
    let refused = |error, status| Answer::Refused { error, status };
    for wide in [false, true] {
        for (answer, cause, shift) in [
            (Answer::Silence, 1, 0),
            (refused(9, 0), 1, 0),
            (refused(2, 1), 2, 8),
            (refused(2, 2), 2, 8),
            (refused(0, 1), 2, 8),
            (refused(2, 4), 3, 16),
            (refused(8, 0), 3, 16),
            (Answer::Poisoned, 4, 24),
        ] {
            let (failed, (read, other)) = failing(wide, 7, answer, cause);
            assert_eq!(read, (failed.min(255) as u32) << shift, "{answer:?}");
            assert_eq!(other, 0, "{answer:?}");
        }
    }
}

#[test]
fn a_completion_that_does_not_fit_fails_its_request() {
    for wide in [false, true] {
        for flaw in Flaw::ALL {
            let (failed, (read, other)) = failing(wide, 8, Answer::Malformed(flaw), 5);
            assert_eq!(read, 0, "{flaw:?}");
            assert_eq!(other & 0xff, failed as u32, "{flaw:?}");
        }
    }
}

#[test]
fn late_completions_are_dropped_and_counted() {
    for wide in [false, true] {
        let (failed, (read, other)) = failing(wide, 9, Answer::Late(TIMEOUT + 300), 1);
        assert_eq!(read, failed as u32);
        // One and more for each request.
        assert!((failed as u32..256).contains(&(other >> 8)), "{other:#x}");
    }
}

#[test]
fn completions_of_nothing_are_dropped_and_counted() {
    for wide in [false, true] {
        let mut bench = Bench::new(wide, 10, 20);
        for tag in [0u8, 5, 31, 32, 255] {
            bench.rc.push_back(CardCompletion::without_data(tag, 0, 1));
            let data = CardCompletion {
                byte_count: 64,
                dwords: 16,
                data: vec![7; 16],
                ..CardCompletion::without_data(tag, 0, 0)
            };
            bench.rc.push_back(data);
            bench.rc.push_back(CardCompletion::without_data(tag, 6, 0));
        }
        bench.run_until(1_000, |bench| bench.rc.is_empty());
        bench.run(10);
        assert_eq!(counts(&mut bench), (0, 15 << 8));
    }
}

#[test]
fn completions_sent_twice_are_unexpected_the_second_time() {
    let mut bench = Bench::new(false, 11, 0);
    bench.policy = Box::new(|_| Answer::Silence);
    bench.read(BASE, 2);
    bench.run_until(100, |bench| !bench.requests.is_empty());
    let tag = bench.requests[0].1.tag;
    let refusal = CardCompletion::without_data(tag, 2, 1);
    bench.rc.extend([refusal.clone(), refusal.clone(), refusal]);
    bench.run_until(100, |bench| bench.beats.len() == 2);
    assert!(bench.beats.iter().all(|(_, beat)| beat.cause == 2));
    assert_eq!(counts(&mut bench), (1 << 8, 2 << 8));
}

#[test]
fn a_time_out_comes_when_it_was_said_to() {
    let mut bench = Bench::new(false, 12, 0);
    bench.policy = Box::new(|_| Answer::Silence);
    bench.read(BASE, 1);
    let start = bench.cycles();
    bench.run_until(2 * TIMEOUT, |bench| bench.beats.len() == 1);
    let cycles = bench.beats[0].0 - start;
    assert!((TIMEOUT..TIMEOUT + 40).contains(&cycles), "{cycles}");
}

#[test]
fn without_bus_mastering_reads_fail_at_once_and_nothing_is_asked_for() {
    for wide in [false, true] {
        let mut bench = Bench::new(wide, 13, 20);
        bench.set("cfg_function_status", 3);
        bench.read(BASE, 64);
        bench.read(BASE, 1);
        bench.run_until(500, |bench| bench.beats.len() == 65);
        assert!(bench.beats.iter().all(|(_, beat)| (beat.response, beat.cause) == (2, 6)));
        assert!(bench.beats[63].1.last && bench.beats[64].1.last);
        assert!(bench.requests.is_empty());
        bench.set("cfg_function_status", 7);
        bench.beats.clear();
        bench.read(BASE + 64, 3);
        let wanted = wanted(&bench, BASE + 64, 3);
        bench.run_until(1_000, |bench| bench.beats.len() == 3);
        assert!(bench.beats.iter().map(|(_, beat)| beat).eq(&wanted));
    }
}
