//! The client's side of the interrupts: for each vector the event to raise.

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use spandrel_abi::MSIX_VECTORS;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd};
use vfio_bindings::bindings::vfio::{
    VFIO_IRQ_SET_ACTION_MASK, VFIO_IRQ_SET_ACTION_TRIGGER, VFIO_IRQ_SET_ACTION_TYPE_MASK,
    VFIO_IRQ_SET_ACTION_UNMASK, VFIO_IRQ_SET_DATA_EVENTFD, VFIO_IRQ_SET_DATA_NONE,
    VFIO_IRQ_SET_DATA_TYPE_MASK,
};

/// One vector.
#[derive(Default)]
struct Vector {
    event: Option<File>,
    masked: bool,
}

/// The vectors of a client.
#[derive(Default)]
pub(super) struct Vectors {
    vectors: [Vector; MSIX_VECTORS as usize],
}

fn invalid() -> io::Error {
    io::Error::from_raw_os_error(nix::libc::EINVAL)
}

impl Vectors {
    /// Does what a client asks; `true` if the function's table has to follow.
    ///
    /// # Errors
    /// `EINVAL` for vectors that there are not, data that do not go with the action, another number of descriptors than of
    /// vectors (no descriptors at all take the events away), or descriptors that are no events.
    pub(super) fn set(&mut self, flags: u32, start: u32, count: u32, fds: Vec<File>) -> io::Result<bool> {
        let end = start.checked_add(count).filter(|end| *end <= MSIX_VECTORS.into()).ok_or_else(invalid)?;
        let range = start as usize..end as usize;
        let (data, action) = (flags & VFIO_IRQ_SET_DATA_TYPE_MASK, flags & VFIO_IRQ_SET_ACTION_TYPE_MASK);
        if data != VFIO_IRQ_SET_DATA_EVENTFD && !fds.is_empty() {
            return Err(invalid());
        }
        match (data, action) {
            (VFIO_IRQ_SET_DATA_NONE, VFIO_IRQ_SET_ACTION_TRIGGER) if count == 0 => *self = Vectors::default(),
            (VFIO_IRQ_SET_DATA_NONE, VFIO_IRQ_SET_ACTION_TRIGGER) => {
                range.for_each(|vector| self.raise(vector as u16));
                return Ok(false);
            }
            (VFIO_IRQ_SET_DATA_NONE, VFIO_IRQ_SET_ACTION_MASK | VFIO_IRQ_SET_ACTION_UNMASK) => {
                let masked = action == VFIO_IRQ_SET_ACTION_MASK;
                self.vectors[range].iter_mut().for_each(|vector| vector.masked = masked);
            }
            (VFIO_IRQ_SET_DATA_EVENTFD, VFIO_IRQ_SET_ACTION_TRIGGER) if fds.is_empty() => {
                self.vectors[range].iter_mut().for_each(|vector| vector.event = None);
            }
            (VFIO_IRQ_SET_DATA_EVENTFD, VFIO_IRQ_SET_ACTION_TRIGGER) => {
                if fds.len() != count as usize || !fds.iter().all(is_event) {
                    return Err(invalid());
                }
                for (vector, event) in self.vectors[range].iter_mut().zip(fds) {
                    vector.event = Some(event);
                }
            }
            _ => return Err(invalid()),
        }
        Ok(true)
    }

    /// Whether the client listens to any vector.
    pub(super) fn any(&self) -> bool {
        self.vectors.iter().any(|vector| vector.event.is_some())
    }

    /// The vectors that the function is not to send.
    pub(super) fn silent(&self) -> Vec<u16> {
        let silent = self.vectors.iter().map(|vector| vector.event.is_none() || vector.masked);
        silent.enumerate().filter(|(_, silent)| *silent).map(|(vector, _)| vector as u16).collect()
    }

    /// Raises the client's event of a vector, if it listens.
    pub(super) fn raise(&self, vector: u16) {
        let Some(mut event) = self.vectors.get(usize::from(vector)).and_then(|vector| vector.event.as_ref())
        else {
            return;
        };
        // An event that is full would have the server wait for the client, and tells of interrupts already.
        let mut room = [PollFd::new(event.as_fd(), PollFlags::POLLOUT)];
        if poll(&mut room, PollTimeout::ZERO) == Ok(1)
            && room[0].revents() == Some(PollFlags::POLLOUT)
            && let Err(error) = event.write(&1u64.to_ne_bytes())
        {
            tracing::debug!(vector, %error, "an interrupt could not be passed on");
        }
    }
}

/// Whether a descriptor is an `eventfd`: writing eight bytes to another file would do something else.
fn is_event(file: &File) -> bool {
    let link = format!("/proc/self/fd/{}", file.as_raw_fd());
    std::fs::read_link(link).is_ok_and(|target| target.as_os_str() == "anon_inode:[eventfd]")
}
