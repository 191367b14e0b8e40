use super::*;
use crate::Timing;
use crate::card::tests::stand_in;
use spandrel_driver::AccessWidth::{Byte, Double, Half, Word};

fn transport(seed: u64) -> InProcess {
    InProcess::from_card(stand_in(Timing::TYPICAL, seed), "stand-in", 100_000)
}

fn start_move(transport: &mut InProcess, buffer: &DmaBuffer, to: u64) {
    transport.write_bar(4, Word, buffer.iova()).unwrap();
    transport.write_bar(8, Double, buffer.iova() >> 32 | (buffer.iova() + to) << 32).unwrap();
    transport.write_bar(16, Word, (buffer.iova() + to) >> 32).unwrap();
    transport.write_bar(20, Byte, 1).unwrap();
    transport.write_bar(32, Word, 5).unwrap();
}

const WAIT: Duration = Duration::from_millis(1);

#[test]
fn every_width_reaches_its_bytes() {
    let mut bus = transport(1);
    assert_eq!(bus.describe(), "sim:stand-in");
    bus.write_bar(0, Double, 0x8877_6655_4433_2211).unwrap();
    assert_eq!(bus.read_bar(0, Word).unwrap(), 0x4433_2211);
    assert_eq!(bus.read_bar(4, Word).unwrap(), 0x8877_6655);
    for at in 0..8 {
        assert_eq!(bus.read_bar(at, Byte).unwrap(), 0x11 * (at + 1));
    }
    bus.write_bar(2, Half, 0xdead_beef_0123).unwrap();
    bus.write_bar(5, Byte, 0x1_f0).unwrap();
    assert_eq!(bus.read_bar(0, Double).unwrap(), 0x8877_f055_0123_2211);
    assert_eq!(bus.read_bar(6, Half).unwrap(), 0x8877);
    for (offset, width) in [(1, Half), (2, Word), (4, Double), (4096, Byte), (4092, Double), (u64::MAX, Byte)]
    {
        let outcome = bus.read_bar(offset, width);
        assert!(matches!(outcome, Err(TransportError::BadAccess { .. })), "{offset} {outcome:?}");
        assert!(bus.write_bar(offset, width, 0).is_err());
    }
    assert!(matches!(bus.read_bar(0x80, Word), Err(TransportError::AccessFailed { offset: 0x80, .. })));
}

#[test]
fn interrupts_come_or_time_runs_out() {
    let mut bus = transport(2);
    let mut buffer = bus.allocate(64).unwrap();
    buffer.write(0, &[3; 32]).unwrap();
    let before = bus.now();
    assert!(!bus.wait_interrupt(0, WAIT).unwrap());
    assert_eq!(bus.now() - before, WAIT);
    assert!(matches!(bus.wait_interrupt(1, WAIT), Err(TransportError::NoSuchVector { vector: 1 })));
    start_move(&mut bus, &buffer, 32);
    let before = bus.now();
    assert!(bus.wait_interrupt(0, WAIT).unwrap());
    assert!(bus.now() > before && bus.now() - before < WAIT);
    assert!(bus.wait_interrupt(0, WAIT).unwrap(), "a level stays");
    let mut seen = [0; 32];
    buffer.read(32, &mut seen).unwrap();
    assert_eq!(seen, [3; 32]);
    let statistics = bus.control().statistics();
    assert_eq!(
        (statistics.host.read_beats, statistics.host.write_beats, statistics.mapped_buffers),
        (1, 1, 1)
    );
    drop(buffer);
    bus.reset().unwrap();
    assert!(!bus.wait_interrupt(0, Duration::ZERO).unwrap());
    assert_eq!(bus.control().statistics().mapped_buffers, 0);
}

#[test]
fn orders_reach_a_card_that_is_owned_elsewhere() {
    let bus = transport(3);
    let control = bus.control();
    let mut bus: Box<dyn Transport> = Box::new(bus);
    control.unplug();
    let before = bus.now();
    assert_eq!(bus.read_bar(0, Word).unwrap(), 0xffff_ffff);
    assert_eq!(bus.read_bar(0, Double).unwrap(), u64::MAX);
    bus.write_bar(0, Word, 1).unwrap();
    assert!(!bus.wait_interrupt(0, Duration::from_secs(3600)).unwrap(), "and takes no real hour");
    assert!(bus.now() - before > Duration::from_secs(3600));
    control.plug();
    assert_eq!(bus.read_bar(0, Word).unwrap(), 0);
}

#[test]
fn broken_rules_fail_every_later_call() {
    let mut bus = transport(4);
    let buffer = bus.allocate(64).unwrap();
    // A burst of 65 beats.
    bus.write_bar(4, Word, buffer.iova()).unwrap();
    bus.write_bar(8, Word, buffer.iova() >> 32).unwrap();
    bus.write_bar(20, Word, 65).unwrap();
    let result = bus.write_bar(32, Word, 1).and_then(|()| bus.wait_interrupt(0, WAIT));
    let error = result.unwrap_err().to_string();
    assert!(error.contains("at most 64"), "{error}");
    assert!(bus.read_bar(0, Word).is_err());
}
