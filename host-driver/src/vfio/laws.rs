//! What holds whatever the kernel answers: order of opening and closing, and nothing left behind.

use super::fake::{ADDRESS, Behaviour, Call, Fake, GROUP, VALID};
use super::*;
use crate::lock::LockError;
use nix::errno::Errno;
use proptest::prelude::*;
use std::fs;

fn try_open(kernel: &Arc<Fake>) -> Result<VfioTransport, OpenError> {
    let lock = CardLock::acquire_in(kernel.root.path(), &ADDRESS.to_string())?;
    VfioTransport::open_with(kernel.clone(), &kernel.system, ADDRESS, lock)
}

fn open(kernel: &Arc<Fake>) -> VfioTransport {
    try_open(kernel).expect("a good card")
}

fn fake(change: impl FnOnce(&mut Behaviour)) -> Arc<Fake> {
    let mut behaviour = Behaviour::default();
    change(&mut behaviour);
    Arc::new(Fake::new(behaviour))
}

/// Opening fails as told, and leaves nothing behind, not even the lock.
fn refused(change: impl FnOnce(&mut Behaviour)) -> OpenError {
    let kernel = fake(change);
    let error = try_open(&kernel).map(drop).expect_err("must be refused");
    assert_eq!(kernel.problems(), Vec::<String>::new());
    CardLock::acquire_in(kernel.root.path(), &ADDRESS.to_string()).map(drop).expect("free");
    error
}

fn refused_at(call: Call, errno: Errno) -> OpenError {
    refused(|behaviour| behaviour.fails = Some((call, 1, errno)))
}

const CALLS: [Call; 17] = [
    Call::OpenContainer,
    Call::OpenGroup,
    Call::ApiVersion,
    Call::HasExtension,
    Call::GroupFlags,
    Call::SetContainer,
    Call::UnsetContainer,
    Call::SetIommu,
    Call::Iommu,
    Call::Map,
    Call::Unmap,
    Call::Device,
    Call::DeviceFlags,
    Call::Region,
    Call::Vectors,
    Call::SetInterrupts,
    Call::Reset,
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Any call may fail once, buffers may go before or after their transport: each mapping ends once and before its
    /// memory does, the card is silent, every file is closed, and the lock is free.
    #[test]
    fn nothing_is_left_behind(
        call in prop::sample::select(CALLS.to_vec()),
        number in 1u32..5,
        errno in prop::sample::select(vec![Errno::EBUSY, Errno::EPERM, Errno::ENOMEM, Errno::ENODEV, Errno::EIO]),
        sizes in prop::collection::vec((1usize..3_000_000, any::<bool>()), 0..6),
        resets in any::<bool>(),
    ) {
        let kernel = fake(|behaviour| behaviour.fails = Some((call, number, errno)));
        let mut outliving = Vec::new();
        if let Ok(mut transport) = try_open(&kernel) {
            prop_assert!(kernel.bus_master());
            for (bytes, outlives) in &sizes {
                let Ok(mut buffer) = transport.allocate(*bytes) else { continue };
                let mapped = kernel.mapped();
                let range = buffer.iova()..buffer.iova() + *bytes as u64;
                prop_assert!(mapped.iter().any(|map| map.start <= range.start && range.end <= map.end));
                buffer.write(*bytes - 1, &[1]).expect("inside");
                if *outlives {
                    outliving.push(buffer);
                }
            }
            if resets {
                let failed = transport.reset().is_err();
                prop_assert!(!failed || call == Call::Reset);
            }
            drop(transport);
        }
        prop_assert!(!kernel.bus_master(), "the card can still write");
        // While buffers live, so do their mappings and the card's lock.
        let lock = CardLock::acquire_in(kernel.root.path(), &ADDRESS.to_string());
        prop_assert_eq!(matches!(lock, Err(LockError::Held { .. })), !outliving.is_empty());
        drop(lock);
        drop(outliving);
        let problems = kernel.problems();
        if call == Call::Unmap && kernel.count(Call::Unmap) >= number {
            // What could not be unmapped is kept, rather than given to somebody else while the card may write to it.
            prop_assert!(problems.iter().any(|problem| problem.starts_with("mapped still")), "{:?}", problems);
        } else {
            prop_assert_eq!(problems, Vec::<String>::new());
        }
        CardLock::acquire_in(kernel.root.path(), &ADDRESS.to_string()).map(drop).expect("free");
    }
}

#[test]
fn a_card_is_opened_and_closed_in_order() {
    let kernel = fake(|_| {});
    let mut transport = open(&kernel);
    let buffer = transport.allocate(100).expect("memory");
    drop(transport);
    assert_eq!(kernel.log(), ["reset", "interrupts on", "interrupts off", "reset"]);
    drop(buffer);
    let log = kernel.log();
    assert_eq!(log[4..], ["unmapped", "group out of container"]);
    assert_eq!(kernel.problems(), Vec::<String>::new());
}

