//! Signed-digit recoding as a pipeline: a scalar in, a core's digits of it out, with the set of those that are not zero.
//!
//! With H = Σ 2^(c·w + c − 1), the chunk of s + H at window w, less 2^(c−1), is a signed digit of s in
//! −2^(c−1) … 2^(c−1) − 1: one addition resolves all carries. Which H, and where the chunks are, is the job's choice.

use super::choose::{any_of, choose, lowest};
use super::shape::{CHOICE_BITS, Choice, MAX_WINDOWS, Shape};
use crate::datapath::{Datapath, DatapathConfig, Module, Wire};
use crate::field::FIELD_BITS;
use crate::pipeline_block;
use num_bigint::BigUint;
use num_traits::One;
use rust_hdl::prelude::*;
use spandrel_abi::WindowShare;
use std::rc::Rc;

/// Bits of an element's index modulo the number of cores.
const RESIDUE_BITS: usize = 4;

/// Bits of all chunks of a scalar side by side: c·W, at most 266, for c = 14.
pub(super) const CHUNKS_BITS: usize = 266;

/// The recoder's pipeline, II = 1. Inputs:
/// - `scalar` (256 bits, canonical), `point` (512 bits: x, then y, Montgomery);
/// - `residue` (4 bits): the element's index modulo the number of cores;
/// - `choice` (4 bits): the job's choice of window bits, constant while anything is in the pipeline;
/// - `valid_in`.
///
/// Outputs: `line`, `useful` (valid, the core has a non-zero digit and the point is not at infinity), `valid_out`. The
/// `line` has 1,199 bits, lowest first:
///
/// | bits | |
/// | --- | --- |
/// | 266 | the chunks of the core's windows, c bits each, the lowest window lowest |
/// | 85 | one bit for each local window: the lowest one with a non-zero digit |
/// | 85 | the others with a non-zero digit |
/// | 1 | there are no others |
/// | 3·254 | x, y, −y |
pub fn recoder(shape: &Shape, config: &DatapathConfig) -> Rc<Module> {
    let path = Datapath::new(shape.name("recoder"), config);
    let scalar = path.input("scalar", 256);
    let point = path.input("point", 512);
    let residue = path.input("residue", RESIDUE_BITS);
    let choice = path.input("choice", CHOICE_BITS);
    let valid = path.input("valid_in", 1);

    // The sum is computed up to the last chunk of this core.
    let end = |choice: &Choice| choice.window_bits * (choice.first_window() + choice.local_windows());
    let width = shape.choices.iter().map(end).max().unwrap_or_default();
    let halves: Vec<Wire> =
        shape.choices.iter().map(|choice| path.constant(halves(choice, end(choice)), width)).collect();
    let scalar = path.resize(path.slice(scalar, 0, 254), width);
    let shifted = path.slice(path.add(scalar, choose(&path, choice, &halves)), 0, width);

    let served: Vec<Vec<Wire>> = shape
        .choices
        .iter()
        .map(|choice| {
            choice.windows.iter().map(|share| is_served(&path, residue, share, shape.cores)).collect()
        })
        .collect();
    let mut chunks = Vec::new();
    let mut sets = Vec::new();
    for (choice, served) in shape.choices.iter().zip(&served) {
        let c = choice.window_bits;
        let all = path.slice(shifted, c * choice.first_window(), c * choice.local_windows());
        let half = path.constant(BigUint::one() << (c - 1), c);
        let counts = |(window, served): (usize, &Wire)| {
            let zero = path.equal(path.slice(all, c * window, c), half);
            path.and(path.not(zero), *served)
        };
        let set: Vec<Wire> = served.iter().enumerate().map(counts).collect();
        sets.push(path.resize(path.concat(&set), MAX_WINDOWS));
        chunks.push(path.resize(all, CHUNKS_BITS));
    }
    let chunks = choose(&path, choice, &chunks);
    let set = choose(&path, choice, &sets);
    let (first, rest, single) = lowest(&path, set);

    let any = path.not(path.equal(set, path.constant(0u32, MAX_WINDOWS)));
    let infinite = path.equal(point, path.constant(0u32, 512));
    let useful = path.and(path.and(valid, any), path.not(infinite));
    let x = path.slice(point, 0, FIELD_BITS);
    let y = path.slice(point, 256, FIELD_BITS);
    let minus_y = path.modular_negate(y, path.constant(shape.curve.base_field().modulus(), FIELD_BITS));
    let line = path.concat(&[chunks, first, rest, single, x, y, minus_y]);
    Rc::new(path.finish(&[("line", line), ("useful", useful), ("valid_out", valid)]))
}

/// H up to bit `end`.
fn halves(choice: &Choice, end: usize) -> BigUint {
    let c = choice.window_bits;
    (0..end / c).fold(BigUint::default(), |sum, w| sum + (BigUint::one() << (c * w + c - 1)))
}

/// One bit: the core serves this window for an element of this index modulo the number of cores.
fn is_served(path: &Datapath, residue: Wire, share: &WindowShare, cores: usize) -> Wire {
    let (start, end) = share.residues;
    if (start, end) == (0, cores as u32) {
        return path.constant(1u32, 1);
    }
    let is = |value: u32| path.equal(residue, path.constant(value, RESIDUE_BITS));
    any_of(path, &(start..end).map(is).collect::<Vec<_>>())
}

pipeline_block! {
    /// Hosts [`recoder`].
    clocked Recoder
    inputs {
        /// Canonical scalar.
        scalar: Bits<256>,
        /// Affine point.
        point: Bits<512>,
        /// The element's index modulo the number of cores.
        residue: Bits<4>,
        /// Choice of window bits.
        choice: Bits<4>,
        /// An element enters.
        valid_in: Bit,
    }
    outputs {
        /// The recoded element.
        line: Bits<1199>,
        /// There is a token in it.
        useful: Bit,
        /// An element leaves.
        valid_out: Bit,
    }
}

impl Recoder {
    /// The recoder of a shape.
    pub fn new(shape: &Shape, config: &DatapathConfig) -> Recoder {
        Recoder::host(recoder(shape, config))
    }
}
