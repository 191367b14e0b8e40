//! The place of the hash engine, which not every card has.

use rust_hdl::prelude::*;

/// The hash engine of a card, or nothing: then no command reaches it, and its outputs are zero.
#[derive(LogicBlock)]
pub struct HashSlot {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Pulse: begin; the next inputs stand until `busy` falls.
    pub start: Signal<In, Bit>,
    /// What to do.
    pub opcode: Signal<In, Bits<8>>,
    /// Number of elements.
    pub count: Signal<In, Bits<32>>,
    /// Leaves of the tree.
    pub size: Signal<In, Bits<32>>,
    /// Width or arity, output, blocks or depth.
    pub command_parameter: Signal<In, Bits<32>>,
    /// Host address of the first operand.
    pub host_a: Signal<In, Bits<64>>,
    /// Host address of the second operand.
    pub host_b: Signal<In, Bits<64>>,
    /// Host address of the result.
    pub host_out: Signal<In, Bits<64>>,
    /// Address in card memory.
    pub card_address: Signal<In, Bits<64>>,
    /// High from the cycle after `start` until the last result was taken.
    pub busy: Signal<Out, Bit>,
    /// Why what was given was refused, a status code; 0 where it was not.
    pub refusal: Signal<Out, Bits<8>>,
    /// A hash has finished.
    pub hashed: Signal<Out, Bit>,
    /// Lanes that work on a state in this cycle.
    pub passes: Signal<Out, Bits<8>>,
    /// Lanes that have no state in this cycle.
    pub starved: Signal<Out, Bits<8>>,
    /// Job of the host read master: byte address.
    pub host_read_address: Signal<Out, Bits<64>>,
    /// Job of the host read master: beats.
    pub host_read_beats: Signal<Out, Bits<32>>,
    /// Job of the host read master: offered.
    pub host_read_valid: Signal<Out, Bit>,
    /// Job of the host read master: accepted.
    pub host_read_ready: Signal<In, Bit>,
    /// Beat from host memory.
    pub host_in_data: Signal<In, Bits<256>>,
    /// Beat from host memory: valid.
    pub host_in_valid: Signal<In, Bit>,
    /// Beat from host memory: taken.
    pub host_in_ready: Signal<Out, Bit>,
    /// Job of the host write master: byte address.
    pub host_write_address: Signal<Out, Bits<64>>,
    /// Job of the host write master: beats.
    pub host_write_beats: Signal<Out, Bits<32>>,
    /// Job of the host write master: offered.
    pub host_write_valid: Signal<Out, Bit>,
    /// Job of the host write master: accepted.
    pub host_write_ready: Signal<In, Bit>,
    /// Beat to host memory.
    pub host_out_data: Signal<Out, Bits<256>>,
    /// Beat to host memory: valid.
    pub host_out_valid: Signal<Out, Bit>,
    /// Beat to host memory: taken.
    pub host_out_ready: Signal<In, Bit>,
    /// Job of the card read master: byte address.
    pub card_read_address: Signal<Out, Bits<64>>,
    /// Job of the card read master: beats.
    pub card_read_beats: Signal<Out, Bits<32>>,
    /// Job of the card read master: offered.
    pub card_read_valid: Signal<Out, Bit>,
    /// Job of the card read master: accepted.
    pub card_read_ready: Signal<In, Bit>,
    /// Beat from card memory.
    pub card_in_data: Signal<In, Bits<512>>,
    /// Beat from card memory: valid.
    pub card_in_valid: Signal<In, Bit>,
    /// Beat from card memory: taken.
    pub card_in_ready: Signal<Out, Bit>,
    /// Job of the card write master: byte address.
    pub card_write_address: Signal<Out, Bits<64>>,
    /// Job of the card write master: beats.
    pub card_write_beats: Signal<Out, Bits<32>>,
    /// Job of the card write master: offered.
    pub card_write_valid: Signal<Out, Bit>,
    /// Job of the card write master: accepted.
    pub card_write_ready: Signal<In, Bit>,
    /// Beat to card memory.
    pub card_out_data: Signal<Out, Bits<512>>,
    /// Beat to card memory: valid.
    pub card_out_valid: Signal<Out, Bit>,
    /// Beat to card memory: taken.
    pub card_out_ready: Signal<In, Bit>,
    /// The card-memory write master is idle: all that was given to it is written and answered.
    pub card_write_idle: Signal<In, Bit>,
}

impl Default for HashSlot {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            reset: Default::default(),
            start: Default::default(),
            opcode: Default::default(),
            count: Default::default(),
            size: Default::default(),
            command_parameter: Default::default(),
            host_a: Default::default(),
            host_b: Default::default(),
            host_out: Default::default(),
            card_address: Default::default(),
            busy: Default::default(),
            refusal: Default::default(),
            hashed: Default::default(),
            passes: Default::default(),
            starved: Default::default(),
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
        }
    }
}

impl Logic for HashSlot {
    #[hdl_gen]
    fn update(&mut self) {
        self.busy.next = false;
        self.refusal.next = 0.into();
        self.hashed.next = false;
        self.passes.next = 0.into();
        self.starved.next = 0.into();
        self.host_read_address.next = 0.into();
        self.host_read_beats.next = 0.into();
        self.host_read_valid.next = false;
        self.host_in_ready.next = false;
        self.host_write_address.next = 0.into();
        self.host_write_beats.next = 0.into();
        self.host_write_valid.next = false;
        self.host_out_data.next = 0.into();
        self.host_out_valid.next = false;
        self.card_read_address.next = 0.into();
        self.card_read_beats.next = 0.into();
        self.card_read_valid.next = false;
        self.card_in_ready.next = false;
        self.card_write_address.next = 0.into();
        self.card_write_beats.next = 0.into();
        self.card_write_valid.next = false;
        self.card_out_data.next = 0.into();
        self.card_out_valid.next = false;
    }
}