#[test]
fn errors_say_what_to_do() {
    let denied = refused_at(Call::OpenGroup, Errno::EACCES);
    assert!(
        matches!(&denied, OpenError::PermissionDenied { path, subsystem: "vfio" } if path.ends_with("dev/vfio/7"))
    );
    assert!(denied.to_string().contains("chown"), "{denied}");
    let denied = refused_at(Call::OpenContainer, Errno::EACCES);
    assert!(matches!(denied, OpenError::PermissionDenied { path, .. } if path.ends_with("dev/vfio/vfio")));
    assert!(matches!(refused_at(Call::OpenContainer, Errno::ENOENT), OpenError::NoVfio { .. }));
    for call in [Call::OpenGroup, Call::SetContainer, Call::Device] {
        assert!(matches!(refused_at(call, Errno::EBUSY), OpenError::InUse { .. }), "{call:?}");
    }
    assert!(matches!(refused_at(Call::OpenGroup, Errno::ENOENT), OpenError::NotBound { .. }));
    assert!(matches!(refused_at(Call::Device, Errno::ENODEV), OpenError::NotBound { .. }));
    assert!(refused_at(Call::SetIommu, Errno::EPERM).to_string().contains("interrupt remapping"));
    assert!(matches!(refused(|fake| fake.api_version = 1), OpenError::ApiVersion { found: 1 }));
    assert!(matches!(refused(|fake| fake.has_iommu = false), OpenError::NoIommu));
    assert!(matches!(refused(|fake| fake.bar_bytes = 2048), OpenError::Incomplete { .. }));
}

#[test]
fn a_group_that_is_not_viable_names_who_is_in_the_way() {
    let kernel = fake(|fake| fake.viable = false);
    let devices = kernel.root.path().join(format!("sys/kernel/iommu_groups/{GROUP}/devices"));
    fs::create_dir_all(&devices).expect("made");
    for (other, driver) in [
        (ADDRESS.to_string(), "vfio-pci"),
        ("0000:3b:00.1".into(), "nvme"),
        ("0000:3a:00.0".into(), "pcieport"),
    ] {
        fs::write(devices.join(&other), "").expect("written");
        let folder = kernel.root.path().join(format!("sys/bus/pci/devices/{other}"));
        fs::create_dir_all(&folder).expect("made");
        let _ = std::os::unix::fs::symlink(format!("drivers/{driver}"), folder.join("driver"));
    }
    let error = try_open(&kernel).map(drop).expect_err("not viable");
    let text = error.to_string();
    assert!(matches!(error, OpenError::GroupNotViable { others, .. } if others.len() == 1));
    assert!(text.contains("0000:3b:00.1 (driver nvme)"), "{text}");
}

#[test]
fn a_second_user_is_refused_with_the_first_ones_pid() {
    let kernel = fake(|_| {});
    let first = open(&kernel);
    let error = try_open(&kernel).map(drop).expect_err("in use");
    assert!(matches!(error, OpenError::InUse { pid: Some(pid), .. } if pid == std::process::id()), "{error}");
    drop(first);
    open(&kernel);
    assert_eq!(kernel.problems(), Vec::<String>::new());
}

#[test]
fn registers_are_accessed_mapped_or_not() {
    let none = 0..0;
    let cases = [
        [0..0x2000, 0x3000..0x4000],
        [0..0x4000, none.clone()],
        [0..0x1000, none.clone()],
        [none.clone(), none.clone()],
        [0x1000..0x2000, none],
    ];
    for parts in cases {
        let mappable: Vec<_> = parts.into_iter().filter(|range| !range.is_empty()).collect();
        let kernel = fake(|fake| fake.mappable = mappable.clone());
        let mut transport = open(&kernel);
        let widths = [AccessWidth::Byte, AccessWidth::Half, AccessWidth::Word, AccessWidth::Double];
        for width in widths {
            for offset in [0, 0x90, 0xff8, 0x1000, 0x1ff8, 0x2000, 0x2010, 0x3000, 0x3ff8] {
                kernel.put_card_bytes(offset, &[0x5a; 8]);
                transport.write_bar(offset, width, 0x8877_6655_4433_2211).expect("inside");
                let mut bytes = [0; 8];
                kernel.card_bytes(offset, &mut bytes);
                let mut expected = [0x5a; 8];
                let length = width.bytes() as usize;
                expected[..length].copy_from_slice(&0x8877_6655_4433_2211u64.to_le_bytes()[..length]);
                assert_eq!(bytes, expected, "{width} at {offset:#x}");
                assert_eq!(
                    transport.read_bar(offset, width).expect("inside"),
                    0x8877_6655_4433_2211 & width.all_ones()
                );
            }
            for outside in [0x4000, 0x3fff + u64::from(width == AccessWidth::Byte), u64::MAX] {
                let error = transport.read_bar(outside, width).expect_err("outside");
                assert!(matches!(error, TransportError::BadAccess { bar_bytes: 0x4000, .. }), "{error}");
                transport.write_bar(outside, width, 0).expect_err("outside");
            }
        }
        assert_eq!(transport.mapped.is_some(), mappable.first().is_some_and(|range| range.start == 0));
        transport.write_config(0x3c, AccessWidth::Byte, 0xab).expect("inside");
        assert_eq!(transport.read_config(0x3c, AccessWidth::Word).expect("inside"), 0xab);
        assert!(transport.read_config(4094, AccessWidth::Word).is_err());
        drop(transport);
        assert_eq!(kernel.problems(), Vec::<String>::new());
    }
}

