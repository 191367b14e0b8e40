//! The thread that owns a card.

use super::device::{Device, WeightedSums};
use super::{CardProgress, OnProgress};
use spandrel_driver::{DriverError, MsmOptions};
use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::mpsc::{Receiver, Sender, TryRecvError};
use zeroize::Zeroizing;

/// MSMs that are queued on the card at a time; more wait in the channel. Two would keep it busy.
const QUEUED: usize = 8;

/// Why a request failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The bases are not resident.
    Unknown,
    /// The driver says.
    Device(DriverError),
}

/// What comes back.
pub(super) type Answer<T> = Result<T, Failure>;

/// An MSM to compute.
pub(super) struct Submission {
    pub(super) bases: u64,
    pub(super) range: Range<usize>,
    pub(super) scalars: Zeroizing<Vec<u8>>,
    pub(super) options: MsmOptions,
}

/// What the thread is asked to do. An answer that nobody waits for any more is dropped.
pub(super) enum Request {
    /// Make points resident under an identifier.
    Load { id: u64, points: Vec<u8>, reply: Sender<Answer<()>> },
    /// Free them.
    Release { id: u64, reply: Sender<Answer<()>> },
    /// Compute an MSM.
    Msm { submission: Submission, reply: Sender<Answer<WeightedSums>> },
}

/// Serves requests until all senders are gone, and finishes what was submitted.
pub(super) fn run<D: Device>(device: D, requests: &Receiver<Request>, on_progress: &OnProgress) {
    let mut worker = Worker {
        device,
        resident: HashMap::new(),
        queued: VecDeque::new(),
        cycles: 0,
        on_progress: OnProgress::clone(on_progress),
    };
    loop {
        let request = if worker.queued.is_empty() {
            requests.recv().map_err(|_| TryRecvError::Disconnected)
        } else if worker.queued.len() < QUEUED {
            requests.try_recv()
        } else {
            Err(TryRecvError::Empty)
        };
        match request {
            Ok(request) => worker.serve(request),
            Err(TryRecvError::Disconnected) if worker.queued.is_empty() => return,
            Err(_) => worker.finish_one(),
        }
    }
}

struct Worker<D: Device> {
    device: D,
    resident: HashMap<u64, D::Bases>,
    queued: VecDeque<(D::Job, Sender<Answer<WeightedSums>>)>,
    /// Cycles of the MSMs that have ended.
    cycles: u64,
    on_progress: OnProgress,
}

impl<D: Device> Worker<D> {
    fn serve(&mut self, request: Request) {
        match request {
            Request::Load { id, points, reply } => {
                let loaded = self.device.load(&points).map_err(Failure::Device);
                let _ = reply.send(loaded.map(|bases| drop(self.resident.insert(id, bases))));
            }
            Request::Release { id, reply } => {
                // MSMs submitted before still use the bases.
                while !self.queued.is_empty() {
                    self.finish_one();
                }
                let released = match self.resident.remove(&id) {
                    Some(bases) => self.device.release(bases).map_err(Failure::Device),
                    None => Err(Failure::Unknown),
                };
                let _ = reply.send(released);
            }
            Request::Msm { submission, reply } => {
                let Submission { bases, range, scalars, options } = submission;
                let submitted = match self.resident.get(&bases) {
                    Some(bases) => {
                        self.device.submit(bases, range, &scalars, &options).map_err(Failure::Device)
                    }
                    None => Err(Failure::Unknown),
                };
                match submitted {
                    Ok(job) => self.queued.push_back((job, reply)),
                    Err(failure) => drop(reply.send(Err(failure))),
                }
            }
        }
    }

    /// Waits for the oldest MSM.
    fn finish_one(&mut self) {
        let Some((job, reply)) = self.queued.pop_front() else { return };
        let before = self.cycles;
        let on_progress = &self.on_progress;
        let result = self.device.wait(job, &mut |progress| {
            on_progress(CardProgress { cycles: before + progress.cycles, ..progress });
        });
        if let Ok(sums) = &result {
            self.cycles += sums.cycles;
            (self.on_progress)(CardProgress { cycles: self.cycles, sample: None });
        }
        let _ = reply.send(result.map_err(Failure::Device));
    }
}
