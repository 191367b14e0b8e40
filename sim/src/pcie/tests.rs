//! The block and the root complex around a small stand-in for the card.

use super::*;
use crate::memory::HostMemory;
use crate::model::BuildOptions;
use spandrel_driver::AccessWidth::{Byte, Double, Half, Word};
use spandrel_driver::DmaBuffer;
use spandrel_hdl::emit::{Emitted, Port, PortDirection};

const TEXT: &str = include_str!("test_endpoint.v");
const BUFFER: usize = 8192;

fn library(bits: usize) -> Arc<ModelLibrary> {
    let width = |channel: sideband::Channel| channel.user_bits(bits);
    let parameters = [
        ("WIDTH", bits),
        ("CQ_USER", width(sideband::Channel::CompleterRequest)),
        ("CC_USER", width(sideband::Channel::CompleterCompletion)),
        ("RQ_USER", width(sideband::Channel::RequesterRequest)),
        ("RC_USER", width(sideband::Channel::RequesterCompletion)),
        ("DATA-1", bits - 1),
        ("LANES-1", bits / 32 - 1),
    ];
    let fill = |text: &str| {
        parameters.iter().fold(text.to_owned(), |text, (name, value)| {
            let value = value.to_string();
            match *name {
                "WIDTH" => text.replace("WIDTH", &value),
                "CQ_USER" | "CC_USER" | "RQ_USER" | "RC_USER" => {
                    text.replace(&format!("{name}-1"), &(value.parse::<usize>().unwrap() - 1).to_string())
                }
                name => text.replace(&format!("[{name}:0]"), &format!("[{value}:0]")),
            }
        })
    };
    let text = fill(TEXT);
    let list = text.split_once(") (").unwrap().1.split_once(");").unwrap().0;
    let mut ports = Vec::new();
    for declaration in list.replace('\n', " ").split(',') {
        let words: Vec<&str> = declaration.split_whitespace().filter(|word| *word != "reg").collect();
        let direction = if words[0] == "input" { PortDirection::Input } else { PortDirection::Output };
        let width = match words[1].strip_prefix('[') {
            Some(range) => range.split(':').next().unwrap().parse::<usize>().unwrap() + 1,
            None => 1,
        };
        ports.push(Port { name: (*words.last().unwrap()).to_owned(), direction, width });
    }
    let emitted = Emitted::from_verilog("spandrel_card", &text, ports);
    ModelLibrary::build(&emitted, &BuildOptions::default()).unwrap()
}

struct Bench {
    sim: PcieSim<HostMemory>,
    buffer: DmaBuffer,
    sum: u32,
}

const LATE: PcieTiming = PcieTiming { shuffle: true, ..PcieTiming::STEADY };

impl Bench {
    /// A card that was set up, and a buffer of numbers.
    fn new(bits: usize, timing: PcieTiming, seed: u64) -> Bench {
        let options = SimOptions { seed, ..Default::default() };
        let card = Timing::STEADY.card;
        let sim = PcieSim::from_library(&library(bits), 1 << 20, &options, timing, card, HostMemory::new());
        let mut sim = sim.unwrap();
        sim.enumerate(Enumeration::default()).unwrap();
        let mut buffer = sim.memory().allocate(BUFFER).unwrap();
        for at in (0..BUFFER).step_by(4) {
            buffer.write(at, &(at as u32 * 0x9e37 + 7).to_le_bytes()).unwrap();
        }
        Bench { sim, buffer, sum: 0 }
    }

    fn read(&mut self, word: u64) -> u32 {
        self.sim.bar_read(4 * word, Word).unwrap() as u32
    }

    fn write(&mut self, word: u64, value: u32) {
        self.sim.bar_write(4 * word, Word, value.into()).unwrap();
    }

    /// Has the card send a request, and waits until nothing is under way.
    fn send(&mut self, write: bool, address: u64, dwords: u32, enables: u32, tag: u32, fault: u32) {
        self.write(1, address as u32);
        self.write(2, (address >> 32) as u32);
        self.write(3, dwords | enables << 16 | tag << 24);
        self.write(4, 1 << u32::from(write) | fault << 8);
        for _ in 0..200 {
            (0..20).for_each(|_| self.sim.cycle().unwrap());
            if !self.sim.busy() {
                break;
            }
        }
    }

