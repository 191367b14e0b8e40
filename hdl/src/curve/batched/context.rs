//! One of the two batches that are on their way up.

use super::shape::BatchedShape;
use rust_hdl::prelude::*;

/// The account of a batch on its way up, and the one value of it that waits for a partner. Every leaf adds a value and
/// every merge takes one away, so the batch's root is known when one value is left and it is the one held.
#[derive(LogicBlock)]
pub struct Context {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Empties the context.
    pub reset: Signal<In, Bit>,
    /// A leaf joins the batch.
    pub leaf: Signal<In, Bit>,
    /// Two values are merged.
    pub merge: Signal<In, Bit>,
    /// The value `value` is held from the next cycle on; only while none is held.
    pub hold: Signal<In, Bit>,
    /// Its number: bits 9:0 that of the leaf or node, bit 10 a leaf.
    pub id: Signal<In, Bits<11>>,
    /// The value.
    pub value: Signal<In, Bits<254>>,
    /// The held value is merged.
    pub let_go: Signal<In, Bit>,
    /// A value is held.
    pub held: Signal<Out, Bit>,
    /// Its number.
    pub held_id: Signal<Out, Bits<11>>,
    /// The value.
    pub held_value: Signal<Out, Bits<254>>,
    /// Leaves of the batch.
    pub leaves: Signal<Out, Bits<11>>,
    /// Merges of the batch: the number of the next node.
    pub merges: Signal<Out, Bits<11>>,
    /// There is a leaf.
    pub begun: Signal<Out, Bit>,
    /// The batch is full.
    pub full: Signal<Out, Bit>,
    /// There is a leaf on its way; else, if the batch has begun, the cycle counts as a gap.
    pub coming: Signal<In, Bit>,
    /// The batch has enough leaves to be closed early.
    pub enough: Signal<Out, Bit>,
    /// The held value is the product of all leaves.
    pub root: Signal<Out, Bit>,
    held_now: DFF<Bit>,
    id_now: DFF<Bits<11>>,
    value_now: DFF<Bits<254>>,
    leaf_count: DFF<Bits<11>>,
    merge_count: DFF<Bits<11>>,
    /// Cycles without a leaf since the first one.
    gaps: DFF<Bits<9>>,
    quarter: Signal<Local, Bits<9>>,
    next_merge: Signal<Local, Bits<11>>,
    batch_pairs: Constant<Bits<11>>,
    early_pairs: Constant<Bits<11>>,
    sparse_pairs: Constant<Bits<11>>,
    most_gaps: Constant<Bits<9>>,
}

impl Context {
    /// An empty context.
    pub fn new(shape: &BatchedShape) -> Context {
        Context {
            clock: Default::default(),
            reset: Default::default(),
            leaf: Default::default(),
            merge: Default::default(),
            hold: Default::default(),
            id: Default::default(),
            value: Default::default(),
            let_go: Default::default(),
            held: Default::default(),
            held_id: Default::default(),
            held_value: Default::default(),
            leaves: Default::default(),
            merges: Default::default(),
            begun: Default::default(),
            full: Default::default(),
            coming: Default::default(),
            enough: Default::default(),
            gaps: Default::default(),
            quarter: Default::default(),
            root: Default::default(),
            held_now: Default::default(),
            id_now: Default::default(),
            value_now: Default::default(),
            leaf_count: Default::default(),
            merge_count: Default::default(),
            next_merge: Default::default(),
            batch_pairs: Constant::new(shape.batch_pairs.to_bits()),
            early_pairs: Constant::new(shape.early_pairs().to_bits()),
            sparse_pairs: Constant::new(shape.sparse_pairs().to_bits()),
            most_gaps: Constant::new(511u32.to_bits()),
        }
    }
}

impl Logic for Context {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, held_now, id_now, value_now, leaf_count, merge_count, gaps);
        self.held.next = self.held_now.q.val();
        self.held_id.next = self.id_now.q.val();
        self.held_value.next = self.value_now.q.val();
        self.leaves.next = self.leaf_count.q.val();
        self.merges.next = self.merge_count.q.val();
        self.begun.next = self.leaf_count.q.val() != 0;
        self.full.next = self.leaf_count.q.val() == self.batch_pairs.val();
        self.quarter.next = self.leaf_count.q.val().get_bits::<9>(2);
        self.enough.next = (self.leaf_count.q.val() >= self.early_pairs.val())
            | ((self.leaf_count.q.val() >= self.sparse_pairs.val())
                & (self.gaps.q.val() >= self.quarter.val()));
        if (self.leaf_count.q.val() != 0) & !self.coming.val() & (self.gaps.q.val() != self.most_gaps.val()) {
            self.gaps.d.next = self.gaps.q.val() + 1;
        }
        self.next_merge.next = self.merge_count.q.val() + 1;
        self.root.next = self.held_now.q.val() & (self.next_merge.val() == self.leaf_count.q.val());
        if self.leaf.val() {
            self.leaf_count.d.next = self.leaf_count.q.val() + 1;
        }
        if self.merge.val() {
            self.merge_count.d.next = self.next_merge.val();
        }
        if self.let_go.val() {
            self.held_now.d.next = false;
        }
        if self.hold.val() {
            self.held_now.d.next = true;
            self.id_now.d.next = self.id.val();
            self.value_now.d.next = self.value.val();
        }
        if self.reset.val() {
            self.held_now.d.next = false;
            self.leaf_count.d.next = 0.into();
            self.merge_count.d.next = 0.into();
            self.gaps.d.next = 0.into();
        }
    }
}
