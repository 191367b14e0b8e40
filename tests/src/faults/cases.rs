//! The faults.

use super::kinds::kind;
use super::world::{World, options, transport};
use super::{Seen, host};
use spandrel_abi::{ABI_MAJOR, ABI_VERSION, ABI_VERSION_MAJOR, COMPLETION_BYTES, COMPLETION_VECTOR};
use spandrel_driver::{
    AccessWidth, Card, ClockKind, DmaBuffer, DriverError, Status, Transport, TransportError,
};
use spandrel_sim::ReadFault;
use std::path::Path;
use std::time::{Duration, Instant};

/// The card's time in which every fault must be told: 1,250,000 cycles, of which the bound of a command that hangs is half.
const BOUND: Duration = Duration::from_millis(5);

/// A fault, from the world that it happens in to the job after it.
type Case = Box<dyn Fn() -> Result<Seen, String>>;

/// Every fault, by name.
pub(super) fn all(program: &Path) -> Vec<(&'static str, Case)> {
    let program = program.to_owned();
    let status = |wanted: Status| move |error: &DriverError| matches!(error, DriverError::CommandFailed { status, .. } if *status == wanted);
    // The first read of a job is that of its submission entry, the second that of its scalars.
    let read = |fault: ReadFault| move |world: &World| world.control.fault_host_read(1, fault);
    vec![
        ("completion lost", fails(read(ReadFault::Lost), status(Status::HostReadTimeout))),
        ("completion late", fails(read(ReadFault::Late(40_000)), status(Status::HostReadTimeout))),
        ("completions in pieces, out of order", survives(read(ReadFault::Shattered))),
        ("completion poisoned", fails(read(ReadFault::Poisoned), status(Status::HostReadPoisoned))),
        (
            "completion: unsupported request",
            fails(read(ReadFault::Unsupported), status(Status::HostReadUnsupported)),
        ),
        ("completion: completer abort", fails(read(ReadFault::Aborted), status(Status::HostReadAborted))),
        ("completion without data", fails(read(ReadFault::NoData), status(Status::HostReadMalformed))),
        (
            "completion of a wrong length",
            fails(read(ReadFault::WrongLength), status(Status::HostReadMalformed)),
        ),
        (
            "submission entry: completion lost",
            fails(
                |world| world.control.fault_host_read(0, ReadFault::Lost),
                |error| matches!(error, DriverError::QueueFault { code, .. } if *code == Status::HostReadTimeout as u8),
            ),
        ),
        (
            "IOMMU refuses reads and writes",
            fails_until_disarmed(
                |world| world.control.deny_host(0..u64::MAX),
                |world| world.control.allow_host(),
                |error| matches!(error, DriverError::QueueFault { code, .. } if *code == Status::HostReadUnsupported as u8),
            ),
        ),
        (
            "IOMMU drops a write of the result",
            fails(
                |world| world.control.fail_host_write(0),
                |error| matches!(error, DriverError::ResultNotWritten { .. }),
            ),
        ),
        (
            "card memory: bus error",
            fails(|world| world.control.fail_card_read(0), status(Status::CardMemoryFault)),
        ),
        (
            "engine stuck",
            fails_until_disarmed(
                |world| world.control.hold_card(true),
                |world| world.control.hold_card(false),
                |error| matches!(error, DriverError::TimedOut { .. }),
            ),
        ),
        (
            "card gone: registers read all ones",
            fails_until_disarmed(
                |world| world.control.unplug(),
                |world| world.control.plug(),
                |error| matches!(error, DriverError::CardGone { .. }),
            ),
        ),
        ("completion ring: unknown command", fails(corrupt(0, 0x80), is_corruption)),
        ("completion ring: no such status", fails(corrupt(2, 0x80), is_corruption)),
        ("completion ring: impossible phase", fails(corrupt(3, 0x40), is_corruption)),
        ("completion ring: impossible head", fails(corrupt(7, 0x80), is_corruption)),
        ("interrupts lost", survives(|world| world.control.drop_interrupts(u32::MAX))),
        (
            "interrupts without cause",
            survives(|world| (0..5).for_each(|_| world.control.spurious_interrupt(COMPLETION_VECTOR))),
        ),
        ("link reset during a job", Box::new(link_reset)),
        ("function reset during a job", Box::new(reset_during_job)),
        ("job dropped", Box::new(job_dropped)),
        ("caller panics during a job", Box::new(caller_panics)),
        ("other version of the interface", Box::new(other_version)),
        ("out of hugepages", Box::new(host::hugepages_run_out)),
        ("permission denied", Box::new(host::permission_denied)),
        ("server killed", Box::new(move || host::server_killed(&program))),
    ]
}

fn is_corruption(error: &DriverError) -> bool {
    matches!(error, DriverError::QueueCorrupted { .. })
}

/// Flips bits of a byte of the next completion entry.
fn corrupt(byte: usize, bits: u8) -> impl Fn(&World) {
    move |world| {
        let mut mask = [0; COMPLETION_BYTES];
        mask[byte] = bits;
        world.control.corrupt_completion(0, mask);
    }
}

/// A fault that passes by itself and ends a job with an error.
fn fails(arm: impl Fn(&World) + 'static, expected: impl Fn(&DriverError) -> bool + 'static) -> Case {
    fails_until_disarmed(arm, |_| {}, expected)
}

/// A fault that ends a job with an error, and lasts until it is mended.
fn fails_until_disarmed(
    arm: impl Fn(&World) + 'static,
    disarm: impl Fn(&World) + 'static,
    expected: impl Fn(&DriverError) -> bool + 'static,
) -> Case {
    Box::new(move || {
        let mut world = World::new()?;
        arm(&world);
        let (result, after) = world.job();
        disarm(&world);
        Ok(judge(&mut world, result.map(drop), after, &expected))
    })
}

