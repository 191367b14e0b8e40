//! The AXI blocks, Verilated: bursts, latency, rate, back-pressure, faults and orderly ends, each against what it states.
//!
//! Values under random stalls, and RustHDL's own simulation of the same blocks, are in the tests of the whole control.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::Block;
use spandrel_hdl::axi::{LiteSlave, MAX_BURST_BEATS, ReadDma, WriteDma};
use spandrel_hdl::emit::{Emitted, emit};
use spandrel_sim::testbench::{Stalls, Testbench};
use std::collections::VecDeque;

/// Beats that the masters under test buffer.
const BUFFER: usize = 128;

fn readers() -> [(u64, Emitted); 2] {
    let (mut narrow, mut wide) = (ReadDma::<256>::new(BUFFER), ReadDma::<512>::new(BUFFER));
    narrow.connect_all();
    wide.connect_all();
    [(32, emit(&narrow, "axi_reader_256").unwrap()), (64, emit(&wide, "axi_reader_512").unwrap())]
}

fn writers() -> [(u64, Emitted); 2] {
    let (mut narrow, mut wide) = (WriteDma::<256, 32>::new(BUFFER), WriteDma::<512, 64>::new(BUFFER));
    narrow.connect_all();
    wide.connect_all();
    [(32, emit(&narrow, "axi_writer_256").unwrap()), (64, emit(&wide, "axi_writer_512").unwrap())]
}

/// The bursts that a job must be cut into.
fn bursts(mut address: u64, mut beats: u64, beat_bytes: u64) -> Vec<(u64, u64)> {
    let mut bursts = Vec::new();
    while beats > 0 {
        let to_border = (4096 - address % 4096) / beat_bytes;
        let length = beats.min(to_border).min(MAX_BURST_BEATS as u64);
        bursts.push((address, length));
        address += length * beat_bytes;
        beats -= length;
    }
    bursts
}

