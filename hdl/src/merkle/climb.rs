//! Changed nodes to the groups in which they lie.

use super::LevelWalk;
use rust_hdl::prelude::*;

/// Takes the changed nodes of level after level, each level's with ascending indices, asks for the groups in which they
/// lie, and passes each on with its place in the group.
///
/// An entry is held until it is known whether it is the last of its group: it is where it is the last of its level, or of
/// its group's places, or the next one lies elsewhere. Two cycles an entry, three where it begins a group.
#[derive(LogicBlock, Default)]
pub struct Climb {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Pulse: begin at the leaves. The tree's description stands from here on.
    pub start: Signal<In, Bit>,
    /// Entries may be taken.
    pub enable: Signal<In, Bit>,
    /// Leaves.
    pub size: Signal<In, Bits<32>>,
    /// Levels above the leaves, at least 1.
    pub depth: Signal<In, Bits<6>>,
    /// Groups have four nodes, not two.
    pub arity_four: Signal<In, Bit>,
    /// Byte address of the tree.
    pub card_address: Signal<In, Bits<64>>,
    /// A changed node: its index in its level.
    pub index: Signal<In, Bits<32>>,
    /// A changed node: its new value.
    pub node: Signal<In, Bits<256>>,
    /// The node is the last one that changes in its level.
    pub last: Signal<In, Bit>,
    /// There is a changed node.
    pub valid: Signal<In, Bit>,
    /// The node is taken.
    pub ready: Signal<Out, Bit>,
    /// Card read job: address.
    pub card_read_address: Signal<Out, Bits<64>>,
    /// Card read job: lines of 64 bytes.
    pub card_read_beats: Signal<Out, Bits<32>>,
    /// Card read job: offered.
    pub card_read_valid: Signal<Out, Bit>,
    /// Card read job: accepted.
    pub card_read_ready: Signal<In, Bit>,
    /// For the next block: the node's value in bits 255:0; index of its parent in 287:256; byte address of its group
    /// in 351:288; place in the group in 353:352; bit 354: last of its group, 355: of its level, 356: it is the root.
    pub placed_data: Signal<Out, Bits<357>>,
    /// `placed_data` is a node.
    pub placed_valid: Signal<Out, Bit>,
    /// The node is taken.
    pub placed_ready: Signal<In, Bit>,
    walk: LevelWalk,
    held: DFF<Bit>,
    held_index: DFF<Bits<32>>,
    held_node: DFF<Bits<256>>,
    held_last: DFF<Bit>,
    in_group: DFF<Bit>,
    at_root: Signal<Local, Bit>,
    parent: Signal<Local, Bits<32>>,
    next_parent: Signal<Local, Bits<32>>,
    place: Signal<Local, Bits<2>>,
    last_place: Signal<Local, Bit>,
    group_address: Signal<Local, Bits<64>>,
    group_lines: Signal<Local, Bits<32>>,
    group_ends: Signal<Local, Bit>,
    known: Signal<Local, Bit>,
    push: Signal<Local, Bit>,
    fill: Signal<Local, Bit>,
}

impl Logic for Climb {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, held, held_index, held_node, held_last, in_group);
        self.walk.clock.next = self.clock.val();
        self.walk.start.next = self.start.val();
        self.walk.size.next = self.size.val();
        self.walk.card_address.next = self.card_address.val();
        self.walk.arity_four.next = self.arity_four.val();

        self.at_root.next = self.walk.level.val() == self.depth.val();
        self.parent.next = self.held_index.q.val() >> 1;
        self.next_parent.next = self.index.val() >> 1;
        self.place.next = bit_cast::<2, 1>(self.held_index.q.val().get_bits::<1>(0));
        self.last_place.next = self.held_index.q.val().get_bit(0);
        self.group_address.next = self.walk.address.val() + (bit_cast::<64, 32>(self.parent.val()) << 6);
        self.group_lines.next = 1.into();
        if self.arity_four.val() {
            self.parent.next = self.held_index.q.val() >> 2;
            self.next_parent.next = self.index.val() >> 2;
            self.place.next = self.held_index.q.val().get_bits::<2>(0);
            self.last_place.next = self.held_index.q.val().get_bit(0) & self.held_index.q.val().get_bit(1);
            self.group_address.next = self.walk.address.val() + (bit_cast::<64, 32>(self.parent.val()) << 7);
            self.group_lines.next = 2.into();
        }

        // A group is asked for with its first node; the root is not.
        self.card_read_address.next = self.group_address.val();
        self.card_read_beats.next = self.group_lines.val();
        self.card_read_valid.next = self.held.q.val() & !self.in_group.q.val() & !self.at_root.val();
        if self.card_read_ready.val() & self.held.q.val() & !self.in_group.q.val() & !self.at_root.val() {
            self.in_group.d.next = true;
        }

        self.known.next = self.held_last.q.val() | self.last_place.val() | self.valid.val();
        self.group_ends.next =
            self.held_last.q.val() | self.last_place.val() | (self.next_parent.val() != self.parent.val());
        self.placed_valid.next =
            self.held.q.val() & self.known.val() & (self.in_group.q.val() | self.at_root.val());
        self.push.next = self.placed_valid.val() & self.placed_ready.val();
        self.placed_data.next = bit_cast::<357, 256>(self.held_node.q.val())
            | (bit_cast::<357, 32>(self.parent.val()) << 256)
            | (bit_cast::<357, 64>(self.group_address.val()) << 288)
            | (bit_cast::<357, 2>(self.place.val()) << 352);
        if self.group_ends.val() {
            self.placed_data.next = self.placed_data.val().replace_bit(354, true);
        }
        if self.held_last.q.val() {
            self.placed_data.next = self.placed_data.val().replace_bit(355, true);
        }
        if self.at_root.val() {
            self.placed_data.next = self.placed_data.val().replace_bit(356, true);
        }
        self.walk.step.next = self.push.val() & self.held_last.q.val() & !self.at_root.val();

        self.fill.next = self.enable.val() & (!self.held.q.val() | self.push.val());
        self.ready.next = self.fill.val();
        if self.push.val() {
            self.held.d.next = false;
            if self.group_ends.val() {
                self.in_group.d.next = false;
            }
        }
        if self.fill.val() & self.valid.val() {
            self.held.d.next = true;
            self.held_index.d.next = self.index.val();
            self.held_node.d.next = self.node.val();
            self.held_last.d.next = self.last.val();
        }
        if self.reset.val() {
            self.held.d.next = false;
            self.in_group.d.next = false;
        }
    }
}
