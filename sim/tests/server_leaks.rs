//! A thousand clients leave no descriptor and no mapping behind, on either side: alone in its process, where all are counted.

#[path = "server/stand_in.rs"]
#[allow(dead_code, reason = "shared with the tests of the server")]
mod stand_in;

use spandrel_driver::{AccessWidth, Transport, VfioUser};
use stand_in::*;
use std::time::Duration;

const CLIENTS: u32 = 1000;

/// Open descriptors, and mappings of shared memory, of this process: server and client both.
fn held() -> (usize, usize) {
    let descriptors = std::fs::read_dir("/proc/self/fd").unwrap().count();
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    (descriptors, maps.lines().filter(|line| line.contains("spandrel-dma")).count())
}

/// What is held once the server has dealt with the last client: a while without a change.
fn quiet() -> (usize, usize) {
    let (mut seen, mut looks) = (held(), 0);
    for _ in 0..500 {
        std::thread::sleep(Duration::from_millis(20));
        let now = held();
        looks = if now == seen { looks + 1 } else { 0 };
        seen = now;
        if looks == 20 {
            break;
        }
    }
    seen
}

#[test]
fn a_thousand_clients_leave_nothing_behind() {
    let served = Served::start();
    let client = |number: u32| {
        let mut card = served.connect();
        let first = card.allocate(8192).unwrap();
        let second = card.allocate(4096).unwrap();
        card.write_bar(0x100, AccessWidth::Word, number.into()).unwrap();
        assert_eq!(card.read_bar(0x100, AccessWidth::Word).unwrap(), u64::from(number));
        if number.is_multiple_of(3) {
            // A second client is turned away.
            assert!(VfioUser::connect(&served.path).is_err());
        }
        if number.is_multiple_of(2) {
            card.write_bar(GO, AccessWidth::Word, FOREVER).unwrap();
        }
        assert!(held().1 >= 4, "both sides map both buffers");
        // In either order.
        match number % 5 {
            0 => drop((first, second, card)),
            _ => drop((card, first, second)),
        }
    };
    // The server has dealt with one client when the next one is served.
    let settle = || drop(served.connect());
    client(0);
    settle();
    let before = quiet();
    (0..CLIENTS).for_each(client);
    settle();
    let after = quiet();
    assert!(after.0 <= before.0, "{} descriptors before, {} after", before.0, after.0);
    assert_eq!((before.1, after.1), (0, 0));
}
