//! The batched-affine adder without its arithmetic: frames, the product tree, the inverter, the way down.

use super::{Issue, Pair, Token};
use std::collections::VecDeque;

/// How the tree of denominators grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tree {
    /// One held node a batch; what comes meets it, a leaf or a product.
    OneHeld,
    /// A held leaf and a held product a batch: leaves meet leaves and products meet products, until leaves are over.
    TwoHeld,
}

/// Sizes of a batched-affine adder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchedShape {
    /// Cycles from a pair's arrival until its denominator may be multiplied.
    pub front_cycles: u32,
    /// Latency L of a multiplier.
    pub multiplier_cycles: u32,
    /// Pairs of a full batch.
    pub batch_pairs: u32,
    /// Frames: batches under way at once.
    pub frames: u32,
    /// Cycles of an inversion, one at a time.
    pub inverse_cycles: u32,
    /// Cycles from a pair's inverse to its sum.
    pub add_cycles: u32,
    /// A batch of so many pairs closes when the inverter is going to be idle.
    pub close_pairs: u32,
    /// A batch closes when no pair has come for so long and the inverter is going to be idle.
    pub close_quiet_cycles: u32,
    /// The inverter counts as idle so many cycles before it is.
    pub merge_cycles: u32,
    /// How the tree grows.
    pub tree: Tree,
    /// A finished tree leaves its context while its root waits for the inverter.
    pub root_register: bool,
}

impl BatchedShape {
    /// The shape with a multiplier of latency `multiplier_cycles`.
    pub fn of_latency(multiplier_cycles: u32) -> BatchedShape {
        BatchedShape {
            front_cycles: 6,
            multiplier_cycles,
            batch_pairs: 1024,
            frames: 4,
            inverse_cycles: 592,
            add_cycles: 3 * multiplier_cycles + 8,
            close_pairs: 512,
            close_quiet_cycles: 32,
            merge_cycles: 64,
            tree: Tree::TwoHeld,
            root_register: false,
        }
    }
}

#[derive(Clone, Default)]
struct Frame {
    /// Sums of the pairs.
    leaves: Vec<Token>,
    doubles: Vec<bool>,
    /// Children of the products.
    nodes: Vec<[u16; 2]>,
    /// Leaves that passed the front, and those the tree has taken.
    arrived: u32,
    merged: u32,
    under_way: u32,
    left: u32,
    leaf: Option<u16>,
    product: Option<u16>,
    closed: bool,
    doubled: bool,
}

/// The adder.
pub struct Batched {
    shape: BatchedShape,
    frames: Vec<Frame>,
    free: Vec<usize>,
    filling: Option<usize>,
    closing: Option<usize>,
    root: Option<(usize, u16)>,
    quiet: u32,
    now: u64,
    front: VecDeque<(u64, usize)>,
    products: VecDeque<(u64, usize, u16)>,
    inverting: Option<(u64, usize, u16)>,
    nodes: VecDeque<(usize, u16)>,
    inverses: VecDeque<(u64, usize, u16)>,
    leaves: VecDeque<(usize, u16)>,
    sums: VecDeque<(u64, Token)>,
    /// Batches closed.
    pub batches: u64,
    /// Cycles in which no frame took pairs.
    pub no_frame: u64,
}

/// Numbers of products begin here, those of leaves at zero.
const PRODUCT: u16 = 1 << 12;

impl Batched {
    /// An empty adder.
    pub fn new(shape: BatchedShape) -> Batched {
        let frames = shape.frames as usize;
        Batched {
            shape,
            frames: vec![Frame::default(); frames],
            free: (1..frames).rev().collect(),
            filling: Some(0),
            closing: None,
            root: None,
            quiet: 0,
            now: 0,
            front: VecDeque::new(),
            products: VecDeque::new(),
            inverting: None,
            nodes: VecDeque::new(),
            inverses: VecDeque::new(),
            leaves: VecDeque::new(),
            sums: VecDeque::new(),
            batches: 0,
            no_frame: 0,
        }
    }

