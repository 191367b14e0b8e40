use super::netlist::wire;
use super::ports::Way;
use super::*;
use crate::emit::{Port, PortDirection};
use rust_hdl::prelude::*;

fn top() -> PortList {
    PortList::of("top", &[("clock", 1), ("a", 8)], &[("y", 8)])
}

fn half() -> PortList {
    PortList::of("half", &[("clock", 1), ("x", 8)], &[("z", 8), ("spare", 3)])
}

/// Two halves in a row; `change` breaks it.
fn row(change: impl FnOnce(&mut Netlist) -> Result<(), VendorError>) -> Result<String, VendorError> {
    let mut netlist = Netlist::new(top());
    netlist.own("one", half());
    netlist.own("two", half());
    netlist.connect("one", &[("clock", wire("clock")), ("x", wire("a"))])?;
    netlist.join(("one", "z"), ("two", "x"))?;
    change(&mut netlist)?;
    netlist.verilog()
}

#[test]
fn a_sound_netlist_is_written() {
    let sound = |netlist: &mut Netlist| netlist.connect("two", &[("clock", wire("clock")), ("z", wire("y"))]);
    let text = row(sound).unwrap();
    for part in ["module top(a, clock, y);", "wire [7:0] one_z;", ".x(one_z)", ".z(y)", ".spare()"] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
fn each_fault_of_a_netlist_is_found() {
    let message = |change: fn(&mut Netlist) -> Result<(), VendorError>| row(change).unwrap_err().to_string();
    let open = message(|netlist| netlist.connect("two", &[("z", wire("y"))]));
    assert!(open.contains("input clock of two is not connected"), "{open}");
    let undriven = message(|netlist| netlist.connect("two", &[("clock", wire("clock"))]));
    assert!(undriven.contains("net y is driven by 0"), "{undriven}");
    let width = message(|netlist| netlist.connect("two", &[("clock", wire("a")), ("z", wire("y"))]));
    assert!(width.contains("port clock of two has 1 bits and a has 8"), "{width}");
    let twice = message(|netlist| {
        netlist.assign(&[("y", Net::Constant(8, 0))])?;
        netlist.connect("two", &[("clock", wire("clock")), ("z", wire("y"))])
    });
    assert!(twice.contains("net y is driven by 2"), "{twice}");
    let short = message(|netlist| {
        netlist.assign(&[("y", Net::Bits("a".into(), 8, 1))])?;
        netlist.connect("two", &[("clock", wire("clock"))])
    });
    assert!(short.contains("a[8:1] is not declared"), "{short}");
    let unknown = message(|netlist| netlist.connect("two", &[("q", wire("y"))]));
    assert!(unknown.contains("two of module half has no port q"), "{unknown}");
    let again = message(|netlist| netlist.connect("two", &[("x", wire("a"))]));
    assert!(again.contains("port x of two is connected twice"), "{again}");
}

#[test]
fn every_list_of_ports_is_well_formed() {
    for (name, _) in LISTS {
        let list = PortList::load(name).unwrap();
        assert!(!list.ports.is_empty() && list.black_box().contains(&format!("module {}(", list.module)));
    }
    assert!(PortList::load("no_such_block").unwrap_err().to_string().contains("no_such_block.toml"));
}

/// A card with the ports of a profile's, and nothing in it: emitting the real one takes a minute.
fn hollow(profile: &str) -> Emitted {
    let list = match profile {
        "aws-f2" => card_ports(false),
        _ => card_ports(true),
    };
    let direction = |way: Way| match way {
        Way::Input => PortDirection::Input,
        _ => PortDirection::Output,
    };
    let ports = list.ports.iter().map(|(name, (way, width))| Port {
        name: name.clone(),
        direction: direction(*way),
        width: *width,
    });
    Emitted::from_verilog("spandrel_card", "", ports.collect())
}

/// The ports of a small card that is emitted for this: ports do not depend on the shape of what is inside.
fn card_ports(pcie: bool) -> PortList {
    let name = if pcie { "sim-pcie-512" } else { "sim-small" };
    // Elaboration takes more stack than a test's thread has.
    let elaborate = move || {
        let profile = Profile::load(name).unwrap();
        PortList::emitted(&crate::pcie::emit_card(&profile, 0).unwrap())
    };
    std::thread::Builder::new().stack_size(64 << 20).spawn(elaborate).unwrap().join().unwrap()
}

#[test]
fn every_wrapper_fits_the_card_and_the_lists() {
    for board in BOARDS {
        let profile = Profile::load(board).unwrap();
        let wrapper = wrapper(&profile, &hollow(board)).unwrap();
        assert!(wrapper.verilog.contains(&format!("module {}(", wrapper.top)), "{board}");
        assert!(wrapper.verilog.contains("spandrel_card card("), "{board}");
    }
    let without = Profile::load("sim-small").unwrap();
    assert!(matches!(wrapper(&without, &hollow("aws-f2")), Err(VendorError::NoWrapper(_))));
    // The card without its endpoint does not fit where the streams are.
    let profile = Profile::load("alveo-u250").unwrap();
    assert!(matches!(wrapper(&profile, &hollow("aws-f2")), Err(VendorError::NoPort { .. })));
}

/// What the interrupts' block should do, as a sentence: an event waits for the answer to the last request of its kind.
#[test]
fn interrupts_wait_for_their_answers() {
    let mut simulation = Simulation::new();
    simulation.add_clock(5, |block: &mut Box<ShellInterrupts>| block.clock.next = !block.clock.val());
    simulation.add_testbench(|mut sim: Sim<ShellInterrupts>| {
        let mut block = sim.init()?;
        let (mut pending, mut unanswered) = (0u32, 0u32);
        let mut random = 0x2545_f491u32;
        let mut requested = 0;
        for cycle in 0..400 {
            random ^= random << 13;
            random ^= random >> 17;
            random ^= random << 5;
            let (events, answers) = (random & random >> 2 & 3, unanswered & random >> 4 & random >> 6 & 3);
            block.reset.next = cycle == 200;
            block.events.next = u64::from(events).into();
            block.acknowledged.next = u64::from(answers).into();
            wait_clock_cycle!(sim, clock, block);
            let now = pending & !unanswered;
            (pending, unanswered) = match cycle {
                200 => (0, 0),
                _ => (pending & !now | events, unanswered & !answers | now),
            };
            let expected = pending & !unanswered;
            requested += expected.count_ones();
            sim_assert!(sim, block.requests.val() == u64::from(expected), block);
        }
        sim_assert!(sim, requested > 20, block);
        sim.done(block)
    });
    let mut block = Box::new(ShellInterrupts::default());
    block.connect_all();
    simulation.run(block, 100_000).unwrap();
}
