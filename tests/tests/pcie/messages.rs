//! MSI-X: table, pending bits, messages, and their place among the writes.

use super::bench::Bench;
use super::packets::{CardRequest, HostRequest, WRITE};
use super::writes::random_burst;
use rand::Rng;

const TABLE: u64 = 0x2000;
const PENDING: u64 = 0x3000;

/// Programs and unmasks a vector.
fn program(bench: &mut Bench, vector: u64, address: u64, data: u32) {
    let entry = TABLE + vector * 16;
    bench.bar_write(entry, address as u32);
    bench.bar_write(entry + 4, (address >> 32) as u32);
    bench.bar_write(entry + 8, data);
    bench.bar_write(entry + 12, 0);
}

fn message(address: u64, data: u32) -> CardRequest {
    CardRequest { write: true, address, dwords: 1, tag: 0, data: vec![data] }
}

fn raise(bench: &mut Bench, causes: u64) {
    bench.set("interrupt_events", causes);
    bench.cycle();
    bench.set("interrupt_events", 0);
}

const FIRST: u64 = 0xfee0_1000;
const SECOND: u64 = 0x12_fee0_2004;

fn programmed(wide: bool, seed: u64, percent: u8) -> Bench {
    let mut bench = Bench::new(wide, seed, percent);
    program(&mut bench, 0, FIRST, 0x4021);
    program(&mut bench, 1, SECOND, 0xffff_4022);
    bench.set("cfg_interrupt_msix_enable", 1);
    bench
}

#[test]
fn the_table_keeps_what_is_written_to_its_bytes() {
    let mut bench = Bench::new(false, 40, 20);
    let mut table = [0u32, 0, 0, 1, 0, 0, 0, 1];
    for word in 0..8 {
        assert_eq!(bench.bar_read(TABLE + word * 4), table[word as usize]);
    }
    for _ in 0..100 {
        let (word, first_be, value) =
            (bench.random.gen_range(0..8u64), bench.random.gen_range(0..16u8), bench.random.r#gen::<u32>());
        let mask: u32 = (0..4).map(|byte| u32::from(first_be >> byte & 1) * (0xff << (byte * 8))).sum();
        let request =
            HostRequest { first_be, data: vec![value], ..HostRequest::new(WRITE, TABLE + word * 4, 4) };
        bench.send(&request);
        let exist = [!3, !0, !0, 1][word as usize % 4];
        let entry = &mut table[word as usize];
        *entry = (*entry & !mask | value & mask) & exist;
        assert_eq!(bench.bar_read(TABLE + word * 4), table[word as usize]);
    }
    // The pending bits are not written.
    bench.bar_write(PENDING, 3);
    assert_eq!(bench.bar_read(PENDING), 0);
}

#[test]
fn a_cause_becomes_a_message() {
    for wide in [false, true] {
        let mut bench = programmed(wide, 41, 30);
        for (causes, wanted) in [
            (1, vec![message(FIRST, 0x4021)]),
            (2, vec![message(SECOND, 0xffff_4022)]),
            (3, vec![message(FIRST, 0x4021), message(SECOND, 0xffff_4022)]),
        ] {
            bench.requests.clear();
            raise(&mut bench, causes);
            bench.run(300);
            assert!(bench.requests.iter().map(|(_, request)| request).eq(&wanted), "{:?}", bench.requests);
            assert_eq!(bench.bar_read(PENDING), 0);
        }
    }
}

#[test]
fn masked_causes_wait_in_the_pending_bits() {
    type Change = fn(&mut Bench);
    let cases: [(Change, Change); 4] = [
        (
            |bench| bench.set("cfg_interrupt_msix_enable", 0),
            |bench| bench.set("cfg_interrupt_msix_enable", 1),
        ),
        (|bench| bench.set("cfg_interrupt_msix_mask", 1), |bench| bench.set("cfg_interrupt_msix_mask", 0)),
        (|bench| bench.set("cfg_function_status", 3), |bench| bench.set("cfg_function_status", 7)),
        (
            |bench| {
                bench.bar_write(TABLE + 12, 1);
                bench.bar_write(TABLE + 28, 1);
            },
            |bench| {
                bench.bar_write(TABLE + 12, 0);
                bench.bar_write(TABLE + 28, 0);
            },
        ),
    ];
    for wide in [false, true] {
        for (mask, unmask) in cases {
            let mut bench = programmed(wide, 42, 20);
            mask(&mut bench);
            raise(&mut bench, 2);
            raise(&mut bench, 2);
            bench.run(100);
            assert_eq!(bench.bar_read(PENDING), 2);
            raise(&mut bench, 1);
            assert_eq!(bench.bar_read(PENDING), 3);
            assert!(bench.requests.is_empty());
            unmask(&mut bench);
            bench.run(300);
            let mut sent: Vec<_> = bench.requests.iter().map(|(_, request)| request.clone()).collect();
            sent.sort_by_key(|request| request.address);
            assert_eq!(sent, [message(FIRST, 0x4021), message(SECOND, 0xffff_4022)]);
            assert_eq!(bench.bar_read(PENDING), 0);
        }
    }
}

#[test]
fn a_message_passes_no_write_accepted_before_it() {
    for wide in [false, true] {
        let mut bench = programmed(wide, 43, 40);
        for _ in 0..40 {
            bench.requests.clear();
            let bursts: Vec<_> = (0..4).map(|_| random_burst(&mut bench)).collect();
            bursts.iter().for_each(|burst| bench.write(burst));
            let taken = bench.aw_taken;
            let behind = bench.random.gen_range(1..4);
            bench.run_until(20_000, |bench| bench.aw_taken == taken + behind);
            let accepted = bursts[..behind as usize].iter();
            let packets: usize = accepted.map(|burst| burst.beats.len().div_ceil(16)).sum();
            raise(&mut bench, 1);
            let wanted: usize = bursts.iter().map(|burst| burst.beats.len().div_ceil(16)).sum::<usize>() + 1;
            bench.run_until(20_000, |bench| bench.requests.len() == wanted);
            let place = bench.requests.iter().position(|(_, request)| *request == message(FIRST, 0x4021));
            let place = place.unwrap();
            assert!(place >= packets, "the message is packet {place}, and {packets} were before it");
            bench.run(50);
        }
    }
}

#[test]
fn a_message_leaves_in_the_stated_time() {
    for (wide, stated) in [(false, 4), (true, 4)] {
        let mut bench = programmed(wide, 44, 0);
        bench.run(20);
        let start = bench.cycles();
        raise(&mut bench, 1);
        bench.run_until(100, |bench| !bench.requests.is_empty());
        println!("{} cycles from cause to RQ", bench.requests[0].0 - start);
        assert_eq!(bench.requests[0].0 - start, stated);
    }
}
