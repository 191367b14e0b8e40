//! Signed-digit recoding as a pipeline: a scalar in, all its digits out, with a chain over the non-zero ones.
//!
//! With H = Σ 2^(c·w + c − 1), the chunk of s + H at window w, less 2^(c−1), is a signed digit of s in
//! −2^(c−1) … 2^(c−1) − 1: one addition resolves all carries.

use super::adder::SLOT_BITS;
use super::shape::Shape;
use crate::datapath::{Datapath, DatapathConfig, Module, Wire};
use crate::field::{FIELD_BITS, Prime};
use crate::pipeline_block;
use num_bigint::BigUint;
use num_traits::One;
use rust_hdl::prelude::*;
use std::rc::Rc;

/// Bits of a window number.
const WINDOW_BITS: usize = 7;

/// Bits of all digits of a scalar: at most 1,020, for c = 3.
const DIGITS_BITS: usize = 1024;

/// One digit of a recoded scalar, and where the next non-zero one is.
struct Digit {
    /// Magnitude mod 2^(c−1), c − 1 bits: the bucket's address in its window.
    bucket: Wire,
    negative: Wire,
    /// Window of the next non-zero digit, [`WINDOW_BITS`] bits.
    next: Wire,
    /// There is none.
    last: Wire,
}

impl Digit {
    fn parts(&self) -> [Wire; 4] {
        [self.bucket, self.negative, self.next, self.last]
    }

    fn bits(shape: &Shape) -> usize {
        shape.window_bits - 1 + 1 + WINDOW_BITS + 1
    }
}

/// The recoder's pipeline, II = 1. Inputs: `scalar` (256 bits, canonical), `point` (512 bits: x, then y,
/// Montgomery), `valid_in`; outputs: `digits` (1,024 bits), `first` (window of the first non-zero digit), `x`, `y`,
/// `minus_y` (254 bits each), `useful` (valid, the scalar is not zero and the point is not at infinity), `valid_out`.
pub fn recoder(shape: &Shape, config: &DatapathConfig) -> Rc<Module> {
    let path = Datapath::new("recoder_pipeline", config);
    let scalar = path.input("scalar", 256);
    let point = path.input("point", 512);
    let valid = path.input("valid_in", 1);
    let (c, windows) = (shape.window_bits, shape.windows);
    let width = c * windows;

    let halves = (0..windows).fold(BigUint::default(), |sum, w| sum + (BigUint::one() << (c * w + c - 1)));
    let scalar = path.resize(path.slice(scalar, 0, 254), width);
    let shifted = path.slice(path.add(scalar, path.constant(halves, width)), 0, width);
    let chunks: Vec<Wire> = (0..windows).map(|w| path.slice(shifted, c * w, c)).collect();
    let half = path.constant(BigUint::one() << (c - 1), c);
    let non_zero: Vec<Wire> = chunks.iter().map(|chunk| path.not(path.equal(*chunk, half))).collect();

    // For each window, the first non-zero digit at or above it: a suffix scan in log2(W) steps.
    let window_number = |w: usize| path.constant(w, WINDOW_BITS);
    let mut found: Vec<(Wire, Wire)> =
        non_zero.iter().enumerate().map(|(w, any)| (*any, window_number(w))).collect();
    let mut reach = 1;
    while reach < windows {
        let step = |w: usize| match found.get(w + reach) {
            None => found[w],
            Some((far_any, far)) => {
                let (any, near) = found[w];
                (path.or(any, *far_any), path.mux(any, near, *far))
            }
        };
        found = (0..windows).map(step).collect();
        reach *= 2;
    }

    let zero = path.constant(0u32, c - 1);
    let mut parts = Vec::new();
    for (w, chunk) in chunks.iter().enumerate() {
        let low = path.slice(*chunk, 0, c - 1);
        let positive = path.bit(*chunk, c - 1);
        let magnitude = path.slice(path.subtract(zero, low), 0, c - 1);
        let (any_above, above) = match found.get(w + 1) {
            Some((any, next)) => (*any, *next),
            None => (path.constant(0u32, 1), window_number(0)),
        };
        let digit = Digit {
            bucket: path.mux(positive, low, magnitude),
            negative: path.not(positive),
            next: above,
            last: path.not(any_above),
        };
        parts.extend(digit.parts());
    }
    let digits = path.resize(path.concat(&parts), DIGITS_BITS);

    let infinite = path.equal(point, path.constant(0u32, 512));
    let useful = path.and(path.and(valid, found[0].0), path.not(infinite));
    let x = path.slice(point, 0, FIELD_BITS);
    let y = path.slice(point, 256, FIELD_BITS);
    let minus_y = path.modular_negate(y, path.constant(Prime::Fq.modulus(), FIELD_BITS));
    let first = found[0].1;
    Rc::new(path.finish(&[
        ("digits", digits),
        ("first", first),
        ("x", x),
        ("y", y),
        ("minus_y", minus_y),
        ("useful", useful),
        ("valid_out", valid),
    ]))
}