    fn send_read(&mut self, offset: usize, dwords: usize, tag: u32) {
        let enables = if dwords == 1 { 0x0f } else { 0xff };
        self.send(false, self.buffer.iova() + offset as u64, dwords as u32, enables, tag, 0);
        let mut bytes = vec![0; 4 * dwords];
        self.buffer.read(offset, &mut bytes).unwrap();
        let words = bytes.chunks(4).map(|word| u32::from_le_bytes(word.try_into().unwrap()));
        self.sum = words.fold(0, u32::wrapping_add);
    }

    /// Error code, whether the request ended, number of completions since reset.
    fn outcome(&mut self) -> (u32, bool, u32) {
        let word = self.read(8);
        (word & 0xf, word >> 24 & 1 == 1, word >> 8 & 0xffff)
    }

    fn violation(&self) -> String {
        self.sim.violations().first().map(ToString::to_string).unwrap_or_default()
    }
}

#[test]
fn registers_are_reached_at_every_width() {
    for (bits, timing) in [(256, PcieTiming::HOSTILE), (512, LATE), (256, PcieTiming::STEADY)] {
        let mut bench = Bench::new(bits, timing, 1);
        let sim = &mut bench.sim;
        sim.bar_write(0, Double, 0x8877_6655_4433_2211).unwrap();
        assert_eq!(sim.bar_read(0, Double).unwrap(), 0x8877_6655_4433_2211);
        for at in 0..8 {
            assert_eq!(sim.bar_read(at, Byte).unwrap(), 0x11 * (at + 1));
        }
        sim.bar_write(2, Half, 0xffff_abcd).unwrap();
        sim.bar_write(5, Byte, 0x42).unwrap();
        assert_eq!(sim.bar_read(0, Double).unwrap(), 0x8877_4255_abcd_2211);
        assert_eq!(sim.bar_read(60, Word).unwrap(), 0xffff_ffff, "a refused read");
        // Bus master, memory; payload and reads of 512 bytes; messages allowed.
        assert_eq!(bench.read(5), 6 | 2 << 12 | 2 << 14 | 1 << 18);
        assert_eq!(bench.sim.traffic().refused_accesses, 1);
        bench.sim.check_rules().unwrap();
    }
}

#[test]
fn reads_come_whole_however_they_are_completed() {
    for (bits, timing) in [
        (256, PcieTiming::STEADY),
        (512, PcieTiming::STEADY),
        (256, PcieTiming::HOSTILE),
        (512, PcieTiming::HOSTILE),
    ] {
        let mut bench = Bench::new(bits, timing, 2);
        let (mut sum, mut dwords) = (0u32, 0);
        for (index, (offset, length)) in
            [(0, 128), (4, 1), (60, 2), (64, 127), (4092, 1), (3584, 128), (124, 40)].into_iter().enumerate()
        {
            bench.send_read(offset, length, index as u32 * 37);
            sum = sum.wrapping_add(bench.sum);
            dwords += length as u32;
            assert_eq!((bench.read(6), bench.read(7)), (sum, dwords), "{bits} {offset} {length}");
            assert_eq!(bench.outcome().0, 0);
            assert!(bench.outcome().1);
        }
        let traffic = bench.sim.traffic();
        assert_eq!((traffic.read_requests, traffic.read_bytes), (7, 4 * u64::from(dwords)));
        bench.sim.check_rules().unwrap();
    }
}

#[test]
fn writes_and_messages_arrive() {
    for bits in [256, 512] {
        let mut bench = Bench::new(bits, PcieTiming::HOSTILE, 3);
        bench.write(0, 0x1000);
        let base = bench.buffer.iova();
        bench.send(true, base + 256, 128, 0xff, 0, 0);
        bench.send(true, base + 4, 2, 0x3c, 0, 0);
        let word = |bench: &Bench, at| {
            let mut bytes = [0; 4];
            bench.buffer.read(at, &mut bytes).unwrap();
            u32::from_le_bytes(bytes)
        };
        for index in 0..128 {
            assert_eq!(word(&bench, 256 + 4 * index), 0x1000 + index as u32);
        }
        let pattern = |at: u32| at * 0x9e37 + 7;
        assert_eq!(word(&bench, 4), pattern(4) & 0xffff, "the upper half of the first DWORD");
        assert_eq!(word(&bench, 8), pattern(8) & 0xffff_0000 | 0x1001, "the lower half of the last");
        assert_eq!((word(&bench, 252), word(&bench, 768)), (pattern(252), pattern(768)));
        // A message is a write of a vector's data to its address.
        for (data, arrived) in [(0x42, vec![1]), (0x41, vec![0]), (0x77, vec![])] {
            bench.write(0, data);
            bench.send(true, DOORBELLS.start, 1, 0xf, 0, 0);
            assert_eq!(bench.sim.take_interrupts(), arrived);
        }
        bench.sim.control().drop_interrupts(1);
        bench.sim.control().spurious_interrupt(1);
        bench.sim.run(1).unwrap();
        bench.write(0, 0x41);
        bench.send(true, DOORBELLS.start, 1, 0xf, 0, 0);
        assert_eq!(bench.sim.take_interrupts(), [0], "the first of the two is kept");
        // What is not mapped is dropped and counted.
        bench.send(true, 0x1000, 4, 0xff, 0, 0);
        assert_eq!((bench.sim.traffic().dropped_writes, bench.sim.memory().fault_count()), (1, 1));
        bench.sim.check_rules().unwrap();
    }
}