/// A fault that no job feels.
fn survives(arm: impl Fn(&World) + 'static) -> Case {
    Box::new(move || {
        let mut world = World::new()?;
        arm(&world);
        let (result, after) = world.job();
        let exact = matches!(result, Ok(true));
        let mut seen = judge(&mut world, result.map(drop), after, &|_| false);
        seen.as_expected = exact;
        Ok(seen)
    })
}

/// What the driver said, and whether the card recovers.
fn judge(
    world: &mut World,
    result: Result<(), DriverError>,
    after: Duration,
    expected: &dyn Fn(&DriverError) -> bool,
) -> Seen {
    let recovered = world.recovers();
    match result {
        Ok(()) => Seen {
            detected_as: "nothing".to_owned(),
            message: None,
            after: None,
            as_expected: false,
            recovered,
        },
        Err(error) => Seen {
            detected_as: kind(&error),
            as_expected: expected(&error) && after <= BOUND,
            message: Some(error.to_string()),
            after: Some(after),
            recovered,
        },
    }
}

/// The link goes down while the card reads host memory: its registers are as after power-on, or gone.
fn link_reset() -> Result<Seen, String> {
    let mut world = World::new()?;
    let before = world.card.now();
    let (job, expected) = world.submit().map_err(|error| error.to_string())?;
    world.control.reset_link();
    let result = world.wait(job, expected);
    let after = world.card.now().saturating_sub(before);
    Ok(judge(&mut world, result.map(drop), after, &|error| {
        matches!(error, DriverError::CardGone { .. } | DriverError::ResetBehindDriver)
    }))
}

/// The driver resets the card in the middle of a job.
fn reset_during_job() -> Result<Seen, String> {
    let mut world = World::new()?;
    let before = world.card.now();
    let (job, expected) = world.submit().map_err(|error| error.to_string())?;
    world.card.reset().map_err(|error| error.to_string())?;
    let result = world.wait(job, expected);
    let after = world.card.now().saturating_sub(before);
    world.try_load().map_err(|error| error.to_string())?;
    Ok(judge(&mut world, result.map(drop), after, &|error| matches!(error, DriverError::JobLost)))
}

/// Nobody waits for a job.
fn job_dropped() -> Result<Seen, String> {
    let mut world = World::new()?;
    let mut mapped = Vec::new();
    let mut recovered = true;
    for _ in 0..3 {
        for _ in 0..3 {
            drop(world.submit().map_err(|error| error.to_string())?);
        }
        recovered &= world.recovers();
        mapped.push(world.control.statistics().mapped_buffers);
    }
    // What dropped jobs held is used again.
    let as_expected = mapped.windows(2).all(|pair| pair[0] == pair[1]);
    Ok(Seen { detected_as: "nothing".to_owned(), message: None, after: None, as_expected, recovered })
}

/// The thread that uses the card unwinds; the card is used by another after it.
fn caller_panics() -> Result<Seen, String> {
    let mut world = World::new()?;
    let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _job = world.submit();
        // Unwinds without the message of a panic.
        std::panic::resume_unwind(Box::new("the caller gives up"));
    }));
    let recovered = world.recovers();
    Ok(Seen {
        detected_as: "nothing".to_owned(),
        message: None,
        after: None,
        as_expected: unwound.is_err(),
        recovered,
    })
}

/// The card speaks another version of the interface.
fn other_version() -> Result<Seen, String> {
    let transport = OtherVersion { inner: Box::new(transport()?) };
    let before = Instant::now();
    let error = match Card::open(Box::new(transport), options()) {
        Ok(_) => return Err("a card of another version was opened".to_owned()),
        Err(error) => error,
    };
    let after = before.elapsed();
    // The right card in its place is used as ever.
    let recovered = World::new()?.is_exact();
    Ok(Seen {
        detected_as: kind(&error),
        as_expected: matches!(error, DriverError::AbiMismatch { major, .. } if major == ABI_MAJOR + 1),
        message: Some(error.to_string()),
        after: Some(after),
        recovered,
    })
}

/// A card that gives another version for its own.
struct OtherVersion {
    inner: Box<dyn Transport>,
}

impl Transport for OtherVersion {
    fn describe(&self) -> String {
        self.inner.describe()
    }

    fn read_bar(&mut self, offset: u64, width: AccessWidth) -> Result<u64, TransportError> {
        let value = self.inner.read_bar(offset, width)?;
        let changed = u64::from(ABI_VERSION_MAJOR.put(u32::from(ABI_MAJOR) ^ u32::from(ABI_MAJOR + 1)));
        Ok(if offset == u64::from(ABI_VERSION.offset) { value ^ changed } else { value })
    }

    fn write_bar(&mut self, offset: u64, width: AccessWidth, value: u64) -> Result<(), TransportError> {
        self.inner.write_bar(offset, width, value)
    }

    fn allocate(&mut self, bytes: usize) -> Result<DmaBuffer, TransportError> {
        self.inner.allocate(bytes)
    }

    fn wait_interrupt(&mut self, vector: u16, timeout: Duration) -> Result<bool, TransportError> {
        self.inner.wait_interrupt(vector, timeout)
    }

    fn now(&self) -> Duration {
        self.inner.now()
    }

    fn clock(&self) -> ClockKind {
        self.inner.clock()
    }

    fn reset(&mut self) -> Result<(), TransportError> {
        self.inner.reset()
    }
}
