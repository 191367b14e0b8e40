//! Buffers of the caller's own, which a card reads and writes in place.

use crate::card::Card;
use crate::dma::DmaBuffer;
use crate::error::DriverError;
use std::ops::{Deref, DerefMut};

/// Memory that one card reaches. Made by [`Card::allocate`]; filled and read through [`DmaBuffer`]'s methods; lent to a
/// job by [`Card::submit_msm_buffer`] or [`Card::submit_field_buffers`], and had back with its result. It stays good
/// when the card is reset.
#[derive(Debug)]
pub struct CardBuffer {
    buffer: DmaBuffer,
    card: u64,
}

impl Deref for CardBuffer {
    type Target = DmaBuffer;

    fn deref(&self) -> &DmaBuffer {
        &self.buffer
    }
}

impl DerefMut for CardBuffer {
    fn deref_mut(&mut self) -> &mut DmaBuffer {
        &mut self.buffer
    }
}

impl CardBuffer {
    /// Has the buffer overwritten before its memory is given back: for secrets.
    pub fn zeroize_on_drop(self) -> CardBuffer {
        CardBuffer { buffer: self.buffer.zeroize_on_drop(), card: self.card }
    }
}

/// A job that was not taken, and the buffers that were meant for it.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Refused {
    /// Why.
    #[source]
    pub error: DriverError,
    /// The buffers, in the order in which they were given.
    pub buffers: Vec<CardBuffer>,
}

impl From<Box<Refused>> for DriverError {
    fn from(refused: Box<Refused>) -> DriverError {
        refused.error
    }
}

impl Card {
    /// Gets zeroed memory that this card reaches, for jobs that read and write it in place: nothing is copied, and the
    /// memory is made reachable once, whatever the number of jobs that use it.
    ///
    /// # Errors
    /// [`DriverError::Transport`] when there is no such memory, or not in one piece
    /// ([`Transport::largest_buffer`](crate::Transport::largest_buffer)).
    pub fn allocate(&mut self, bytes: usize) -> Result<CardBuffer, DriverError> {
        Ok(CardBuffer { buffer: self.bar.allocate_new(bytes)?, card: self.id })
    }

    /// Refuses another card's buffers.
    pub(crate) fn check_buffers(&self, buffers: &[CardBuffer]) -> Result<(), DriverError> {
        match buffers.iter().all(|buffer| buffer.card == self.id) {
            true => Ok(()),
            false => Err(DriverError::AnotherCard { what: "buffer" }),
        }
    }
}
