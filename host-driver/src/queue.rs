//! Commands on their way through the rings: identifiers, the backlog behind a full ring, deadlines.

use crate::bar::Bar;
use crate::bounds::Bounds;
use crate::dma::DmaBuffer;
use crate::error::{Corruption, DriverError};
use crate::rings::{CompletionRing, SubmissionRing};
use spandrel_abi::*;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// A command that waits for room in the ring.
#[derive(Debug)]
pub(crate) struct Command {
    /// What it does.
    pub(crate) opcode: Opcode,
    /// The entry, still without opcode and identifier.
    pub(crate) descriptor: Descriptor,
    /// The job it belongs to.
    pub(crate) job: u64,
}

/// A command that has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    pub(crate) opcode: Opcode,
    pub(crate) job: u64,
    pub(crate) status: Status,
    pub(crate) cycles: u64,
}

#[derive(Debug)]
struct InFlight {
    opcode: Opcode,
    job: u64,
    position: u64,
    bound: Duration,
}

/// The time within which the card has to show progress.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    /// The oldest command under way.
    pub(crate) opcode: Opcode,
    /// When the card last showed progress.
    pub(crate) since: Duration,
    /// What the command may take.
    pub(crate) bound: Duration,
}

impl Deadline {
    /// When the time is over.
    pub(crate) fn at(&self) -> Duration {
        self.since.saturating_add(self.bound)
    }
}

/// Both rings and everything in them. The card works through commands in order.
#[derive(Debug)]
pub(crate) struct Queue {
    submission: SubmissionRing,
    completion: CompletionRing,
    backlog: VecDeque<Command>,
    in_flight: HashMap<u16, InFlight>,
    /// Identifiers under way, oldest first.
    order: VecDeque<u16>,
    next_id: u16,
    progress_at: Duration,
}

impl Queue {
    /// Gets memory for both rings and tells a card that is out of reset and not enabled where they are.
    pub(crate) fn set_up(
        bar: &mut Bar,
        submission_entries: u32,
        completion_entries: u32,
    ) -> Result<Queue, DriverError> {
        let submission = bar.allocate_new(SubmissionRing::bytes(submission_entries))?;
        let completion = bar.allocate_new(CompletionRing::bytes(completion_entries))?;
        for (register, value) in [
            (SQ_BASE_LO, submission.iova() as u32),
            (SQ_BASE_HI, (submission.iova() >> 32) as u32),
            (SQ_MASK, submission_entries - 1),
            (CQ_BASE_LO, completion.iova() as u32),
            (CQ_BASE_HI, (completion.iova() >> 32) as u32),
            (CQ_MASK, completion_entries - 1),
            (SQ_TAIL, 0),
            (CQ_HEAD, 0),
        ] {
            bar.write_checked(register, value)?;
        }
        // After a reset both of the card's own indices are zero.
        for register in [SQ_HEAD, CQ_TAIL] {
            let read = bar.read_alive(register)?;
            if read != 0 {
                return Err(DriverError::RegisterMismatch { register: register.name, wrote: 0, read });
            }
        }
        Ok(Queue {
            submission: SubmissionRing::new(zeroed(submission), submission_entries),
            completion: CompletionRing::new(zeroed(completion), completion_entries),
            backlog: VecDeque::new(),
            in_flight: HashMap::new(),
            order: VecDeque::new(),
            next_id: 0,
            progress_at: bar.transport.now(),
        })
    }

    /// Counts the time to the first deadline from now on.
    pub(crate) fn restart_clock(&mut self, bar: &Bar) {
        self.progress_at = bar.transport.now();
    }

    /// Whether the card has no command.
    pub(crate) fn is_idle(&self) -> bool {
        self.in_flight.is_empty()
    }

    /// Commands in the ring and behind it.
    pub(crate) fn outstanding(&self) -> usize {
        self.in_flight.len() + self.backlog.len()
    }

    /// Lines a command up behind all others; [`Queue::post`] brings it to the card.
    pub(crate) fn enqueue(&mut self, command: Command) {
        self.backlog.push_back(command);
    }

    /// Moves waiting commands into the ring as far as it has room, and rings the doorbell.
    pub(crate) fn post(&mut self, bar: &mut Bar, bounds: &Bounds) -> Result<(), DriverError> {
        let mut posted = false;
        while !self.submission.is_full() {
            let Some(command) = self.backlog.pop_front() else { break };
            if self.in_flight.is_empty() {
                self.progress_at = bar.transport.now();
            }
            let command_id = self.free_identifier();
            let descriptor = Descriptor { opcode: command.opcode as u8, command_id, ..command.descriptor };
            let position = self.submission.push(&descriptor)?;
            let cycles = bounds.command_cycles(command.opcode, &descriptor);
            self.in_flight.insert(
                command_id,
                InFlight { opcode: command.opcode, job: command.job, position, bound: bounds.time(cycles) },
            );
            self.order.push_back(command_id);
            posted = true;
        }
        if posted {
            bar.write(SQ_TAIL, self.submission.doorbell())?;
        }
        Ok(())
    }

    /// Takes every completion entry that the card has written into `ended`, also when an error follows.
    pub(crate) fn drain(&mut self, bar: &mut Bar, ended: &mut Vec<Ended>) -> Result<(), DriverError> {
        let before = ended.len();
        let result = self.drain_entries(ended);
        if ended.len() > before {
            self.progress_at = bar.transport.now();
            bar.write(CQ_HEAD, self.completion.index())?;
        }
        result
    }

    fn drain_entries(&mut self, ended: &mut Vec<Ended>) -> Result<(), DriverError> {
        loop {
            let index = self.completion.index();
            let Some((entry, status)) = self.completion.next()? else { return Ok(()) };
            let corrupted = |corruption| DriverError::QueueCorrupted { index, corruption };
            let Some(command) = self.in_flight.get(&entry.command_id) else {
                return Err(corrupted(Corruption::UnknownCommand { command_id: entry.command_id }));
            };
            self.submission.fetched(entry.sq_head, command.position).map_err(corrupted)?;
            ended.push(Ended { opcode: command.opcode, job: command.job, status, cycles: entry.cycles });
            self.in_flight.remove(&entry.command_id);
            self.order.retain(|id| *id != entry.command_id);
        }
    }

    /// When the card must have shown progress; `None` when it has nothing to do.
    pub(crate) fn deadline(&self) -> Option<Deadline> {
        let oldest = self.in_flight.get(self.order.front()?)?;
        Some(Deadline { opcode: oldest.opcode, since: self.progress_at, bound: oldest.bound })
    }

    /// The next identifier that is not under way. Identifiers take turns, so that an entry that comes twice is
    /// noticed. There is always a free one: a ring has fewer entries than there are identifiers.
    fn free_identifier(&mut self) -> u16 {
        while self.in_flight.contains_key(&self.next_id) {
            self.next_id = self.next_id.wrapping_add(1);
        }
        let id = self.next_id;
        self.next_id = id.wrapping_add(1);
        id
    }
}

fn zeroed(mut buffer: DmaBuffer) -> DmaBuffer {
    buffer.zeroize();
    buffer
}
