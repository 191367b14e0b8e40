//! The complete projective adder, II = 1.
//!
//! Renes, Costello and Batina, "Complete addition formulas for prime order elliptic curves" (2016), algorithm 7:
//! homogeneous coordinates, a = 0, 12 multiplications. Complete on a group of odd order, as those of every
//! [`Curve`] are: the same formulas add, double, annihilate and pass the point at infinity, which is (0 : 1 : 0).

use super::Curve;
use crate::datapath::{Datapath, DatapathConfig, Module, Wire};
use crate::field::{FIELD_BITS, adder_multiplier};
use std::rc::Rc;

/// Bits of a projective point inside the pipelines: X lowest, then Y, then Z.
pub const POINT_BITS: usize = 3 * FIELD_BITS;

/// The arithmetic of one curve's base field in a pipeline.
struct Arithmetic<'a> {
    path: &'a Datapath,
    curve: Curve,
    modulus: Wire,
    multiplier: Rc<Module>,
}

impl Arithmetic<'_> {
    fn multiply(&self, a: Wire, b: Wire) -> Wire {
        self.path.instance(&self.multiplier, &[a, b])[0]
    }

    fn add(&self, a: Wire, b: Wire) -> Wire {
        self.path.modular_add(a, b, self.modulus)
    }

    fn subtract(&self, a: Wire, b: Wire) -> Wire {
        self.path.modular_subtract(a, b, self.modulus)
    }

    fn double(&self, x: Wire) -> Wire {
        self.add(x, x)
    }

    /// 3·b·x: 9·x on BN254, −51·x on Grumpkin.
    fn times_three_b(&self, x: Wire) -> Wire {
        match self.curve {
            Curve::Bn254 => self.add(self.double(self.double(self.double(x))), x),
            Curve::Grumpkin => {
                let three = self.add(self.double(x), x);
                let six = self.double(three);
                let forty_eight = self.double(self.double(self.double(six)));
                self.path.modular_negate(self.add(forty_eight, three), self.modulus)
            }
        }
    }
}

/// The adder of a curve: inputs `p` and `q` ([`POINT_BITS`] bits, Montgomery, each coordinate below the base field's
/// prime), `tag` (tag_bits) and `valid_in`; outputs `sum`, `tag_out`, `valid_out`. II = 1.
pub fn complete_adder(curve: Curve, config: &DatapathConfig, tag_bits: usize) -> Rc<Module> {
    let base = curve.base_field();
    let path = Datapath::new(format!("complete_adder_{}_pipeline", base.name()), config);
    let (p, q) = (path.input("p", POINT_BITS), path.input("q", POINT_BITS));
    let tag = path.input("tag", tag_bits);
    let valid = path.input("valid_in", 1);
    let coordinate = |point: Wire, index: usize| path.slice(point, index * FIELD_BITS, FIELD_BITS);
    let [x1, y1, z1] = [0, 1, 2].map(|index| coordinate(p, index));
    let [x2, y2, z2] = [0, 1, 2].map(|index| coordinate(q, index));
    let field = Arithmetic {
        path: &path,
        curve,
        modulus: path.constant(base.modulus(), FIELD_BITS),
        multiplier: adder_multiplier(base, config),
    };
    let xx = field.multiply(x1, x2);
    let yy = field.multiply(y1, y2);
    let zz = field.multiply(z1, z2);
    let cross = |a1, b1, a2, b2, aa, bb| {
        let product = field.multiply(field.add(a1, b1), field.add(a2, b2));
        field.subtract(product, field.add(aa, bb))
    };
    let xy = cross(x1, y1, x2, y2, xx, yy);
    let yz = cross(y1, z1, y2, z2, yy, zz);
    let xz = cross(x1, z1, x2, z2, xx, zz);
    let xx3 = field.add(field.add(xx, xx), xx);
    let bzz3 = field.times_three_b(zz);
    let bxz3 = field.times_three_b(xz);
    let plus = field.add(yy, bzz3);
    let minus = field.subtract(yy, bzz3);
    let x3 = field.subtract(field.multiply(xy, minus), field.multiply(yz, bxz3));
    let y3 = field.add(field.multiply(minus, plus), field.multiply(bxz3, xx3));
    let z3 = field.add(field.multiply(plus, yz), field.multiply(xx3, xy));
    let sum = path.concat(&[x3, y3, z3]);
    Rc::new(path.finish(&[("sum", sum), ("tag_out", tag), ("valid_out", valid)]))
}
