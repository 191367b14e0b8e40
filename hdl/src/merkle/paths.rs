//! Reading paths.

use super::LevelWalk;
use crate::stream::Split;
use rust_hdl::prelude::*;

/// Lines that may be on their way from card memory, and a few more.
const ON_THE_WAY: u64 = 256;

/// Reads the group of nodes of every level below the root, for each index that the host names.
///
/// A level takes a job of a line or two and two or four beats to the host; jobs run ahead of the lines. An index past
/// the tree is told by `bad_index` and 0 is read in its place, so that as many beats come as were promised.
#[derive(LogicBlock)]
pub struct Paths {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Pulse: begin. What follows stands until `busy` falls.
    pub start: Signal<In, Bit>,
    /// Indices, at least 1.
    pub count: Signal<In, Bits<32>>,
    /// Leaves.
    pub size: Signal<In, Bits<32>>,
    /// Levels above the leaves, at least 1.
    pub depth: Signal<In, Bits<6>>,
    /// Groups have four nodes, not two.
    pub arity_four: Signal<In, Bit>,
    /// Host address of the indices.
    pub host_a: Signal<In, Bits<64>>,
    /// Host address of the paths.
    pub result_address: Signal<In, Bits<64>>,
    /// Byte address of the tree.
    pub card_address: Signal<In, Bits<64>>,
    /// High from the cycle after `start` until the last beat was taken.
    pub busy: Signal<Out, Bit>,
    /// Pulse: an index is past the tree.
    pub bad_index: Signal<Out, Bit>,
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
    walk: LevelWalk,
    lines: Split<256, 512>,
    ask: DFF<Bit>,
    left: DFF<Bits<32>>,
    climbing: DFF<Bit>,
    at: DFF<Bits<32>>,
    reports_left: DFF<Bits<32>>,
    report_address: DFF<Bits<64>>,
    on_the_way: DFF<Bits<16>>,
    take: Signal<Local, Bit>,
    bad: Signal<Local, Bit>,
    parent: Signal<Local, Bits<32>>,
    may_ask: Signal<Local, Bit>,
    asked: Signal<Local, Bit>,
    level: Signal<Local, Bits<6>>,
    path_beats: Signal<Local, Bits<32>>,
    group_lines: Signal<Local, Bits<16>>,
    coming: Signal<Local, Bits<16>>,
    most: Constant<Bits<16>>,
}

impl Default for Paths {
    fn default() -> Paths {
        Paths {
            clock: Default::default(),
            reset: Default::default(),
            start: Default::default(),
            count: Default::default(),
            size: Default::default(),
            depth: Default::default(),
            arity_four: Default::default(),
            host_a: Default::default(),
            result_address: Default::default(),
            card_address: Default::default(),
            busy: Default::default(),
            bad_index: Default::default(),
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
            walk: Default::default(),
            lines: Default::default(),
            ask: Default::default(),
            left: Default::default(),
            climbing: Default::default(),
            at: Default::default(),
            reports_left: Default::default(),
            report_address: Default::default(),
            on_the_way: Default::default(),
            take: Default::default(),
            bad: Default::default(),
            parent: Default::default(),
            may_ask: Default::default(),
            asked: Default::default(),
            level: Default::default(),
            path_beats: Default::default(),
            group_lines: Default::default(),
            coming: Default::default(),
            most: Constant::new(ON_THE_WAY.into()),
        }
    }
}

