//! Changed nodes into their groups, and the groups into card memory and the core.

use rust_hdl::prelude::*;

/// Where [`Replace`] stands.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum ReplaceState {
    /// Takes a group's first line, or sees that what comes is the root.
    First,
    /// Takes a group's second line.
    Second,
    /// Puts the changed nodes in.
    Change,
    /// Gives the group away.
    Give,
    /// Gives the root away.
    Root,
}

/// Takes groups as they come from card memory, replaces the nodes that change, writes the group back and gives it to the
/// core as a state. Of the root it makes a line of card memory and a beat for the host.
///
/// Three cycles a group and one for each changed node; a fourth with arity 4.
#[derive(LogicBlock, Default)]
pub struct Replace {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Groups have four nodes, not two.
    pub arity_four: Signal<In, Bit>,
    /// A changed node, as [`Climb`](super::Climb) gives it.
    pub placed_data: Signal<In, Bits<357>>,
    /// `placed_data` is a node.
    pub placed_valid: Signal<In, Bit>,
    /// The node is taken.
    pub placed_ready: Signal<Out, Bit>,
    /// Lines of the card read jobs.
    pub card_in_data: Signal<In, Bits<512>>,
    /// `card_in_data` is a line.
    pub card_in_valid: Signal<In, Bit>,
    /// The line is taken.
    pub card_in_ready: Signal<Out, Bit>,
    /// Card write job: address.
    pub card_write_address: Signal<Out, Bits<64>>,
    /// Card write job: lines of 64 bytes.
    pub card_write_beats: Signal<Out, Bits<32>>,
    /// Card write job: offered.
    pub card_write_valid: Signal<Out, Bit>,
    /// Card write job: accepted.
    pub card_write_ready: Signal<In, Bit>,
    /// Lines of the card write jobs.
    pub card_out_data: Signal<Out, Bits<512>>,
    /// `card_out_data` is a line.
    pub card_out_valid: Signal<Out, Bit>,
    /// The line is taken.
    pub card_out_ready: Signal<In, Bit>,
    /// A state for the core.
    pub enter_data: Signal<Out, Bits<1280>>,
    /// `enter_data` is a state.
    pub enter_valid: Signal<Out, Bit>,
    /// The state is taken.
    pub enter_ready: Signal<In, Bit>,
    /// Data of the host write jobs.
    pub host_out_data: Signal<Out, Bits<256>>,
    /// `host_out_data` is a beat.
    pub host_out_valid: Signal<Out, Bit>,
    /// The beat is taken.
    pub host_out_ready: Signal<In, Bit>,
    /// With a state that is taken: index of the group's parent.
    pub parent: Signal<Out, Bits<32>>,
    /// With a state that is taken: the parent is the last node that changes in its level.
    pub parent_last: Signal<Out, Bit>,
    /// Pulse: the root was given away.
    pub done: Signal<Out, Bit>,
    state: DFF<ReplaceState>,
    node_0: DFF<Bits<256>>,
    node_1: DFF<Bits<256>>,
    node_2: DFF<Bits<256>>,
    node_3: DFF<Bits<256>>,
    address: DFF<Bits<64>>,
    parent_now: DFF<Bits<32>>,
    last_now: DFF<Bit>,
    asked: DFF<Bit>,
    given: DFF<Bit>,
    lines_left: DFF<Bits<2>>,
    is_root: Signal<Local, Bit>,
    place: Signal<Local, Bits<2>>,
    giving: Signal<Local, Bit>,
    taken: Signal<Local, Bit>,
    all_asked: Signal<Local, Bit>,
    all_given: Signal<Local, Bit>,
    all_lines: Signal<Local, Bit>,
}

