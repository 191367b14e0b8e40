//! Changing leaves of a tree.

use super::{Climb, Entries, Replace};
use crate::stream::Fifo;
use rust_hdl::prelude::*;
use spandrel_abi::MERKLE_UPDATE_MAX;

/// Changed nodes whose groups are on their way from card memory: hides a memory latency of some hundreds of cycles.
const ON_THE_WAY: usize = 64;

/// Where [`Update`] stands.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum UpdateState {
    /// No update is under way.
    Idle,
    /// Takes the entries in.
    Intake,
    /// Waits until the last of them has been checked.
    Settle,
    /// Level by level from the leaves up.
    Work,
    /// Something is wrong with the entries: the host gets zero in place of a root.
    Refuse,
}

/// Changes up to 1,024 leaves and what lies between them and the root.
///
/// All entries are taken in and checked first. Then the changed nodes of level after level go around: to their groups
/// ([`Climb`]), which are read, changed and written back ([`Replace`]), through the core, and back as changed nodes of the
/// level above. Nodes of the same group are merged. Every group is read and written once, so nothing is ever read that
/// is still being written; a level begins while the last groups of the one below are in the core.
#[derive(LogicBlock)]
pub struct Update {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Pulse: begin. What follows stands until `busy` falls.
    pub start: Signal<In, Bit>,
    /// Entries, 1 to 1,024.
    pub count: Signal<In, Bits<32>>,
    /// Leaves of the tree.
    pub size: Signal<In, Bits<32>>,
    /// Levels above the leaves, at least 1.
    pub depth: Signal<In, Bits<6>>,
    /// Groups have four nodes, not two.
    pub arity_four: Signal<In, Bit>,
    /// A node is element 1 of the state, not 0.
    pub second_output: Signal<In, Bit>,
    /// Host address of the entries.
    pub host_a: Signal<In, Bits<64>>,
    /// Host address of the new root.
    pub result_address: Signal<In, Bits<64>>,
    /// Byte address of the tree.
    pub card_address: Signal<In, Bits<64>>,
    /// High from the cycle after `start` until the root was taken and all lines were given to be written.
    pub busy: Signal<Out, Bit>,
    /// Pulse: an index is past the tree, or not above the one before.
    pub bad_index: Signal<Out, Bit>,
    /// The beat of the host is a leaf, not an index.
    pub at_leaf: Signal<Out, Bit>,
    /// Entries were refused, for whatever reason; looked at [`Update::new`]'s number of cycles after the last one.
    pub refused: Signal<In, Bit>,
    /// Host read job: address.
    pub host_read_address: Signal<Out, Bits<64>>,
    /// Host read job: beats of 32 bytes.
    pub host_read_beats: Signal<Out, Bits<32>>,
    /// Host read job: offered.
    pub host_read_valid: Signal<Out, Bit>,
    /// Host read job: accepted.
    pub host_read_ready: Signal<In, Bit>,
    /// Data of the host read jobs.
    pub host_in_data: Signal<In, Bits<256>>,
    /// `host_in_data` is a beat.
    pub host_in_valid: Signal<In, Bit>,
    /// The beat is taken.
    pub host_in_ready: Signal<Out, Bit>,
    /// Host write job: address.
    pub host_write_address: Signal<Out, Bits<64>>,
    /// Host write job: beats of 32 bytes.
    pub host_write_beats: Signal<Out, Bits<32>>,
    /// Host write job: offered.
    pub host_write_valid: Signal<Out, Bit>,
    /// Host write job: accepted.
    pub host_write_ready: Signal<In, Bit>,
    /// Data of the host write jobs.
    pub host_out_data: Signal<Out, Bits<256>>,
    /// `host_out_data` is a beat.
    pub host_out_valid: Signal<Out, Bit>,
    /// The beat is taken.
    pub host_out_ready: Signal<In, Bit>,
    /// Card read job: address.
    pub card_read_address: Signal<Out, Bits<64>>,
    /// Card read job: lines of 64 bytes.
    pub card_read_beats: Signal<Out, Bits<32>>,
    /// Card read job: offered.
    pub card_read_valid: Signal<Out, Bit>,
    /// Card read job: accepted.
    pub card_read_ready: Signal<In, Bit>,
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
    /// A state out of the core.
    pub leave_data: Signal<In, Bits<1280>>,
    /// `leave_data` is a state.
    pub leave_valid: Signal<In, Bit>,
    /// The state is taken.
    pub leave_ready: Signal<Out, Bit>,
    intake: Entries,
    climb: Climb,
    replace: Replace,
    changed: Fifo<289>,
    placed: Fifo<357>,
    parents: Fifo<33>,
    state: DFF<UpdateState>,
    report: DFF<Bit>,
    settle: DFF<Bits<8>>,
    node: Signal<Local, Bits<256>>,
    settle_cycles: Constant<Bits<8>>,
}

