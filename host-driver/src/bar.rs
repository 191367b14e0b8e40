//! Register access by the names of `spandrel-abi`.

use crate::dma::{DMA_ALIGNMENT, DmaBuffer};
use crate::error::DriverError;
use crate::job::mark_unwritten;
use crate::transport::{AccessWidth, Transport};
use spandrel_abi::{IDENTIFICATION_BYTES, Identification, REGISTERS, Register};

/// A transport seen as registers and checked memory.
pub(crate) struct Bar {
    pub(crate) transport: Box<dyn Transport>,
}

impl Bar {
    /// Reads a register, of which every value may be right.
    pub(crate) fn read(&mut self, register: Register) -> Result<u32, DriverError> {
        let value = self.transport.read_bar(register.offset.into(), AccessWidth::Word)?;
        Ok(value as u32)
    }

    /// Reads a register that has bits which are always zero, so that all ones mean that no card answers.
    pub(crate) fn read_alive(&mut self, register: Register) -> Result<u32, DriverError> {
        match self.read(register)? {
            u32::MAX => Err(DriverError::CardGone { register: register.name }),
            value => Ok(value),
        }
    }

    /// Writes a register.
    pub(crate) fn write(&mut self, register: Register, value: u32) -> Result<(), DriverError> {
        Ok(self.transport.write_bar(register.offset.into(), AccessWidth::Word, value.into())?)
    }

    /// Writes a register and reads it back.
    pub(crate) fn write_checked(&mut self, register: Register, wrote: u32) -> Result<(), DriverError> {
        self.write(register, wrote)?;
        match self.read(register)? {
            read if read == wrote => Ok(()),
            read => Err(DriverError::RegisterMismatch { register: register.name, wrote, read }),
        }
    }

    /// Reads the identification registers. Words without a register count as zero.
    pub(crate) fn identification(&mut self) -> Result<Identification, DriverError> {
        let mut words = [0; IDENTIFICATION_BYTES / 4];
        for register in REGISTERS.iter().filter(|register| (register.offset as usize) < IDENTIFICATION_BYTES)
        {
            words[register.offset as usize / 4] = self.read(*register)?;
        }
        Ok(Identification::from_words(&words))
    }

    /// Gets memory for a result, marked as not written.
    pub(crate) fn allocate_result(&mut self, bytes: usize) -> Result<DmaBuffer, DriverError> {
        let mut buffer = self.allocate(bytes)?;
        mark_unwritten(&mut buffer)?;
        Ok(buffer)
    }

    /// Gets zeroed memory, and holds the transport to what it promises of it.
    pub(crate) fn allocate(&mut self, bytes: usize) -> Result<DmaBuffer, DriverError> {
        let buffer = self.transport.allocate(bytes)?;
        let problem = if buffer.len() < bytes {
            format!("a buffer of {} bytes where {bytes} were asked for", buffer.len())
        } else if !buffer.iova().is_multiple_of(DMA_ALIGNMENT as u64) {
            format!("a buffer at address {:#x}, which is not aligned to {DMA_ALIGNMENT}", buffer.iova())
        } else if buffer.iova().checked_add(buffer.len() as u64).is_none() {
            format!("a buffer at address {:#x}, which runs over the end of addresses", buffer.iova())
        } else {
            return Ok(buffer);
        };
        Err(DriverError::TransportContract { what: problem })
    }
}