pipeline_block! {
    /// Hosts [`recoder`].
    clocked Recoder
    inputs {
        /// Canonical scalar.
        scalar: Bits<256>,
        /// Affine point.
        point: Bits<512>,
        /// A pair of them enters.
        valid_in: Bit,
    }
    outputs {
        /// Digits with their chain.
        digits: Bits<1024>,
        /// Window of the first non-zero digit.
        first: Bits<7>,
        /// x.
        x: Bits<254>,
        /// y.
        y: Bits<254>,
        /// −y.
        minus_y: Bits<254>,
        /// There is a token in it.
        useful: Bit,
        /// A pair leaves.
        valid_out: Bit,
    }
}

impl Recoder {
    /// The recoder of a shape.
    pub fn new(shape: &Shape, config: &DatapathConfig) -> Recoder {
        Recoder::host(recoder(shape, config))
    }
}

pipeline_block! {
    /// One line of the FIFO between recoder and digits.
    combinational PackRecoded
    inputs {
        /// See [`Recoder`].
        digits: Bits<1024>,
        /// See [`Recoder`].
        first: Bits<7>,
        /// See [`Recoder`].
        x: Bits<254>,
        /// See [`Recoder`].
        y: Bits<254>,
        /// See [`Recoder`].
        minus_y: Bits<254>,
    }
    outputs {
        /// All of them, the first lowest.
        line: Bits<1793>,
    }
}

impl PackRecoded {
    /// The concatenation.
    pub fn new() -> PackRecoded {
        let path = Datapath::combinational("pack_recoded");
        let parts =
            [("digits", DIGITS_BITS), ("first", WINDOW_BITS), ("x", 254), ("y", 254), ("minus_y", 254)]
                .map(|(name, width)| path.input(name, width));
        let line = path.concat(&parts);
        PackRecoded::host(Rc::new(path.finish_combinational(&[("line", line)])))
    }
}

pipeline_block! {
    /// One digit out of a packed line: the token it stands for, and the window of the next one.
    combinational SelectDigit
    inputs {
        /// A line of [`PackRecoded`].
        line: Bits<1793>,
        /// Take the line's first digit; else that of `window`.
        at_first: Bit,
        /// Window to take.
        window: Bits<7>,
    }
    outputs {
        /// The token's slot in bank 0.
        slot: Bits<20>,
        /// The token's point, Z = 1.
        point: Bits<762>,
        /// The token's window.
        chosen: Bits<7>,
        /// Window of the next non-zero digit.
        following: Bits<7>,
        /// This one is the last.
        last: Bit,
    }
}

impl SelectDigit {
    /// The selector of a shape.
    pub fn new(shape: &Shape) -> SelectDigit {
        let path = Datapath::combinational("select_digit");
        let line = path.input("line", DIGITS_BITS + WINDOW_BITS + 3 * FIELD_BITS);
        let at_first = path.input("at_first", 1);
        let window = path.input("window", WINDOW_BITS);
        let first = path.slice(line, DIGITS_BITS, WINDOW_BITS);
        let window = path.mux(at_first, first, window);
        let coordinates = DIGITS_BITS + WINDOW_BITS;
        let coordinate = |index: usize| path.slice(line, coordinates + index * FIELD_BITS, FIELD_BITS);

        let bits = Digit::bits(shape);
        let mut level: Vec<Wire> = (0..shape.windows).map(|w| path.slice(line, w * bits, bits)).collect();
        let mut index_bit = 0;
        while level.len() > 1 {
            let select = path.bit(window, index_bit);
            let pick = |pair: &[Wire]| match pair {
                [low, high] => path.mux(select, *high, *low),
                rest => rest[0],
            };
            level = level.chunks(2).map(pick).collect();
            index_bit += 1;
        }
        let digit = level[0];
        let bucket_bits = shape.window_bits - 1;
        let bucket = path.slice(digit, 0, bucket_bits);
        let negative = path.bit(digit, bucket_bits);
        let slot = path.resize(path.concat(&[bucket, window]), SLOT_BITS);
        let y = path.mux(negative, coordinate(2), coordinate(1));
        let point = path.concat(&[coordinate(0), y, path.constant(Prime::Fq.one(), FIELD_BITS)]);
        let following = path.slice(digit, bucket_bits + 1, WINDOW_BITS);
        let last = path.bit(digit, bucket_bits + 1 + WINDOW_BITS);
        SelectDigit::host(Rc::new(path.finish_combinational(&[
            ("slot", slot),
            ("point", point),
            ("chosen", window),
            ("following", following),
            ("last", last),
        ])))
    }
}
