//! The hash engine: its control, and a core for each width.

use super::HashShape;
use crate::poseidon::HashCore;
use crate::profile::{PoseidonProfile, Profile};

/// Makes a hash engine of [`HashControl`](crate::merkle::HashControl) and cores that have the ports of
/// [`HashCore`](crate::poseidon::HashCore): [`HashEngine`](crate::merkle::HashEngine) itself, and in tests of
/// the engine one whose cores are small stand-ins. An engine without cores is empty and never busy.
#[macro_export]
macro_rules! hash_engine {
    ($(#[$meta:meta])* $name:ident, $core:ty) => {
        $(#[$meta])*
        #[derive(::rust_hdl::prelude::LogicBlock)]
        pub struct $name {
            /// Clock, rising edge.
            pub clock: Signal<In, Clock>,
            /// Synchronous reset, to be held until pipelines as long as the field unit's are empty, as the card's resets are.
            pub reset: Signal<In, Bit>,
            /// Pulse: begin; only while `busy` is low. What follows stands until `busy` falls.
            pub start: Signal<In, Bit>,
            /// What to do: [`::spandrel_abi::Opcode::Poseidon`], or one of the three Merkle commands.
            pub opcode: Signal<In, Bits<8>>,
            /// Messages, leaves from the host, indices or entries.
            pub count: Signal<In, Bits<32>>,
            /// Leaves of the tree.
            pub size: Signal<In, Bits<32>>,
            /// Width, arity, depth, output select, blocks, as in the descriptor.
            pub command_parameter: Signal<In, Bits<32>>,
            /// Host address of the first operand.
            pub host_a: Signal<In, Bits<64>>,
            /// Host address of the capacity of a sponge.
            pub host_b: Signal<In, Bits<64>>,
            /// Host address of the results.
            pub host_out: Signal<In, Bits<64>>,
            /// Byte address of the tree.
            pub card_address: Signal<In, Bits<64>>,
            /// High from the cycle after `start` until all jobs and data were handed over.
            pub busy: Signal<Out, Bit>,
            /// `spandrel_abi::Status` of the first reason to refuse the command, 0 while there is none; stands until the next start.
            pub refusal: Signal<Out, Bits<8>>,
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
            /// The card write master has written all its jobs and had them answered; low from the cycle after it accepted one.
            pub card_write_idle: Signal<In, Bit>,
            /// Pulse: a hash has finished.
            pub hashed: Signal<Out, Bit>,
            /// Lanes that sent a state into their pipeline in this cycle, while a command runs, else 0.
            pub passes: Signal<Out, Bits<8>>,
            /// Lanes that had none in this cycle, while a command runs, else 0.
            pub starved: Signal<Out, Bits<8>>,
            control: Vec<$crate::merkle::HashControl>,
            cores: Vec<$core>,
            _controls: usize,
            _cores: usize,
        }

        impl $name {
            /// Joins cores, whose widths the shape has in the same order, with their control.
            pub fn assemble(shape: &$crate::merkle::HashShape, cores: Vec<$core>) -> Self {
                assert_eq!(shape.widths.len(), cores.len(), "a hash engine has a core for each width");
                let control: Vec<_> =
                    cores.iter().take(1).map(|_| $crate::merkle::HashControl::new(shape)).collect();
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
                    hashed: Default::default(),
                    passes: Default::default(),
                    starved: Default::default(),
                    _controls: control.len(),
                    _cores: cores.len(),
                    control,
                    cores,
                }
            }

            /// The cores.
            pub fn cores(&self) -> &[$core] {
                &self.cores
            }
        }

        impl ::rust_hdl::prelude::Logic for $name {
            #[::rust_hdl::prelude::hdl_gen]
            fn update(&mut self) {
                self.busy.next = false;
                self.refusal.next = 0.into();
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
                self.hashed.next = false;
                self.passes.next = 0.into();
                self.starved.next = 0.into();
                for k in 0..self._controls {
                    self.control[k].clock.next = self.clock.val();
                    self.control[k].reset.next = self.reset.val();
                    self.control[k].start.next = self.start.val();
                    self.control[k].opcode.next = self.opcode.val();
                    self.control[k].count.next = self.count.val();
                    self.control[k].size.next = self.size.val();
                    self.control[k].command_parameter.next = self.command_parameter.val();
                    self.control[k].host_a.next = self.host_a.val();
                    self.control[k].host_b.next = self.host_b.val();
                    self.control[k].host_out.next = self.host_out.val();
                    self.control[k].card_address.next = self.card_address.val();
                    self.busy.next = self.control[k].busy.val();
                    self.refusal.next = self.control[k].refusal.val();
                    self.host_read_address.next = self.control[k].host_read_address.val();
                    self.host_read_beats.next = self.control[k].host_read_beats.val();
                    self.host_read_valid.next = self.control[k].host_read_valid.val();
                    self.control[k].host_read_ready.next = self.host_read_ready.val();
                    self.control[k].host_in_data.next = self.host_in_data.val();
                    self.control[k].host_in_valid.next = self.host_in_valid.val();
                    self.host_in_ready.next = self.control[k].host_in_ready.val();
                    self.host_write_address.next = self.control[k].host_write_address.val();
                    self.host_write_beats.next = self.control[k].host_write_beats.val();
                    self.host_write_valid.next = self.control[k].host_write_valid.val();
                    self.control[k].host_write_ready.next = self.host_write_ready.val();
                    self.host_out_data.next = self.control[k].host_out_data.val();
                    self.host_out_valid.next = self.control[k].host_out_valid.val();
                    self.control[k].host_out_ready.next = self.host_out_ready.val();
                    self.card_read_address.next = self.control[k].card_read_address.val();
                    self.card_read_beats.next = self.control[k].card_read_beats.val();
                    self.card_read_valid.next = self.control[k].card_read_valid.val();
                    self.control[k].card_read_ready.next = self.card_read_ready.val();
                    self.control[k].card_in_data.next = self.card_in_data.val();
                    self.control[k].card_in_valid.next = self.card_in_valid.val();
                    self.card_in_ready.next = self.control[k].card_in_ready.val();
                    self.card_write_address.next = self.control[k].card_write_address.val();
                    self.card_write_beats.next = self.control[k].card_write_beats.val();
                    self.card_write_valid.next = self.control[k].card_write_valid.val();
                    self.control[k].card_write_ready.next = self.card_write_ready.val();
                    self.card_out_data.next = self.control[k].card_out_data.val();
                    self.card_out_valid.next = self.control[k].card_out_valid.val();
                    self.control[k].card_out_ready.next = self.card_out_ready.val();
                    self.control[k].card_write_idle.next = self.card_write_idle.val();
                    self.hashed.next = self.control[k].hashed.val();
                    self.passes.next = self.control[k].passes.val();
                    self.starved.next = self.control[k].starved.val();
                    self.control[k].leave_data.next = 0.into();
                    self.control[k].leave_valid.next = false;
                    self.control[k].enter_ready.next = false;
                    self.control[k].core_passes.next = 0.into();
                    self.control[k].core_starved.next = 0.into();
                }
                for i in 0..self._cores {
                    self.cores[i].clock.next = self.clock.val();
                    self.cores[i].reset.next = self.reset.val();
                    self.cores[i].in_state.next = self.control[0].enter_data.val();
                    self.cores[i].in_valid.next =
                        self.control[0].enter_valid.val() & self.control[0].core_choice.val().get_bit(i);
                    self.cores[i].out_ready.next =
                        self.control[0].leave_ready.val() & self.control[0].core_choice.val().get_bit(i);
                    if self.control[0].core_choice.val().get_bit(i) {
                        self.control[0].leave_data.next = self.cores[i].out_state.val();
                        self.control[0].leave_valid.next = self.cores[i].out_valid.val();
                        self.control[0].enter_ready.next = self.cores[i].in_ready.val();
                        self.control[0].core_passes.next = self.cores[i].passes.val();
                        self.control[0].core_starved.next = self.cores[i].starved.val();
                    }
                }
            }
        }
    };
}

mod shipped {
    use super::HashCore;
    use rust_hdl::prelude::*;

    crate::hash_engine! {
        /// The hash engine of a card: batches of hashes, sponges, Merkle trees in card memory.
        HashEngine, HashCore
    }
}

pub use shipped::HashEngine;

impl HashEngine {
    /// The engine of a profile; one without cores for a profile that has no Poseidon.
    pub fn new(profile: &Profile) -> HashEngine {
        let core = |core: &PoseidonProfile| HashCore::new(profile, core);
        let cores = profile.poseidon.iter().map(core).collect();
        HashEngine::assemble(&HashShape::new(profile), cores)
    }

    /// Cycles of a pass, which are the states that one lane holds: those of the longest; 0 without cores.
    pub fn pass_latency(&self) -> usize {
        self.cores().iter().map(HashCore::pass_latency).max().unwrap_or_default()
    }
}
