//! The shell alone.

use super::bench::{ATTEMPTS, Access, Bench, DIVISOR, TIMEOUT};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use spandrel_abi::*;
use spandrel_sim::serial::LineFaults;

/// Registers and memory at once, each access seen exactly once and in order, on a clean line and on one that damages,
/// loses, invents and delays a byte in a hundred each.
#[test]
fn no_access_is_lost_or_done_twice() {
    for (seed, millionths) in [(1, 0), (2, 3_000), (3, 10_000)] {
        let mut bench = Bench::new(seed, LineFaults::all(millionths));
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        bench.ask(SERIAL_HELLO, 0, 0);
        let mut asked = Vec::new();
        for _ in 0..60 {
            let (address, data, strobes) = (4 * rng.gen_range(0..1024), rng.r#gen::<u32>(), rng.gen_range(1..16));
            let write = rng.r#gen::<bool>();
            asked.push((write, address, data, strobes));
            match write {
                true => bench.ask(SERIAL_WRITE, address | strobes << 12, data),
                false => bench.ask(SERIAL_READ, address, 0),
            }
        }
        let (mut read, mut written) = (Vec::new(), Vec::new());
        for index in 0..30u64 {
            let beats = if index == 7 && millionths < 10_000 { 64 } else { rng.gen_range(1..4) };
            let data: Vec<u8> = (0..32 * beats).map(|_| rng.r#gen()).collect();
            // Of flags and escapes, too.
            let data: Vec<u8> = if index % 5 == 0 { data.iter().map(|byte| byte & 3 | 0x7c).collect() } else { data };
            let address = 0xfedc_ba98_0000_0000 + 4096 * index;
            match index % 2 {
                0 => {
                    data.chunks(32).zip(0..).for_each(|(beat, at)| {
                        bench.memory.insert(address + 32 * at, beat.to_vec());
                    });
                    bench.read(address, beats);
                    read.push(data);
                }
                _ => {
                    bench.write(address, data.clone(), false);
                    written.push((address, data));
                }
            }
        }
        bench.run(40_000_000);
        assert_eq!(bench.replies.len(), 61);
        assert_eq!(bench.replies[0], (SERIAL_DONE, SERIAL_HELLO_VALUE));
        assert_eq!(bench.accesses.len(), asked.len(), "{} resent", bench.resent);
        for (((write, address, data, strobes), access), reply) in
            asked.iter().zip(&bench.accesses).zip(&bench.replies[1..])
        {
            let address = u64::from(*address);
            let expected = match access {
                Access::Read { value, .. } => (Access::Read { address, value: *value }, *value as u32),
                Access::Write { .. } => {
                    (Access::Write { address, data: u64::from(*data), strobes: u64::from(*strobes) }, 0)
                }
            };
            assert_eq!(matches!(access, Access::Write { .. }), *write);
            assert_eq!((*access, *reply), (expected.0, (SERIAL_DONE, expected.1)));
        }
        assert!(bench.reads_ended().iter().zip(&read).all(|(ended, data)| {
            (ended.response, ended.cause) == (0, 0) && ended.data == *data
        }));
        assert_eq!((bench.reads_ended().len(), bench.writes_ended().len()), (read.len(), written.len()));
        assert!(bench.writes_ended().iter().all(|ended| ended.response == 0));
        for (address, data) in &written {
            for (beat, at) in data.chunks(32).zip(0..) {
                assert_eq!(bench.memory[&(address + 32 * at)], beat);
            }
        }
        assert_eq!(bench.served.len(), 30, "each request of the card is carried out once");
        assert_eq!(bench.fault_count > 0, millionths > 0);
        assert_eq!(bench.resent > 0, millionths > 0, "{} faults", bench.fault_count);
    }
}

/// A host that does not answer costs the card a bus error with its cause, and nothing else.
#[test]
fn a_silent_host_ends_in_bus_errors() {
    let mut bench = Bench::new(4, LineFaults::default());
    bench.silent = true;
    bench.read(0x1000, 3);
    bench.write(0x2000, vec![1; 64], false);
    bench.interrupt(2);
    bench.run(3 * u64::from(ATTEMPTS) * (u64::from(TIMEOUT) + 12_000));
    let timeout = u64::from(SERIAL_TIMEOUT_CAUSE);
    let ended = &bench.reads_ended()[0];
    assert_eq!((ended.response, ended.cause, ended.data.len()), (2, timeout, 96));
    assert_eq!(bench.writes_ended()[0].response, 2);

    bench.silent = false;
    bench.memory.insert(0x3000, vec![9; 32]);
    bench.read(0x3000, 1);
    bench.interrupt(1);
    bench.run(100_000);
    assert_eq!((bench.reads_ended()[1].response, &bench.reads_ended()[1].data), (0, &vec![9; 32]));
    assert_eq!(bench.events, 1, "what the silent host missed is forgotten");

    bench.refuse = 4;
    bench.read(0x4000, 2);
    bench.write(0x4000, vec![1; 32], false);
    bench.run(200_000);
    assert_eq!((bench.reads_ended()[2].response, bench.reads_ended()[2].cause), (2, 4));
    assert_eq!(bench.writes_ended()[1].response, 2);
}

#[test]
fn an_aborted_write_is_answered_and_not_sent() {
    let mut bench = Bench::new(5, LineFaults::default());
    bench.write(0x2000, vec![1; 96], true);
    bench.write(0x3000, vec![2; 32], false);
    bench.run(200_000);
    assert!(bench.writes_ended().iter().all(|ended| ended.response == 0));
    assert_eq!((bench.served.len(), bench.memory.len()), (1, 1));
}

#[test]
fn the_rate_changes_and_a_break_takes_it_back() {
    let mut bench = Bench::new(6, LineFaults::default());
    bench.ask(SERIAL_HELLO, 0, 0);
    for divisor in [0, SERIAL_LEAST_DIVISOR - 1, 0x1_0000, u32::MAX] {
        bench.ask(SERIAL_DIVISOR, 0, divisor);
    }
    bench.ask(0x0e, 0, 0);
    bench.run(100_000);
    assert!(bench.replies[1..].iter().all(|reply| *reply == (SERIAL_REFUSED, 0)), "{:?}", bench.replies);
    for divisor in [11u32, 4, 5] {
        bench.replies.clear();
        bench.ask(SERIAL_DIVISOR, 0, divisor);
        bench.run(100_000);
        bench.port.set_rate(divisor.into(), 1);
        bench.ask(SERIAL_READ, 8, 0);
        bench.run(100_000);
        assert_eq!(bench.replies.len(), 2);
    }
    bench.ask(SERIAL_DIVISOR, 0, 4);
    bench.run(100_000);
    // A zero byte at a low rate.
    bench.port.set_rate(40, 1);
    bench.send_raw(&[0]);
    bench.run(10_000);
    bench.port.set_rate(DIVISOR.into(), 1);
    bench.replies.clear();
    bench.ask(SERIAL_HELLO, 0, 0);
    bench.run(100_000);
    assert_eq!(bench.replies, [(SERIAL_DONE, SERIAL_HELLO_VALUE)]);
}

#[test]
fn a_reset_is_answered_when_it_is_over() {
    let mut bench = Bench::new(7, LineFaults::default());
    bench.ask(SERIAL_HELLO, 0, 0);
    bench.run(100_000);
    bench.ask(SERIAL_RESET, 0, 0);
    (0..3000).for_each(|_| bench.cycle());
    assert!(bench.reset_request());
    bench.set_resetting(true);
    // Repeated meanwhile, and not carried out again.
    (0..30_000).for_each(|_| bench.cycle());
    assert!(!bench.reset_request() && bench.replies.len() == 1);
    bench.set_resetting(false);
    bench.run(100_000);
    assert_eq!(bench.replies[1], (SERIAL_DONE, 0));
    assert!(!bench.reset_request());
}