fn jobs(random: &mut ChaCha8Rng, beat_bytes: u64) -> Vec<(u64, u64)> {
    let job = |random: &mut ChaCha8Rng| {
        let address = (random.r#gen::<u64>() >> random.gen_range(8..50)) & !(beat_bytes - 1);
        (address, [0, 1, 2, 63, 64, 65, 200][random.gen_range(0..7)])
    };
    (0..25).map(|_| job(random)).collect()
}

/// Offers a job and returns when it was accepted.
fn offer(bench: &mut Testbench, address: u64, beats: u64) {
    bench.set("job_address", address);
    bench.set("job_beats", beats);
    bench.set("job_valid", 1);
    for _ in 0..10_000 {
        bench.model.settle();
        let ready = bench.get("job_ready") == 1;
        bench.cycle();
        if ready {
            bench.set("job_valid", 0);
            return;
        }
    }
    panic!("the job is not accepted");
}

/// What a beat at this address holds.
fn content(address: u64) -> [u8; 8] {
    address.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()
}

#[test]
fn reader_cuts_jobs_into_legal_bursts_and_delivers_in_order() {
    for (beat_bytes, emitted) in readers() {
        for (seed, percent) in [(1, 0), (2, 40)] {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let mut bench = Testbench::build(&emitted);
            let sink = bench.sink("out", Stalls::random(seed, percent));
            bench.reset(2);
            let jobs = jobs(&mut random, beat_bytes);
            let mut expected: VecDeque<(u64, u64)> =
                jobs.iter().flat_map(|(address, beats)| bursts(*address, *beats, beat_bytes)).collect();
            let total: u64 = jobs.iter().map(|(_, beats)| beats).sum();
            let mut offers: VecDeque<_> = jobs.iter().copied().collect();
            let mut pending: VecDeque<u64> = VecDeque::new();
            let mut asked = 0;
            for cycle in 0.. {
                assert!(cycle < 40_000, "not done: {}", bench.describe());
                if (bench.received(sink).len() as u64) == total && offers.is_empty() && bench.get("idle") == 1
                {
                    break;
                }
                let job = offers.front().copied();
                bench.set("job_valid", job.is_some().into());
                bench.set("job_address", job.unwrap_or_default().0);
                bench.set("job_beats", job.unwrap_or_default().1);
                let hold = |random: &mut ChaCha8Rng| random.gen_ratio(percent.into(), 100);
                let arready = !hold(&mut random);
                bench.set("arready", arready.into());
                let answer = pending.front().copied().filter(|_| !hold(&mut random));
                bench.set("rvalid", answer.is_some().into());
                bench.set_bytes("rdata", &content(answer.unwrap_or_default()));
                bench.model.settle();
                assert_eq!(bench.get("rready"), 1, "a reader takes data in every cycle");
                if bench.get("job_ready") == 1 {
                    offers.pop_front();
                }
                if answer.is_some() {
                    pending.pop_front();
                }
                if bench.get("arvalid") == 1 && arready {
                    let burst = (bench.get("araddr"), bench.get("arlen") + 1);
                    assert_eq!(Some(burst), expected.pop_front());
                    pending.extend((0..burst.1).map(|beat| burst.0 + beat * beat_bytes));
                    asked += burst.1;
                }
                // Never more on the way than there is room for.
                assert!(asked - bench.received(sink).len() as u64 <= BUFFER as u64);
                bench.cycle();
            }
            let addresses = jobs
                .iter()
                .flat_map(|(address, beats)| (0..*beats).map(move |beat| address + beat * beat_bytes));
            for (beat, address) in bench.take(sink).iter().zip(addresses) {
                assert_eq!(beat[..8], content(address));
            }
            assert_eq!(bench.get("fault"), 0);
        }
    }
}

#[test]
fn reader_keeps_latency_fault_and_abort() {
    for (_, emitted) in readers() {
        let mut bench = Testbench::build(&emitted);
        let sink = bench.sink("out", Stalls::none());
        bench.reset(2);
        offer(&mut bench, 0x1000, 3);
        // The first address is offered three cycles after the job was accepted.
        let mut wait = 1;
        bench.model.settle();
        while bench.get("arvalid") == 0 {
            bench.cycle();
            bench.model.settle();
            wait += 1;
        }
        assert_eq!(wait, 3);
        bench.set("arready", 1);
        bench.cycle();
        bench.set("arready", 0);
        // A beat comes out one cycle after it came in; an error is delivered, noted, and kept until cleared.
        for (beat, response) in [(0, 0), (1, 2), (2, 0)] {
            bench.set("rvalid", 1);
            bench.set("rresp", response);
            bench.set("ruser", 3 + u64::from(beat));
            bench.set_bytes("rdata", &[beat; 8]);
            bench.cycle();
            bench.set("rvalid", 0);
            assert_eq!(bench.received(sink).len(), usize::from(beat));
            bench.cycle();
            assert_eq!(bench.received(sink)[usize::from(beat)][..8], [beat; 8]);
            assert_eq!(bench.get("fault"), u64::from(beat >= 1));
            // The cause is that of the first beat that failed.
            assert_eq!(bench.get("cause"), if beat >= 1 { 4 } else { 0 });
        }
        assert_eq!(bench.get("idle"), 1);
        bench.pulse("clear");
        assert_eq!((bench.get("fault"), bench.get("cause")), (0, 0));

        // Data that nobody asked for are dropped.
        bench.set("rvalid", 1);
        bench.run(3);
        bench.set("rvalid", 0);
        bench.run(2);
        assert_eq!((bench.received(sink).len(), bench.get("idle")), (3, 1));

        // An abort leaves the address on offer and waits for its data, which go nowhere.
        bench.take(sink);
        offer(&mut bench, 0x2000, 200);
        bench.run(5);
        bench.set("abort", 1);
        bench.run(20);
        assert_eq!((bench.get("arvalid"), bench.get("idle")), (1, 0));
        bench.set("arready", 1);
        bench.cycle();
        let beats = bench.get("arlen") + 1;
        for _ in 0..beats {
            assert_eq!(bench.get("idle"), 0);
            bench.set("rvalid", 1);
            bench.cycle();
        }
        bench.set("rvalid", 0);
        bench.cycle();
        assert_eq!((bench.get("arvalid"), bench.get("idle")), (0, 1));
        bench.set("abort", 0);
        bench.run(10);
        assert_eq!((bench.get("arvalid"), bench.get("idle"), bench.received(sink).len()), (0, 1, 0));
    }
}

#[test]
fn writer_cuts_jobs_into_legal_bursts_whatever_the_order_of_the_channels() {
    for (beat_bytes, emitted) in writers() {
        for (seed, percent) in [(3, 0), (4, 40), (5, 80)] {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let mut bench = Testbench::build(&emitted);
            let source = bench.source("in", Stalls::random(seed, percent));
            bench.reset(2);
            let jobs = jobs(&mut random, beat_bytes);
            let all: Vec<(u64, u64)> =
                jobs.iter().flat_map(|(address, beats)| bursts(*address, *beats, beat_bytes)).collect();
            let (mut addresses, mut lengths) = (VecDeque::from(all.clone()), VecDeque::from(all.clone()));
            let mut offers: VecDeque<_> = jobs.iter().copied().collect();
            let mut sent = 0u64;
            for (address, beats) in &jobs {
                (0..*beats).for_each(|beat| bench.push(source, content(address + beat * beat_bytes)));
            }
            let (mut address_count, mut data_count, mut answers) = (0, 0, 0);
            for cycle in 0.. {
                assert!(cycle < 60_000, "not done: {}", bench.describe());
                if answers == all.len() && offers.is_empty() {
                    break;
                }
                let job = offers.front().copied();
                bench.set("job_valid", job.is_some().into());
                bench.set("job_address", job.unwrap_or_default().0);
                bench.set("job_beats", job.unwrap_or_default().1);
                // A slave may take all data before it takes the address (even bursts) or the other way round (odd).
                let data_first = address_count.min(data_count) % 2 == 0;
                let awready =
                    !random.gen_ratio(percent.into(), 100) && (!data_first || data_count > address_count);
                let wready =
                    !random.gen_ratio(percent.into(), 100) && (data_first || address_count > data_count);
                let answer =
                    answers < address_count.min(data_count) && !random.gen_ratio(percent.into(), 100);
                for (name, value) in [("awready", awready), ("wready", wready), ("bvalid", answer)] {
                    bench.set(name, value.into());
                }
                bench.model.settle();
                assert_eq!(bench.get("bready"), 1);
                if bench.get("job_ready") == 1 {
                    offers.pop_front();
                }
                answers += usize::from(answer);
                if bench.get("awvalid") == 1 && awready {
                    assert_eq!(Some((bench.get("awaddr"), bench.get("awlen") + 1)), addresses.pop_front());
                    address_count += 1;
                }
                if bench.get("wvalid") == 1 && wready {
                    let (address, length) = lengths[0];
                    assert_eq!(bench.bytes("wdata")[..8], content(address + sent * beat_bytes));
                    assert!(bench.bytes("wstrb").iter().all(|lanes| *lanes == 0xff));
                    sent += 1;
                    assert_eq!(bench.get("wlast"), u64::from(sent == length));
                    if sent == length {
                        sent = 0;
                        lengths.pop_front();
                        data_count += 1;
                    }
                }
                bench.cycle();
            }
            bench.run(3);
            assert_eq!((bench.get("idle"), bench.get("fault"), bench.pending(source)), (1, 0, 0));
        }
    }
}

#[test]
fn writer_keeps_rate_fault_and_abort() {
    for (_, emitted) in writers() {
        let mut bench = Testbench::build(&emitted);
        let source = bench.source("in", Stalls::none());
        bench.reset(2);
        // Bursts of 64 beats one after the other take 64 cycles each, once the buffer is a beat ahead.
        (0..640u64).for_each(|value| bench.push(source, value.to_le_bytes()));
        bench.set("awready", 1);
        bench.set("wready", 1);
        offer(&mut bench, 0, 640);
        let mut lasts = Vec::new();
        while lasts.len() < 10 {
            bench.cycle();
            if bench.get("wvalid") == 1 && bench.get("wlast") == 1 {
                lasts.push(bench.cycles());
            }
            assert!(bench.cycles() < 2000);
        }
        let gaps: Vec<_> = lasts.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps[0] <= 65 && gaps[1..].iter().all(|gap| *gap == 64), "{gaps:?}");
        // Done only when every burst was answered; one error is enough for a fault.
        for answer in 0..10 {
            bench.run(2);
            assert_eq!(bench.get("idle"), 0);
            bench.set("bresp", if answer == 4 { 3 } else { 0 });
            bench.pulse("bvalid");
        }
        bench.run(2);
        assert_eq!((bench.get("idle"), bench.get("fault")), (1, 1));
        bench.pulse("clear");
        assert_eq!(bench.get("fault"), 0);

        // A burst that was begun is finished after an abort, but its beats change nothing.
        (0..100u64).for_each(|value| bench.push(source, value.to_le_bytes()));
        offer(&mut bench, 0x4000, 100);
        let mut beats = 0;
        while beats < 20 {
            bench.cycle();
            beats += bench.get("wvalid");
        }
        bench.set("wready", 0);
        bench.cycle();
        let (held, held_strobes) = (bench.bytes("wdata"), bench.bytes("wstrb"));
        bench.set("abort", 1);
        bench.run(5);
        assert_eq!((bench.bytes("wdata"), bench.bytes("wstrb")), (held, held_strobes), "an offer stands");
        bench.set("wready", 1);
        let mut zeros = 0;
        let mut guard = 0;
        while !(bench.get("wvalid") == 1 && bench.get("wlast") == 1) {
            bench.cycle();
            zeros +=
                u64::from(bench.get("wvalid") == 1 && bench.bytes("wstrb").iter().all(|lanes| *lanes == 0));
            guard += 1;
            assert!(guard < 200);
        }
        assert!((35..64).contains(&zeros), "{zeros}");
        bench.run(5);
        assert_eq!((bench.get("wvalid"), bench.get("idle")), (0, 0));
        bench.pulse("bvalid");
        bench.cycle();
        assert_eq!(bench.get("idle"), 1);
        bench.set("abort", 0);
        bench.run(20);
        assert_eq!((bench.get("awvalid"), bench.get("wvalid"), bench.get("idle")), (0, 0, 1));
    }
}

