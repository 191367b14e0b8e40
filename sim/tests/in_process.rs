//! The whole simulated card behind the driver: several at once, repeatable, and able to fail on order.

mod support;

use spandrel_driver::{DriverError, Status};
use spandrel_sim::SimControl;
use support::{add, open};

const CARD: &str = "sim-small";

#[test]
fn cards_on_several_threads_keep_apart_and_are_repeatable() {
    let run = |seed: u64, stalls: bool| {
        let (mut card, control) = open(CARD, seed, stalls);
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
    let (mut card, control) = open(CARD, 4, true);
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
    let (mut card, control) = open(CARD, 5, false);
    control.drop_interrupts(1);
    assert!(add(&mut card, 9).unwrap());
    assert!(add(&mut card, 10).unwrap());
}

#[test]
fn a_card_off_the_bus_is_noticed() {
    let (mut card, control) = open(CARD, 6, false);
    control.unplug();
    let error = add(&mut card, 11).unwrap_err();
    assert!(matches!(error, DriverError::CardGone { .. }), "{error:?}");
    control.plug();
    card.reset().unwrap();
    assert!(add(&mut card, 12).unwrap());
}
