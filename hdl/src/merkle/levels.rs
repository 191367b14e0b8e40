//! From the leaves of a tree to its root, level by level.

use rust_hdl::prelude::*;

/// The level of a tree at which a walk stands: its nodes, and where in card memory they are.
///
/// Levels lie one behind the other from the leaves up, each filled up to whole groups of `arity` nodes, so the next one
/// begins where this one's groups end: no table is needed. All outputs follow from registers by one addition.
#[derive(LogicBlock, Default)]
pub struct LevelWalk {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Go to the leaves; they are there in the next cycle.
    pub start: Signal<In, Bit>,
    /// Go up a level.
    pub step: Signal<In, Bit>,
    /// Leaves of the tree, at most 2^28; sampled at `start`.
    pub size: Signal<In, Bits<32>>,
    /// Byte address of the tree; sampled at `start`.
    pub card_address: Signal<In, Bits<64>>,
    /// Nodes have four children, not two; stands while the walk is used.
    pub arity_four: Signal<In, Bit>,
    /// The level, 0 for the leaves.
    pub level: Signal<Out, Bits<6>>,
    /// Nodes of the level above: groups of this one.
    pub groups: Signal<Out, Bits<32>>,
    /// Byte address of the level.
    pub address: Signal<Out, Bits<64>>,
    level_now: DFF<Bits<6>>,
    nodes_now: DFF<Bits<32>>,
    address_now: DFF<Bits<64>>,
    rounded: Signal<Local, Bits<32>>,
    groups_now: Signal<Local, Bits<32>>,
    bytes: Signal<Local, Bits<64>>,
}

impl Logic for LevelWalk {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, level_now, nodes_now, address_now);
        self.rounded.next = self.nodes_now.q.val() + 1;
        self.groups_now.next = self.rounded.val() >> 1;
        if self.arity_four.val() {
            self.rounded.next = self.nodes_now.q.val() + 3;
            self.groups_now.next = self.rounded.val() >> 2;
        }
        self.bytes.next = bit_cast::<64, 32>(self.groups_now.val()) << 6;
        if self.arity_four.val() {
            self.bytes.next = bit_cast::<64, 32>(self.groups_now.val()) << 7;
        }
        self.level.next = self.level_now.q.val();
        self.groups.next = self.groups_now.val();
        self.address.next = self.address_now.q.val();
        if self.step.val() {
            self.level_now.d.next = self.level_now.q.val() + 1;
            self.nodes_now.d.next = self.groups_now.val();
            self.address_now.d.next = self.address_now.q.val() + self.bytes.val();
        }
        if self.start.val() {
            self.level_now.d.next = 0.into();
            self.nodes_now.d.next = self.size.val();
            self.address_now.d.next = self.card_address.val();
        }
    }
}
