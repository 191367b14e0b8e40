//! Data to card memory and back.

use crate::card::Card;
use crate::error::DriverError;
use crate::job::{Block, Done, Holdings, Job, Shape};
use spandrel_abi::*;

/// What [`Card::loopback`] measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loopback {
    /// Bytes that were copied each way.
    pub bytes: usize,
    /// Cycles from the fetch of the command that copied them to card memory until its completion.
    pub load_cycles: u64,
    /// The same of the command that copied them back.
    pub read_cycles: u64,
}

impl Card {
    /// Copies data (whole lines of 64 bytes, no 32 aligned bytes of them all ones) to free card memory with one command
    /// and back with another, and compares.
    ///
    /// # Errors
    /// [`DriverError::LoopbackDiffers`] where something else came back; [`DriverError::RaggedInput`],
    /// [`DriverError::BadCount`], [`DriverError::OutOfCardMemory`], and those of [`Card::wait`].
    pub fn loopback(&mut self, data: &[u8]) -> Result<Loopback, DriverError> {
        let (resident, lines) = self.take_card_memory("lines", data.len())?;
        let card_address = resident.piece.start;
        let line = Descriptor { count: lines as u32, card_address, ..Descriptor::default() };

        self.check_room()?;
        let source = self.filled(data)?;
        let load = Descriptor { host_a: source.iova(), ..line };
        let holdings =
            Holdings { inputs: vec![source], outputs: Vec::new(), resident: Some(resident.clone()) };
        let job: Job<Done> = self.submit([(Opcode::LoadBases, load)], Shape::Done, holdings)?;
        let load_cycles = self.wait(job, &mut |_| {})?.cycles;

        self.check_room()?;
        let target = self.bar.allocate_result(data.len())?;
        let read = Descriptor { host_out: target.iova(), ..line };
        let holdings = Holdings { inputs: Vec::new(), outputs: vec![target], resident: Some(resident) };
        let job: Job<Block> = self.submit([(Opcode::ReadCard, read)], Shape::Bytes(data.len()), holdings)?;
        let back = self.wait(job, &mut |_| {})?;
        self.collect_returned();
        match data.iter().zip(&back.bytes).position(|(sent, came)| sent != came) {
            Some(offset) => Err(DriverError::LoopbackDiffers { offset }),
            None => Ok(Loopback { bytes: data.len(), load_cycles, read_cycles: back.cycles }),
        }
    }
}
