//! A simulated PCIe card that can be made to fail, and jobs whose results are known.

use crate::reference::msm;
use crate::world::World as Shared;
use ark_bn254::{Fr, G1Affine};
use ark_ff::UniformRand;
use spandrel_driver::{CardOptions, DriverError, Job, MsmResult, Transport};
use spandrel_hdl::profile::Profile;
use spandrel_sim::{InProcess, SimControl, SimOptions};
use std::ops::{Deref, DerefMut};
use std::time::Duration;

/// A card that can be made to fail: the world of the other tests, where a failure is a result.
pub(super) struct World(Shared);

impl Deref for World {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl DerefMut for World {
    fn deref_mut(&mut self) -> &mut Shared {
        &mut self.0
    }
}

/// The simulated card with an endpoint.
pub(super) fn transport() -> Result<InProcess, String> {
    let profile = Profile::load("sim-pcie").map_err(|error| error.to_string())?;
    InProcess::new(&profile, SimOptions::default()).map_err(|error| error.to_string())
}

/// Bounds that are short, so that a card that hangs is found soon: about a millisecond of its time.
pub(super) fn options() -> CardOptions {
    CardOptions { bound_floor_cycles: 50_000, bound_factor: 2, ..CardOptions::default() }
}

impl World {
    /// A card in this process.
    pub(super) fn new() -> Result<World, String> {
        let transport = transport()?;
        let control = transport.control();
        World::over(Box::new(transport), control)
    }

    /// The card behind a transport.
    pub(super) fn over(transport: Box<dyn Transport>, control: SimControl) -> Result<World, String> {
        let shared = Shared::over(transport, control, 17, options()).map_err(|error| error.to_string())?;
        let mut world = World(shared);
        if !world.is_exact() {
            return Err("the card is wrong before anything has failed".to_owned());
        }
        Ok(world)
    }

    /// Submits a job with all bases; gives the result that arkworks computes with it.
    pub(super) fn submit(&mut self) -> Result<(Job<MsmResult>, G1Affine), DriverError> {
        let count = self.points.len();
        let scalars: Vec<Fr> = (0..count).map(|_| Fr::rand(&mut self.rng)).collect();
        let expected = msm(&self.points, &scalars);
        Ok((self.submit_scalars(0..count, &scalars)?, expected))
    }

    /// Waits for a job; `true` if its result is the expected one.
    pub(super) fn wait(&mut self, job: Job<MsmResult>, expected: G1Affine) -> Result<bool, DriverError> {
        Ok(self.0.wait(job)? == expected)
    }

    /// One job, and the card's time that it took.
    pub(super) fn job(&mut self) -> (Result<bool, DriverError>, Duration) {
        let before = self.card.now();
        let result = self.submit().and_then(|(job, expected)| self.wait(job, expected));
        (result, self.card.now().saturating_sub(before))
    }

    /// Whether a job's result is arkworks'.
    pub(super) fn is_exact(&mut self) -> bool {
        matches!(self.job().0, Ok(true))
    }

    /// Does what the driver's error asks for, and no more: a reset where one is needed. Then a job must be exact.
    pub(super) fn recovers(&mut self) -> bool {
        if self.card.needs_reset().is_some() && (self.card.reset().is_err() || self.try_load().is_err()) {
            return false;
        }
        self.is_exact() && self.card.self_test().is_ok()
    }
}
