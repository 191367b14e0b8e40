//! From digests to the lines of the levels above the leaves.

use super::{EmptyRoots, LevelWalk};
use crate::stream::Pair;
use rust_hdl::prelude::*;

/// Where [`Nodes`] stands.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum NodesState {
    /// No tree is being built.
    Idle,
    /// Learns how many nodes the level has.
    Count,
    /// Takes the level's nodes.
    Take,
    /// Fills the level up to whole groups.
    Fill,
    /// Takes the root.
    Root,
    /// Fills the root's line.
    Blank,
}

/// Takes what leaves the core during a build, which is level after level in order, and gives the lines of these levels
/// as they lie in card memory: filled up to whole groups with roots of empty subtrees, the root's line with zero. The
/// root goes to the host too. One node a cycle; two cycles more a level.
#[derive(LogicBlock)]
pub struct Nodes {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Pulse: begin. What follows stands until `busy` falls.
    pub start: Signal<In, Bit>,
    /// Leaves.
    pub size: Signal<In, Bits<32>>,
    /// Levels above the leaves, at least 1.
    pub depth: Signal<In, Bits<6>>,
    /// Groups have four nodes, not two.
    pub arity_four: Signal<In, Bit>,
    /// A node is element 1 of the state, not 0.
    pub second_output: Signal<In, Bit>,
    /// High from the cycle after `start` until the last line was taken.
    pub busy: Signal<Out, Bit>,
    /// A state out of the core.
    pub leave_data: Signal<In, Bits<1280>>,
    /// `leave_data` is a state.
    pub leave_valid: Signal<In, Bit>,
    /// The state is taken.
    pub leave_ready: Signal<Out, Bit>,
    /// Data of the host write jobs.
    pub host_out_data: Signal<Out, Bits<256>>,
    /// `host_out_data` is a beat.
    pub host_out_valid: Signal<Out, Bit>,
    /// The beat is taken.
    pub host_out_ready: Signal<In, Bit>,
    /// A line: two nodes, the first in the low half.
    pub line_data: Signal<Out, Bits<512>>,
    /// `line_data` is a line.
    pub line_valid: Signal<Out, Bit>,
    /// The line is taken.
    pub line_ready: Signal<In, Bit>,
    walk: LevelWalk,
    empty: ROM<Bits<256>, 7>,
    pair: Pair<256, 512>,
    state: DFF<NodesState>,
    left: DFF<Bits<32>>,
    missing: DFF<Bits<2>>,
    filler: DFF<Bits<256>>,
    node: Signal<Local, Bits<256>>,
    over: Signal<Local, Bits<2>>,
    level_ends: Signal<Local, Bit>,
    filled: Signal<Local, Bits<6>>,
    empty_address: Signal<Local, Bits<7>>,
}

impl Nodes {
    /// The block with these roots of empty subtrees.
    pub fn new(empty: &EmptyRoots) -> Nodes {
        Nodes {
            clock: Default::default(),
            reset: Default::default(),
            start: Default::default(),
            size: Default::default(),
            depth: Default::default(),
            arity_four: Default::default(),
            second_output: Default::default(),
            busy: Default::default(),
            leave_data: Default::default(),
            leave_valid: Default::default(),
            leave_ready: Default::default(),
            host_out_data: Default::default(),
            host_out_valid: Default::default(),
            host_out_ready: Default::default(),
            line_data: Default::default(),
            line_valid: Default::default(),
            line_ready: Default::default(),
            walk: Default::default(),
            empty: empty.memory(),
            pair: Default::default(),
            state: Default::default(),
            left: Default::default(),
            missing: Default::default(),
            filler: Default::default(),
            node: Default::default(),
            over: Default::default(),
            level_ends: Default::default(),
            filled: Default::default(),
            empty_address: Default::default(),
        }
    }
}

