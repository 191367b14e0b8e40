//! What the driver's transport promises, kept through the server.

use crate::stand_in::*;
use spandrel_driver::{AccessWidth, DmaBuffer, Transport, TransportError, VfioUser};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

const WAIT: Duration = Duration::from_secs(10);

/// Has the function copy, and gives the vector that tells of the end.
fn copy(card: &mut VfioUser, source: u64, destination: u64, bytes: u64) -> u64 {
    card.write_bar(SOURCE, AccessWidth::Double, source).unwrap();
    card.write_bar(DESTINATION, AccessWidth::Double, destination).unwrap();
    card.write_bar(LENGTH, AccessWidth::Word, bytes).unwrap();
    card.write_bar(GO, AccessWidth::Word, COPY).unwrap();
    let deadline = Instant::now() + WAIT;
    loop {
        let state = card.read_bar(STATE, AccessWidth::Word).unwrap();
        if state >= DONE {
            return state;
        }
        assert!(Instant::now() < deadline, "the copy does not end");
    }
}

fn pattern(bytes: usize, seed: u8) -> Vec<u8> {
    (0..bytes).map(|at| (at as u8).wrapping_mul(31).wrapping_add(seed)).collect()
}

fn contents(buffer: &DmaBuffer, bytes: usize) -> Vec<u8> {
    let mut seen = vec![0; bytes];
    buffer.read(0, &mut seen).unwrap();
    seen
}

#[test]
fn registers_and_configuration_space_at_every_width() {
    let served = Served::start();
    let mut card = served.connect();
    assert_eq!(card.describe(), format!("vfio-user:{}", served.path.display()));
    let mut expected = [0u8; 64];
    let widths = [AccessWidth::Byte, AccessWidth::Half, AccessWidth::Word, AccessWidth::Double];
    for (round, width) in widths.into_iter().enumerate() {
        let bytes = width.bytes() as usize;
        for at in (0..64).step_by(bytes) {
            let value =
                0x1122_3344_5566_7788u64.wrapping_mul(at as u64 + 3 + round as u64) & width.all_ones();
            card.write_bar(0x100 + at as u64, width, value).unwrap();
            expected[at..at + bytes].copy_from_slice(&value.to_le_bytes()[..bytes]);
        }
        for width in widths {
            for at in (0..64).step_by(width.bytes() as usize) {
                let mut value = [0; 8];
                let bytes = width.bytes() as usize;
                value[..bytes].copy_from_slice(&expected[at..at + bytes]);
                let seen = card.read_bar(0x100 + at as u64, width).unwrap();
                assert_eq!(seen, u64::from_le_bytes(value), "{width} at {at}");
            }
        }
    }
    for (offset, width) in [
        (0x101, AccessWidth::Half),
        (0x4000, AccessWidth::Byte),
        (0x3ffc, AccessWidth::Double),
        (u64::MAX, AccessWidth::Byte),
    ] {
        let refused = card.read_bar(offset, width).unwrap_err();
        assert!(matches!(refused, TransportError::BadAccess { .. }), "{refused}");
        assert!(matches!(card.write_bar(offset, width, 0), Err(TransportError::BadAccess { .. })));
    }
    let broken = card.read_bar(BROKEN, AccessWidth::Word).unwrap_err();
    assert!(matches!(broken, TransportError::AccessFailed { offset: BROKEN, .. }), "{broken}");

    assert_eq!(card.read_config(0, AccessWidth::Half).unwrap(), u32::from(spandrel_abi::PCI_VENDOR));
    assert_eq!(card.read_config(2, AccessWidth::Half).unwrap(), u32::from(spandrel_abi::PCI_DEVICE));
    assert_eq!(card.read_config(COMMAND, AccessWidth::Byte).unwrap(), 6);
    // The BAR is the platform's: sizing it shows its size, and moves nothing.
    card.write_config(0x10, AccessWidth::Word, u32::MAX).unwrap();
    assert_eq!(card.read_config(0x10, AccessWidth::Word).unwrap(), !(spandrel_abi::BAR0_BYTES - 1));
    card.write_config(0x13, AccessWidth::Byte, 0xab).unwrap();
    assert_eq!(card.read_config(0x10, AccessWidth::Word).unwrap(), 0xabff_c000);
    for at in [0x14, 0x24, 0x30] {
        card.write_config(at, AccessWidth::Word, u32::MAX).unwrap();
        assert_eq!(card.read_config(at, AccessWidth::Word).unwrap(), 0);
    }
    assert!(matches!(card.read_config(0, AccessWidth::Double), Err(TransportError::BadAccess { .. })));
    assert!(matches!(card.read_config(0x1000, AccessWidth::Byte), Err(TransportError::BadAccess { .. })));
    // Without memory accesses enabled nobody answers at the BAR.
    card.write_config(COMMAND, AccessWidth::Half, 4).unwrap();
    card.write_bar(0x100, AccessWidth::Byte, 0).unwrap();
    assert_eq!(card.read_bar(0x100, AccessWidth::Word).unwrap(), u64::from(u32::MAX));
    card.write_config(COMMAND, AccessWidth::Half, 6).unwrap();
    assert_eq!(card.read_bar(0x100, AccessWidth::Byte).unwrap(), u64::from(expected[0]));
}

