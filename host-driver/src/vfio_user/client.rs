//! The transport itself.

use super::dma::{Addresses, SharedLink, allocate, lock};
use super::link::{Failure, Link};
use super::wire::{Body, command, u32_at, u64_at};
use crate::dma::DmaBuffer;
use crate::transport::{AccessWidth, ClockKind, Transport, TransportError};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags};
use nix::sys::eventfd::{EfdFlags, EventFd};
use spandrel_abi::{BAR0_BYTES, MSIX_VECTORS, PCI_DEVICE, PCI_VENDOR};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use vfio_bindings::bindings::vfio::{
    VFIO_DEVICE_FLAGS_PCI, VFIO_IRQ_SET_ACTION_TRIGGER, VFIO_IRQ_SET_DATA_EVENTFD,
    VFIO_PCI_BAR0_REGION_INDEX, VFIO_PCI_CONFIG_REGION_INDEX, VFIO_PCI_MSIX_IRQ_INDEX,
};

/// How long the server may take to accept a connection and to answer. A register access on a simulated card takes well
/// below a millisecond and a reset some dozens; but the machine may be busy.
const REPLY_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of the configuration space.
const CONFIG_BYTES: u64 = 4096;
/// Offset of the command register in the configuration space.
const PCI_COMMAND: u64 = 4;
/// What the command register must say: the card answers at its BAR, and reaches memory.
const MEMORY_AND_BUS_MASTER: u16 = 1 << 1 | 1 << 2;

/// A card that another process simulates and serves over a socket: `spandrel sim serve`.
///
/// Every call ends within [`connect_within`](VfioUser::connect_within)'s time, and within its own time-out in addition in
/// the case of [`wait_interrupt`](Transport::wait_interrupt); a server that was killed is noticed at once, one that was
/// stopped when that time is over. Both are [`TransportError::Disconnected`], then and for every later call.
///
/// Dropping it closes the connection: the server resets the card and forgets this process's memory, also where the process
/// was killed.
pub struct VfioUser {
    link: SharedLink,
    /// The connection once more, to be watched while others use it.
    watched: UnixStream,
    name: String,
    addresses: Addresses,
    events: Vec<EventFd>,
    bar_bytes: u64,
    started: Instant,
}

impl std::fmt::Debug for VfioUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VfioUser").field("name", &self.name).finish_non_exhaustive()
    }
}

impl VfioUser {
    /// Connects to the simulator that serves the socket file at `path`, and lets the card reach memory and interrupt.
    ///
    /// # Errors
    /// [`TransportError::InUse`] when the simulator serves another process, [`TransportError::Disconnected`] when it
    /// ends or does not answer, [`TransportError::Io`] when there is none, [`TransportError::Other`] when what it serves
    /// is not this card.
    pub fn connect(path: &Path) -> Result<VfioUser, TransportError> {
        VfioUser::connect_within(path, REPLY_TIMEOUT)
    }

    /// As [`VfioUser::connect`], with the time that the server may take for each answer (30 s there).
    ///
    /// # Errors
    /// As [`VfioUser::connect`].
    pub fn connect_within(path: &Path, reply_timeout: Duration) -> Result<VfioUser, TransportError> {
        let name = format!("vfio-user:{}", path.display());
        let link = Link::connect(path, &name, reply_timeout)?;
        let watched = link.watched()?;
        let mut client = VfioUser {
            link: Arc::new(Mutex::new(link)),
            watched,
            name,
            addresses: Addresses::default(),
            events: Vec::new(),
            bar_bytes: 0,
            started: Instant::now(),
        };
        client.identify()?;
        client.enable()?;
        client.connect_interrupts()?;
        Ok(client)
    }

    fn request(&mut self, command: u16, body: &Body, bytes: usize) -> Result<Vec<u8>, Failure> {
        let reply = lock(&self.link).request(command, &[body.as_slice()], &[])?;
        match reply.len() >= bytes {
            true => Ok(reply),
            false => Err(Failure::Gone(TransportError::Other(format!(
                "{} answered command {command} with {} bytes where {bytes} are due: it is no simulator of this card",
                self.name,
                reply.len()
            )))),
        }
    }