    /// A pair may be issued in this cycle.
    pub fn ready(&self) -> bool {
        self.filling.is_some_and(|frame| (self.frames[frame].leaves.len() as u32) < self.shape.batch_pairs)
    }

    /// It holds an open batch with pairs in it.
    pub fn waiting(&self) -> bool {
        self.filling.is_some_and(|frame| !self.frames[frame].leaves.is_empty())
    }

    /// One cycle: takes a pair, gives a sum.
    pub fn step(&mut self, pair: Option<Pair>) -> (Option<Token>, Issue) {
        self.now += 1;
        let now = self.now;
        let shape = self.shape;
        if self.filling.is_none() {
            self.no_frame += 1;
        }

        // Add stage.
        let sum = match self.sums.front() {
            Some((due, token)) if *due == now => {
                let token = *token;
                self.sums.pop_front();
                Some(token)
            }
            _ => None,
        };
        if let Some((frame, leaf)) = self.leaves.pop_front() {
            let of = &mut self.frames[frame];
            self.sums.push_back((now + u64::from(shape.add_cycles), of.leaves[usize::from(leaf)]));
            of.left += 1;
            if of.left as usize == of.leaves.len() {
                *of = Frame::default();
                self.free.push(frame);
            }
        }

        // Down.
        if let Some((due, frame, node)) = self.inverses.front().copied()
            && due == now
        {
            self.inverses.pop_front();
            for child in self.frames[frame].nodes[usize::from(node - PRODUCT)] {
                self.has_inverse(frame, child);
            }
        }
        if let Some((frame, node)) = self.nodes.pop_front() {
            self.inverses.push_back((now + u64::from(shape.multiplier_cycles), frame, node));
        }

        // Inverter.
        if let Some((due, frame, root)) = self.inverting
            && due <= now
        {
            self.inverting = None;
            self.has_inverse(frame, root);
        }
        if self.inverting.is_none()
            && let Some((frame, root)) = self.root.take()
        {
            self.inverting = Some((now + u64::from(shape.inverse_cycles), frame, root));
        }

        self.up();

        // Front.
        while self.front.front().is_some_and(|(due, _)| *due <= now) {
            if let Some((_, frame)) = self.front.pop_front() {
                self.frames[frame].arrived += 1;
            }
        }
        let mut issue = Issue::None;
        self.quiet = (self.quiet + 1).min(1 << 20);
        if let Some(pair) = pair {
            self.quiet = 0;
            let sum = pair.p.wrapping_add(pair.q);
            issue = match (sum, pair.p == pair.q) {
                (0, _) => Issue::Annihilation,
                (_, true) => Issue::Doubling,
                _ => Issue::Addition,
            };
            if let (true, Some(frame)) = (issue != Issue::Annihilation, self.filling) {
                self.frames[frame].leaves.push(Token { slot: pair.slot, point: sum });
                self.frames[frame].doubles.push(issue == Issue::Doubling);
                self.front.push_back((now + u64::from(shape.front_cycles), frame));
            }
        }
        self.close();
        (sum, issue)
    }

    pub fn debug(&self) {
        eprintln!("filling {:?} closing {:?} root {:?} inverting {:?} free {:?} now {}", self.filling, self.closing, self.root, self.inverting, self.free, self.now);
        for f in &self.frames { eprintln!("leaves {} arrived {} merged {} uw {} left {} leaf {:?} product {:?} closed {}", f.leaves.len(), f.arrived, f.merged, f.under_way, f.left, f.leaf, f.product, f.closed); }
    }
    fn has_inverse(&mut self, frame: usize, node: u16) {
        match node < PRODUCT {
            true => self.leaves.push_back((frame, node)),
            false => self.nodes.push_back((frame, node)),
        }
    }