#[test]
fn memory_is_reached_where_it_is_mapped_and_nowhere_else() {
    let served = Served::start();
    let mut card = served.connect();
    const BYTES: usize = 3 * 4096;
    let (mut from, to) = (card.allocate(BYTES).unwrap(), card.allocate(BYTES - 1).unwrap());
    assert!(from.iova().is_multiple_of(4096) && to.len() == BYTES);
    assert!(to.iova() >= from.iova() + (BYTES + 4096) as u64, "a page in between stays unmapped");
    from.write(0, &pattern(BYTES, 1)).unwrap();
    assert_eq!(copy(&mut card, from.iova(), to.iova(), BYTES as u64), DONE);
    assert_eq!(contents(&to, BYTES), pattern(BYTES, 1));

    let faults = served.memory.fault_count();
    assert_eq!(copy(&mut card, from.iova() + 64, to.iova(), BYTES as u64), REFUSED, "past the end");
    assert_eq!(copy(&mut card, 0x1000, to.iova(), 64), REFUSED, "never mapped");
    assert_eq!(copy(&mut card, from.iova(), u64::MAX - 63, 64), REFUSED, "where addresses end");
    assert_eq!(contents(&to, BYTES), pattern(BYTES, 1), "nothing has changed");
    assert_eq!(served.memory.fault_count(), faults + 3);
    let freed = from.iova();
    drop(from);
    assert_eq!(copy(&mut card, freed, to.iova(), 64), REFUSED, "no longer mapped");
    let again = card.allocate(BYTES).unwrap();
    assert!(again.iova() > freed && contents(&again, BYTES) == vec![0; BYTES], "no address is used again");
    assert_eq!(served.memory.mapped(), 2);
    // Bus mastering off: the function reaches nothing.
    card.write_config(COMMAND, AccessWidth::Half, 2).unwrap();
    assert_eq!(copy(&mut card, again.iova(), to.iova(), 64), REFUSED);
    // A buffer outlives the transport, and is simply memory then.
    drop((card, to));
    assert_eq!(contents(&again, BYTES), vec![0; BYTES]);
}

#[test]
fn interrupts_arrive_and_are_told_apart() {
    let served = Served::start();
    let mut card = served.connect();
    let (from, to) = (card.allocate(64).unwrap(), card.allocate(64).unwrap());
    let started = Instant::now();
    assert!(!card.wait_interrupt(0, Duration::from_millis(20)).unwrap());
    assert!(started.elapsed() >= Duration::from_millis(20));
    assert!(matches!(card.wait_interrupt(2, WAIT), Err(TransportError::NoSuchVector { vector: 2 })));
    for _ in 0..50 {
        copy(&mut card, from.iova(), to.iova(), 64);
        assert!(card.wait_interrupt(0, WAIT).unwrap());
        assert!(!card.wait_interrupt(0, Duration::ZERO).unwrap(), "once");
        copy(&mut card, 0, to.iova(), 64);
        assert!(card.wait_interrupt(1, WAIT).unwrap());
        assert!(
            !card.wait_interrupt(0, Duration::ZERO).unwrap()
                && !card.wait_interrupt(1, Duration::ZERO).unwrap()
        );
    }
}

#[test]
fn resets_clear_the_function_and_leave_the_driver_connected() {
    let served = Served::start();
    let mut card = served.connect();
    let (from, to) = (card.allocate(64).unwrap(), card.allocate(64).unwrap());
    // Also where the function has stopped, and where it does not end a reset of its own.
    for (from_outside, before) in [(true, FOREVER), (false, FOREVER), (true, NO_RESET), (false, NO_RESET)] {
        card.write_bar(0x100, AccessWidth::Word, 77).unwrap();
        card.write_bar(GO, AccessWidth::Word, before).unwrap();
        if from_outside {
            card.reset().unwrap();
        } else {
            // As a guest's operating system does it.
            card.write_config(DEVICE_CONTROL, AccessWidth::Half, 1 << 15).unwrap();
            assert_eq!(card.read_config(COMMAND, AccessWidth::Half).unwrap(), 0);
            assert_eq!(card.read_bar(0x100, AccessWidth::Word).unwrap(), u64::from(u32::MAX));
            card.write_config(COMMAND, AccessWidth::Half, 6).unwrap();
        }
        assert_eq!(card.read_bar(0x100, AccessWidth::Word).unwrap(), 0);
        assert_eq!(card.read_bar(STATE, AccessWidth::Word).unwrap(), 0);
        assert_eq!(copy(&mut card, from.iova(), to.iova(), 64), DONE);
        assert!(card.wait_interrupt(0, WAIT).unwrap(), "interrupts work as before");
    }
}

#[test]
fn an_idle_card_stands_still() {
    let served = Served::start();
    let mut card = served.connect();
    card.write_bar(0x100, AccessWidth::Word, 1).unwrap();
    let cycles = || served.cycles.load(Ordering::Relaxed);
    // Some thousand cycles pass after an access, and then none.
    let deadline = Instant::now() + WAIT;
    let mut before = cycles();
    loop {
        std::thread::sleep(Duration::from_millis(50));
        let now = cycles();
        if now == before {
            break;
        }
        before = now;
        assert!(Instant::now() < deadline, "the card goes on though it has nothing to do");
    }
    assert!(before >= 10_000);
    // A wait alone does not wake it; an access does, and so does work without any access.
    assert!(!card.wait_interrupt(0, Duration::from_millis(50)).unwrap());
    assert_eq!(cycles(), before);
    card.write_bar(GO, AccessWidth::Word, FOREVER).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    let after = cycles();
    std::thread::sleep(Duration::from_millis(50));
    assert!(after > before && cycles() > after);
}
