//! Many random jobs on one simulated card, of every kind that it must take, each against arkworks.

use crate::reference::{Coordinate, combine_weighted, msm, point_bytes, projective, scalar_bytes};
use ark_ec::CurveGroup;
use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_ff::{PrimeField, UniformRand};
use ark_grumpkin::GrumpkinConfig;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use spandrel_abi::{CurveId, Status};
use spandrel_driver::{BasesHandle, Card, CardOptions, DriverError, Job, MsmOptions, MsmResult};
use spandrel_hdl::curve::Curve;
use spandrel_hdl::profile::Profile;
use spandrel_sim::{InProcess, SimControl, SimOptions};
use std::ops::Range;

/// Resident bases.
const BASES: usize = 640;
/// Largest job.
const LARGEST: usize = 600;
/// Jobs that are queued at a time at most.
const DEEPEST: usize = 4;

/// What to do.
#[derive(Clone, Debug)]
pub struct Soak {
    /// Jobs, all kinds counted.
    pub jobs: u64,
    /// Decides everything.
    pub seed: u64,
    /// Memories and registers answer late and hesitantly.
    pub stalls: bool,
}

/// What was done. Each job is counted as one of `exact`, `aborted`, `dropped` and `faulted`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Jobs given to the card.
    pub jobs: u64,
    /// Jobs whose result was compared, and was arkworks'.
    pub exact: u64,
    /// Jobs that a reset ended.
    pub aborted: u64,
    /// Jobs whose result nobody took.
    pub dropped: u64,
    /// Jobs that ended with the status of a fault on a bus.
    pub faulted: u64,
    /// Resets.
    pub resets: u64,
    /// Engine cycles of the compared jobs.
    pub cycles: u64,
    /// Additions of the compared jobs.
    pub additions: u64,
    /// Non-zero digits of the compared jobs.
    pub digits: u64,
}

/// A job that can be told in an error.
struct Given<C: SWCurveConfig> {
    text: String,
    job: Job<MsmResult>,
    expected: Affine<C>,
}

/// Runs jobs until there were as many as asked for; `on_job` hears of each that has ended, and of all so far. Where the
/// card has both curves, they take turns.
///
/// # Errors
/// A sentence that names the job which went wrong, and the seed.
pub fn run(profile: &Profile, soak: &Soak, on_job: &mut dyn FnMut(&Outcome)) -> Result<Outcome, String> {
    turns(profile, soak, on_job)
        .map_err(|error| format!("{error} (seed {}, profile {})", soak.seed, profile.name))
}

/// Turns of each curve, where there are two.
const TURNS: usize = 3;

fn turns(profile: &Profile, soak: &Soak, on_job: &mut dyn FnMut(&Outcome)) -> Result<Outcome, String> {
    let options = SimOptions { seed: soak.seed, stalls: soak.stalls, ..SimOptions::default() };
    let transport = InProcess::new(profile, options).map_err(text)?;
    let control = transport.control();
    let mut card = Card::open(Box::new(transport), CardOptions::default()).map_err(text)?;
    card.self_test().map_err(text)?;
    let turns = match &profile.msm.curves[..] {
        [curve] => vec![*curve],
        curves => curves.repeat(TURNS),
    };
    let mut outcome = Outcome::default();
    for (turn, curve) in turns.iter().enumerate() {
        let soak = Soak {
            jobs: soak.jobs * (turn as u64 + 1) / turns.len() as u64,
            seed: soak.seed ^ ((turn as u64) << 32),
            stalls: soak.stalls,
        };
        let control = control.clone();
        (outcome, card) = match curve {
            Curve::Bn254 => {
                World::<ark_bn254::g1::Config>::new(card, control, *curve, soak, outcome)?.run(on_job)?
            }
            Curve::Grumpkin => {
                World::<GrumpkinConfig>::new(card, control, *curve, soak, outcome)?.run(on_job)?
            }
        };
    }
    Ok(outcome)
}

struct World<C: SWCurveConfig> {
    soak: Soak,
    curve: CurveId,
    card: Card,
    control: SimControl,
    rng: ChaCha8Rng,
    points: Vec<Affine<C>>,
    bases: BasesHandle,
    outcome: Outcome,
}

