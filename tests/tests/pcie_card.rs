//! The driver over the Verilated card on PCI Express: every job against arkworks, and every fault of the link a typed error
//! that the next job does not feel.

use ark_bn254::Fr;
use rand::Rng;
use spandrel_abi::Status;
use spandrel_driver::{CardOptions, Corruption, DriverError};
use spandrel_sim::{ReadFault, SimControl};
use spandrel_tests::world::{World, must};

const CARD: &str = "sim-pcie";

#[test]
fn jobs_are_exact_over_a_link_that_stalls_splits_and_shuffles() {
    for seed in [1, 2] {
        let mut world = World::new(CARD, seed, true, CardOptions::default());
        must(world.card.self_test());
        let mut jobs: Vec<_> = (0..4).map(|_| must(world.submit())).collect();
        while !jobs.is_empty() {
            let (job, expected) = jobs.swap_remove(world.rng.gen_range(0..jobs.len()));
            assert_eq!(must(world.wait(job)), expected);
            world.check_field_vector();
        }
        let traffic = world.control.statistics().pcie;
        assert!(traffic.messages > 0 && traffic.failed_completions == 0, "{traffic:?}");
        assert!(traffic.completions > traffic.read_requests, "reads came in pieces: {traffic:?}");
    }
}

#[test]
fn jobs_are_exact_on_streams_of_512_bits() {
    let mut world = World::new("sim-pcie-512", 3, true, CardOptions::default());
    must(world.card.self_test());
    for _ in 0..2 {
        world.check();
        world.check_field_vector();
    }
}

/// Fails the MSM of all points with a fault injected into the `n`-th read from now; gives how it ended.
fn fault(world: &mut World, inject: impl FnOnce(&SimControl)) -> Result<(), DriverError> {
    let whole = 0..world.points.len();
    let scalars = vec![Fr::from(5u64); whole.len()];
    inject(&world.control);
    let job = must(world.submit_scalars(whole, &scalars));
    world.wait(job).map(|_| ())
}

#[test]
fn faults_of_reads_are_statuses_and_the_next_job_is_exact() {
    for stalls in [false, true] {
        let mut world = World::new(CARD, 4, stalls, CardOptions::default());
        let faults = [
            (ReadFault::Lost, Status::HostReadTimeout),
            (ReadFault::Late(30_000), Status::HostReadTimeout),
            (ReadFault::BlockTimeout, Status::HostReadTimeout),
            (ReadFault::Unsupported, Status::HostReadUnsupported),
            (ReadFault::Aborted, Status::HostReadAborted),
            (ReadFault::Poisoned, Status::HostReadPoisoned),
            (ReadFault::NoData, Status::HostReadMalformed),
            (ReadFault::WrongLength, Status::HostReadMalformed),
        ];
        for (injected, status) in faults {
            // The first read is that of the submission entry, the second one of the scalars'.
            match fault(&mut world, |control| control.fault_host_read(1, injected)) {
                Err(DriverError::CommandFailed { status: seen, .. }) => {
                    assert_eq!(seen, status, "{injected:?}")
                }
                other => panic!("{injected:?}: {other:?}"),
            }
            assert!(world.card.needs_reset().is_none());
            world.check();
            world.check_field_vector();
        }
        for harmless in [ReadFault::Late(10_000), ReadFault::Shattered] {
            must(fault(&mut world, |control| control.fault_host_read(1, harmless)));
            world.check();
        }
        // Without its submission entry the card stops its queues.
        let error = fault(&mut world, |control| control.fault_host_read(0, ReadFault::Unsupported));
        assert!(matches!(error, Err(DriverError::QueueFault { .. })), "{error:?}");
        must(world.card.reset());
        world.load();
        world.check();
    }
}

#[test]
fn what_the_iommu_throws_away_is_noticed() {
    let mut world = World::new(CARD, 5, false, CardOptions::default());
    // Writes are not answered: the first of a job is its result.
    let error = fault(&mut world, |control| control.fail_host_write(0));
    assert!(matches!(error, Err(DriverError::ResultNotWritten { .. })), "{error:?}");
    world.check();
    let error = fault(&mut world, |control| control.deny_host(0..u64::MAX));
    assert!(matches!(error, Err(DriverError::QueueFault { .. })), "{error:?}");
    let statistics = world.control.statistics();
    assert!(statistics.denied_accesses > 0 && statistics.host_faults >= statistics.denied_accesses);
    world.control.allow_host();
    must(world.card.reset());
    world.load();
    world.check();
}

#[test]
fn interrupts_may_be_lost_or_come_without_cause() {
    let mut world = World::new(CARD, 6, false, CardOptions::default());
    world.control.drop_interrupts(3);
    world.check();
    for vector in [0, 1, 0] {
        world.control.spurious_interrupt(vector);
        world.check();
    }
}

