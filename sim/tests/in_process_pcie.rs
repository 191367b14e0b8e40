//! The whole simulated card on PCI Express behind the driver, at both widths of its streams.

mod support;

use spandrel_driver::AccessWidth::{Double, Half, Word};
use spandrel_driver::{DriverError, Transport, TransportError};
use spandrel_hdl::profile::Profile;
use spandrel_sim::pcie::config;
use spandrel_sim::{InProcess, SimControl, SimOptions};
use support::{add, open};

const NARROW: &str = "sim-pcie";
const WIDE: &str = "sim-pcie-512";

#[test]
fn jobs_are_exact_and_repeatable_at_both_widths() {
    for profile in [NARROW, WIDE] {
        let run = |seed, stalls| {
            let (mut card, control) = open(profile, seed, stalls);
            card.self_test().unwrap();
            assert!(add(&mut card, 1000).unwrap());
            let data: Vec<u8> = (0..8192u32).map(|at| ((at * 7) >> 3) as u8 & 0x7f).collect();
            card.loopback(&data).unwrap();
            let statistics = control.statistics();
            let traffic = statistics.pcie;
            assert_eq!(
                (statistics.host_faults, traffic.failed_completions, traffic.refused_accesses),
                (0, 0, 0)
            );
            assert!(traffic.messages > 0 && traffic.read_bytes > 8192 && traffic.write_bytes > 8192);
            statistics.cycles
        };
        let cycles = [(1, true), (1, true), (2, true), (1, false)].map(|(seed, stalls)| run(seed, stalls));
        assert_eq!(cycles[0], cycles[1], "the same seed gives the same cycles");
        assert!(cycles[0] != cycles[2] && cycles[3] < cycles[0], "{cycles:?}");
    }
}

#[test]
fn an_operating_system_finds_configuration_space_and_bar() {
    let profile = Profile::load(NARROW).unwrap();
    let mut bus = InProcess::new(&profile, SimOptions::default()).unwrap();
    assert_eq!(bus.read_config(0, Word).unwrap(), 0x5bd1_10ee);
    assert_eq!(bus.read_config(config::COMMAND, Half).unwrap() & 6, 6);
    assert!(matches!(bus.read_config(1, Half), Err(TransportError::BadAccess { .. })));
    assert!(matches!(bus.write_config(0, Double, 0), Err(TransportError::BadAccess { .. })));
    assert_eq!(bus.read_bar(0, Word).unwrap() as u32, spandrel_abi::MAGIC_VALUE);
    // The link as it was set up: 512 bytes each, bus master, messages, 256 bits.
    assert_eq!(bus.read_bar(0x1000, Word).unwrap(), 2 | 2 << 4 | 1 << 8 | 1 << 9 | 1 << 16);
    // The table holds the messages that were programmed; the rest of BAR 0 is empty.
    assert_eq!(bus.read_bar(0x2018, Double).unwrap(), 0x42);
    assert_eq!(bus.read_bar(0x3ff8, Double).unwrap(), 0);
    bus.write_config(config::COMMAND, Half, 0).unwrap();
    assert_eq!(bus.read_bar(0, Word).unwrap(), 0xffff_ffff);
    bus.reset().unwrap();
    assert_eq!(bus.read_bar(0, Word).unwrap() as u32, spandrel_abi::MAGIC_VALUE);
    assert_eq!(bus.control().statistics().pcie.refused_accesses, 1);
}

#[test]
fn a_card_that_vanishes_in_the_middle_of_a_job_comes_back() {
    for (stalls, vanish) in [
        (false, SimControl::unplug as fn(&SimControl)),
        (true, SimControl::reset_link),
        (false, SimControl::reset_function),
        (true, SimControl::reset_function),
    ] {
        let (mut card, control) = open(NARROW, 3, stalls);
        assert!(add(&mut card, 5).unwrap());
        vanish(&control);
        let error = add(&mut card, 6).unwrap_err();
        assert!(matches!(error, DriverError::CardGone { .. }), "{error:?}");
        control.plug();
        card.reset().unwrap();
        assert!(add(&mut card, 7).unwrap());
    }
}
