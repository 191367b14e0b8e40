//! Building a tree.

use super::{EmptyRoots, Gather, Leaves, Nodes, TreeWriter};
use rust_hdl::prelude::*;

/// Builds a tree breadth first, without a pause between levels.
///
/// Levels lie in card memory one behind the other, so all reads of a build are one stream of lines to ascending
/// addresses, and all writes above the leaves another one. The core is fed with the lines of level 0, which come from
/// the host and go to card memory at the same time, or are there already; then with the lines that are read. These are
/// asked for as far as they have been written and answered, while earlier ones are still in the core: as long as a level
/// has more groups than there are in the core, the next one's first lines are there before the last of its own entered.
#[derive(LogicBlock)]
pub struct Build {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Pulse: begin. What follows stands until `busy` falls.
    pub start: Signal<In, Bit>,
    /// Leaves come from the host; else they are in card memory.
    pub from_host: Signal<In, Bit>,
    /// Leaves.
    pub size: Signal<In, Bits<32>>,
    /// Levels above the leaves, at least 1.
    pub depth: Signal<In, Bits<6>>,
    /// Groups have four nodes, not two.
    pub arity_four: Signal<In, Bit>,
    /// A node is element 1 of the state, not 0.
    pub second_output: Signal<In, Bit>,
    /// Host address of the leaves.
    pub host_a: Signal<In, Bits<64>>,
    /// Host address of the root.
    pub result_address: Signal<In, Bits<64>>,
    /// Byte address of the tree.
    pub card_address: Signal<In, Bits<64>>,
    /// Byte address of level 1.
    pub first_address: Signal<In, Bits<64>>,
    /// Byte address of the root.
    pub root_address: Signal<In, Bits<64>>,
    /// High from the cycle after `start` until the root was taken and the tree is in card memory.
    pub busy: Signal<Out, Bit>,
    /// A line of leaves that were in card memory already is taken in this cycle.
    pub unchecked: Signal<Out, Bit>,
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
    /// The card write master has had all its jobs answered.
    pub card_write_idle: Signal<In, Bit>,
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
    leaves: Leaves,
    nodes: Nodes,
    writer: TreeWriter,
    gather: Gather,
    active: DFF<Bit>,
    report: DFF<Bit>,
    asked: DFF<Bits<64>>,
    job: DFF<Bits<32>>,
    unchecked_left: DFF<Bits<32>>,
    limit: Signal<Local, Bits<64>>,
    readable: Signal<Local, Bits<64>>,
    level_0: Signal<Local, Bits<64>>,
}

impl Build {
    /// The builder with these roots of empty subtrees.
    pub fn new(empty: &EmptyRoots) -> Build {
        Build {
            clock: Default::default(),
            reset: Default::default(),
            start: Default::default(),
            from_host: Default::default(),
            size: Default::default(),
            depth: Default::default(),
            arity_four: Default::default(),
            second_output: Default::default(),
            host_a: Default::default(),
            result_address: Default::default(),
            card_address: Default::default(),
            first_address: Default::default(),
            root_address: Default::default(),
            busy: Default::default(),
            unchecked: Default::default(),
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
            card_write_idle: Default::default(),
            enter_data: Default::default(),
            enter_valid: Default::default(),
            enter_ready: Default::default(),
            leave_data: Default::default(),
            leave_valid: Default::default(),
            leave_ready: Default::default(),
            leaves: Default::default(),
            nodes: Nodes::new(empty),
            writer: Default::default(),
            gather: Default::default(),
            active: Default::default(),
            report: Default::default(),
            asked: Default::default(),
            job: Default::default(),
            unchecked_left: Default::default(),
            limit: Default::default(),
            readable: Default::default(),
            level_0: Default::default(),
        }
    }
}

