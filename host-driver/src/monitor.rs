//! Watching a card: what its registers say, without commands and without writing any.

use crate::address::PciAddress;
use crate::bar::Bar;
use crate::card::Card;
use crate::discovery;
use crate::error::DriverError;
use crate::link::{self, Link};
use crate::open_error::OpenError;
use crate::sysfs::Beside;
use crate::system::System;
use crate::transport::Transport;
use spandrel_abi::*;

/// A look at a card.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Snapshot {
    /// Cycles since the card's last reset.
    pub cycles: u64,
    /// Additions that the MSM engine has issued at that cycle since its job's start, modulo 2^32; of the last job where
    /// none runs.
    pub additions: u32,
    /// The card is out of reset.
    pub ready: bool,
    /// Its queues run.
    pub enabled: bool,
    /// A command is being executed.
    pub busy: bool,
    /// The status code since which the queues stand still, if they do.
    pub fault: Option<u8>,
    /// Entries of the submission ring that the card has not fetched.
    pub submissions: u32,
    /// Entries of the completion ring that the driver has not told to have read.
    pub completions: u32,
    /// Entries of the submission ring.
    pub submission_entries: u32,
    /// Entries of the completion ring.
    pub completion_entries: u32,
    /// The link, on a card with an endpoint.
    pub link: Option<Link>,
}

impl Snapshot {
    /// Additions per cycle since an earlier look: `None` where no cycle has passed, the card was reset between the two, or
    /// another job has begun.
    pub fn additions_per_cycle(&self, earlier: &Snapshot) -> Option<f64> {
        // No card has more adders, and none issues more than an addition a cycle.
        const MOST_ADDERS: u64 = 16;
        let cycles = self.cycles.checked_sub(earlier.cycles).filter(|cycles| *cycles != 0)?;
        let additions = u64::from(self.additions.wrapping_sub(earlier.additions));
        (additions <= cycles.saturating_mul(MOST_ADDERS)).then(|| additions as f64 / cycles as f64)
    }
}

/// A card that somebody else may be using, to look at.
pub struct Monitor {
    bar: Bar,
}

impl Monitor {
    /// Looks at the card at `address` beside whoever drives it: its registers are mapped for reading only, nothing of it
    /// is changed, and no lock is taken. Needs root. Kernels with CONFIG_IO_STRICT_DEVMEM do not allow it while vfio-pci
    /// holds the registers.
    ///
    /// The cycle counter's high half and the additions are latched by reading its low half, so that a driver that samples
    /// them at the very same time may see those of the other look.
    ///
    /// # Errors
    /// [`OpenError::NoSuchCard`], [`OpenError::NotACard`], [`OpenError::PermissionDenied`], [`OpenError::Guarded`] where the
    /// kernel does not allow it.
    pub fn beside(system: &System, address: PciAddress) -> Result<Monitor, OpenError> {
        discovery::check_card(system, address)?;
        Ok(Monitor::new(Box::new(Beside::open(system, address)?)))
    }

    /// Looks through a transport.
    pub fn new(transport: Box<dyn Transport>) -> Monitor {
        Monitor { bar: Bar::new(transport, 0) }
    }

    /// What the card says of itself.
    ///
    /// # Errors
    /// [`DriverError::CardGone`], [`DriverError::NotSpandrel`] and the like.
    pub fn identification(&mut self) -> Result<Identification, DriverError> {
        let identification = self.bar.identification()?;
        crate::identify::check(&identification)?;
        Ok(identification)
    }

    /// Looks at the card.
    ///
    /// # Errors
    /// [`DriverError::CardGone`] also for a card whose registers are switched off, since nobody uses it.
    pub fn snapshot(&mut self) -> Result<Snapshot, DriverError> {
        look(&mut self.bar)
    }
}

impl Card {
    /// Looks at the card's registers.
    ///
    /// # Errors
    /// [`DriverError::CardGone`].
    pub fn snapshot(&mut self) -> Result<Snapshot, DriverError> {
        look(&mut self.bar)
    }

    /// The state of the PCIe link; `None` for a card without one.
    ///
    /// # Errors
    /// [`DriverError::CardGone`].
    pub fn link(&mut self) -> Result<Option<Link>, DriverError> {
        link::read(&mut self.bar)
    }
}

fn look(bar: &mut Bar) -> Result<Snapshot, DriverError> {
    let status = bar.read_alive(STATUS)?;
    let control = bar.read_alive(CONTROL)?;
    // Reading the low half latches the other two.
    let low = bar.read(CYCLES_LO)?;
    let cycles = u64::from(bar.read(CYCLES_HI)?) << 32 | u64::from(low);
    let additions = bar.read(MSM_ADDITIONS)?;
    let mut ring = |mask, tail, head| {
        let mask = bar.read(mask)?;
        let waiting = bar.read(tail)?.wrapping_sub(bar.read(head)?) & mask;
        Ok::<_, DriverError>((waiting, if mask == 0 { 0 } else { mask.wrapping_add(1) }))
    };
    let (submissions, submission_entries) = ring(SQ_MASK, SQ_TAIL, SQ_HEAD)?;
    let (completions, completion_entries) = ring(CQ_MASK, CQ_TAIL, CQ_HEAD)?;
    Ok(Snapshot {
        cycles,
        additions,
        ready: STATUS_READY.get(status) == 1,
        enabled: CONTROL_ENABLE.get(control) == 1,
        busy: STATUS_BUSY.get(status) == 1,
        fault: (STATUS_FAULT.get(status) == 1).then(|| STATUS_FAULT_CODE.get(status) as u8),
        submissions,
        completions,
        submission_entries,
        completion_entries,
        link: link::read(bar)?,
    })
}
