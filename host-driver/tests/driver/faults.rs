//! Cards that fail, one way at a time.

use crate::support::{Faults, Interrupts, SoftCard, identification, options};
use spandrel_abi::{ABI_MAJOR, Completion};
use spandrel_driver::{
    Card, CardOptions, Corruption, DriverError, FieldId, FieldOperation, Identification, Job, Opcode,
};

fn submit(driver: &mut Card) -> Result<Job<Vec<u8>>, DriverError> {
    driver.submit_field_vector(FieldId::Fr, FieldOperation::Add, &[1; 32], &[2; 32])
}

fn run(driver: &mut Card) -> Result<Vec<u8>, DriverError> {
    let job = submit(driver)?;
    driver.wait(job, &mut |_| {})
}

fn works(driver: &mut Card) {
    assert_eq!(run(driver).expect("a good job"), [3; 32]);
}

/// A job under `faults` fails as told; the card asks for a reset, and works after it once the fault is gone.
fn fails_until_reset(faults: Faults, expected: impl FnOnce(&DriverError) -> bool) -> SoftCard {
    let card = SoftCard::new();
    let mut driver = card.open(options()).expect("a good card");
    let bases = driver.load_bases(&[0; 64]).expect("room");
    works(&mut driver);
    card.faults(faults);
    let error = run(&mut driver).expect_err("must fail");
    assert!(expected(&error), "{error:?}");
    assert!(driver.needs_reset().is_some_and(|reason| reason == error.to_string()));
    assert!(matches!(submit(&mut driver), Err(DriverError::NeedsReset { .. })));
    card.faults(Faults::default());
    driver.reset().expect("a reset helps");
    assert_eq!(driver.needs_reset(), None);
    assert!(matches!(driver.submit_msm(&bases, 0..1, &[0; 32]), Err(DriverError::BasesLost)));
    works(&mut driver);
    assert_eq!(card.stray_accesses(), Vec::<u64>::new());
    card
}

/// A write over PCIe that is thrown away is not reported to the card. Zeros would be a result; they are not taken for one.
#[test]
fn a_result_that_never_reached_memory_is_noticed() {
    let card = SoftCard::new();
    let mut driver = card.open(options()).expect("a good card");
    let bases = driver.load_bases(&[0; 64]).expect("room");
    for lost in [0, 2, 7] {
        card.faults(Faults { lost_element: Some(lost), ..Faults::default() });
        let job = driver.submit_msm(&bases, 0..1, &[0; 32]).expect("valid");
        let error = driver.wait(job, &mut |_| {}).expect_err("a part is missing");
        assert!(
            matches!(error, DriverError::ResultNotWritten { opcode: Opcode::Msm, offset } if offset == 32 * lost),
            "{error}"
        );
        assert_eq!(driver.needs_reset(), None, "the card itself works");
        card.faults(Faults::default());
        works(&mut driver);
    }
    card.faults(Faults { lost_element: Some(3), ..Faults::default() });
    let error = driver.loopback(&[1; 256]).expect_err("a part is missing");
    assert!(matches!(error, DriverError::ResultNotWritten { opcode: Opcode::ReadCard, offset: 96 }));
}

fn refused(change: impl FnOnce(&mut Identification)) -> DriverError {
    let mut identification = identification();
    change(&mut identification);
    let card = SoftCard::with(identification, 1);
    let error = card.open(options()).map(drop).expect_err("must be refused");
    assert_eq!(card.model(|model| model.resets), 0, "a card that is refused is left alone");
    error
}

#[test]
fn a_card_that_is_none_is_refused() {
    assert!(matches!(refused(|id| id.magic = 0xdead_beef), DriverError::NotSpandrel { found: 0xdead_beef }));
    assert!(matches!(
        refused(|id| id.abi_major = ABI_MAJOR + 1),
        DriverError::AbiMismatch { major, .. } if major == ABI_MAJOR + 1
    ));
    assert!(matches!(refused(|id| id.msm_window_choices = 1), DriverError::BadIdentification { .. }));
    let card = SoftCard::new();
    card.faults(Faults { gone: true, ..Faults::default() });
    assert!(matches!(card.open(options()), Err(DriverError::CardGone { register: "MAGIC" })));
    card.faults(Faults { scratch_forgets: true, ..Faults::default() });
    assert!(matches!(
        card.open(options()),
        Err(DriverError::RegisterMismatch { register: "SCRATCH", read: 0, .. })
    ));
    card.faults(Faults { identify_wrong: true, ..Faults::default() });
    assert!(matches!(card.open(options()), Err(DriverError::IdentificationDiffers)));
    card.faults(Faults::default());
    works(&mut card.open(options()).expect("a good card"));
}

