//! The hash engine, Verilated, with a stand-in for Poseidon's core: every command against software, over buses that
//! stall and memories with random latency; and the cycles that it adds to those of the core.

mod bench;
mod build;
mod messages;
mod paths;
mod rates;
mod reference;
mod stand_in;
mod update;

use spandrel_hdl::emit::Emitted;
use stand_in::Pace;
use std::sync::OnceLock;

/// Card memory of most tests.
const CARD_BYTES: u64 = 1 << 17;
/// Messages of a sponge's group in most tests.
const GROUP: u32 = 8;

/// The engine of most tests: all widths, a core in which some states are at a time.
fn engine() -> &'static Emitted {
    static ENGINE: OnceLock<Emitted> = OnceLock::new();
    let pace = Pace { latency: 60, interval: 3, capacity: 24 };
    ENGINE.get_or_init(|| stand_in::emitted("merkle_engine", &[2, 3, 4, 5], pace, GROUP, CARD_BYTES))
}
