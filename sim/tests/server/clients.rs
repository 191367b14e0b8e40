//! Clients and servers that come, go, and stop answering.

use crate::stand_in::*;
use spandrel_driver::{AccessWidth, Transport, TransportError, VfioUser};
use spandrel_sim::server::ServeError;
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

#[test]
fn one_client_at_a_time() {
    let served = Served::start();
    let mut first = served.connect();
    for _ in 0..40 {
        let refused = VfioUser::connect(&served.path).unwrap_err();
        assert!(matches!(refused, TransportError::InUse { .. }), "{refused}");
        assert!(refused.to_string().contains("in use"), "{refused}");
    }
    // Connections that say nothing keep nobody out, and the first client goes on.
    let silent: Vec<_> =
        (0..40).map(|_| std::os::unix::net::UnixStream::connect(&served.path).unwrap()).collect();
    assert!(matches!(VfioUser::connect(&served.path), Err(TransportError::InUse { .. })));
    first.write_bar(0x100, AccessWidth::Word, 5).unwrap();
    assert_eq!(first.read_bar(0x100, AccessWidth::Word).unwrap(), 5);
    drop(silent);
    drop(first);
    let mut next = served.connect();
    assert_eq!(next.read_bar(0x100, AccessWidth::Word).unwrap(), 0, "as after power-on");
}

#[test]
fn a_client_that_is_gone_leaves_nothing_behind() {
    let served = Served::start();
    for _ in 0..3 {
        let mut card = served.connect();
        let buffer = card.allocate(1 << 16).unwrap();
        card.write_bar(0x100, AccessWidth::Word, 5).unwrap();
        card.write_bar(SOURCE, AccessWidth::Double, buffer.iova()).unwrap();
        card.write_bar(GO, AccessWidth::Word, FOREVER).unwrap();
        assert_eq!(served.memory.mapped(), 1);
        // The transport first, as when a process is killed: nobody unmaps anything.
        drop(card);
        drop(buffer);
        let mut next = served.connect();
        assert_eq!(served.memory.mapped(), 0);
        assert_eq!(next.read_bar(STATE, AccessWidth::Word).unwrap(), 0);
        assert_eq!(next.read_bar(0x100, AccessWidth::Word).unwrap(), 0);
        assert!(!next.wait_interrupt(0, Duration::ZERO).unwrap());
    }
}

fn assert_gone<T: std::fmt::Debug>(result: Result<T, TransportError>, says: &str) {
    let error = result.unwrap_err();
    assert!(matches!(error, TransportError::Disconnected { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("has gone") && text.contains(says), "{text}");
}

#[test]
fn a_server_that_ends_ends_every_wait() {
    let mut served = Served::start();
    let mut card = served.connect();
    let buffer = card.allocate(4096).unwrap();
    let ends = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        served.end().unwrap();
    });
    let started = Instant::now();
    assert_gone(card.wait_interrupt(0, Duration::from_secs(60)), "start it again");
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_gone(card.wait_interrupt(0, Duration::from_secs(60)), "start it again");
    assert_gone(card.read_bar(0, AccessWidth::Word), "start it again");
    assert_gone(card.write_bar(0, AccessWidth::Word, 0), "start it again");
    assert_gone(card.read_config(0, AccessWidth::Word), "start it again");
    assert_gone(card.allocate(4096), "start it again");
    assert_gone(card.reset(), "start it again");
    drop(buffer);
    ends.join().unwrap();
    assert!(started.elapsed() < Duration::from_secs(10), "and none of these waited for its time-out");
}

#[test]
fn a_server_that_stops_answering_is_given_up() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deaf");
    let listener = UnixListener::bind(&path).unwrap();
    let patience = Duration::from_millis(200);
    let started = Instant::now();
    assert_gone(VfioUser::connect_within(&path, patience), "not answered for 0.2 s");
    // With a full queue of connections the next one is not even accepted.
    let mut queued = Vec::new();
    let error = loop {
        let before = Instant::now();
        match spandrel_driver::vfio_user::wire::connect(&path, patience) {
            Ok(stream) => queued.push(stream),
            Err(error) => {
                assert!(before.elapsed() < Duration::from_secs(5));
                break error;
            }
        }
        assert!(queued.len() < 10_000);
    };
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    let refused = VfioUser::connect_within(&path, patience).unwrap_err().to_string();
    assert!(refused.contains("stopped, or stuck"), "{refused}");
    assert!(started.elapsed() < Duration::from_secs(20));
    drop((queued, listener));
    let refused = VfioUser::connect(&path).unwrap_err().to_string();
    assert!(refused.contains("spandrel sim serve"), "{refused}");
    let refused = VfioUser::connect(&directory.path().join("none")).unwrap_err().to_string();
    assert!(refused.contains("spandrel sim serve"), "{refused}");
}

#[test]
fn a_card_that_breaks_down_ends_the_server_and_says_so() {
    let mut served = Served::start();
    let mut card = served.connect();
    let failed = card.read_bar(FATAL, AccessWidth::Word).unwrap_err();
    assert!(matches!(failed, TransportError::AccessFailed { .. }), "{failed}");
    let ended = served.end().unwrap_err();
    assert!(matches!(ended, ServeError::Card(_)) && ended.to_string().contains("on order"), "{ended}");
}