#[test]
fn injected_faults_become_what_the_block_says_of_them() {
    for timing in [PcieTiming::STEADY, PcieTiming::HOSTILE] {
        let mut bench = Bench::new(256, timing, 4);
        let control = bench.sim.control();
        let faults = [
            (ReadFault::Poisoned, 1),
            (ReadFault::Unsupported, 2),
            (ReadFault::Aborted, 2),
            (ReadFault::NoData, 3),
            (ReadFault::WrongLength, 5),
            (ReadFault::BlockTimeout, 9),
        ];
        for (fault, code) in faults {
            control.fault_host_read(1, fault);
            bench.send_read(0, 16, 3);
            assert_eq!(bench.outcome().0, 0, "the one before {fault:?}");
            bench.send_read(64, 128, 3);
            let (error, ended, _) = bench.outcome();
            assert_eq!((error, ended), (code, true), "{fault:?}");
        }
        // A read of 512 bytes in the smallest pieces.
        let before = bench.outcome().2;
        control.fault_host_read(0, ReadFault::Shattered);
        bench.send_read(64, 128, 3);
        assert_eq!(bench.outcome().2 - before, 8);
        // A lost one leaves its tag free; a late one comes.
        let before = bench.outcome().2;
        control.fault_host_read(0, ReadFault::Lost);
        bench.send_read(0, 128, 7);
        bench.sim.run(3000).unwrap();
        assert_eq!(bench.outcome().2, before);
        control.fault_host_read(0, ReadFault::Late(9_000));
        bench.send_read(0, 16, 7);
        assert_eq!((bench.outcome().2, bench.sim.busy()), (before, true));
        bench.sim.run(9_000).unwrap();
        assert_eq!((bench.outcome().2, bench.sim.busy()), (before + 1, false));
        // What the I/O memory-management unit denies.
        let base = bench.buffer.iova();
        control.deny_host(base + 1024..base + 2048);
        bench.send_read(1536, 128, 1);
        assert_eq!(bench.outcome().0, 2);
        bench.send(true, base + 1024, 32, 0xff, 0, 0);
        assert_eq!((bench.sim.guarded().denied_accesses(), bench.sim.traffic().dropped_writes), (2, 1));
        control.allow_host();
        bench.send_read(1536, 128, 1);
        assert_eq!(bench.outcome().0, 0);
        bench.sim.check_rules().unwrap();
    }
}

#[test]
fn broken_rules_are_reported() {
    let cases: [(u32, u32, u32, u32, &str); 14] = [
        (1, 2, 128, 0xff, "tvalid fell inside of a packet"),
        (2, 2, 128, 0xff, "tdata, tkeep, tlast or tuser changed"),
        (3, 2, 128, 0xff, "tkeep is 0xfd"),
        (5, 1, 4, 0xff, "gives its own requester"),
        (6, 1, 4, 0xff, "byte count 0x5"),
        (7, 1, 4, 0xff, "for which nothing was asked"),
        (8, 2, 128, 0xff, "tvalid fell before tready rose"),
        (9, 1, 4, 0xff, "cfg_flr_done without"),
        (10, 1, 4, 0xff, "of type 4"),
        (0, 2, 129, 0xff, "longer than the maximum payload of 512"),
        (0, 1, 129, 0xff, "longer than the maximum read request of 512"),
        (0, 1, 1, 0xff, "byte enables"),
        (0, 1, 8, 0x0f, "byte enables"),
        (0, 1, 0, 0xff, "0 DWORDs"),
    ];
    for (fault, kind, dwords, enables, expected) in cases {
        let mut bench = Bench::new(256, PcieTiming::HOSTILE, 5);
        let base = bench.buffer.iova();
        let fault_now = if matches!(fault, 6 | 7) { 0 } else { fault };
        bench.send(kind == 2, base, dwords, enables, 1, fault_now);
        if matches!(fault, 6 | 7) {
            bench.write(4, fault << 8);
            let _ = bench.sim.bar_read(0, Word);
        }
        let seen: Vec<String> = bench.sim.violations().iter().map(ToString::to_string).collect();
        assert!(seen.iter().any(|text| text.contains(expected)), "{expected}: {seen:?}");
        assert!(bench.sim.check_rules().is_err() && bench.sim.run(1).is_err());
    }
    let mut bench = Bench::new(256, PcieTiming::STEADY, 6);
    let base = bench.buffer.iova();
    bench.send(false, base + 4092, 2, 0xff, 1, 0);
    assert!(bench.violation().contains("4 KiB"), "{}", bench.violation());
    let mut bench = Bench::new(256, LATE, 6);
    bench.sim.control().fault_host_read(0, ReadFault::Late(50_000));
    bench.send(false, base, 4, 0xff, 9, 0);
    bench.send(false, base, 4, 0xff, 9, 0);
    assert!(bench.violation().contains("tag 0x9, which is in use"), "{}", bench.violation());
    let mut bench = Bench::new(512, LATE, 6);
    bench.send(true, base, 4, 0xff, 9, 12);
    assert!(bench.violation().contains("is_eop"), "{}", bench.violation());
}

