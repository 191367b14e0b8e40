//! Memories that refuse: a command ends with the fault's status, a ring that cannot be used stops the queues.

use super::host::{Host, bytes_of, noise};
use super::stand_in::{PARAMETER, field_result};
use spandrel_abi::*;
use spandrel_sim::Timing;

/// An address at which the host maps nothing.
const NOWHERE: u64 = 0x7fff_0000_0000;

fn status(completion: Completion) -> Status {
    Status::from_code(completion.status).unwrap()
}

#[test]
fn commands_end_with_the_fault_of_their_data() {
    let mut host = Host::new(Timing::HOSTILE, 90);
    let buffer = host.buffer(1 << 15);
    let at = buffer.iova();
    let load = Descriptor { opcode: Opcode::LoadBases as u8, count: 150, host_a: at, ..Default::default() };
    let msm = Descriptor {
        opcode: Opcode::Msm as u8,
        count: 150,
        host_a: at,
        host_out: at,
        parameter: PARAMETER,
        ..Default::default()
    };
    let vector = Descriptor {
        opcode: Opcode::FieldVector as u8,
        count: 150,
        host_a: at,
        host_b: at,
        host_out: at,
        ..Default::default()
    };
    let identify = Descriptor { opcode: Opcode::Identify as u8, host_out: at, ..Default::default() };
    let counters = Descriptor { opcode: Opcode::ReadCounters as u8, host_out: at, ..Default::default() };
    let cases = [
        (Descriptor { host_a: NOWHERE, ..load }, Status::HostReadFault),
        (Descriptor { host_a: NOWHERE, ..msm }, Status::HostReadFault),
        (Descriptor { host_a: NOWHERE, ..vector }, Status::HostReadFault),
        (Descriptor { host_b: NOWHERE, ..vector }, Status::HostReadFault),
        (Descriptor { host_out: NOWHERE, ..msm }, Status::HostWriteFault),
        (Descriptor { host_out: NOWHERE, ..vector }, Status::HostWriteFault),
        (Descriptor { host_out: NOWHERE, ..identify }, Status::HostWriteFault),
        (Descriptor { host_out: NOWHERE, ..counters }, Status::HostWriteFault),
        // Only the last pages are missing.
        (Descriptor { host_a: at + (1 << 15) - 4096, ..load }, Status::HostReadFault),
        // Addresses that wrap around.
        (Descriptor { host_a: u64::MAX - 31, ..load }, Status::HostReadFault),
        (Descriptor { host_out: u64::MAX - 31, ..msm }, Status::HostWriteFault),
    ];
    for (descriptor, expected) in cases {
        assert_eq!(status(host.execute(descriptor)), expected, "{descriptor:?}");
        // The fault is the command's and of nobody else.
        assert_eq!(status(host.execute(identify)), Status::Success);
    }
    for (descriptor, write) in [(load, true), (msm, false)] {
        match write {
            true => host.card.card_mut().fail_write(1),
            false => host.card.card_mut().fail_read(1),
        }
        assert_eq!(status(host.execute(descriptor)), Status::CardMemoryFault);
        assert_eq!(status(host.execute(descriptor)), Status::Success);
    }
    assert_eq!(STATUS_FAULT.get(host.read(STATUS)), 0);
    // After all this the data path is whole.
    let (a, b) = (noise(1, 32 * 100), noise(2, 32 * 100));
    let (host_a, host_b, host_out) = (host.filled(0, &a), host.filled(0, &b), host.buffer(3200));
    host.succeed(Descriptor {
        count: 100,
        host_a: host_a.iova(),
        host_b: host_b.iova(),
        host_out: host_out.iova(),
        ..vector
    });
    let expected: Vec<u8> =
        a.chunks(32).zip(b.chunks(32)).flat_map(|(a, b)| field_result(0, 0, a, b)).collect();
    assert_eq!(bytes_of(&host_out, 0, 3200), expected);
    assert_eq!(host.counters().host_read_bytes, 6400);
    host.check_rules();
}

/// The queues stand, say why, raise the interrupt, and come back by a reset.
fn stands_with(host: &mut Host, code: Status) {
    for _ in 0..1000 {
        if STATUS_FAULT.get(host.read(STATUS)) == 1 {
            break;
        }
    }
    let word = host.read(STATUS);
    assert_eq!(STATUS_FAULT.get(word), 1, "{word:#x} {code:?}");
    assert_eq!(STATUS_FAULT_CODE.get(word), code as u32);
    assert_eq!((STATUS_BUSY.get(word), STATUS_READY.get(word)), (0, 1));
    assert_eq!(INTERRUPT_FAULT.get(host.read(INTERRUPT_STATUS)), 1);
    assert!(host.card.interrupt());
    // It stands even if the host goes on.
    let head = host.read(SQ_HEAD);
    host.write(SQ_TAIL, 5);
    host.write(CONTROL, 0);
    host.write(CONTROL, CONTROL_ENABLE.put(1));
    host.card.run(2_000).unwrap();
    assert_eq!(host.read(SQ_HEAD), head);
    assert_eq!(STATUS_FAULT.get(host.read(STATUS)), 1);

    host.reset();
    assert_eq!(host.read(STATUS), STATUS_READY.put(1));
    assert!(!host.card.interrupt());
    let out = host.buffer(64);
    host.succeed(Descriptor { opcode: Opcode::Identify as u8, host_out: out.iova(), ..Default::default() });
    host.check_rules();
}

#[test]
fn rings_that_cannot_be_reached_stop_the_queues() {
    let mut host = Host::new(Timing::TYPICAL, 91);
    let out = host.buffer(64);
    let identify = Descriptor { opcode: Opcode::Identify as u8, host_out: out.iova(), ..Default::default() };
    host.write(CONTROL, 0);
    host.write(SQ_BASE_HI, (NOWHERE >> 32) as u32);
    host.write(CONTROL, CONTROL_ENABLE.put(1));
    host.push(identify);
    host.ring();
    stands_with(&mut host, Status::HostReadFault);

    host.write(CONTROL, 0);
    host.write(CQ_BASE_HI, (NOWHERE >> 32) as u32);
    host.write(CONTROL, CONTROL_ENABLE.put(1));
    host.push(identify);
    host.ring();
    stands_with(&mut host, Status::HostWriteFault);
}

#[test]
fn rings_of_impossible_shape_stop_the_queues() {
    let mut host = Host::new(Timing::TYPICAL, 92);
    let shapes = [
        (SQ_MASK, 5, Status::BadLength),
        (SQ_MASK, 0x1_ffff, Status::BadLength),
        (CQ_MASK, 0, Status::BadLength),
        (CQ_MASK, 6, Status::BadLength),
        (CQ_MASK, u32::MAX, Status::BadLength),
        (SQ_BASE_LO, 32, Status::BadAlignment),
        (CQ_BASE_LO, 16, Status::BadAlignment),
    ];
    for (register, value, code) in shapes {
        host.write(CONTROL, 0);
        host.write(register, value);
        host.write(CONTROL, CONTROL_ENABLE.put(1));
        host.push(Descriptor::default());
        host.ring();
        stands_with(&mut host, code);
    }
}