impl<C: SWCurveConfig<BaseField: Coordinate>> World<C> {
    /// One curve's jobs on a card, in addition to those before.
    fn new(
        mut card: Card,
        control: SimControl,
        curve: Curve,
        soak: Soak,
        outcome: Outcome,
    ) -> Result<World<C>, String> {
        let mut rng = ChaCha8Rng::seed_from_u64(soak.seed);
        let points = points(&mut rng);
        let bases = load(&mut card, &points)?;
        Ok(World { soak, curve: curve.id(), card, control, rng, points, bases, outcome })
    }

    fn run(mut self, on_job: &mut dyn FnMut(&Outcome)) -> Result<(Outcome, Card), String> {
        while self.outcome.jobs < self.soak.jobs {
            match self.rng.gen_range(0..8) {
                0 => self.fault()?,
                1 => self.abort()?,
                _ => self.queue(on_job)?,
            }
            on_job(&self.outcome);
        }
        // What was dropped last must not have hurt the card either.
        let given = self.submit(0..BASES.min(40))?;
        self.outcome.jobs += 1;
        self.compare(given)?;
        self.card.self_test().map_err(text)?;
        on_job(&self.outcome);
        self.card.release_bases(self.bases).map_err(text)?;
        Ok((self.outcome, self.card))
    }

    /// How many jobs there may be at once until all are done.
    fn depth(&mut self) -> usize {
        let left = (self.soak.jobs - self.outcome.jobs).clamp(1, DEEPEST as u64);
        self.rng.gen_range(1..=left as usize)
    }

    /// Queues several jobs and takes their results in any order, or not at all.
    fn queue(&mut self, on_job: &mut dyn FnMut(&Outcome)) -> Result<(), String> {
        let mut given = self.give()?;
        while !given.is_empty() {
            let at = self.rng.gen_range(0..given.len());
            let next = given.swap_remove(at);
            if self.rng.gen_ratio(1, 8) {
                drop(next);
                self.outcome.dropped += 1;
            } else {
                self.compare(next)?;
            }
            on_job(&self.outcome);
        }
        Ok(())
    }

    /// Queues several jobs and resets the card at any moment of their work.
    fn abort(&mut self) -> Result<(), String> {
        let given = self.give()?;
        let started = self.card.cycles().map_err(text)?;
        let scale = self.rng.gen_range(6..15);
        let moment = self.rng.gen_range(0..1u64 << scale);
        while self.card.cycles().map_err(text)? < started + moment {}
        self.card.reset().map_err(text)?;
        self.outcome.resets += 1;
        for Given { text: what, job, expected } in given {
            match self.card.wait(job, &mut |_| {}) {
                Err(DriverError::JobLost) => self.outcome.aborted += 1,
                // Ended, and seen by the driver, before the reset.
                Ok(result) => self.check(&what, &result, expected)?,
                Err(error) => return Err(format!("{what}, aborted: {error}")),
            }
        }
        self.bases = load(&mut self.card, &self.points)?;
        Ok(())
    }

    /// Has a bus refuse an access of a job.
    fn fault(&mut self) -> Result<(), String> {
        // Over PCI Express a refused read says why, and a refused write nothing: what is missing is then noticed.
        let pcie = self.control.statistics().pcie.read_requests > 0;
        let read = if pcie { Status::HostReadUnsupported } else { Status::HostReadFault };
        let write = (!pcie).then_some(Status::HostWriteFault);
        let (status, inject): (Option<Status>, fn(&SimControl)) = match self.rng.gen_range(0..3) {
            // The first read is that of the submission entry.
            0 => (Some(read), |control| control.fail_host_read(1)),
            1 => (write, |control| control.fail_host_write(0)),
            _ => (Some(Status::CardMemoryFault), |control| control.fail_card_read(0)),
        };
        // Nothing else is under way: dropped jobs are waited for.
        self.card.self_test().map_err(text)?;
        inject(&self.control);
        let count = self.rng.gen_range(1..=LARGEST);
        let given = self.submit(0..count)?;
        self.outcome.jobs += 1;
        match self.card.wait(given.job, &mut |_| {}) {
            Err(DriverError::CommandFailed { status: seen, .. }) if Some(seen) == status => {
                self.outcome.faulted += 1
            }
            Err(DriverError::ResultNotWritten { .. }) if status.is_none() => self.outcome.faulted += 1,
            other => return Err(format!("{}: {status:?} expected, not {:?}", given.text, other.map(drop))),
        }
        Ok(())
    }

