//! Serves a simulated PCIe card over a socket, by the vfio-user protocol: to the driver in another process, or to QEMU,
//! whose guest then sees a PCI device.
//!
//! One thread does it all, so that an access costs no change of threads: it takes whole messages from the client, never
//! waiting for the rest of one, lets the card run while it has work, and sleeps when neither has any. One client is served
//! at a time; others are told that the card is in use (`EBUSY`). When a client leaves, however it does, its memory is
//! forgotten, the card is reset, and the next one finds it as after power-on.
//!
//! The crate `vfio_user` gives the interface between protocol and device ([`vfio_user::ServerBackend`]) but not the loop:
//! its own waits in `accept` and `recvmsg`, where a card has to go on; allocates what a client says and panics at what it
//! cannot parse; and leaves a second client waiting. Its client, and its server, are what the tests hold this against.

mod bridge;
mod commands;
mod config;
mod connection;
mod error;
mod function;
mod socket;
mod vectors;

pub use error::ServeError;
pub use function::PcieFunction;
pub use socket::SocketFile;

use crate::memory::GuestMemory;
use bridge::Bridge;
use connection::{Connection, Message, Received};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use std::collections::VecDeque;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;

/// Messages that are answered before the others get their turn.
const MESSAGES_PER_TURN: usize = 16;
/// Clients that are to be told that the card is in use, and have not said anything yet; more are cut off.
const REFUSALS: usize = 16;

/// A server of one card.
///
/// Dropping it removes the socket file.
pub struct Server<F> {
    listener: UnixListener,
    file: SocketFile,
    bridge: Bridge<F>,
    client: Option<Client>,
    refused: VecDeque<Connection>,
    stop: Arc<EventFd>,
}

/// The client that has the card.
struct Client {
    connection: Connection,
    /// It has named its version.
    negotiated: bool,
}

/// Ends a server from another thread.
#[derive(Clone)]
pub struct Stop(Arc<EventFd>);

impl Stop {
    /// Has [`Server::run`] return after its turn.
    pub fn stop(&self) {
        let _ = self.0.write(1);
    }
}

/// What made the server look up.
struct Woken {
    client: bool,
    listener: bool,
    refused: bool,
    stop: bool,
}

