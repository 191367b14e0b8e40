use super::*;
use crate::memory::Memory;
use crate::model::BuildOptions;
use spandrel_driver::DmaBuffer;
use spandrel_hdl::emit::{Emitted, Port, PortDirection};

const TEXT: &str = include_str!("test_card.v");
const CARD_BYTES: u64 = 1 << 20;
const CONTROL: u64 = 32;
const STATUS: u64 = 36;

/// The stand-in's ports, read from its text.
fn emitted() -> Emitted {
    let list = TEXT.split_once("module spandrel_card (").unwrap().1.split_once(");").unwrap().0;
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
    Emitted::from_verilog("spandrel_card", TEXT, ports)
}

/// A stand-in for the card, in the same world.
pub(crate) fn stand_in(timing: Timing, seed: u64) -> SimCard {
    let library = ModelLibrary::build(&emitted(), &BuildOptions::default()).unwrap();
    let options = SimOptions { seed, ..Default::default() };
    SimCard::from_library(&library, CARD_BYTES, &options, timing).unwrap()
}

fn write(card: &mut SimCard, address: u64, data: u64) {
    card.write_register(address, data as u32, 0xf).unwrap();
}

fn wait(card: &mut SimCard) -> u32 {
    for _ in 0..2000 {
        let status = card.read_register(STATUS).unwrap();
        if status & 3 == 0 {
            return status >> 2;
        }
    }
    panic!("still busy");
}

/// Has the host engine move a burst; returns whether it met an error.
fn move_host(card: &mut SimCard, source: u64, target: u64, beats: u64, fault: u64) -> bool {
    for (address, data) in [(4, source), (8, source >> 32), (12, target), (16, target >> 32), (20, beats)] {
        write(card, address, data);
    }
    write(card, CONTROL, 1 | fault << 8);
    wait(card) & 1 != 0
}

fn buffer(card: &SimCard, bytes: usize) -> DmaBuffer {
    card.host().memory().allocate(bytes).unwrap()
}

fn contents(buffer: &DmaBuffer) -> Vec<u8> {
    let mut bytes = vec![0; buffer.len()];
    buffer.read(0, &mut bytes).unwrap();
    bytes
}

#[test]
fn registers_take_every_strobe() {
    for (timing, seed) in
        [(Timing::STEADY, 0), (Timing::TYPICAL, 1), (Timing::HOSTILE, 2), (Timing::HOSTILE, 3)]
    {
        let mut card = stand_in(timing, seed);
        let mut expected = [0u8; 4];
        for strobe in (0..16u8).chain([15, 1, 8]) {
            let data = [strobe, strobe ^ 0x55, !strobe, 0x90 | strobe];
            card.write_register(0, u32::from_le_bytes(data), strobe).unwrap();
            for lane in 0..4 {
                if strobe >> lane & 1 != 0 {
                    expected[lane] = data[lane];
                }
            }
            assert_eq!(card.read_register(0).unwrap(), u32::from_le_bytes(expected));
        }
        assert!(matches!(card.read_register(0x80), Err(SimError::BusError { address: 0x80, response: 2 })));
        assert!(matches!(card.read_register(0x84), Err(SimError::NoAnswer { address: 0x84, .. })));
        card.check_rules().unwrap();
    }
}

#[test]
fn bursts_of_every_length_arrive_with_every_timing() {
    for (timing, seed) in
        [(Timing::STEADY, 0), (Timing::TYPICAL, 1), (Timing::HOSTILE, 2), (Timing::HOSTILE, 3)]
    {
        let mut card = stand_in(timing, seed);
        let (mut source, target) = (buffer(&card, 4096), buffer(&card, 4096));
        let data: Vec<u8> = (0..4096u32).map(|at| (at * 7 + at / 256 + 1) as u8).collect();
        source.write(0, &data).unwrap();
        let mut expected = vec![0; 4096];
        for (beats, from, to) in [(1, 0, 64), (64, 0, 2048), (2, 96, 0), (33, 1024, 1024), (64, 2048, 0)] {
            assert!(!move_host(&mut card, source.iova() + from, target.iova() + to, beats, 0));
            let bytes = beats as usize * 32;
            expected[to as usize..][..bytes].copy_from_slice(&data[from as usize..][..bytes]);
            assert_eq!(contents(&target), expected);
            assert!(card.interrupt());
            write(&mut card, CONTROL, 4);
            assert!(!card.interrupt());
        }
        assert!(card.card_mut().memory_mut().write(0x1_0000 - 64, &data[..64], u64::MAX));
        assert!(card.card_mut().memory_mut().write(0x1_0000, &data[64..128], u64::MAX));
        for (from, to) in [(0x1_0000 - 64, 0x2000), (0x1_0000, CARD_BYTES - 64)] {
            for (address, word) in [(24, from), (28, to), (20, 1), (CONTROL, 2)] {
                write(&mut card, address, word);
            }
            assert_eq!(wait(&mut card), 0);
        }
        let mut seen = [0; 64];
        assert!(card.card_mut().memory_mut().read(0x2000, &mut seen) && seen[..] == data[..64]);
        assert!(card.card_mut().memory_mut().read(CARD_BYTES - 64, &mut seen) && seen[..] == data[64..128]);
        card.check_rules().unwrap();
        let traffic = card.host().traffic();
        assert_eq!((traffic.read_bursts, traffic.read_beats, traffic.write_beats), (5, 164, 164));
        assert_eq!((traffic.error_answers, card.host().memory().fault_count()), (0, 0));
    }
}

