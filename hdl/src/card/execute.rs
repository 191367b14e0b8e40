//! Executes one command: hands the jobs to the bus masters, starts an engine, waits until all is done.

use super::descriptor::code;
use rust_hdl::prelude::*;
use spandrel_abi::{COUNTERS_BYTES, HOST_ALIGNMENT, IDENTIFICATION_BYTES, Opcode, Status};

/// Where [`Executor`] stands.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum ExecutorState {
    /// Waits for a command.
    Idle,
    /// Hands over the job of the host write master.
    HostWrite,
    /// Hands over the job of the card-memory read master.
    CardRead,
    /// Hands over the job of the card-memory write master.
    CardWrite,
    /// Hands over the job of the host read master.
    HostRead,
    /// Waits for the MSM engine to be ready and starts the engine concerned.
    Launch,
    /// Waits until every master and engine is idle.
    Run,
}

/// The command machine. It is told only commands that were checked; a data fault does not stop a command, it only
/// gives its status, so that the streams always run to their ends.
#[derive(LogicBlock)]
pub struct Executor {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Pulse: execute; the next inputs stand until `done`.
    pub start: Signal<In, Bit>,
    /// What to do.
    pub opcode: Signal<In, Bits<8>>,
    /// Number of elements.
    pub count: Signal<In, Bits<32>>,
    /// Host address of the first operand.
    pub host_a: Signal<In, Bits<64>>,
    /// Host address of the result.
    pub host_out: Signal<In, Bits<64>>,
    /// Byte address in card memory.
    pub card_address: Signal<In, Bits<64>>,
    /// Beats in which the MSM engine gives this job's results.
    pub result_beats: Signal<In, Bits<32>>,
    /// Pulse: the command has ended.
    pub done: Signal<Out, Bit>,
    /// How, together with `done`.
    pub status: Signal<Out, Bits<8>>,
    /// Host write job: address.
    pub host_write_address: Signal<Out, Bits<64>>,
    /// Host write job: beats.
    pub host_write_beats: Signal<Out, Bits<32>>,
    /// Host write job: offered.
    pub host_write_valid: Signal<Out, Bit>,
    /// Host write job: accepted.
    pub host_write_ready: Signal<In, Bit>,
    /// Host read job: address.
    pub host_read_address: Signal<Out, Bits<64>>,
    /// Host read job: beats.
    pub host_read_beats: Signal<Out, Bits<32>>,
    /// Host read job: offered.
    pub host_read_valid: Signal<Out, Bit>,
    /// Host read job: accepted.
    pub host_read_ready: Signal<In, Bit>,
    /// Card-memory jobs: address.
    pub card_job_address: Signal<Out, Bits<64>>,
    /// Card-memory jobs: beats.
    pub card_job_beats: Signal<Out, Bits<32>>,
    /// Card-memory read job: offered.
    pub card_read_valid: Signal<Out, Bit>,
    /// Card-memory read job: accepted.
    pub card_read_ready: Signal<In, Bit>,
    /// Card-memory write job: offered.
    pub card_write_valid: Signal<Out, Bit>,
    /// Card-memory write job: accepted.
    pub card_write_ready: Signal<In, Bit>,
    /// Every bus master is idle.
    pub masters_idle: Signal<In, Bit>,
    /// Host read master: error.
    pub host_read_fault: Signal<In, Bit>,
    /// The status that tells of it.
    pub host_read_status: Signal<In, Bits<8>>,
    /// Host write master: error.
    pub host_write_fault: Signal<In, Bit>,
    /// Either card-memory master: error.
    pub card_fault: Signal<In, Bit>,
    /// Host data go to card memory.
    pub loading: Signal<Out, Bit>,
    /// Data of card memory go to the host.
    pub fetching: Signal<Out, Bit>,
    /// Streams go through the MSM engine.
    pub multiplying: Signal<Out, Bit>,
    /// Host data go through the field vector engine.
    pub combining: Signal<Out, Bit>,
    /// The report's words go to the host.
    pub reporting: Signal<Out, Bit>,
    /// The self-test has the engines.
    pub testing: Signal<Out, Bit>,
    /// Pulse: start the MSM engine.
    pub msm_start: Signal<Out, Bit>,
    /// The MSM engine runs, or clears itself after a reset.
    pub msm_busy: Signal<In, Bit>,
    /// Pulse: start the field vector engine.
    pub vector_start: Signal<Out, Bit>,
    /// The field vector engine runs.
    pub vector_busy: Signal<In, Bit>,
    /// The bus masters are the hash engine's.
    pub hashing: Signal<Out, Bit>,
    /// Pulse: start the hash engine.
    pub hash_start: Signal<Out, Bit>,
    /// The hash engine runs.
    pub hash_busy: Signal<In, Bit>,
    /// Why the hash engine refused what it was given, a status code; 0 where it did not.
    pub hash_refusal: Signal<In, Bits<8>>,
    /// Pulse: report the identification words.
    pub identification_start: Signal<Out, Bit>,
    /// Pulse: report the counters.
    pub counters_start: Signal<Out, Bit>,
    /// The report runs.
    pub report_busy: Signal<In, Bit>,
    /// Pulse: start the self-test.
    pub self_test_start: Signal<Out, Bit>,
    /// The self-test runs.
    pub self_test_busy: Signal<In, Bit>,
    /// The self-test found something wrong.
    pub self_test_failed: Signal<In, Bit>,
    /// Pulse: a command that counts begins: zero the counters.
    pub counting_start: Signal<Out, Bit>,
    /// Pulse: a command that counts has ended: keep the counters.
    pub counting_end: Signal<Out, Bit>,
    state: DFF<ExecutorState>,
    is_identify: Signal<Local, Bit>,
    is_load: Signal<Local, Bit>,
    is_msm: Signal<Local, Bit>,
    is_vector: Signal<Local, Bit>,
    is_counters: Signal<Local, Bit>,
    is_self_test: Signal<Local, Bit>,
    is_read_card: Signal<Local, Bit>,
    is_hash: Signal<Local, Bit>,
    counts: Signal<Local, Bit>,
    running: Signal<Local, Bit>,
    identify: Constant<Bits<8>>,
    load_bases: Constant<Bits<8>>,
    msm: Constant<Bits<8>>,
    field_vector: Constant<Bits<8>>,
    read_counters: Constant<Bits<8>>,
    self_test: Constant<Bits<8>>,
    read_card: Constant<Bits<8>>,
    first_hash: Constant<Bits<8>>,
    last_hash: Constant<Bits<8>>,
    identification_beats: Constant<Bits<32>>,
    counters_beats: Constant<Bits<32>>,
    success: Constant<Bits<8>>,
    status_host_write: Constant<Bits<8>>,
    status_card: Constant<Bits<8>>,
    status_self_test: Constant<Bits<8>>,
}

