//! A reset in the middle of everything.

use crate::bench::{Core, Design, fast, random};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use spandrel_sim::testbench::Stalls;

#[test]
fn a_reset_leaves_nothing_behind() {
    for (width, lanes) in [(2, 3), (3, 1)] {
        let design = Design::new(width, lanes, &fast());
        let mut rng = ChaCha8Rng::seed_from_u64(30);
        let mut core = Core::new(&design, [Stalls::random(1, 20), Stalls::random(2, 40)]);
        for round in 0..40 {
            // Cut short in the queue, in the lanes, at the end, and with the output full.
            core.push(&random(&mut rng, width, 150));
            let cycles = match round % 4 {
                0 => rng.gen_range(1..20),
                1 => rng.gen_range(20..design.latency),
                2 => design.latency + rng.gen_range(0..2 * design.slots),
                _ => 2 * design.latency,
            };
            core.bench.run(cycles as u64);
            core.bench.reset(1 + rng.gen_range(0..2));
            (core.moved, core.starved) = (0, 0);
            let count = rng.gen_range(1..30);
            let states = random(&mut rng, width, count);
            core.push(&states);
            let start = core.bench.cycles();
            while core.bench.cycles() < start + design.flush_cycles as u64 {
                assert_eq!(
                    core.bench.pending(core.states),
                    states.len(),
                    "taken while the lanes are flushed"
                );
                core.cycle();
            }
            core.run(states.len());
            assert_eq!(core.moved, (states.len() * design.passes) as u64, "an old state is still in a lane");
            // Long enough for one that had just entered.
            for _ in 0..design.latency {
                core.cycle();
            }
            core.check(&states);
            assert_eq!(core.moved, (states.len() * design.passes) as u64);
        }
    }
}
