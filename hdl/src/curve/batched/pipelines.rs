//! The arithmetic: differences, products, sums.

use super::shape::BatchedShape;
use crate::curve::Curve;
use crate::datapath::{Datapath, DatapathConfig, Module, Wire};
use crate::field::{FIELD_BITS, adder_multiplier};
use crate::pipeline_block;
use rust_hdl::prelude::*;
use std::rc::Rc;

/// Bits of a tag.
const TAG_BITS: usize = 20;

/// Bits of the number of a leaf or node in its frame.
const INDEX_BITS: usize = 10;

/// Bits of such a number with the bit that tells a leaf.
const ID_BITS: usize = INDEX_BITS + 1;

/// Bits of the number of a frame.
const FRAME_BITS: usize = 2;

fn halves(path: &Datapath, point: Wire) -> [Wire; 2] {
    [0, 1].map(|index| path.slice(point, index * FIELD_BITS, FIELD_BITS))
}

pipeline_block! {
    /// Differences of the coordinates, and which kind of pair it is.
    clocked Front
    inputs {
        /// First point: x lowest, y.
        p: Bits<508>,
        /// Second point.
        q: Bits<508>,
        /// Tag of the pair.
        tag: Bits<20>,
        /// A pair enters.
        valid_in: Bit,
    }
    outputs {
        /// x1, y1, x1 + x2, tag (782 bits: what the leaf memory keeps), denominator, y2 − y1, doubling.
        line: Bits<1291>,
        /// A pair with a sum leaves.
        valid_out: Bit,
        /// It is a doubling.
        doubling: Bit,
        /// A pair without a sum leaves.
        annihilated: Bit,
    }
}

/// What [`Front`] hosts.
fn front(curve: Curve, config: &DatapathConfig) -> Rc<Module> {
    let prime = curve.base_field();
    let path = Datapath::new(format!("batched_front_{}", prime.name()), config);
    let (p, q) = (path.input("p", 2 * FIELD_BITS), path.input("q", 2 * FIELD_BITS));
    let tag = path.input("tag", TAG_BITS);
    let valid = path.input("valid_in", 1);
    let modulus = path.constant(prime.modulus(), FIELD_BITS);
    let zero = path.constant(0u32, FIELD_BITS);
    let [[x1, y1], [x2, y2]] = [p, q].map(|point| halves(&path, point));
    let dx = path.modular_subtract(x2, x1, modulus);
    let dy = path.modular_subtract(y2, y1, modulus);
    let x_sum = path.modular_add(x1, x2, modulus);
    let twice_y = path.modular_add(y1, y1, modulus);
    // No denominator is ever zero: a point with y = 0, which is its own opposite, does not occur in a group of odd
    // order, but one that is on no curve shall spoil no other's sum.
    let same_x = path.equal(x1, x2);
    let same_y = path.and(path.equal(y1, y2), path.not(path.equal(y1, zero)));
    let doubling = path.and(same_x, same_y);
    let annihilated = path.and(same_x, path.not(same_y));
    let denominator = path.mux(doubling, twice_y, dx);
    let line = path.concat(&[x1, y1, x_sum, tag, denominator, dy, doubling]);
    let kept = path.and(valid, path.not(annihilated));
    let [doubling, annihilated] = [doubling, annihilated].map(|kind| path.and(valid, kind));
    Rc::new(path.finish(&[
        ("line", line),
        ("valid_out", kept),
        ("doubling", doubling),
        ("annihilated", annihilated),
    ]))
}

impl Front {
    /// The front of a curve.
    pub fn new(curve: Curve, config: &DatapathConfig) -> Front {
        Front::host(front(curve, config))
    }
}

pipeline_block! {
    /// The multiplier of the way up; what the product is for travels with it.
    clocked UpStep
    inputs {
        /// First factor.
        a: Bits<254>,
        /// Second factor.
        b: Bits<254>,
        /// Number of the node or, of a square, of its leaf.
        index: Bits<10>,
        /// Frame of a square's leaf.
        frame: Bits<2>,
        /// Context of the node.
        context: Bit,
        /// It is the square of a doubling.
        square: Bit,
        /// Factors enter.
        valid_in: Bit,
    }
    outputs {
        /// Their product.
        product: Bits<254>,
        /// See `index`.
        index_out: Bits<10>,
        /// See `frame`.
        frame_out: Bits<2>,
        /// See `context`.
        context_out: Bit,
        /// See `square`.
        square_out: Bit,
        /// A product leaves.
        valid_out: Bit,
    }
}

