//! Leaves from the host, as lines of level 0.

use crate::stream::Pair;
use rust_hdl::prelude::*;

/// Reads leaves from host memory and joins them to lines of two, filled up with zeros to whole groups.
///
/// One leaf a cycle, latency 0.
#[derive(LogicBlock, Default)]
pub struct Leaves {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Pulse: begin. What follows stands until `busy` falls.
    pub start: Signal<In, Bit>,
    /// Leaves, at least 1.
    pub size: Signal<In, Bits<32>>,
    /// Groups have four nodes, not two.
    pub arity_four: Signal<In, Bit>,
    /// Host address of the leaves.
    pub host_a: Signal<In, Bits<64>>,
    /// High from the cycle after `start` until the last line was taken.
    pub busy: Signal<Out, Bit>,
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
    /// A line: two leaves, the first in the low half.
    pub line_data: Signal<Out, Bits<512>>,
    /// `line_data` is a line.
    pub line_valid: Signal<Out, Bit>,
    /// The line is taken.
    pub line_ready: Signal<In, Bit>,
    pair: Pair<256, 512>,
    ask: DFF<Bit>,
    left: DFF<Bits<32>>,
    missing: DFF<Bits<2>>,
    over: Signal<Local, Bits<2>>,
}

impl Logic for Leaves {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, ask, left, missing);
        self.pair.clock.next = self.clock.val();
        self.pair.reset.next = self.reset.val();
        self.host_read_address.next = self.host_a.val();
        self.host_read_beats.next = self.size.val();
        self.host_read_valid.next = self.ask.q.val();
        if self.host_read_ready.val() {
            self.ask.d.next = false;
        }

        self.pair.in_data.next = self.host_in_data.val();
        self.pair.in_valid.next = false;
        self.host_in_ready.next = false;
        if self.left.q.val() != 0 {
            self.pair.in_valid.next = self.host_in_valid.val();
            self.host_in_ready.next = self.pair.in_ready.val();
            if self.host_in_valid.val() & self.pair.in_ready.val() {
                self.left.d.next = self.left.q.val() - 1;
            }
        } else {
            if self.missing.q.val() != 0 {
                self.pair.in_data.next = 0.into();
                self.pair.in_valid.next = true;
                if self.pair.in_ready.val() {
                    self.missing.d.next = self.missing.q.val() - 1;
                }
            }
        }
        self.line_data.next = self.pair.out_data.val();
        self.line_valid.next = self.pair.out_valid.val();
        self.pair.out_ready.next = self.line_ready.val();
        self.busy.next = (self.left.q.val() != 0) | (self.missing.q.val() != 0);

        self.over.next = self.size.val().get_bits::<2>(0);
        if !self.arity_four.val() {
            self.over.next = bit_cast::<2, 1>(self.size.val().get_bits::<1>(0));
        }
        if self.start.val() {
            self.ask.d.next = true;
            self.left.d.next = self.size.val();
            // What is missing from a multiple of the arity.
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
        }
        if self.reset.val() {
            self.ask.d.next = false;
            self.left.d.next = 0.into();
            self.missing.d.next = 0.into();
        }
    }
}
