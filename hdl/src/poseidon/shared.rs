//! The products of a pass on multipliers that it shares with the point adders.
//!
//! A shared multiplier reduces each of its products below p, so a sum is made of reduced products. Terms are added in pairs,
//! and 2p is subtracted from what may be above it, so that no partial sum is ever above 4p.

use super::LAZY_BITS;
use super::products::Products;
use crate::datapath::{Datapath, DatapathConfig, Module, Wire};
use crate::field::{Prime, shared_multiplier_for};
use num_bigint::BigUint;
use std::rc::Rc;

/// One side of a [shared multiplier](crate::field::shared_multiplier) for each product, 2t + 2 in a pass.
pub struct SharedProducts {
    multiplier: Rc<Module>,
}

/// A term of a sum, below `bound`·p.
#[derive(Clone, Copy)]
struct Term {
    wire: Wire,
    bound: usize,
}

impl SharedProducts {
    /// The multipliers of a pass.
    pub fn new(config: &DatapathConfig) -> SharedProducts {
        SharedProducts { multiplier: shared_multiplier_for(Prime::Fr, config) }
    }
}

/// Both terms, below 2p.
fn add(path: &Datapath, a: Term, b: Term) -> Term {
    let sum = path.add(a.wire, b.wire);
    let bound = a.bound + b.bound;
    assert!(bound <= 4, "a sum below {bound}·p is brought below 2p by one subtraction");
    if bound <= 2 {
        return Term { wire: path.resize(sum, LAZY_BITS), bound };
    }
    let twice: BigUint = Prime::Fr.modulus() << 1;
    Term { wire: path.subtract_if_not_below(sum, path.constant(twice, LAZY_BITS)), bound: 2 }
}

impl Products for SharedProducts {
    fn multiply(&self, path: &Datapath, a: Wire, b: Wire, used: Wire) -> Wire {
        let [a, b] = [a, b].map(|operand| path.extend(operand, LAZY_BITS));
        path.instance(&self.multiplier, &[a, b, used])[0]
    }

    fn sum(&self, path: &Datapath, pairs: &[(Wire, Wire)], added: Wire, used: Wire) -> Wire {
        let product = |(factor, value): &(Wire, Wire)| Term {
            wire: self.multiply(path, *factor, *value, used),
            bound: 1,
        };
        let mut terms: Vec<Term> = pairs.iter().map(product).collect();
        terms.push(Term { wire: added, bound: 2 });
        while terms.len() > 1 {
            // The terms that are there first, and of those the smallest.
            terms.sort_by_key(|term| (path.stage(term.wire), term.bound));
            let pair = |pair: &[Term]| match pair {
                [a, b] => add(path, *a, *b),
                rest => rest[0],
            };
            terms = terms.chunks(2).map(pair).collect();
        }
        path.resize(terms[0].wire, LAZY_BITS)
    }
}
