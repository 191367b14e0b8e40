//! Messages of the vfio-user protocol, as both ends speak it: the driver's transport and the simulator's server.
//!
//! A message is a header of 16 bytes and a body, on a stream socket, in the byte order of the host (both ends are on one
//! machine). A command is answered by a reply with its number, unless its sender asked for none. File descriptors travel
//! beside the bytes. What the bodies hold is written down in the specification, docs/interop/vfio-user.rst of QEMU.

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use nix::sys::socket::{
    self as sockets, AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType,
    UnixAddr, sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike};

/// Bytes of a header.
pub const HEADER_BYTES: usize = 16;

/// Most bytes that one message reads or writes of a region: what the protocol takes where nothing was agreed.
pub const MAX_DATA_BYTES: u32 = 1 << 20;

/// Longest message that is taken: the most data, with a header and the fixed part of the longest body.
pub const MAX_MESSAGE_BYTES: usize = MAX_DATA_BYTES as usize + 4096;

/// Most file descriptors that are taken with one message.
pub const MAX_DESCRIPTORS: usize = 16;

/// A message's number, size, kind and result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// Chosen by the sender of the command; the reply has the same.
    pub id: u16,
    /// What is asked: one of [`command`].
    pub command: u16,
    /// Bytes of the whole message.
    pub size: u32,
    /// Kind of message: bits of [`flag`].
    pub flags: u32,
    /// In a failed reply, the error number of the operating system (`errno`).
    pub error: u32,
}

impl Header {
    /// Reads the 16 bytes of a header.
    pub fn from_bytes(bytes: &[u8; HEADER_BYTES]) -> Header {
        let half = |at: usize| u16::from_ne_bytes([bytes[at], bytes[at + 1]]);
        Header {
            id: half(0),
            command: half(2),
            size: u32_at(bytes, 4),
            flags: u32_at(bytes, 8),
            error: u32_at(bytes, 12),
        }
    }

    /// The 16 bytes of a header.
    pub fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[0..2].copy_from_slice(&self.id.to_ne_bytes());
        bytes[2..4].copy_from_slice(&self.command.to_ne_bytes());
        for (at, word) in [(4, self.size), (8, self.flags), (12, self.error)] {
            bytes[at..at + 4].copy_from_slice(&word.to_ne_bytes());
        }
        bytes
    }

    /// Whether this is a reply and no command.
    pub fn is_reply(self) -> bool {
        self.flags & flag::TYPE == flag::REPLY
    }

    /// Whether the sender of this command wants no reply.
    pub fn wants_no_reply(self) -> bool {
        self.flags & flag::NO_REPLY != 0
    }

    /// The error of a reply that reports one; the numbers that name none (0, or beyond all) become `EIO`.
    pub fn failure(self) -> Option<io::Error> {
        (self.flags & flag::ERROR != 0).then(|| {
            let number = i32::try_from(self.error).ok().filter(|number| (1..4096).contains(number));
            io::Error::from_raw_os_error(number.unwrap_or(nix::libc::EIO))
        })
    }
}

/// Numbers of the commands.
pub mod command {
    /// Agrees on a version: the first message of every connection.
    pub const VERSION: u16 = 1;
    /// Lets the device reach memory: argsz, flags, then offset in the file, address and size (8 bytes each).
    pub const DMA_MAP: u16 = 2;
    /// Ends that: argsz, flags, then address and size (8 bytes each); the reply repeats them.
    pub const DMA_UNMAP: u16 = 3;
    /// What the device has: argsz, flags, number of regions, number of interrupt kinds.
    pub const DEVICE_GET_INFO: u16 = 4;
    /// A region: argsz, flags, index, offset of capabilities, then size and file offset (8 bytes each).
    pub const DEVICE_GET_REGION_INFO: u16 = 5;
    /// An interrupt kind: argsz, flags, index, number of vectors.
    pub const DEVICE_GET_IRQ_INFO: u16 = 7;
    /// Sets up vectors: argsz, flags, index, first vector, number of vectors, then one byte for each or descriptors.
    pub const DEVICE_SET_IRQS: u16 = 8;
    /// Reads a region: offset (8 bytes), region, number of bytes; the reply repeats them and adds the bytes.
    pub const REGION_READ: u16 = 9;
    /// Writes a region: offset (8 bytes), region, number of bytes, the bytes; the reply repeats all but the bytes.
    pub const REGION_WRITE: u16 = 10;
    /// Resets the device; no body.
    pub const DEVICE_RESET: u16 = 13;
}