impl Update {
    /// The block; `refused` is to be looked at so many cycles after the last entry.
    pub fn new(check_latency: usize) -> Update {
        Update {
            clock: Default::default(),
            reset: Default::default(),
            start: Default::default(),
            count: Default::default(),
            size: Default::default(),
            depth: Default::default(),
            arity_four: Default::default(),
            second_output: Default::default(),
            host_a: Default::default(),
            result_address: Default::default(),
            card_address: Default::default(),
            busy: Default::default(),
            bad_index: Default::default(),
            at_leaf: Default::default(),
            refused: Default::default(),
            host_read_address: Default::default(),
            host_read_beats: Default::default(),
            host_read_valid: Default::default(),
            host_read_ready: Default::default(),
            host_in_data: Default::default(),
            host_in_valid: Default::default(),
            host_in_ready: Default::default(),
            host_write_address: Default::default(),
            host_write_beats: Default::default(),
            host_write_valid: Default::default(),
            host_write_ready: Default::default(),
            host_out_data: Default::default(),
            host_out_valid: Default::default(),
            host_out_ready: Default::default(),
            card_read_address: Default::default(),
            card_read_beats: Default::default(),
            card_read_valid: Default::default(),
            card_read_ready: Default::default(),
            card_in_data: Default::default(),
            card_in_valid: Default::default(),
            card_in_ready: Default::default(),
            card_write_address: Default::default(),
            card_write_beats: Default::default(),
            card_write_valid: Default::default(),
            card_write_ready: Default::default(),
            card_out_data: Default::default(),
            card_out_valid: Default::default(),
            card_out_ready: Default::default(),
            enter_data: Default::default(),
            enter_valid: Default::default(),
            enter_ready: Default::default(),
            leave_data: Default::default(),
            leave_valid: Default::default(),
            leave_ready: Default::default(),
            intake: Default::default(),
            climb: Default::default(),
            replace: Default::default(),
            changed: Fifo::new(MERKLE_UPDATE_MAX as usize),
            placed: Fifo::new(ON_THE_WAY),
            parents: Fifo::new(MERKLE_UPDATE_MAX as usize),
            state: Default::default(),
            report: Default::default(),
            settle: Default::default(),
            node: Default::default(),
            settle_cycles: Constant::new(check_latency.to_bits()),
        }
    }
}

