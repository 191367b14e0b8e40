//! The hash engine without its cores: which command runs, and what it is joined to.

use super::{Build, HashCommand, HashShape, Messages, Paths, Refusal, TreePlan, Update};
use crate::stream::Skid;
use rust_hdl::prelude::*;
use spandrel_abi::POSEIDON_MAX_WIDTH;

/// Where [`HashControl`] stands.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum HashState {
    /// Waits for a command.
    Idle,
    /// Begins to look whether the tree fits.
    Plan,
    /// Looks whether the tree fits.
    Planning,
    /// Starts the command.
    Launch,
    /// Waits until the command is done.
    Run,
    /// Waits until its last element has been checked and its last beat is taken.
    Settle,
}

/// Runs the commands of the hash engine, one at a time: joins the one that runs to the buses and to the core of its
/// width, and keeps the first reason to refuse it.
///
/// A tree that does not fit card memory is refused before anything is read or written. Every other command runs to its
/// end whatever the data are: it takes all beats that it asked for and gives as many as it promised.
#[derive(LogicBlock)]
pub struct HashControl {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset, to be held until pipelines as long as the field unit's are empty, as the card's resets are.
    pub reset: Signal<In, Bit>,
    /// Pulse: begin; only while `busy` is low. What follows stands until `busy` falls.
    pub start: Signal<In, Bit>,
    /// What to do: [`Opcode::Poseidon`], [`Opcode::MerkleBuild`], [`Opcode::MerklePaths`] or [`Opcode::MerkleUpdate`].
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
    /// Bit i: the command is one for core i.
    pub core_choice: Signal<Out, Bits<4>>,
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
    /// Lanes of the chosen core that sent a state into their pipeline in this cycle.
    pub core_passes: Signal<In, Bits<8>>,
    /// Lanes of the chosen core that had none.
    pub core_starved: Signal<In, Bits<8>>,
    /// Pulse: a hash has finished.
    pub hashed: Signal<Out, Bit>,
    /// `core_passes` while a command runs, else 0.
    pub passes: Signal<Out, Bits<8>>,
    /// `core_starved` while a command runs, else 0.
    pub starved: Signal<Out, Bits<8>>,
    plan: TreePlan,
    messages: Messages,
    build: Build,
    paths: Paths,
    change: Update,
    command: HashCommand,
    reasons: Refusal,
    entering: Skid<1280>,
    results: Skid<256>,
    state: DFF<HashState>,
    settle: DFF<Bits<8>>,
    is_messages: Signal<Local, Bit>,
    is_build: Signal<Local, Bit>,
    is_paths: Signal<Local, Bit>,
    is_update: Signal<Local, Bit>,
    launch: Signal<Local, Bit>,
    working: Signal<Local, Bit>,
    is_element: Signal<Local, Bit>,
    settle_cycles: Constant<Bits<8>>,
}

impl HashControl {
    /// The control of an engine.
    pub fn new(shape: &HashShape) -> HashControl {
        let largest = shape.widths.iter().copied().max().unwrap_or(POSEIDON_MAX_WIDTH as usize);
        let reasons = Refusal::new(&shape.datapath);
        // The last element's reason, and a cycle in which it stands.
        let check_cycles = reasons.latency() + 1;
        HashControl {
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
            core_choice: Default::default(),
            enter_data: Default::default(),
            enter_valid: Default::default(),
            enter_ready: Default::default(),
            leave_data: Default::default(),
            leave_valid: Default::default(),
            leave_ready: Default::default(),
            core_passes: Default::default(),
            core_starved: Default::default(),
            hashed: Default::default(),
            passes: Default::default(),
            starved: Default::default(),
            plan: TreePlan::new(shape.card_bytes),
            messages: Messages::new(largest, shape.sponge_group, &shape.datapath),
            build: Build::new(&shape.empty_roots),
            paths: Default::default(),
            change: Update::new(check_cycles),
            command: HashCommand::new(&shape.widths),
            reasons,
            entering: Default::default(),
            results: Default::default(),
            state: Default::default(),
            settle: Default::default(),
            is_messages: Default::default(),
            is_build: Default::default(),
            is_paths: Default::default(),
            is_update: Default::default(),
            launch: Default::default(),
            working: Default::default(),
            is_element: Default::default(),
            settle_cycles: Constant::new(check_cycles.to_bits()),
        }
    }
}

