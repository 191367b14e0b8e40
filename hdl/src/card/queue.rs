//! The rings: fetches submission entries, has them executed, writes completion entries.

use super::descriptor::{DescriptorCheck, code};
use rust_hdl::prelude::*;
use spandrel_abi::{COMPLETION_BYTES, DESCRIPTOR_BYTES, Identification, Status};

/// Where [`QueueControl`] stands.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum QueueState {
    /// Waits for an entry.
    Idle,
    /// Looks whether the rings can be used at all.
    Configured,
    /// Asks for an entry.
    Fetch,
    /// Takes its first half.
    First,
    /// Takes its second half.
    Second,
    /// Waits for the reader to be done.
    Fetched,
    /// Checks the entry.
    Check,
    /// Starts the command.
    Start,
    /// Waits for its end.
    Execute,
    /// Waits for room in the completion ring.
    Room,
    /// Asks for the write of a completion entry.
    Announce,
    /// Gives the entry.
    Entry,
    /// Waits until it was written.
    Written,
    /// Stands still until a reset.
    Fault,
}

/// The queue machine: one command at a time, from doorbell to completion entry.
///
/// The completion entry is written only after everything the command wrote was answered. Rings that cannot be used
/// (a mask that is not a power of two minus one from 1 to 32,767: BadLength; an unaligned base: BadAlignment) and
/// entries that cannot be read or written set `fault`, and the machine stands until reset.
#[derive(LogicBlock)]
pub struct QueueControl {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// New commands may be fetched.
    pub enable: Signal<In, Bit>,
    /// Host address of the submission ring.
    pub sq_base: Signal<In, Bits<64>>,
    /// Entries of the submission ring minus one.
    pub sq_mask: Signal<In, Bits<32>>,
    /// Submission doorbell.
    pub sq_tail: Signal<In, Bits<32>>,
    /// Host address of the completion ring.
    pub cq_base: Signal<In, Bits<64>>,
    /// Entries of the completion ring minus one.
    pub cq_mask: Signal<In, Bits<32>>,
    /// Completion doorbell.
    pub cq_head: Signal<In, Bits<32>>,
    /// Index of the next submission entry to fetch.
    pub sq_head: Signal<Out, Bits<32>>,
    /// Index of the next completion entry to write.
    pub cq_tail: Signal<Out, Bits<32>>,
    /// A command is being executed.
    pub busy: Signal<Out, Bit>,
    /// The machine stands still.
    pub fault: Signal<Out, Bit>,
    /// Why: `spandrel_abi::Status`.
    pub fault_code: Signal<Out, Bits<8>>,
    /// Pulse: a completion entry was written.
    pub completed: Signal<Out, Bit>,
    /// Pulse: `fault` was set.
    pub faulted: Signal<Out, Bit>,
    /// Clears the faults of the bus masters.
    pub clear: Signal<Out, Bit>,
    /// Read job: host address.
    pub read_address: Signal<Out, Bits<64>>,
    /// Read job: a submission entry, two beats.
    pub read_valid: Signal<Out, Bit>,
    /// Read job: accepted.
    pub read_ready: Signal<In, Bit>,
    /// Beat of a submission entry.
    pub entry_data: Signal<In, Bits<256>>,
    /// `entry_data` is a beat.
    pub entry_valid: Signal<In, Bit>,
    /// The beat is taken.
    pub entry_ready: Signal<Out, Bit>,
    /// The host read master is idle.
    pub read_idle: Signal<In, Bit>,
    /// The host read master met an error.
    pub read_fault: Signal<In, Bit>,
    /// The status that tells of it.
    pub read_status: Signal<In, Bits<8>>,
    /// Write job: host address.
    pub write_address: Signal<Out, Bits<64>>,
    /// Write job: a completion entry, one beat.
    pub write_valid: Signal<Out, Bit>,
    /// Write job: accepted.
    pub write_ready: Signal<In, Bit>,
    /// The completion entry.
    pub completion_data: Signal<Out, Bits<256>>,
    /// `completion_data` is a beat.
    pub completion_valid: Signal<Out, Bit>,
    /// The beat is taken.
    pub completion_ready: Signal<In, Bit>,
    /// The host write master is idle.
    pub write_idle: Signal<In, Bit>,
    /// The host write master met an error.
    pub write_fault: Signal<In, Bit>,
    /// Pulse: execute the command that the next outputs describe.
    pub start: Signal<Out, Bit>,
    /// What to do.
    pub opcode: Signal<Out, Bits<8>>,
    /// Number of elements.
    pub count: Signal<Out, Bits<32>>,
    /// Host address of the first operand.
    pub host_a: Signal<Out, Bits<64>>,
    /// Host address of the second operand.
    pub host_b: Signal<Out, Bits<64>>,
    /// Host address of the result.
    pub host_out: Signal<Out, Bits<64>>,
    /// Byte address in card memory.
    pub card_address: Signal<Out, Bits<64>>,
    /// Field and operation, or curve and bits per window.
    pub command_parameter: Signal<Out, Bits<32>>,
    /// Of the command: leaves of the tree.
    pub size: Signal<Out, Bits<32>>,
    /// Pulse: the command has ended.
    pub done: Signal<In, Bit>,
    /// How it ended, together with `done`.
    pub done_status: Signal<In, Bits<8>>,
    check: DescriptorCheck,
    state: DFF<QueueState>,
    first: DFF<Bits<256>>,
    second: DFF<Bits<256>>,
    head: DFF<Bits<32>>,
    tail: DFF<Bits<32>>,
    later_pass: DFF<Bit>,
    status: DFF<Bits<8>>,
    cycles: DFF<Bits<64>>,
    head_now: Signal<Local, Bits<32>>,
    head_next: Signal<Local, Bits<32>>,
    tail_now: Signal<Local, Bits<32>>,
    tail_next: Signal<Local, Bits<32>>,
    doorbell: Signal<Local, Bits<32>>,
    taken: Signal<Local, Bits<32>>,
    sq_entries: Signal<Local, Bits<32>>,
    cq_entries: Signal<Local, Bits<32>>,
    bad_mask: Signal<Local, Bit>,
    bad_base: Signal<Local, Bit>,
    stop: Signal<Local, Bit>,
    stop_code: Signal<Local, Bits<8>>,
    phase_and_status: Signal<Local, Bits<16>>,
    largest_mask: Constant<Bits<32>>,
    sq_offset: Constant<Bits<64>>,
    cq_offset: Constant<Bits<64>>,
    bad_length: Constant<Bits<8>>,
    bad_alignment: Constant<Bits<8>>,
    host_write_fault: Constant<Bits<8>>,
}

