//! The rings: wrap-around, full, empty, fast and slow hosts.

use super::host::Host;
use spandrel_abi::*;
use spandrel_sim::Timing;

fn identify(at: u64) -> Descriptor {
    Descriptor { opcode: Opcode::Identify as u8, host_out: at, ..Default::default() }
}

#[test]
fn rings_of_every_small_size_wrap_around() {
    for (sq_entries, cq_entries) in [(2, 2), (2, 8), (8, 2), (4, 16), (16, 4)] {
        let mut host = Host::with_rings(Timing::TYPICAL, 80, sq_entries, cq_entries);
        let out = host.buffer(64);
        let at = out.iova();
        let (mut submitted, mut completed) = (0u32, 0u32);
        let mut expected = std::collections::VecDeque::new();
        while completed < 40 {
            // As many as fit, of which every third is malformed.
            while submitted < 40 && submitted - completed < sq_entries - 1 {
                let opcode = if submitted % 3 == 2 { 77 } else { Opcode::Identify as u8 };
                expected.push_back((host.push(Descriptor { opcode, ..identify(at) }), opcode));
                submitted += 1;
            }
            host.ring();
            let completion = host.complete();
            let (id, opcode) = expected.pop_front().unwrap();
            let status = if opcode == 77 { Status::UnknownOpcode } else { Status::Success };
            assert_eq!((completion.command_id, completion.status), (id, status as u8));
            completed += 1;
            assert_eq!(completion.sq_head, completed % sq_entries);
        }
        host.card.run(1_000).unwrap();
        assert_eq!(host.read(SQ_HEAD), 40 % sq_entries);
        assert_eq!(host.read(CQ_TAIL), 40 % cq_entries);
        host.check_rules();
    }
}

#[test]
fn full_completion_ring_holds_the_card_until_the_host_reads() {
    let mut host = Host::with_rings(Timing::TYPICAL, 81, 16, 4);
    let out = host.buffer(64);
    let at = out.iova();
    let ids: Vec<u16> = (0..9).map(|_| host.push(identify(at))).collect();
    host.ring();
    host.card.run(20_000).unwrap();
    // Three of four entries are written; the fourth would make the ring full.
    assert_eq!(host.read(CQ_TAIL), 3);
    assert_eq!(STATUS_BUSY.get(host.read(STATUS)), 1);
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(host.poll().unwrap().command_id);
    }
    assert!(host.poll().is_none());
    // One place more, one entry more.
    for _ in 0..5 {
        let head = (host.read(CQ_HEAD) + 1) % 4;
        host.write(CQ_HEAD, head);
        host.card.run(5_000).unwrap();
        seen.push(host.poll().unwrap().command_id);
        assert!(host.poll().is_none());
    }
    let head = host.head;
    host.write(CQ_HEAD, head);
    seen.push(host.complete().command_id);
    assert_eq!(seen, ids);
    // The card is idle when the write of the entry, already to be seen, has been answered.
    host.card.run(1_000).unwrap();
    assert_eq!(STATUS_BUSY.get(host.read(STATUS)), 0);
    host.check_rules();
}

#[test]
fn disabled_card_fetches_nothing_and_finishes_what_it_has() {
    let mut host = Host::new(Timing::TYPICAL, 82);
    let out = host.buffer(64);
    let at = out.iova();
    host.write(CONTROL, 0);
    let first = host.push(identify(at));
    host.ring();
    host.card.run(5_000).unwrap();
    assert_eq!((host.read(SQ_HEAD), host.poll()), (0, None));
    host.write(CONTROL, CONTROL_ENABLE.put(1));
    while host.read(SQ_HEAD) == 0 {}
    host.write(CONTROL, 0);
    let second = host.push(identify(at));
    host.ring();
    assert_eq!(host.complete().command_id, first);
    host.card.run(5_000).unwrap();
    assert_eq!(host.poll(), None);
    host.write(CONTROL, CONTROL_ENABLE.put(1));
    assert_eq!(host.complete().command_id, second);
    host.check_rules();
}

/// Bits of a doorbell above the mask do not matter, nor does a doorbell that says nothing new.
#[test]
fn doorbells_are_masked() {
    let mut host = Host::new(Timing::TYPICAL, 83);
    let out = host.buffer(64);
    let at = out.iova();
    let id = host.push(identify(at));
    host.write(SQ_TAIL, 0xffff_fff9);
    assert_eq!(host.complete_silently().command_id, id);
    host.write(CQ_HEAD, 0x8000_0001);
    host.write(SQ_TAIL, 1);
    host.card.run(3_000).unwrap();
    assert_eq!((host.poll(), host.read(SQ_HEAD)), (None, 1));
    host.tail = 1;
    host.succeed(identify(at));
}

#[test]
fn completion_tells_the_cycles_of_its_command() {
    let mut host = Host::new(Timing::STEADY, 84);
    let buffer = host.buffer(1 << 16);
    let short = host.succeed(identify(buffer.iova())).cycles;
    let load = |count| Descriptor {
        opcode: Opcode::LoadBases as u8,
        count,
        host_a: buffer.iova(),
        ..Default::default()
    };
    let (less, more) = (host.succeed(load(100)).cycles, host.succeed(load(600)).cycles);
    assert!((300..360).contains(&short), "{short}");
    assert!((1000..1200).contains(&(more - less)), "{less} {more}");
}
