//! The way down: from a root's inverse to those of the leaves, in the order in which they become known.

use super::pipelines::DownStep;
use super::shape::BatchedShape;
use crate::curve::Curve;
use crate::datapath::DatapathConfig;
use crate::stream::Fifo;
use rust_hdl::prelude::*;

/// Takes one node a cycle whose inverse is known, of any batch, and finds its children's inverses: nodes wait in one of
/// two lists (first and second children), leaves in one of two others, from which one a cycle leaves.
#[derive(LogicBlock)]
pub struct DownTree {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Forgets all; must last for [`DownTree::flush_cycles`].
    pub reset: Signal<In, Bit>,
    /// A root's inverse is known.
    pub root_valid: Signal<In, Bit>,
    /// It is taken.
    pub root_taken: Signal<Out, Bit>,
    /// The inverse.
    pub root_inverse: Signal<In, Bits<254>>,
    /// The root's number; bit 10: it is a leaf.
    pub root_id: Signal<In, Bits<11>>,
    /// The root's frame.
    pub root_frame: Signal<In, Bits<2>>,
    /// Frame of the record to read.
    pub node_frame: Signal<Out, Bits<2>>,
    /// Number of the record to read.
    pub node_index: Signal<Out, Bits<10>>,
    /// The record, two cycles later.
    pub node_word: Signal<In, Bits<530>>,
    /// A leaf leaves.
    pub leaf_valid: Signal<Out, Bit>,
    /// Its frame.
    pub leaf_frame: Signal<Out, Bits<2>>,
    /// Its number.
    pub leaf_index: Signal<Out, Bits<10>>,
    /// Its inverse.
    pub leaf_inverse: Signal<Out, Bits<254>>,
    /// A list overflows: never, see [`BatchedShape::ready_depth`] and [`BatchedShape::leaf_margin`].
    pub overflow: Signal<Out, Bit>,
    step: DownStep,
    nodes_a: Fifo<267>,
    nodes_b: Fifo<267>,
    leaves_a: Fifo<267>,
    leaves_b: Fifo<267>,
    turn: DFF<Bit>,
    valid1: DFF<Bit>,
    inverse1: DFF<Bits<254>>,
    frame1: DFF<Bits<2>>,
    valid2: DFF<Bit>,
    inverse2: DFF<Bits<254>>,
    frame2: DFF<Bits<2>>,
    room: Signal<Local, Bit>,
    root_leaf: Signal<Local, Bit>,
    root_node: Signal<Local, Bit>,
    take_a: Signal<Local, Bit>,
    take_b: Signal<Local, Bit>,
    leaf_a: Signal<Local, Bit>,
    leaf_b: Signal<Local, Bit>,
    a_is_leaf: Signal<Local, Bit>,
    b_is_leaf: Signal<Local, Bit>,
    children: Signal<Local, Bit>,
    margin: Constant<Bits<16>>,
    _flush_cycles: usize,
}

impl DownTree {
    /// The tree of a curve.
    pub fn new(curve: Curve, config: &DatapathConfig, shape: &BatchedShape) -> DownTree {
        let step = DownStep::new(curve, config);
        DownTree {
            clock: Default::default(),
            reset: Default::default(),
            root_valid: Default::default(),
            root_taken: Default::default(),
            root_inverse: Default::default(),
            root_id: Default::default(),
            root_frame: Default::default(),
            node_frame: Default::default(),
            node_index: Default::default(),
            node_word: Default::default(),
            leaf_valid: Default::default(),
            leaf_frame: Default::default(),
            leaf_index: Default::default(),
            leaf_inverse: Default::default(),
            overflow: Default::default(),
            _flush_cycles: step.latency() + 4,
            step,
            nodes_a: Fifo::large(shape.ready_depth()),
            nodes_b: Fifo::large(shape.ready_depth()),
            leaves_a: Fifo::new(shape.leaf_depth()),
            leaves_b: Fifo::new(shape.leaf_depth()),
            turn: Default::default(),
            valid1: Default::default(),
            inverse1: Default::default(),
            frame1: Default::default(),
            valid2: Default::default(),
            inverse2: Default::default(),
            frame2: Default::default(),
            room: Default::default(),
            root_leaf: Default::default(),
            root_node: Default::default(),
            take_a: Default::default(),
            take_b: Default::default(),
            leaf_a: Default::default(),
            leaf_b: Default::default(),
            a_is_leaf: Default::default(),
            b_is_leaf: Default::default(),
            children: Default::default(),
            margin: Constant::new(shape.leaf_margin().to_bits()),
        }
    }

    /// Cycles for which a reset must last.
    pub fn flush_cycles(&self) -> usize {
        self._flush_cycles
    }
}

