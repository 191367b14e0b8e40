//! Clients that send what no client should.

use crate::stand_in::*;
use rand::{RngCore, SeedableRng};
use spandrel_driver::vfio_user::SharedFile;
use spandrel_driver::vfio_user::wire::{self, Body, HEADER_BYTES, Header, command, flag, u32_at, u64_at};
use spandrel_driver::{AccessWidth, Transport};
use std::io::Write;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

const EINVAL: u32 = 22;
const EEXIST: u32 = 17;
const ENOENT: u32 = 2;
const EOPNOTSUPP: u32 = 95;

/// A client of raw messages.
struct Raw(UnixStream);

impl Raw {
    fn silent(path: &Path) -> Raw {
        Raw(wire::connect(path, Duration::from_secs(10)).unwrap())
    }

    fn new(path: &Path) -> Raw {
        let mut raw = Raw::silent(path);
        assert_eq!(raw.ask(command::VERSION, &wire::version_body(), &[]).0.error, 0);
        raw
    }

    fn ask(&mut self, command: u16, body: &Body, fds: &[RawFd]) -> (Header, Vec<u8>) {
        let header = Header { id: 7, command, ..Header::default() };
        wire::send(&self.0, header, &[body.as_slice()], fds).unwrap();
        self.answer().expect("an answer")
    }

    /// The next message, or `None` where the server has hung up.
    fn answer(&mut self) -> Option<(Header, Vec<u8>)> {
        let head = self.take(HEADER_BYTES)?;
        let header = Header::from_bytes(head.as_slice().try_into().unwrap());
        assert!(header.is_reply() && header.id == 7, "{header:?}");
        assert_eq!(header.flags & flag::ERROR != 0, header.error != 0, "{header:?}");
        Some((header, self.take(header.size as usize - HEADER_BYTES)?))
    }

    fn take(&mut self, bytes: usize) -> Option<Vec<u8>> {
        let (mut data, mut fds) = (vec![0; bytes], Vec::<OwnedFd>::new());
        let mut done = 0;
        while done < bytes {
            match wire::receive(&self.0, &mut data[done..], &mut fds, true) {
                Ok(0) => return None,
                Ok(more) => done += more,
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("the server neither answers nor hangs up: {error}"),
            }
        }
        Some(data)
    }

    fn error(&mut self, command: u16, body: &Body, fds: &[RawFd]) -> u32 {
        self.ask(command, body, fds).0.error
    }
}

fn region(offset: u64, region: u32, count: u32) -> Body {
    Body::new().doubles(&[offset]).words(&[region, count])
}

fn map(flags: u32, offset: u64, address: u64, size: u64) -> Body {
    Body::new().words(&[32, flags]).doubles(&[offset, address, size])
}

fn unmap(flags: u32, address: u64, size: u64) -> Body {
    Body::new().words(&[24, flags]).doubles(&[address, size])
}

fn irqs(flags: u32, index: u32, start: u32, count: u32) -> Body {
    Body::new().words(&[20, flags, index, start, count])
}

/// What must work after everything that is done to a server.
fn still_serves(served: &Served) {
    let mut card = served.connect();
    card.write_bar(0x100, AccessWidth::Word, 9).unwrap();
    assert_eq!(card.read_bar(0x100, AccessWidth::Word).unwrap(), 9);
    assert_eq!(served.memory.mapped(), 0);
}