    fn give(&mut self) -> Result<Vec<Given<C>>, String> {
        let depth = self.depth();
        let mut given = Vec::new();
        for _ in 0..depth {
            let count = match self.rng.gen_range(0..8) {
                0 => self.rng.gen_range(0..4),
                1..4 => self.rng.gen_range(0..70),
                _ => self.rng.gen_range(0..=LARGEST),
            };
            let first = self.rng.gen_range(0..=BASES - count);
            given.push(self.submit(first..first + count)?);
            self.outcome.jobs += 1;
        }
        Ok(given)
    }

    fn submit(&mut self, range: Range<usize>) -> Result<Given<C>, String> {
        let kind = self.rng.gen_range(0..KINDS.len());
        let scalars = scalars::<C::ScalarField>(&mut self.rng, kind, range.len());
        let choices: Vec<u32> = self.card.identification().window_choices().collect();
        let window_bits = self.rng.gen_ratio(3, 4).then(|| choices[self.rng.gen_range(0..choices.len())]);
        let what = format!(
            "job {} of {} {} scalars with bases {range:?} and windows {window_bits:?}",
            self.outcome.jobs,
            range.len(),
            KINDS[kind]
        );
        let bytes: Vec<u8> = scalars.iter().flat_map(scalar_bytes).collect();
        let options = MsmOptions { curve: self.curve, window_bits };
        let job = self.card.submit_msm_with(&self.bases, range.clone(), &bytes, &options);
        let job = job.map_err(|error| format!("{what}: {error}"))?;
        Ok(Given { text: what, job, expected: msm(&self.points[range], &scalars) })
    }

    fn compare(&mut self, given: Given<C>) -> Result<(), String> {
        let Given { text: what, job, expected } = given;
        let result = self.card.wait(job, &mut |_| {}).map_err(|error| format!("{what}: {error}"))?;
        self.check(&what, &result, expected)
    }

    fn check(&mut self, what: &str, result: &MsmResult, expected: Affine<C>) -> Result<(), String> {
        let sums: Vec<_> = result.points.iter().map(|bytes| projective::<C>(bytes)).collect();
        if combine_weighted(&result.exponents, &sums) != expected {
            return Err(format!("{what}: the card's result is not arkworks'"));
        }
        let counters = result.counters;
        let causes = counters.idle_no_pair_cycles
            + counters.idle_batch_cycles
            + counters.idle_adder_cycles
            + counters.idle_memory_cycles
            + counters.idle_host_cycles
            + counters.idle_drain_cycles;
        if causes != counters.idle_cycles {
            return Err(format!("{what}: idle cycles have other causes: {counters:?}"));
        }
        self.outcome.exact += 1;
        self.outcome.cycles += counters.cycles;
        self.outcome.additions += counters.additions;
        self.outcome.digits += counters.digits;
        Ok(())
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn load<C: SWCurveConfig<BaseField: Coordinate>>(
    card: &mut Card,
    points: &[Affine<C>],
) -> Result<BasesHandle, String> {
    card.load_bases(&points.iter().flat_map(point_bytes).collect::<Vec<u8>>()).map_err(text)
}

/// Points among which there are repeats, opposites and infinities.
fn points<C: SWCurveConfig>(rng: &mut ChaCha8Rng) -> Vec<Affine<C>> {
    let mut points: Vec<Affine<C>> = Vec::with_capacity(BASES);
    while points.len() < BASES {
        let earlier = (!points.is_empty()).then(|| points[rng.gen_range(0..points.len())]);
        points.push(match (rng.gen_range(0..8), earlier) {
            (0, Some(earlier)) => earlier,
            (1, Some(earlier)) => -earlier,
            (2, _) if rng.gen_ratio(1, 4) => Affine::identity(),
            _ => Projective::<C>::rand(rng).into_affine(),
        });
    }
    points
}

const KINDS: [&str; 8] =
    ["uniform", "zero", "one", "equal", "largest", "witness-like", "short", "power-of-two"];

fn scalars<F: PrimeField>(rng: &mut ChaCha8Rng, kind: usize, count: usize) -> Vec<F> {
    let equal = F::rand(rng);
    let scalar = |_| match kind {
        0 => F::rand(rng),
        1 => F::ZERO,
        2 => F::ONE,
        3 => equal,
        4 => -F::ONE,
        5 => match rng.gen_range(0..6) {
            0..3 => F::ZERO,
            3..5 => F::ONE,
            _ => F::rand(rng),
        },
        6 => F::from(rng.r#gen::<u64>() >> rng.gen_range(0..64)),
        _ => F::from(2u8).pow([rng.gen_range(0..254)]),
    };
    (0..count).map(scalar).collect()
}