    fn multiply(&mut self, frame: usize, children: [u16; 2]) {
        let of = &mut self.frames[frame];
        let node = PRODUCT + of.nodes.len() as u16;
        of.nodes.push(children);
        of.under_way += 1;
        self.products.push_back((self.now + u64::from(self.shape.multiplier_cycles), frame, node));
    }

    /// One cycle of the multiplier that builds the trees: a product that comes back first, then a leaf.
    fn up(&mut self) {
        let two = self.shape.tree == Tree::TwoHeld;
        let mut busy = false;
        let back = match self.products.front() {
            Some((due, frame, node)) if *due <= self.now => Some((*frame, *node)),
            _ => None,
        };
        if let Some((frame, node)) = back {
            self.products.pop_front();
            self.frames[frame].under_way -= 1;
            let over = self.leaves_over(frame);
            let of = &mut self.frames[frame];
            if let Some(other) = of.product.take() {
                self.multiply(frame, [node, other]);
                busy = true;
            } else if let (true, Some(other)) = (!two || over, of.leaf) {
                of.leaf = None;
                self.multiply(frame, [node, other]);
                busy = true;
            } else if !two && of.merged < of.arrived && !of.doubles[of.merged as usize] {
                let leaf = of.merged as u16;
                of.merged += 1;
                self.multiply(frame, [node, leaf]);
                return;
            } else {
                of.product = Some(node);
            }
        }
        // The next leaf, the older batch first.
        for frame in [self.closing, self.filling].into_iter().flatten() {
            let of = &mut self.frames[frame];
            if of.merged == of.arrived {
                continue;
            }
            if of.doubles[of.merged as usize] && !of.doubled {
                // The numerator of a tangent takes the multiplier for one cycle.
                of.doubled = !busy;
                return;
            }
            let leaf = of.merged as u16;
            let other = match two {
                true => of.leaf,
                false => of.leaf.or(of.product),
            };
            match other {
                Some(other) if !busy => {
                    of.leaf = None;
                    if !two {
                        of.product = None;
                    }
                    of.merged += 1;
                    of.doubled = false;
                    self.multiply(frame, [other, leaf]);
                    busy = true;
                }
                None => {
                    of.leaf = Some(leaf);
                    of.merged += 1;
                    of.doubled = false;
                }
                Some(_) => {}
            }
            break;
        }
        // What is left of a batch whose leaves are over.
        if let Some(frame) = self.closing
            && self.leaves_over(frame)
        {
            let of = &mut self.frames[frame];
            if let (false, Some(leaf), Some(product)) = (busy, of.leaf, of.product) {
                of.leaf = None;
                of.product = None;
                self.multiply(frame, [product, leaf]);
            }
            let of = &self.frames[frame];
            if of.under_way == 0
                && let (Some(root), None) | (None, Some(root)) = (of.leaf, of.product)
                && self.root.is_none()
            {
                if self.shape.root_register || self.inverting.is_none() {
                    self.closing = None;
                    self.root = Some((frame, root));
                }
            }
        }
    }

    fn leaves_over(&self, frame: usize) -> bool {
        let of = &self.frames[frame];
        of.closed && of.merged as usize == of.leaves.len()
    }

    fn close(&mut self) {
        let shape = self.shape;
        if let (None, Some(frame)) = (self.closing, self.filling) {
            let pairs = self.frames[frame].leaves.len() as u32;
            let soon = self.inverting.is_none_or(|(due, ..)| due <= self.now + u64::from(shape.merge_cycles))
                && self.root.is_none();
            let wanted = pairs >= shape.close_pairs || self.quiet >= shape.close_quiet_cycles;
            if pairs > 0 && (pairs == shape.batch_pairs || (soon && wanted)) {
                self.frames[frame].closed = true;
                self.closing = Some(frame);
                self.filling = None;
                self.batches += 1;
            }
        }
        if self.filling.is_none() {
            self.filling = self.free.pop();
        }
    }
}