#[test]
fn all_ones_mean_that_the_card_is_gone() {
    let gone = Faults { gone: true, ..Faults::default() };
    fails_until_reset(gone, |error| matches!(error, DriverError::CardGone { register: "STATUS" }));
}

#[test]
fn a_card_that_goes_for_good_does_not_hang_anything() {
    let card = SoftCard::new();
    let mut driver = card.open(options()).expect("a good card");
    let job = submit(&mut driver).expect("valid");
    card.faults(Faults { gone: true, ..Faults::default() });
    assert!(matches!(driver.poll(&job), Err(DriverError::CardGone { .. })));
    assert!(matches!(driver.wait(job, &mut |_| {}), Err(DriverError::NeedsReset { .. })));
    assert!(matches!(driver.reset(), Err(DriverError::CardGone { .. })));
    assert!(driver.needs_reset().is_some());
    let mapped = card.mapped();
    drop(driver);
    assert_eq!(card.mapped(), mapped, "what the card might still write to is not given back");
}

#[test]
fn memory_of_running_jobs_stays_with_a_card_that_cannot_be_stopped() {
    let card = SoftCard::new();
    let mut driver = card.open(options()).expect("a good card");
    let job = submit(&mut driver).expect("valid");
    let mapped = card.mapped();
    card.faults(Faults { reset_register_stuck: true, reset_dead: true, ..Faults::default() });
    drop(driver);
    drop(job);
    assert_eq!(card.mapped(), mapped);
}

#[test]
fn waiting_sleeps_instead_of_polling() {
    let card = SoftCard::new();
    let mut driver = card.open(options()).expect("a good card");
    // Leaves the interrupt line high.
    let job = submit(&mut driver).expect("valid");
    card.model(|model| model.run(1000));
    driver.wait(job, &mut |_| {}).expect("a good job");
    assert!(card.model(|model| model.interrupt()));
    card.faults(Faults { stuck_from: Some(0), ..Faults::default() });
    let before = card.model(|model| (model.accesses, model.now));
    assert!(matches!(run(&mut driver), Err(DriverError::TimedOut { .. })));
    let (accesses, cycles) = card.model(|model| (model.accesses - before.0, model.now - before.1));
    let intervals = cycles / options().poll_cycles;
    assert!(accesses <= 2 * intervals + 10, "{accesses} accesses in {intervals} intervals");
}

#[test]
fn a_command_that_never_ends_times_out() {
    let stuck = Faults { stuck_from: Some(0), ..Faults::default() };
    fails_until_reset(stuck, |error| {
        matches!(
            error,
            DriverError::TimedOut { opcode: Opcode::FieldVector, waited, bound }
                // Neither early nor much too late.
                if waited > bound && *waited < 2 * *bound
        )
    });
}

#[test]
fn time_is_measured_from_the_last_progress_not_from_submission() {
    for completion_entries in [2, 8] {
        let card = SoftCard::new();
        let mut driver = card.open(CardOptions { completion_entries, ..options() }).expect("a good card");
        let look_away = || card.model(|model| model.run(100_000_000));
        // The user looks away for much longer than any bound, while the rings are full or empty.
        let jobs: Vec<_> = (0..20).map(|_| submit(&mut driver).expect("valid")).collect();
        look_away();
        // The last one first: progress of the others counts too.
        for job in jobs.into_iter().rev() {
            assert_eq!(driver.wait(job, &mut |_| {}).expect("a good job"), [3; 32]);
            look_away();
        }
        works(&mut driver);
    }
}