impl Default for Executor {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            reset: Default::default(),
            start: Default::default(),
            opcode: Default::default(),
            count: Default::default(),
            host_a: Default::default(),
            host_out: Default::default(),
            card_address: Default::default(),
            result_beats: Default::default(),
            done: Default::default(),
            status: Default::default(),
            host_write_address: Default::default(),
            host_write_beats: Default::default(),
            host_write_valid: Default::default(),
            host_write_ready: Default::default(),
            host_read_address: Default::default(),
            host_read_beats: Default::default(),
            host_read_valid: Default::default(),
            host_read_ready: Default::default(),
            card_job_address: Default::default(),
            card_job_beats: Default::default(),
            card_read_valid: Default::default(),
            card_read_ready: Default::default(),
            card_write_valid: Default::default(),
            card_write_ready: Default::default(),
            masters_idle: Default::default(),
            host_read_fault: Default::default(),
            host_read_status: Default::default(),
            host_write_fault: Default::default(),
            card_fault: Default::default(),
            loading: Default::default(),
            fetching: Default::default(),
            multiplying: Default::default(),
            combining: Default::default(),
            reporting: Default::default(),
            testing: Default::default(),
            msm_start: Default::default(),
            msm_busy: Default::default(),
            vector_start: Default::default(),
            vector_busy: Default::default(),
            hashing: Default::default(),
            hash_start: Default::default(),
            hash_busy: Default::default(),
            hash_refusal: Default::default(),
            identification_start: Default::default(),
            counters_start: Default::default(),
            report_busy: Default::default(),
            self_test_start: Default::default(),
            self_test_busy: Default::default(),
            self_test_failed: Default::default(),
            counting_start: Default::default(),
            counting_end: Default::default(),
            state: Default::default(),
            is_identify: Default::default(),
            is_load: Default::default(),
            is_msm: Default::default(),
            is_vector: Default::default(),
            is_counters: Default::default(),
            is_self_test: Default::default(),
            is_read_card: Default::default(),
            is_hash: Default::default(),
            counts: Default::default(),
            running: Default::default(),
            identify: code(Opcode::Identify as u8),
            load_bases: code(Opcode::LoadBases as u8),
            msm: code(Opcode::Msm as u8),
            field_vector: code(Opcode::FieldVector as u8),
            read_counters: code(Opcode::ReadCounters as u8),
            self_test: code(Opcode::SelfTest as u8),
            read_card: code(Opcode::ReadCard as u8),
            first_hash: code(Opcode::Poseidon as u8),
            last_hash: code(Opcode::MerkleUpdate as u8),
            identification_beats: Constant::new((IDENTIFICATION_BYTES / HOST_ALIGNMENT as usize).to_bits()),
            counters_beats: Constant::new((COUNTERS_BYTES / HOST_ALIGNMENT as usize).to_bits()),
            success: code(Status::Success as u8),
            status_host_write: code(Status::HostWriteFault as u8),
            status_card: code(Status::CardMemoryFault as u8),
            status_self_test: code(Status::SelfTestFailed as u8),
        }
    }
}

