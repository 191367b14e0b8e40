//! A client's socket: whole messages in, replies out, and never a wait for a client that is slow.

use nix::sys::socket::{setsockopt, sockopt};
use nix::sys::time::{TimeVal, TimeValLike};
use spandrel_driver::vfio_user::wire::{
    self, HEADER_BYTES, Header, MAX_DESCRIPTORS, MAX_MESSAGE_BYTES, flag,
};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

/// A client that does not take its reply within so long is dropped.
const SEND_TIMEOUT_SECONDS: i64 = 5;

/// A whole message.
pub(super) struct Message {
    pub(super) header: Header,
    pub(super) body: Vec<u8>,
    pub(super) fds: Vec<OwnedFd>,
}

/// What there is to be had of a client now.
pub(super) enum Received {
    /// A message.
    Message(Message),
    /// No more than a part of one.
    Nothing,
    /// The client has gone, or what it sends cannot be told apart into messages; the header is that of the message at
    /// fault, if it has come.
    Closed(Option<Header>),
}

/// A connection to a client.
pub(super) struct Connection {
    stream: UnixStream,
    /// The message that is being received, as far as it has come.
    partial: Vec<u8>,
    received: usize,
    fds: Vec<OwnedFd>,
}

impl Connection {
    pub(super) fn new(stream: UnixStream) -> io::Result<Connection> {
        setsockopt(&stream, sockopt::SendTimeout, &TimeVal::seconds(SEND_TIMEOUT_SECONDS))?;
        Ok(Connection { stream, partial: vec![0; HEADER_BYTES], received: 0, fds: Vec::new() })
    }

    pub(super) fn stream(&self) -> &UnixStream {
        &self.stream
    }

    /// Takes in what has come, up to the end of one message: descriptors belong to the message with which they come.
    pub(super) fn receive(&mut self) -> io::Result<Received> {
        loop {
            if self.received == self.partial.len() {
                let header = self.header();
                let size = header.map_or(0, |header| header.size as usize);
                if !(HEADER_BYTES..=MAX_MESSAGE_BYTES).contains(&size) || self.fds.len() > MAX_DESCRIPTORS {
                    return Ok(Received::Closed(header));
                }
                if size == self.received {
                    return Ok(self.finish());
                }
                self.partial.resize(size, 0);
            }
            let into = &mut self.partial[self.received..];
            match wire::receive(&self.stream, into, &mut self.fds, false) {
                Ok(0) => return Ok(Received::Closed(None)),
                Ok(bytes) => self.received += bytes,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Received::Nothing),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if self.fds.len() > MAX_DESCRIPTORS {
                return Ok(Received::Closed(self.header()));
            }
        }
    }

    fn header(&self) -> Option<Header> {
        let (head, _) = self.partial.split_first_chunk::<HEADER_BYTES>()?;
        (self.received >= HEADER_BYTES).then(|| Header::from_bytes(head))
    }

    fn finish(&mut self) -> Received {
        let header = self.header();
        let body = self.partial.split_off(HEADER_BYTES);
        self.received = 0;
        let fds = std::mem::take(&mut self.fds);
        match header {
            Some(header) if header.flags & flag::TYPE == 0 => {
                Received::Message(Message { header, body, fds })
            }
            // A reply, though nothing was asked.
            header => Received::Closed(header),
        }
    }

    /// Answers a command.
    pub(super) fn reply(&self, command: Header, body: &[u8]) -> io::Result<()> {
        let header = Header { flags: flag::REPLY, error: 0, ..command };
        wire::send(&self.stream, header, &[body], &[])
    }

    /// Answers a command with an error.
    pub(super) fn refuse(&self, command: Header, error: &io::Error) -> io::Result<()> {
        let number = error.raw_os_error().unwrap_or(nix::libc::EIO);
        let header = Header { flags: flag::REPLY | flag::ERROR, error: number.unsigned_abs(), ..command };
        wire::send(&self.stream, header, &[], &[])
    }
}
