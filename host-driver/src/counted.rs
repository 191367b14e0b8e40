//! Commands whose counters are read.

use crate::card::Card;
use crate::dma::DmaBuffer;
use crate::error::DriverError;
use spandrel_abi::*;

/// Commands of a job, each with the reading of its counters behind it, and the buffers that both write: a result, then
/// counters.
#[derive(Default)]
pub(crate) struct CountedCommands {
    pub(crate) commands: Vec<(Opcode, Descriptor)>,
    pub(crate) outputs: Vec<DmaBuffer>,
}

impl Card {
    /// Adds a command that writes to `result`.
    ///
    /// # Errors
    /// [`DriverError::Transport`] without memory for the counters.
    pub(crate) fn add_counted(
        &mut self,
        work: &mut CountedCommands,
        opcode: Opcode,
        command: Descriptor,
        result: DmaBuffer,
    ) -> Result<(), DriverError> {
        let counters = self.bar.allocate_result(COUNTERS_BYTES)?;
        let command = Descriptor { host_out: result.iova(), ..command };
        // The card works in order, so the counters read next are this command's.
        let read_counters = Descriptor { host_out: counters.iova(), ..Descriptor::default() };
        work.commands.extend([(opcode, command), (Opcode::ReadCounters, read_counters)]);
        work.outputs.extend([result, counters]);
        Ok(())
    }
}