#[test]
fn one_stuck_job_does_not_spoil_those_before_it() {
    let card = SoftCard::new();
    let mut driver = card.open(options()).expect("a good card");
    // Identify was the first command.
    card.faults(Faults { stuck_from: Some(3), ..Faults::default() });
    let jobs: Vec<_> = (0..4).map(|_| submit(&mut driver).expect("valid")).collect();
    let mut jobs = jobs.into_iter();
    let mut next = || jobs.next().expect("four jobs");
    let (first, second, third, fourth) = (next(), next(), next(), next());
    assert!(matches!(driver.wait(third, &mut |_| {}), Err(DriverError::TimedOut { .. })));
    assert!(matches!(driver.wait(fourth, &mut |_| {}), Err(DriverError::NeedsReset { .. })));
    assert_eq!(driver.wait(first, &mut |_| {}).expect("ended in time"), [3; 32]);
    card.faults(Faults::default());
    driver.reset().expect("a reset helps");
    assert_eq!(driver.wait(second, &mut |_| {}).expect("a result outlives a reset"), [3; 32]);
    works(&mut driver);
}

#[test]
fn interrupts_may_be_lost_or_spurious() {
    for interrupts in [Interrupts::Never, Interrupts::Always] {
        let card = SoftCard::new();
        card.faults(Faults { interrupts, ..Faults::default() });
        let mut driver = card.open(options()).expect("a good card");
        works(&mut driver);
        // And neither keeps a stuck card from being noticed.
        card.faults(Faults { interrupts, stuck_from: Some(0), ..Faults::default() });
        assert!(matches!(run(&mut driver), Err(DriverError::TimedOut { .. })));
    }
}

#[test]
fn a_clock_that_stands_still_ends_the_wait() {
    let frozen = || Faults { frozen: true, ..Faults::default() };
    fails_until_reset(frozen(), |error| matches!(error, DriverError::ClockStopped { .. }));
    let card = SoftCard::new();
    card.faults(frozen());
    assert!(matches!(card.open(options()), Err(DriverError::ClockStopped { .. })));
}

#[test]
fn a_reset_behind_the_drivers_back_is_noticed() {
    let card = SoftCard::new();
    let mut driver = card.open(options()).expect("a good card");
    for settled in [false, true] {
        let job = submit(&mut driver).expect("valid");
        card.model(|model| {
            model.reset();
            if settled {
                model.run(1000);
            }
        });
        assert!(matches!(driver.wait(job, &mut |_| {}), Err(DriverError::ResetBehindDriver)));
        driver.reset().expect("a reset helps");
        works(&mut driver);
    }
}

#[test]
fn a_reset_with_jobs_under_way_loses_just_those() {
    let card = SoftCard::new();
    let mut driver = card.open(options()).expect("a good card");
    let jobs: Vec<_> = (0..20).map(|_| submit(&mut driver).expect("valid")).collect();
    driver.reset().expect("a good card");
    assert_eq!(card.mapped(), 2, "only the rings are left");
    for job in jobs {
        assert!(matches!(driver.poll(&job), Err(DriverError::JobLost)));
        assert!(matches!(driver.wait(job, &mut |_| {}), Err(DriverError::JobLost)));
    }
    works(&mut driver);
    assert_eq!(card.stray_accesses(), Vec::<u64>::new());
}

#[test]
fn dropping_a_card_stops_it_before_its_memory_goes() {
    let card = SoftCard::new();
    let mut driver = card.open(options()).expect("a good card");
    let jobs: Vec<_> = (0..20).map(|_| submit(&mut driver).expect("valid")).collect();
    drop(driver);
    drop(jobs);
    assert_eq!(card.mapped(), 0);
    card.model(|model| model.run(100_000));
    assert_eq!(card.stray_accesses(), Vec::<u64>::new());
}

#[test]
fn a_stuck_reset_register_is_helped_from_outside() {
    let card = SoftCard::new();
    card.faults(Faults { reset_register_stuck: true, ..Faults::default() });
    works(&mut card.open(options()).expect("reset from outside"));
    card.faults(Faults { reset_dead: true, ..Faults::default() });
    let error = card.open(options()).map(drop).expect_err("no reset works");
    assert!(matches!(error, DriverError::ResetFailed { .. }), "{error}");
    card.faults(Faults::default());
    works(&mut card.open(options()).expect("a good card"));
}