/// What [`UpStep`] hosts.
fn up_step(curve: Curve, config: &DatapathConfig, shape: &BatchedShape) -> Rc<Module> {
    let prime = curve.base_field();
    let path = Datapath::new(format!("batched_up_step_{}", prime.name()), config);
    let (a, b) = (path.input("a", FIELD_BITS), path.input("b", FIELD_BITS));
    let index = path.input("index", INDEX_BITS);
    let frame = path.input("frame", FRAME_BITS);
    let context = path.input("context", 1);
    let square = path.input("square", 1);
    let valid = path.input("valid_in", 1);
    let product = path.instance(&adder_multiplier(prime, config), &[a, b])[0];
    let product = path.at(product, path.stage(product) + shape.up_padding());
    Rc::new(path.finish(&[
        ("product", product),
        ("index_out", index),
        ("frame_out", frame),
        ("context_out", context),
        ("square_out", square),
        ("valid_out", valid),
    ]))
}

impl UpStep {
    /// The multiplier of a curve with the padding of a shape.
    pub fn new(curve: Curve, config: &DatapathConfig, shape: &BatchedShape) -> UpStep {
        UpStep::host(up_step(curve, config, shape))
    }
}

pipeline_block! {
    /// Three times the square of a doubling: the numerator of the tangent's slope.
    clocked Triple
    inputs {
        /// x².
        value: Bits<254>,
        /// Number of the leaf.
        index: Bits<10>,
        /// Its frame.
        frame: Bits<2>,
        /// A square enters.
        valid_in: Bit,
    }
    outputs {
        /// 3x².
        triple: Bits<254>,
        /// See `index`.
        index_out: Bits<10>,
        /// See `frame`.
        frame_out: Bits<2>,
        /// A numerator leaves.
        valid_out: Bit,
    }
}

/// What [`Triple`] hosts.
fn triple(curve: Curve, config: &DatapathConfig) -> Rc<Module> {
    let prime = curve.base_field();
    let path = Datapath::new(format!("batched_triple_{}", prime.name()), config);
    let value = path.input("value", FIELD_BITS);
    let index = path.input("index", INDEX_BITS);
    let frame = path.input("frame", FRAME_BITS);
    let valid = path.input("valid_in", 1);
    let modulus = path.constant(prime.modulus(), FIELD_BITS);
    let triple = path.modular_add(path.modular_add(value, value, modulus), value, modulus);
    Rc::new(path.finish(&[
        ("triple", triple),
        ("index_out", index),
        ("frame_out", frame),
        ("valid_out", valid),
    ]))
}

impl Triple {
    /// In the field of a curve.
    pub fn new(curve: Curve, config: &DatapathConfig) -> Triple {
        Triple::host(triple(curve, config))
    }
}

pipeline_block! {
    /// The record of a node.
    combinational NodeWord
    inputs {
        /// Value of the first child.
        value_a: Bits<254>,
        /// Value of the second child.
        value_b: Bits<254>,
        /// Number of the first child, bit 10: it is a leaf.
        id_a: Bits<11>,
        /// Number of the second child.
        id_b: Bits<11>,
    }
    outputs {
        /// All of them, the first lowest.
        word: Bits<530>,
    }
}

impl NodeWord {
    /// The concatenation.
    pub fn new() -> NodeWord {
        let path = Datapath::combinational("batched_node_word");
        let parts = [("value_a", FIELD_BITS), ("value_b", FIELD_BITS), ("id_a", ID_BITS), ("id_b", ID_BITS)]
            .map(|(name, width)| path.input(name, width));
        let word = path.concat(&parts);
        NodeWord::host(Rc::new(path.finish_combinational(&[("word", word)])))
    }
}

