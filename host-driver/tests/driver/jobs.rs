//! Many jobs at once, in any order, over rings of any size.

use crate::support::{Faults, Interrupts, SoftCard, arithmetic, identification, options};
use proptest::prelude::*;
use proptest::sample::Index;
use spandrel_abi::COMPLETION_BYTES;
use spandrel_driver::{CardOptions, DriverError, FieldId, FieldOperation, Job, Opcode};

#[derive(Clone, Debug)]
enum Action {
    SubmitVector(u8),
    SubmitMsm(u8),
    Poll(Index),
    Wait(Index),
    Drop(Index),
    /// The card works while the driver does something else.
    Elapse(u16),
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        4 => (1u8..6).prop_map(Action::SubmitVector),
        1 => (0u8..3).prop_map(Action::SubmitMsm),
        2 => any::<Index>().prop_map(Action::Poll),
        2 => any::<Index>().prop_map(Action::Wait),
        1 => any::<Index>().prop_map(Action::Drop),
        2 => (0u16..2000).prop_map(Action::Elapse),
    ]
}

/// A job that no other one can be taken for, with what it must result in.
enum Pending {
    Vector(Job<Vec<u8>>, Vec<u8>),
    Msm(Job, u64),
}

/// Elements that are small, so below the prime, and differ between jobs.
fn elements(job: u64, count: u8) -> Vec<u8> {
    (0..u64::from(count))
        .flat_map(|i| {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&(job * 1000 + i + 1).to_le_bytes());
            bytes
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn each_job_is_delivered_once_with_its_own_data(
        actions in prop::collection::vec(action(), 1..80),
        submission in 1u32..5,
        completion in 1u32..5,
        seed in any::<u64>(),
        idle_bytes in prop::sample::select(vec![0usize, 1 << 20]),
        interrupts in prop::sample::select(vec![Interrupts::AsDescribed, Interrupts::Never, Interrupts::Always]),
    ) {
        let card = SoftCard::with(identification(), seed);
        let options = CardOptions {
            submission_entries: 1 << submission,
            completion_entries: 1 << completion,
            idle_bytes,
            ..options()
        };
        let mut driver = card.open(options).expect("a good card");
        card.faults(Faults { interrupts, ..Faults::default() });
        let bases = driver.load_bases(&[0; 128]).expect("room");
        let mut pending = Vec::new();
        let (mut vectors, mut msms) = (0, 0);
        let finish = |driver: &mut spandrel_driver::Card, job: Pending| match job {
            Pending::Vector(job, expected) => {
                assert_eq!(driver.wait(job, &mut |_| {}).expect("a good job"), expected);
            }
            Pending::Msm(job, elements) => {
                assert_eq!(driver.wait(job, &mut |_| {}).expect("a good job").counters.elements, elements);
            }
        };
        for action in actions {
            match action {
                Action::SubmitVector(count) => {
                    let a = elements(2 * vectors, count);
                    let b = elements(2 * vectors + 1, count);
                    let (field, operation) = (FieldId::Fr, FieldOperation::Multiply);
                    let expected = arithmetic::field_vector(field, operation, &a, &b);
                    let job = driver.submit_field_vector(field, operation, &a, &b).expect("valid");
                    pending.push(Pending::Vector(job, expected));
                    vectors += 1;
                }
                Action::SubmitMsm(count) => {
                    let count = usize::from(count);
                    let job = driver.submit_msm(&bases, 0..count, &vec![0; 32 * count]).expect("valid");
                    pending.push(Pending::Msm(job, count as u64));
                    msms += 1;
                }
                Action::Elapse(cycles) => card.model(|model| model.run(cycles.into())),
                Action::Poll(_) | Action::Wait(_) | Action::Drop(_) if pending.is_empty() => {}
                Action::Poll(which) => {
                    match &pending[which.index(pending.len())] {
                        Pending::Vector(job, _) => driver.poll(job).expect("a good card"),
                        Pending::Msm(job, _) => driver.poll(job).expect("a good card"),
                    };
                }
                Action::Wait(which) => {
                    let job = pending.swap_remove(which.index(pending.len()));
                    finish(&mut driver, job);
                }
                Action::Drop(which) => drop(pending.swap_remove(which.index(pending.len()))),
            }
        }
        for job in pending {
            finish(&mut driver, job);
        }
        // The card works in order: when this has ended, so have the jobs that were dropped.
        driver.self_test().expect("passes");
        let executed = |opcode| {
            card.model(|model| model.log.iter().filter(|code| **code == opcode as u8).count() as u64)
        };
        prop_assert_eq!(executed(Opcode::FieldVector), vectors);
        prop_assert_eq!(executed(Opcode::Msm), msms);
        prop_assert_eq!(executed(Opcode::ReadCounters), msms);
        if idle_bytes == 0 {
            // Nothing is kept but the rings.
            prop_assert_eq!(card.mapped(), 2);
        }
        drop(driver);
        prop_assert_eq!(card.mapped(), 0);
        prop_assert_eq!(card.stray_accesses(), Vec::<u64>::new());
    }

    /// Whatever the card writes into its completion ring, every call ends, and a reset makes all good.
    #[test]
    fn corrupted_completions_end_in_errors(
        changes in prop::collection::vec(
            (0u64..12, 0..COMPLETION_BYTES, any::<u8>()), 1..12,
        ),
        wild in any::<bool>(),
        submission in 1u32..5,
        seed in any::<u64>(),
    ) {
        let card = SoftCard::with(identification(), seed);
        let mut driver = card
            .open(CardOptions { submission_entries: 1 << submission, ..options() })
            .expect("a good card");
        card.model(|model| {
            model.faults.tamper = Some(Box::new(move |number, entry| {
                for (at, byte, value) in &changes {
                    if *at == number % 12 {
                        // Not only single bytes of a good entry, but whole entries of noise too.
                        match wild {
                            true => entry[*byte..].fill(*value),
                            false => entry[*byte] ^= value,
                        }
                    }
                }
            }));
        });
        for round in 0..2 {
            let a = elements(round, 2);
            let jobs: Vec<_> = (0..6)
                .map(|_| driver.submit_field_vector(FieldId::Fq, FieldOperation::Add, &a, &a))
                .collect();
            for job in jobs.into_iter().flatten() {
                let polled = driver.poll(&job);
                let waited = driver.wait(job, &mut |_| {});
                if let Err(error) = polled {
                    prop_assert!(driver.needs_reset().is_some(), "{}", error);
                    prop_assert!(waited.is_err());
                }
            }
            if driver.needs_reset().is_some() {
                let refused = driver.submit_field_vector(FieldId::Fq, FieldOperation::Add, &a, &a);
                prop_assert!(matches!(refused.map(drop), Err(DriverError::NeedsReset { .. })), "not refused");
                driver.reset().expect("a reset helps");
            }
        }
        card.faults(Faults::default());
        driver.reset().expect("a reset helps");
        driver.self_test().expect("all good");
        drop(driver);
        prop_assert_eq!(card.mapped(), 0);
    }
}

#[test]
fn the_number_of_jobs_is_bounded() {
    let card = SoftCard::new();
    let mut driver = card.open(CardOptions { max_jobs: 2, ..options() }).expect("a good card");
    let submit = |driver: &mut spandrel_driver::Card| {
        driver.submit_field_vector(FieldId::Fq, FieldOperation::Add, &[0; 32], &[0; 32])
    };
    let first = submit(&mut driver).expect("valid");
    let second = submit(&mut driver).expect("valid");
    assert!(matches!(submit(&mut driver), Err(DriverError::TooManyJobs { limit: 2 })));
    driver.wait(second, &mut |_| {}).expect("a good job");
    drop(first);
    let third = submit(&mut driver).expect("room again");
    driver.wait(third, &mut |_| {}).expect("a good job");
    // Bases travel by several jobs, but wait for their own.
    let card = SoftCard::new();
    let mut driver =
        card.open(CardOptions { max_jobs: 1, staging_bytes: 64, ..options() }).expect("a good card");
    driver.load_bases(&[0; 640]).map(drop).expect("one at a time");
}

#[test]
fn progress_is_told_while_waiting() {
    let card = SoftCard::new();
    let mut driver = card.open(CardOptions { poll_cycles: 20, ..options() }).expect("a good card");
    let bases = driver.load_bases(&[0; 64]).expect("room");
    let job = driver.submit_msm(&bases, 0..1, &[0; 32]).expect("valid");
    let mut told = Vec::new();
    driver.wait(job, &mut |progress| told.push(*progress)).expect("a good job");
    assert!(told.len() > 1);
    assert_eq!(told[0].commands_outstanding, 2);
    assert!(told.is_sorted_by(|a, b| a.cycles < b.cycles && a.elapsed < b.elapsed));
    assert!(told.iter().all(|progress| !progress.remaining.is_zero() && progress.sample.is_none()));
    let sampling = CardOptions { poll_cycles: 20, sample: true, ..options() };
    let mut driver = card.open(sampling).expect("a good card");
    let bases = driver.load_bases(&[0; 64]).expect("room");
    let job = driver.submit_msm(&bases, 0..1, &[0; 32]).expect("valid");
    let mut samples = Vec::new();
    driver.wait(job, &mut |progress| samples.extend(progress.sample)).expect("a good job");
    assert!(samples.len() > 1 && samples.is_sorted_by(|a, b| a.cycles < b.cycles));
    assert!(samples.iter().all(|sample| u64::from(sample.additions) == sample.cycles / 2), "{samples:?}");
    let mut loads = Vec::new();
    let mut driver = card.open(CardOptions { staging_bytes: 128, ..options() }).expect("a good card");
    driver.load_bases_with(&[0; 320], &mut |done, all| loads.push((done, all))).map(drop).expect("room");
    assert_eq!(loads, [(2, 5), (4, 5), (5, 5)]);
}

#[test]
fn a_card_goes_to_another_thread() {
    let card = SoftCard::new();
    let mut driver = card.open(options()).expect("a good card");
    let job = driver
        .submit_field_vector(FieldId::Fq, FieldOperation::Add, &elements(1, 1), &elements(2, 1))
        .expect("valid");
    let result = std::thread::spawn(move || driver.wait(job, &mut |_| {})).join().expect("no panic");
    assert_eq!(
        result.expect("a good job"),
        arithmetic::field_vector(FieldId::Fq, FieldOperation::Add, &elements(1, 1), &elements(2, 1))
    );
}
