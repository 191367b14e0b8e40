//! The program memory and the constants.

use super::schedule::{Place, Schedule, Source, Written};
use crate::datapath::{Datapath, Module};
use crate::pipeline_block;
use num_bigint::BigUint;
use rust_hdl::prelude::*;
use std::rc::Rc;

/// Bits of a word of the program memory. From bit 0 on: read lag (4), first operand (18), second operand (18), subtract,
/// exact, write lag (4), register (5), what is written (3: 1 sum, 2 product, 3 input, 4 output), number of the input or
/// output (3). An operand is its usual place, the other one (7 each: index 5, constant, zero), and the kinds (4).
pub(super) const WORD_BITS: usize = 57;

/// Codes of what is written.
pub(super) const SUM: u64 = 1;
pub(super) const PRODUCT: u64 = 2;
pub(super) const INPUT: u64 = 3;
pub(super) const OUTPUT: u64 = 4;

/// The words of a schedule.
pub(super) fn words(schedule: &Schedule) -> Vec<BigUint> {
    let place = |place: &Place| {
        assert!(place.index < 32, "place {} of 32", place.index);
        place.index as u64 | u64::from(place.constant) << 5 | u64::from(place.zero) << 6
    };
    let source =
        |source: &Source| place(&source.usual) | place(&source.other) << 7 | u64::from(source.kinds) << 14;
    let encode = |word: &super::schedule::Word| {
        let (written, number) = match word.written {
            Written::Nothing => (0, 0),
            Written::Sum => (SUM, 0),
            Written::Product => (PRODUCT, 0),
            Written::Input { input } => (INPUT, input),
            Written::Output { output } => (OUTPUT, output),
        };
        let fields = [
            (word.read_lag as u64, 4),
            (source(&word.a), 18),
            (source(&word.b), 18),
            (word.subtract.into(), 1),
            (word.exact.into(), 1),
            (word.write_lag as u64, 4),
            (word.register as u64, 5),
            (written, 3),
            (number as u64, 3),
        ];
        let mut at = 0;
        let mut bits = BigUint::default();
        for (value, width) in fields {
            assert!(value < 1 << width, "{value} in {width} bits");
            bits |= BigUint::from(value) << at;
            at += width;
        }
        assert_eq!(at, WORD_BITS);
        bits
    };
    schedule.words.iter().map(encode).collect()
}

/// A table as a block RAM: input `address`, output `word` two cycles later.
fn table(name: String, address_bits: usize, words: &[BigUint], width: usize) -> Rc<Module> {
    let path = Datapath::new(name, &super::bank::chunked());
    let word = path.lookup(path.input("address", address_bits), words, width);
    Rc::new(path.finish(&[("word", word)]))
}

pipeline_block! {
    /// The program memory: a word two cycles behind its address.
    clocked ProgramMemory
    inputs {
        /// The cycle of the period.
        address: Bits<9>,
    }
    outputs {
        /// Its word.
        word: Bits<57>,
    }
}

impl ProgramMemory {
    /// The memory of a schedule.
    pub(super) fn new(name: &str, schedule: &Schedule) -> ProgramMemory {
        ProgramMemory::host(table(format!("serial_program_{name}"), 9, &words(schedule), WORD_BITS))
    }
}

pipeline_block! {
    /// The constants: a word two cycles behind its address.
    clocked ConstantMemory
    inputs {
        /// Number of the constant.
        address: Bits<10>,
    }
    outputs {
        /// The constant.
        word: Bits<256>,
    }
}

impl ConstantMemory {
    /// A memory of these constants, 1,024 at most, below 2p.
    pub(super) fn new(name: &str, constants: &[BigUint]) -> ConstantMemory {
        ConstantMemory::host(table(format!("serial_constants_{name}"), 10, constants, 256))
    }
}
