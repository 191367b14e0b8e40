//! Addition, subtraction and negation modulo a prime, on values below it.

use super::graph::{Datapath, Wire};

impl Datapath {
    /// a + b mod m, for a, b < m.
    pub fn modular_add(&self, a: Wire, b: Wire, modulus: Wire) -> Wire {
        let sum = self.add(a, b);
        self.subtract_if_not_below(sum, modulus)
    }

    /// a − b mod m, for a, b < m.
    pub fn modular_subtract(&self, a: Wire, b: Wire, modulus: Wire) -> Wire {
        let width = modulus.width();
        let difference = self.subtract(a, b);
        let wrapped = self.slice(difference, 0, width);
        let corrected = self.add(wrapped, modulus);
        self.mux(self.bit(difference, width), self.slice(corrected, 0, width), wrapped)
    }

    /// −a mod m, for a < m.
    pub fn modular_negate(&self, a: Wire, modulus: Wire) -> Wire {
        let zero = self.constant(0u32, modulus.width());
        let difference = self.slice(self.subtract(modulus, a), 0, modulus.width());
        self.mux(self.equal(a, zero), zero, difference)
    }

    /// a mod m, for a < 2·m.
    pub fn subtract_if_not_below(&self, a: Wire, modulus: Wire) -> Wire {
        let width = modulus.width();
        let difference = self.subtract(a, modulus);
        let below = self.bit(difference, difference.width() - 1);
        self.mux(below, self.slice(a, 0, width), self.slice(difference, 0, width))
    }
}
