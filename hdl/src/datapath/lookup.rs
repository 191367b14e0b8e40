//! Tables of constants.

use super::graph::{Datapath, Kind, Wire};
use num_bigint::BigUint;

impl Datapath {
    /// The word of `table` at `address`, [`Datapath::LOOKUP_STAGES`] stages behind the address, which is registered: the
    /// two registers of a block RAM that holds the table. An address past the table's end gives an undefined word.
    pub fn lookup(&self, address: Wire, table: &[BigUint], width: usize) -> Wire {
        assert!(
            !table.is_empty() && address.width() < 32 && table.len() <= 1 << address.width(),
            "{}: {} words at addresses of {} bits",
            self.name(),
            table.len(),
            address.width()
        );
        let widest = table.iter().map(BigUint::bits).max().unwrap_or_default();
        assert!(
            widest <= width as u64,
            "{}: a word of {widest} bits in a table of {width} bits",
            self.name()
        );
        let mut address = [address];
        let stage = self.registered(&mut address);
        let kind = Kind::Lookup { address: address[0].node, table: table.into() };
        self.at(self.push(kind, width, Some(stage), 1), stage + Self::LOOKUP_STAGES)
    }

    /// Stages from a registered address to its word.
    pub const LOOKUP_STAGES: usize = 2;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datapath::{DatapathConfig, Interpreter};
    use std::rc::Rc;

    #[test]
    fn a_word_comes_two_cycles_behind_its_address() {
        let table: Vec<BigUint> = (1u32..=5).map(|word| BigUint::from(word) << 90).collect();
        let path = Datapath::new("words", &DatapathConfig::ultrascale());
        let word = path.lookup(path.input("address", 3), &table, 93);
        let module = Rc::new(path.finish(&[("word", word)]));
        assert_eq!(module.latency(), Datapath::LOOKUP_STAGES);
        let mut interpreter = Interpreter::new(module);
        for cycle in 0..20u32 {
            let outputs = interpreter.step(&[BigUint::from(cycle % 5)]);
            if let Some(before) = cycle.checked_sub(2) {
                assert_eq!(outputs[0], table[before as usize % 5]);
            }
        }
    }

    #[test]
    #[should_panic(expected = "a word of 91 bits in a table of 90 bits")]
    fn a_word_that_is_too_wide_is_refused() {
        let path = Datapath::new("words", &DatapathConfig::ultrascale());
        path.lookup(path.input("address", 3), &[BigUint::from(1u32) << 90], 90);
    }
}