#[test]
fn impossible_commands_are_refused_one_by_one() {
    let served = Served::start();
    let mut client = Raw::new(&served.path);
    let (_memory, file) = SharedFile::create(8192).unwrap();
    let (fd, socket) = (file.as_raw_fd(), client.0.as_raw_fd());
    for (body, error) in [
        (region(0, 9, 4), EINVAL),
        (region(0, u32::MAX, 4), EINVAL),
        (region(0, 1, 4), EINVAL),
        (region(0x4000, 0, 4), EINVAL),
        (region(u64::MAX, 0, 4), EINVAL),
        (region(u64::MAX - 3, 7, 4), EINVAL),
        (region(0, 0, 0), EINVAL),
        (region(0, 0, u32::MAX), EINVAL),
        (region(0, 0, 1 << 20), EINVAL),
        (region(0, 7, 4097), EINVAL),
        (Body::new().words(&[0]), EINVAL),
        (Body::new(), EINVAL),
        (region(0, 0, 4), 0),
        (region(0, 0, 0x4000), 0),
        (region(1, 7, 4095), 0),
    ] {
        assert_eq!(client.error(command::REGION_READ, &body, &[]), error, "{body:?}");
    }
    for (body, error) in [
        (region(0, 0, 4), EINVAL),
        (region(0, 0, u32::MAX).bytes(&[0; 4]), EINVAL),
        (region(0x3fff, 0, 2).bytes(&[0; 2]), EINVAL),
        (region(0, 3, 1).bytes(&[0]), EINVAL),
        (region(0x100, 0, 3).bytes(&[1; 3]), 0),
    ] {
        assert_eq!(client.error(command::REGION_WRITE, &body, &[]), error, "{body:?}");
    }
    assert_eq!(client.error(command::REGION_READ, &region(0, 0, 4), &[fd]), EINVAL, "a stray descriptor");
    for (body, fds, error) in [
        (map(3, 0, 0x1000, 0x1000), vec![fd, fd], EINVAL),
        (map(0, 0, 0x1000, 0x1000), vec![fd], EINVAL),
        (map(7, 0, 0x1000, 0x1000), vec![fd], EINVAL),
        (map(3, 0, 0x1000, 0x3000), vec![fd], EINVAL),
        (map(3, 0x1000, 0x1000, 0x2000), vec![fd], EINVAL),
        (map(3, u64::MAX - 0xfff, 0x1000, 0x2000), vec![fd], EINVAL),
        (map(3, 0, u64::MAX - 0xfff, 0x2000), vec![fd], EINVAL),
        (map(3, 0, 1, 0x1000), vec![fd], EINVAL),
        (map(3, 0, 0x1000, 0), vec![fd], EINVAL),
        (map(3, 0, 0x1000, 0x1000), vec![socket], EINVAL),
        (map(3, 0, 0x1000, 0x2000), vec![fd], 0),
        (map(3, 0, 0x2000, 0x1000), vec![fd], EEXIST),
        (map(3, 0, 0x8000, u64::MAX - 0xffff), vec![], 0),
    ] {
        assert_eq!(client.error(command::DMA_MAP, &body, &fds), error, "{body:?}");
    }
    for (body, error) in [
        (unmap(0, 0x1000, 0x1000), EINVAL),
        (unmap(0, 0x1000, u64::MAX), EINVAL),
        (unmap(0, 0x4000, 0x1000), ENOENT),
        (unmap(1, 0x1000, 0x2000), EINVAL),
        (unmap(4, 0x1000, 0x2000), EINVAL),
        (unmap(0, 0x1000, 0x2000), 0),
        (unmap(4, 0, 0), 0),
    ] {
        assert_eq!(client.error(command::DMA_UNMAP, &body, &[]), error, "{body:?}");
    }
    const EVENTS: u32 = 1 << 2 | 1 << 5;
    for (body, fds, error) in [
        (irqs(EVENTS, 2, 0, 1), vec![fd], EINVAL),
        (irqs(EVENTS, 2, 1, 2), vec![fd, fd], EINVAL),
        (irqs(EVENTS, 2, u32::MAX, 2), vec![], EINVAL),
        (irqs(EVENTS, 0, 0, 1), vec![], EINVAL),
        (irqs(EVENTS, 9, 0, 0), vec![], EINVAL),
        (irqs(1 << 1 | 1 << 5, 2, 0, 1), vec![], EINVAL),
        (irqs(u32::MAX, 2, 0, 1), vec![], EINVAL),
        (irqs(EVENTS, 2, 0, 2), vec![], 0),
        (irqs(1 | 1 << 5, 2, 0, 0), vec![], 0),
        (irqs(1 | 1 << 4, 2, 0, 2), vec![], 0),
    ] {
        assert_eq!(client.error(command::DEVICE_SET_IRQS, &body, &fds), error, "{body:?}");
    }
    for index in [9, u32::MAX] {
        let body = Body::new().words(&[32, 0, index, 0]).doubles(&[0, 0]);
        assert_eq!(client.error(command::DEVICE_GET_REGION_INFO, &body, &[]), EINVAL);
        assert_eq!(
            client.error(command::DEVICE_GET_IRQ_INFO, &Body::new().words(&[16, 0, index, 0]), &[]),
            EINVAL
        );
    }
    for unknown in [0, 6, 11, 12, 14, 15, u16::MAX] {
        assert_eq!(client.error(unknown, &Body::new().bytes(&[0; 64]), &[]), EOPNOTSUPP, "{unknown}");
    }
    assert_eq!(client.error(command::VERSION, &wire::version_body(), &[]), EOPNOTSUPP, "only once");
    // Memory accesses on, as every driver has them.
    assert_eq!(client.error(command::REGION_WRITE, &region(4, 7, 2).bytes(&[6, 0]), &[]), 0);
    // A command that wants no reply gets none, whatever comes of it; the next one is answered.
    let quiet = Header { id: 3, command: command::REGION_WRITE, flags: flag::NO_REPLY, ..Header::default() };
    wire::send(&client.0, quiet, &[region(0x100, 0, 4).bytes(&[5; 4]).as_slice()], &[]).unwrap();
    let (_, seen) = client.ask(command::REGION_READ, &region(0x100, 0, 4), &[]);
    assert_eq!((u64_at(&seen, 0), u32_at(&seen, 12), u32_at(&seen, 16)), (0x100, 4, 0x0505_0505));
    drop(client);
    still_serves(&served);
}

