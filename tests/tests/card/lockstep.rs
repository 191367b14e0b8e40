//! RustHDL's own simulation of the whole control and the Verilated one, cycle by cycle on the same inputs.
//!
//! RustHDL's checks miss differences in meaning between a kernel and the Verilog made of it; this test does not: it runs
//! every kernel of the control through real jobs, faults and a reset, and compares all outputs in every cycle.

use super::host::{library, noise};
use super::stand_in::{CARD_MEMORY_KIB, PARAMETER, StandInCard, stand_in_card};
use num_bigint::BigUint;
use rust_hdl::prelude::*;
use spandrel_abi::*;
use spandrel_sim::Timing;
use spandrel_sim::axi::{AxiSlave, LiteMaster, LiteOutcome};
use spandrel_sim::memory::{CardMemory, HostMemory};
use spandrel_sim::model::{Model, PortHandle};
use spandrel_sim::testbench::Stalls;

/// A value of a port as little-endian bytes.
trait Value: Sized {
    fn from_le(bytes: &[u8]) -> Self;
    fn to_le(self) -> Vec<u8>;
}

impl Value for bool {
    fn from_le(bytes: &[u8]) -> bool {
        bytes[0] != 0
    }
    fn to_le(self) -> Vec<u8> {
        vec![self.into()]
    }
}

impl<const N: usize> Value for Bits<N> {
    fn from_le(bytes: &[u8]) -> Bits<N> {
        BigUint::from_bytes_le(bytes).into()
    }
    fn to_le(self) -> Vec<u8> {
        let mut bytes = BigUint::from(self).to_bytes_le();
        bytes.resize(N.div_ceil(8), 0);
        bytes
    }
}

macro_rules! ports {
    (in: [$($input:ident)+] out: [$($output:ident)+]) => {
        /// The ports of the model, in the order of the lists.
        fn handles(model: &Model) -> (Vec<PortHandle>, Vec<PortHandle>) {
            let port = |name| model.port(name).unwrap();
            (vec![$(port(stringify!($input))),+], vec![$(port(stringify!($output))),+])
        }

        /// Gives the block the inputs that the model has.
        fn copy_inputs(model: &Model, inputs: &[PortHandle], block: &mut StandInCard) {
            let mut inputs = inputs.iter();
            $(block.$input.next = Value::from_le(&model.bytes(*inputs.next().unwrap()));)+
        }

        /// Compares all outputs.
        fn compare(model: &Model, outputs: &[PortHandle], block: &StandInCard) {
            let mut outputs = outputs.iter();
            $(assert_eq!(
                model.bytes(*outputs.next().unwrap()),
                block.$output.val().to_le(),
                "{} in cycle {}", stringify!($output), model.cycles()
            );)+
        }
    };
}

ports! {
    in: [
        reset reset_request
        s_axil_awaddr s_axil_awvalid s_axil_wdata s_axil_wstrb s_axil_wvalid s_axil_bready s_axil_araddr
        s_axil_arvalid s_axil_rready
        m_axi_host_awready m_axi_host_wready m_axi_host_bid m_axi_host_bresp m_axi_host_bvalid m_axi_host_arready
        m_axi_host_rid m_axi_host_rdata m_axi_host_rresp m_axi_host_ruser m_axi_host_rlast m_axi_host_rvalid
        m_axi_card_awready m_axi_card_wready m_axi_card_bid m_axi_card_bresp m_axi_card_bvalid m_axi_card_arready
        m_axi_card_rid m_axi_card_rdata m_axi_card_rresp m_axi_card_rlast m_axi_card_rvalid
    ]
    out: [
        irq interrupt_events resetting busy
        s_axil_awready s_axil_wready s_axil_bresp s_axil_bvalid s_axil_arready s_axil_rdata s_axil_rresp
        s_axil_rvalid
        m_axi_host_awid m_axi_host_awaddr m_axi_host_awlen m_axi_host_awsize m_axi_host_awburst m_axi_host_awvalid
        m_axi_host_wdata m_axi_host_wstrb m_axi_host_wlast m_axi_host_wvalid m_axi_host_bready
        m_axi_host_arid m_axi_host_araddr m_axi_host_arlen m_axi_host_arsize m_axi_host_arburst m_axi_host_arvalid
        m_axi_host_rready
        m_axi_card_awid m_axi_card_awaddr m_axi_card_awlen m_axi_card_awsize m_axi_card_awburst m_axi_card_awvalid
        m_axi_card_wdata m_axi_card_wstrb m_axi_card_wlast m_axi_card_wvalid m_axi_card_bready
        m_axi_card_arid m_axi_card_araddr m_axi_card_arlen m_axi_card_arsize m_axi_card_arburst m_axi_card_arvalid
        m_axi_card_rready
    ]
}

