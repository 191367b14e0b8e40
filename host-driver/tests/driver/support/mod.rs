//! A card in software, for tests of the driver: it shares nothing with the driver but `spandrel-abi`.

pub mod arithmetic;
pub mod hashing;
mod memory;
mod model;

pub use model::{Faults, Interrupts, Model};

use spandrel_abi::*;
use spandrel_driver::{
    AccessWidth, Card, CardOptions, ClockKind, DmaBuffer, DriverError, Transport, TransportError,
};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Nanoseconds of a cycle at the software card's clock of 250 MHz.
const NANOSECONDS_PER_CYCLE: u64 = 4;

/// A software card as its test holds it.
#[derive(Clone)]
pub struct SoftCard(Arc<Mutex<Model>>);

/// A small card with all engines.
pub fn identification() -> Identification {
    Identification {
        magic: MAGIC_VALUE,
        abi_major: ABI_MAJOR,
        abi_minor: ABI_MINOR,
        git_revision: 0x1234_5678,
        board: 1,
        clock_khz: 250_000,
        has_msm: true,
        has_field: true,
        msm_curves: 1,
        msm_window_choices: 1 << 5 | 1 << 13,
        msm_adders: 3,
        msm_adder_kind: 0,
        msm_latency_cycles: 100,
        card_memory_kib: 16,
        field_latency_cycles: 30,
        has_poseidon: true,
        poseidon_lanes: [0, 2, 0, 1],
        poseidon_latency_cycles: 20,
    }
}

/// Options with small bounds, so that a stopped card is noticed soon.
pub fn options() -> CardOptions {
    CardOptions {
        submission_entries: 8,
        completion_entries: 8,
        bound_factor: 1,
        bound_floor_cycles: 1000,
        poll_cycles: 500,
        // So that what a job used can be seen to be given back.
        idle_bytes: 0,
        ..CardOptions::default()
    }
}

impl SoftCard {
    pub fn new() -> SoftCard {
        SoftCard::with(identification(), 1)
    }

    pub fn with(identification: Identification, seed: u64) -> SoftCard {
        SoftCard(Arc::new(Mutex::new(Model::new(identification, seed))))
    }

    /// Looks at the card or changes it.
    pub fn model<R>(&self, act: impl FnOnce(&mut Model) -> R) -> R {
        act(&mut self.0.lock().expect("not poisoned"))
    }

    pub fn faults(&self, faults: Faults) {
        self.model(|model| model.faults = faults);
    }

    pub fn open(&self, options: CardOptions) -> Result<Card, DriverError> {
        Card::open(Box::new(SoftTransport(self.0.clone())), options)
    }

    /// Buffers that the card can reach.
    pub fn mapped(&self) -> usize {
        self.model(|model| model.memory.lock().expect("not poisoned").mapped())
    }

    /// Addresses of accesses to what was not mapped (any more).
    pub fn stray_accesses(&self) -> Vec<u64> {
        self.model(|model| model.memory.lock().expect("not poisoned").stray_accesses.clone())
    }

    /// Whether `needle` is in a buffer that the card can reach.
    pub fn can_reach(&self, needle: &[u8]) -> bool {
        self.model(|model| model.memory.lock().expect("not poisoned").contains(needle))
    }

    /// Whether a buffer was given back with `needle` in it.
    pub fn gave_back(&self, needle: &[u8]) -> bool {
        self.model(|model| {
            let memory = model.memory.lock().expect("not poisoned");
            memory.given_back.iter().any(|buffer| buffer.windows(needle.len()).any(|window| window == needle))
        })
    }
}

struct SoftTransport(Arc<Mutex<Model>>);

impl SoftTransport {
    fn model<R>(&self, act: impl FnOnce(&mut Model) -> R) -> R {
        act(&mut self.0.lock().expect("not poisoned"))
    }
}

impl Transport for SoftTransport {
    fn clock(&self) -> ClockKind {
        ClockKind::Card
    }

    fn describe(&self) -> String {
        "software card".into()
    }

    fn read_bar(&mut self, offset: u64, width: AccessWidth) -> Result<u64, TransportError> {
        assert_eq!(width, AccessWidth::Word, "registers are 32 bits wide");
        if offset >= REGISTER_BYTES.into() {
            let index = (offset - u64::from(LINK_STATUS.offset)) as usize / 4;
            let bar_bytes = REGISTER_BYTES.into();
            let missing = TransportError::BadAccess { offset, width, bar_bytes };
            return self.model(|model| model.link).map_or(Err(missing), |link| Ok(link[index].into()));
        }
        Ok(self.model(|model| model.read(offset as u32)).into())
    }

    fn write_bar(&mut self, offset: u64, width: AccessWidth, value: u64) -> Result<(), TransportError> {
        assert_eq!(width, AccessWidth::Word, "registers are 32 bits wide");
        self.model(|model| model.write(offset as u32, value as u32));
        Ok(())
    }

    fn allocate(&mut self, bytes: usize) -> Result<DmaBuffer, TransportError> {
        if self.largest_buffer().is_some_and(|largest| bytes > largest) {
            return Err(TransportError::Allocation { bytes, reason: "not in one piece".into() });
        }
        let memory = self.model(|model| match &mut model.faults.allocations_left {
            Some(0) => None,
            Some(left) => {
                *left -= 1;
                Some(model.memory.clone())
            }
            None => Some(model.memory.clone()),
        });
        let memory = memory.ok_or(TransportError::Allocation { bytes, reason: "the test says so".into() })?;
        Ok(memory::map(&memory, bytes))
    }

    fn wait_interrupt(&mut self, vector: u16, timeout: Duration) -> Result<bool, TransportError> {
        if vector != COMPLETION_VECTOR {
            return Err(TransportError::NoSuchVector { vector });
        }
        self.model(|model| {
            let end = model.now + (timeout.as_nanos() as u64).div_ceil(NANOSECONDS_PER_CYCLE);
            while !model.interrupt() && model.now < end && !model.faults.frozen {
                model.run((end - model.now).min(50));
            }
            Ok(model.interrupt())
        })
    }

    fn now(&self) -> Duration {
        Duration::from_nanos(self.model(|model| model.now) * NANOSECONDS_PER_CYCLE)
    }

    fn reset(&mut self) -> Result<(), TransportError> {
        self.model(|model| model.reset());
        Ok(())
    }

    fn largest_buffer(&self) -> Option<usize> {
        self.model(|model| model.largest_buffer)
    }

    fn cut_off(&mut self) -> Result<(), TransportError> {
        match self.model(|model| model.faults.can_be_cut_off) {
            true => Ok(()),
            false => Err(TransportError::Other("the test says so".into())),
        }
    }
}
