//! Taking the entries of an update in, before anything is done.

use rust_hdl::prelude::*;

/// Reads the entries of an update, index and leaf by turns, and checks the indices. All are read, whatever they are.
#[derive(LogicBlock, Default)]
pub struct Entries {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Pulse: begin. What follows stands until `busy` falls.
    pub start: Signal<In, Bit>,
    /// Entries, at least 1.
    pub count: Signal<In, Bits<32>>,
    /// Leaves of the tree.
    pub size: Signal<In, Bits<32>>,
    /// Host address of the entries.
    pub host_a: Signal<In, Bits<64>>,
    /// High from the cycle after `start` until the last entry was given.
    pub busy: Signal<Out, Bit>,
    /// Pulse: an index is past the tree, or not above the one before.
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
    /// The beat of the host is a leaf, not an index.
    pub at_leaf: Signal<Out, Bit>,
    /// An entry: the index.
    pub index: Signal<Out, Bits<32>>,
    /// An entry: the leaf.
    pub leaf: Signal<Out, Bits<256>>,
    /// The entry is the last one.
    pub last: Signal<Out, Bit>,
    /// There is an entry.
    pub valid: Signal<Out, Bit>,
    /// The entry is taken.
    pub ready: Signal<In, Bit>,
    ask: DFF<Bit>,
    left: DFF<Bits<32>>,
    second: DFF<Bit>,
    none_before: DFF<Bit>,
    index_now: DFF<Bits<32>>,
    new_index: Signal<Local, Bits<32>>,
    bad: Signal<Local, Bit>,
    take: Signal<Local, Bit>,
}

impl Logic for Entries {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, ask, left, second, none_before, index_now);
        self.host_read_address.next = self.host_a.val();
        self.host_read_beats.next = self.count.val() << 1;
        self.host_read_valid.next = self.ask.q.val();
        if self.host_read_ready.val() {
            self.ask.d.next = false;
        }
        self.new_index.next = self.host_in_data.val().get_bits::<32>(0);
        self.bad.next = self.host_in_data.val().get_bits::<224>(32).any()
            | (self.size.val() <= self.new_index.val())
            | (!self.none_before.q.val() & (self.new_index.val() <= self.index_now.q.val()));
        self.host_in_ready.next = false;
        self.valid.next = false;
        if self.left.q.val() != 0 {
            self.host_in_ready.next = !self.second.q.val() | self.ready.val();
            self.valid.next = self.second.q.val() & self.host_in_valid.val();
        }
        self.take.next = self.host_in_valid.val() & self.host_in_ready.val();
        self.bad_index.next = self.take.val() & !self.second.q.val() & self.bad.val();
        self.at_leaf.next = self.second.q.val();
        self.index.next = self.index_now.q.val();
        self.leaf.next = self.host_in_data.val();
        self.last.next = self.left.q.val() == 1;
        self.busy.next = self.left.q.val() != 0;
        if self.take.val() {
            self.second.d.next = !self.second.q.val();
            if self.second.q.val() {
                self.left.d.next = self.left.q.val() - 1;
            } else {
                self.index_now.d.next = self.new_index.val();
                self.none_before.d.next = false;
            }
        }
        if self.start.val() {
            self.ask.d.next = true;
            self.left.d.next = self.count.val();
            self.second.d.next = false;
            self.none_before.d.next = true;
        }
        if self.reset.val() {
            self.ask.d.next = false;
            self.left.d.next = 0.into();
            self.second.d.next = false;
        }
    }
}