struct Lockstep {
    model: Model,
    inputs: Vec<PortHandle>,
    outputs: Vec<PortHandle>,
    block: StandInCard,
    registers: LiteMaster,
    host: AxiSlave<HostMemory>,
    card: AxiSlave<CardMemory>,
}

impl Lockstep {
    fn new(timing: Timing, seed: u64) -> Lockstep {
        let mut model = library().instance();
        let (inputs, outputs) = handles(&model);
        let stalls = Stalls::random(seed, timing.register_stall_percent);
        let mut registers = LiteMaster::new(&model, "s_axil_", stalls).unwrap();
        let mut host = AxiSlave::new(&model, "m_axi_host_", HostMemory::new(), timing.host, seed).unwrap();
        let memory = CardMemory::new(u64::from(CARD_MEMORY_KIB) * 1024);
        let mut card = AxiSlave::new(&model, "m_axi_card_", memory, timing.card, seed + 1).unwrap();
        registers.reset(&mut model);
        host.reset(&mut model);
        card.reset(&mut model);
        Lockstep { model, inputs, outputs, block: stand_in_card(), registers, host, card }
    }

    fn cycle(&mut self) {
        self.host.drive(&mut self.model);
        self.card.drive(&mut self.model);
        self.registers.drive(&mut self.model);
        self.model.settle();
        copy_inputs(&self.model, &self.inputs, &mut self.block);
        self.block.clock.next = false.into();
        assert!(simulate(&mut self.block, 200), "RustHDL's simulation does not settle");
        compare(&self.model, &self.outputs, &self.block);
        self.host.observe(&self.model);
        self.card.observe(&self.model);
        self.registers.observe(&self.model);
        self.model.rise();
        self.block.clock.next = true.into();
        assert!(simulate(&mut self.block, 200), "RustHDL's simulation does not settle");
    }

    fn finish(&mut self) -> u32 {
        for _ in 0..9000 {
            self.cycle();
            match self.registers.outcome() {
                None => {}
                Some(LiteOutcome::Done(data)) => return data,
                Some(LiteOutcome::Refused(response)) => panic!("register access answered with {response}"),
            }
        }
        panic!("a register access takes too long");
    }

    fn read(&mut self, register: Register) -> u32 {
        self.registers.start_read(&mut self.model, register.offset.into());
        self.finish()
    }

    fn write(&mut self, register: Register, value: u32) {
        self.registers.start_write(&mut self.model, register.offset.into(), value, 0xf);
        self.finish();
    }

    fn wait(&mut self, register: Register, value: u32) {
        for _ in 0..9000 {
            if self.read(register) == value {
                return;
            }
        }
        panic!("{} is {:#x} and does not become {value:#x}", register.name, self.read(register));
    }
}

