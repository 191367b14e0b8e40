//! The whole simulated card behind the driver: several at once, repeatable, and able to fail on order.

use spandrel_driver::{Card, CardOptions, DriverError, FieldId, FieldOperation, Status};
use spandrel_hdl::profile::Profile;
use spandrel_sim::{InProcess, SimControl, SimOptions};

const ELEMENTS: u64 = 300;

fn open(seed: u64, stalls: bool) -> (Card, SimControl) {
    let profile = Profile::load("sim-small").unwrap();
    let transport = InProcess::new(&profile, SimOptions { seed, stalls, trace: None }).unwrap();
    let control = transport.control();
    (Card::open(Box::new(transport), CardOptions::default()).unwrap(), control)
}

fn elements(value: impl Fn(u64) -> u64) -> Vec<u8> {
    let element = |index| {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&value(index).to_le_bytes());
        bytes
    };
    (0..ELEMENTS).flat_map(element).collect()
}

/// Adds two vectors of small numbers on the card; the sums stay below the prime.
fn add(card: &mut Card, factor: u64) -> Result<bool, DriverError> {
    let (a, b) = (elements(|index| index * factor), elements(|index| index << 40));
    let job = card.submit_field_vector(FieldId::Fr, FieldOperation::Add, &a, &b)?;
    Ok(card.wait(job, &mut |_| {})? == elements(|index| index * factor + (index << 40)))
}

#[test]
fn cards_on_several_threads_keep_apart_and_are_repeatable() {
    let run = |seed: u64, stalls: bool| {
        let (mut card, control) = open(seed, stalls);
        for factor in 1..4 {
            assert!(add(&mut card, factor * 1000 + seed).unwrap());
        }
        let statistics = control.statistics();
        assert_eq!((statistics.host_faults, statistics.host.error_answers), (0, 0));
        statistics.cycles
    };
    let threads: Vec<_> = [(1, true), (2, true), (1, true), (3, false)]
        .map(|(seed, stalls)| std::thread::spawn(move || run(seed, stalls)))
        .into();
    let cycles: Vec<u64> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert_eq!(cycles[0], cycles[2], "the same seed gives the same cycles");
    assert_ne!(cycles[0], cycles[1]);
    assert!(cycles[3] < cycles[0], "stalls cost cycles: {cycles:?}");
}

#[test]
fn refused_memory_ends_one_command_and_no_more() {
    let (mut card, control) = open(4, true);
    let mut fail = |order: &dyn Fn(&SimControl), expected: Status| {
        order(&control);
        let outcome = add(&mut card, 7);
        let status = match &outcome {
            Err(DriverError::CommandFailed { status, .. }) => *status,
            other => panic!("{other:?}"),
        };
        assert_eq!(status, expected, "{outcome:?}");
        assert!(add(&mut card, 8).unwrap(), "the next command runs");
    };
    // The first burst of a command is its descriptor, which is not the command's own; the next are its operands.
    fail(&|control| control.fail_host_read(1), Status::HostReadFault);
    fail(&|control| control.fail_host_read(5), Status::HostReadFault);
    fail(&|control| control.fail_host_write(0), Status::HostWriteFault);
}

#[test]
fn a_lost_interrupt_costs_time_and_nothing_else() {
    let (mut card, control) = open(5, false);
    control.drop_interrupts(1);
    assert!(add(&mut card, 9).unwrap());
    assert!(add(&mut card, 10).unwrap());
}

#[test]
fn a_card_off_the_bus_is_noticed() {
    let (mut card, control) = open(6, false);
    control.unplug();
    let error = add(&mut card, 11).unwrap_err();
    assert!(matches!(error, DriverError::CardGone { .. }), "{error:?}");
    control.plug();
    card.reset().unwrap();
    assert!(add(&mut card, 12).unwrap());
}