/// Bits of a header's flags.
pub mod flag {
    /// The bits that tell the type of a message.
    pub const TYPE: u32 = 0xf;
    /// Type of a reply; a command's is 0.
    pub const REPLY: u32 = 1;
    /// No reply is wanted.
    pub const NO_REPLY: u32 = 1 << 4;
    /// The reply reports an error.
    pub const ERROR: u32 = 1 << 5;
}

/// The 32-bit word at byte `at`.
///
/// # Panics
/// If `bytes` ends before it: the length of a message is checked first.
pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_ne_bytes(word)
}

/// The 64-bit word at byte `at`.
///
/// # Panics
/// As [`u32_at`].
pub fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_ne_bytes(word)
}

/// A body, written from its first byte on.
#[derive(Clone, Debug, Default)]
pub struct Body(Vec<u8>);

impl Body {
    /// No bytes yet.
    pub fn new() -> Body {
        Body::default()
    }

    /// With these 32-bit words added.
    pub fn words(mut self, words: &[u32]) -> Body {
        self.0.extend(words.iter().flat_map(|word| word.to_ne_bytes()));
        self
    }

    /// With these 64-bit words added.
    pub fn doubles(mut self, doubles: &[u64]) -> Body {
        self.0.extend(doubles.iter().flat_map(|double| double.to_ne_bytes()));
        self
    }

