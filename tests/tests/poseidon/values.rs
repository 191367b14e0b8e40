//! What a core computes.

use crate::bench::{Core, Design, deep, fast, permuted, random};
use ark_bn254::Fr;
use light_poseidon::{Poseidon, PoseidonHasher};
use num_bigint::BigUint;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use spandrel_hdl::datapath::DatapathConfig;
use spandrel_hdl::field::Prime;
use spandrel_poseidon::WIDTHS;
use spandrel_sim::testbench::Stalls;

/// States of equal elements, and of one that differs: 0, 1, p − 1, and those whose Montgomery forms are 1, p − 1 and
/// half of p.
fn edges(width: usize) -> Vec<Vec<Fr>> {
    let of_form = |form: BigUint| Fr::new_unchecked(form.try_into().unwrap());
    let p = Prime::Fr.modulus();
    let values =
        [Fr::from(0), Fr::from(1), -Fr::from(1), of_form(1u32.into()), of_form(&p - 1u32), of_form(&p >> 1)];
    let equal = values.iter().map(|value| vec![*value; width]);
    let single = values.iter().flat_map(|value| {
        (0..width).map(|index| {
            let mut state = vec![-*value; width];
            state[index] = *value;
            state
        })
    });
    equal.chain(single).collect()
}

fn check(width: usize, lanes: usize, config: &DatapathConfig, count: usize, percents: &[[u8; 2]]) {
    let design = Design::new(width, lanes, config);
    let mut rng = ChaCha8Rng::seed_from_u64(width as u64);
    for (seed, [before, behind]) in (1u64..).zip(percents) {
        let mut states = edges(width);
        states.extend(random(&mut rng, width, count));
        let stalls = [Stalls::random(2 * seed, *before), Stalls::random(2 * seed + 1, *behind)];
        let mut core = Core::new(&design, stalls);
        core.push(&states);
        core.run(states.len());
        core.check(&states);
        assert_eq!(core.moved, (states.len() * design.passes) as u64, "every state makes every pass once");
    }
}

#[test]
fn every_width_permutes_as_the_plain_form_does() {
    for width in WIDTHS {
        check(width, 1, &fast(), 80, &[[0, 0], [40, 0], [0, 95], [90, 60]]);
    }
}

#[test]
fn several_lanes_permute_in_order() {
    check(3, 2, &fast(), 120, &[[0, 0], [50, 50], [0, 95]]);
    check(2, 3, &fast(), 120, &[[0, 0], [50, 50], [95, 0]]);
}

#[test]
fn a_deep_pipeline_permutes_the_same() {
    check(3, 1, &deep(), 250, &[[0, 0], [30, 60]]);
}

/// The reference of the other tests is our own crate; this one is somebody else's.
#[test]
fn hashes_are_those_of_light_poseidon() {
    for width in WIDTHS {
        let design = Design::new(width, 1, &fast());
        let mut rng = ChaCha8Rng::seed_from_u64(20 + width as u64);
        let mut states = random(&mut rng, width, 20);
        states.iter_mut().for_each(|state| state[0] = Fr::from(0));
        let mut core = Core::unstalled(&design);
        core.push(&states);
        core.run(states.len());
        let results = core.bench.received(core.results);
        let mut hasher = Poseidon::<Fr>::new_circom(width - 1).unwrap();
        for (result, state) in results.iter().zip(&states) {
            let hash = hasher.hash(&state[1..]).unwrap();
            assert_eq!(result[..32], crate::bench::padded(&[hash])[..32], "width {width}, {state:?}");
        }
        assert_eq!(permuted(&states[0])[0], hasher.hash(&states[0][1..]).unwrap());
    }
}
