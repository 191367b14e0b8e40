//! Hashes of messages: batches of fixed length, and sponges.

use super::{Absorb, BlockWalk};
use crate::datapath::DatapathConfig;
use crate::stream::Fifo;
use rust_hdl::prelude::*;

/// Hashes `count` messages of the host; a digest each goes back, in the order of the messages.
///
/// A message of fixed length is a sponge of one block with capacity zero, so both are one machine: [`Absorb`] makes
/// states, and what leaves the core is a digest after the last block and waits for its next block after all others.
/// While the last block of one group is in the core, the first of the next one enters. A group's states that wait fit
/// their memory, so the core is never kept from giving them.
#[derive(LogicBlock)]
pub struct Messages {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Pulse: begin. What follows stands until `busy` falls.
    pub start: Signal<In, Bit>,
    /// Messages, at least 1.
    pub count: Signal<In, Bits<32>>,
    /// Blocks of a message, 0 for the hash of fixed length.
    pub blocks: Signal<In, Bits<16>>,
    /// Elements of a block, t − 1.
    pub rate: Signal<In, Bits<3>>,
    /// The digest is element 1 of the state, not 0.
    pub second_output: Signal<In, Bit>,
    /// Host address of the messages.
    pub host_a: Signal<In, Bits<64>>,
    /// Host address of the capacity.
    pub host_b: Signal<In, Bits<64>>,
    /// Host address of the digests.
    pub result_address: Signal<In, Bits<64>>,
    /// High from the cycle after `start` until the last digest was taken.
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
    absorb: Absorb,
    results: BlockWalk,
    waiting_0: Fifo<256>,
    waiting_1: Fifo<256>,
    waiting_2: Fifo<256>,
    waiting_3: Fifo<256>,
    waiting_4: Fifo<256>,
    report: DFF<Bit>,
    sponge: Signal<Local, Bit>,
    block_count: Signal<Local, Bits<16>>,
    keep: Signal<Local, Bit>,
    resume: Signal<Local, Bit>,
}

impl Messages {
    /// The machine for states of up to `width` elements and groups of at most so many messages.
    pub fn new(width: usize, group: u32, config: &DatapathConfig) -> Messages {
        // An element that no state has needs no memory.
        let waiting = |element: usize| Fifo::new(if element < width { group as usize } else { 1 });
        Messages {
            clock: Default::default(),
            reset: Default::default(),
            start: Default::default(),
            count: Default::default(),
            blocks: Default::default(),
            rate: Default::default(),
            second_output: Default::default(),
            host_a: Default::default(),
            host_b: Default::default(),
            result_address: Default::default(),
            busy: Default::default(),
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
            enter_data: Default::default(),
            enter_valid: Default::default(),
            enter_ready: Default::default(),
            leave_data: Default::default(),
            leave_valid: Default::default(),
            leave_ready: Default::default(),
            absorb: Absorb::new(group, config),
            results: BlockWalk::new(group),
            waiting_0: waiting(0),
            waiting_1: waiting(1),
            waiting_2: waiting(2),
            waiting_3: waiting(3),
            waiting_4: waiting(4),
            report: Default::default(),
            sponge: Default::default(),
            block_count: Default::default(),
            keep: Default::default(),
            resume: Default::default(),
        }
    }
}

