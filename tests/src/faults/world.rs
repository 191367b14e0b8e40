//! A simulated PCIe card with bases on it, and jobs whose results are known.

use crate::reference::{combine_weighted, msm, point_bytes, projective, scalar_bytes};
use ark_bn254::{Fr, G1Affine, G1Projective};
use ark_ec::{CurveGroup, PrimeGroup};
use ark_ff::UniformRand;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use spandrel_driver::{BasesHandle, Card, CardOptions, DriverError, Job, MsmResult, Transport};
use spandrel_hdl::profile::Profile;
use spandrel_sim::{InProcess, SimControl, SimOptions};
use std::time::Duration;

/// Bases, and scalars of a job.
const POINTS: usize = 24;

/// A card that can be made to fail.
pub(super) struct World {
    pub(super) card: Card,
    pub(super) control: SimControl,
    rng: ChaCha8Rng,
    points: Vec<G1Affine>,
    bases: Option<BasesHandle>,
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
        let card = Card::open(transport, options()).map_err(|error| error.to_string())?;
        let mut rng = ChaCha8Rng::seed_from_u64(17);
        let points =
            (0..POINTS).map(|_| (G1Projective::generator() * Fr::rand(&mut rng)).into_affine()).collect();
        let mut world = World { card, control, rng, points, bases: None };
        world.load().map_err(|error| error.to_string())?;
        if !world.is_exact() {
            return Err("the card is wrong before anything has failed".to_owned());
        }
        Ok(world)
    }

    /// Loads the bases, again where a reset has lost them.
    pub(super) fn load(&mut self) -> Result<(), DriverError> {
        let bytes: Vec<u8> = self.points.iter().flat_map(point_bytes).collect();
        self.bases = Some(self.card.load_bases(&bytes)?);
        Ok(())
    }

    /// Submits a job; gives the result that arkworks computes with it.
    pub(super) fn submit(&mut self) -> Result<(Job<MsmResult>, G1Affine), DriverError> {
        let scalars: Vec<Fr> = (0..POINTS).map(|_| Fr::rand(&mut self.rng)).collect();
        let expected = msm(&self.points, &scalars);
        let bytes: Vec<u8> = scalars.iter().flat_map(scalar_bytes).collect();
        let Some(bases) = &self.bases else { return Err(DriverError::BasesLost) };
        Ok((self.card.submit_msm(bases, 0..POINTS, &bytes)?, expected))
    }

    /// Waits for a job; `true` if its result is the expected one.
    pub(super) fn wait(&mut self, job: Job<MsmResult>, expected: G1Affine) -> Result<bool, DriverError> {
        let result = self.card.wait(job, &mut |_| {})?;
        let sums: Vec<_> = result.points.iter().map(|bytes| projective(bytes)).collect();
        Ok(combine_weighted(&result.exponents, &sums) == expected)
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
        if self.card.needs_reset().is_some() && (self.card.reset().is_err() || self.load().is_err()) {
            return false;
        }
        self.is_exact() && self.card.self_test().is_ok()
    }
}
