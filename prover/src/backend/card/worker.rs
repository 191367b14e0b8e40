//! The thread that owns a card.

use super::device::{Device, WeightedSums};
use super::resident::{Residents, Set};
use super::{CardProgress, OnProgress};
use spandrel_abi::{AFFINE_POINT_BYTES, FIELD_BYTES};
use spandrel_driver::{DriverError, MsmOptions};
use std::collections::VecDeque;
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
        residents: Residents::for_card(&device.identification()),
        device,
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
    residents: Residents<D::Bases>,
    queued: VecDeque<(D::Job, Sender<Answer<WeightedSums>>)>,
    /// Cycles of the MSMs that have ended.
    cycles: u64,
    on_progress: OnProgress,
}

impl<D: Device> Worker<D> {
    fn serve(&mut self, request: Request) {
        match request {
            Request::Load { id, points, reply } => {
                let loaded = self.load(id, points).map_err(Failure::Device);
                let _ = reply.send(loaded);
            }
            Request::Release { id, reply } => {
                // MSMs submitted before still use the bases.
                self.finish_all();
                let released = match self.residents.remove(id) {
                    Some(Set { bases: Some(bases), .. }) => {
                        self.device.release(bases).map_err(Failure::Device)
                    }
                    Some(_) => Ok(()),
                    None => Err(Failure::Unknown),
                };
                let _ = reply.send(released);
            }
            Request::Msm { submission, reply } => match self.submit(&submission) {
                Ok(Submitted::Queued(job)) => self.queued.push_back((job, reply)),
                Ok(Submitted::Done(sums)) => drop(reply.send(Ok(*sums))),
                Err(failure) => drop(reply.send(Err(failure))),
            },
        }
    }

    /// Makes points resident. What does not fit into a small card waits here until it is used.
    fn load(&mut self, id: u64, points: Vec<u8>) -> Result<(), DriverError> {
        let kept = self.residents.keeps();
        let bases = match self.bring_in(&points) {
            Ok(bases) => Some(bases),
            Err(DriverError::OutOfCardMemory { total, .. }) if kept && total >= AFFINE_POINT_BYTES as u64 => {
                tracing::info!(bytes = points.len(), total, "bases do not fit into card memory in one piece");
                None
            }
            Err(error) => return Err(error),
        };
        self.residents.insert(id, kept.then_some(points), bases);
        Ok(())
    }

    /// Copies points to card memory; where there is no room, those leave it that were not used for longest.
    fn bring_in(&mut self, points: &[u8]) -> Result<D::Bases, DriverError> {
        loop {
            match self.device.load(points) {
                Err(DriverError::OutOfCardMemory { bytes, free, largest_gap, total }) => {
                    if bytes > total || !self.evict()? {
                        return Err(DriverError::OutOfCardMemory { bytes, free, largest_gap, total });
                    }
                }
                result => return result,
            }
        }
    }

    /// Takes the bases out of card memory that were not used for longest; `false` where none may leave it.
    fn evict(&mut self) -> Result<bool, DriverError> {
        // MSMs submitted before may use them.
        self.finish_all();
        match self.residents.evict() {
            Some(bases) => self.device.release(bases).map(|()| true),
            None => Ok(false),
        }
    }

    fn submit(&mut self, submission: &Submission) -> Result<Submitted<D::Job>, Failure> {
        let Submission { bases: id, range, scalars, options } = submission;
        // Out of its place while room is made, so that it does not make room for itself.
        let mut set = self.residents.remove(*id).ok_or(Failure::Unknown)?;
        let result = self.submit_to(&mut set, range.clone(), scalars, options);
        self.residents.put_back(*id, set);
        result.map_err(Failure::Device)
    }

    fn submit_to(
        &mut self,
        set: &mut Set<D::Bases>,
        range: Range<usize>,
        scalars: &[u8],
        options: &MsmOptions,
    ) -> Result<Submitted<D::Job>, DriverError> {
        if set.bases.is_none()
            && let Some(points) = &set.points
        {
            match self.bring_in(points) {
                Ok(bases) => set.bases = Some(bases),
                Err(DriverError::OutOfCardMemory { .. }) => {
                    let points = &points[AFFINE_POINT_BYTES * range.start..AFFINE_POINT_BYTES * range.end];
                    return Ok(Submitted::Done(Box::new(self.in_pieces(points, scalars, options)?)));
                }
                Err(error) => return Err(error),
            }
        }
        match &set.bases {
            Some(bases) => self.device.submit(bases, range, scalars, options).map(Submitted::Queued),
            // Not reached: a set without points always has its bases.
            None => Err(DriverError::BasesLost),
        }
    }

    /// Works through bases that do not fit into card memory, as many as fit at a time. The sums of all pieces are the
    /// result's: each is of bases with the same weight.
    fn in_pieces(
        &mut self,
        points: &[u8],
        scalars: &[u8],
        options: &MsmOptions,
    ) -> Result<WeightedSums, DriverError> {
        while self.evict()? {}
        let mut whole: Option<WeightedSums> = None;
        let (mut points, mut scalars) = (points, scalars);
        let mut length = points.len() / AFFINE_POINT_BYTES;
        while !points.is_empty() {
            length = length.min(points.len() / AFFINE_POINT_BYTES);
            let bases = match self.device.load(&points[..AFFINE_POINT_BYTES * length]) {
                Ok(bases) => bases,
                Err(DriverError::OutOfCardMemory { bytes, free, largest_gap, total }) => {
                    let fits = largest_gap as usize / AFFINE_POINT_BYTES;
                    if fits == 0 || fits >= length {
                        return Err(DriverError::OutOfCardMemory { bytes, free, largest_gap, total });
                    }
                    length = fits;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let sums = self
                .device
                .submit(&bases, 0..length, &scalars[..FIELD_BYTES * length], options)
                .and_then(|job| self.wait(job));
            self.device.release(bases)?;
            let sums = sums?;
            match &mut whole {
                None => whole = Some(sums),
                Some(whole) => whole.add(sums),
            }
            points = &points[AFFINE_POINT_BYTES * length..];
            scalars = &scalars[FIELD_BYTES * length..];
        }
        whole.ok_or(DriverError::BasesLost)
    }

    fn finish_all(&mut self) {
        while !self.queued.is_empty() {
            self.finish_one();
        }
    }

    /// Waits for the oldest MSM.
    fn finish_one(&mut self) {
        let Some((job, reply)) = self.queued.pop_front() else { return };
        let result = self.wait(job);
        let _ = reply.send(result.map_err(Failure::Device));
    }

    fn wait(&mut self, job: D::Job) -> Result<WeightedSums, DriverError> {
        let before = self.cycles;
        let on_progress = &self.on_progress;
        let result = self.device.wait(job, &mut |progress| {
            on_progress(CardProgress { cycles: before + progress.cycles, ..progress });
        });
        if let Ok(sums) = &result {
            self.cycles += sums.cycles;
            (self.on_progress)(CardProgress { cycles: self.cycles, sample: None });
        }
        result
    }
}

/// What became of a submission.
enum Submitted<J> {
    /// It is under way.
    Queued(J),
    /// It was worked through in pieces.
    Done(Box<WeightedSums>),
}
