//! The register block of BAR 0.

use crate::axi::{CauseRegister, ConstantRegister, LiteSlave, RegisterBus, StatusRegister, StoredRegister};
use rust_hdl::prelude::*;
use spandrel_abi as abi;

/// The registers of `spandrel_abi::REGISTERS` behind an AXI4-Lite slave.
///
/// `reset` resets the bus; `core_reset` (which a write of CONTROL.RESET causes) sets every register but the
/// identification to zero, and writes are ignored while it lasts. The ring registers are locked while CONTROL.ENABLE
/// is one.
#[derive(LogicBlock)]
pub struct RegisterFile {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Reset of the bus.
    pub reset: Signal<In, Bit>,
    /// Reset of the registers.
    pub core_reset: Signal<In, Bit>,
    /// AXI4-Lite: write address.
    pub awaddr: Signal<In, Bits<12>>,
    /// AXI4-Lite: write address valid.
    pub awvalid: Signal<In, Bit>,
    /// AXI4-Lite: write address ready.
    pub awready: Signal<Out, Bit>,
    /// AXI4-Lite: write data.
    pub wdata: Signal<In, Bits<32>>,
    /// AXI4-Lite: byte strobes.
    pub wstrb: Signal<In, Bits<4>>,
    /// AXI4-Lite: write data valid.
    pub wvalid: Signal<In, Bit>,
    /// AXI4-Lite: write data ready.
    pub wready: Signal<Out, Bit>,
    /// AXI4-Lite: write response.
    pub bresp: Signal<Out, Bits<2>>,
    /// AXI4-Lite: write response valid.
    pub bvalid: Signal<Out, Bit>,
    /// AXI4-Lite: write response ready.
    pub bready: Signal<In, Bit>,
    /// AXI4-Lite: read address.
    pub araddr: Signal<In, Bits<12>>,
    /// AXI4-Lite: read address valid.
    pub arvalid: Signal<In, Bit>,
    /// AXI4-Lite: read address ready.
    pub arready: Signal<Out, Bit>,
    /// AXI4-Lite: read data.
    pub rdata: Signal<Out, Bits<32>>,
    /// AXI4-Lite: read response.
    pub rresp: Signal<Out, Bits<2>>,
    /// AXI4-Lite: read data valid.
    pub rvalid: Signal<Out, Bit>,
    /// AXI4-Lite: read data ready.
    pub rready: Signal<In, Bit>,
    /// The card is in reset.
    pub resetting: Signal<In, Bit>,
    /// A command is being executed.
    pub busy: Signal<In, Bit>,
    /// The queues stand still.
    pub fault: Signal<In, Bit>,
    /// Why they do.
    pub fault_code: Signal<In, Bits<8>>,
    /// Pulse: a completion entry was written.
    pub completed: Signal<In, Bit>,
    /// Pulse: `fault` was set.
    pub faulted: Signal<In, Bit>,
    /// Index of the next submission entry to fetch.
    pub sq_head: Signal<In, Bits<32>>,
    /// Index of the next completion entry to write.
    pub cq_tail: Signal<In, Bits<32>>,
    /// Additions that the MSM engine has issued in its job.
    pub msm_additions: Signal<In, Bits<64>>,
    /// CONTROL.ENABLE.
    pub enable: Signal<Out, Bit>,
    /// CONTROL.RESET was written; stands until `core_reset`.
    pub reset_request: Signal<Out, Bit>,
    /// Host address of the submission ring.
    pub sq_base: Signal<Out, Bits<64>>,
    /// Entries of the submission ring minus one.
    pub sq_mask: Signal<Out, Bits<32>>,
    /// Host address of the completion ring.
    pub cq_base: Signal<Out, Bits<64>>,
    /// Entries of the completion ring minus one.
    pub cq_mask: Signal<Out, Bits<32>>,
    /// Submission doorbell.
    pub sq_tail: Signal<Out, Bits<32>>,
    /// Completion doorbell.
    pub cq_head: Signal<Out, Bits<32>>,
    /// Interrupt request, a level.
    pub irq: Signal<Out, Bit>,
    /// A pulse for each enabled cause that arises: completion, fault.
    pub interrupt_events: Signal<Out, Bits<2>>,
    slave: LiteSlave,
    identification: Vec<ConstantRegister>,
    control: StoredRegister,
    control_shown: StatusRegister,
    status: StatusRegister,
    interrupt_status: CauseRegister,
    interrupt_enable: StoredRegister,
    sq_base_lo: StoredRegister,
    sq_base_hi: StoredRegister,
    sq_mask_register: StoredRegister,
    cq_base_lo: StoredRegister,
    cq_base_hi: StoredRegister,
    cq_mask_register: StoredRegister,
    sq_tail_register: StoredRegister,
    sq_head_register: StatusRegister,
    cq_head_register: StoredRegister,
    cq_tail_register: StatusRegister,
    scratch: StoredRegister,
    cycles_lo: StatusRegister,
    cycles_hi: StatusRegister,
    msm_additions_register: StatusRegister,
    cycles: DFF<Bits<64>>,
    cycles_latched: DFF<Bits<32>>,
    additions_latched: DFF<Bits<32>>,
    bus: Signal<Local, RegisterBus>,
    locked: Signal<Local, Bit>,
    answer: Signal<Local, Bits<32>>,
    state: Signal<Local, Bits<32>>,
    shown: Signal<Local, Bits<32>>,
    causes: Signal<Local, Bits<32>>,
    enable_bit: Constant<Bits<32>>,
    reset_bit: Constant<Bits<32>>,
    ready_bit: Constant<Bits<32>>,
    busy_bit: Constant<Bits<32>>,
    fault_bit: Constant<Bits<32>>,
    fault_code_lsb: Constant<Bits<8>>,
    completion_cause: Constant<Bits<32>>,
    fault_cause: Constant<Bits<32>>,
    _identification_registers: usize,
}

