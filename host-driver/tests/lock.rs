//! A card's lock between two processes, one of which is killed.

use spandrel_driver::{CardLock, LockError};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// Names the card whose lock this program is to take and hold, when it runs itself.
const HOLD: &str = "SPANDREL_TEST_HOLD";

/// Starts a process that holds the lock, and returns when it does.
fn holder(card: &str) -> Child {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "a_lock_ends_with_its_process", "--nocapture", "--test-threads=1"]);
    let mut child = command.env(HOLD, card).stdout(Stdio::piped()).spawn().expect("starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    assert!(lines.any(|line| line.expect("text").contains("holds the lock")), "it ended without the lock");
    child
}

#[test]
fn a_lock_ends_with_its_process() {
    if let Some(card) = std::env::var_os(HOLD) {
        let _lock = CardLock::acquire(card.to_str().expect("text")).expect("free");
        println!("holds the lock");
        // Until it is killed; bounded, in case that the other end is gone.
        std::thread::sleep(std::time::Duration::from_secs(60));
        return;
    }
    // A name that no other run of this test has.
    let card = format!("test:{}", std::process::id());
    for round in 0..3 {
        let mut child = holder(&card);
        let error = CardLock::acquire(&card).expect_err("held by another process");
        assert!(matches!(&error, LockError::Held { pid: Some(pid), .. } if *pid == child.id()), "{error}");
        assert!(error.to_string().contains(&format!("by process {}", child.id())), "{error}");
        // SIGKILL: nothing of the process's own runs any more.
        child.kill().expect("is ours");
        child.wait().expect("ends");
        let lock = CardLock::acquire(&card).unwrap_or_else(|error| panic!("round {round}: {error}"));
        let path = lock.path().to_owned();
        drop(lock);
        assert_eq!(std::fs::read_to_string(&path).expect("stays"), "", "nobody's");
        if round == 2 {
            std::fs::remove_file(path).expect("ours");
        }
    }
}