#[test]
fn a_damaged_completion_entry_is_found_out() {
    let mut world = World::new(CARD, 7, false, CardOptions::default());
    // Of a completion entry: the identifier, the status, the phase, the submission head.
    for (byte, bit) in [(1, 0x80), (2, 0x60), (3, 0x40), (7, 0x80)] {
        let mut mask = [0; spandrel_abi::COMPLETION_BYTES];
        mask[byte] = bit;
        let error = fault(&mut world, |control| control.corrupt_completion(0, mask)).unwrap_err();
        let DriverError::QueueCorrupted { corruption, .. } = error else { panic!("byte {byte}: {error}") };
        let fits = match byte {
            1 => matches!(corruption, Corruption::UnknownCommand { .. }),
            2 => matches!(corruption, Corruption::BadStatus { .. }),
            3 => matches!(corruption, Corruption::BadPhase { .. }),
            _ => matches!(corruption, Corruption::HeadOutOfRange { .. }),
        };
        assert!(fits, "byte {byte}: {corruption}");
        must(world.card.reset());
        world.load();
        world.check();
    }
}

#[test]
fn cards_that_vanish_come_back() {
    // So many looks at the card before, so that what it is at differs: fetching, loading scalars, computing, writing.
    for (looks, stalls, inject) in [
        (0, false, SimControl::unplug as fn(&SimControl)),
        (20, false, SimControl::unplug),
        (0, false, SimControl::reset_link),
        (5, true, SimControl::reset_link),
        (20, false, SimControl::reset_link),
        (0, false, SimControl::reset_function),
        (5, true, SimControl::reset_function),
        (10, true, SimControl::reset_function),
        (20, false, SimControl::reset_function),
    ] {
        let mut world = World::new(CARD, 8 + looks, stalls, CardOptions::default());
        let scalars = vec![Fr::from(5u64); world.points.len()];
        let job = must(world.submit_scalars(0..scalars.len(), &scalars));
        for _ in 0..looks {
            must(world.card.sample());
        }
        inject(&world.control);
        let error = world.wait(job).expect_err("a card off the bus ends no job");
        assert!(matches!(error, DriverError::CardGone { .. }), "{error}");
        world.control.plug();
        must(world.card.reset());
        world.load();
        world.check();
        world.check_field_vector();
    }
}

#[test]
fn a_stuck_engine_times_out_and_is_reset() {
    let options = CardOptions { bound_floor_cycles: 50_000, bound_factor: 2, ..CardOptions::default() };
    let mut world = World::new(CARD, 9, false, options);
    let scalars = vec![Fr::from(5u64); world.points.len()];
    let job = must(world.submit_scalars(0..scalars.len(), &scalars));
    world.control.hold_card(true);
    let error = world.wait(job).expect_err("a job that cannot read memory ends");
    assert!(matches!(error, DriverError::TimedOut { .. }), "{error}");
    assert!(world.submit().is_err(), "a card that needs a reset takes no job");
    // Its memory still hangs: neither its reset bit nor a function-level reset ends, so that the link is reset.
    must(world.card.reset());
    world.control.hold_card(false);
    world.load();
    world.check();
}

#[test]
fn a_link_that_hangs_is_told_from_a_card_that_does() {
    let mut world = World::new(CARD, 12, false, CardOptions::default());
    // The endpoint gives its reads up, so that the card can say what is wrong.
    let error = fault(&mut world, |control| control.hold_host(true)).expect_err("nothing can be read");
    assert!(matches!(error, DriverError::QueueFault { .. }), "{error}");
    world.control.hold_host(false);
    must(world.card.reset());
    world.load();
    world.check();
}

/// Bytes per cycle of a card without stalls, with payloads and reads of 512 bytes.
#[test]
fn data_moves_at_nine_tenths_of_the_bus() {
    for profile in [CARD, "sim-pcie-512"] {
        let mut world = World::new(profile, 10, false, CardOptions::default());
        let mut measured = Vec::new();
        for kib in [64, 256, 1024] {
            let bytes: Vec<u8> = (0..kib << 10).map(|at: u32| ((at * 7) >> 3) as u8 & 0x7f).collect();
            let loopback = must(world.card.loopback(&bytes));
            let rate = |cycles: u64| bytes.len() as f64 / cycles as f64;
            let (load, read) = (rate(loopback.load_cycles), rate(loopback.read_cycles));
            println!(
                "{profile}, {kib} KiB: {load:.2} bytes per cycle to the card, {read:.2} back, whole commands"
            );
            measured.push((bytes.len() as f64, loopback));
        }
        let [(small, first), _, (large, last)] = measured[..] else { panic!("three sizes") };
        for (way, cycles) in [
            ("to the card", last.load_cycles - first.load_cycles),
            ("back", last.read_cycles - first.read_cycles),
        ] {
            let rate = (large - small) / cycles as f64;
            println!("{profile}: {rate:.2} bytes per cycle {way} once it flows");
            assert!(rate >= 0.9 * 32.0, "{rate} bytes per cycle {way}");
        }
    }
}