#[test]
fn a_card_that_may_not_sends_in_vain() {
    let mut bench = Bench::new(256, PcieTiming::STEADY, 7);
    bench.sim.config_write(config::COMMAND, 2, config::COMMAND_MEMORY.into());
    bench.send_read(0, 4, 0);
    assert_eq!((bench.sim.traffic().dropped_requests, bench.outcome().2), (1, 0));
    // Nothing answers without memory space; a discontinued packet is thrown away.
    bench.sim.config_write(config::COMMAND, 2, config::COMMAND_BUS_MASTER.into());
    assert_eq!(bench.read(0), u32::MAX);
    assert_ne!(bench.sim.config_read(config::DEVICE_STATUS, 2) as u16 & config::UNSUPPORTED_REQUEST, 0);
    bench.sim.config_write(config::COMMAND, 2, 6);
    bench.send(true, bench.buffer.iova(), 64, 0xff, 0, 11);
    assert_eq!(bench.sim.traffic().write_requests, 0);
    bench.sim.check_rules().unwrap();
}

#[test]
fn resets_end_and_the_card_is_set_up_again() {
    for timing in [PcieTiming::STEADY, PcieTiming::HOSTILE] {
        let mut bench = Bench::new(256, timing, 8);
        bench.write(0, 5);
        bench.sim.config_write(config::DEVICE_CONTROL, 2, u32::from(config::FUNCTION_RESET));
        assert!(bench.sim.in_function_reset() && bench.sim.busy());
        assert_eq!(bench.read(0), u32::MAX);
        bench.sim.run(100).unwrap();
        assert!(!bench.sim.in_function_reset() && !bench.sim.busy());
        bench.sim.enumerate(Enumeration { payload_bytes: 128, read_bytes: 4096 }).unwrap();
        assert_eq!(bench.read(5), 6 | 5 << 14 | 1 << 18);
        assert_eq!(bench.read(0), 0);
        // With a read under way; the answer comes, or the block ends it.
        bench.sim.function_reset(Enumeration::default()).unwrap();
        bench.sim.control().reset_link();
        assert_eq!(bench.read(0), u32::MAX, "not set up");
        bench.sim.enumerate(Enumeration::default()).unwrap();
        bench.send_read(0, 128, 0);
        assert_eq!(bench.read(6), bench.sum);
        // Off the bus: reads give ones, requests vanish.
        let control = bench.sim.control();
        bench.write(4, 1);
        control.unplug();
        assert_eq!((bench.read(0), bench.sim.config_read(0, 2)), (u32::MAX, 0xffff));
        bench.sim.run(500).unwrap();
        control.plug();
        bench.sim.run(500).unwrap();
        assert_eq!((bench.outcome().2 <= 8, bench.sim.busy()), (true, false));
        bench.sim.check_rules().unwrap();
    }
}

#[test]
fn the_same_seed_gives_the_same_cycles() {
    let cycles = |seed| {
        let mut bench = Bench::new(256, PcieTiming::HOSTILE, seed);
        bench.send_read(0, 128, 0);
        bench.sim.cycles()
    };
    assert_eq!(cycles(1), cycles(1));
    assert_ne!(cycles(1), cycles(2));
}
