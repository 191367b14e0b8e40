//! A card: opening, resetting, and waiting for it.

use crate::bar::Bar;
use crate::bases::Returned;
use crate::bounds::Bounds;
use crate::config;
use crate::error::DriverError;
use crate::identify;
use crate::job::{Holdings, Job, JobOutput, Progress, Record, Running, Sample, Shape, State};
use crate::memory::CardMemory;
use crate::options::CardOptions;
use crate::queue::{Command, Queue};
use crate::transport::Transport;
use spandrel_abi::*;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// Tells cards of one process apart.
static NEXT_CARD: AtomicU64 = AtomicU64::new(0);

/// Times in a row that a wait may look at a clock that does not move before it gives up.
const PATIENCE_WITH_CLOCK: u32 = 100_000;

/// A card in use.
///
/// All methods take `&mut self`: a card has one user at a time. To share one, keep it in a thread of its own
/// and send it work, or behind a mutex. See the [crate's documentation](crate) for how jobs and bases work.
pub struct Card {
    pub(crate) name: String,
    pub(crate) id: u64,
    /// Counts resets: what was made before the last one is no longer valid.
    pub(crate) generation: u64,
    pub(crate) bar: Bar,
    pub(crate) identification: Identification,
    pub(crate) options: CardOptions,
    pub(crate) bounds: Bounds,
    /// `None` until set up, and while a reset has failed.
    pub(crate) queue: Option<Queue>,
    /// What the card may still write to although it did not come out of reset.
    quarantine: Vec<(Option<Queue>, HashMap<u64, Record>)>,
    jobs: HashMap<u64, Record>,
    next_job: u64,
    pub(crate) memory: CardMemory,
    pub(crate) home: Sender<Returned>,
    returned: Receiver<Returned>,
    /// The error since which only a reset helps.
    broken: Option<String>,
}

impl Card {
    /// Opens the card behind `transport`: reads and checks its identification, resets it, sets up the rings
    /// and enables it.
    ///
    /// # Errors
    /// [`DriverError::CardGone`], [`DriverError::NotSpandrel`], [`DriverError::AbiMismatch`] or
    /// [`DriverError::BadIdentification`] for what is no usable card; [`DriverError::BadOption`]; and whatever
    /// [`Card::reset`] and a first command can end in.
    pub fn open(transport: Box<dyn Transport>, options: CardOptions) -> Result<Card, DriverError> {
        options.check()?;
        let mut bar = Bar::new(transport, options.idle_bytes);
        // These registers answer also while the card comes out of its power-on reset.
        let identification = bar.identification()?;
        identify::check(&identification)?;
        let (home, returned) = channel();
        let mut card = Card {
            name: bar.transport.describe(),
            id: NEXT_CARD.fetch_add(1, Ordering::Relaxed),
            generation: 0,
            bounds: Bounds::new(&identification, &options, bar.transport.clock(), bar.transport.pace()),
            bar,
            identification,
            options,
            queue: None,
            quarantine: Vec::new(),
            jobs: HashMap::new(),
            next_job: 0,
            memory: CardMemory::new(0),
            home,
            returned,
            broken: None,
        };
        card.reset()?;
        if config::extended_tags(card.bar.transport.as_mut())? == Some(false) {
            tracing::warn!(
                card = %card.name,
                "extended tags are off in the card's device control (`lspci -vv` shows ExtTag-): the link may refuse \
                 reads of the card after one of them has timed out"
            );
        }
        if card.options.verify_queues {
            card.identify()?;
        }
        tracing::debug!(card = %card.name, identification = ?card.identification, "card opened");
        Ok(card)
    }

    /// The card's name, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the card says of itself.
    pub fn identification(&self) -> &Identification {
        &self.identification
    }

