//! The serial transport where there is no card: each case a sentence that says what to do.

use serialport::{SerialPort, TTYPort};
use spandrel_driver::{SerialName, SerialTransport, TransportError};
use std::time::{Duration, Instant};

fn open(path: &str) -> TransportError {
    let name: SerialName = format!("serial:{path}").parse().expect("a name");
    SerialTransport::open(&name).expect_err("there is no card")
}

#[test]
fn devices_that_are_none_are_named() {
    let error = open("/dev/no-such-serial-device").to_string();
    assert!(error.contains("/dev/no-such-serial-device") && error.contains("plugged in"), "{error}");
    let file = tempfile::NamedTempFile::new().expect("a file");
    let error = open(file.path().to_str().expect("a path")).to_string();
    assert!(error.contains("give a serial device"), "{error}");
}

/// Nobody at the other end, or somebody who says other things: both end, and say what to look at.
#[test]
fn where_no_card_answers_the_error_says_what_to_check() {
    for noise in [&b""[..], b"login: \x7e\x00\x01\x02\x03\x04\x05\x06\x7e"] {
        let (mut master, slave) = TTYPort::pair().expect("a pseudo-terminal");
        let path = slave.name().expect("a path");
        let opening = std::thread::spawn(move || open(&path));
        let began = Instant::now();
        while !opening.is_finished() {
            assert!(began.elapsed() < Duration::from_secs(60), "it does not end");
            let _ = std::io::Write::write(&mut master, noise);
            let mut sent = [0; 256];
            let _ = std::io::Read::read(&mut master, &mut sent);
        }
        let error = opening.join().expect("no panic").to_string();
        assert!(error.contains("no Spandrel card answered at serial:/dev/pts/"), "{error}");
        assert!(error.contains("baud rate") && error.contains("bitstream"), "{error}");
    }
}

/// A device has one user, also within a process.
#[test]
fn a_device_is_used_once() {
    let (_master, slave) = TTYPort::pair().expect("a pseudo-terminal");
    let path = slave.name().expect("a path");
    let first = path.clone();
    let first = std::thread::spawn(move || open(&first));
    std::thread::sleep(Duration::from_millis(300));
    let error = open(&path);
    assert!(matches!(&error, TransportError::InUse { .. }), "{error}");
    assert!(first.join().is_ok());
}