#[test]
fn interrupts_arrive_at_their_vector() {
    let kernel = fake(|_| {});
    let mut transport = open(&kernel);
    let soon = Duration::from_millis(2);
    kernel.raise(1);
    assert!(!transport.wait_interrupt(0, soon).expect("waits"));
    assert!(transport.wait_interrupt(1, soon).expect("waits"));
    assert!(!transport.wait_interrupt(1, soon).expect("once"));
    kernel.raise(0);
    transport.reset().expect("resets");
    assert!(!transport.wait_interrupt(0, soon).expect("from before the reset"));
    assert!(matches!(transport.wait_interrupt(2, soon), Err(TransportError::NoSuchVector { vector: 2 })));
    drop(transport);
    assert_eq!(kernel.problems(), Vec::<String>::new());
}

#[test]
fn a_card_without_interrupts_or_reset_can_be_used() {
    let kernel = fake(|fake| (fake.vectors, fake.can_reset) = (0, false));
    let mut transport = open(&kernel);
    assert!(!transport.wait_interrupt(0, Duration::from_millis(1)).expect("polled"));
    assert!(transport.reset().expect_err("cannot").to_string().contains("power-cycle"));
    drop(transport);
    assert_eq!((kernel.count(Call::Reset), kernel.problems()), (0, Vec::new()));
}

#[test]
fn running_out_of_memory_says_how_much_there_is() {
    let kernel = fake(|fake| fake.lockable = 4 << 20);
    let mut transport = open(&kernel);
    let held = transport.allocate(2 << 20).expect("within the limit");
    let error = transport.allocate(3 << 20).map(drop).expect_err("beyond the limit");
    let TransportError::Allocation { bytes, reason } = &error else { panic!("{error}") };
    assert_eq!(*bytes, 3 << 20);
    assert!(reason.contains("hugepages of 2 MiB are free") && reason.contains("memlock"), "{reason}");
    drop(held);
    transport.allocate(3 << 20).map(drop).expect("room again");
    drop(transport);
    assert_eq!(kernel.problems(), Vec::<String>::new());
}

#[test]
fn addresses_stay_inside_what_the_iommu_translates() {
    let kernel = fake(|_| {});
    let mut transport = open(&kernel);
    // The container's own ranges: the kernel's, without the window of interrupts and the lowest addresses.
    let held: Vec<_> = (0..200).map(|_| transport.allocate(1 << 21).expect("memory")).collect();
    for buffer in &held {
        assert!(VALID.iter().any(|range| range.contains(&buffer.iova())));
        assert!(buffer.iova() >= 1 << 20);
    }
    drop(held);
    drop(transport);
    assert_eq!(kernel.problems(), Vec::<String>::new());
}

/// Runs in a process of its own, since other tests open files at the same time.
#[test]
fn a_thousand_opens_leave_no_descriptor_and_no_mapping() {
    const ALONE: &str = "SPANDREL_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let name = "vfio::laws::a_thousand_opens_leave_no_descriptor_and_no_mapping";
        let mut command = std::process::Command::new(std::env::current_exe().expect("this program"));
        let output =
            command.args(["--exact", name, "--test-threads=1"]).env(ALONE, "1").output().expect("runs");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
        return;
    }
    let kernel = fake(|_| {});
    let count = || {
        let descriptors = fs::read_dir("/proc/self/fd").expect("there").count();
        (descriptors, fs::read_to_string("/proc/self/maps").expect("there").lines().count())
    };
    let round = || {
        let mut transport = open(&kernel);
        let buffers = [100, 3 << 20].map(|bytes| transport.allocate(bytes).expect("memory"));
        drop(transport);
        drop(buffers);
        assert_eq!(kernel.problems(), Vec::<String>::new());
    };
    // What is allocated once, such as thread-local buffers of the library.
    (0..3).for_each(|_| round());
    let before = count();
    (0..1000).for_each(|_| round());
    assert_eq!(count(), before, "descriptors and mappings");
}