    /// Why the card has to be reset before it can be used again, if it has to.
    pub fn needs_reset(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// The card's time, in which every bound is measured.
    pub fn now(&self) -> Duration {
        self.bar.transport.now()
    }

    /// Looks at what the MSM engine does.
    pub fn sample(&mut self) -> Result<Sample, DriverError> {
        // Reading the cycles latches the additions of the same cycle.
        let cycles = self.cycles()?;
        Ok(Sample { cycles, additions: self.bar.read(MSM_ADDITIONS)? })
    }

    /// Cycles since the card's last reset, from its own counter.
    pub fn cycles(&mut self) -> Result<u64, DriverError> {
        // Reading the low half latches the high half.
        let low = self.bar.read(CYCLES_LO)?;
        let high = self.bar.read(CYCLES_HI)?;
        match (low, high) {
            // No card counts that far: 2^64 cycles are two thousand years.
            (u32::MAX, u32::MAX) => Err(DriverError::CardGone { register: CYCLES_LO.name }),
            _ => Ok(u64::from(high) << 32 | u64::from(low)),
        }
    }

    /// Resets the card and makes it usable again, whatever state it was in. Jobs that had not ended are lost,
    /// and so are resident bases; their handles tell so. Results of jobs that the driver has seen end stay.
    ///
    /// # Errors
    /// [`DriverError::ResetFailed`] or [`DriverError::CardGone`] when the card does not come back. Memory that
    /// it might still write to is then kept until a later reset succeeds.
    pub fn reset(&mut self) -> Result<(), DriverError> {
        self.generation += 1;
        self.broken = Some("its last reset did not succeed".into());
        let (ended, running) = std::mem::take(&mut self.jobs)
            .into_iter()
            .partition(|(_, job)| matches!(job.state, State::Ended(_)));
        self.jobs = ended;
        self.quarantine.push((self.queue.take(), running));
        self.quiesce()?;
        // Nothing reaches host memory any more.
        self.quarantine.clear();
        self.bar.collect();
        // Found out before the card is told any address: are writes seen at all?
        for pattern in [MAGIC_VALUE, !MAGIC_VALUE, 0] {
            self.bar.write_checked(SCRATCH, pattern)?;
        }
        self.memory = CardMemory::new(u64::from(self.identification.card_memory_kib) * 1024);
        let mut queue =
            Queue::set_up(&mut self.bar, self.options.submission_entries, self.options.completion_entries)?;
        self.bar.write(INTERRUPT_STATUS, all_causes())?;
        self.bar.write(INTERRUPT_ENABLE, all_causes())?;
        // From here on the card may write to the rings.
        let enabled = self.bar.write(CONTROL, CONTROL_ENABLE.put(1));
        queue.restart_clock(&self.bar);
        self.queue = Some(queue);
        enabled?;
        self.broken = None;
        Ok(())
    }

    /// Stops the card: by its reset bit, and from outside if that does not help.
    fn quiesce(&mut self) -> Result<(), DriverError> {
        let by_register = self.bar.write(CONTROL, CONTROL_RESET.put(1)).and_then(|()| self.await_ready());
        let Err(error) = by_register else { return Ok(()) };
        tracing::warn!(card = %self.name, %error, "resetting the card from outside");
        self.bar.transport.reset()?;
        self.await_ready()
    }

    /// Waits until a reset is over.
    fn await_ready(&mut self) -> Result<(), DriverError> {
        let bound = self.bounds.time(self.bounds.reset_cycles());
        let mut clock = Clock::start(self.now());
        loop {
            let control = self.bar.read_alive(CONTROL)?;
            let status = self.bar.read_alive(STATUS)?;
            if CONTROL_RESET.get(control) == 0 && STATUS_READY.get(status) == 1 {
                return Ok(());
            }
            let waited = clock.look(self.now())?;
            if waited > bound {
                return Err(DriverError::ResetFailed { waited, status });
            }
        }
    }

    /// Refuses work for a card that has to be reset first.
    pub(crate) fn check_usable(&self) -> Result<(), DriverError> {
        match &self.broken {
            Some(reason) => Err(DriverError::NeedsReset { reason: reason.clone() }),
            None => Ok(()),
        }
    }

    /// Notes that only a reset helps after this error.
    fn fail(&mut self, error: DriverError) -> DriverError {
        if self.broken.is_none() {
            tracing::warn!(card = %self.name, %error, "card needs a reset");
            self.broken = Some(error.to_string());
        }
        error
    }

    /// Refuses a job when as many are under way as may be. To be called before buffers are made.
    pub(crate) fn check_room(&mut self) -> Result<(), DriverError> {
        self.check_usable()?;
        if self.running() >= self.options.max_jobs {
            self.advance()?;
        }
        match self.running() {
            running if running >= self.options.max_jobs => {
                Err(DriverError::TooManyJobs { limit: self.options.max_jobs })
            }
            _ => Ok(()),
        }
    }

    /// Jobs whose commands have not all been seen to end.
    pub(crate) fn running(&self) -> usize {
        self.jobs.values().filter(|job| matches!(job.state, State::Running(_))).count()
    }

    /// Sends a job's commands on their way.
    pub(crate) fn submit<T: JobOutput>(
        &mut self,
        commands: impl IntoIterator<Item = (Opcode, Descriptor)>,
        shape: Shape,
        holdings: Holdings,
    ) -> Result<Job<T>, DriverError> {
        self.check_usable()?;
        self.jobs.retain(|_, job| !(job.is_abandoned() && matches!(job.state, State::Ended(_))));
        let Some(queue) = &mut self.queue else {
            return Err(DriverError::NeedsReset { reason: "its queues are not set up".into() });
        };
        let id = self.next_job;
        self.next_job += 1;
        let mut commands_left = 0;
        let mut first = None;
        for (opcode, descriptor) in commands {
            first.get_or_insert(opcode);
            queue.enqueue(Command { opcode, descriptor, job: id });
            commands_left += 1;
        }
        let interest = Arc::new(());
        let opcode = first.unwrap_or(Opcode::Identify);
        let running =
            Running { opcode, shape, holdings, commands_left, failure: None, cycles: 0, wrote_tree: false };
        self.jobs.insert(id, Record { interest: Arc::downgrade(&interest), state: State::Running(running) });
        let posted = queue.post(&mut self.bar, &self.bounds);
        posted.map_err(|error| self.fail(error))?;
        Ok(Job { card: self.id, generation: self.generation, id, _interest: interest, _output: PhantomData })
    }

    /// Takes in what the card has finished and gives it what waits.
    fn advance(&mut self) -> Result<(), DriverError> {
        let Some(queue) = &mut self.queue else { return self.check_usable() };
        let mut ended = Vec::new();
        let mut result = queue.drain(&mut self.bar, &mut ended);
        for command in ended {
            let Some(job) = self.jobs.get_mut(&command.job) else { continue };
            if let Err(error) = job.command_ended(command.opcode, command.status, command.cycles) {
                result = result.and(Err(error.into()));
            }
        }
        if result.is_ok() {
            result = queue.post(&mut self.bar, &self.bounds);
        }
        self.jobs.retain(|_, job| !(job.is_abandoned() && matches!(job.state, State::Ended(_))));
        self.bar.collect();
        result.map_err(|error| self.fail(error))
    }

    /// Looks whether the card is there and its queues run.
    fn check_health(&mut self) -> Result<(), DriverError> {
        let checked = self.bar.read_alive(STATUS).and_then(|status| {
            if STATUS_FAULT.get(status) == 1 {
                let code = STATUS_FAULT_CODE.get(status) as u8;
                let meaning = Status::from_code(code).map_or("which is no status code", |s| s.doc().trim());
                return Err(DriverError::QueueFault { code, meaning });
            }
            if STATUS_READY.get(status) == 0 {
                return Err(DriverError::ResetBehindDriver);
            }
            Ok(())
        });
        checked.map_err(|error| self.fail(error))
    }

    /// The error for a card that shows no progress `now`, if it should have.
    fn check_deadline(&mut self, now: Duration) -> Result<(), DriverError> {
        let Some(deadline) = self.queue.as_ref().and_then(Queue::deadline) else { return Ok(()) };
        if now <= deadline.at() {
            return Ok(());
        }
        let error = match self.bar.read_alive(CONTROL) {
            Ok(control) if CONTROL_ENABLE.get(control) == 0 => DriverError::ResetBehindDriver,
            Ok(_) => DriverError::TimedOut {
                opcode: deadline.opcode,
                waited: now.saturating_sub(deadline.since),
                bound: deadline.bound,
            },
            Err(error) => error,
        };
        Err(self.fail(error))
    }

    /// Whether the job has ended. Errors of the job itself are left for [`Card::wait`].
    ///
    /// # Errors
    /// Those of a card that has stopped working, and those of a job that is not (or no longer) this card's.
    pub fn poll<T: JobOutput>(&mut self, job: &Job<T>) -> Result<bool, DriverError> {
        if self.has_ended(job)? {
            return Ok(true);
        }
        self.check_usable()?;
        let now = self.now();
        self.advance()?;
        if self.has_ended(job)? {
            return Ok(true);
        }
        self.check_health()?;
        self.check_deadline(now)?;
        Ok(false)
    }

    /// Waits for a job and takes its result, calling `progress` at least every
    /// [`poll_cycles`](CardOptions::poll_cycles) or so of the card's time.
    ///
    /// The wait is bounded: each command has a time, from its size and the card's clock, within which the card
    /// must end it.
    ///
    /// # Errors
    /// [`DriverError::CommandFailed`] when the card refused or failed the job;
    /// [`DriverError::TimedOut`], [`DriverError::QueueCorrupted`], [`DriverError::QueueFault`],
    /// [`DriverError::CardGone`] and the like when the card has to be reset.
    pub fn wait<T: JobOutput>(
        &mut self,
        job: Job<T>,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<T, DriverError> {
        let started = self.now();
        let mut clock = Clock::start(started);
        while !self.has_ended(&job)? {
            self.check_usable()?;
            // Read before the ring: what ended in time is never called late.
            let now = self.now();
            self.advance()?;
            if self.has_ended(&job)? {
                break;
            }
            self.check_health()?;
            self.check_deadline(now)?;
            self.pause(started, progress)?;
            let looked = clock.look(self.now());
            looked.map_err(|error| self.fail(error))?;
        }
        let Some(Record { state: State::Ended(result), .. }) = self.jobs.remove(&job.id) else {
            return Err(DriverError::UnknownJob);
        };
        T::from_output(result?).ok_or(DriverError::UnknownJob)
    }

    /// Waits for an interrupt or one poll interval.
    fn pause(&mut self, started: Duration, progress: &mut dyn FnMut(&Progress)) -> Result<(), DriverError> {
        let sample = match self.options.sample {
            true => Some(self.sample()?),
            false => None,
        };
        let Some(queue) = &self.queue else { return Ok(()) };
        let now = self.now();
        let interval = self.bounds.time(self.options.poll_cycles).max(Duration::from_nanos(1));
        let remaining = queue.deadline().map_or(interval, |deadline| deadline.at().saturating_sub(now));
        let elapsed = now.saturating_sub(started);
        progress(&Progress {
            elapsed,
            cycles: self.bounds.cycles(elapsed),
            commands_outstanding: queue.outstanding(),
            remaining,
            sample,
        });
        // A little longer than what remains, so that the deadline is over afterwards.
        let timeout = interval.min(remaining.saturating_add(Duration::from_nanos(1)));
        let waited = match self.bar.transport.wait_interrupt(COMPLETION_VECTOR, timeout) {
            // Cleared before the ring is read, so that an entry written in between raises it again.
            Ok(true) => self.bar.write(INTERRUPT_STATUS, all_causes()),
            Ok(false) => Ok(()),
            Err(error) => Err(error.into()),
        };
        waited.map_err(|error| self.fail(error))
    }

    fn has_ended<T>(&self, job: &Job<T>) -> Result<bool, DriverError> {
        if job.card != self.id {
            return Err(DriverError::AnotherCard { what: "job" });
        }
        match self.jobs.get(&job.id).map(|record| &record.state) {
            Some(State::Ended(_)) => Ok(true),
            Some(State::Running(_)) => Ok(false),
            None if job.generation != self.generation => Err(DriverError::JobLost),
            None => Err(DriverError::UnknownJob),
        }
    }

    /// Takes back card memory that nothing uses any more.
    pub(crate) fn collect_returned(&mut self) {
        while let Ok(Returned { generation, piece }) = self.returned.try_recv() {
            if generation == self.generation && !self.memory.release(piece.clone()) {
                // Cannot be: every piece has one owner. Better to lose the piece than to hand it out twice.
                tracing::error!(card = %self.name, ?piece, "card memory was given back twice");
            }
        }
    }
}

impl Drop for Card {
    /// Stops the card before its buffers are given back; a card that does not stop keeps them.
    fn drop(&mut self) {
        let untouched = self.queue.as_ref().is_none_or(Queue::is_idle) && self.quarantine.is_empty();
        let Err(error) = self.quiesce() else { return };
        tracing::warn!(card = %self.name, %error, "card did not stop");
        if self.bar.transport.cut_off().is_err() {
            if !untouched {
                // Leaked on purpose: the card may still write there.
                std::mem::forget(std::mem::take(&mut self.jobs));
                std::mem::forget(std::mem::take(&mut self.quarantine));
            }
            std::mem::forget(self.queue.take());
        }
    }
}

impl std::fmt::Debug for Card {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Card")
            .field("name", &self.name)
            .field("identification", &self.identification)
            .field("needs_reset", &self.broken)
            .finish_non_exhaustive()
    }
}

fn all_causes() -> u32 {
    INTERRUPT_COMPLETION.put(1) | INTERRUPT_FAULT.put(1)
}

/// Watches that time passes, without which no wait would end.
struct Clock {
    started: Duration,
    last: Duration,
    still: u32,
}

impl Clock {
    fn start(now: Duration) -> Clock {
        Clock { started: now, last: now, still: 0 }
    }

    /// Time since the start; an error when the clock has not moved for very many looks.
    fn look(&mut self, now: Duration) -> Result<Duration, DriverError> {
        if now > self.last {
            self.last = now;
            self.still = 0;
        } else {
            self.still += 1;
            if self.still > PATIENCE_WITH_CLOCK {
                return Err(DriverError::ClockStopped { at: now });
            }
        }
        Ok(now.saturating_sub(self.started))
    }
}