#[test]
fn allocations_that_fail_leave_a_card_that_works() {
    let card = SoftCard::new();
    let mut allocations = 0;
    // Ring by ring, then the buffers of the first command.
    let mut driver = loop {
        card.model(|model| model.faults.allocations_left = Some(allocations));
        match card.open(options()) {
            Ok(driver) => break driver,
            Err(error) => assert!(matches!(error, DriverError::Transport(_)), "{error}"),
        }
        assert_eq!(card.mapped(), 0);
        allocations += 1;
    };
    assert_eq!(allocations, 3);
    let (mut vectors, mut msms) = (0, 0);
    for allocations in 0..4 {
        card.model(|model| model.faults.allocations_left = Some(allocations));
        vectors += usize::from(run(&mut driver).is_ok());
        card.model(|model| model.faults.allocations_left = Some(1));
        let bases = driver.load_bases(&[0; 64]).expect("one buffer is enough");
        card.model(|model| model.faults.allocations_left = Some(allocations));
        match driver.submit_msm(&bases, 0..1, &[0; 32]) {
            Ok(job) => {
                driver.wait(job, &mut |_| {}).expect("a good job");
                msms += 1;
            }
            Err(error) => assert!(matches!(error, DriverError::Transport(_)), "{error}"),
        }
        card.model(|model| model.faults.allocations_left = Some(0));
        assert!(matches!(driver.load_bases(&[0; 64]), Err(DriverError::Transport(_))));
    }
    assert_eq!((vectors, msms), (1, 1), "each takes three buffers");
    assert_eq!(driver.needs_reset(), None);
    assert_eq!(driver.free_card_memory(), 16 * 1024, "what was not loaded takes no memory");
    card.faults(Faults::default());
    works(&mut driver);
}

/// Changes every completion entry.
fn tampered(change: impl Fn(&mut Completion) + Send + 'static) -> Faults {
    Faults {
        tamper: Some(Box::new(move |_, bytes| {
            let mut entry = Completion::from_bytes(bytes);
            change(&mut entry);
            *bytes = entry.to_bytes();
        })),
        ..Faults::default()
    }
}

#[test]
fn each_corruption_has_its_name() {
    let corruption = |error: &DriverError| match error {
        DriverError::QueueCorrupted { corruption, .. } => Some(*corruption),
        _ => None,
    };
    fails_until_reset(tampered(|entry| entry.command_id ^= 0x8000), |error| {
        matches!(corruption(error), Some(Corruption::UnknownCommand { command_id: 0x8000.. }))
    });
    fails_until_reset(tampered(|entry| entry.phase = 3), |error| {
        corruption(error) == Some(Corruption::BadPhase { phase: 3 })
    });
    fails_until_reset(tampered(|entry| entry.status = 200), |error| {
        corruption(error) == Some(Corruption::BadStatus { status: 200 })
    });
    for wrong in [|head: u32| head + 1, |head: u32| head.wrapping_sub(1), |_| 8, |_| u32::MAX] {
        fails_until_reset(tampered(move |entry| entry.sq_head = wrong(entry.sq_head)), |error| {
            matches!(corruption(error), Some(Corruption::HeadOutOfRange { .. }))
        });
    }
    // An entry whose phase never turns is one that was never written.
    fails_until_reset(tampered(|entry| entry.phase ^= 1), |error| {
        matches!(error, DriverError::TimedOut { .. })
    });
}

#[test]
fn a_queue_fault_is_told_with_its_code() {
    let card = SoftCard::new();
    let mut driver = card.open(options()).expect("a good card");
    let job = submit(&mut driver).expect("valid");
    card.model(|model| model.queue_fault(spandrel_abi::Status::HostReadFault));
    let error = driver.wait(job, &mut |_| {}).expect_err("the queues stand still");
    assert!(matches!(error, DriverError::QueueFault { code: 6, .. }), "{error}");
    driver.reset().expect("a reset helps");
    works(&mut driver);
}
