//! Where a scanned point goes next.

use super::adder::SLOT_BITS;
use super::choose::choose;
use super::shape::{CHOICE_BITS, Choice, Shape, WINDOW_BITS};
use crate::datapath::{Datapath, Wire};
use crate::pipeline_block;
use num_bigint::BigUint;
use num_traits::One;
use rust_hdl::prelude::*;
use std::rc::Rc;

/// Most targets of one scanned point: a bit each in the set of its targets.
const TARGETS: usize = 16;

pipeline_block! {
    /// All targets of a scanned point.
    combinational Targets
    inputs {
        /// 0: bucket to row and column; 1: row or column to the bits of its index.
        pass: Bit,
        /// Choice of window bits.
        choice: Bits<4>,
        /// Slot in its window.
        offset: Bits<20>,
        /// Local window.
        window: Bits<7>,
    }
    outputs {
        /// The set of targets (16 bits), then two slots of 20 bits. Pass 0: bit 0 of the set is the row, at the first
        /// slot, bit 1 the column, at the second one. Pass 1: bit k is weight 2^k, at the first slot + k.
        targets: Bits<56>,
    }
}

impl Targets {
    pub(super) fn new(shape: &Shape) -> Targets {
        let path = Datapath::combinational(shape.name("targets"));
        let pass = path.input("pass", 1);
        let choice = path.input("choice", CHOICE_BITS);
        let offset = path.input("offset", SLOT_BITS);
        let window = path.input("window", WINDOW_BITS);
        let zero_test = |wire: Wire| path.equal(wire, path.constant(0u32, wire.width()));
        let zeros = |bits: usize| path.constant(0u32, bits);
        let slot = |parts: &[Wire]| path.resize(path.concat(parts), SLOT_BITS);
        let of_choice = |choice: &Choice| {
            let (m, h, c) = (choice.column_bits, choice.row_bits, choice.window_bits);

            // Bucket 0 stands for 2^(c−1) and travels in row 0, which has weight zero otherwise.
            let (low, high) = (path.slice(offset, 0, m), path.slice(offset, m, h));
            let bucket_zero = path.and(zero_test(low), zero_test(high));
            let to_row = path.or(path.not(zero_test(high)), bucket_zero);
            let to_column = path.not(zero_test(low));
            let first_set = path.resize(path.concat(&[to_row, to_column]), TARGETS);
            let row = slot(&[high, zeros(1), window]);
            let column = slot(&[path.resize(low, h), path.constant(1u32, 1), window]);

            let value = path.slice(offset, 0, h);
            let is_column = path.bit(offset, h);
            let row_set = path.resize(path.concat(&[zeros(m), value]), TARGETS);
            let heaviest = path.constant(BigUint::one() << (c - 1), TARGETS);
            let row_set = path.mux(zero_test(value), heaviest, row_set);
            let second_set = path.mux(is_column, path.resize(value, TARGETS), row_set);
            let bits = slot(&[zeros(c - 1), window]);

            path.concat(&[path.mux(pass, second_set, first_set), path.mux(pass, bits, row), column])
        };
        let targets = choose(&path, choice, &shape.choices.iter().map(of_choice).collect::<Vec<_>>());
        Targets::host(Rc::new(path.finish_combinational(&[("targets", targets)])))
    }
}

pipeline_block! {
    /// The next one of a point's targets.
    combinational NextTarget
    inputs {
        /// See [`Targets`].
        pass: Bit,
        /// All targets of the point.
        targets: Bits<56>,
        /// Those in `pending` are left over; else the point has just come.
        started: Bit,
        /// Targets left over.
        pending: Bits<16>,
    }
    outputs {
        /// Slot of the next token.
        slot: Bits<20>,
        /// Targets left over after it.
        rest: Bits<16>,
        /// There are none.
        last: Bit,
    }
}

impl NextTarget {
    pub(super) fn new() -> NextTarget {
        let path = Datapath::combinational("next_target");
        let pass = path.input("pass", 1);
        let targets = path.input("targets", TARGETS + 2 * SLOT_BITS);
        let started = path.input("started", 1);
        let pending = path.input("pending", TARGETS);
        let set = path.mux(started, pending, path.slice(targets, 0, TARGETS));
        let below = path.slice(path.subtract(set, path.constant(1u32, TARGETS)), 0, TARGETS);
        let rest = path.and(set, below);
        let mut weight = path.constant(0u32, 4);
        for k in (0..TARGETS).rev() {
            weight = path.mux(path.bit(set, k), path.constant(k, 4), weight);
        }
        let slot = |index: usize| path.slice(targets, TARGETS + index * SLOT_BITS, SLOT_BITS);
        // The slot of weight 2^0 has zeros where the weights are or-ed in: a window has at least as many slots.
        let bits = path.or(slot(0), path.resize(weight, SLOT_BITS));
        let sums = path.mux(path.bit(set, 0), slot(0), slot(1));
        let outputs = [
            ("slot", path.mux(pass, bits, sums)),
            ("rest", rest),
            ("last", path.equal(rest, path.constant(0u32, TARGETS))),
        ];
        NextTarget::host(Rc::new(path.finish_combinational(&outputs)))
    }
}
