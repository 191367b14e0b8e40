//! The socket file.

use crate::stand_in::*;
use spandrel_sim::memory::GuestMemory;
use spandrel_sim::server::{ServeError, Server};
use std::path::Path;
use std::sync::Arc;

fn bind(path: &Path) -> Result<Server<StandIn>, ServeError> {
    let memory = GuestMemory::new();
    Server::bind(path, StandIn::new(memory.clone(), Arc::default()), memory)
}

#[test]
fn a_dead_servers_file_is_replaced_and_a_live_ones_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("card");
    // What a server that was killed leaves behind.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let live = bind(&path).unwrap();
    let error = bind(&path).map(drop).unwrap_err();
    assert!(matches!(error, ServeError::AlreadyServed { .. }), "{error}");
    assert!(path.exists());
    drop(live);
    assert!(!path.exists(), "a server takes its file with it");

    let first = bind(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let second = bind(&path).unwrap();
    drop(first);
    assert!(path.exists(), "but not another's");
    drop(second);

    std::fs::write(&path, "a letter").unwrap();
    let error = bind(&path).map(drop).unwrap_err();
    assert!(matches!(error, ServeError::NoSocket { .. }), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "a letter");
    for bad in [directory.path().join("none/card"), directory.path().join("x".repeat(120))] {
        let error = bind(&bad).map(drop).unwrap_err();
        assert!(matches!(error, ServeError::Bind { .. }), "{error}");
    }
}

#[test]
fn a_probe_of_a_served_socket_disturbs_nobody() {
    let served = Served::start();
    let client = served.connect();
    let error = bind(&served.path).map(drop).unwrap_err();
    assert!(matches!(error, ServeError::AlreadyServed { .. }), "{error}");
    drop(client);
    assert!(matches!(bind(&served.path), Err(ServeError::AlreadyServed { .. })));
    drop(served.connect());
}

#[test]
fn once_means_one_client_that_had_the_card() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("card");
    let mut server = bind(&path).unwrap();
    let thread = std::thread::spawn(move || server.run(true));
    // A connection that never was a client does not count.
    drop(std::os::unix::net::UnixStream::connect(&path).unwrap());
    let client = spandrel_driver::VfioUser::connect(&path).unwrap();
    drop(client);
    thread.join().unwrap().unwrap();
    assert!(!path.exists());
}
