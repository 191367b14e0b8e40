//! The stream blocks, Verilated and in RustHDL's own simulation side by side, against models of what they promise.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::*;
use spandrel_hdl::emit::emit;
use spandrel_hdl::stream::{Fifo, Memory, Pair, Skid, Split};
use spandrel_sim::testbench::{Stalls, Testbench};
use std::collections::VecDeque;

/// Lets a RustHDL block follow its inputs.
fn settle(block: &mut impl Block) {
    assert!(simulate(block, 100), "the block does not settle");
}

fn word(value: u64) -> [u8; 8] {
    value.to_le_bytes()
}

/// Runs a block with the ports of a FIFO in both simulators with the same random inputs, resets included, and holds both
/// to a queue of at most `$depth` elements.
macro_rules! side_by_side {
    ($block:expr, $top:literal, $depth:expr, $cycles:expr, $full_refuses:expr) => {{
        let mut block = $block;
        block.connect_all();
        let mut bench = Testbench::build(&emit(&block, $top).unwrap());
        let mut random = ChaCha8Rng::seed_from_u64(11);
        let mut queue: VecDeque<u64> = VecDeque::new();
        let (mut fill_percent, mut drain_percent) = (90, 10);
        for cycle in 0..$cycles {
            if cycle % 60 == 0 {
                (fill_percent, drain_percent) = (random.gen_range(5..=100), random.gen_range(5..=100));
            }
            let (data, valid) = (random.r#gen::<u64>() >> 24, random.gen_ratio(fill_percent, 100));
            let (ready, reset) = (random.gen_ratio(drain_percent, 100), random.gen_ratio(1, 150));
            for (name, value) in [
                ("in_data", data),
                ("in_valid", valid.into()),
                ("out_ready", ready.into()),
                ("reset", reset.into()),
            ] {
                bench.set(name, value);
            }
            block.in_data.next = data.into();
            block.in_valid.next = valid;
            block.out_ready.next = ready;
            block.reset.next = reset;
            block.clock.next = false.into();
            settle(&mut block);
            bench.model.settle();

            let takes = block.in_ready.val();
            let gives = block.out_valid.val();
            assert_eq!(bench.get("in_ready"), u64::from(takes), "cycle {cycle}");
            assert_eq!(bench.get("out_valid"), u64::from(gives), "cycle {cycle}");
            assert_eq!(gives, !queue.is_empty(), "cycle {cycle}");
            if $full_refuses {
                assert_eq!(takes, queue.len() < $depth, "cycle {cycle}");
            }
            if let Some(front) = queue.front() {
                assert_eq!(bench.get("out_data"), *front, "cycle {cycle}");
                assert_eq!(block.out_data.val(), Bits::from(*front), "cycle {cycle}");
            }
            if gives && ready {
                queue.pop_front();
            }
            if takes && valid {
                queue.push_back(data);
            }
            if reset {
                queue.clear();
            }
            block.clock.next = true.into();
            settle(&mut block);
            bench.model.rise();
        }
    }};
}

#[test]
fn fifo_is_a_queue_in_both_simulators() {
    side_by_side!(Fifo::<40>::new(5), "stream_fifo_5", 5, 3000, true);
    side_by_side!(Fifo::<40>::new(8), "stream_fifo_8", 8, 1500, true);
    side_by_side!(Fifo::<40>::new(1), "stream_fifo_1", 1, 500, true);
}

#[test]
fn skid_is_a_queue_of_two_in_both_simulators() {
    side_by_side!(Skid::<40>::default(), "stream_skid", 2, 3000, true);
}

/// Latency 1 and one element per cycle, empty, full and in between.
#[test]
fn fifo_and_skid_keep_latency_and_rate() {
    let mut fifo = Fifo::<64>::new(16);
    fifo.connect_all();
    let mut skid = Skid::<64>::default();
    skid.connect_all();
    for emitted in [emit(&fifo, "stream_fifo_16").unwrap(), emit(&skid, "stream_skid_64").unwrap()] {
        let mut bench = Testbench::build(&emitted);
        let source = bench.source("in", Stalls::none());
        let sink = bench.sink("out", Stalls::none());
        bench.reset(2);
        (0..1000).for_each(|value| bench.push(source, word(value)));
        // 1000 elements, the first of which leaves in the second cycle.
        assert_eq!(bench.run_until(2000, |bench| bench.received(sink).len() == 1000), 1001);
        let expected: Vec<Vec<u8>> = (0..1000).map(|value| word(value).to_vec()).collect();
        assert_eq!(bench.take(sink), expected);
    }
}

#[test]
fn fifo_tells_count_and_space() {
    let mut fifo = Fifo::<64>::new(10);
    fifo.connect_all();
    let mut bench = Testbench::build(&emit(&fifo, "stream_fifo_10").unwrap());
    let source = bench.source("in", Stalls::none());
    bench.reset(1);
    for fill in 0..=12u64 {
        bench.model.settle();
        assert_eq!((bench.get("count"), bench.get("space")), (fill.min(10), 10 - fill.min(10)));
        bench.push(source, word(fill));
        bench.cycle();
    }
}

#[test]
fn pair_joins_two_with_random_stalls() {
    let mut pair = Pair::<64, 128>::default();
    pair.connect_all();
    let emitted = emit(&pair, "stream_pair").unwrap();
    for percent in [0, 30, 70] {
        let mut bench = Testbench::build(&emitted);
        let source = bench.source("in", Stalls::random(3, percent));
        let sink = bench.sink("out", Stalls::random(4, percent));
        bench.reset(2);
        (0..400).for_each(|value| bench.push(source, word(value)));
        let cycles = bench.run_until(20_000, |bench| bench.received(sink).len() == 200);
        assert!(percent > 0 || cycles == 400, "one narrow element per cycle: {cycles} cycles for 400");
        let expected: Vec<Vec<u8>> =
            (0..200).map(|index| [word(2 * index), word(2 * index + 1)].concat()).collect();
        assert_eq!(bench.take(sink), expected);
        // A half that waits is forgotten by a reset.
        bench.push(source, word(1));
        bench.run_until(200, |bench| bench.pending(source) == 0);
        bench.reset(1);
        bench.push(source, word(2));
        bench.push(source, word(3));
        bench.run_until(2000, |bench| bench.received(sink).len() == 1);
        assert_eq!(bench.take(sink), [[word(2), word(3)].concat()]);
    }
}

#[test]
fn split_cuts_in_two_with_random_stalls() {
    let mut split = Split::<64, 128>::default();
    split.connect_all();
    let emitted = emit(&split, "stream_split").unwrap();
    let wide = |value: u64| [word(2 * value), word(2 * value + 1)].concat();
    for percent in [0, 30, 70] {
        let mut bench = Testbench::build(&emitted);
        let source = bench.source("in", Stalls::random(3, percent));
        let sink = bench.sink("out", Stalls::random(4, percent));
        bench.reset(2);
        (0..200).for_each(|value| bench.push(source, wide(value)));
        let cycles = bench.run_until(20_000, |bench| bench.received(sink).len() == 400);
        assert!(percent > 0 || cycles == 400, "one narrow element per cycle: {cycles} cycles for 400");
        let expected: Vec<[u8; 8]> = (0..400).map(word).collect();
        assert_eq!(bench.take(sink), expected);
    }
}

/// Reads see the word that is written in the same cycle, in both simulators.
#[test]
fn memory_is_write_first() {
    let mut memory = Memory::<40>::new(6);
    memory.connect_all();
    let mut bench = Testbench::build(&emit(&memory, "stream_memory").unwrap());
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut words = [0u64; 6];
    for cycle in 0..2000 {
        let (read, write) = (random.gen_range(0..6usize), random.gen_range(0..6usize));
        let (data, enable) = (random.r#gen::<u64>() >> 24, random.r#gen::<bool>());
        memory.read_address.next = read.to_bits();
        memory.write_address.next = write.to_bits();
        memory.write_data.next = data.into();
        memory.write_enable.next = enable;
        memory.clock.next = false.into();
        settle(&mut memory);
        memory.clock.next = true.into();
        settle(&mut memory);
        for (name, value) in [
            ("read_address", read as u64),
            ("write_address", write as u64),
            ("write_data", data),
            ("write_enable", enable.into()),
        ] {
            bench.set(name, value);
        }
        bench.model.clock_cycle();
        if enable {
            words[write] = data;
        }
        assert_eq!(bench.get("read_data"), words[read], "cycle {cycle}");
        assert_eq!(memory.read_data.val(), Bits::from(words[read]), "cycle {cycle}");
    }
}