fn bit(field: abi::Field) -> Constant<Bits<32>> {
    Constant::new(u64::from(field.mask()).into())
}

impl RegisterFile {
    /// The register block of a card that identifies itself so.
    pub fn new(identification: &abi::Identification) -> Self {
        let words = identification.to_words();
        let identification: Vec<_> = abi::REGISTERS
            .iter()
            .filter(|register| (register.offset as usize) < abi::IDENTIFICATION_BYTES)
            .map(|register| ConstantRegister::new(register, words[register.offset as usize / 4]))
            .collect();
        Self {
            clock: Default::default(),
            reset: Default::default(),
            core_reset: Default::default(),
            awaddr: Default::default(),
            awvalid: Default::default(),
            awready: Default::default(),
            wdata: Default::default(),
            wstrb: Default::default(),
            wvalid: Default::default(),
            wready: Default::default(),
            bresp: Default::default(),
            bvalid: Default::default(),
            bready: Default::default(),
            araddr: Default::default(),
            arvalid: Default::default(),
            arready: Default::default(),
            rdata: Default::default(),
            rresp: Default::default(),
            rvalid: Default::default(),
            rready: Default::default(),
            resetting: Default::default(),
            busy: Default::default(),
            fault: Default::default(),
            fault_code: Default::default(),
            completed: Default::default(),
            faulted: Default::default(),
            sq_head: Default::default(),
            cq_tail: Default::default(),
            msm_additions: Default::default(),
            enable: Default::default(),
            reset_request: Default::default(),
            sq_base: Default::default(),
            sq_mask: Default::default(),
            cq_base: Default::default(),
            cq_mask: Default::default(),
            sq_tail: Default::default(),
            cq_head: Default::default(),
            irq: Default::default(),
            interrupt_events: Default::default(),
            slave: Default::default(),
            _identification_registers: identification.len(),
            identification,
            control: StoredRegister::new(&abi::CONTROL),
            control_shown: StatusRegister::new(&abi::CONTROL),
            status: StatusRegister::new(&abi::STATUS),
            interrupt_status: CauseRegister::new(&abi::INTERRUPT_STATUS),
            interrupt_enable: StoredRegister::new(&abi::INTERRUPT_ENABLE),
            sq_base_lo: StoredRegister::new(&abi::SQ_BASE_LO),
            sq_base_hi: StoredRegister::new(&abi::SQ_BASE_HI),
            sq_mask_register: StoredRegister::new(&abi::SQ_MASK),
            cq_base_lo: StoredRegister::new(&abi::CQ_BASE_LO),
            cq_base_hi: StoredRegister::new(&abi::CQ_BASE_HI),
            cq_mask_register: StoredRegister::new(&abi::CQ_MASK),
            sq_tail_register: StoredRegister::new(&abi::SQ_TAIL),
            sq_head_register: StatusRegister::new(&abi::SQ_HEAD),
            cq_head_register: StoredRegister::new(&abi::CQ_HEAD),
            cq_tail_register: StatusRegister::new(&abi::CQ_TAIL),
            scratch: StoredRegister::new(&abi::SCRATCH),
            cycles_lo: StatusRegister::new(&abi::CYCLES_LO),
            cycles_hi: StatusRegister::new(&abi::CYCLES_HI),
            msm_additions_register: StatusRegister::new(&abi::MSM_ADDITIONS),
            cycles: Default::default(),
            cycles_latched: Default::default(),
            additions_latched: Default::default(),
            bus: Default::default(),
            locked: Default::default(),
            answer: Default::default(),
            state: Default::default(),
            shown: Default::default(),
            causes: Default::default(),
            enable_bit: bit(abi::CONTROL_ENABLE),
            reset_bit: bit(abi::CONTROL_RESET),
            ready_bit: bit(abi::STATUS_READY),
            busy_bit: bit(abi::STATUS_BUSY),
            fault_bit: bit(abi::STATUS_FAULT),
            fault_code_lsb: Constant::new(abi::STATUS_FAULT_CODE.lsb.to_bits()),
            completion_cause: bit(abi::INTERRUPT_COMPLETION),
            fault_cause: bit(abi::INTERRUPT_FAULT),
        }
    }
}

