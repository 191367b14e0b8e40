//! The way up of the batched adder: [`crate::curve::batched`] without its values.

use super::delay::Delay;
use super::{BatchedModel, FRAMES, Leaf};

/// The number of a leaf or, below [`LEAF`], of a node in its frame.
pub(super) type Id = u16;

/// Bit of an [`Id`] that tells a leaf.
pub(super) const LEAF: Id = 1 << 10;

/// Where the count of gaps stands still.
const MOST_GAPS: u32 = 511;

#[derive(Clone, Copy, Debug, Default)]
struct Context {
    held: Option<Id>,
    leaves: u32,
    merges: u32,
    /// Cycles without a leaf since the first one.
    gaps: u32,
}

#[derive(Clone, Copy, Debug)]
enum Product {
    Node { context: usize, index: Id },
    Square,
}

/// What the way up did in a cycle.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct UpEvents {
    /// The leaf that was offered is taken, as this one of the frame that fills.
    pub(super) took: Option<Id>,
    /// A node comes into being: its frame, number and children.
    pub(super) node: Option<(usize, Id, [Id; 2])>,
    /// A batch is closed: its frame and leaves.
    pub(super) closed: Option<(usize, u32)>,
    /// A root goes to the inverter: its frame and number.
    pub(super) root: Option<(usize, Id)>,
}

/// Two batches on their way to their products.
pub(super) struct Up {
    model: BatchedModel,
    contexts: [Context; 2],
    which: usize,
    closing: bool,
    pub(super) frame: usize,
    squared: bool,
    quiet: u32,
    inverse_left: u32,
    products: Delay<Product>,
    triples: Delay<()>,
}

impl Up {
    pub(super) fn new(model: BatchedModel) -> Up {
        Up {
            model,
            contexts: [Context::default(); 2],
            which: 0,
            closing: false,
            frame: 0,
            squared: false,
            quiet: 0,
            inverse_left: 0,
            products: Delay::new(model.up_cycles),
            triples: Delay::new(model.triple_cycles),
        }
    }

    /// One cycle. `free`: which frames have no leaves of a closed batch; `inverter_ready`: a root would be taken;
    /// `sum_leaves`: the adder gives a sum.
    pub(super) fn step(
        &mut self,
        now: u64,
        leaf: Option<Leaf>,
        free: [bool; FRAMES],
        inverter_ready: bool,
        sum_leaves: bool,
    ) -> UpEvents {
        let mut events = UpEvents::default();
        let model = self.model;
        let (filling, closed) = (self.which, 1 - self.which);
        let fill = self.contexts[filling];
        let old = self.contexts[closed];
        let full = fill.leaves == model.batch_pairs;
        let soon = self.inverse_left <= model.soon_cycles;
        let next = (self.frame + 1) % FRAMES;
        let enough = fill.leaves >= model.early_pairs
            || (fill.leaves >= model.sparse_pairs && fill.gaps >= fill.leaves / 4);
        let close = !self.closing
            && fill.leaves != 0
            && !self.squared
            && (full || (soon && (self.quiet == model.quiet_cycles || (enough && free[next]))));

        let triple = self.triples.leave(now).is_some();
        let product = match self.products.leave(now) {
            Some(Product::Node { context, index }) => Some((context, index)),
            Some(Product::Square) => {
                self.triples.enter(now, ());
                None
            }
            None => None,
        };
        let own = product.is_some_and(|(context, _)| context == filling);
        let room = leaf.is_some() && free[self.frame] && !full && !close;
        let doubling = leaf.is_some_and(|leaf| leaf.doubling);
        let needs_square = doubling && !self.squared;
        let can = room && !needs_square && (doubling || !triple);
        let leaf_id = fill.leaves as Id | LEAF;

        let mut busy = true;
        let mut took = can;
        match product {
            Some((_, index)) if own && can => {
                self.multiply(now, &mut events, filling, [index, leaf_id], false)
            }
            Some((context, index)) => {
                match self.contexts[context].held {
                    Some(held) => self.multiply(now, &mut events, context, [index, held], true),
                    None => {
                        self.contexts[context].held = Some(index);
                        busy = false;
                    }
                }
                // A product of its own batch that cannot meet the leaf leaves it no turn.
                took = can && !own && self.leaf(now, &mut events, fill.held, leaf_id, &mut busy);
            }
            None => {
                busy = false;
                took = took && self.leaf(now, &mut events, fill.held, leaf_id, &mut busy);
            }
        }
        if room && needs_square && !busy {
            self.products.enter(now, Product::Square);
            self.squared = true;
        }
        if took {
            self.contexts[filling].leaves += 1;
            self.squared = false;
            self.quiet = 0;
            events.took = Some(fill.leaves as Id);
        } else {
            self.quiet = (self.quiet + 1).min(model.quiet_cycles);
        }
        if sum_leaves {
            self.quiet = 0;
        }
        if fill.leaves != 0 && leaf.is_none() {
            self.contexts[filling].gaps = (fill.gaps + 1).min(MOST_GAPS);
        }

        self.inverse_left = self.inverse_left.saturating_sub(1);
        if let Some(root) = old.held
            && self.closing
            && old.merges + 1 == old.leaves
            && inverter_ready
        {
            self.closing = false;
            self.inverse_left = model.inverse_cycles;
            self.contexts[closed] = Context::default();
            events.root = Some(((self.frame + FRAMES - 1) % FRAMES, root));
        }
        if close {
            self.closing = true;
            events.closed = Some((self.frame, fill.leaves));
            self.which = closed;
            self.frame = next;
        }
        events
    }

    /// The leaf without a product of its batch: true if it is taken.
    fn leaf(&mut self, now: u64, events: &mut UpEvents, held: Option<Id>, leaf: Id, busy: &mut bool) -> bool {
        match held {
            Some(held) if !*busy => {
                *busy = true;
                self.multiply(now, events, self.which, [leaf, held], true);
                true
            }
            Some(_) => false,
            None => {
                self.contexts[self.which].held = Some(leaf);
                true
            }
        }
    }

    fn multiply(&mut self, now: u64, events: &mut UpEvents, context: usize, children: [Id; 2], let_go: bool) {
        let of = &mut self.contexts[context];
        let index = of.merges as Id;
        of.merges += 1;
        if let_go {
            of.held = None;
        }
        let frame = match context == self.which {
            true => self.frame,
            false => (self.frame + FRAMES - 1) % FRAMES,
        };
        self.products.enter(now, Product::Node { context, index });
        events.node = Some((frame, index, children));
    }
}