impl QueueControl {
    /// The machine of a card that identifies itself so.
    pub fn new(identification: &Identification) -> Self {
        // The kernel shifts by these sizes.
        assert_eq!((DESCRIPTOR_BYTES, COMPLETION_BYTES), (64, 32));
        Self {
            clock: Default::default(),
            reset: Default::default(),
            enable: Default::default(),
            sq_base: Default::default(),
            sq_mask: Default::default(),
            sq_tail: Default::default(),
            cq_base: Default::default(),
            cq_mask: Default::default(),
            cq_head: Default::default(),
            sq_head: Default::default(),
            cq_tail: Default::default(),
            busy: Default::default(),
            fault: Default::default(),
            fault_code: Default::default(),
            completed: Default::default(),
            faulted: Default::default(),
            clear: Default::default(),
            read_address: Default::default(),
            read_valid: Default::default(),
            read_ready: Default::default(),
            entry_data: Default::default(),
            entry_valid: Default::default(),
            entry_ready: Default::default(),
            read_idle: Default::default(),
            read_fault: Default::default(),
            read_status: Default::default(),
            write_address: Default::default(),
            write_valid: Default::default(),
            write_ready: Default::default(),
            completion_data: Default::default(),
            completion_valid: Default::default(),
            completion_ready: Default::default(),
            write_idle: Default::default(),
            write_fault: Default::default(),
            start: Default::default(),
            opcode: Default::default(),
            count: Default::default(),
            host_a: Default::default(),
            host_b: Default::default(),
            host_out: Default::default(),
            card_address: Default::default(),
            command_parameter: Default::default(),
            size: Default::default(),
            done: Default::default(),
            done_status: Default::default(),
            check: DescriptorCheck::new(identification),
            state: Default::default(),
            first: Default::default(),
            second: Default::default(),
            head: Default::default(),
            tail: Default::default(),
            later_pass: Default::default(),
            status: Default::default(),
            cycles: Default::default(),
            head_now: Default::default(),
            head_next: Default::default(),
            tail_now: Default::default(),
            tail_next: Default::default(),
            doorbell: Default::default(),
            taken: Default::default(),
            sq_entries: Default::default(),
            cq_entries: Default::default(),
            bad_mask: Default::default(),
            bad_base: Default::default(),
            stop: Default::default(),
            stop_code: Default::default(),
            phase_and_status: Default::default(),
            largest_mask: Constant::new(32_767u64.into()),
            sq_offset: Constant::new((DESCRIPTOR_BYTES as u64 - 1).into()),
            cq_offset: Constant::new((COMPLETION_BYTES as u64 - 1).into()),
            bad_length: code(Status::BadLength as u8),
            bad_alignment: code(Status::BadAlignment as u8),
            host_write_fault: code(Status::HostWriteFault as u8),
        }
    }
}

