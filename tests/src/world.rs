//! A driver on a simulated card, with jobs of which the results are known.

use crate::reference::{bytes32, combine_weighted, msm, point_bytes, projective, scalar_bytes};
use crate::values::element;
use ark_bn254::{Fr, G1Affine, G1Projective};
use ark_ec::{CurveGroup, PrimeGroup};
use ark_ff::UniformRand;
use num_bigint::BigUint;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use spandrel_abi::{FieldId, FieldOperation};
use spandrel_driver::{BasesHandle, Card, CardOptions, DriverError, Job, MsmResult, Transport};
use spandrel_hdl::field::Prime;
use spandrel_hdl::profile::Profile;
use spandrel_sim::{InProcess, SimControl, SimOptions};
use std::ops::Range;

/// An open card with points on it, and what is known of them.
pub struct World {
    /// The card.
    pub card: Card,
    /// Makes it fail.
    pub control: SimControl,
    /// Chooses everything.
    pub rng: ChaCha8Rng,
    /// The points that are on the card, once loaded.
    pub points: Vec<G1Affine>,
    /// Their handle.
    pub bases: Option<BasesHandle>,
}

/// The value, or a panic with the error's message.
pub fn must<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}

impl World {
    /// Opens the card of a profile, and loads 48 points.
    ///
    /// # Panics
    /// As all of this type's methods, where something that must succeed does not.
    pub fn new(profile: &str, seed: u64, stalls: bool, options: CardOptions) -> World {
        let profile = must(Profile::load(profile));
        let transport = must(InProcess::new(&profile, SimOptions { seed, stalls, ..SimOptions::default() }));
        let control = transport.control();
        must(World::over(Box::new(transport), control, seed, options))
    }

    /// Opens the card behind a transport, and loads 48 points.
    ///
    /// # Errors
    /// The driver's.
    pub fn over(
        transport: Box<dyn Transport>,
        control: SimControl,
        seed: u64,
        options: CardOptions,
    ) -> Result<World, DriverError> {
        let card = Card::open(transport, options)?;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let generator = G1Projective::generator();
        let points = (0..48).map(|_| (generator * Fr::rand(&mut rng)).into_affine()).collect();
        let mut world = World { card, control, rng, points, bases: None };
        world.try_load()?;
        Ok(world)
    }

    /// Loads the points.
    pub fn load(&mut self) {
        must(self.try_load());
    }

    /// Loads the points, where that may fail.
    ///
    /// # Errors
    /// The driver's.
    pub fn try_load(&mut self) -> Result<(), DriverError> {
        let bytes: Vec<u8> = self.points.iter().flat_map(point_bytes).collect();
        self.bases = Some(self.card.load_bases(&bytes)?);
        Ok(())
    }

    /// Submits the MSM of a random range; gives the job and the result that arkworks computes.
    pub fn submit(&mut self) -> Result<(Job<MsmResult>, G1Affine), DriverError> {
        let end = self.rng.gen_range(0..=self.points.len());
        let start = self.rng.gen_range(0..=end);
        let scalars: Vec<Fr> = (start..end).map(|_| Fr::rand(&mut self.rng)).collect();
        let expected = msm(&self.points[start..end], &scalars);
        Ok((self.submit_scalars(start..end, &scalars)?, expected))
    }

    /// Submits the MSM of a range with these scalars.
    pub fn submit_scalars(
        &mut self,
        range: Range<usize>,
        scalars: &[Fr],
    ) -> Result<Job<MsmResult>, DriverError> {
        let bytes: Vec<u8> = scalars.iter().flat_map(scalar_bytes).collect();
        let bases = self.bases.as_ref().unwrap_or_else(|| panic!("no bases loaded"));
        self.card.submit_msm(bases, range, &bytes)
    }

    /// Waits for an MSM.
    pub fn wait(&mut self, job: Job<MsmResult>) -> Result<G1Affine, DriverError> {
        let result = self.card.wait(job, &mut |_| {})?;
        assert!(result.counters.cycles <= result.cycles, "{result:?}");
        let sums: Vec<_> = result.points.iter().map(|bytes| projective(bytes)).collect();
        Ok(combine_weighted(&result.exponents, &sums))
    }

    /// The MSM of a random range is that of arkworks.
    pub fn check(&mut self) {
        let (job, expected) = must(self.submit());
        assert_eq!(must(self.wait(job)), expected);
    }

    /// A random field vector operation is exact.
    pub fn check_field_vector(&mut self) {
        let count = self.rng.gen_range(1..70);
        let field = FieldId::ALL[self.rng.gen_range(0..FieldId::ALL.len())];
        let operation = FieldOperation::ALL[self.rng.gen_range(0..FieldOperation::ALL.len())];
        let prime = match field {
            FieldId::Fq => Prime::Fq,
            FieldId::Fr => Prime::Fr,
        };
        let mut draw = || (0..count).map(|_| element(&mut self.rng, prime)).collect::<Vec<_>>();
        let (a, b) = (draw(), draw());
        let p = prime.modulus();
        let expected = a.iter().zip(&b).map(|(a, b)| match operation {
            FieldOperation::Add => (a + b) % &p,
            FieldOperation::Subtract => (a + &p - b) % &p,
            FieldOperation::Multiply => prime.montgomery_product(a, b),
        });
        let expected: Vec<u8> = expected.flat_map(|value| bytes32(&value)).collect();
        let bytes = |values: &[BigUint]| values.iter().flat_map(bytes32).collect::<Vec<u8>>();
        let job = must(self.card.submit_field_vector(field, operation, &bytes(&a), &bytes(&b)));
        assert_eq!(
            must(self.card.wait(job, &mut |_| {})),
            expected,
            "{field:?} {operation:?}, {count} elements"
        );
    }
}
