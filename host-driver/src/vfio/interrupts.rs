//! Interrupts as event descriptors.

use crate::transport::TransportError;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::time::TimeSpec;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

/// Longest single sleep: a time-out longer than this is slept in parts.
const LONGEST_SLEEP: Duration = Duration::from_secs(3600);

/// An event for each vector.
pub(super) struct Interrupts {
    events: Vec<EventFd>,
}

impl Interrupts {
    /// Events for `vectors` vectors, none raised.
    pub(super) fn new(vectors: u32) -> io::Result<Interrupts> {
        let event = |_| EventFd::from_value_and_flags(0, EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK);
        Ok(Interrupts { events: (0..vectors).map(event).collect::<Result<_, _>>()? })
    }

    /// The events' descriptors.
    pub(super) fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        self.events.iter().map(EventFd::as_fd).collect()
    }

    /// Forgets interrupts that came before.
    pub(super) fn clear(&self) {
        for event in &self.events {
            // Fails where there is nothing to forget.
            let _ = event.read();
        }
    }

    /// Sleeps until `vector` is raised (`true`) or the time is over (`false`). A card without interrupts is waited for
    /// until the time is over.
    pub(super) fn wait(&self, vector: u16, timeout: Duration) -> Result<bool, TransportError> {
        let failed = |error: Errno| TransportError::Io {
            action: format!("waiting for interrupt {vector}"),
            source: error.into(),
        };
        let end = Instant::now().checked_add(timeout);
        let Some(event) = self.events.get(usize::from(vector)) else {
            std::thread::sleep(timeout);
            return Ok(false);
        };
        loop {
            let left = end.map_or(LONGEST_SLEEP, |end| end.saturating_duration_since(Instant::now()));
            let sleep = TimeSpec::from_duration(left.min(LONGEST_SLEEP));
            match ppoll(&mut [PollFd::new(event.as_fd(), PollFlags::POLLIN)], Some(sleep), None) {
                Ok(0) | Err(Errno::EINTR) if end.is_some_and(|end| Instant::now() >= end) => {
                    return Ok(false);
                }
                Ok(0) | Err(Errno::EINTR) => {}
                Ok(_) => match event.read() {
                    Ok(_) => return Ok(true),
                    Err(Errno::EAGAIN) => {}
                    Err(error) => return Err(failed(error)),
                },
                Err(error) => return Err(failed(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_with_its_vector_or_its_time() {
        let interrupts = Interrupts::new(2).expect("events");
        let short = Duration::from_millis(5);
        let started = Instant::now();
        assert!(!interrupts.wait(0, short).expect("waits"));
        assert!(started.elapsed() >= short);
        interrupts.events[1].write(3).expect("raised");
        assert!(!interrupts.wait(0, Duration::ZERO).expect("another vector's"));
        assert!(interrupts.wait(1, Duration::MAX).expect("raised before"));
        assert!(!interrupts.wait(1, Duration::ZERO).expect("taken"));
        interrupts.events[0].write(1).expect("raised");
        interrupts.clear();
        assert!(!interrupts.wait(0, Duration::ZERO).expect("forgotten"));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(short);
                interrupts.events[0].write(1).expect("raised");
            });
            assert!(interrupts.wait(0, Duration::from_secs(60)).expect("raised while asleep"));
        });
    }

    #[test]
    fn a_card_without_interrupts_is_waited_for() {
        let started = Instant::now();
        assert!(!Interrupts::new(0).expect("none").wait(0, Duration::from_millis(3)).expect("waits"));
        assert!(started.elapsed() >= Duration::from_millis(3));
    }
}
