//! The engines that the laws are held against. Each is a model that takes its time to build, so all tests share them.

use crate::bench::Bench;
use ark_bn254::g1::Config as Bn254;
use ark_ec::short_weierstrass::SWCurveConfig;
use ark_grumpkin::GrumpkinConfig;
use spandrel_hdl::curve::Curve;
use spandrel_hdl::emit::{Emitted, emit};
use spandrel_hdl::msm::MsmEngine;
use spandrel_hdl::profile::{AdderKind, MsmProfile, Profile};
use spandrel_tests::reference::Coordinate;
use std::sync::OnceLock;

/// A profile and the Verilog of its engine.
pub struct Design {
    pub profile: Profile,
    pub emitted: Emitted,
}

impl Design {
    fn new(base: &str, change: impl FnOnce(&mut Profile)) -> Design {
        use rust_hdl::prelude::Block;
        let mut profile = Profile::load(base).unwrap_or_else(|error| panic!("{error}"));
        change(&mut profile);
        profile.check().unwrap_or_else(|error| panic!("{error}"));
        let mut engine = MsmEngine::new(&profile);
        engine.connect_all();
        let emitted = emit(&engine, "msm_engine").unwrap_or_else(|error| panic!("{error}"));
        Design { profile, emitted }
    }

    /// A bench around this engine, every stream of which stalls in so many of a hundred cycles.
    pub fn bench<C: SWCurveConfig<BaseField: Coordinate>>(&self, seed: u64, stall_percent: u8) -> Bench<C> {
        Bench::new(&self.profile, &self.emitted, seed, stall_percent)
    }
}

fn msm(change: impl FnOnce(&mut MsmProfile)) -> impl FnOnce(&mut Profile) {
    |profile| change(&mut profile.msm)
}

/// One complete adder, as the demo's card has it.
pub fn small() -> &'static Design {
    static DESIGN: OnceLock<Design> = OnceLock::new();
    DESIGN.get_or_init(|| Design::new("sim-small", |_| {}))
}

/// What `sim-small` is not: two complete adders that share a window, narrow windows, a deep pipeline, a small pair FIFO.
pub fn deep() -> &'static Design {
    static DESIGN: OnceLock<Design> = OnceLock::new();
    DESIGN.get_or_init(|| {
        Design::new("sim-small", |profile| {
            profile.msm.window_bits = vec![3, 5];
            profile.msm.adders = 2;
            profile.msm.pair_fifo_depth = 16;
            profile.datapath.levels_per_stage = 5;
            profile.datapath.chunk_bits = 128;
            profile.datapath.tile_stages = 1;
        })
    })
}

/// One batched adder with batches so small that it refuses pairs most of the time.
pub fn refusing() -> &'static Design {
    static DESIGN: OnceLock<Design> = OnceLock::new();
    DESIGN.get_or_init(|| {
        let change = msm(|msm| {
            msm.adder = AdderKind::BatchedAffine;
            msm.batch_pairs = 16;
            msm.pair_fifo_depth = 64;
        });
        Design::new("sim-small", change)
    })
}

/// Three batched adders: windows are cut into thirds.
pub fn three() -> &'static Design {
    static DESIGN: OnceLock<Design> = OnceLock::new();
    DESIGN.get_or_init(|| {
        let change = msm(|msm| {
            msm.window_bits = vec![5, 6, 8];
            msm.adders = 3;
            msm.adder = AdderKind::BatchedAffine;
            msm.batch_pairs = 64;
            msm.pair_fifo_depth = 256;
        });
        Design::new("sim-small", change)
    })
}

/// One complete adder on Grumpkin.
pub fn grumpkin() -> &'static Design {
    static DESIGN: OnceLock<Design> = OnceLock::new();
    DESIGN.get_or_init(|| {
        Design::new("sim-grumpkin", |profile| assert_eq!(profile.msm.curves, [Curve::Grumpkin]))
    })
}

/// Both curves, two batched adders on each.
pub fn both_curves() -> &'static Design {
    static DESIGN: OnceLock<Design> = OnceLock::new();
    DESIGN.get_or_init(|| {
        let change = msm(|msm| {
            msm.adders = 2;
            msm.batch_pairs = 32;
            msm.pair_fifo_depth = 128;
        });
        Design::new("sim-cycle", change)
    })
}

/// Two batched adders on Grumpkin.
pub fn two_on_grumpkin() -> &'static Design {
    static DESIGN: OnceLock<Design> = OnceLock::new();
    DESIGN.get_or_init(|| {
        let change = msm(|msm| {
            msm.window_bits = vec![4, 7];
            msm.adders = 2;
            msm.adder = AdderKind::BatchedAffine;
            msm.batch_pairs = 32;
            msm.pair_fifo_depth = 128;
        });
        Design::new("sim-grumpkin", change)
    })
}

/// The batched adder in its full size.
pub fn batched() -> &'static Design {
    static DESIGN: OnceLock<Design> = OnceLock::new();
    DESIGN.get_or_init(|| Design::new("sim-batched", |_| {}))
}

/// The engines with small memories on BN254, by name.
pub fn on_bn254() -> [(&'static str, &'static Design); 4] {
    [("small", small()), ("deep", deep()), ("refusing", refusing()), ("three", three())]
}

/// A law that holds on either curve.
pub trait Law {
    /// Checks it on one engine.
    fn check<C: SWCurveConfig<BaseField: Coordinate>>(&self, what: &str, design: &Design);
}

/// Holds a law against every engine with small memories.
pub fn hold(law: &impl Law) {
    for (what, design) in on_bn254() {
        law.check::<Bn254>(what, design);
    }
    law.check::<GrumpkinConfig>("grumpkin", grumpkin());
    law.check::<GrumpkinConfig>("two on grumpkin", two_on_grumpkin());
}