pipeline_block! {
    /// The two multipliers of the way down: from a node's inverse to its children's.
    clocked DownStep
    inputs {
        /// Inverse of the node's value.
        inverse: Bits<254>,
        /// The node's record.
        node: Bits<530>,
        /// Its frame.
        frame: Bits<2>,
        /// A node enters.
        valid_in: Bit,
    }
    outputs {
        /// The first child: inverse (254), number (10), leaf (1), frame (2), lowest first.
        a: Bits<267>,
        /// The second child.
        b: Bits<267>,
        /// The children leave.
        valid_out: Bit,
    }
}

/// What [`DownStep`] hosts.
fn down_step(curve: Curve, config: &DatapathConfig) -> Rc<Module> {
    let prime = curve.base_field();
    let path = Datapath::new(format!("batched_down_step_{}", prime.name()), config);
    let inverse = path.input("inverse", FIELD_BITS);
    let node = path.input("node", 2 * (FIELD_BITS + ID_BITS));
    let frame = path.input("frame", FRAME_BITS);
    let valid = path.input("valid_in", 1);
    let multiplier = adder_multiplier(prime, config);
    // The inverse of one is the inverse of the product times the other.
    let child = |index: usize| {
        let other = path.slice(node, (1 - index) * FIELD_BITS, FIELD_BITS);
        let id = path.slice(node, 2 * FIELD_BITS + index * ID_BITS, ID_BITS);
        path.concat(&[path.instance(&multiplier, &[inverse, other])[0], id, frame])
    };
    let [a, b] = [0, 1].map(child);
    Rc::new(path.finish(&[("a", a), ("b", b), ("valid_out", valid)]))
}

impl DownStep {
    /// In the field of a curve.
    pub fn new(curve: Curve, config: &DatapathConfig) -> DownStep {
        DownStep::host(down_step(curve, config))
    }
}

pipeline_block! {
    /// The addition with known inverse, on three multipliers: λ = numerator·inverse, x3 = λ² − (x1 + x2),
    /// y3 = λ·(x1 − x3) − y1.
    clocked AddStep
    inputs {
        /// x1, y1, x1 + x2, tag.
        leaf: Bits<782>,
        /// y2 − y1, or 3x1² of a doubling.
        numerator: Bits<254>,
        /// Inverse of x2 − x1, or of 2y1.
        inverse: Bits<254>,
        /// A pair enters.
        valid_in: Bit,
    }
    outputs {
        /// x3, y3.
        sum: Bits<508>,
        /// The pair's tag.
        tag_out: Bits<20>,
        /// A sum leaves.
        valid_out: Bit,
    }
}

/// What [`AddStep`] hosts.
fn add_step(curve: Curve, config: &DatapathConfig) -> Rc<Module> {
    let prime = curve.base_field();
    let path = Datapath::new(format!("batched_add_step_{}", prime.name()), config);
    let leaf = path.input("leaf", 3 * FIELD_BITS + TAG_BITS);
    let numerator = path.input("numerator", FIELD_BITS);
    let inverse = path.input("inverse", FIELD_BITS);
    let valid = path.input("valid_in", 1);
    let modulus = path.constant(prime.modulus(), FIELD_BITS);
    let [x1, y1, x_sum] = [0, 1, 2].map(|index| path.slice(leaf, index * FIELD_BITS, FIELD_BITS));
    let tag = path.slice(leaf, 3 * FIELD_BITS, TAG_BITS);
    let multiplier = adder_multiplier(prime, config);
    let multiply = |a, b| path.instance(&multiplier, &[a, b])[0];
    let slope = multiply(numerator, inverse);
    let x3 = path.modular_subtract(multiply(slope, slope), x_sum, modulus);
    let y3 = path.modular_subtract(multiply(slope, path.modular_subtract(x1, x3, modulus)), y1, modulus);
    let sum = path.concat(&[x3, y3]);
    Rc::new(path.finish(&[("sum", sum), ("tag_out", tag), ("valid_out", valid)]))
}

impl AddStep {
    /// In the field of a curve.
    pub fn new(curve: Curve, config: &DatapathConfig) -> AddStep {
        AddStep::host(add_step(curve, config))
    }
}

/// Every pipeline of an adder: six multipliers in all.
pub fn pipelines(curve: Curve, config: &DatapathConfig, shape: &BatchedShape) -> [Rc<Module>; 5] {
    [
        front(curve, config),
        up_step(curve, config, shape),
        triple(curve, config),
        down_step(curve, config),
        add_step(curve, config),
    ]
}