impl Logic for RegisterFile {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, cycles, cycles_latched, additions_latched);
        clock!(self, clock, slave, control, interrupt_status, interrupt_enable, scratch);
        clock!(self, clock, sq_base_lo, sq_base_hi, sq_mask_register, sq_tail_register);
        clock!(self, clock, cq_base_lo, cq_base_hi, cq_mask_register, cq_head_register);

        self.slave.reset.next = self.reset.val();
        self.slave.awaddr.next = self.awaddr.val();
        self.slave.awvalid.next = self.awvalid.val();
        self.awready.next = self.slave.awready.val();
        self.slave.wdata.next = self.wdata.val();
        self.slave.wstrb.next = self.wstrb.val();
        self.slave.wvalid.next = self.wvalid.val();
        self.wready.next = self.slave.wready.val();
        self.bresp.next = self.slave.bresp.val();
        self.bvalid.next = self.slave.bvalid.val();
        self.slave.bready.next = self.bready.val();
        self.slave.araddr.next = self.araddr.val();
        self.slave.arvalid.next = self.arvalid.val();
        self.arready.next = self.slave.arready.val();
        self.rdata.next = self.slave.rdata.val();
        self.rresp.next = self.slave.rresp.val();
        self.rvalid.next = self.slave.rvalid.val();
        self.slave.rready.next = self.rready.val();

        self.control.reset.next = self.core_reset.val();
        self.interrupt_status.reset.next = self.core_reset.val();
        self.interrupt_enable.reset.next = self.core_reset.val();
        self.sq_base_lo.reset.next = self.core_reset.val();
        self.sq_base_hi.reset.next = self.core_reset.val();
        self.sq_mask_register.reset.next = self.core_reset.val();
        self.cq_base_lo.reset.next = self.core_reset.val();
        self.cq_base_hi.reset.next = self.core_reset.val();
        self.cq_mask_register.reset.next = self.core_reset.val();
        self.sq_tail_register.reset.next = self.core_reset.val();
        self.cq_head_register.reset.next = self.core_reset.val();
        self.scratch.reset.next = self.core_reset.val();

        self.locked.next = (self.control.value.val() & self.enable_bit.val()).any();
        self.control.locked.next = false;
        self.interrupt_enable.locked.next = false;
        self.sq_base_lo.locked.next = self.locked.val();
        self.sq_base_hi.locked.next = self.locked.val();
        self.sq_mask_register.locked.next = self.locked.val();
        self.cq_base_lo.locked.next = self.locked.val();
        self.cq_base_hi.locked.next = self.locked.val();
        self.cq_mask_register.locked.next = self.locked.val();
        self.sq_tail_register.locked.next = false;
        self.cq_head_register.locked.next = false;
        self.scratch.locked.next = false;

        // Every register hears the bus, and the answers are ORed. CONTROL answers through `control_shown` only.
        self.bus.next = self.slave.bus.val();
        self.answer.next = 0.into();
        for i in 0..self._identification_registers {
            self.identification[i].bus.next = self.bus.val();
            self.answer.next = self.answer.val() | self.identification[i].read_value.val();
        }
        self.control.bus.next = self.bus.val();
        self.control_shown.bus.next = self.bus.val();
        self.status.bus.next = self.bus.val();
        self.interrupt_status.bus.next = self.bus.val();
        self.interrupt_enable.bus.next = self.bus.val();
        self.sq_base_lo.bus.next = self.bus.val();
        self.sq_base_hi.bus.next = self.bus.val();
        self.sq_mask_register.bus.next = self.bus.val();
        self.cq_base_lo.bus.next = self.bus.val();
        self.cq_base_hi.bus.next = self.bus.val();
        self.cq_mask_register.bus.next = self.bus.val();
        self.sq_tail_register.bus.next = self.bus.val();
        self.sq_head_register.bus.next = self.bus.val();
        self.cq_head_register.bus.next = self.bus.val();
        self.cq_tail_register.bus.next = self.bus.val();
        self.scratch.bus.next = self.bus.val();
        self.cycles_lo.bus.next = self.bus.val();
        self.cycles_hi.bus.next = self.bus.val();
        self.msm_additions_register.bus.next = self.bus.val();
        self.answer.next = self.answer.val()
            | self.control_shown.read_value.val()
            | self.status.read_value.val()
            | self.interrupt_status.read_value.val()
            | self.interrupt_enable.read_value.val();
        self.answer.next = self.answer.val()
            | self.sq_base_lo.read_value.val()
            | self.sq_base_hi.read_value.val()
            | self.sq_mask_register.read_value.val()
            | self.cq_base_lo.read_value.val()
            | self.cq_base_hi.read_value.val()
            | self.cq_mask_register.read_value.val();
        self.answer.next = self.answer.val()
            | self.sq_tail_register.read_value.val()
            | self.sq_head_register.read_value.val()
            | self.cq_head_register.read_value.val()
            | self.cq_tail_register.read_value.val();
        self.slave.read_value.next = self.answer.val()
            | self.scratch.read_value.val()
            | self.cycles_lo.read_value.val()
            | self.cycles_hi.read_value.val()
            | self.msm_additions_register.read_value.val();

        self.shown.next = self.control.value.val() & self.enable_bit.val();
        if self.resetting.val() | (self.control.value.val() & self.reset_bit.val()).any() {
            self.shown.next = self.shown.val() | self.reset_bit.val();
        }
        self.control_shown.value.next = self.shown.val();

        self.state.next = bit_cast::<32, 8>(self.fault_code.val()) << self.fault_code_lsb.val();
        if !self.resetting.val() {
            self.state.next = self.state.val() | self.ready_bit.val();
        }
        if self.busy.val() {
            self.state.next = self.state.val() | self.busy_bit.val();
        }
        if self.fault.val() {
            self.state.next = self.state.val() | self.fault_bit.val();
        }
        self.status.value.next = self.state.val();

        self.causes.next = 0.into();
        if self.completed.val() {
            self.causes.next = self.causes.val() | self.completion_cause.val();
        }
        if self.faulted.val() {
            self.causes.next = self.causes.val() | self.fault_cause.val();
        }
        self.interrupt_status.set.next = self.causes.val();
        self.irq.next = (self.interrupt_status.value.val() & self.interrupt_enable.value.val()).any();

        self.interrupt_events.next = bit_cast::<2, 32>(self.causes.val() & self.interrupt_enable.value.val());

        self.enable.next = self.locked.val();
        self.reset_request.next = (self.control.value.val() & self.reset_bit.val()).any();
        self.sq_base.next = (bit_cast::<64, 32>(self.sq_base_hi.value.val()) << 32)
            | bit_cast::<64, 32>(self.sq_base_lo.value.val());
        self.sq_mask.next = self.sq_mask_register.value.val();
        self.cq_base.next = (bit_cast::<64, 32>(self.cq_base_hi.value.val()) << 32)
            | bit_cast::<64, 32>(self.cq_base_lo.value.val());
        self.cq_mask.next = self.cq_mask_register.value.val();
        self.sq_tail.next = self.sq_tail_register.value.val();
        self.cq_head.next = self.cq_head_register.value.val();
        self.sq_head_register.value.next = self.sq_head.val();
        self.cq_tail_register.value.next = self.cq_tail.val();

        self.cycles.d.next = self.cycles.q.val() + 1;
        self.cycles_lo.value.next = self.cycles.q.val().get_bits::<32>(0);
        self.cycles_hi.value.next = self.cycles_latched.q.val();
        self.msm_additions_register.value.next = self.additions_latched.q.val();
        if self.cycles_lo.read_strobe.val() {
            self.cycles_latched.d.next = self.cycles.q.val().get_bits::<32>(32);
            self.additions_latched.d.next = self.msm_additions.val().get_bits::<32>(0);
        }
        if self.core_reset.val() {
            self.cycles.d.next = 0.into();
            self.cycles_latched.d.next = 0.into();
            self.additions_latched.d.next = 0.into();
        }
    }
}
