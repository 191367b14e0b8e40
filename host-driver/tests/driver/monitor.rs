//! Looking at a card: its queues, its engine, its link.

use crate::support::{Faults, SoftCard, options};
use spandrel_abi::{REGISTERS, Status};
use spandrel_driver::{CardOptions, DriverError, FieldId, FieldOperation, LinkFaults, LinkSpeed};

#[test]
fn a_snapshot_shows_queues_and_engine() {
    let card = SoftCard::new();
    let mut driver = card.open(CardOptions { submission_entries: 16, ..options() }).expect("a good card");
    let idle = driver.snapshot().expect("a good card");
    assert!(idle.ready && idle.enabled && !idle.busy && idle.fault.is_none() && idle.link.is_none());
    assert_eq!((idle.submissions, idle.submission_entries), (0, 16));
    assert_eq!((idle.completions, idle.completion_entries), (0, 8));
    card.faults(Faults { stuck_from: Some(0), ..Faults::default() });
    let jobs: Vec<_> = (0..3)
        .map(|_| driver.submit_field_vector(FieldId::Fr, FieldOperation::Add, &[0; 32], &[0; 32]))
        .collect();
    card.model(|model| model.run(100));
    let busy = driver.snapshot().expect("a good card");
    assert!(busy.busy && busy.cycles > idle.cycles);
    assert_eq!(busy.submissions, 2, "one is being executed");
    // The software card adds every other cycle.
    let ratio = busy.additions_per_cycle(&idle).expect("time has passed");
    assert!((ratio - 0.5).abs() < 0.01, "{ratio}");
    assert_eq!(idle.additions_per_cycle(&busy), None, "the card was reset in between");
    assert_eq!(idle.additions_per_cycle(&idle), None, "no time has passed");
    drop(jobs);
    card.model(|model| model.queue_fault(Status::HostReadFault));
    assert_eq!(driver.snapshot().expect("a good card").fault, Some(Status::HostReadFault as u8));
    card.faults(Faults { gone: true, ..Faults::default() });
    assert!(matches!(driver.snapshot(), Err(DriverError::CardGone { .. })));
}

#[test]
fn a_snapshot_leaves_what_can_be_written_alone() {
    let card = SoftCard::new();
    let mut driver = card.open(options()).expect("a good card");
    let written = |card: &SoftCard| {
        let read_only = |offset| {
            REGISTERS.iter().any(|register| {
                register.offset == offset && register.access == spandrel_abi::Access::ReadOnly
            })
        };
        card.model(|model| {
            let offsets = (0x40..0xa0).step_by(4).filter(|offset| !read_only(*offset));
            offsets.map(|offset| model.read(offset)).collect::<Vec<_>>()
        })
    };
    let before = written(&card);
    driver.snapshot().expect("a good card");
    assert_eq!(written(&card), before);
}

#[test]
fn the_link_is_told_by_its_registers() {
    let card = SoftCard::new();
    let mut driver = card.open(options()).expect("a good card");
    assert_eq!(driver.link().expect("a good card"), None);
    card.model(|model| model.link = Some([0x0002_0321, 0x0403_0201, 0x0007_0605]));
    let link = driver.link().expect("a good card").expect("has one");
    assert_eq!((link.max_payload_bytes, link.max_read_bytes, link.stream_bits), (256, 512, 512));
    assert!(link.bus_master && link.msix_enable);
    assert_eq!(link.speed, LinkSpeed::default(), "there is no configuration space");
    let expected = LinkFaults {
        timeouts: 1,
        unsupported: 2,
        aborted: 3,
        poisoned: 4,
        malformed: 5,
        unexpected: 6,
        refused: 7,
    };
    assert_eq!(link.faults, expected);
    assert_eq!(link.faults.counts().iter().map(|(_, count)| count).sum::<u32>(), 28);
    // A bus that reads as zero where there is no endpoint.
    card.model(|model| model.link = Some([0; 3]));
    assert_eq!(driver.link().expect("a good card"), None);
    card.model(|model| model.link = Some([u32::MAX; 3]));
    assert!(matches!(driver.link(), Err(DriverError::CardGone { register: "LINK_STATUS" })));
}