impl Logic for Nodes {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, left, missing, filler);
        clock!(self, clock, walk, pair);
        self.pair.reset.next = self.reset.val();
        self.walk.start.next = self.start.val();
        self.walk.size.next = self.size.val();
        self.walk.card_address.next = 0.into();
        self.walk.arity_four.next = self.arity_four.val();

        // The walk stands at the children: the nodes that come are of the level above.
        self.filled.next = self.walk.level.val() + 1;
        self.empty_address.next = bit_cast::<7, 5>(self.filled.val().get_bits::<5>(0));
        if self.second_output.val() {
            self.empty_address.next = self.empty_address.val() | 32;
        }
        if self.arity_four.val() {
            self.empty_address.next = self.empty_address.val() | 64;
        }
        self.empty.address.next = self.empty_address.val();
        self.filler.d.next = self.empty.data.val();

        self.node.next = self.leave_data.val().get_bits::<256>(0);
        if self.second_output.val() {
            self.node.next = self.leave_data.val().get_bits::<256>(256);
        }
        self.over.next = self.walk.groups.val().get_bits::<2>(0);
        if !self.arity_four.val() {
            self.over.next = bit_cast::<2, 1>(self.walk.groups.val().get_bits::<1>(0));
        }
        self.pair.in_data.next = self.node.val();
        self.pair.in_valid.next = false;
        self.leave_ready.next = false;
        self.host_out_data.next = self.node.val();
        self.host_out_valid.next = false;
        self.level_ends.next = false;
        match self.state.q.val() {
            NodesState::Idle => {}
            NodesState::Count => {
                self.left.d.next = self.walk.groups.val();
                self.missing.d.next = self.over.val();
                if self.arity_four.val() {
                    self.missing.d.next = 0.into();
                    if self.over.val() == 1 {
                        self.missing.d.next = 3.into();
                    }
                    if self.over.val() == 2 {
                        self.missing.d.next = 2.into();
                    }
                    if self.over.val() == 3 {
                        self.missing.d.next = 1.into();
                    }
                }
                self.state.d.next = NodesState::Take;
                if self.filled.val() == self.depth.val() {
                    self.state.d.next = NodesState::Root;
                }
            }
            NodesState::Take => {
                self.pair.in_valid.next = self.leave_valid.val();
                self.leave_ready.next = self.pair.in_ready.val();
                if self.leave_valid.val() & self.pair.in_ready.val() {
                    self.left.d.next = self.left.q.val() - 1;
                    if self.left.q.val() == 1 {
                        self.state.d.next = NodesState::Fill;
                        self.level_ends.next = self.missing.q.val() == 0;
                    }
                }
            }
            NodesState::Fill => {
                self.pair.in_data.next = self.filler.q.val();
                self.pair.in_valid.next = true;
                if self.pair.in_ready.val() {
                    self.missing.d.next = self.missing.q.val() - 1;
                    self.level_ends.next = self.missing.q.val() == 1;
                }
            }
            NodesState::Root => {
                // To the line and to the host at once.
                self.pair.in_valid.next = self.leave_valid.val() & self.host_out_ready.val();
                self.host_out_valid.next = self.leave_valid.val() & self.pair.in_ready.val();
                self.leave_ready.next = self.pair.in_ready.val() & self.host_out_ready.val();
                if self.leave_valid.val() & self.pair.in_ready.val() & self.host_out_ready.val() {
                    self.state.d.next = NodesState::Blank;
                }
            }
            NodesState::Blank => {
                self.pair.in_data.next = 0.into();
                self.pair.in_valid.next = true;
                if self.pair.in_ready.val() {
                    self.state.d.next = NodesState::Idle;
                }
            }
        }
        self.walk.step.next = self.level_ends.val();
        if self.level_ends.val() {
            self.state.d.next = NodesState::Count;
        }
        self.line_data.next = self.pair.out_data.val();
        self.line_valid.next = self.pair.out_valid.val();
        self.pair.out_ready.next = self.line_ready.val();
        self.busy.next = self.state.q.val() != NodesState::Idle;
        if self.start.val() {
            self.state.d.next = NodesState::Count;
        }
        if self.reset.val() {
            self.state.d.next = NodesState::Idle;
        }
    }
}