impl Logic for Replace {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, node_0, node_1, node_2, node_3, address, parent_now, last_now);
        dff_setup!(self, clock, asked, given, lines_left);
        self.is_root.next = self.placed_valid.val() & self.placed_data.val().get_bit(356);
        self.place.next = self.placed_data.val().get_bits::<2>(352);
        self.card_in_ready.next = false;
        self.placed_ready.next = false;
        self.giving.next = false;
        match self.state.q.val() {
            ReplaceState::First => {
                self.card_in_ready.next = true;
                self.node_2.d.next = 0.into();
                self.node_3.d.next = 0.into();
                if self.card_in_valid.val() {
                    self.node_0.d.next = self.card_in_data.val().get_bits::<256>(0);
                    self.node_1.d.next = self.card_in_data.val().get_bits::<256>(256);
                    self.state.d.next = ReplaceState::Change;
                    if self.arity_four.val() {
                        self.state.d.next = ReplaceState::Second;
                    }
                } else {
                    if self.is_root.val() {
                        self.node_1.d.next = 0.into();
                        self.state.d.next = ReplaceState::Change;
                    }
                }
            }
            ReplaceState::Second => {
                self.card_in_ready.next = true;
                if self.card_in_valid.val() {
                    self.node_2.d.next = self.card_in_data.val().get_bits::<256>(0);
                    self.node_3.d.next = self.card_in_data.val().get_bits::<256>(256);
                    self.state.d.next = ReplaceState::Change;
                }
            }
            ReplaceState::Change => {
                self.placed_ready.next = true;
                if self.placed_valid.val() {
                    if self.place.val() == 0 {
                        self.node_0.d.next = self.placed_data.val().get_bits::<256>(0);
                    }
                    if self.place.val() == 1 {
                        self.node_1.d.next = self.placed_data.val().get_bits::<256>(0);
                    }
                    if self.place.val() == 2 {
                        self.node_2.d.next = self.placed_data.val().get_bits::<256>(0);
                    }
                    if self.place.val() == 3 {
                        self.node_3.d.next = self.placed_data.val().get_bits::<256>(0);
                    }
                    self.parent_now.d.next = self.placed_data.val().get_bits::<32>(256);
                    self.address.d.next = self.placed_data.val().get_bits::<64>(288);
                    self.last_now.d.next = self.placed_data.val().get_bit(355);
                    self.asked.d.next = false;
                    self.given.d.next = false;
                    self.lines_left.d.next = 1.into();
                    if self.arity_four.val() & !self.is_root.val() {
                        self.lines_left.d.next = 2.into();
                    }
                    if self.placed_data.val().get_bit(354) {
                        self.state.d.next = ReplaceState::Give;
                        if self.is_root.val() {
                            self.state.d.next = ReplaceState::Root;
                        }
                    }
                }
            }
            ReplaceState::Give => {
                self.giving.next = true;
            }
            ReplaceState::Root => {
                self.giving.next = true;
            }
        }

        // Job, lines and state (or beat) go as each is taken.
        self.card_write_address.next = self.address.q.val();
        self.card_write_beats.next = 1.into();
        if self.arity_four.val() & (self.state.q.val() == ReplaceState::Give) {
            self.card_write_beats.next = 2.into();
        }
        self.card_write_valid.next = self.giving.val() & !self.asked.q.val();
        self.all_asked.next = self.asked.q.val() | self.card_write_ready.val();

        self.card_out_data.next =
            bit_cast::<512, 256>(self.node_0.q.val()) | (bit_cast::<512, 256>(self.node_1.q.val()) << 256);
        if self.arity_four.val() & (self.lines_left.q.val() == 1) & (self.state.q.val() == ReplaceState::Give)
        {
            self.card_out_data.next = bit_cast::<512, 256>(self.node_2.q.val())
                | (bit_cast::<512, 256>(self.node_3.q.val()) << 256);
        }
        self.card_out_valid.next = self.giving.val() & (self.lines_left.q.val() != 0);
        self.all_lines.next =
            (self.lines_left.q.val() == 0) | ((self.lines_left.q.val() == 1) & self.card_out_ready.val());
        if self.giving.val() & self.card_out_ready.val() & (self.lines_left.q.val() != 0) {
            self.lines_left.d.next = self.lines_left.q.val() - 1;
        }

        self.enter_data.next = (bit_cast::<1280, 256>(self.node_0.q.val()) << 256)
            | (bit_cast::<1280, 256>(self.node_1.q.val()) << 512)
            | (bit_cast::<1280, 256>(self.node_2.q.val()) << 768)
            | (bit_cast::<1280, 256>(self.node_3.q.val()) << 1024);
        self.enter_valid.next = (self.state.q.val() == ReplaceState::Give) & !self.given.q.val();
        self.parent.next = self.parent_now.q.val();
        self.parent_last.next = self.last_now.q.val();
        self.host_out_data.next = self.node_0.q.val();
        self.host_out_valid.next = (self.state.q.val() == ReplaceState::Root) & !self.given.q.val();
        self.taken.next = self.enter_ready.val();
        if self.state.q.val() == ReplaceState::Root {
            self.taken.next = self.host_out_ready.val();
        }
        self.all_given.next = self.given.q.val() | self.taken.val();
        self.done.next = false;
        if self.giving.val() {
            self.asked.d.next = self.all_asked.val();
            self.given.d.next = self.all_given.val();
            if self.all_asked.val() & self.all_given.val() & self.all_lines.val() {
                self.done.next = self.state.q.val() == ReplaceState::Root;
                self.state.d.next = ReplaceState::First;
            }
        }
        if self.reset.val() {
            self.state.d.next = ReplaceState::First;
        }
    }
}
