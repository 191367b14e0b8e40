//! The whole card behind its line and a pseudo-terminal, and the driver at the other end.

use spandrel_driver::{CardOptions, Transport};
use spandrel_hdl::profile::Profile;
use spandrel_sim::serial::{InProcessSerial, LineFaults, SerialOptions};
use spandrel_sim::{SimControl, SimOptions};
use spandrel_tests::world::{World, must};

fn open(faults: LineFaults) -> InProcessSerial {
    let profile = must(Profile::load("sim-serial"));
    let options = SerialOptions { to_card: faults, to_host: faults, seed: 3 };
    must(InProcessSerial::new(&profile, &SimOptions::default(), options))
}

fn options() -> CardOptions {
    CardOptions { staging_bytes: 4096, ..CardOptions::default() }
}

/// Jobs are exact, also on a line on which a byte in two thousand suffers something.
#[test]
fn jobs_are_exact_over_a_line_with_faults() {
    for millionths in [0, 500] {
        let transport = open(LineFaults::all(millionths));
        let mut world = must(World::over(Box::new(transport), SimControl::default(), 5, options()));
        must(world.card.self_test());
        world.check();
        world.check_field_vector();
    }
}

/// Accesses outside of the registers are refused, all kinds inside are not; resets from outside leave a card that works.
#[test]
fn registers_and_resets() {
    use spandrel_driver::AccessWidth::{Byte, Double, Half, Word};
    let mut transport = open(LineFaults::default());
    assert_eq!(must(transport.read_bar(0, Word)), u64::from(spandrel_abi::MAGIC_VALUE));
    assert_eq!(must(transport.read_bar(0, Byte)), u64::from(b'S'));
    assert_eq!(must(transport.read_bar(2, Half)), u64::from(u16::from_le_bytes(*b"DL")));
    assert_eq!(must(transport.read_bar(0, Double)) as u32, spandrel_abi::MAGIC_VALUE);
    assert!(transport.read_bar(4096, Word).is_err() && transport.read_bar(2, Word).is_err());
    assert!(transport.wait_interrupt(2, std::time::Duration::ZERO).is_err());
    must(transport.reset());
    assert!(!must(transport.wait_interrupt(0, std::time::Duration::ZERO)));
    let mut world = must(World::over(Box::new(transport), SimControl::default(), 6, options()));
    must(world.card.reset());
    world.load();
    world.check();
}
