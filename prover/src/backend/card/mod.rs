//! MSMs on a card.
//!
//! The card belongs to a thread of its own, which submits and waits, so that the CPU's work overlaps the
//! card's. The card returns a sum for every bit of every window; the caller's thread adds those up.

mod device;
mod finish;
mod worker;

#[cfg(test)]
mod tests;

use super::{
    Backend, BackendError, Bases, CardRun, MsmOutcome, Pending, check_submission, fresh_id, split_points,
};
use ark_ec::CurveGroup;
use device::Device;
use spandrel_abi::Identification;
use std::ops::Range;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;
use worker::{Request, Submission};
use zeroize::Zeroizing;

/// Is told how many cycles the card has spent on MSMs since it was opened; called from the card's thread.
pub type OnCycles = Arc<dyn Fn(u64) + Send + Sync>;

/// A card.
pub struct Card {
    id: u64,
    name: String,
    identification: Identification,
    /// `None` only while dropping.
    requests: Option<Mutex<Sender<Request>>>,
    worker: Option<JoinHandle<()>>,
}

impl Card {
    /// Drives a card from a thread of its own.
    pub fn new(card: spandrel_driver::Card, on_cycles: OnCycles) -> Result<Card, BackendError> {
        Card::over(card, on_cycles)
    }

    fn over(device: impl Device + 'static, on_cycles: OnCycles) -> Result<Card, BackendError> {
        let name = format!("card {}", device.describe());
        let identification = device.identification();
        let (requests, incoming) = channel();
        let worker = std::thread::Builder::new()
            .name("spandrel-card".to_owned())
            .spawn(move || worker::run(device, &incoming, &on_cycles))
            .map_err(|source| BackendError::NoThread { backend: name.clone(), source })?;
        let requests = Some(Mutex::new(requests));
        Ok(Card { id: fresh_id(), name, identification, requests, worker: Some(worker) })
    }

    fn gone(&self) -> BackendError {
        BackendError::Gone { backend: self.name.clone() }
    }

    /// Sends a request that is made around the place for its answer.
    fn request<T>(
        &self,
        make: impl FnOnce(Sender<worker::Answer<T>>) -> Request,
    ) -> Result<Answering<T>, BackendError> {
        let (reply, answer) = channel();
        let requests = self.requests.as_ref().ok_or_else(|| self.gone())?;
        let requests = requests.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        requests.send(make(reply)).map_err(|_| self.gone())?;
        Ok(Answering { name: self.name.clone(), answer })
    }
}

/// A request under way.
struct Answering<T> {
    name: String,
    answer: Receiver<worker::Answer<T>>,
}

impl<T> Answering<T> {
    fn wait(self) -> Result<T, BackendError> {
        match self.answer.recv() {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(worker::Failure::Unknown)) => Err(BackendError::ForeignBases),
            Ok(Err(worker::Failure::Device(source))) => {
                Err(BackendError::Device { backend: self.name, source })
            }
            Err(_) => Err(BackendError::Gone { backend: self.name }),
        }
    }
}

impl Backend for Card {
    fn describe(&self) -> String {
        self.name.clone()
    }

    fn load_bases(&self, points: &[u8]) -> Result<Bases, BackendError> {
        let bases = Bases { owner: self.id, id: fresh_id(), len: split_points(points)?.len() };
        // A card takes no load of no points, and an MSM of none needs no card.
        if !bases.is_empty() {
            let (id, points) = (bases.id, points.to_vec());
            self.request(|reply| Request::Load { id, points, reply })?.wait()?;
        }
        Ok(bases)
    }

    fn release_bases(&self, bases: Bases) -> Result<(), BackendError> {
        let id = bases.id(self.id)?;
        if bases.is_empty() {
            return Ok(());
        }
        self.request(|reply| Request::Release { id, reply })?.wait()
    }

    fn submit(&self, bases: &Bases, range: Range<usize>, scalars: &[u8]) -> Result<Pending, BackendError> {
        let id = bases.id(self.id)?;
        check_submission(bases, &range, scalars)?;
        if bases.is_empty() {
            return Ok(Pending::ready(MsmOutcome { point: Default::default(), card: None }));
        }
        let submission = Submission { bases: id, range, scalars: Zeroizing::new(scalars.to_vec()) };
        let since = Instant::now();
        let answering = self.request(|reply| Request::Msm { submission, reply })?;
        Ok(Pending::new(move || {
            let name = answering.name.clone();
            let sums = answering.wait()?;
            let seconds = since.elapsed().as_secs_f64();
            let sum = finish::finish(&sums).map_err(|why| BackendError::BadResult { backend: name, why })?;
            let card = Some(CardRun { cycles: sums.cycles, seconds, counters: sums.counters });
            Ok(MsmOutcome { point: sum.into_affine(), card })
        }))
    }

    fn identification(&self) -> Option<Identification> {
        Some(self.identification)
    }
}

impl Drop for Card {
    fn drop(&mut self) {
        // Closing the channel ends the thread after what it was asked for before.
        drop(self.requests.take());
        if let Some(worker) = self.worker.take()
            && worker.join().is_err()
        {
            tracing::error!(card = self.name, "the card's thread panicked");
        }
    }
}
