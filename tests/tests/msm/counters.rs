//! What the counters say, where it is known from the job alone.

use crate::account::Account;
use crate::bench::Bench;
use crate::engines::{Design, Law, hold, refusing, small};
use crate::inputs::{random_bases, uniform};
use ark_bn254::Fr;
use ark_bn254::g1::Config as Bn254;
use ark_ec::short_weierstrass::SWCurveConfig;
use ark_ff::{AdditiveGroup, Field};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use spandrel_hdl::profile::AdderKind;
use spandrel_tests::reference::Coordinate;

/// Digits and additions are what the scalars make them, however the windows are divided and the streams stall.
struct Accounts;

impl Law for Accounts {
    fn check<C: SWCurveConfig<BaseField: Coordinate>>(&self, what: &str, design: &Design) {
        let mut rng = ChaCha8Rng::seed_from_u64(10);
        let mut engine: Bench<C> = design.bench(10, 25);
        let mut bases = random_bases::<C>(&mut rng, 100);
        bases[7] = Default::default();
        for (choice, c) in design.profile.msm.window_bits.iter().enumerate() {
            let mut scalars: Vec<C::ScalarField> = uniform(&mut rng, 100);
            scalars[3] = C::ScalarField::ZERO;
            scalars[4] = -C::ScalarField::ONE;
            let counters = engine.check(what, choice, &bases, &scalars);
            let account = Account::of::<C>(*c, design.profile.msm.adders, &bases, &scalars);
            assert_eq!(counters.digits, account.digits, "{what}: {counters:?}");
            assert_eq!(counters.additions, account.additions, "{what}: {counters:?}");
            assert_eq!(counters.parked, account.tokens, "{what}: every fresh token parks once: {counters:?}");
            assert_eq!((counters.doublings, counters.annihilations), (0, 0), "{what}");
        }
    }
}

#[test]
fn digits_and_additions_are_those_of_the_scalars() {
    hold(&Accounts);
}

/// Two points of one bucket.
struct Exceptions;

impl Law for Exceptions {
    fn check<C: SWCurveConfig<BaseField: Coordinate>>(&self, what: &str, design: &Design) {
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let mut engine: Bench<C> = design.bench(11, 0);
        let point = random_bases::<C>(&mut rng, 1)[0];
        let tells = u64::from(design.profile.msm.adder == AdderKind::BatchedAffine);
        // Only with one core do neighbours meet in any case: window 0 may be divided by the parity of the index.
        let cores = design.profile.msm.adders as usize;
        let mut bases = vec![Default::default(); 2 * cores];
        let ones = vec![C::ScalarField::ONE; 2 * cores];
        (bases[0], bases[cores]) = (point, point);
        let twice = engine.check(what, 0, &bases, &ones);
        assert_eq!((twice.digits, twice.additions), (2, 1), "{what}: {twice:?}");
        assert_eq!((twice.doublings, twice.annihilations), (tells, 0), "{what}: {twice:?}");
        bases[cores] = -point;
        let nothing = engine.check(what, 0, &bases, &ones);
        assert_eq!((nothing.digits, nothing.additions), (2, 1), "{what}: {nothing:?}");
        assert_eq!((nothing.doublings, nothing.annihilations), (0, tells), "{what}: {nothing:?}");
        // What annihilates leaves its bucket empty: the passes have nothing to do.
        let passes = nothing.parked - 1;
        assert_eq!(passes == 0, tells == 1, "{what}: {nothing:?}");
    }
}

#[test]
fn doublings_and_annihilations_are_counted() {
    hold(&Exceptions);
}

#[test]
fn idle_cycles_are_laid_at_the_right_door() {
    let mut rng = ChaCha8Rng::seed_from_u64(12);
    let bases = random_bases::<Bn254>(&mut rng, 60);
    let scalars: Vec<Fr> = uniform(&mut rng, 60);
    // The complete adder never keeps anyone waiting, and has no batches.
    let mut engine: Bench<Bn254> = small().bench(12, 0);
    let free = engine.check("free", 1, &bases, &scalars);
    assert_eq!((free.adder, free.batch, free.host, free.memory), (0, 0, 0, 0), "{free:?}");
    // A batched one with tiny batches and one inverse after the other does little else.
    let mut engine: Bench<Bn254> = refusing().bench(12, 0);
    let refused = engine.check("refused", 1, &bases, &scalars);
    assert!(refused.adder > refused.idle / 2, "{refused:?}");
    // Streams that stand still.
    for (late, other) in [("scalar", "point"), ("point", "scalar")] {
        let mut engine: Bench<Bn254> = small().bench(13, 0);
        engine.bench.set("count", 1);
        engine.bench.set("window_choice", 0);
        engine.bench.pulse("start");
        engine.bench.set(&format!("{other}_valid"), 1);
        let source = if late == "scalar" { engine.points } else { engine.scalars };
        engine.bench.push(source, vec![1; 32]);
        engine.bench.run(500);
        let counters = engine.counters();
        let waited = if late == "scalar" { counters.host } else { counters.memory };
        assert!((450..=500).contains(&waited), "no {late}: {counters:?}");
    }
}
