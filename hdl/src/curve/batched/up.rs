//! The way up: from the denominators of a batch to their product, on one multiplier.

use super::context::Context;
use super::pipelines::{NodeWord, Triple, UpStep};
use super::shape::{BatchedShape, QUIET_CYCLES};
use crate::curve::Curve;
use crate::datapath::DatapathConfig;
use rust_hdl::prelude::*;

/// Match or hold: whatever value has no partner in its batch waits in the batch's register, the next one is multiplied
/// with it. Products return to be matched again, and never wait: the leaf gives way.
///
/// Two batches are on their way at once, each in a [`Context`]: one *fills*, the other is *closed* and merges what of
/// it is under way. When the closed one is a single value, its root, that goes to the inverter.
///
/// | returning product | leaf | multiplied | held |
/// | --- | --- | --- | --- |
/// | of the filling batch | yes | both | |
/// | of either | not of its batch | with what its batch holds | else the product |
/// | no, or it is held | yes | with what the batch holds | else the leaf |
/// | no, or it is held | a doubling's | x1·x1 first | |
#[derive(LogicBlock)]
pub struct UpTree {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Forgets all; must last for [`UpTree::flush_cycles`].
    pub reset: Signal<In, Bit>,
    /// There is a leaf.
    pub leaf_valid: Signal<In, Bit>,
    /// It is a doubling.
    pub leaf_doubling: Signal<In, Bit>,
    /// Its x1.
    pub leaf_x: Signal<In, Bits<254>>,
    /// Its denominator.
    pub leaf_denominator: Signal<In, Bits<254>>,
    /// It is taken, as leaf `leaf_index` of `fill_frame`.
    pub leaf_take: Signal<Out, Bit>,
    /// See `leaf_take`.
    pub leaf_index: Signal<Out, Bits<10>>,
    /// The frame that fills.
    pub fill_frame: Signal<Out, Bits<2>>,
    /// That frame is free.
    pub fill_free: Signal<In, Bit>,
    /// The frame after it is free.
    pub next_free: Signal<In, Bit>,
    /// A sum leaves the adder, and may come back.
    pub sum_leaves: Signal<In, Bit>,
    /// The batch in `fill_frame` is closed.
    pub close: Signal<Out, Bit>,
    /// Its leaves.
    pub close_leaves: Signal<Out, Bits<11>>,
    /// The batch that fills has leaves.
    pub begun: Signal<Out, Bit>,
    /// A node comes into being.
    pub node_write: Signal<Out, Bit>,
    /// Its frame.
    pub node_frame: Signal<Out, Bits<2>>,
    /// Its number.
    pub node_index: Signal<Out, Bits<10>>,
    /// Its record, see [`NodeWord`].
    pub node_word: Signal<Out, Bits<530>>,
    /// A doubling's numerator is known.
    pub numerator_write: Signal<Out, Bit>,
    /// Its leaf's frame.
    pub numerator_frame: Signal<Out, Bits<2>>,
    /// Its leaf's number.
    pub numerator_index: Signal<Out, Bits<10>>,
    /// The numerator.
    pub numerator: Signal<Out, Bits<254>>,
    /// There is a root.
    pub root_valid: Signal<Out, Bit>,
    /// It is taken into the inverter.
    pub root_ready: Signal<In, Bit>,
    /// The product of all leaves.
    pub root_value: Signal<Out, Bits<254>>,
    /// Its number; bit 10: it is a leaf.
    pub root_id: Signal<Out, Bits<11>>,
    /// Its frame.
    pub root_frame: Signal<Out, Bits<2>>,
    even: Context,
    odd: Context,
    step: UpStep,
    triple: Triple,
    word: NodeWord,
    /// The context that fills: the odd one.
    which: DFF<Bit>,
    /// The other one is in use.
    closing: DFF<Bit>,
    frame: DFF<Bits<2>>,
    /// The leaf's square has been issued.
    squared: DFF<Bit>,
    quiet: DFF<Bits<8>>,
    inverse_left: DFF<Bits<16>>,
    // What enters the multiplier.
    op_valid: DFF<Bit>,
    op_square: DFF<Bit>,
    op_context: DFF<Bit>,
    op_index: DFF<Bits<10>>,
    op_frame: DFF<Bits<2>>,
    op_a: DFF<Bits<254>>,
    op_b: DFF<Bits<254>>,
    op_id_a: DFF<Bits<11>>,
    op_id_b: DFF<Bits<11>>,
    closed_frame: Signal<Local, Bits<2>>,
    soon: Signal<Local, Bit>,
    begun_now: Signal<Local, Bit>,
    full: Signal<Local, Bit>,
    enough: Signal<Local, Bit>,
    fill_held: Signal<Local, Bit>,
    fill_leaves: Signal<Local, Bits<11>>,
    product: Signal<Local, Bit>,
    product_held: Signal<Local, Bit>,
    product_id: Signal<Local, Bits<11>>,
    leaf_id: Signal<Local, Bits<11>>,
    own: Signal<Local, Bit>,
    close_now: Signal<Local, Bit>,
    room: Signal<Local, Bit>,
    needs_square: Signal<Local, Bit>,
    leaf_can: Signal<Local, Bit>,
    pair_both: Signal<Local, Bit>,
    pair_product: Signal<Local, Bit>,
    hold_product: Signal<Local, Bit>,
    pair_leaf: Signal<Local, Bit>,
    hold_leaf: Signal<Local, Bit>,
    square: Signal<Local, Bit>,
    take: Signal<Local, Bit>,
    merge: Signal<Local, Bit>,
    partner_context: Signal<Local, Bit>,
    partner: Signal<Local, Bits<254>>,
    partner_id: Signal<Local, Bits<11>>,
    op_merges: Signal<Local, Bits<11>>,
    root_now: Signal<Local, Bit>,
    root_taken: Signal<Local, Bit>,
    quiet_limit: Constant<Bits<8>>,
    soon_limit: Constant<Bits<16>>,
    inverse_cycles: Constant<Bits<16>>,
    leaf_bit: Constant<Bits<11>>,
    _flush_cycles: usize,
}