    /// Makes sure that this is the card, and that its BAR is as large as the driver takes it to be.
    fn identify(&mut self) -> Result<(), TransportError> {
        let asked =
            |what: &'static str| move |failure: Failure| failure.because(|| format!("asking for {what}"));
        let other = |what: String| TransportError::Other(format!("{what}: it is no simulator of this card"));
        let info = self
            .request(command::DEVICE_GET_INFO, &Body::new().words(&[16, 0, 0, 0]), 16)
            .map_err(asked("the device"))?;
        if u32_at(&info, 4) & VFIO_DEVICE_FLAGS_PCI == 0 {
            return Err(other(format!("{} serves no PCI device", self.name)));
        }
        let question = Body::new().words(&[32, 0, VFIO_PCI_BAR0_REGION_INDEX, 0]).doubles(&[0, 0]);
        let region = self.request(command::DEVICE_GET_REGION_INFO, &question, 32).map_err(asked("BAR 0"))?;
        self.bar_bytes = u64_at(&region, 16);
        let irq = self
            .request(
                command::DEVICE_GET_IRQ_INFO,
                &Body::new().words(&[16, 0, VFIO_PCI_MSIX_IRQ_INDEX, 0]),
                16,
            )
            .map_err(asked("its interrupts"))?;
        let (vectors, identity) = (u32_at(&irq, 12), self.read_config(0, AccessWidth::Word)?);
        let expected = u32::from(PCI_DEVICE) << 16 | u32::from(PCI_VENDOR);
        if (identity, self.bar_bytes, vectors) != (expected, BAR0_BYTES.into(), MSIX_VECTORS.into()) {
            return Err(other(format!(
                "{} serves device {:04x}:{:04x} with a BAR of {} bytes and {vectors} interrupt vectors instead of \
                 {PCI_VENDOR:04x}:{PCI_DEVICE:04x}, {BAR0_BYTES} and {MSIX_VECTORS}",
                self.name,
                identity & 0xffff,
                identity >> 16,
                self.bar_bytes
            )));
        }
        Ok(())
    }

    /// Has the card answer at its BAR and reach memory, which it does not after a reset.
    fn enable(&mut self) -> Result<(), TransportError> {
        let offset = PCI_COMMAND as u16;
        let command = self.read_config(offset, AccessWidth::Half)? as u16;
        self.write_config(offset, AccessWidth::Half, (command | MEMORY_AND_BUS_MASTER).into())
    }

    /// Has each interrupt vector of the card raise an event of this process.
    fn connect_interrupts(&mut self) -> Result<(), TransportError> {
        let failed = |errno: Errno| TransportError::Io {
            action: "making an event for the card's interrupts".to_owned(),
            source: errno.into(),
        };
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        for _ in 0..MSIX_VECTORS {
            self.events.push(EventFd::from_flags(flags).map_err(failed)?);
        }
        let flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
        let body = Body::new().words(&[20, flags, VFIO_PCI_MSIX_IRQ_INDEX, 0, MSIX_VECTORS.into()]);
        let events: Vec<_> = self.events.iter().map(AsFd::as_fd).collect();
        lock(&self.link)
            .request(command::DEVICE_SET_IRQS, &[body.as_slice()], &events)
            .map_err(|failure| failure.because(|| "setting up the card's interrupts".to_owned()))?;
        Ok(())
    }

    fn read_region(&mut self, region: u32, offset: u64, width: AccessWidth) -> Result<u64, Failure> {
        let bytes = width.bytes() as usize;
        let body = Body::new().doubles(&[offset]).words(&[region, bytes as u32]);
        let reply = self.request(command::REGION_READ, &body, 16 + bytes)?;
        let mut value = [0; 8];
        value[..bytes].copy_from_slice(&reply[16..16 + bytes]);
        Ok(u64::from_le_bytes(value))
    }

    fn write_region(
        &mut self,
        region: u32,
        offset: u64,
        width: AccessWidth,
        value: u64,
    ) -> Result<(), Failure> {
        let bytes = width.bytes() as usize;
        let body = Body::new()
            .doubles(&[offset])
            .words(&[region, bytes as u32])
            .bytes(&value.to_le_bytes()[..bytes]);
        self.request(command::REGION_WRITE, &body, 0).map(drop)
    }

    fn event(&self, vector: u16) -> Result<&EventFd, TransportError> {
        self.events.get(usize::from(vector)).ok_or(TransportError::NoSuchVector { vector })
    }
}

/// Refuses an access that is misaligned or ends beyond a region of `bar_bytes` bytes.
fn check(offset: u64, width: AccessWidth, bar_bytes: u64) -> Result<(), TransportError> {
    let inside = offset.checked_add(width.bytes()).is_some_and(|end| end <= bar_bytes);
    match inside && offset.is_multiple_of(width.bytes()) {
        true => Ok(()),
        false => Err(TransportError::BadAccess { offset, width, bar_bytes }),
    }
}

