//! The configuration of a part that is modelled to be fastest.

use super::memory::{Memory, of_core, place};
use super::parts::{Budget, Part};
use serde::Serialize;
use spandrel_abi::{window_shares, windows};

/// Percent of a part that a design may take.
pub const PERCENT: u64 = 75;

/// A way to build the multipliers of an adder, and what a whole adder needs with it, but for memories.
#[derive(Clone, Debug, Serialize)]
pub struct Variant {
    /// Name of the way.
    pub name: String,
    /// One multiplier.
    pub multiplier: Budget,
    /// Six of them, and what else is in an adder.
    pub adder: Budget,
}

/// Cores, windows and multipliers.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// k.
    pub adders: u32,
    /// c.
    pub window_bits: u32,
    /// Adders of each variant, in the variants' order.
    pub of_variant: Vec<u32>,
    /// What it needs in all.
    pub needs: Budget,
    /// What it may need.
    pub most: Budget,
    /// Points a cycle, estimated for the choice among plans.
    pub estimate: f64,
}

/// Every plan that fits, the fastest first at `points` points. `core` is what a core needs besides its adder, `card`
/// what the card needs besides its cores.
pub fn plans(part: &Part, variants: &[Variant], core: Budget, card: Budget, points: u64) -> Vec<Plan> {
    let most = part.whole.percent(PERCENT);
    let mut found = Vec::new();
    for adders in 1..=16u32 {
        for window_bits in 8..=16u32 {
            let memories: Vec<Memory> =
                (0..adders).flat_map(|index| of_core(window_bits, adders, index)).collect();
            let memory = place(&memories, most.less(card));
            let fixed = memory.plus(core.times(u64::from(adders))).plus(card);
            let Some((of_variant, needs)) = choose(variants, adders, fixed, most) else { continue };
            let estimate = points as f64 / estimated_cycles(adders, window_bits, points);
            found.push(Plan { adders, window_bits, of_variant, needs, most, estimate });
        }
    }
    found.sort_by(|a, b| b.estimate.total_cmp(&a.estimate));
    found
}

/// The digits of a core, then its passes, and the tails.
fn estimated_cycles(adders: u32, window_bits: u32, points: u64) -> f64 {
    let shares = (0..adders).map(|adder| window_shares(window_bits, adders, adder).len());
    let most = shares.max().unwrap_or_default() as f64;
    let digits = points as f64 * f64::from(windows(window_bits)) / f64::from(adders);
    1.003 * digits + 2.0 * most * f64::from(1u32 << (window_bits - 1)) + 25_000.0
}

/// The division of `adders` adders among the variants that fits and leaves the largest share of every resource.
fn choose(variants: &[Variant], adders: u32, fixed: Budget, most: Budget) -> Option<(Vec<u32>, Budget)> {
    let mut best: Option<(f64, Vec<u32>, Budget)> = None;
    let mut counts = vec![0; variants.len()];
    divide(&mut counts, 0, adders, &mut |counts| {
        let needs = variants
            .iter()
            .zip(counts)
            .fold(fixed, |sum, (variant, count)| sum.plus(variant.adder.times(u64::from(*count))));
        if !needs.fits(most) {
            return;
        }
        let fill = (needs.dsp as f64 / most.dsp as f64).max(needs.lut as f64 / most.lut as f64);
        if best.as_ref().is_none_or(|(least, ..)| fill < *least) {
            best = Some((fill, counts.to_vec(), needs));
        }
    });
    best.map(|(_, counts, needs)| (counts, needs))
}

fn divide(counts: &mut [u32], at: usize, left: u32, visit: &mut impl FnMut(&[u32])) {
    if at + 1 == counts.len() {
        counts[at] = left;
        visit(counts);
        return;
    }
    for count in 0..=left {
        counts[at] = count;
        divide(counts, at + 1, left - count, visit);
    }
}

#[cfg(test)]
mod tests {
    use super::super::parts::PARTS;
    use super::*;

    fn variant(name: &str, dsp: u64, lut: u64) -> Variant {
        let multiplier = Budget { dsp, lut, ..Budget::default() };
        Variant { name: name.into(), multiplier, adder: multiplier.times(6) }
    }

    #[test]
    fn a_mix_of_variants_fits_where_none_alone_does() {
        let most = Budget { dsp: 1_000, lut: 1_000, ..Budget::default() };
        let variants = [variant("dsp", 100, 10), variant("lut", 10, 100)];
        assert_eq!(choose(&variants[..1], 2, Budget::default(), most), None);
        let (counts, needs) = choose(&variants, 2, Budget::default(), most).unwrap();
        assert_eq!(counts, [1, 1]);
        assert!(needs.fits(most));
    }

    #[test]
    fn no_plan_takes_more_than_it_may() {
        let variants = [variant("balanced", 199, 24_000), variant("few", 108, 29_000)];
        let found = plans(&PARTS[0], &variants, Budget::default(), Budget::default(), 1 << 24);
        assert!(!found.is_empty() && found.iter().all(|plan| plan.needs.fits(plan.most)));
        assert!(found.windows(2).all(|pair| pair[0].estimate >= pair[1].estimate));
    }
}