impl<F: PcieFunction> Server<F> {
    /// Makes the socket file at `path` and listens; `memory` is what `function` reaches as the host's memory.
    ///
    /// # Errors
    /// [`ServeError::AlreadyServed`], [`ServeError::NoSocket`], [`ServeError::Bind`], [`ServeError::Io`].
    pub fn bind(path: &Path, function: F, memory: GuestMemory) -> Result<Server<F>, ServeError> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        let stop = EventFd::from_flags(flags)
            .map_err(|errno| ServeError::Io { action: "making an event", source: errno.into() })?;
        let (listener, file) = socket::listen(path)?;
        let bridge = Bridge::new(function, memory);
        Ok(Server { listener, file, bridge, client: None, refused: VecDeque::new(), stop: Arc::new(stop) })
    }

    /// The socket file, for who has to remove it where this value is not dropped.
    pub fn file(&self) -> SocketFile {
        self.file.clone()
    }

    /// A way to end [`run`](Server::run).
    pub fn stopper(&self) -> Stop {
        Stop(self.stop.clone())
    }

    /// Serves clients, one after the other: until stopped, or with `once` until the first has left.
    ///
    /// # Errors
    /// [`ServeError::Card`] when the card breaks down, [`ServeError::Io`]. Nothing that a client does is an error here.
    pub fn run(&mut self, once: bool) -> Result<(), ServeError> {
        loop {
            let woken = self.sleep()?;
            if woken.stop {
                let _ = self.stop.read();
                self.client_left();
                return Ok(());
            }
            if woken.client && !self.serve() && self.client_left() && once {
                return Ok(());
            }
            // After the client: one that has left makes room.
            if woken.listener {
                self.accept()?;
            }
            if woken.refused {
                self.refuse();
            }
            if self.bridge.is_awake() {
                self.bridge.advance();
            }
            if let Some(error) = self.bridge.take_failure() {
                return Err(error.into());
            }
        }
    }

    /// Waits for somebody to say something; not at all while the card has something to do.
    fn sleep(&self) -> Result<Woken, ServeError> {
        let client = self.client.as_ref().map(|client| client.connection.stream().as_fd());
        let refused = self.refused.iter().map(|connection| connection.stream().as_fd());
        let mut watched: Vec<PollFd<'_>> = [self.listener.as_fd(), self.stop.as_fd()]
            .into_iter()
            .chain(client)
            .chain(refused)
            .map(|fd| PollFd::new(fd, PollFlags::POLLIN))
            .collect();
        let timeout = if self.bridge.is_awake() { PollTimeout::ZERO } else { PollTimeout::NONE };
        match poll(&mut watched, timeout) {
            Ok(_) => {}
            Err(Errno::EINTR) => {
                return Ok(Woken { client: false, listener: false, refused: false, stop: false });
            }
            Err(errno) => {
                return Err(ServeError::Io { action: "waiting for clients", source: errno.into() });
            }
        }
        let told = |at: usize| watched[at].any().unwrap_or(true);
        let clients = usize::from(self.client.is_some());
        Ok(Woken {
            listener: told(0),
            stop: told(1),
            client: clients == 1 && told(2),
            refused: (2 + clients..watched.len()).any(told),
        })
    }

    fn accept(&mut self) -> Result<(), ServeError> {
        let stream = match self.listener.accept() {
            Ok((stream, _)) => stream,
            // It went before it was heard, or this process has no room for it, which is its own loss.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock || is_passing(&error) => return Ok(()),
            Err(source) => return Err(ServeError::Io { action: "accepting a client", source }),
        };
        let Ok(connection) = Connection::new(stream) else { return Ok(()) };
        if self.client.is_none() {
            tracing::debug!("a client has connected");
            self.client = Some(Client { connection, negotiated: false });
            return Ok(());
        }
        tracing::info!("a second client is refused: the card is in use");
        if self.refused.len() == REFUSALS {
            self.refused.pop_front();
        }
        self.refused.push_back(connection);
        Ok(())
    }

    /// Tells those that the card is not for that it is in use, as the answer to whatever they say first.
    fn refuse(&mut self) {
        self.refused.retain_mut(|connection| match connection.receive() {
            Ok(Received::Nothing) => true,
            Ok(Received::Message(Message { header, .. })) => {
                let _ = connection.refuse(header, &io::Error::from_raw_os_error(nix::libc::EBUSY));
                false
            }
            Ok(Received::Closed(_)) | Err(_) => false,
        });
    }

    /// Answers what the client has sent; `false` if it has gone, or has to.
    fn serve(&mut self) -> bool {
        let Some(client) = &mut self.client else { return true };
        for _ in 0..MESSAGES_PER_TURN {
            let message = match client.connection.receive() {
                Ok(Received::Message(message)) => message,
                Ok(Received::Nothing) => return true,
                Ok(Received::Closed(header)) => {
                    if let Some(header) = header {
                        tracing::warn!(?header, "a client that sends no messages of the protocol is cut off");
                        let invalid = io::Error::from_raw_os_error(nix::libc::EINVAL);
                        let _ = client.connection.refuse(header, &invalid);
                    }
                    return false;
                }
                Err(error) => {
                    tracing::debug!(%error, "a client is gone");
                    return false;
                }
            };
            let header = message.header;
            let outcome = match client.negotiated {
                true => commands::carry_out(message, &mut self.bridge),
                false => commands::negotiate(&message),
            };
            let sent = match &outcome {
                Err(error) => {
                    tracing::debug!(?header, %error, "a command is refused");
                    client.connection.refuse(header, error)
                }
                Ok(_) if header.wants_no_reply() => Ok(()),
                Ok(body) => client.connection.reply(header, body.as_slice()),
            };
            // Without a version there is no protocol to go on with.
            client.negotiated |= outcome.is_ok();
            if sent.is_err() || !client.negotiated {
                return false;
            }
        }
        true
    }

    /// Forgets the client; `true` if it had had the card.
    fn client_left(&mut self) -> bool {
        let Some(client) = self.client.take() else { return false };
        if client.negotiated {
            tracing::debug!("the client has left");
            self.bridge.forget_client();
        }
        client.negotiated
    }
}

/// Whether an error of `accept` is the client's, or will pass.
fn is_passing(error: &io::Error) -> bool {
    let passing =
        [nix::libc::EINTR, nix::libc::ECONNABORTED, nix::libc::EMFILE, nix::libc::ENFILE, nix::libc::ENOMEM];
    error.raw_os_error().is_some_and(|number| passing.contains(&number))
}

impl<F> Drop for Server<F> {
    fn drop(&mut self) {
        self.file.remove();
    }
}