#[test]
fn what_is_no_message_ends_the_connection_and_no_more() {
    let served = Served::start();
    let header =
        |size: u32, flags| Header { id: 7, command: command::REGION_READ, size, flags, error: 0 }.to_bytes();
    // Sizes that cannot be, and a reply without a question.
    for head in
        [header(0, 0), header(15, 0), header(u32::MAX, 0), header(2 << 20, 0), header(16, flag::REPLY)]
    {
        let mut client = Raw::new(&served.path);
        client.0.write_all(&head).unwrap();
        assert_eq!(client.answer().map(|(header, _)| header.error), Some(EINVAL));
        assert!(client.answer().is_none(), "and then it hangs up");
        still_serves(&served);
    }
    // Versions that cannot be: too short for one, another major, none at all.
    for (command, body) in [
        (command::VERSION, Body::new()),
        (command::VERSION, Body::new().bytes(&[0, 0])),
        (command::VERSION, Body::new().bytes(&[1, 0, 0, 0])),
        (command::REGION_READ, region(0, 0, 4)),
    ] {
        let mut client = Raw::silent(&served.path);
        assert_eq!(client.error(command, &body, &[]), EINVAL);
        assert!(client.answer().is_none());
        still_serves(&served);
    }
    // The header says more than comes; the client leaves in the middle of it, and of the header itself.
    for bytes in [HEADER_BYTES + 5, HEADER_BYTES - 1, 1] {
        let mut client = Raw::new(&served.path);
        let message = [&header(4096, 0)[..], &[0; 64]].concat();
        client.0.write_all(&message[..bytes]).unwrap();
        drop(client);
        still_serves(&served);
    }
    // More descriptors than any message has, spread over its bytes.
    let mut client = Raw::new(&served.path);
    let fd = client.0.as_raw_fd();
    let message = header(HEADER_BYTES as u32 + 16, 0);
    use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
    for byte in &message[..4] {
        let part = [std::io::IoSlice::new(std::slice::from_ref(byte))];
        let fds = [ControlMessage::ScmRights(&[fd; 12])];
        if sendmsg::<()>(fd, &part, &fds, MsgFlags::MSG_NOSIGNAL, None).is_err() {
            break;
        }
    }
    while client.answer().is_some() {}
    still_serves(&served);
}

#[test]
fn random_messages_never_end_the_server() {
    let served = Served::start();
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(4);
    let (_memory, file) = SharedFile::create(8192).unwrap();
    for round in 0..60 {
        let client = Raw::new(&served.path);
        for _ in 0..40 {
            let mut body = vec![0; (random.next_u32() % 48) as usize];
            random.fill_bytes(&mut body);
            // Mostly small numbers: those come further.
            body.iter_mut().filter(|byte| **byte > 40).for_each(|byte| *byte = 0);
            let command = (random.next_u32() % 16) as u16;
            let header =
                Header { id: 7, command, flags: flag::NO_REPLY & random.next_u32(), ..Header::default() };
            // No reset: that would only take long.
            if command == command::DEVICE_RESET {
                continue;
            }
            let fds = vec![file.as_raw_fd(); (random.next_u32() % 3) as usize];
            if wire::send(&client.0, header, &[&body], &fds).is_err() {
                break;
            }
        }
        drop(client);
        if round % 20 == 0 {
            still_serves(&served);
        }
    }
    still_serves(&served);
}

/// A client that asks and never listens has its replies pile up; it is cut off, and others are served.
#[test]
fn a_client_that_never_listens_is_cut_off() {
    let served = Served::start();
    let client = Raw::new(&served.path);
    client.0.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
    let header = Header { id: 7, command: command::REGION_READ, ..Header::default() };
    let sent = (0..100_000)
        .take_while(|_| wire::send(&client.0, header, &[region(0, 0, 0x4000).as_slice()], &[]).is_ok())
        .count();
    assert!(sent < 100_000, "the server takes questions without end");
    drop(client);
    still_serves(&served);
}
