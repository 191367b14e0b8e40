//! A pass as one feed-forward pipeline.
//!
//! The bundle of a slot has 2t − 1 elements, each below 2p:
//!
//! | | partial round | first pass of a full round | the others of it |
//! | --- | --- | --- | --- |
//! | `x` | element 0 | element 0 | element j, in pass j |
//! | `rest`, t − 1 | elements 1 … t − 1 | elements 1 … t − 1 | accumulators 1 … t − 1 |
//! | `sum` | | | accumulator 0 |
//! | `queue`, t − 2 | | | elements j + 1 … t − 1 |

use super::products::Products;
use super::schedule::{Factors, Schedule};
use super::{ELEMENT_BITS, LAZY_BITS, STATE_BITS};
use crate::datapath::{Datapath, DatapathConfig, Module, Wire};
use crate::field::FIELD_BITS;
use std::rc::Rc;

/// Bits of a pass's number: at most 100 passes.
const PASS_BITS: usize = 7;

/// Bits of a slot in the ring: the bundle, `x` lowest, the pass's number, whether a state is in it.
fn slot_bits(width: usize) -> usize {
    (2 * width - 1) * LAZY_BITS + PASS_BITS + 1
}

/// What a slot holds.
struct Slot {
    x: Wire,
    rest: Vec<Wire>,
    sum: Wire,
    queue: Vec<Wire>,
    number: Wire,
    valid: Wire,
}

impl Slot {
    fn of(path: &Datapath, ring: Wire, width: usize) -> Slot {
        let element = |index: usize| path.slice(ring, index * LAZY_BITS, LAZY_BITS);
        let bundle_bits = (2 * width - 1) * LAZY_BITS;
        Slot {
            x: element(0),
            rest: (1..width).map(element).collect(),
            sum: element(width),
            queue: (width + 1..2 * width - 1).map(element).collect(),
            number: path.slice(ring, bundle_bits, PASS_BITS),
            valid: path.bit(ring, bundle_bits + PASS_BITS),
        }
    }

    fn wire(&self, path: &Datapath) -> Wire {
        let elements = [&[self.x][..], &self.rest, &[self.sum], &self.queue].concat();
        path.concat(&[&elements[..], &[self.number, self.valid]].concat())
    }
}

/// The pass over states of a schedule's width. II = 1; its latency is the number of a lane's slots.
///
/// Inputs: `ring`, what `ring_out` was in this cycle; `keep`, low to drop the state in it; `in_state` ([`STATE_BITS`],
/// elements below 2p) and `in_valid`, a state that enters, which only may be where `occupied` is low or `keep` is.
/// Outputs: `ring_out`; `occupied`, whether there is a state in it; `out_state` and `out_valid`, a state that leaves after
/// its last pass, its elements below 2p.
pub fn pass(schedule: &Schedule, products: &dyn Products, config: &DatapathConfig) -> Rc<Module> {
    let width = schedule.width();
    let path = Datapath::new(format!("poseidon_pass_{width}"), config);
    let in_state = path.input("in_state", STATE_BITS);
    let in_valid = path.input("in_valid", 1);
    let keep = path.input("keep", 1);
    let ring = path.input("ring", slot_bits(width));
    let head = enter(&path, width, in_state, in_valid, keep, ring);

    let squared = products.multiply(&path, head.x, head.x, head.valid);
    let fourth = products.multiply(&path, squared, squared, head.valid);
    let fifth = products.multiply(&path, fourth, head.x, head.valid);

    // The word comes when it is wanted, a stage before the fifth power for what chooses by its flags.
    let wanted = path.stage(fifth).saturating_sub(Datapath::LOOKUP_STAGES + 1);
    let address = path.at(head.number, wanted.max(path.stage(head.number)));
    let word = path.lookup(address, schedule.words(), schedule.word_bits());
    let factors = Factors::of(&path, word, width);

    let nothing = path.constant(0u32, FIELD_BITS);
    let mut row = vec![(factors.first, fifth)];
    let mut rest = Vec::new();
    for ((value, other), factor) in head.rest.iter().zip(&factors.others).zip(&factors.column) {
        row.push((path.mux(factors.opens, nothing, *other), *value));
        let added = path.mux(factors.opens, path.extend(*other, LAZY_BITS), *value);
        rest.push(products.sum(&path, &[(*factor, fifth)], added, head.valid));
    }
    let added = path.mux(factors.has_constant, path.extend(factors.constant, LAZY_BITS), head.sum);
    let sum = products.sum(&path, &row, added, head.valid);

    // Elements that wait for the S-box move up by one; what lies behind the last of them does not matter.
    let waiting = |index: usize| {
        let (opening, later) = (head.rest[index], head.queue.get(index).unwrap_or(&head.rest[index]));
        if opening == *later { opening } else { path.mux(factors.opens, opening, *later) }
    };
    let x = path.mux(factors.closes, sum, waiting(0));
    let queue = (1..width - 1).map(waiting).collect();

    let last = path.equal(head.number, path.constant(schedule.passes() - 1, PASS_BITS));
    let leaves = path.and(head.valid, last);
    let stays = path.and(head.valid, path.not(last));
    let number = path.add(head.number, path.constant(1u32, PASS_BITS));
    let number = path.slice(number, 0, PASS_BITS);

    let state = [&[x][..], &rest].concat();
    let padded = state.iter().map(|element| path.extend(*element, ELEMENT_BITS)).collect::<Vec<_>>();
    let out_state = path.extend(path.concat(&padded), STATE_BITS);
    let next = Slot { x, rest, sum, queue, number, valid: stays };
    let ring_out = next.wire(&path);
    Rc::new(path.finish(&[
        ("ring_out", ring_out),
        ("occupied", stays),
        ("out_state", out_state),
        ("out_valid", leaves),
    ]))
}