/// Cycles from the parts of an access to its effect, address first, data first or both at once.
#[test]
fn lite_slave_keeps_its_latencies() {
    let mut slave = LiteSlave::default();
    slave.connect_all();
    let mut bench = Testbench::build(&emit(&slave, "axi_lite_slave").unwrap());
    bench.reset(2);
    for (address_at, data_at) in [(0, 0), (0, 4), (3, 0)] {
        bench.set("bready", 0);
        bench.set("awaddr", 0x123);
        bench.set("wdata", 0xdead_beef);
        bench.set("wstrb", 0b0101);
        let mut answered = None;
        for cycle in 0..12 {
            bench.set("awvalid", (cycle == address_at).into());
            bench.set("wvalid", (cycle == data_at).into());
            bench.model.settle();
            if bench.get("bvalid") == 1 && answered.is_none() {
                answered = Some(cycle);
            }
            bench.cycle();
        }
        // The write happens one cycle after the later part was taken, its answer is there in the next.
        assert_eq!(answered, Some(address_at.max(data_at) + 2));
        assert_eq!((bench.get("bvalid"), bench.get("bresp")), (1, 0), "an answer stands until it is taken");
        bench.set("bready", 1);
        bench.run(2);
        assert_eq!(bench.get("bvalid"), 0);
    }
    bench.set("rready", 0);
    bench.set("read_value", 0x1234_5678);
    bench.set("araddr", 0x044);
    bench.pulse("arvalid");
    // The value is sampled one cycle after the address was taken.
    bench.model.settle();
    assert_eq!(bench.get("rvalid"), 0);
    bench.cycle();
    bench.set("read_value", 0);
    bench.run(3);
    assert_eq!((bench.get("rvalid"), bench.get("rdata"), bench.get("rresp")), (1, 0x1234_5678, 0));
    bench.set("rready", 1);
    bench.run(2);
    assert_eq!(bench.get("rvalid"), 0);
}
