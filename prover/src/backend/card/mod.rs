//! MSMs on a card.
//!
//! On a card whose memory is small, bases that were not used for longest leave it for others, and bases that do not fit at
//! all are worked through in pieces.
//!
//! The card belongs to a thread of its own, which submits and waits, so that the CPU's work overlaps the
//! card's. The card returns a sum for every bit of every window; the caller's thread adds those up.

mod device;
mod finish;
mod resident;
mod worker;

#[cfg(test)]
mod tests;

use super::{
    Backend, BackendError, Bases, CardRun, MsmOutcome, Pending, check_submission, fresh_id, split_points,
};
use crate::curve::{Bn254G1, MsmCurve};
use ark_ec::CurveGroup;
use device::{Device, WeightedSums};
use spandrel_abi::Identification;
use spandrel_driver::{MsmOptions, Sample};
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;
use worker::{Request, Submission};
use zeroize::Zeroizing;

/// How far a card has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardProgress {
    /// Cycles that the card has spent on MSMs since it was opened.
    pub cycles: u64,
    /// What its engine did so far, where the driver's options ask for it.
    pub sample: Option<Sample>,
}

/// Is told how far a card has come; called from the card's thread.
pub type OnProgress = Arc<dyn Fn(CardProgress) + Send + Sync>;

/// A card.
pub struct Card<C: MsmCurve = Bn254G1> {
    id: u64,
    name: String,
    identification: Identification,
    /// For every MSM; without it as is best for each.
    window_bits: Option<u32>,
    curve: PhantomData<fn() -> C>,
    /// `None` only while dropping.
    requests: Option<Mutex<Sender<Request>>>,
    worker: Option<JoinHandle<()>>,
}

impl Card {
    /// Drives a card from a thread of its own, on BN254's G1.
    pub fn new(card: spandrel_driver::Card, on_progress: OnProgress) -> Result<Card, BackendError> {
        Card::on_curve(card, on_progress)
    }
}

impl<C: MsmCurve> Card<C> {
    /// Drives a card from a thread of its own, on a curve.
    pub fn on_curve(card: spandrel_driver::Card, on_progress: OnProgress) -> Result<Card<C>, BackendError> {
        Card::over(card, on_progress)
    }

    /// The same card, with this many bits per window for every MSM; whether the card offers them is seen when the first
    /// one is submitted.
    pub fn with_window_bits(mut self, window_bits: Option<u32>) -> Card<C> {
        self.window_bits = window_bits;
        self
    }

    fn over(device: impl Device + 'static, on_progress: OnProgress) -> Result<Card<C>, BackendError> {
        let name = format!("card {}", device.describe());
        let identification = device.identification();
        let (requests, incoming) = channel();
        let worker = std::thread::Builder::new()
            .name("spandrel-card".to_owned())
            .spawn(move || worker::run(device, &incoming, &on_progress))
            .map_err(|source| BackendError::NoThread { backend: name.clone(), source })?;
        let requests = Some(Mutex::new(requests));
        Ok(Card {
            id: fresh_id(),
            name,
            identification,
            window_bits: None,
            curve: PhantomData,
            requests,
            worker: Some(worker),
        })
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

impl<C: MsmCurve> Backend<C> for Card<C> {
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

    fn submit(&self, bases: &Bases, range: Range<usize>, scalars: &[u8]) -> Result<Pending<C>, BackendError> {
        let id = bases.id(self.id)?;
        check_submission::<C>(bases, &range, scalars)?;
        if bases.is_empty() {
            return Ok(Pending::ready(MsmOutcome { point: Default::default(), card: None }));
        }
        let options = MsmOptions { curve: C::ID, window_bits: self.window_bits };
        let submission = Submission { bases: id, range, scalars: Zeroizing::new(scalars.to_vec()), options };
        let since = Instant::now();
        let answering = self.request(|reply| Request::Msm { submission, reply })?;
        let adders = self.identification.msm_adders;
        Ok(Pending::new(move || {
            let name = answering.name.clone();
            let sums = answering.wait()?;
            let seconds = since.elapsed().as_secs_f64();
            let sum =
                finish::finish::<C>(&sums).map_err(|why| BackendError::BadResult { backend: name, why })?;
            let WeightedSums { window_bits, cycles, counters, .. } = sums;
            let card = Some(CardRun { cycles, seconds, window_bits, adders, counters });
            Ok(MsmOutcome { point: sum.into_affine(), card })
        }))
    }

    fn identification(&self) -> Option<Identification> {
        Some(self.identification)
    }
}

impl<C: MsmCurve> Drop for Card<C> {
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