impl Logic for Messages {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, report);
        clock!(self, clock, absorb, results, waiting_0, waiting_1, waiting_2, waiting_3, waiting_4);
        self.absorb.reset.next = self.reset.val();
        self.results.reset.next = self.reset.val();
        self.sponge.next = self.blocks.val().any();
        self.block_count.next = self.blocks.val();
        if !self.sponge.val() {
            self.block_count.next = 1.into();
        }

        // Into the core.
        self.absorb.start.next = self.start.val();
        self.absorb.count.next = self.count.val();
        self.absorb.blocks.next = self.block_count.val();
        self.absorb.rate.next = self.rate.val();
        self.absorb.sponge.next = self.sponge.val();
        self.absorb.host_a.next = self.host_a.val();
        self.absorb.host_b.next = self.host_b.val();
        self.absorb.host_read_ready.next = self.host_read_ready.val();
        self.absorb.host_in_data.next = self.host_in_data.val();
        self.absorb.host_in_valid.next = self.host_in_valid.val();
        self.absorb.enter_ready.next = self.enter_ready.val();
        self.host_read_address.next = self.absorb.host_read_address.val();
        self.host_read_beats.next = self.absorb.host_read_beats.val();
        self.host_read_valid.next = self.absorb.host_read_valid.val();
        self.host_in_ready.next = self.absorb.host_in_ready.val();
        self.enter_data.next = self.absorb.enter_data.val();
        self.enter_valid.next = self.absorb.enter_valid.val();

        // Out of the core: a digest, or a state that waits.
        self.results.start.next = self.start.val();
        self.results.count.next = self.count.val();
        self.results.blocks.next = self.block_count.val();
        self.results.next_block.next = false;
        self.host_out_data.next = self.leave_data.val().get_bits::<256>(0);
        if self.second_output.val() {
            self.host_out_data.next = self.leave_data.val().get_bits::<256>(256);
        }
        self.keep.next = self.leave_valid.val() & self.results.busy.val() & !self.results.last.val();
        self.host_out_valid.next = self.leave_valid.val() & self.results.busy.val() & self.results.last.val();
        self.leave_ready.next =
            self.results.busy.val() & (!self.results.last.val() | self.host_out_ready.val());
        self.results.next_message.next =
            self.keep.val() | (self.host_out_valid.val() & self.host_out_ready.val());

        // The states that wait, element by element.
        self.resume.next = self.absorb.waiting_ready.val();
        self.absorb.waiting_valid.next = self.waiting_0.out_valid.val();
        self.absorb.waiting_data.next = bit_cast::<1280, 256>(self.waiting_0.out_data.val())
            | (bit_cast::<1280, 256>(self.waiting_1.out_data.val()) << 256)
            | (bit_cast::<1280, 256>(self.waiting_2.out_data.val()) << 512)
            | (bit_cast::<1280, 256>(self.waiting_3.out_data.val()) << 768)
            | (bit_cast::<1280, 256>(self.waiting_4.out_data.val()) << 1024);
        self.waiting_0.in_data.next = self.leave_data.val().get_bits::<256>(0);
        self.waiting_1.in_data.next = self.leave_data.val().get_bits::<256>(256);
        self.waiting_2.in_data.next = self.leave_data.val().get_bits::<256>(512);
        self.waiting_3.in_data.next = self.leave_data.val().get_bits::<256>(768);
        self.waiting_4.in_data.next = self.leave_data.val().get_bits::<256>(1024);
        self.waiting_0.reset.next = self.reset.val();
        self.waiting_0.in_valid.next = self.keep.val();
        self.waiting_0.out_ready.next = self.resume.val();
        self.waiting_1.reset.next = self.reset.val();
        self.waiting_1.in_valid.next = self.keep.val();
        self.waiting_1.out_ready.next = self.resume.val();
        self.waiting_2.reset.next = self.reset.val();
        self.waiting_2.in_valid.next = self.keep.val();
        self.waiting_2.out_ready.next = self.resume.val();
        self.waiting_3.reset.next = self.reset.val();
        self.waiting_3.in_valid.next = self.keep.val();
        self.waiting_3.out_ready.next = self.resume.val();
        self.waiting_4.reset.next = self.reset.val();
        self.waiting_4.in_valid.next = self.keep.val();
        self.waiting_4.out_ready.next = self.resume.val();

        self.host_write_address.next = self.result_address.val();
        self.host_write_beats.next = self.count.val();
        self.host_write_valid.next = self.report.q.val();
        if self.host_write_ready.val() {
            self.report.d.next = false;
        }
        self.busy.next = self.results.busy.val() | self.report.q.val();
        if self.start.val() {
            self.report.d.next = true;
        }
        if self.reset.val() {
            self.report.d.next = false;
        }
    }
}
