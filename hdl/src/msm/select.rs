//! A recoded line's digits, one by one: the two functions between which the digit source has its register.

use super::adder::SLOT_BITS;
use super::choose::{choose, choose_hot, lowest, number_of};
use super::recode::CHUNKS_BITS;
use super::shape::{CHOICE_BITS, Choice, MAX_WINDOWS, Shape, WINDOW_BITS};
use crate::datapath::{Datapath, Wire};
use crate::field::FIELD_BITS;
use crate::pipeline_block;
use rust_hdl::prelude::*;
use std::rc::Rc;

/// Bits of the widest digit.
const DIGIT_BITS: usize = 16;

/// Bits of a line of the [`recoder`](super::recoder()).
const LINE_BITS: usize = CHUNKS_BITS + 2 * MAX_WINDOWS + 1 + 3 * FIELD_BITS;

pipeline_block! {
    /// One digit's chunk out of a line, and what is left of the line's set of non-zero digits.
    ///
    /// The set is walked with its lowest bit known ahead, as a bit of its own: no digit waits for a number to be found or
    /// decoded. The loop from digit to digit is one subtraction of 85 bits and a zero test; the way out is an AND-OR over
    /// the windows and a multiplexer over the choices.
    combinational SelectDigit
    inputs {
        /// A line of the recoder.
        line: Bits<1199>,
        /// Choice of window bits.
        choice: Bits<4>,
        /// Go on with the set in `hot`, `rest` and `single`; else begin with the line's own.
        resumed: Bit,
        /// The digit to take: one bit for each local window.
        hot: Bits<85>,
        /// Those after it.
        rest: Bits<85>,
        /// There are none.
        single: Bit,
    }
    outputs {
        /// The digit plus 2^(c−1), zero-extended.
        chunk: Bits<16>,
        /// Its local window.
        window: Bits<7>,
        /// It is the line's last.
        last: Bit,
        /// The digit to take next.
        next_hot: Bits<85>,
        /// Those after it.
        next_rest: Bits<85>,
        /// There are none.
        next_single: Bit,
    }
}

impl SelectDigit {
    /// The selector of a shape.
    pub fn new(shape: &Shape) -> SelectDigit {
        let path = Datapath::combinational(shape.name("select_digit"));
        let line = path.input("line", LINE_BITS);
        let choice = path.input("choice", CHOICE_BITS);
        let resumed = path.input("resumed", 1);
        let hot = path.input("hot", MAX_WINDOWS);
        let rest = path.input("rest", MAX_WINDOWS);
        let single = path.input("single", 1);
        let sets = CHUNKS_BITS;
        let hot = path.mux(resumed, hot, path.slice(line, sets, MAX_WINDOWS));
        let rest = path.mux(resumed, rest, path.slice(line, sets + MAX_WINDOWS, MAX_WINDOWS));
        let last = path.mux(resumed, single, path.bit(line, sets + 2 * MAX_WINDOWS));
        let (next_hot, next_rest, next_single) = lowest(&path, rest);

        let chunk_of = |choice: &Choice| {
            let c = choice.window_bits;
            let chunks: Vec<Wire> =
                (0..choice.local_windows()).map(|window| path.slice(line, c * window, c)).collect();
            path.resize(choose_hot(&path, hot, &chunks), DIGIT_BITS)
        };
        let chunk = choose(&path, choice, &shape.choices.iter().map(chunk_of).collect::<Vec<_>>());
        let window = number_of(&path, path.slice(hot, 0, shape.local_windows()), WINDOW_BITS);
        SelectDigit::host(Rc::new(path.finish_combinational(&[
            ("chunk", chunk),
            ("window", window),
            ("last", last),
            ("next_hot", next_hot),
            ("next_rest", next_rest),
            ("next_single", next_single),
        ])))
    }
}

pipeline_block! {
    /// The token that a digit stands for.
    combinational FormToken
    inputs {
        /// The digit plus 2^(c−1); see [`SelectDigit`].
        chunk: Bits<16>,
        /// Its local window.
        window: Bits<7>,
        /// Choice of window bits.
        choice: Bits<4>,
        /// The point's x, y and −y, x lowest.
        coordinates: Bits<762>,
    }
    outputs {
        /// The token's slot in bank 0: local window·2^(c−1) + magnitude mod 2^(c−1).
        slot: Bits<20>,
        /// The token's point, Z = 1.
        point: Bits<762>,
    }
}

impl FormToken {
    /// For the digits of a shape.
    pub fn new(shape: &Shape) -> FormToken {
        let path = Datapath::combinational(shape.name("form_token"));
        let chunk = path.input("chunk", DIGIT_BITS);
        let window = path.input("window", WINDOW_BITS);
        let choice = path.input("choice", CHOICE_BITS);
        let coordinates = path.input("coordinates", 3 * FIELD_BITS);
        let coordinate = |index: usize| path.slice(coordinates, index * FIELD_BITS, FIELD_BITS);
        let of_each = |function: &dyn Fn(&Choice) -> Wire| {
            choose(&path, choice, &shape.choices.iter().map(function).collect::<Vec<_>>())
        };

        // One negation serves all choices: what it gets wrong above c − 1 bits is cut off with the slot.
        let positive = of_each(&|choice| path.bit(chunk, choice.window_bits - 1));
        let zero = path.constant(0u32, DIGIT_BITS);
        let minus = path.slice(path.subtract(zero, chunk), 0, DIGIT_BITS);
        let magnitude = path.mux(positive, chunk, minus);
        let slot = of_each(&|choice| {
            let bucket = path.slice(magnitude, 0, choice.window_bits - 1);
            path.resize(path.concat(&[bucket, window]), SLOT_BITS)
        });
        let y = path.mux(positive, coordinate(1), coordinate(2));
        let one = path.constant(shape.curve.base_field().one(), FIELD_BITS);
        let point = path.concat(&[coordinate(0), y, one]);
        FormToken::host(Rc::new(path.finish_combinational(&[("slot", slot), ("point", point)])))
    }
}