impl Logic for Build {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, active, report, asked, job, unchecked_left);
        clock!(self, clock, leaves, nodes, writer, gather);
        self.leaves.reset.next = self.reset.val();
        self.nodes.reset.next = self.reset.val();
        self.writer.reset.next = self.reset.val();
        self.gather.reset.next = self.reset.val();

        // Leaves of the host: a line goes to the core and to card memory at once.
        self.leaves.start.next = self.start.val() & self.from_host.val();
        self.leaves.size.next = self.size.val();
        self.leaves.arity_four.next = self.arity_four.val();
        self.leaves.host_a.next = self.host_a.val();
        self.leaves.host_read_ready.next = self.host_read_ready.val();
        self.leaves.host_in_data.next = self.host_in_data.val();
        self.leaves.host_in_valid.next = self.host_in_valid.val();
        self.host_read_address.next = self.leaves.host_read_address.val();
        self.host_read_beats.next = self.leaves.host_read_beats.val();
        self.host_read_valid.next = self.leaves.host_read_valid.val();
        self.host_in_ready.next = self.leaves.host_in_ready.val();
        self.leaves.line_ready.next = self.gather.line_ready.val() & self.writer.leaf_ready.val();
        self.writer.leaf_data.next = self.leaves.line_data.val();
        self.writer.leaf_valid.next = self.leaves.line_valid.val() & self.gather.line_ready.val();

        // Into the core.
        self.gather.arity_four.next = self.arity_four.val();
        self.gather.line_data.next = self.card_in_data.val();
        self.gather.line_valid.next = self.card_in_valid.val() & self.active.q.val();
        self.card_in_ready.next = self.gather.line_ready.val() & self.active.q.val();
        if self.leaves.busy.val() {
            self.gather.line_data.next = self.leaves.line_data.val();
            self.gather.line_valid.next = self.leaves.line_valid.val() & self.writer.leaf_ready.val();
            self.card_in_ready.next = false;
        }
        self.gather.enter_ready.next = self.enter_ready.val();
        self.enter_data.next = self.gather.enter_data.val();
        self.enter_valid.next = self.gather.enter_valid.val();
        self.unchecked.next =
            self.card_in_valid.val() & self.card_in_ready.val() & (self.unchecked_left.q.val() != 0);
        if self.unchecked.val() {
            self.unchecked_left.d.next = self.unchecked_left.q.val() - 1;
        }

        // Out of the core.
        self.nodes.start.next = self.start.val();
        self.nodes.size.next = self.size.val();
        self.nodes.depth.next = self.depth.val();
        self.nodes.arity_four.next = self.arity_four.val();
        self.nodes.second_output.next = self.second_output.val();
        self.nodes.leave_data.next = self.leave_data.val();
        self.nodes.leave_valid.next = self.leave_valid.val();
        self.nodes.host_out_ready.next = self.host_out_ready.val();
        self.leave_ready.next = self.nodes.leave_ready.val();
        self.host_out_data.next = self.nodes.host_out_data.val();
        self.host_out_valid.next = self.nodes.host_out_valid.val();
        self.writer.node_data.next = self.nodes.line_data.val();
        self.writer.node_valid.next = self.nodes.line_valid.val();
        self.nodes.line_ready.next = self.writer.node_ready.val();
        self.writer.start.next = self.start.val();
        self.writer.leaf_address.next = self.card_address.val();
        self.writer.node_address.next = self.first_address.val();
        self.writer.card_write_idle.next = self.card_write_idle.val();
        self.writer.card_write_ready.next = self.card_write_ready.val();
        self.writer.card_out_ready.next = self.card_out_ready.val();
        self.card_write_address.next = self.writer.card_write_address.val();
        self.card_write_beats.next = self.writer.card_write_beats.val();
        self.card_write_valid.next = self.writer.card_write_valid.val();
        self.card_out_data.next = self.writer.card_out_data.val();
        self.card_out_valid.next = self.writer.card_out_valid.val();

        // Reading what is written, up to the root, which nothing is made of.
        self.limit.next = self.writer.written.val();
        if self.root_address.val() < self.writer.written.val() {
            self.limit.next = self.root_address.val();
        }
        self.readable.next = (self.limit.val() - self.asked.q.val()) >> 6;
        self.card_read_address.next = self.asked.q.val();
        self.card_read_beats.next = self.job.q.val();
        self.card_read_valid.next = self.job.q.val().any();
        if self.active.q.val() {
            if self.job.q.val().any() {
                if self.card_read_ready.val() {
                    self.asked.d.next = self.asked.q.val() + (bit_cast::<64, 32>(self.job.q.val()) << 6);
                    self.job.d.next = 0.into();
                }
            } else {
                self.job.d.next = self.readable.val().get_bits::<32>(0);
            }
        }

        self.host_write_address.next = self.result_address.val();
        self.host_write_beats.next = 1.into();
        self.host_write_valid.next = self.report.q.val();
        if self.host_write_ready.val() {
            self.report.d.next = false;
        }
        if !self.nodes.busy.val() & !self.writer.busy.val() & !self.report.q.val() {
            self.active.d.next = false;
        }
        self.busy.next = self.active.q.val();
        self.level_0.next = (self.first_address.val() - self.card_address.val()) >> 6;
        if self.start.val() {
            self.active.d.next = true;
            self.report.d.next = true;
            self.job.d.next = 0.into();
            self.asked.d.next = self.first_address.val();
            self.unchecked_left.d.next = 0.into();
            if !self.from_host.val() {
                self.asked.d.next = self.card_address.val();
                self.unchecked_left.d.next = self.level_0.val().get_bits::<32>(0);
            }
        }
        if self.reset.val() {
            self.active.d.next = false;
            self.report.d.next = false;
            self.job.d.next = 0.into();
        }
    }
}
