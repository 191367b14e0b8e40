//! Tables of constants.

use super::graph::{Datapath, Kind, Wire};
use num_bigint::BigUint;

impl Datapath {
    /// The word of `table` at `address`, [`Datapath::LOOKUP_STAGES`] stages behind the address, which is registered: the two registers of a
    /// block RAM that holds the table. An address past the table's end gives an undefined word.
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
