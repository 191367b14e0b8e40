//! A function-level reset in the middle of DMA, in either direction.

use crate::card::transport;
use crate::points::Example;
use crate::rings::Rings;
use anyhow::{Context, Result, ensure};
use spandrel_abi::*;
use spandrel_driver::{Card, CardOptions, DmaBuffer, Transport};
use std::time::{Duration, Instant};

/// Lines of 64 bytes that are moved: some 150,000 cycles, half a second of simulation.
const LINES: u32 = 1 << 16;
const BYTES: usize = LINES as usize * 64;
/// A reset must be over by then.
const BOUND: Duration = Duration::from_secs(10);

pub fn run() -> Result<String> {
    let mut rings = Rings::start(transport()?)?;
    let mut longest = Duration::ZERO;
    for (what, opcode) in [("reading", Opcode::LoadBases), ("writing", Opcode::ReadCard)] {
        let buffer = rings.transport.allocate(BYTES)?;
        let address = buffer.iova();
        let descriptor = match opcode {
            Opcode::LoadBases => Descriptor { count: LINES, host_a: address, ..Descriptor::default() },
            _ => Descriptor { count: LINES, host_out: address, ..Descriptor::default() },
        };
        rings.submit(opcode, descriptor)?;
        std::thread::sleep(Duration::from_millis(60));
        ensure!(
            STATUS_BUSY.get(rings.read(STATUS)?) == 1,
            "the card is not {what} any more: nothing to interrupt"
        );
        let begun = Instant::now();
        rings.transport.reset().with_context(|| format!("the reset while {what}"))?;
        rings.await_ready()?;
        longest = longest.max(begun.elapsed());
        ensure!(longest < BOUND, "the reset took {longest:?}");
        for register in [CONTROL, SQ_BASE_LO, SQ_MASK, SQ_TAIL, CQ_BASE_LO, INTERRUPT_ENABLE] {
            let value = rings.read(register)?;
            ensure!(value == 0, "{} is {value:#x} after the reset", register.name);
        }
        // Nothing of the interrupted command comes any more.
        let then = sum(&buffer)?;
        std::thread::sleep(Duration::from_millis(300));
        ensure!(rings.poll()?.is_none(), "the interrupted command completed after the reset");
        ensure!(sum(&buffer)? == then, "the card went on {what} after the reset");
        let link = rings.read(LINK_STATUS)?;
        ensure!(
            LINK_BUS_MASTER.get(link) == 1,
            "bus mastering is off after the reset: LINK_STATUS {link:#x}"
        );
        drop(buffer);
        rings.restart()?;
        rings.identify().with_context(|| format!("after the reset while {what}"))?;
    }
    let Rings { transport, .. } = rings;
    let mut card =
        Card::open(Box::new(transport), CardOptions::default()).context("the driver refuses the card")?;
    Example::new(64, 3).check(&mut card)?;
    Ok(format!(
        "reset while reading and while writing, at most {} ms; the next MSM is exact",
        longest.as_millis()
    ))
}

/// What tells contents of a buffer apart.
fn sum(buffer: &DmaBuffer) -> Result<u64> {
    let mut bytes = vec![0; buffer.len()];
    buffer.read(0, &mut bytes)?;
    let words = bytes.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
    Ok(words.fold(0, |sum: u64, word| sum.rotate_left(5).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ word))
}