    /// With these bytes added.
    pub fn bytes(mut self, bytes: &[u8]) -> Body {
        self.0.extend_from_slice(bytes);
        self
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

/// Body of a version message: the version, and as JSON what its sender can take.
///
/// Both ends state 0.0, the only version whose messages are used here.
pub fn version_body() -> Body {
    let capabilities = format!(
        "{{\"capabilities\":{{\"max_msg_fds\":8,\"max_data_xfer_size\":{MAX_DATA_BYTES},\"migration\":{{\"pgsize\":4096}}}}}}\0"
    );
    Body::new().words(&[0]).bytes(capabilities.as_bytes())
}

/// Major version in a version message's body; `None` where the body is too short for one.
pub fn major_version(body: &[u8]) -> Option<u16> {
    Some(u16::from_ne_bytes([*body.first()?, *body.get(3).and(body.get(1))?]))
}

/// Sends a whole message; its size is put into the header. Waits as long as the socket's time-out for sending allows.
///
/// # Errors
/// The operating system's, and `WriteZero` where the other end takes no more.
pub fn send(stream: &UnixStream, mut header: Header, body: &[&[u8]], fds: &[RawFd]) -> io::Result<()> {
    let size = HEADER_BYTES + body.iter().map(|part| part.len()).sum::<usize>();
    header.size = u32::try_from(size).map_err(|_| io::Error::from_raw_os_error(nix::libc::EMSGSIZE))?;
    let head = header.to_bytes();
    let mut parts: Vec<&[u8]> = Vec::with_capacity(1 + body.len());
    parts.push(&head);
    parts.extend_from_slice(body);
    let mut control = match fds {
        [] => Vec::new(),
        fds => vec![ControlMessage::ScmRights(fds)],
    };
    loop {
        parts.retain(|part| !part.is_empty());
        if parts.is_empty() {
            return Ok(());
        }
        let slices: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
        let flags = MsgFlags::MSG_NOSIGNAL;
        let mut sent = match sockets::sendmsg::<()>(stream.as_raw_fd(), &slices, &control, flags, None) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(sent) => sent,
            Err(nix::errno::Errno::EINTR) => continue,
            Err(error) => return Err(error.into()),
        };
        // The descriptors went with the first byte.
        control.clear();
        for part in &mut parts {
            let of_this = sent.min(part.len());
            *part = &part[of_this..];
            sent -= of_this;
        }
    }
}

/// Receives at most `into.len()` bytes and the descriptors that came with them, which are added to `fds`; 0 bytes mean
/// that the other end has closed. With `wait` unset, it does not wait (`WouldBlock`).
///
/// # Errors
/// The operating system's; after one, `fds` may have been added to.
pub fn receive(
    stream: &UnixStream,
    into: &mut [u8],
    fds: &mut Vec<OwnedFd>,
    wait: bool,
) -> io::Result<usize> {
    let mut control = nix::cmsg_space!([RawFd; MAX_DESCRIPTORS]);
    let mut slices = [IoSliceMut::new(into)];
    let mut flags = MsgFlags::MSG_CMSG_CLOEXEC;
    if !wait {
        flags |= MsgFlags::MSG_DONTWAIT;
    }
    let message = sockets::recvmsg::<()>(stream.as_raw_fd(), &mut slices, Some(&mut control), flags)?;
    // Descriptors that found no room are closed by the kernel; those that did are ours from here on.
    if let Ok(messages) = message.cmsgs() {
        for message in messages {
            if let ControlMessageOwned::ScmRights(received) = message {
                // SAFETY: the kernel has just made these descriptors for this process, and nothing else owns them.
                fds.extend(received.into_iter().map(|fd| unsafe { OwnedFd::from_raw_fd(fd) }));
            }
        }
    }
    Ok(message.bytes)
}

/// Connects to the socket file at `path` within `timeout`, also where its server accepts nothing any more.
///
/// The stream's time-outs for sending and receiving are `timeout` afterwards.
///
/// # Errors
/// The operating system's: `NotFound`, `ConnectionRefused` for a file whose server is dead, `TimedOut`.
pub fn connect(path: &Path, timeout: Duration) -> io::Result<UnixStream> {
    let socket = sockets::socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    let milliseconds = i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX).max(1);
    let limit = TimeVal::milliseconds(milliseconds);
    // The time-out for sending is also the one for connecting.
    sockets::setsockopt(&socket, sockopt::SendTimeout, &limit)?;
    sockets::setsockopt(&socket, sockopt::ReceiveTimeout, &limit)?;
    match sockets::connect(socket.as_raw_fd(), &UnixAddr::new(path)?) {
        Ok(()) => Ok(UnixStream::from(socket)),
        Err(nix::errno::Errno::EAGAIN) => Err(io::ErrorKind::TimedOut.into()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    #[test]
    fn headers_survive_and_errors_are_named() {
        let header = Header { id: 0xa1b2, command: 9, size: 48, flags: 0x21, error: 16 };
        assert_eq!(Header::from_bytes(&header.to_bytes()), header);
        assert!(header.is_reply() && !header.wants_no_reply());
        assert_eq!(header.failure().and_then(|error| error.raw_os_error()), Some(16));
        for error in [0, 4096, u32::MAX] {
            let unnamed = Header { error, ..header };
            assert_eq!(unnamed.failure().and_then(|error| error.raw_os_error()), Some(nix::libc::EIO));
        }
        assert!(Header { flags: 1, ..header }.failure().is_none());
        assert_eq!(major_version(version_body().as_slice()), Some(0));
        assert_eq!(major_version(&[1, 2, 0]), None);
        assert_eq!(major_version(&[1, 2, 0, 0]), Some(0x0201));
    }

    #[test]
    fn descriptors_travel_with_their_message() {
        let (near, far) = UnixStream::pair().expect("a pair of sockets");
        let file = tempfile();
        let body = Body::new().words(&[1, 2]).doubles(&[3]);
        send(&near, Header::default(), &[], &[]).expect("sent");
        send(&near, Header::default(), &[body.as_slice(), &[7; 5]], &[file.as_raw_fd(); 2]).expect("sent");
        let (mut first, mut fds) = ([0; HEADER_BYTES], Vec::new());
        assert_eq!(receive(&far, &mut first, &mut fds, true).expect("received"), HEADER_BYTES);
        assert!(fds.is_empty());
        let mut second = [0; 64];
        let bytes = receive(&far, &mut second, &mut fds, true).expect("received");
        assert_eq!((bytes, fds.len()), (HEADER_BYTES + 16 + 5, 2));
        assert_eq!(u32_at(&second, 4), bytes as u32, "the size is put in");
        assert_eq!((u32_at(&second, 20), u64_at(&second, 24), second[36]), (2, 3, 7));
        assert_eq!(
            receive(&far, &mut second, &mut fds, false).unwrap_err().kind(),
            io::ErrorKind::WouldBlock
        );
        drop(near);
        assert_eq!(receive(&far, &mut second, &mut fds, true).expect("closed"), 0);
    }

    fn tempfile() -> OwnedFd {
        let (end, _) = UnixStream::pair().expect("a pair of sockets");
        end.as_fd().try_clone_to_owned().expect("a descriptor")
    }
}