impl Logic for HashControl {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, settle);
        clock!(self, clock, plan, messages, build, paths, change);
        clock!(self, clock, reasons, entering, results);
        self.plan.reset.next = self.reset.val();
        self.messages.reset.next = self.reset.val();
        self.build.reset.next = self.reset.val();
        self.paths.reset.next = self.reset.val();
        self.change.reset.next = self.reset.val();
        self.entering.reset.next = self.reset.val();
        self.results.reset.next = self.reset.val();
        self.reasons.reset.next = self.reset.val();

        // The command.
        self.command.opcode.next = self.opcode.val();
        self.command.command_parameter.next = self.command_parameter.val();
        self.is_messages.next = self.command.is_messages.val();
        self.is_build.next = self.command.is_build.val();
        self.is_paths.next = self.command.is_paths.val();
        self.is_update.next = self.command.is_update.val();
        self.core_choice.next = self.command.core_choice.val();

        // Its course.
        self.plan.start.next = false;
        self.launch.next = false;
        self.working.next =
            self.messages.busy.val() | self.build.busy.val() | self.paths.busy.val() | self.change.busy.val();
        self.settle.d.next = 0.into();
        self.reasons.too_large.next = false;
        match self.state.q.val() {
            HashState::Idle => {
                if self.start.val() {
                    self.state.d.next = HashState::Plan;
                    if self.is_messages.val() {
                        self.state.d.next = HashState::Launch;
                    }
                }
            }
            HashState::Plan => {
                self.plan.start.next = true;
                self.state.d.next = HashState::Planning;
            }
            HashState::Planning => {
                if self.plan.done.val() {
                    self.state.d.next = HashState::Launch;
                    if !self.plan.fits.val() {
                        self.reasons.too_large.next = true;
                        self.state.d.next = HashState::Settle;
                    }
                }
            }
            HashState::Launch => {
                self.launch.next = true;
                self.state.d.next = HashState::Run;
            }
            HashState::Run => {
                if !self.working.val() {
                    self.state.d.next = HashState::Settle;
                }
            }
            HashState::Settle => {
                self.settle.d.next = self.settle.q.val();
                if self.settle.q.val() != self.settle_cycles.val() {
                    self.settle.d.next = self.settle.q.val() + 1;
                } else {
                    if !self.results.out_valid.val() {
                        self.state.d.next = HashState::Idle;
                    }
                }
            }
        }
        self.busy.next = self.state.q.val() != HashState::Idle;

        // The tree.
        self.plan.size.next = self.size.val();
        self.plan.depth.next = self.command.depth.val();
        self.plan.arity_four.next = self.command.arity_four.val();
        self.plan.card_address.next = self.card_address.val();

        // The parts that carry commands out.
        self.messages.start.next = self.launch.val() & self.is_messages.val();
        self.messages.count.next = self.count.val();
        self.messages.blocks.next = self.command.blocks.val();
        self.messages.rate.next = self.command.rate.val();
        self.messages.second_output.next = self.command.second_output.val();
        self.messages.host_a.next = self.host_a.val();
        self.messages.host_b.next = self.host_b.val();
        self.messages.result_address.next = self.host_out.val();
        self.build.start.next = self.launch.val() & self.is_build.val();
        self.build.from_host.next = self.count.val().any();
        self.build.size.next = self.size.val();
        self.build.depth.next = self.command.depth.val();
        self.build.arity_four.next = self.command.arity_four.val();
        self.build.second_output.next = self.command.second_output.val();
        self.build.host_a.next = self.host_a.val();
        self.build.result_address.next = self.host_out.val();
        self.build.card_address.next = self.card_address.val();
        self.build.first_address.next = self.plan.first_address.val();
        self.build.root_address.next = self.plan.root_address.val();
        self.build.card_write_idle.next = self.card_write_idle.val();
        self.paths.start.next = self.launch.val() & self.is_paths.val();
        self.paths.count.next = self.count.val();
        self.paths.size.next = self.size.val();
        self.paths.depth.next = self.command.depth.val();
        self.paths.arity_four.next = self.command.arity_four.val();
        self.paths.host_a.next = self.host_a.val();
        self.paths.result_address.next = self.host_out.val();
        self.paths.card_address.next = self.card_address.val();
        self.change.start.next = self.launch.val() & self.is_update.val();
        self.change.count.next = self.count.val();
        self.change.size.next = self.size.val();
        self.change.depth.next = self.command.depth.val();
        self.change.arity_four.next = self.command.arity_four.val();
        self.change.second_output.next = self.command.second_output.val();
        self.change.host_a.next = self.host_a.val();
        self.change.result_address.next = self.host_out.val();
        self.change.card_address.next = self.card_address.val();
        self.change.refused.next = self.reasons.status.val().any();

        // Host read jobs.
        self.host_read_address.next = self.messages.host_read_address.val();
        self.host_read_beats.next = self.messages.host_read_beats.val();
        self.host_read_valid.next = self.messages.host_read_valid.val() & self.is_messages.val();
        if self.is_build.val() {
            self.host_read_address.next = self.build.host_read_address.val();
            self.host_read_beats.next = self.build.host_read_beats.val();
            self.host_read_valid.next = self.build.host_read_valid.val();
        }
        if self.is_paths.val() {
            self.host_read_address.next = self.paths.host_read_address.val();
            self.host_read_beats.next = self.paths.host_read_beats.val();
            self.host_read_valid.next = self.paths.host_read_valid.val();
        }
        if self.is_update.val() {
            self.host_read_address.next = self.change.host_read_address.val();
            self.host_read_beats.next = self.change.host_read_beats.val();
            self.host_read_valid.next = self.change.host_read_valid.val();
        }
        self.messages.host_read_ready.next = self.host_read_ready.val() & self.is_messages.val();
        self.build.host_read_ready.next = self.host_read_ready.val() & self.is_build.val();
        self.paths.host_read_ready.next = self.host_read_ready.val() & self.is_paths.val();
        self.change.host_read_ready.next = self.host_read_ready.val() & self.is_update.val();

        // Host data.
        self.host_in_ready.next = self.messages.host_in_ready.val() & self.is_messages.val();
        if self.is_build.val() {
            self.host_in_ready.next = self.build.host_in_ready.val();
        }
        if self.is_paths.val() {
            self.host_in_ready.next = self.paths.host_in_ready.val();
        }
        if self.is_update.val() {
            self.host_in_ready.next = self.change.host_in_ready.val();
        }
        self.messages.host_in_data.next = self.host_in_data.val();
        self.messages.host_in_valid.next = self.host_in_valid.val() & self.is_messages.val();
        self.build.host_in_data.next = self.host_in_data.val();
        self.build.host_in_valid.next = self.host_in_valid.val() & self.is_build.val();
        self.paths.host_in_data.next = self.host_in_data.val();
        self.paths.host_in_valid.next = self.host_in_valid.val() & self.is_paths.val();
        self.change.host_in_data.next = self.host_in_data.val();
        self.change.host_in_valid.next = self.host_in_valid.val() & self.is_update.val();

        // Host write jobs.
        self.host_write_address.next = self.messages.host_write_address.val();
        self.host_write_beats.next = self.messages.host_write_beats.val();
        self.host_write_valid.next = self.messages.host_write_valid.val() & self.is_messages.val();
        if self.is_build.val() {
            self.host_write_address.next = self.build.host_write_address.val();
            self.host_write_beats.next = self.build.host_write_beats.val();
            self.host_write_valid.next = self.build.host_write_valid.val();
        }
        if self.is_paths.val() {
            self.host_write_address.next = self.paths.host_write_address.val();
            self.host_write_beats.next = self.paths.host_write_beats.val();
            self.host_write_valid.next = self.paths.host_write_valid.val();
        }
        if self.is_update.val() {
            self.host_write_address.next = self.change.host_write_address.val();
            self.host_write_beats.next = self.change.host_write_beats.val();
            self.host_write_valid.next = self.change.host_write_valid.val();
        }
        self.messages.host_write_ready.next = self.host_write_ready.val() & self.is_messages.val();
        self.build.host_write_ready.next = self.host_write_ready.val() & self.is_build.val();
        self.paths.host_write_ready.next = self.host_write_ready.val() & self.is_paths.val();
        self.change.host_write_ready.next = self.host_write_ready.val() & self.is_update.val();

        // Results.
        self.results.in_data.next = self.messages.host_out_data.val();
        self.results.in_valid.next = self.messages.host_out_valid.val() & self.is_messages.val();
        if self.is_build.val() {
            self.results.in_data.next = self.build.host_out_data.val();
            self.results.in_valid.next = self.build.host_out_valid.val();
        }
        if self.is_paths.val() {
            self.results.in_data.next = self.paths.host_out_data.val();
            self.results.in_valid.next = self.paths.host_out_valid.val();
        }
        if self.is_update.val() {
            self.results.in_data.next = self.change.host_out_data.val();
            self.results.in_valid.next = self.change.host_out_valid.val();
        }
        self.messages.host_out_ready.next = self.results.in_ready.val() & self.is_messages.val();
        self.build.host_out_ready.next = self.results.in_ready.val() & self.is_build.val();
        self.paths.host_out_ready.next = self.results.in_ready.val() & self.is_paths.val();
        self.change.host_out_ready.next = self.results.in_ready.val() & self.is_update.val();

        // Card read jobs.
        self.card_read_address.next = self.build.card_read_address.val();
        self.card_read_beats.next = self.build.card_read_beats.val();
        self.card_read_valid.next = self.build.card_read_valid.val() & self.is_build.val();
        if self.is_paths.val() {
            self.card_read_address.next = self.paths.card_read_address.val();
            self.card_read_beats.next = self.paths.card_read_beats.val();
            self.card_read_valid.next = self.paths.card_read_valid.val();
        }
        if self.is_update.val() {
            self.card_read_address.next = self.change.card_read_address.val();
            self.card_read_beats.next = self.change.card_read_beats.val();
            self.card_read_valid.next = self.change.card_read_valid.val();
        }
        self.build.card_read_ready.next = self.card_read_ready.val() & self.is_build.val();
        self.paths.card_read_ready.next = self.card_read_ready.val() & self.is_paths.val();
        self.change.card_read_ready.next = self.card_read_ready.val() & self.is_update.val();

        // Lines of card memory.
        self.card_in_ready.next = self.build.card_in_ready.val() & self.is_build.val();
        if self.is_paths.val() {
            self.card_in_ready.next = self.paths.card_in_ready.val();
        }
        if self.is_update.val() {
            self.card_in_ready.next = self.change.card_in_ready.val();
        }
        self.build.card_in_data.next = self.card_in_data.val();
        self.build.card_in_valid.next = self.card_in_valid.val() & self.is_build.val();
        self.paths.card_in_data.next = self.card_in_data.val();
        self.paths.card_in_valid.next = self.card_in_valid.val() & self.is_paths.val();
        self.change.card_in_data.next = self.card_in_data.val();
        self.change.card_in_valid.next = self.card_in_valid.val() & self.is_update.val();

        // Card write jobs.
        self.card_write_address.next = self.build.card_write_address.val();
        self.card_write_beats.next = self.build.card_write_beats.val();
        self.card_write_valid.next = self.build.card_write_valid.val() & self.is_build.val();
        if self.is_update.val() {
            self.card_write_address.next = self.change.card_write_address.val();
            self.card_write_beats.next = self.change.card_write_beats.val();
            self.card_write_valid.next = self.change.card_write_valid.val();
        }
        self.build.card_write_ready.next = self.card_write_ready.val() & self.is_build.val();
        self.change.card_write_ready.next = self.card_write_ready.val() & self.is_update.val();

        // Lines to card memory.
        self.card_out_data.next = self.build.card_out_data.val();
        self.card_out_valid.next = self.build.card_out_valid.val() & self.is_build.val();
        if self.is_update.val() {
            self.card_out_data.next = self.change.card_out_data.val();
            self.card_out_valid.next = self.change.card_out_valid.val();
        }
        self.build.card_out_ready.next = self.card_out_ready.val() & self.is_build.val();
        self.change.card_out_ready.next = self.card_out_ready.val() & self.is_update.val();

        // States to the core.
        self.entering.in_data.next = self.messages.enter_data.val();
        self.entering.in_valid.next = self.messages.enter_valid.val() & self.is_messages.val();
        if self.is_build.val() {
            self.entering.in_data.next = self.build.enter_data.val();
            self.entering.in_valid.next = self.build.enter_valid.val();
        }
        if self.is_update.val() {
            self.entering.in_data.next = self.change.enter_data.val();
            self.entering.in_valid.next = self.change.enter_valid.val();
        }
        self.messages.enter_ready.next = self.entering.in_ready.val() & self.is_messages.val();
        self.build.enter_ready.next = self.entering.in_ready.val() & self.is_build.val();
        self.change.enter_ready.next = self.entering.in_ready.val() & self.is_update.val();

        // States out of the core.
        self.leave_ready.next = self.messages.leave_ready.val() & self.is_messages.val();
        if self.is_build.val() {
            self.leave_ready.next = self.build.leave_ready.val();
        }
        if self.is_update.val() {
            self.leave_ready.next = self.change.leave_ready.val();
        }
        self.messages.leave_data.next = self.leave_data.val();
        self.messages.leave_valid.next = self.leave_valid.val() & self.is_messages.val();
        self.build.leave_data.next = self.leave_data.val();
        self.build.leave_valid.next = self.leave_valid.val() & self.is_build.val();
        self.change.leave_data.next = self.leave_data.val();
        self.change.leave_valid.next = self.leave_valid.val() & self.is_update.val();
        self.enter_data.next = self.entering.out_data.val();
        self.enter_valid.next = self.entering.out_valid.val();
        self.entering.out_ready.next = self.enter_ready.val();
        self.host_out_data.next = self.results.out_data.val();
        self.host_out_valid.next = self.results.out_valid.val();
        self.results.out_ready.next = self.host_out_ready.val();

        // Reasons to refuse it, of which the first is kept.
        self.is_element.next = !self.is_paths.val() & (!self.is_update.val() | self.change.at_leaf.val());
        self.reasons.start.next = self.start.val();
        self.reasons.running.next = self.state.q.val() != HashState::Idle;
        self.reasons.host_data.next = self.host_in_data.val();
        self.reasons.host_valid.next = self.host_in_valid.val()
            & self.host_in_ready.val()
            & self.is_element.val()
            & (self.state.q.val() == HashState::Run);
        self.reasons.card_data.next = self.card_in_data.val();
        self.reasons.card_valid.next = self.build.unchecked.val();
        self.reasons.bad_index.next = self.paths.bad_index.val() | self.change.bad_index.val();
        self.refusal.next = self.reasons.status.val();

        // What is counted.
        self.hashed.next = self.leave_valid.val() & self.leave_ready.val();
        self.passes.next = 0.into();
        self.starved.next = 0.into();
        if self.state.q.val() != HashState::Idle {
            self.passes.next = self.core_passes.val();
            self.starved.next = self.core_starved.val();
        }

        if self.reset.val() {
            self.state.d.next = HashState::Idle;
        }
    }
}