impl Logic for QueueControl {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, first, second, head, tail, later_pass, status, cycles);
        self.check.first.next = self.first.q.val();
        self.check.second.next = self.second.q.val();
        self.opcode.next = self.check.opcode.val();
        self.count.next = self.check.count.val();
        self.host_a.next = self.check.host_a.val();
        self.host_b.next = self.check.host_b.val();
        self.host_out.next = self.check.host_out.val();
        self.card_address.next = self.check.card_address.val();
        self.command_parameter.next = self.check.command_parameter.val();
        self.size.next = self.check.size.val();

        self.head_now.next = self.head.q.val() & self.sq_mask.val();
        self.head_next.next = (self.head.q.val() + 1) & self.sq_mask.val();
        self.tail_now.next = self.tail.q.val() & self.cq_mask.val();
        self.tail_next.next = (self.tail.q.val() + 1) & self.cq_mask.val();
        self.doorbell.next = self.sq_tail.val() & self.sq_mask.val();
        self.taken.next = self.cq_head.val() & self.cq_mask.val();
        self.sq_entries.next = self.sq_mask.val() + 1;
        self.cq_entries.next = self.cq_mask.val() + 1;
        self.bad_mask.next = (self.sq_mask.val() == 0)
            | (self.cq_mask.val() == 0)
            | (self.sq_mask.val() > self.largest_mask.val())
            | (self.cq_mask.val() > self.largest_mask.val())
            | (self.sq_mask.val() & self.sq_entries.val()).any()
            | (self.cq_mask.val() & self.cq_entries.val()).any();
        self.bad_base.next = (self.sq_base.val() & self.sq_offset.val()).any()
            | (self.cq_base.val() & self.cq_offset.val()).any();

        self.sq_head.next = self.head_now.val();
        self.cq_tail.next = self.tail_now.val();
        self.busy.next = true;
        self.fault.next = false;
        self.fault_code.next = 0.into();
        self.completed.next = false;
        self.clear.next = false;
        self.read_address.next = self.sq_base.val() + (bit_cast::<64, 32>(self.head_now.val()) << 6);
        self.read_valid.next = false;
        self.entry_ready.next = false;
        self.write_address.next = self.cq_base.val() + (bit_cast::<64, 32>(self.tail_now.val()) << 5);
        self.write_valid.next = false;
        self.completion_valid.next = false;
        self.start.next = false;
        self.stop.next = false;
        self.stop_code.next = 0.into();
        self.cycles.d.next = self.cycles.q.val() + 1;

        match self.state.q.val() {
            QueueState::Idle => {
                self.busy.next = false;
                self.cycles.d.next = 0.into();
                self.clear.next = true;
                if self.enable.val() & (self.head_now.val() != self.doorbell.val()) {
                    self.state.d.next = QueueState::Configured;
                }
            }
            QueueState::Configured => {
                self.state.d.next = QueueState::Fetch;
                if self.bad_base.val() {
                    self.stop.next = true;
                    self.stop_code.next = self.bad_alignment.val();
                }
                if self.bad_mask.val() {
                    self.stop.next = true;
                    self.stop_code.next = self.bad_length.val();
                }
            }
            QueueState::Fetch => {
                self.read_valid.next = true;
                if self.read_ready.val() {
                    self.state.d.next = QueueState::First;
                }
            }
            QueueState::First => {
                self.entry_ready.next = true;
                if self.entry_valid.val() {
                    self.first.d.next = self.entry_data.val();
                    self.state.d.next = QueueState::Second;
                }
            }
            QueueState::Second => {
                self.entry_ready.next = true;
                if self.entry_valid.val() {
                    self.second.d.next = self.entry_data.val();
                    self.state.d.next = QueueState::Fetched;
                }
            }
            QueueState::Fetched => {
                if self.read_idle.val() {
                    self.state.d.next = QueueState::Check;
                    if self.read_fault.val() {
                        self.stop.next = true;
                        self.stop_code.next = self.read_status.val();
                    }
                }
            }
            QueueState::Check => {
                self.head.d.next = self.head_next.val();
                self.status.d.next = self.check.status.val();
                self.state.d.next = QueueState::Start;
            }
            QueueState::Start => {
                self.state.d.next = QueueState::Room;
                if self.status.q.val() == 0 {
                    self.start.next = true;
                    self.state.d.next = QueueState::Execute;
                }
            }
            QueueState::Execute => {
                if self.done.val() {
                    self.status.d.next = self.done_status.val();
                    self.state.d.next = QueueState::Room;
                }
            }
            QueueState::Room => {
                self.clear.next = true;
                if self.tail_next.val() != self.taken.val() {
                    self.state.d.next = QueueState::Announce;
                }
            }
            QueueState::Announce => {
                self.write_valid.next = true;
                if self.write_ready.val() {
                    self.state.d.next = QueueState::Entry;
                }
            }
            QueueState::Entry => {
                self.completion_valid.next = true;
                if self.completion_ready.val() {
                    self.state.d.next = QueueState::Written;
                }
            }
            QueueState::Written => {
                if self.write_idle.val() {
                    if self.write_fault.val() {
                        self.stop.next = true;
                        self.stop_code.next = self.host_write_fault.val();
                    } else {
                        self.completed.next = true;
                        self.tail.d.next = self.tail_next.val();
                        if self.tail_next.val() == 0 {
                            self.later_pass.d.next = !self.later_pass.q.val();
                        }
                        self.state.d.next = QueueState::Idle;
                    }
                }
            }
            QueueState::Fault => {
                self.busy.next = false;
                self.fault.next = true;
                self.fault_code.next = self.status.q.val();
            }
        }
        self.faulted.next = self.stop.val();
        if self.stop.val() {
            self.status.d.next = self.stop_code.val();
            self.state.d.next = QueueState::Fault;
        }

        self.phase_and_status.next = bit_cast::<16, 8>(self.status.q.val());
        if !self.later_pass.q.val() {
            self.phase_and_status.next = bit_cast::<16, 8>(self.status.q.val()) | 0x100;
        }
        self.completion_data.next = bit_cast::<256, 16>(self.check.command_id.val())
            | (bit_cast::<256, 16>(self.phase_and_status.val()) << 16)
            | (bit_cast::<256, 32>(self.head_now.val()) << 32)
            | (bit_cast::<256, 64>(self.cycles.q.val()) << 128);

        if self.reset.val() {
            self.state.d.next = QueueState::Idle;
            self.first.d.next = 0.into();
            self.second.d.next = 0.into();
            self.head.d.next = 0.into();
            self.tail.d.next = 0.into();
            self.later_pass.d.next = false;
            self.status.d.next = 0.into();
            self.cycles.d.next = 0.into();
        }
    }
}
