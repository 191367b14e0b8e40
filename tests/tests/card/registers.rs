//! The register block against the table of the interface.

use super::host::Host;
use super::stand_in::stand_in_card;
use spandrel_abi::*;
use spandrel_sim::Timing;

#[test]
fn every_word_of_the_register_page_is_as_the_table_says() {
    let mut host = Host::new(Timing::HOSTILE, 1);
    host.write(CONTROL, CONTROL_RESET.put(1));
    host.wait_ready();
    let words = stand_in_card().identification().to_words();
    // After a reset everything that can be written is zero.
    for offset in (0..REGISTER_BYTES).step_by(4) {
        let register = REGISTERS.iter().find(|register| register.offset == offset);
        let expected = match register {
            Some(register) if *register.name == *STATUS.name => STATUS_READY.put(1),
            Some(register) if register.name.starts_with("CYCLES") => continue,
            Some(_) if (offset as usize) < IDENTIFICATION_BYTES => words[offset as usize / 4],
            _ => 0,
        };
        assert_eq!(host.card.read_register(offset.into()).unwrap(), expected, "{offset:#x}");
    }
    // All ones to every word but CONTROL (in which they would be a reset): what is read back are the bits that exist.
    for offset in (0..REGISTER_BYTES).step_by(4).filter(|offset| *offset != CONTROL.offset) {
        host.card.write_register(offset.into(), u32::MAX, 0xf).unwrap();
        let register = REGISTERS.iter().find(|register| register.offset == offset);
        let expected = match register {
            Some(register) if register.access == Access::ReadWrite => match register.fields {
                [] => u32::MAX,
                fields => fields.iter().fold(0, |bits, field| bits | field.mask()),
            },
            Some(register) if *register.name == *STATUS.name => STATUS_READY.put(1),
            Some(register) if register.name.starts_with("CYCLES") => continue,
            Some(_) if (offset as usize) < IDENTIFICATION_BYTES => words[offset as usize / 4],
            _ => 0,
        };
        assert_eq!(host.card.read_register(offset.into()).unwrap(), expected, "{offset:#x}");
    }
    host.check_rules();
}

#[test]
fn bytes_are_written_alone() {
    let mut host = Host::new(Timing::TYPICAL, 2);
    let mut expected = 0u32;
    for (round, strobe) in (0..40u32).map(|round| (round, (round * 7 % 16) as u8)) {
        let value = round.wrapping_mul(0x9e37_79b9);
        host.card.write_register(SCRATCH.offset.into(), value, strobe).unwrap();
        for lane in (0..4).filter(|lane| strobe >> lane & 1 == 1) {
            let mask = 0xff << (8 * lane);
            expected = expected & !mask | value & mask;
        }
        assert_eq!(host.read(SCRATCH), expected);
    }
}

#[test]
fn rings_cannot_be_moved_while_enabled() {
    let mut host = Host::new(Timing::TYPICAL, 3);
    let rings = [SQ_BASE_LO, SQ_BASE_HI, SQ_MASK, CQ_BASE_LO, CQ_BASE_HI, CQ_MASK];
    let before = rings.map(|register| host.read(register));
    for register in rings {
        host.write(register, 0xffff_ffff);
    }
    assert_eq!(rings.map(|register| host.read(register)), before);
    host.write(CONTROL, 0);
    for register in rings {
        host.write(register, 0x1f);
    }
    assert_eq!(rings.map(|register| host.read(register)), [0x1f; 6]);
}

#[test]
fn cycles_count_clock_cycles_and_latch_their_high_half() {
    let mut host = Host::new(Timing::TYPICAL, 4);
    let (low, cycle) = (host.read(CYCLES_LO), host.card.cycles());
    host.card.run(1000).unwrap();
    let (later_low, later_cycle) = (host.read(CYCLES_LO), host.card.cycles());
    let (counted, passed) = (later_low - low, (later_cycle - cycle) as u32);
    assert!(counted.abs_diff(passed) < 200, "{counted} counted, {passed} passed");
    assert_eq!(host.read(CYCLES_HI), 0);
    host.reset();
    assert!(host.read(CYCLES_LO) < later_low, "a reset starts the count anew");
}

#[test]
fn additions_are_latched_with_the_cycles() {
    let mut host = Host::new(Timing::TYPICAL, 6);
    assert_eq!(host.read(MSM_ADDITIONS), 0);
    host.read(CYCLES_LO);
    // What the stand-in always says.
    assert_eq!(host.read(MSM_ADDITIONS), 102);
    host.reset();
    assert_eq!(host.read(MSM_ADDITIONS), 0);
}

#[test]
fn interrupt_follows_cause_and_enable() {
    let mut host = Host::new(Timing::TYPICAL, 5);
    assert!(!host.card.interrupt());
    let out = host.buffer(64);
    host.succeed(Descriptor { opcode: Opcode::Identify as u8, host_out: out.iova(), ..Default::default() });
    // The cause comes when the write of the entry, already to be seen, has been answered.
    host.card.run(1_000).unwrap();
    assert_eq!(host.read(INTERRUPT_STATUS), INTERRUPT_COMPLETION.put(1));
    assert!(host.card.interrupt());
    host.write(INTERRUPT_ENABLE, INTERRUPT_FAULT.put(1));
    assert!(!host.card.interrupt());
    host.write(INTERRUPT_ENABLE, INTERRUPT_COMPLETION.put(1));
    assert!(host.card.interrupt());
    // Writing a zero clears nothing, writing a one does.
    host.write(INTERRUPT_STATUS, INTERRUPT_FAULT.put(1));
    assert!(host.card.interrupt());
    host.write(INTERRUPT_STATUS, INTERRUPT_COMPLETION.put(1));
    assert!(!host.card.interrupt());
    assert_eq!(host.read(INTERRUPT_STATUS), 0);
}
