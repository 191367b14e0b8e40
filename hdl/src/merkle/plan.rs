//! Whether a tree fits card memory, and where its levels begin.

use super::LevelWalk;
use rust_hdl::prelude::*;

/// Bytes of the root's level: a line.
const ROOT_BYTES: u64 = 64;

/// Walks over all levels of a tree before anything of it is touched; takes as many cycles as it has levels, and two.
#[derive(LogicBlock)]
pub struct TreePlan {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Pulse: begin. The tree's description stands from here on.
    pub start: Signal<In, Bit>,
    /// Leaves.
    pub size: Signal<In, Bits<32>>,
    /// Levels above the leaves, at least 1.
    pub depth: Signal<In, Bits<6>>,
    /// Nodes have four children, not two.
    pub arity_four: Signal<In, Bit>,
    /// Byte address of the tree.
    pub card_address: Signal<In, Bits<64>>,
    /// Pulse: the outputs below are there, and stand until the next start.
    pub done: Signal<Out, Bit>,
    /// The tree ends within card memory.
    pub fits: Signal<Out, Bit>,
    /// Byte address of level 1.
    pub first_address: Signal<Out, Bits<64>>,
    /// Byte address of the root.
    pub root_address: Signal<Out, Bits<64>>,
    walk: LevelWalk,
    running: DFF<Bit>,
    finished: DFF<Bit>,
    inside: DFF<Bit>,
    first: DFF<Bits<64>>,
    root: DFF<Bits<64>>,
    last_line: Constant<Bits<64>>,
}

impl TreePlan {
    /// The plan for a card memory of so many bytes, at least a line.
    pub fn new(card_bytes: u64) -> TreePlan {
        TreePlan {
            clock: Default::default(),
            reset: Default::default(),
            start: Default::default(),
            size: Default::default(),
            depth: Default::default(),
            arity_four: Default::default(),
            card_address: Default::default(),
            done: Default::default(),
            fits: Default::default(),
            first_address: Default::default(),
            root_address: Default::default(),
            walk: Default::default(),
            running: Default::default(),
            finished: Default::default(),
            inside: Default::default(),
            first: Default::default(),
            root: Default::default(),
            last_line: Constant::new((card_bytes - ROOT_BYTES).into()),
        }
    }
}

impl Logic for TreePlan {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, running, finished, inside, first, root);
        self.walk.clock.next = self.clock.val();
        self.walk.start.next = self.start.val();
        self.walk.step.next = self.running.q.val();
        self.walk.size.next = self.size.val();
        self.walk.card_address.next = self.card_address.val();
        self.walk.arity_four.next = self.arity_four.val();
        self.finished.d.next = false;
        if self.running.q.val() {
            // A level is shorter than card memory can be at most, so a walk that is inside cannot wrap around.
            if self.last_line.val() < self.walk.address.val() {
                self.inside.d.next = false;
            }
            if self.walk.level.val() == 1 {
                self.first.d.next = self.walk.address.val();
            }
            if self.walk.level.val() == self.depth.val() {
                self.root.d.next = self.walk.address.val();
                self.running.d.next = false;
                self.finished.d.next = true;
            }
        }
        if self.start.val() {
            self.running.d.next = true;
            self.inside.d.next = true;
        }
        self.done.next = self.finished.q.val();
        self.fits.next = self.inside.q.val();
        self.first_address.next = self.first.q.val();
        self.root_address.next = self.root.q.val();
        if self.reset.val() {
            self.running.d.next = false;
            self.finished.d.next = false;
        }
    }
}