#[test]
fn both_simulators_agree_on_the_whole_control_in_every_cycle() {
    let mut lock = Lockstep::new(Timing::HOSTILE, 200);
    let reset = lock.model.port("reset").unwrap();
    lock.model.set_u64(reset, 1);
    (0..3).for_each(|_| lock.cycle());
    lock.model.set_u64(reset, 0);

    let allocate = |lock: &Lockstep, bytes| lock.host.memory().allocate(bytes).unwrap();
    let (mut sq, cq) = (allocate(&lock, 4096), allocate(&lock, 4096));
    let (mut data, out) = (allocate(&lock, 8192), allocate(&lock, 32768));
    data.write(0, &noise(1, 8192)).unwrap();
    let (a, o) = (data.iova() + 4096 - 96, out.iova());
    let command = |opcode, count| Descriptor { opcode, count, host_a: a, host_out: o, ..Default::default() };
    let commands = [
        Descriptor { command_id: 0xabcd, ..command(Opcode::Identify as u8, 0) },
        Descriptor { card_address: 4096 - 128, ..command(Opcode::LoadBases as u8, 7) },
        Descriptor { card_address: 4096 - 64, parameter: PARAMETER, ..command(Opcode::Msm as u8, 6) },
        Descriptor { host_b: a - 64, parameter: 0x101, ..command(Opcode::FieldVector as u8, 67) },
        command(Opcode::ReadCounters as u8, 0),
        command(Opcode::SelfTest as u8, 0),
        Descriptor { host_a: 1 << 45, ..command(Opcode::LoadBases as u8, 3) },
        Descriptor {
            card_address: 4096 - 128,
            host_out: o + 4096 - 32,
            ..command(Opcode::ReadCard as u8, 5)
        },
        // Among its elements is one that the stand-in refuses.
        Descriptor { parameter: poseidon_parameter(3, 0, 0), ..command(Opcode::Poseidon as u8, 40) },
        Descriptor {
            size: 9,
            parameter: 0x404,
            card_address: 4096 - 64,
            ..command(Opcode::MerkleBuild as u8, 9)
        },
        command(200, 0),
    ];
    for (pass, timing_reset) in [(0, true), (1, false)] {
        lock.wait(CONTROL, 0);
        for (register, value) in [
            (SQ_BASE_LO, sq.iova()),
            (SQ_BASE_HI, sq.iova() >> 32),
            (SQ_MASK, 15),
            (CQ_BASE_LO, cq.iova()),
            (CQ_BASE_HI, cq.iova() >> 32),
            (CQ_MASK, 15),
            (INTERRUPT_ENABLE, 3),
            (CONTROL, 1),
        ] {
            lock.write(register, value as u32);
        }
        for (index, command) in commands.iter().enumerate() {
            sq.write(64 * index, &command.to_bytes()).unwrap();
        }
        lock.write(SQ_TAIL, commands.len() as u32);
        if timing_reset {
            // In the middle of the field vector.
            lock.wait(SQ_HEAD, 4);
            (0..300).for_each(|_| lock.cycle());
            lock.write(CONTROL, CONTROL_RESET.put(1));
            continue;
        }
        lock.wait(CQ_TAIL, commands.len() as u32);
        let mut bytes = [0; COMPLETION_BYTES];
        let status = |index: usize, bytes: &mut [u8; COMPLETION_BYTES]| {
            cq.read(32 * index, bytes).unwrap();
            Completion::from_bytes(bytes).status
        };
        let statuses: Vec<u8> = (0..commands.len()).map(|index| status(index, &mut bytes)).collect();
        let [failed, read_fault, refused, unknown] =
            [Status::SelfTestFailed, Status::HostReadFault, Status::NotCanonical, Status::UnknownOpcode]
                .map(|status| status as u8);
        assert_eq!(statuses, [0, 0, 0, 0, 0, failed, read_fault, 0, refused, 0, unknown], "pass {pass}");
    }
    // A ring that is not there stops the queues.
    lock.write(CONTROL, 0);
    lock.write(SQ_BASE_HI, 0x7000);
    lock.write(CONTROL, 1);
    lock.write(SQ_TAIL, 0);
    lock.wait(
        STATUS,
        STATUS_READY.put(1) | STATUS_FAULT.put(1) | STATUS_FAULT_CODE.put(Status::HostReadFault as u32),
    );
    assert_eq!((lock.host.violations().count(), lock.card.violations().count()), (0, 0));
    eprintln!("{} cycles in lockstep", lock.model.cycles());
}