impl UpTree {
    /// The tree of a curve, before an inverter of this latency.
    pub fn new(curve: Curve, config: &DatapathConfig, shape: &BatchedShape, inverse_cycles: usize) -> UpTree {
        let (step, triple) = (UpStep::new(curve, config, shape), Triple::new(curve, config));
        // A doubling's numerator is there before its leaf's inverse can be.
        assert!(step.latency() + triple.latency() + 8 < inverse_cycles, "multiplier slower than inverter");
        UpTree {
            clock: Default::default(),
            reset: Default::default(),
            leaf_valid: Default::default(),
            leaf_doubling: Default::default(),
            leaf_x: Default::default(),
            leaf_denominator: Default::default(),
            leaf_take: Default::default(),
            leaf_index: Default::default(),
            fill_frame: Default::default(),
            fill_free: Default::default(),
            next_free: Default::default(),
            sum_leaves: Default::default(),
            close: Default::default(),
            close_leaves: Default::default(),
            begun: Default::default(),
            node_write: Default::default(),
            node_frame: Default::default(),
            node_index: Default::default(),
            node_word: Default::default(),
            numerator_write: Default::default(),
            numerator_frame: Default::default(),
            numerator_index: Default::default(),
            numerator: Default::default(),
            root_valid: Default::default(),
            root_ready: Default::default(),
            root_value: Default::default(),
            root_id: Default::default(),
            root_frame: Default::default(),
            even: Context::new(shape),
            odd: Context::new(shape),
            _flush_cycles: step.latency().max(triple.latency()) + 2,
            step,
            triple,
            word: NodeWord::new(),
            which: Default::default(),
            closing: Default::default(),
            frame: Default::default(),
            squared: Default::default(),
            quiet: Default::default(),
            inverse_left: Default::default(),
            op_valid: Default::default(),
            op_square: Default::default(),
            op_context: Default::default(),
            op_index: Default::default(),
            op_frame: Default::default(),
            op_a: Default::default(),
            op_b: Default::default(),
            op_id_a: Default::default(),
            op_id_b: Default::default(),
            closed_frame: Default::default(),
            soon: Default::default(),
            begun_now: Default::default(),
            full: Default::default(),
            enough: Default::default(),
            fill_held: Default::default(),
            fill_leaves: Default::default(),
            product: Default::default(),
            product_held: Default::default(),
            product_id: Default::default(),
            leaf_id: Default::default(),
            own: Default::default(),
            close_now: Default::default(),
            room: Default::default(),
            needs_square: Default::default(),
            leaf_can: Default::default(),
            pair_both: Default::default(),
            pair_product: Default::default(),
            hold_product: Default::default(),
            pair_leaf: Default::default(),
            hold_leaf: Default::default(),
            square: Default::default(),
            take: Default::default(),
            merge: Default::default(),
            partner_context: Default::default(),
            partner: Default::default(),
            partner_id: Default::default(),
            op_merges: Default::default(),
            root_now: Default::default(),
            root_taken: Default::default(),
            quiet_limit: Constant::new(QUIET_CYCLES.to_bits()),
            soon_limit: Constant::new(shape.merge_cycles().to_bits()),
            inverse_cycles: Constant::new(inverse_cycles.to_bits()),
            leaf_bit: Constant::new(1024u32.to_bits()),
        }
    }