/// What an access that was not done ends in.
fn access_failed(offset: u64, width: AccessWidth) -> impl FnOnce(Failure) -> TransportError {
    move |failure| match failure {
        Failure::Refused(error) => {
            TransportError::AccessFailed { offset, width, reason: format!("the simulator says: {error}") }
        }
        Failure::Gone(error) => error,
    }
}

impl Transport for VfioUser {
    fn describe(&self) -> String {
        self.name.clone()
    }

    fn read_bar(&mut self, offset: u64, width: AccessWidth) -> Result<u64, TransportError> {
        check(offset, width, self.bar_bytes)?;
        self.read_region(VFIO_PCI_BAR0_REGION_INDEX, offset, width).map_err(access_failed(offset, width))
    }

    fn write_bar(&mut self, offset: u64, width: AccessWidth, value: u64) -> Result<(), TransportError> {
        check(offset, width, self.bar_bytes)?;
        // What was written to shared memory is visible to the server before the message is.
        std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
        self.write_region(VFIO_PCI_BAR0_REGION_INDEX, offset, width, value)
            .map_err(access_failed(offset, width))
    }

    fn allocate(&mut self, bytes: usize) -> Result<DmaBuffer, TransportError> {
        allocate(&self.link, &mut self.addresses, bytes)
    }

    fn wait_interrupt(&mut self, vector: u16, timeout: Duration) -> Result<bool, TransportError> {
        let event = self.event(vector)?;
        let deadline = Instant::now().checked_add(timeout);
        loop {
            match event.read() {
                Ok(_) => return Ok(true),
                Err(Errno::EAGAIN | Errno::EINTR) => {}
                Err(errno) => {
                    let action = format!("waiting for interrupt {vector}");
                    return Err(TransportError::Io { action, source: errno.into() });
                }
            }
            let left =
                deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Ok(false);
            }
            let mut watched = [
                PollFd::new(event.as_fd(), PollFlags::POLLIN),
                // Nothing comes here without a question: what can be read is its end.
                PollFd::new(self.watched.as_fd(), PollFlags::POLLIN),
            ];
            wait(&mut watched, left).map_err(|errno| TransportError::Io {
                action: format!("waiting for interrupt {vector}"),
                source: errno.into(),
            })?;
            let told = |at: usize| watched[at].any().unwrap_or(true);
            if told(1) && !told(0) {
                return Err(lock(&self.link).hung_up());
            }
        }
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn clock(&self) -> ClockKind {
        ClockKind::Wall
    }

    fn read_config(&mut self, offset: u16, width: AccessWidth) -> Result<u32, TransportError> {
        let offset = u64::from(offset);
        check_config(offset, width)?;
        self.read_region(VFIO_PCI_CONFIG_REGION_INDEX, offset, width)
            .map(|value| value as u32)
            .map_err(access_failed(offset, width))
    }

    fn write_config(&mut self, offset: u16, width: AccessWidth, value: u32) -> Result<(), TransportError> {
        let offset = u64::from(offset);
        check_config(offset, width)?;
        self.write_region(VFIO_PCI_CONFIG_REGION_INDEX, offset, width, value.into())
            .map_err(access_failed(offset, width))
    }

    fn reset(&mut self) -> Result<(), TransportError> {
        self.request(command::DEVICE_RESET, &Body::new(), 0)
            .map_err(|failure| failure.because(|| "resetting the card".to_owned()))?;
        // Interrupts from before the reset mean nothing any more.
        for event in &self.events {
            let _ = event.read();
        }
        self.enable()
    }
}

fn check_config(offset: u64, width: AccessWidth) -> Result<(), TransportError> {
    match width {
        AccessWidth::Double => Err(TransportError::BadAccess { offset, width, bar_bytes: CONFIG_BYTES }),
        _ => check(offset, width, CONFIG_BYTES),
    }
}

/// Waits until one of the descriptors has something to tell, or `timeout` is over, to the nanosecond.
fn wait(watched: &mut [PollFd<'_>], timeout: Duration) -> nix::Result<()> {
    // Half an hour at a time; the caller looks at its own deadline.
    let timeout = timeout.min(Duration::from_secs(1800));
    match nix::poll::ppoll(watched, Some(timeout.into()), None) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(errno) => Err(errno),
    }
}
