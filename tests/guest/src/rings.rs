//! The card's queues by hand, for descriptors that the driver would never write.

use anyhow::{Context, Result, ensure};
use spandrel_abi::*;
use spandrel_driver::{AccessWidth, DmaBuffer, Transport, VfioTransport};
use std::sync::atomic::{Ordering, fence};
use std::time::{Duration, Instant};

/// Entries of either ring.
const ENTRIES: u32 = 16;
/// How long the card may take for whatever it is asked here, on the wall's clock.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Both rings, and the way to the card.
pub struct Rings {
    /// The way to the card.
    pub transport: VfioTransport,
    submission: DmaBuffer,
    completion: DmaBuffer,
    submitted: u32,
    completed: u32,
}

impl Rings {
    /// Resets the card's queues, gives it two rings, enables both interrupt causes and starts it.
    pub fn start(transport: VfioTransport) -> Result<Rings> {
        let mut transport = transport;
        let submission = transport.allocate(ENTRIES as usize * DESCRIPTOR_BYTES)?;
        let completion = transport.allocate(ENTRIES as usize * COMPLETION_BYTES)?;
        let mut rings = Rings { transport, submission, completion, submitted: 0, completed: 0 };
        rings.restart()?;
        Ok(rings)
    }

    /// Resets the card through its own register and starts it with empty rings.
    pub fn restart(&mut self) -> Result<()> {
        self.stop()?;
        self.configure(self.submission.iova(), self.completion.iova())
    }

    /// Resets the card through its own register.
    pub fn stop(&mut self) -> Result<()> {
        self.write(CONTROL, CONTROL_RESET.put(1))?;
        self.await_ready()
    }

    /// Waits until the card is out of reset.
    pub fn await_ready(&mut self) -> Result<()> {
        let begun = Instant::now();
        while CONTROL_RESET.get(self.read(CONTROL)?) == 1 || STATUS_READY.get(self.read(STATUS)?) == 0 {
            ensure!(
                begun.elapsed() < PATIENCE,
                "the card is not ready {} s after a reset",
                PATIENCE.as_secs()
            );
        }
        Ok(())
    }

    /// Gives the card rings at these I/O addresses, and starts it.
    pub fn configure(&mut self, submission: u64, completion: u64) -> Result<()> {
        self.submission.zeroize();
        self.completion.zeroize();
        (self.submitted, self.completed) = (0, 0);
        for (low, high, address) in
            [(SQ_BASE_LO, SQ_BASE_HI, submission), (CQ_BASE_LO, CQ_BASE_HI, completion)]
        {
            self.write(low, address as u32)?;
            self.write(high, (address >> 32) as u32)?;
        }
        self.write(SQ_MASK, ENTRIES - 1)?;
        self.write(CQ_MASK, ENTRIES - 1)?;
        self.write(INTERRUPT_STATUS, u32::MAX)?;
        self.write(INTERRUPT_ENABLE, INTERRUPT_COMPLETION.put(1) | INTERRUPT_FAULT.put(1))?;
        self.write(CONTROL, CONTROL_ENABLE.put(1))
    }

    /// Where the completion ring is, for the card.
    pub fn completion_iova(&self) -> u64 {
        self.completion.iova()
    }

    /// Reads a register.
    pub fn read(&mut self, register: Register) -> Result<u32> {
        let value = self.transport.read_bar(register.offset.into(), AccessWidth::Word);
        Ok(value.with_context(|| format!("reading {}", register.name))? as u32)
    }

    /// Writes a register.
    pub fn write(&mut self, register: Register, value: u32) -> Result<()> {
        let written = self.transport.write_bar(register.offset.into(), AccessWidth::Word, value.into());
        written.with_context(|| format!("writing {}", register.name))
    }

    /// Puts a command into the ring and tells the card.
    pub fn submit(&mut self, opcode: Opcode, descriptor: Descriptor) -> Result<()> {
        let index = self.submitted % ENTRIES;
        let entry = Descriptor { opcode: opcode as u8, command_id: self.submitted as u16, ..descriptor };
        self.submission.write(index as usize * DESCRIPTOR_BYTES, &entry.to_bytes())?;
        self.submitted += 1;
        fence(Ordering::SeqCst);
        self.write(SQ_TAIL, self.submitted % ENTRIES)
    }

    /// The next completion, if the card has written it.
    pub fn poll(&mut self) -> Result<Option<Completion>> {
        let mut bytes = [0; COMPLETION_BYTES];
        self.completion.read((self.completed % ENTRIES) as usize * COMPLETION_BYTES, &mut bytes)?;
        fence(Ordering::SeqCst);
        let entry = Completion::from_bytes(&bytes);
        let phase = u8::from((self.completed / ENTRIES).is_multiple_of(2));
        if entry.phase != phase {
            return Ok(None);
        }
        ensure!(
            entry.command_id == self.completed as u16,
            "the completion of command {} has identifier {}",
            self.completed,
            entry.command_id
        );
        self.completed += 1;
        self.write(CQ_HEAD, self.completed % ENTRIES)?;
        Ok(Some(entry))
    }

    /// Waits for the next completion, without interrupts; gives its status.
    pub fn wait(&mut self) -> Result<Status> {
        let begun = Instant::now();
        loop {
            if let Some(entry) = self.poll()? {
                return Status::from_code(entry.status).map_err(|code| {
                    anyhow::anyhow!("the card ended a command with the unknown status {code}")
                });
            }
            ensure!(begun.elapsed() < PATIENCE, "no completion within {} s", PATIENCE.as_secs());
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Submits and waits.
    pub fn execute(&mut self, opcode: Opcode, descriptor: Descriptor) -> Result<Status> {
        self.submit(opcode, descriptor)?;
        self.wait()
    }

    /// Has the card write its identification, and compares it with what the registers say.
    pub fn identify(&mut self) -> Result<()> {
        let block = self.transport.allocate(IDENTIFICATION_BYTES)?;
        let descriptor = Descriptor { host_out: block.iova(), ..Descriptor::default() };
        let status = self.execute(Opcode::Identify, descriptor)?;
        ensure!(status == Status::Success, "an Identify command ended with {status:?}");
        let mut magic = [0; 4];
        block.read(0, &mut magic)?;
        let found = u32::from_le_bytes(magic);
        ensure!(found == MAGIC_VALUE, "the card wrote {found:#x} as its magic word, not {MAGIC_VALUE:#x}");
        Ok(())
    }
}
