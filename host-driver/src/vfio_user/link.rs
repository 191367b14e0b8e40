//! The connection to the server: commands and their answers, each within a time.

use super::wire::{self, HEADER_BYTES, Header, MAX_MESSAGE_BYTES, command};
use crate::transport::TransportError;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// What is said when the connection has ended.
const CLOSED: &str =
    "the simulator has ended or dropped the connection; start it again and open the card anew";

/// A connection. After anything but an orderly answer it is dead: whatever comes later could be the answer to another
/// question.
pub(super) struct Link {
    stream: UnixStream,
    name: String,
    next_id: u16,
    /// How long the server may take to accept a connection and to answer.
    timeout: Duration,
    /// Why nothing more is asked.
    dead: Option<String>,
}

/// Why a command was not carried out.
pub(super) enum Failure {
    /// The server refused it, and goes on working.
    Refused(io::Error),
    /// The connection is dead.
    Gone(TransportError),
}

impl Failure {
    /// As the transport's error, where nothing better can be said of a refusal than what was asked.
    pub(super) fn because(self, action: impl FnOnce() -> String) -> TransportError {
        match self {
            Failure::Refused(source) => TransportError::Io { action: action(), source },
            Failure::Gone(error) => error,
        }
    }
}

impl Link {
    /// Connects and agrees on the protocol's version.
    pub(super) fn connect(path: &Path, name: &str, timeout: Duration) -> Result<Link, TransportError> {
        let failed = |source: io::Error| {
            let advice = match source.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                    "no simulator serves it: start one with `spandrel sim serve --socket PATH`"
                }
                io::ErrorKind::PermissionDenied => {
                    "the simulator belongs to another user: ask for access to its socket file"
                }
                io::ErrorKind::TimedOut => "the simulator accepts no connection: it is stopped, or stuck",
                _ => "give the path of the socket that `spandrel sim serve` names",
            };
            TransportError::Io { action: format!("cannot connect to {name} ({advice})"), source }
        };
        let stream = wire::connect(path, timeout).map_err(failed)?;
        let mut link = Link { stream, name: name.to_owned(), next_id: 0, timeout, dead: None };
        match link.request(command::VERSION, &[wire::version_body().as_slice()], &[]) {
            Ok(reply) => match wire::major_version(&reply) {
                Some(0) => Ok(link),
                _ => Err(TransportError::Other(format!(
                    "{name} does not speak version 0 of the vfio-user protocol: is it a simulator of this card?"
                ))),
            },
            Err(Failure::Refused(error)) if error.raw_os_error() == Some(nix::libc::EBUSY) => {
                Err(TransportError::InUse { card: name.to_owned() })
            }
            Err(failure) => Err(failure.because(|| format!("{name} refused the protocol's version"))),
        }
    }

    /// Sends a command and gives the body of its answer.
    pub(super) fn request(
        &mut self,
        command: u16,
        body: &[&[u8]],
        fds: &[BorrowedFd<'_>],
    ) -> Result<Vec<u8>, Failure> {
        if let Some(reason) = &self.dead {
            return Err(Failure::Gone(self.gone(reason.clone())));
        }
        let id = self.next_id;
        self.next_id = id.wrapping_add(1);
        let fds: Vec<RawFd> = fds.iter().map(AsRawFd::as_raw_fd).collect();
        let header = Header { id, command, ..Header::default() };
        let answer = wire::send(&self.stream, header, body, &fds)
            .map_err(|error| self.describe(&error))
            .and_then(|()| self.receive(id, command));
        match answer {
            Ok((header, body)) => match header.failure() {
                Some(error) => Err(Failure::Refused(error)),
                None => Ok(body),
            },
            Err(reason) => {
                self.dead = Some(reason.clone());
                // The server learns of it, gives the card free and forgets this process's memory.
                let _ = self.stream.shutdown(std::net::Shutdown::Both);
                Err(Failure::Gone(self.gone(reason)))
            }
        }
    }

    /// Notes that the other end has closed the connection.
    pub(super) fn hung_up(&mut self) -> TransportError {
        let reason = self.dead.get_or_insert_with(|| CLOSED.to_owned()).clone();
        self.gone(reason)
    }

    /// The socket once more, to be watched for its end.
    pub(super) fn watched(&self) -> Result<UnixStream, TransportError> {
        let action = "watching the connection to the simulator".to_owned();
        self.stream.try_clone().map_err(|source| TransportError::Io { action, source })
    }

    fn gone(&self, reason: String) -> TransportError {
        TransportError::Disconnected { card: self.name.clone(), reason }
    }

    fn receive(&mut self, id: u16, command: u16) -> Result<(Header, Vec<u8>), String> {
        let deadline = Instant::now() + self.timeout;
        let mut head = [0; HEADER_BYTES];
        self.fill(&mut head, deadline)?;
        let header = Header::from_bytes(&head);
        if header.id != id || header.command != command || !header.is_reply() {
            return Err(format!(
                "it answered message {id} (command {command}) with message {} (command {}, flags {:#x})",
                header.id, header.command, header.flags
            ));
        }
        let size = header.size as usize;
        if !(HEADER_BYTES..=MAX_MESSAGE_BYTES).contains(&size) {
            return Err(format!("it sent an answer of {size} bytes"));
        }
        let mut body = vec![0; size - HEADER_BYTES];
        self.fill(&mut body, deadline)?;
        Ok((header, body))
    }

    fn fill(&mut self, mut into: &mut [u8], deadline: Instant) -> Result<(), String> {
        // The protocol of this card passes no descriptors back; what comes all the same is closed.
        let mut fds: Vec<OwnedFd> = Vec::new();
        while !into.is_empty() {
            match wire::receive(&self.stream, into, &mut fds, true) {
                Ok(0) => return Err(CLOSED.to_owned()),
                Ok(bytes) => into = &mut into[bytes..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.describe(&error)),
            }
            if !into.is_empty() && Instant::now() > deadline {
                return Err(self.describe(&io::ErrorKind::WouldBlock.into()));
            }
        }
        Ok(())
    }

    /// An error of the socket, as what it says of the simulator.
    fn describe(&self, error: &io::Error) -> String {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => format!(
                "the simulator has not answered for {} s; it is stopped, or stuck: end it, start it again and open the card anew",
                self.timeout.as_secs_f64()
            ),
            io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => CLOSED.to_owned(),
            _ => error.to_string(),
        }
    }
}