/// The slot at the head: the state that enters, or what comes round.
fn enter(path: &Datapath, width: usize, in_state: Wire, in_valid: Wire, keep: Wire, ring: Wire) -> Slot {
    // Behind registers, so that whoever decides what enters has the whole cycle in which a slot comes round.
    let [in_state, in_valid, keep, ring] = [in_state, in_valid, keep, ring].map(|wire| path.at(wire, 1));
    let round = Slot::of(path, ring, width);
    let entering = |index: usize| path.slice(in_state, index * ELEMENT_BITS, LAZY_BITS);
    let choose = |index: usize, old: Wire| path.mux(in_valid, entering(index), old);
    Slot {
        x: choose(0, round.x),
        rest: round.rest.iter().enumerate().map(|(index, old)| choose(index + 1, *old)).collect(),
        sum: round.sum,
        queue: round.queue,
        number: path.mux(in_valid, path.constant(0u32, PASS_BITS), round.number),
        valid: path.or(in_valid, path.and(round.valid, keep)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Prime;
    use crate::poseidon::{OwnProducts, SharedProducts};
    use crate::profile::Profile;
    use ark_bn254::Fr;
    use ark_ff::{BigInt, Field};
    use num_bigint::BigUint;
    use spandrel_poseidon::{Parameters, permute_plain};

    /// What is given to the pass in each of the cycles that a state needs, and what leaves in the end; every slot in between
    /// is held to the bounds of its elements.
    fn permute(pass: &Module, schedule: &Schedule, state: &[BigUint]) -> Vec<BigUint> {
        let twice: BigUint = Prime::Fr.modulus() << 1;
        let mask = |bits: usize| (BigUint::from(1u32) << bits) - 1u32;
        let packed =
            state.iter().rev().fold(BigUint::default(), |word, element| word << ELEMENT_BITS | element);
        let [one, zero] = [1u32, 0].map(BigUint::from);
        let mut inputs = [packed, one.clone(), zero.clone(), mask(slot_bits(state.len()))];
        for number in 0..schedule.passes() {
            let outputs = pass.evaluate(&inputs);
            let [ring, occupied, out_state, out_valid] = &outputs[..] else { panic!("four outputs") };
            let last = number + 1 == schedule.passes();
            assert_eq!((occupied, out_valid), if last { (&zero, &one) } else { (&one, &zero) });
            let element = |index: usize| (out_state >> (ELEMENT_BITS * index)) & mask(ELEMENT_BITS);
            let elements: Vec<BigUint> = (0..state.len()).map(element).collect();
            assert!(elements.iter().all(|element| *element < twice), "pass {number}");
            assert!((out_state >> (ELEMENT_BITS * state.len())) == zero);
            if last {
                return elements;
            }
            // What no longer enters is junk.
            inputs = [mask(STATE_BITS), zero.clone(), one.clone(), ring.clone()];
        }
        panic!("a permutation has a pass")
    }

    fn check(config: &DatapathConfig, width: usize, states: &[Vec<Fr>]) {
        let kinds: [&dyn Products; 2] = [&OwnProducts::new(width, config), &SharedProducts::new(config)];
        kinds.into_iter().for_each(|products| check_with(products, config, width, states));
    }

    fn check_with(products: &dyn Products, config: &DatapathConfig, width: usize, states: &[Vec<Fr>]) {
        let schedule = Schedule::new(width).unwrap();
        let pass = pass(&schedule, products, config);
        let p = Prime::Fr.modulus();
        for state in states {
            // The state as it enters: with the first constants, and unreduced.
            let form = |element: &Fr| BigUint::from(element.0);
            let entering: Vec<BigUint> = state
                .iter()
                .zip(schedule.initial())
                .map(|(element, constant)| form(element) + constant)
                .collect();
            let found = permute(&pass, &schedule, &entering);
            let mut expected = state.clone();
            permute_plain(Parameters::new(width).unwrap(), &mut expected);
            let found: Vec<Fr> = found
                .iter()
                .map(|element| Fr::new_unchecked(BigInt::<4>::try_from(element % &p).unwrap()))
                .collect();
            assert_eq!(found, expected, "width {width}, {state:?}");
        }
    }

    #[test]
    fn passes_make_a_permutation_in_every_width() {
        let config = Profile::load("sim-small").unwrap().datapath;
        for width in spandrel_poseidon::WIDTHS {
            let states = [Fr::from(0), Fr::from(1), -Fr::from(1), Fr::from(7).pow([0x1234_5678_9abc])]
                .map(|element| vec![element; width]);
            check(&config, width, &states);
        }
    }

    #[test]
    fn passes_of_a_deep_pipeline_make_the_same_permutation() {
        let config = Profile::load("alveo-u250").unwrap().datapath;
        check(&config, 3, &[vec![Fr::from(0), Fr::from(1), Fr::from(2)]]);
    }

    #[test]
    fn a_pass_has_as_many_multipliers_as_products() {
        let config = Profile::load("sim-small").unwrap().datapath;
        for width in spandrel_poseidon::WIDTHS {
            let schedule = Schedule::new(width).unwrap();
            let pass = pass(&schedule, &OwnProducts::new(width, &config), &config);
            // A full product of 8 · 8 tiles for each of 2t + 2; a reduction of 36 + 43 tiles for each of t + 3.
            assert_eq!(pass.statistics().multiplier_tiles, 64 * (2 * width + 2) + 79 * (width + 3));
        }
    }
}