impl Logic for Executor {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state);
        self.is_identify.next = self.opcode.val() == self.identify.val();
        self.is_load.next = self.opcode.val() == self.load_bases.val();
        self.is_msm.next = self.opcode.val() == self.msm.val();
        self.is_vector.next = self.opcode.val() == self.field_vector.val();
        self.is_counters.next = self.opcode.val() == self.read_counters.val();
        self.is_self_test.next = self.opcode.val() == self.self_test.val();
        self.is_read_card.next = self.opcode.val() == self.read_card.val();
        self.is_hash.next =
            (self.opcode.val() >= self.first_hash.val()) & (self.opcode.val() <= self.last_hash.val());
        self.counts.next = self.is_msm.val() | self.is_vector.val() | self.is_hash.val();

        self.host_write_address.next = self.host_out.val();
        self.host_write_beats.next = self.count.val();
        if self.is_identify.val() {
            self.host_write_beats.next = self.identification_beats.val();
        }
        if self.is_counters.val() {
            self.host_write_beats.next = self.counters_beats.val();
        }
        if self.is_msm.val() {
            self.host_write_beats.next = self.result_beats.val();
        }
        if self.is_read_card.val() {
            // A line is one beat of the card's memory and two of the host bus.
            self.host_write_beats.next = self.count.val() << 1;
        }
        self.host_read_address.next = self.host_a.val();
        self.host_read_beats.next = self.count.val();
        if self.is_load.val() {
            // A point is two beats of the host bus and one of the card's memory.
            self.host_read_beats.next = self.count.val() << 1;
        }
        self.card_job_address.next = self.card_address.val();
        self.card_job_beats.next = self.count.val();

        self.host_write_valid.next = false;
        self.host_read_valid.next = false;
        self.card_read_valid.next = false;
        self.card_write_valid.next = false;
        self.msm_start.next = false;
        self.vector_start.next = false;
        self.hash_start.next = false;
        self.identification_start.next = false;
        self.counters_start.next = false;
        self.self_test_start.next = false;
        self.counting_start.next = false;
        self.counting_end.next = false;
        self.done.next = false;
        self.running.next = false;

        match self.state.q.val() {
            ExecutorState::Idle => {
                if self.start.val() {
                    self.counting_start.next = self.counts.val();
                    self.state.d.next = ExecutorState::HostWrite;
                }
            }
            ExecutorState::HostWrite => {
                // The hash engine gives its masters jobs of its own.
                self.host_write_valid.next =
                    !self.is_load.val() & !self.is_self_test.val() & !self.is_hash.val();
                if self.host_write_ready.val()
                    | self.is_load.val()
                    | self.is_self_test.val()
                    | self.is_hash.val()
                {
                    self.state.d.next = ExecutorState::CardRead;
                }
            }
            ExecutorState::CardRead => {
                self.card_read_valid.next = self.is_msm.val() | self.is_read_card.val();
                if self.card_read_ready.val() | (!self.is_msm.val() & !self.is_read_card.val()) {
                    self.state.d.next = ExecutorState::CardWrite;
                }
            }
            ExecutorState::CardWrite => {
                self.card_write_valid.next = self.is_load.val();
                if self.card_write_ready.val() | !self.is_load.val() {
                    self.state.d.next = ExecutorState::HostRead;
                }
            }
            ExecutorState::HostRead => {
                self.host_read_valid.next = self.is_load.val() | self.is_msm.val();
                if self.host_read_ready.val() | (!self.is_load.val() & !self.is_msm.val()) {
                    self.state.d.next = ExecutorState::Launch;
                }
            }
            ExecutorState::Launch => {
                if !self.msm_busy.val() | (!self.is_msm.val() & !self.is_self_test.val()) {
                    self.msm_start.next = self.is_msm.val();
                    self.vector_start.next = self.is_vector.val();
                    self.hash_start.next = self.is_hash.val();
                    self.identification_start.next = self.is_identify.val();
                    self.counters_start.next = self.is_counters.val();
                    self.self_test_start.next = self.is_self_test.val();
                    self.state.d.next = ExecutorState::Run;
                }
            }
            ExecutorState::Run => {
                self.running.next = true;
                if self.masters_idle.val()
                    & (!self.msm_busy.val() | !self.is_msm.val())
                    & !self.vector_busy.val()
                    & !self.hash_busy.val()
                    & !self.report_busy.val()
                    & !self.self_test_busy.val()
                {
                    self.done.next = true;
                    self.counting_end.next = self.counts.val();
                    self.state.d.next = ExecutorState::Idle;
                }
            }
        }

        self.loading.next = self.running.val() & self.is_load.val();
        self.fetching.next = self.running.val() & self.is_read_card.val();
        self.multiplying.next = self.running.val() & self.is_msm.val();
        self.hashing.next = self.running.val() & self.is_hash.val();
        self.combining.next = self.running.val() & self.is_vector.val();
        self.reporting.next = self.running.val() & (self.is_identify.val() | self.is_counters.val());
        self.testing.next = self.running.val() & self.is_self_test.val();

        // The first cause in the order of the data's way is the one that is told.
        self.status.next = self.success.val();
        if self.is_self_test.val() & self.self_test_failed.val() {
            self.status.next = self.status_self_test.val();
        }
        if self.is_hash.val() & (self.hash_refusal.val() != 0) {
            self.status.next = self.hash_refusal.val();
        }
        if self.host_write_fault.val() {
            self.status.next = self.status_host_write.val();
        }
        if self.card_fault.val() {
            self.status.next = self.status_card.val();
        }
        if self.host_read_fault.val() {
            self.status.next = self.host_read_status.val();
        }

        if self.reset.val() {
            self.state.d.next = ExecutorState::Idle;
        }
    }
}