impl Logic for DownTree {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, turn, valid1, inverse1, frame1, valid2, inverse2, frame2);
        self.step.clock.next = self.clock.val();
        self.nodes_a.clock.next = self.clock.val();
        self.nodes_b.clock.next = self.clock.val();
        self.leaves_a.clock.next = self.clock.val();
        self.leaves_b.clock.next = self.clock.val();
        self.nodes_a.reset.next = self.reset.val();
        self.nodes_b.reset.next = self.reset.val();
        self.leaves_a.reset.next = self.reset.val();
        self.leaves_b.reset.next = self.reset.val();
        self.turn.d.next = !self.turn.q.val();

        // A node: a root first, since a whole batch waits behind it.
        self.room.next = (self.leaves_a.space.val() > self.margin.val())
            & (self.leaves_b.space.val() > self.margin.val())
            & !self.reset.val();
        self.root_leaf.next = self.root_valid.val() & self.root_id.val().get_bit(10) & !self.reset.val();
        self.root_node.next = self.root_valid.val() & !self.root_id.val().get_bit(10) & self.room.val();
        self.root_taken.next = self.root_leaf.val() | self.root_node.val();
        self.take_a.next = self.room.val()
            & !self.root_node.val()
            & self.nodes_a.out_valid.val()
            & (self.turn.q.val() | !self.nodes_b.out_valid.val());
        self.take_b.next = self.room.val()
            & !self.root_node.val()
            & self.nodes_b.out_valid.val()
            & (!self.turn.q.val() | !self.nodes_a.out_valid.val());
        self.nodes_a.out_ready.next = self.take_a.val();
        self.nodes_b.out_ready.next = self.take_b.val();
        self.valid1.d.next = self.root_node.val() | self.take_a.val() | self.take_b.val();
        self.inverse1.d.next = self.nodes_a.out_data.val().get_bits::<254>(0);
        self.frame1.d.next = self.nodes_a.out_data.val().get_bits::<2>(265);
        self.node_frame.next = self.nodes_a.out_data.val().get_bits::<2>(265);
        self.node_index.next = self.nodes_a.out_data.val().get_bits::<10>(254);
        if self.take_b.val() {
            self.inverse1.d.next = self.nodes_b.out_data.val().get_bits::<254>(0);
            self.frame1.d.next = self.nodes_b.out_data.val().get_bits::<2>(265);
            self.node_frame.next = self.nodes_b.out_data.val().get_bits::<2>(265);
            self.node_index.next = self.nodes_b.out_data.val().get_bits::<10>(254);
        }
        if self.root_node.val() {
            self.inverse1.d.next = self.root_inverse.val();
            self.frame1.d.next = self.root_frame.val();
            self.node_frame.next = self.root_frame.val();
            self.node_index.next = self.root_id.val().get_bits::<10>(0);
        }

        // Its record arrives with it.
        self.valid2.d.next = self.valid1.q.val();
        self.inverse2.d.next = self.inverse1.q.val();
        self.frame2.d.next = self.frame1.q.val();
        self.step.valid_in.next = self.valid2.q.val();
        self.step.inverse.next = self.inverse2.q.val();
        self.step.frame.next = self.frame2.q.val();
        self.step.node.next = self.node_word.val();

        // The children.
        self.children.next = self.step.valid_out.val() & !self.reset.val();
        self.a_is_leaf.next = self.step.a.val().get_bit(264);
        self.b_is_leaf.next = self.step.b.val().get_bit(264);
        self.nodes_a.in_data.next = self.step.a.val();
        self.nodes_a.in_valid.next = self.children.val() & !self.a_is_leaf.val();
        self.nodes_b.in_data.next = self.step.b.val();
        self.nodes_b.in_valid.next = self.children.val() & !self.b_is_leaf.val();
        self.leaves_a.in_data.next = self.step.a.val();
        self.leaves_a.in_valid.next = self.children.val() & self.a_is_leaf.val();
        self.leaves_b.in_data.next = self.step.b.val();
        self.leaves_b.in_valid.next = self.children.val() & self.b_is_leaf.val();
        self.overflow.next = self.children.val()
            & !(self.nodes_a.in_ready.val()
                & self.nodes_b.in_ready.val()
                & self.leaves_a.in_ready.val()
                & self.leaves_b.in_ready.val());

        // A leaf.
        self.leaf_a.next = !self.root_leaf.val()
            & self.leaves_a.out_valid.val()
            & (self.turn.q.val() | !self.leaves_b.out_valid.val());
        self.leaf_b.next = !self.root_leaf.val()
            & self.leaves_b.out_valid.val()
            & (!self.turn.q.val() | !self.leaves_a.out_valid.val());
        self.leaves_a.out_ready.next = self.leaf_a.val();
        self.leaves_b.out_ready.next = self.leaf_b.val();
        self.leaf_valid.next =
            (self.root_leaf.val() | self.leaf_a.val() | self.leaf_b.val()) & !self.reset.val();
        self.leaf_inverse.next = self.leaves_a.out_data.val().get_bits::<254>(0);
        self.leaf_index.next = self.leaves_a.out_data.val().get_bits::<10>(254);
        self.leaf_frame.next = self.leaves_a.out_data.val().get_bits::<2>(265);
        if self.leaf_b.val() {
            self.leaf_inverse.next = self.leaves_b.out_data.val().get_bits::<254>(0);
            self.leaf_index.next = self.leaves_b.out_data.val().get_bits::<10>(254);
            self.leaf_frame.next = self.leaves_b.out_data.val().get_bits::<2>(265);
        }
        if self.root_leaf.val() {
            self.leaf_inverse.next = self.root_inverse.val();
            self.leaf_index.next = self.root_id.val().get_bits::<10>(0);
            self.leaf_frame.next = self.root_frame.val();
        }

        if self.reset.val() {
            self.turn.d.next = false;
            self.valid1.d.next = false;
            self.valid2.d.next = false;
        }
    }
}
