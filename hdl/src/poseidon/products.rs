//! What a pass multiplies with.
//!
//! Elements in the ring are below 2p, not p, so that most products need no final subtraction. With R = 2^256,
//! p/R < 0.1891, and ⌊(T + q·p)/R⌋ < T/R + p for a total T:
//!
//! - S-box, operands below 2p: x² < (4·0.1891 + 1)·p < 1.757p; x⁴ < (1.757²·0.1891 + 1)·p < 1.584p;
//!   x⁵ < (1.584·2·0.1891 + 1)·p < 1.600p. All are below 2p, without any subtraction.
//! - Sum of a row, factors below p: T < (1.600 + 2·(t − 1))·p², at most 9.6p² for t = 5, which is below 2^511; the
//!   reduced sum is below (9.6·0.1891 + 1)·p < 2.816p. Together with what is added, a constant below p, it is below
//!   3.816p.
//! - A single product and an accumulator: below (1.600·0.1891 + 1 + 2)·p < 3.303p.
//!
//! Both sums are below 4p < 2^256, so that one conditional subtraction of 2p brings them below 2p again.

use super::LAZY_BITS;
use crate::datapath::{Datapath, DatapathConfig, Module, Term, Wire};
use crate::field::{FIELD_BITS, MontgomeryMultiplier, Prime};
use num_bigint::BigUint;
use std::rc::Rc;

/// Where the products of a pass are computed. All values are in Montgomery form with R = 2^256 and of 255 bits; factors
/// are constants of 254 bits. `used` is high where there is a state whose products these are; results without one do not
/// matter.
pub trait Products {
    /// a·b/R mod p, below 2p; `a` and `b` are below 2p, and where neither is an element of the ring but a product, their
    /// product is below 4p².
    fn multiply(&self, path: &Datapath, a: Wire, b: Wire, used: Wire) -> Wire;

    /// Σ factor·value/R + `added` mod p, below 2p. Either there is one pair, whose value is a fifth power, and
    /// `added` is below 2p; or there are as many as the state has elements, the first of them such a pair, the other
    /// values below 2p, and `added` is below p, or the other factors are zero and `added` is below 2p.
    fn sum(&self, path: &Datapath, pairs: &[(Wire, Wire)], added: Wire, used: Wire) -> Wire;
}

/// Multipliers of the pass's own: the products of a sum are added before one reduction.
pub struct OwnProducts {
    multiplier: Rc<Module>,
    single: Rc<Module>,
    row: Rc<Module>,
}

impl OwnProducts {
    /// The multipliers of a pass over states of `width` elements.
    pub fn new(width: usize, config: &DatapathConfig) -> OwnProducts {
        OwnProducts {
            multiplier: multiplier(config),
            single: sum_of_products("poseidon_single".into(), 1, config),
            row: sum_of_products(format!("poseidon_row_{width}"), width, config),
        }
    }
}

impl Products for OwnProducts {
    fn multiply(&self, path: &Datapath, a: Wire, b: Wire, _used: Wire) -> Wire {
        path.instance(&self.multiplier, &[a, b])[0]
    }

    fn sum(&self, path: &Datapath, pairs: &[(Wire, Wire)], added: Wire, _used: Wire) -> Wire {
        let module = if pairs.len() == 1 { &self.single } else { &self.row };
        let operands = pairs.iter().flat_map(|(factor, value)| [*factor, *value]);
        path.instance(module, &operands.chain([added]).collect::<Vec<_>>())[0]
    }
}

/// Inputs `a` and `b`, 255 bits; output `product`, (a·b + q·p)/R, 255 bits.
fn multiplier(config: &DatapathConfig) -> Rc<Module> {
    let path = Datapath::new("poseidon_multiplier", config);
    let (a, b) = (path.input("a", LAZY_BITS), path.input("b", LAZY_BITS));
    let total = path.multiply(a, b);
    // T/R < 0.7564p < 2^254.
    let product = MontgomeryMultiplier::of(&path, Prime::Fr).reduce(&path, total, None, LAZY_BITS);
    Rc::new(path.finish(&[("product", product)]))
}

/// Inputs `factor0`, `value0`, …, `added`; output `sum`, below 2p.
fn sum_of_products(name: String, count: usize, config: &DatapathConfig) -> Rc<Module> {
    let path = Datapath::new(name, config);
    let product = |index: usize| {
        let factor = path.input(&format!("factor{index}"), FIELD_BITS);
        let value = path.input(&format!("value{index}"), LAZY_BITS);
        Term { wire: path.multiply(factor, value), lsb: 0 }
    };
    let products: Vec<Term> = (0..count).map(product).collect();
    let added = path.input("added", LAZY_BITS);
    let total = match products[..] {
        [single] => single.wire,
        _ => path.sum(products, 2 * (LAZY_BITS + 1)),
    };
    let sum = MontgomeryMultiplier::of(&path, Prime::Fr).reduce(&path, total, Some(added), LAZY_BITS + 1);
    let twice: BigUint = Prime::Fr.modulus() << 1;
    let sum = path.subtract_if_not_below(sum, path.constant(twice, LAZY_BITS));
    Rc::new(path.finish(&[("sum", sum)]))
}
