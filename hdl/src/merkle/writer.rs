//! Lines of a tree to card memory, and the account of those that have arrived there.

use crate::stream::Fifo;
use rust_hdl::prelude::*;

/// Lines that wait of the leaves, and of the other levels: two of the longest bursts each.
const WAITING: usize = 128;

/// Where [`TreeWriter`] stands.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum WriterState {
    /// Looks for lines.
    Choose,
    /// Hands the job over.
    Job,
    /// Hands its lines over.
    Send,
    /// Waits until they are in card memory.
    Wait,
}

/// Writes two streams of lines, the leaves and the levels above, each to ascending addresses.
///
/// What waits when the bus master is idle makes a job, up to a burst of 64 lines; so jobs grow with the memory's latency,
/// and nothing ever waits for a burst to fill. When the master is idle again the job's lines have been answered: a read
/// will see them, and `written` says so. The streams take turns.
#[derive(LogicBlock)]
pub struct TreeWriter {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Pulse: a new tree, with its addresses.
    pub start: Signal<In, Bit>,
    /// Byte address of the first line of leaves; sampled at `start`.
    pub leaf_address: Signal<In, Bits<64>>,
    /// Byte address of the first line of the levels above; sampled at `start`.
    pub node_address: Signal<In, Bits<64>>,
    /// A line of leaves.
    pub leaf_data: Signal<In, Bits<512>>,
    /// `leaf_data` is a line.
    pub leaf_valid: Signal<In, Bit>,
    /// The line is taken.
    pub leaf_ready: Signal<Out, Bit>,
    /// A line of the levels above.
    pub node_data: Signal<In, Bits<512>>,
    /// `node_data` is a line.
    pub node_valid: Signal<In, Bit>,
    /// The line is taken.
    pub node_ready: Signal<Out, Bit>,
    /// Address up to which the levels above the leaves are in card memory.
    pub written: Signal<Out, Bits<64>>,
    /// Lines wait, or are on their way.
    pub busy: Signal<Out, Bit>,
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
    /// The bus master has had all its jobs answered; it is low from the cycle after it accepted a job.
    pub card_write_idle: Signal<In, Bit>,
    leaves: Fifo<512>,
    nodes: Fifo<512>,
    state: DFF<WriterState>,
    of_nodes: DFF<Bit>,
    beats: DFF<Bits<16>>,
    left: DFF<Bits<16>>,
    leaf_next: DFF<Bits<64>>,
    node_next: DFF<Bits<64>>,
    choose_nodes: Signal<Local, Bit>,
    waiting: Signal<Local, Bits<16>>,
    advance: Signal<Local, Bits<64>>,
    longest: Constant<Bits<16>>,
}

impl Default for TreeWriter {
    fn default() -> TreeWriter {
        TreeWriter {
            clock: Default::default(),
            reset: Default::default(),
            start: Default::default(),
            leaf_address: Default::default(),
            node_address: Default::default(),
            leaf_data: Default::default(),
            leaf_valid: Default::default(),
            leaf_ready: Default::default(),
            node_data: Default::default(),
            node_valid: Default::default(),
            node_ready: Default::default(),
            written: Default::default(),
            busy: Default::default(),
            card_write_address: Default::default(),
            card_write_beats: Default::default(),
            card_write_valid: Default::default(),
            card_write_ready: Default::default(),
            card_out_data: Default::default(),
            card_out_valid: Default::default(),
            card_out_ready: Default::default(),
            card_write_idle: Default::default(),
            leaves: Fifo::new(WAITING),
            nodes: Fifo::new(WAITING),
            state: Default::default(),
            of_nodes: Default::default(),
            beats: Default::default(),
            left: Default::default(),
            leaf_next: Default::default(),
            node_next: Default::default(),
            choose_nodes: Default::default(),
            waiting: Default::default(),
            advance: Default::default(),
            longest: Constant::new(crate::axi::MAX_BURST_BEATS.to_bits()),
        }
    }
}

impl Logic for TreeWriter {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, of_nodes, beats, left, leaf_next, node_next);
        clock!(self, clock, leaves, nodes);
        self.leaves.reset.next = self.reset.val();
        self.nodes.reset.next = self.reset.val();
        self.leaves.in_data.next = self.leaf_data.val();
        self.leaves.in_valid.next = self.leaf_valid.val();
        self.leaf_ready.next = self.leaves.in_ready.val();
        self.nodes.in_data.next = self.node_data.val();
        self.nodes.in_valid.next = self.node_valid.val();
        self.node_ready.next = self.nodes.in_ready.val();

        self.choose_nodes.next =
            self.nodes.out_valid.val() & (!self.leaves.out_valid.val() | !self.of_nodes.q.val());
        self.waiting.next = self.leaves.count.val();
        if self.choose_nodes.val() {
            self.waiting.next = self.nodes.count.val();
        }
        self.advance.next = bit_cast::<64, 16>(self.beats.q.val()) << 6;
        self.card_write_address.next = self.leaf_next.q.val();
        self.card_out_data.next = self.leaves.out_data.val();
        if self.of_nodes.q.val() {
            self.card_write_address.next = self.node_next.q.val();
            self.card_out_data.next = self.nodes.out_data.val();
        }
        self.card_write_beats.next = bit_cast::<32, 16>(self.beats.q.val());
        self.card_write_valid.next = false;
        self.card_out_valid.next = false;
        self.leaves.out_ready.next = false;
        self.nodes.out_ready.next = false;
        match self.state.q.val() {
            WriterState::Choose => {
                if self.nodes.out_valid.val() | self.leaves.out_valid.val() {
                    self.of_nodes.d.next = self.choose_nodes.val();
                    self.beats.d.next = self.waiting.val();
                    if self.longest.val() < self.waiting.val() {
                        self.beats.d.next = self.longest.val();
                    }
                    self.state.d.next = WriterState::Job;
                }
            }
            WriterState::Job => {
                self.card_write_valid.next = true;
                self.left.d.next = self.beats.q.val();
                if self.card_write_ready.val() {
                    self.state.d.next = WriterState::Send;
                }
            }
            WriterState::Send => {
                self.card_out_valid.next = true;
                self.nodes.out_ready.next = self.card_out_ready.val() & self.of_nodes.q.val();
                self.leaves.out_ready.next = self.card_out_ready.val() & !self.of_nodes.q.val();
                if self.card_out_ready.val() {
                    self.left.d.next = self.left.q.val() - 1;
                    if self.left.q.val() == 1 {
                        self.state.d.next = WriterState::Wait;
                    }
                }
            }
            WriterState::Wait => {
                if self.card_write_idle.val() {
                    if self.of_nodes.q.val() {
                        self.node_next.d.next = self.node_next.q.val() + self.advance.val();
                    } else {
                        self.leaf_next.d.next = self.leaf_next.q.val() + self.advance.val();
                    }
                    self.state.d.next = WriterState::Choose;
                }
            }
        }
        self.written.next = self.node_next.q.val();
        self.busy.next = (self.state.q.val() != WriterState::Choose)
            | self.nodes.out_valid.val()
            | self.leaves.out_valid.val();
        if self.start.val() {
            self.leaf_next.d.next = self.leaf_address.val();
            self.node_next.d.next = self.node_address.val();
        }
        if self.reset.val() {
            self.state.d.next = WriterState::Choose;
            self.of_nodes.d.next = false;
        }
    }
}