    /// Cycles for which a reset must last.
    pub fn flush_cycles(&self) -> usize {
        self._flush_cycles
    }
}

impl Logic for UpTree {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, which, closing, frame, squared, quiet, inverse_left, op_valid, op_square);
        dff_setup!(self, clock, op_context, op_index, op_frame, op_a, op_b, op_id_a, op_id_b);
        self.even.clock.next = self.clock.val();
        self.odd.clock.next = self.clock.val();
        self.step.clock.next = self.clock.val();
        self.triple.clock.next = self.clock.val();
        self.fill_frame.next = self.frame.q.val();
        // Frames are used in turn, so the closed batch is in the one before.
        self.closed_frame.next = self.frame.q.val() - 1;

        // The batch that fills.
        self.begun_now.next = self.even.begun.val();
        self.full.next = self.even.full.val();
        self.enough.next = self.even.enough.val();
        self.fill_held.next = self.even.held.val();
        self.fill_leaves.next = self.even.leaves.val();
        if self.which.q.val() {
            self.begun_now.next = self.odd.begun.val();
            self.full.next = self.odd.full.val();
            self.enough.next = self.odd.enough.val();
            self.fill_held.next = self.odd.held.val();
            self.fill_leaves.next = self.odd.leaves.val();
        }
        self.begun.next = self.begun_now.val();
        self.leaf_index.next = self.fill_leaves.val().get_bits::<10>(0);
        self.leaf_id.next = self.fill_leaves.val() | self.leaf_bit.val();
        self.close_leaves.next = self.fill_leaves.val();

        // Closing.
        self.soon.next = self.inverse_left.q.val() <= self.soon_limit.val();
        self.close_now.next = !self.closing.q.val()
            & self.begun_now.val()
            & !self.squared.q.val()
            & (self.full.val()
                | (self.soon.val()
                    & ((self.quiet.q.val() == self.quiet_limit.val())
                        | (self.enough.val() & self.next_free.val()))));
        self.close.next = self.close_now.val();

        // The product that returns.
        self.product.next = self.step.valid_out.val() & !self.step.square_out.val();
        self.product_held.next = self.even.held.val();
        if self.step.context_out.val() {
            self.product_held.next = self.odd.held.val();
        }
        self.product_id.next = bit_cast::<11, 10>(self.step.index_out.val());
        self.own.next = self.product.val() & !(self.step.context_out.val() ^ self.which.q.val());

        // The leaf. Its numerator and that of an earlier doubling do not go into the memory in one cycle.
        self.triple.value.next = self.step.product.val();
        self.triple.index.next = self.step.index_out.val();
        self.triple.frame.next = self.step.frame_out.val();
        self.triple.valid_in.next = self.step.valid_out.val() & self.step.square_out.val();
        self.numerator_write.next = self.triple.valid_out.val() & !self.reset.val();
        self.numerator_frame.next = self.triple.frame_out.val();
        self.numerator_index.next = self.triple.index_out.val();
        self.numerator.next = self.triple.triple.val();
        self.room.next = self.leaf_valid.val()
            & self.fill_free.val()
            & !self.full.val()
            & !self.close_now.val()
            & !self.reset.val();
        self.needs_square.next = self.leaf_doubling.val() & !self.squared.q.val();
        self.leaf_can.next = self.room.val()
            & !self.needs_square.val()
            & (self.leaf_doubling.val() | !self.triple.valid_out.val());

        // Match or hold.
        self.pair_both.next = self.own.val() & self.leaf_can.val();
        self.pair_product.next = self.product.val() & !self.pair_both.val() & self.product_held.val();
        self.hold_product.next = self.product.val() & !self.pair_both.val() & !self.product_held.val();
        self.pair_leaf.next =
            self.leaf_can.val() & !self.own.val() & self.fill_held.val() & !self.pair_product.val();
        self.hold_leaf.next = self.leaf_can.val() & !self.own.val() & !self.fill_held.val();
        self.square.next = self.room.val() & self.needs_square.val() & !self.pair_product.val();
        self.take.next = self.pair_both.val() | self.pair_leaf.val() | self.hold_leaf.val();
        self.merge.next = self.pair_both.val() | self.pair_product.val() | self.pair_leaf.val();
        self.leaf_take.next = self.take.val();
        if self.square.val() {
            self.squared.d.next = true;
        }
        if self.take.val() {
            self.squared.d.next = false;
            self.quiet.d.next = 0.into();
        } else {
            if self.quiet.q.val() != self.quiet_limit.val() {
                self.quiet.d.next = self.quiet.q.val() + 1;
            }
        }
        if self.sum_leaves.val() {
            self.quiet.d.next = 0.into();
        }

        // What is multiplied.
        self.partner_context.next = self.which.q.val();
        if self.pair_product.val() {
            self.partner_context.next = self.step.context_out.val();
        }
        self.partner.next = self.even.held_value.val();
        self.partner_id.next = self.even.held_id.val();
        self.op_merges.next = self.even.merges.val();
        if self.partner_context.val() {
            self.partner.next = self.odd.held_value.val();
            self.partner_id.next = self.odd.held_id.val();
            self.op_merges.next = self.odd.merges.val();
        }
        self.op_valid.d.next = self.merge.val() | self.square.val();
        self.op_square.d.next = self.square.val();
        self.op_context.d.next = self.partner_context.val();
        self.op_frame.d.next = self.closed_frame.val();
        if !(self.partner_context.val() ^ self.which.q.val()) {
            self.op_frame.d.next = self.frame.q.val();
        }
        self.op_index.d.next = self.op_merges.val().get_bits::<10>(0);
        self.op_a.d.next = self.step.product.val();
        self.op_id_a.d.next = self.product_id.val();
        self.op_b.d.next = self.partner.val();
        self.op_id_b.d.next = self.partner_id.val();
        if self.pair_both.val() {
            self.op_b.d.next = self.leaf_denominator.val();
            self.op_id_b.d.next = self.leaf_id.val();
        }
        if self.pair_leaf.val() {
            self.op_a.d.next = self.leaf_denominator.val();
            self.op_id_a.d.next = self.leaf_id.val();
        }
        if self.square.val() {
            self.op_a.d.next = self.leaf_x.val();
            self.op_b.d.next = self.leaf_x.val();
            self.op_index.d.next = self.fill_leaves.val().get_bits::<10>(0);
        }
        self.step.a.next = self.op_a.q.val();
        self.step.b.next = self.op_b.q.val();
        self.step.index.next = self.op_index.q.val();
        self.step.frame.next = self.op_frame.q.val();
        self.step.context.next = self.op_context.q.val();
        self.step.square.next = self.op_square.q.val();
        self.step.valid_in.next = self.op_valid.q.val();
        self.word.value_a.next = self.op_a.q.val();
        self.word.value_b.next = self.op_b.q.val();
        self.word.id_a.next = self.op_id_a.q.val();
        self.word.id_b.next = self.op_id_b.q.val();
        self.node_write.next = self.op_valid.q.val() & !self.op_square.q.val();
        self.node_frame.next = self.op_frame.q.val();
        self.node_index.next = self.op_index.q.val();
        self.node_word.next = self.word.word.val();

        // The root.
        self.root_now.next = self.closing.q.val() & self.odd.root.val();
        self.root_value.next = self.odd.held_value.val();
        self.root_id.next = self.odd.held_id.val();
        if self.which.q.val() {
            self.root_now.next = self.closing.q.val() & self.even.root.val();
            self.root_value.next = self.even.held_value.val();
            self.root_id.next = self.even.held_id.val();
        }
        self.root_valid.next = self.root_now.val();
        self.root_frame.next = self.closed_frame.val();
        self.root_taken.next = self.root_now.val() & self.root_ready.val();
        if self.inverse_left.q.val() != 0 {
            self.inverse_left.d.next = self.inverse_left.q.val() - 1;
        }
        if self.root_taken.val() {
            self.closing.d.next = false;
            self.inverse_left.d.next = self.inverse_cycles.val();
        }
        if self.close_now.val() {
            self.closing.d.next = true;
            self.which.d.next = !self.which.q.val();
            self.frame.d.next = self.frame.q.val() + 1;
        }

        // Both contexts.
        self.even.coming.next = self.leaf_valid.val();
        self.odd.coming.next = self.leaf_valid.val();
        self.even.leaf.next = self.take.val() & !self.which.q.val();
        self.odd.leaf.next = self.take.val() & self.which.q.val();
        self.even.merge.next = self.merge.val() & !self.partner_context.val();
        self.odd.merge.next = self.merge.val() & self.partner_context.val();
        self.even.let_go.next =
            (self.pair_product.val() | self.pair_leaf.val()) & !self.partner_context.val();
        self.odd.let_go.next = (self.pair_product.val() | self.pair_leaf.val()) & self.partner_context.val();
        self.even.hold.next = (self.hold_product.val() & !self.step.context_out.val())
            | (self.hold_leaf.val() & !self.which.q.val());
        self.odd.hold.next = (self.hold_product.val() & self.step.context_out.val())
            | (self.hold_leaf.val() & self.which.q.val());
        self.even.id.next = self.leaf_id.val();
        self.even.value.next = self.leaf_denominator.val();
        self.odd.id.next = self.leaf_id.val();
        self.odd.value.next = self.leaf_denominator.val();
        if self.hold_product.val() & !self.step.context_out.val() {
            self.even.id.next = self.product_id.val();
            self.even.value.next = self.step.product.val();
        }
        if self.hold_product.val() & self.step.context_out.val() {
            self.odd.id.next = self.product_id.val();
            self.odd.value.next = self.step.product.val();
        }
        self.even.reset.next = self.reset.val() | (self.root_taken.val() & self.which.q.val());
        self.odd.reset.next = self.reset.val() | (self.root_taken.val() & !self.which.q.val());

        if self.reset.val() {
            self.which.d.next = false;
            self.closing.d.next = false;
            self.frame.d.next = 0.into();
            self.squared.d.next = false;
            self.quiet.d.next = 0.into();
            self.inverse_left.d.next = 0.into();
            self.op_valid.d.next = false;
        }
    }
}
