//! Products with a constant: shifts, additions and subtractions instead of multipliers.
//!
//! The constant is written in canonical signed digits (Reitwiesner, "Binary arithmetic", 1960), a third of which are
//! not zero on average; pairs of digits that recur are computed once (Hartley, "Subexpression sharing in filters using
//! canonic signed digit multipliers", 1996).

use super::graph::{Datapath, Wire};
use super::multiply::Term;
use num_bigint::BigUint;
use num_traits::{One, Zero};
use std::collections::BTreeMap;

/// A digit ±1·2^`shift`, times the multiple of the operand that `symbol` stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Digit {
    shift: usize,
    symbol: usize,
    negative: bool,
}

/// `high`·2^`distance` ± `low`: two digits that may recur.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Pair {
    low: usize,
    high: usize,
    distance: usize,
    difference: bool,
}

/// How a product is computed: multiples of the operand that are used more than once, and the digits over them.
#[derive(Debug)]
struct Plan {
    /// Symbol k + 1 is the k-th pair; symbol 0 is the operand itself.
    shared: Vec<Pair>,
    digits: Vec<Digit>,
}

impl Plan {
    fn new(constant: &BigUint) -> Plan {
        let mut plan = Plan { shared: Vec::new(), digits: signed_digits(constant) };
        let mut factors = vec![BigUint::one()];
        while let Some((pair, _)) = plan.most_frequent(&factors) {
            let symbol = factors.len();
            let shifted = &factors[pair.high] << pair.distance;
            let low = &factors[pair.low];
            factors.push(if pair.difference { shifted - low } else { shifted + low });
            plan.replace(pair, symbol);
            plan.shared.push(pair);
        }
        plan
    }

    /// Disjoint occurrences of the pair made of digits `low` and `high`, if that is not negative.
    fn pair(&self, low: &Digit, high: &Digit, factors: &[BigUint]) -> Option<Pair> {
        let distance = high.shift.checked_sub(low.shift)?;
        let difference = low.negative != high.negative;
        let positive = &factors[high.symbol] << distance > factors[low.symbol];
        (distance > 0 && (positive || !difference)).then_some(Pair {
            low: low.symbol,
            high: high.symbol,
            distance,
            difference,
        })
    }

    /// The pair that saves most, if any occurs twice.
    fn most_frequent(&self, factors: &[BigUint]) -> Option<(Pair, usize)> {
        let mut counts: BTreeMap<Pair, (usize, Vec<usize>)> = BTreeMap::new();
        for (low_index, low) in self.digits.iter().enumerate() {
            for (offset, high) in self.digits[low_index + 1..].iter().enumerate() {
                if let Some(pair) = self.pair(low, high, factors) {
                    let (count, used) = counts.entry(pair).or_default();
                    let high_index = low_index + 1 + offset;
                    if !used.contains(&low_index) && !used.contains(&high_index) {
                        *count += 1;
                        used.extend([low_index, high_index]);
                    }
                }
            }
        }
        let best = counts.into_iter().map(|(pair, (count, _))| (pair, count));
        // Of equals, the closest: its sum is the narrowest.
        best.filter(|(_, count)| *count > 1).max_by_key(|(pair, count)| (*count, usize::MAX - pair.distance))
    }

    fn replace(&mut self, pair: Pair, symbol: usize) {
        let mut index = 0;
        while index < self.digits.len() {
            let low = self.digits[index];
            let partner = self.digits[index + 1..].iter().position(|high| {
                low.symbol == pair.low
                    && high.symbol == pair.high
                    && high.shift == low.shift + pair.distance
                    && (low.negative != high.negative) == pair.difference
            });
            if let Some(offset) = partner {
                let high = self.digits.remove(index + 1 + offset);
                self.digits[index] = Digit { shift: low.shift, symbol, negative: high.negative };
            }
            index += 1;
        }
    }
}

/// The non-zero digits of the canonical signed-digit form, lowest first.
fn signed_digits(constant: &BigUint) -> Vec<Digit> {
    let mut rest = constant.clone();
    let mut digits = Vec::new();
    let mut shift = 0;
    while !rest.is_zero() {
        if rest.bit(0) {
            let negative = rest.bit(1);
            if negative {
                rest += 1u32;
            } else {
                rest -= 1u32;
            }
            digits.push(Digit { shift, symbol: 0, negative });
        }
        rest >>= 1;
        shift += 1;
    }
    digits
}

impl Datapath {
    /// `x`·`constant` modulo 2^width, without a multiplier.
    pub fn multiply_constant(&self, x: Wire, constant: &BigUint, width: usize) -> Wire {
        let [added, subtracted] = self.constant_terms(x, constant);
        let total = |terms: Vec<Term>| {
            let within = terms.into_iter().filter(|term| term.lsb < width).map(|term| {
                let kept = term.wire.width().min(width - term.lsb);
                Term { wire: self.slice(term.wire, 0, kept), lsb: term.lsb }
            });
            self.sum(within.collect(), width)
        };
        let difference = self.subtract(total(added), total(subtracted));
        self.slice(difference, 0, width)
    }

    /// `x`·`constant` / 2^cut, rounded down, given the bits of the product just below the cut; see
    /// [`Datapath::sum_above`].
    pub fn multiply_constant_above(&self, x: Wire, constant: &BigUint, cut: usize, known: Wire) -> Wire {
        let [added, subtracted] = self.constant_terms(x, constant);
        let width = (x.width() + constant.bits() as usize).max(cut + 1);
        self.sum_above(&added, &subtracted, cut, known, width)
    }

    /// The product as terms to add, and terms to subtract.
    fn constant_terms(&self, x: Wire, constant: &BigUint) -> [Vec<Term>; 2] {
        let plan = Plan::new(constant);
        let mut symbols = vec![x];
        for pair in &plan.shared {
            let low = symbols[pair.low];
            let high = symbols[pair.high];
            let sum = if pair.difference {
                // Not negative, by the choice of the pair: the borrow is zero.
                let shifted = self.concat(&[self.constant(0u32, pair.distance), high]);
                let difference = self.subtract(shifted, low);
                self.slice(difference, 0, shifted.width().max(low.width()))
            } else {
                let total = (high.width() + pair.distance).max(low.width()) + 1;
                self.sum(vec![Term { wire: low, lsb: 0 }, Term { wire: high, lsb: pair.distance }], total)
            };
            symbols.push(sum);
        }
        [false, true].map(|negative| {
            let chosen = plan.digits.iter().filter(|digit| digit.negative == negative);
            chosen.map(|digit| Term { wire: symbols[digit.symbol], lsb: digit.shift }).collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Prime;

    #[test]
    fn sharing_saves_a_third_of_the_additions() {
        for prime in Prime::ALL {
            for constant in [prime.modulus(), prime.negative_inverse()] {
                let plain = signed_digits(&constant).len();
                let plan = Plan::new(&constant);
                let additions = plan.shared.len() + plan.digits.len();
                assert!(additions * 3 <= plain * 2, "{additions} of {plain}");
            }
        }
    }
}
