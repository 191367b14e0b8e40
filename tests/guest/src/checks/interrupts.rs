//! Both interrupt vectors arrive, when they should and only then.

use crate::card::{address, transport};
use crate::rings::{PATIENCE, Rings};
use anyhow::{Context, Result, ensure};
use spandrel_abi::*;
use spandrel_driver::Transport;
use std::time::Duration;

/// Commands whose interrupts are awaited.
const COMMANDS: u32 = 16;
/// How long nothing must happen: a command takes a fraction of this.
const QUIET: Duration = Duration::from_millis(500);
/// Nothing is mapped here.
const NOWHERE: u64 = 0x40_0000_0000;

pub fn run() -> Result<String> {
    let mut rings = Rings::start(transport()?)?;
    for vector in [COMPLETION_VECTOR, FAULT_VECTOR] {
        let early = rings.transport.wait_interrupt(vector, QUIET)?;
        ensure!(!early, "interrupt {vector} came before there was a cause");
    }
    let block = rings.transport.allocate(IDENTIFICATION_BYTES)?;
    let identify = Descriptor { host_out: block.iova(), ..Descriptor::default() };
    for command in 0..COMMANDS {
        rings.submit(Opcode::Identify, identify)?;
        let came = rings.transport.wait_interrupt(COMPLETION_VECTOR, PATIENCE)?;
        ensure!(came, "no interrupt for command {command} within {} s", PATIENCE.as_secs());
        // The message is sent behind the completion, so no waiting is needed any more.
        let entry =
            rings.poll()?.with_context(|| format!("interrupt {command} came before its completion"))?;
        ensure!(
            entry.status == Status::Success as u8,
            "command {command} ended with status {}",
            entry.status
        );
        rings.write(INTERRUPT_STATUS, INTERRUPT_COMPLETION.put(1))?;
    }
    let [completions, faults] = counts()?;
    ensure!(
        completions >= u64::from(COMMANDS),
        "Linux counts {completions} interrupts for {COMMANDS} commands"
    );
    ensure!(faults == 0, "Linux counts {faults} fault interrupts, and there was no fault");

    rings.write(INTERRUPT_ENABLE, 0)?;
    let status = rings.execute(Opcode::Identify, identify)?;
    ensure!(status == Status::Success, "a command without interrupts ended with {status:?}");
    let masked = rings.transport.wait_interrupt(COMPLETION_VECTOR, QUIET)?;
    ensure!(!masked, "an interrupt came though its cause is not enabled");

    // A submission ring where nothing is mapped cannot be read: a fault of the queues.
    rings.stop()?;
    let completion = rings.completion_iova();
    rings.configure(NOWHERE, completion)?;
    rings.submit(Opcode::Identify, identify)?;
    ensure!(
        rings.transport.wait_interrupt(FAULT_VECTOR, PATIENCE)?,
        "no interrupt for a fault of the queues"
    );
    let status = rings.read(STATUS)?;
    ensure!(STATUS_FAULT.get(status) == 1, "the fault's interrupt came, and STATUS is {status:#x}");
    rings.restart()?;
    rings.identify().context("after the fault and a reset")?;
    Ok(format!("{COMMANDS} completions and a fault, each by its own vector, none when disabled"))
}

/// What Linux counted of both vectors.
fn counts() -> Result<[u64; 2]> {
    let text = std::fs::read_to_string("/proc/interrupts").context("cannot read /proc/interrupts")?;
    let address = address()?;
    let count = |vector: u16| {
        let name = format!("vfio-msix[{vector}]({address})");
        let line =
            text.lines().find(|line| line.contains(&name)).with_context(|| format!("Linux has no {name}"))?;
        line.split_whitespace()
            .nth(1)
            .and_then(|word| word.parse().ok())
            .context("/proc/interrupts has no count")
    };
    Ok([count(COMPLETION_VECTOR)?, count(FAULT_VECTOR)?])
}