impl Logic for Update {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, report, settle);
        clock!(self, clock, intake, climb, replace, changed, placed, parents);
        self.intake.reset.next = self.reset.val();
        self.climb.reset.next = self.reset.val();
        self.replace.reset.next = self.reset.val();
        self.changed.reset.next = self.reset.val() | (self.state.q.val() == UpdateState::Refuse);
        self.placed.reset.next = self.reset.val();
        self.parents.reset.next = self.reset.val();

        // Entries.
        self.intake.start.next = self.start.val();
        self.intake.count.next = self.count.val();
        self.intake.size.next = self.size.val();
        self.intake.host_a.next = self.host_a.val();
        self.intake.ready.next = self.changed.in_ready.val();
        self.intake.host_read_ready.next = self.host_read_ready.val();
        self.intake.host_in_data.next = self.host_in_data.val();
        self.intake.host_in_valid.next = self.host_in_valid.val();
        self.host_read_address.next = self.intake.host_read_address.val();
        self.host_read_beats.next = self.intake.host_read_beats.val();
        self.host_read_valid.next = self.intake.host_read_valid.val();
        self.host_in_ready.next = self.intake.host_in_ready.val();
        self.bad_index.next = self.intake.bad_index.val();
        self.at_leaf.next = self.intake.at_leaf.val();

        // Changed nodes: entries at first, then what leaves the core.
        self.node.next = self.leave_data.val().get_bits::<256>(0);
        if self.second_output.val() {
            self.node.next = self.leave_data.val().get_bits::<256>(256);
        }
        self.changed.in_data.next =
            bit_cast::<289, 256>(self.node.val()) | (bit_cast::<289, 33>(self.parents.out_data.val()) << 256);
        self.changed.in_valid.next = self.leave_valid.val() & self.parents.out_valid.val();
        self.leave_ready.next = self.changed.in_ready.val() & self.parents.out_valid.val();
        self.parents.out_ready.next = self.changed.in_ready.val() & self.leave_valid.val();
        if self.state.q.val() == UpdateState::Intake {
            self.changed.in_data.next = bit_cast::<289, 256>(self.intake.leaf.val())
                | (bit_cast::<289, 32>(self.intake.index.val()) << 256);
            if self.intake.last.val() {
                self.changed.in_data.next = self.changed.in_data.val().replace_bit(288, true);
            }
            self.changed.in_valid.next = self.intake.valid.val();
        }

        self.climb.start.next = self.start.val();
        self.climb.enable.next = self.state.q.val() == UpdateState::Work;
        self.climb.size.next = self.size.val();
        self.climb.depth.next = self.depth.val();
        self.climb.arity_four.next = self.arity_four.val();
        self.climb.card_address.next = self.card_address.val();
        self.climb.node.next = self.changed.out_data.val().get_bits::<256>(0);
        self.climb.index.next = self.changed.out_data.val().get_bits::<32>(256);
        self.climb.last.next = self.changed.out_data.val().get_bit(288);
        self.climb.valid.next = self.changed.out_valid.val() & (self.state.q.val() == UpdateState::Work);
        self.changed.out_ready.next = self.climb.ready.val();
        self.climb.card_read_ready.next = self.card_read_ready.val();
        self.card_read_address.next = self.climb.card_read_address.val();
        self.card_read_beats.next = self.climb.card_read_beats.val();
        self.card_read_valid.next = self.climb.card_read_valid.val();
        self.placed.in_data.next = self.climb.placed_data.val();
        self.placed.in_valid.next = self.climb.placed_valid.val();
        self.climb.placed_ready.next = self.placed.in_ready.val();

        self.replace.arity_four.next = self.arity_four.val();
        self.replace.placed_data.next = self.placed.out_data.val();
        self.replace.placed_valid.next = self.placed.out_valid.val();
        self.placed.out_ready.next = self.replace.placed_ready.val();
        self.replace.card_in_data.next = self.card_in_data.val();
        self.replace.card_in_valid.next = self.card_in_valid.val();
        self.replace.card_write_ready.next = self.card_write_ready.val();
        self.replace.card_out_ready.next = self.card_out_ready.val();
        self.replace.enter_ready.next = self.enter_ready.val();
        self.replace.host_out_ready.next = self.host_out_ready.val();
        self.card_in_ready.next = self.replace.card_in_ready.val();
        self.card_write_address.next = self.replace.card_write_address.val();
        self.card_write_beats.next = self.replace.card_write_beats.val();
        self.card_write_valid.next = self.replace.card_write_valid.val();
        self.card_out_data.next = self.replace.card_out_data.val();
        self.card_out_valid.next = self.replace.card_out_valid.val();
        self.enter_data.next = self.replace.enter_data.val();
        self.enter_valid.next = self.replace.enter_valid.val();
        self.host_out_data.next = self.replace.host_out_data.val();
        self.host_out_valid.next = self.replace.host_out_valid.val();
        self.parents.in_data.next = bit_cast::<33, 32>(self.replace.parent.val());
        if self.replace.parent_last.val() {
            self.parents.in_data.next = self.parents.in_data.val().replace_bit(32, true);
        }
        self.parents.in_valid.next = self.replace.enter_valid.val() & self.enter_ready.val();

        self.host_write_address.next = self.result_address.val();
        self.host_write_beats.next = 1.into();
        self.host_write_valid.next = self.report.q.val();
        if self.host_write_ready.val() {
            self.report.d.next = false;
        }

        self.settle.d.next = 0.into();
        match self.state.q.val() {
            UpdateState::Idle => {
                if self.start.val() {
                    self.report.d.next = true;
                    self.state.d.next = UpdateState::Intake;
                }
            }
            UpdateState::Intake => {
                if !self.intake.busy.val() {
                    self.state.d.next = UpdateState::Settle;
                }
            }
            UpdateState::Settle => {
                self.settle.d.next = self.settle.q.val() + 1;
                if self.settle.q.val() == self.settle_cycles.val() {
                    self.state.d.next = UpdateState::Work;
                    if self.refused.val() {
                        self.state.d.next = UpdateState::Refuse;
                    }
                }
            }
            UpdateState::Work => {
                if self.replace.done.val() {
                    self.state.d.next = UpdateState::Idle;
                }
            }
            UpdateState::Refuse => {
                self.host_out_data.next = 0.into();
                self.host_out_valid.next = true;
                if self.host_out_ready.val() {
                    self.state.d.next = UpdateState::Idle;
                }
            }
        }
        self.busy.next = (self.state.q.val() != UpdateState::Idle) | self.report.q.val();
        if self.reset.val() {
            self.state.d.next = UpdateState::Idle;
            self.report.d.next = false;
        }
    }
}