#[test]
fn what_is_not_mapped_is_a_bus_error() {
    let mut card = stand_in(Timing::HOSTILE, 4);
    let (source, target) = (buffer(&card, 4096), buffer(&card, 4096));
    assert!(move_host(&mut card, source.iova() + 4096, target.iova(), 2, 0), "reads past the end");
    assert!(move_host(&mut card, source.iova(), 0x1000, 1, 0), "writes to nowhere");
    let freed = target.iova();
    drop(target);
    assert!(move_host(&mut card, source.iova(), freed, 1, 0), "writes to a freed buffer");
    assert_eq!(card.host().memory().fault_count(), 4);
    // Card memory ends at its size.
    for (address, word) in [(24, CARD_BYTES), (28, 0), (20, 1), (CONTROL, 2)] {
        write(&mut card, address, word);
    }
    assert_eq!(wait(&mut card) & 2, 2);
    assert!(!move_host(&mut card, source.iova(), source.iova() + 2048, 1, 0), "and goes on");
    card.check_rules().unwrap();
}

#[test]
fn injected_errors_hit_the_named_burst() {
    let mut card = stand_in(Timing::TYPICAL, 5);
    let (mut source, target) = (buffer(&card, 4096), buffer(&card, 4096));
    source.write(0, &[9; 4096]).unwrap();
    card.host_mut().fail_read(1);
    card.host_mut().fail_write(2);
    let outcomes: Vec<bool> =
        (0..4).map(|at| move_host(&mut card, source.iova(), target.iova() + 32 * at, 1, 0)).collect();
    assert_eq!(outcomes, [false, true, true, false]);
    let seen = contents(&target);
    assert_eq!((seen[0], seen[32], seen[64], seen[96]), (9, 0xee, 0, 9));
    // Only the first of these rises reaches the host.
    card.drop_interrupts(1);
    write(&mut card, CONTROL, 4);
    move_host(&mut card, source.iova(), target.iova(), 1, 0);
    assert!(!card.interrupt());
    write(&mut card, CONTROL, 4);
    move_host(&mut card, source.iova(), target.iova(), 1, 0);
    assert!(card.interrupt());
}

#[test]
fn a_hanging_bus_hangs_the_engine_until_reset() {
    let mut card = stand_in(Timing::STEADY, 6);
    let (mut source, target) = (buffer(&card, 4096), buffer(&card, 4096));
    source.write(0, &[5; 64]).unwrap();
    card.host_mut().hold(true);
    for (address, data) in [(4, source.iova()), (8, source.iova() >> 32), (20, 1), (CONTROL, 1)] {
        write(&mut card, address, data);
    }
    card.run(5000).unwrap();
    assert_eq!(card.read_register(STATUS).unwrap() & 1, 1);
    card.host_mut().hold(false);
    card.reset().unwrap();
    assert_eq!(card.read_register(STATUS).unwrap(), 0);
    assert!(!move_host(&mut card, source.iova(), target.iova(), 1, 0));
    assert_eq!(contents(&target)[..32], [5; 32]);
    card.check_rules().unwrap();
}

#[test]
fn broken_rules_are_reported() {
    let border = |card: &SimCard| buffer(card, 8192);
    for (fault, beats, offset, expected) in [
        (1, 2, 0, "WLAST is true at beat 1 of 2"),
        (2, 64, 0, "WDATA, WSTRB or WLAST changed"),
        (3, 1, 0, "an offer must stand"),
        (4, 1, 0, "AR burst type is 0"),
        (5, 1, 0, "AW id is 3"),
        (0, 2, 4064, "crosses a 4 KiB border"),
        (0, 65, 0, "length is 65 beats"),
    ] {
        let mut card = stand_in(Timing::HOSTILE, 7);
        let (source, target) = (border(&card), border(&card));
        move_host(&mut card, source.iova() + offset, target.iova(), beats, fault);
        let message = card.check_rules().unwrap_err().to_string();
        let all: Vec<String> = card.violations().iter().map(ToString::to_string).collect();
        assert!(all.iter().any(|text| text.contains(expected) && text.starts_with("m_axi_host")), "{all:?}");
        assert!(message.contains("the card broke the rules"), "{message}");
    }
}

#[test]
fn the_same_seed_gives_the_same_cycles() {
    let cycles = |seed| {
        let mut card = stand_in(Timing::HOSTILE, seed);
        let (source, target) = (buffer(&card, 4096), buffer(&card, 4096));
        move_host(&mut card, source.iova(), target.iova(), 64, 0);
        card.cycles()
    };
    assert_eq!(cycles(1), cycles(1));
    assert_ne!(cycles(1), cycles(2));
}