impl Logic for Paths {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, ask, left, climbing, at, reports_left, report_address, on_the_way);
        clock!(self, clock, walk, lines);
        self.lines.reset.next = self.reset.val();
        self.host_read_address.next = self.host_a.val();
        self.host_read_beats.next = self.count.val();
        self.host_read_valid.next = self.ask.q.val();
        if self.host_read_ready.val() {
            self.ask.d.next = false;
        }

        // An index.
        self.host_in_ready.next = (self.left.q.val() != 0) & !self.climbing.q.val();
        self.take.next = self.host_in_valid.val() & (self.left.q.val() != 0) & !self.climbing.q.val();
        self.bad.next = self.host_in_data.val().get_bits::<224>(32).any()
            | (self.size.val() <= self.host_in_data.val().get_bits::<32>(0));
        self.bad_index.next = self.take.val() & self.bad.val();
        self.walk.start.next = self.take.val();
        self.walk.size.next = self.size.val();
        self.walk.card_address.next = self.card_address.val();
        self.walk.arity_four.next = self.arity_four.val();
        if self.take.val() {
            self.left.d.next = self.left.q.val() - 1;
            self.climbing.d.next = true;
            self.at.d.next = self.host_in_data.val().get_bits::<32>(0);
            if self.bad.val() {
                self.at.d.next = 0.into();
            }
        }

        // Its groups, from the leaves up.
        self.parent.next = self.at.q.val() >> 1;
        self.card_read_address.next = self.walk.address.val() + (bit_cast::<64, 32>(self.parent.val()) << 6);
        self.group_lines.next = 1.into();
        if self.arity_four.val() {
            self.parent.next = self.at.q.val() >> 2;
            self.card_read_address.next =
                self.walk.address.val() + (bit_cast::<64, 32>(self.parent.val()) << 7);
            self.group_lines.next = 2.into();
        }
        self.card_read_beats.next = bit_cast::<32, 16>(self.group_lines.val());
        self.may_ask.next = self.climbing.q.val() & (self.on_the_way.q.val() < self.most.val());
        self.card_read_valid.next = self.may_ask.val();
        self.asked.next = self.may_ask.val() & self.card_read_ready.val();
        self.walk.step.next = self.asked.val();
        self.level.next = self.walk.level.val() + 1;
        if self.asked.val() {
            self.at.d.next = self.parent.val();
            if self.level.val() == self.depth.val() {
                self.climbing.d.next = false;
            }
        }

        // Their lines.
        self.lines.in_data.next = self.card_in_data.val();
        self.lines.in_valid.next = self.card_in_valid.val();
        self.card_in_ready.next = self.lines.in_ready.val();
        self.host_out_data.next = self.lines.out_data.val();
        self.host_out_valid.next = self.lines.out_valid.val();
        self.lines.out_ready.next = self.host_out_ready.val();
        self.coming.next = self.on_the_way.q.val();
        if self.asked.val() {
            self.coming.next = self.coming.val() + self.group_lines.val();
        }
        if self.card_in_valid.val() & self.lines.in_ready.val() {
            self.coming.next = self.coming.val() - 1;
        }
        self.on_the_way.d.next = self.coming.val();

        // Where they go: a job a path.
        self.path_beats.next = bit_cast::<32, 6>(self.depth.val()) << 1;
        if self.arity_four.val() {
            self.path_beats.next = bit_cast::<32, 6>(self.depth.val()) << 2;
        }
        self.host_write_address.next = self.report_address.q.val();
        self.host_write_beats.next = self.path_beats.val();
        self.host_write_valid.next = self.reports_left.q.val() != 0;
        if self.host_write_ready.val() & (self.reports_left.q.val() != 0) {
            self.reports_left.d.next = self.reports_left.q.val() - 1;
            self.report_address.d.next =
                self.report_address.q.val() + (bit_cast::<64, 32>(self.path_beats.val()) << 5);
        }

        self.busy.next = (self.left.q.val() != 0)
            | self.climbing.q.val()
            | (self.reports_left.q.val() != 0)
            | (self.on_the_way.q.val() != 0);
        if self.start.val() {
            self.ask.d.next = true;
            self.left.d.next = self.count.val();
            self.reports_left.d.next = self.count.val();
            self.report_address.d.next = self.result_address.val();
        }
        if self.reset.val() {
            self.ask.d.next = false;
            self.left.d.next = 0.into();
            self.climbing.d.next = false;
            self.reports_left.d.next = 0.into();
            self.on_the_way.d.next = 0.into();
        }
    }
}
