//! The processor.

use super::bank::SerialBank;
use super::linear::{LINEAR_CYCLES, Linear};
use super::memory::{ConstantMemory, ProgramMemory};
use super::program::Program;
use super::registers::RegisterFile;
use super::schedule::{Schedule, Timing};
use super::{Moduli, SlotMemory};
use crate::datapath::Datapath;
use num_bigint::BigUint;
use rust_hdl::prelude::*;

/// Cycles from a word of the program to its operands at the arithmetic units: registers' addresses, two cycles of the register
/// file, operands.
const OPERANDS: usize = 4;

/// Cycles from a word to the write port of the register file.
const WRITE: usize = 1;

/// Carries out one program for one frame after the other, software-pipelined: a frame begins every
/// [`Processor::period`] cycles, whatever is in it, and there are [`Processor::frames`] of them, each with 32 registers, which
/// take turns for ever. Whoever uses it says, when a frame begins, whether something enters or leaves it in this turn, and
/// which constants and which choice of operands it takes.
///
/// There is no handshake: the schedule is static, made by [`Schedule`].
#[derive(LogicBlock)]
pub struct Processor {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset: no frame that has begun gives anything out.
    pub reset: Signal<In, Bit>,
    /// A frame begins: the inputs that follow are taken (a register).
    pub begins: Signal<Out, Bit>,
    /// The frame that begins (a register).
    pub frame: Signal<Out, Bits<4>>,
    /// Inputs are loaded into it.
    pub entering: Signal<In, Bit>,
    /// It gives out.
    pub leaving: Signal<In, Bit>,
    /// Its kind, by which operands are chosen.
    pub kind: Signal<In, Bits<2>>,
    /// The field's flag.
    pub second: Signal<In, Bit>,
    /// Where its constants begin.
    pub base: Signal<In, Bits<10>>,
    /// An input is wanted, of the frame that began last, which is entered.
    pub load: Signal<Out, Bit>,
    /// Its number; the last one is wanted last.
    pub load_number: Signal<Out, Bits<3>>,
    /// The input, below 2p, in the same cycle.
    pub load_data: Signal<In, Bits<256>>,
    /// An output is given.
    pub store: Signal<Out, Bit>,
    /// Its number; the last one comes last.
    pub store_number: Signal<Out, Bits<3>>,
    /// Its frame.
    pub store_frame: Signal<Out, Bits<4>>,
    /// The output, below p.
    pub store_data: Signal<Out, Bits<256>>,
    cycle: DFF<Bits<9>>,
    turned: DFF<Bit>,
    turned2: DFF<Bit>,
    frame_now: DFF<Bits<4>>,
    frame_next: DFF<Bits<4>>,
    leaving_history: DFF<Bits<16>>,
    program: ProgramMemory,
    read_flags: SlotMemory<13>,
    write_flags: SlotMemory<2>,
    registers: RegisterFile,
    constants: Vec<ConstantMemory>,
    bank: SerialBank,
    linear: Linear,
    // Read addresses.
    a_address: DFF<Bits<9>>,
    b_address: DFF<Bits<9>>,
    constant_address: DFF<Bits<10>>,
    // What the operands are, and what is done with them, a cycle behind each other.
    control1: DFF<Bits<6>>,
    control2: DFF<Bits<6>>,
    control3: DFF<Bits<6>>,
    control4: DFF<Bits<6>>,
    a_operand: DFF<Bits<256>>,
    b_operand: DFF<Bits<256>>,
    write_address: DFF<Bits<9>>,
    write_data: DFF<Bits<256>>,
    write_enable: DFF<Bit>,
    word: Signal<Local, Bits<57>>,
    read_lag: Signal<Local, Bits<4>>,
    write_lag: Signal<Local, Bits<4>>,
    read_frame: Signal<Local, Bits<4>>,
    write_frame: Signal<Local, Bits<4>>,
    flags: Signal<Local, Bits<13>>,
    new_flags: Signal<Local, Bits<13>>,
    kind_read: Signal<Local, Bits<2>>,
    a_kinds: Signal<Local, Bits<4>>,
    b_kinds: Signal<Local, Bits<4>>,
    a_place: Signal<Local, Bits<7>>,
    b_place: Signal<Local, Bits<7>>,
    a_other: Signal<Local, Bit>,
    b_other: Signal<Local, Bit>,
    written: Signal<Local, Bits<3>>,
    leaves: Signal<Local, Bits<16>>,
    older: Signal<Local, Bits<16>>,
    control: Signal<Local, Bits<6>>,
    last_cycle: Constant<Bits<9>>,
    last_frame: Constant<Bits<4>>,
    frames: Constant<Bits<4>>,
    _constants: usize,
    _period: usize,
    _frames: usize,
    _length: usize,
}

impl Processor {
    /// A processor for a program, in the field or fields of `moduli`, with 1, 2, 4 or 8 multipliers; `name` distinguishes its
    /// memories in the Verilog text.
    ///
    /// # Panics
    ///
    /// When the program has no schedule, or other numbers are out of their ranges: an error of the hardware description.
    pub fn new(
        name: &str,
        program: &Program,
        constants: &[BigUint],
        moduli: Moduli,
        multipliers: usize,
    ) -> Processor {
        let bank = SerialBank::new(moduli, multipliers, OPERANDS + Datapath::LOOKUP_STAGES);
        let timing = Processor::timing(&bank);
        let schedule = Schedule::new(program, timing).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(
            schedule.period() <= 512 && constants.len() <= 1024,
            "{name}: a period or constants too long"
        );
        let constants = match constants {
            [] => vec![],
            constants => vec![ConstantMemory::new(name, constants)],
        };
        let program = ProgramMemory::new(name, &schedule);
        // Words, and constants behind their addresses, are wired for this.
        let memories = constants.iter().map(ConstantMemory::latency).chain([program.latency()]);
        memories.for_each(|latency| assert_eq!(latency, Datapath::LOOKUP_STAGES));
        Processor {
            clock: Default::default(),
            reset: Default::default(),
            begins: Default::default(),
            frame: Default::default(),
            entering: Default::default(),
            leaving: Default::default(),
            kind: Default::default(),
            second: Default::default(),
            base: Default::default(),
            load: Default::default(),
            load_number: Default::default(),
            load_data: Default::default(),
            store: Default::default(),
            store_number: Default::default(),
            store_frame: Default::default(),
            store_data: Default::default(),
            cycle: Default::default(),
            turned: Default::default(),
            turned2: Default::default(),
            frame_now: Default::default(),
            frame_next: Default::default(),
            leaving_history: Default::default(),
            program,
            read_flags: Default::default(),
            write_flags: Default::default(),
            registers: Default::default(),
            bank,
            linear: Linear::new(moduli),
            a_address: Default::default(),
            b_address: Default::default(),
            constant_address: Default::default(),
            control1: Default::default(),
            control2: Default::default(),
            control3: Default::default(),
            control4: Default::default(),
            a_operand: Default::default(),
            b_operand: Default::default(),
            write_address: Default::default(),
            write_data: Default::default(),
            write_enable: Default::default(),
            word: Default::default(),
            read_lag: Default::default(),
            write_lag: Default::default(),
            read_frame: Default::default(),
            write_frame: Default::default(),
            flags: Default::default(),
            new_flags: Default::default(),
            kind_read: Default::default(),
            a_kinds: Default::default(),
            b_kinds: Default::default(),
            a_place: Default::default(),
            b_place: Default::default(),
            a_other: Default::default(),
            b_other: Default::default(),
            written: Default::default(),
            leaves: Default::default(),
            older: Default::default(),
            control: Default::default(),
            last_cycle: Constant::new((schedule.period() - 1).to_bits()),
            last_frame: Constant::new((schedule.frames - 1).to_bits()),
            // Of 16 frames none is left: what is added wraps to nothing.
            frames: Constant::new((schedule.frames % 16).to_bits()),
            _constants: constants.len(),
            constants,
            _period: schedule.period(),
            _frames: schedule.frames,
            _length: schedule.length,
        }
    }

    /// Times of a processor around this bank.
    fn timing(bank: &SerialBank) -> Timing {
        // A word that writes takes its data in the cycle before the write port.
        let write = OPERANDS + WRITE - 1;
        Timing { add: write + LINEAR_CYCLES, multiply: write + bank.latency(), interval: bank.interval() }
    }

    /// Cycles from the beginning of one frame to that of the next.
    pub fn period(&self) -> usize {
        self._period
    }

    /// Frames.
    pub fn frames(&self) -> usize {
        self._frames
    }

    /// Cycles from `begins` to the last output of the frame, at most.
    pub fn length(&self) -> usize {
        self._length + 2
    }
}

impl Logic for Processor {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, cycle, turned, turned2, frame_now, frame_next, leaving_history);
        dff_setup!(self, clock, a_address, b_address, constant_address, control1, control2, control3);
        dff_setup!(self, clock, control4, a_operand, b_operand, write_address, write_data, write_enable);
        clock!(self, clock, program, read_flags, write_flags, registers, bank, linear);

        // The cycle of the period; its word comes two cycles later, and the frame is counted then.
        self.cycle.d.next = self.cycle.q.val() + 1;
        self.turned.d.next = false;
        if self.cycle.q.val() == self.last_cycle.val() {
            self.cycle.d.next = 0.into();
            self.turned.d.next = true;
        }
        self.turned2.d.next = self.turned.q.val();
        self.program.address.next = self.cycle.q.val();
        self.word.next = self.program.word.val();
        self.begins.next = self.turned2.q.val();
        self.frame.next = self.frame_next.q.val();
        self.older.next = self.leaving_history.q.val() << 1;
        if self.turned2.q.val() {
            self.frame_now.d.next = self.frame_next.q.val();
            self.frame_next.d.next = self.frame_next.q.val() + 1;
            if self.frame_next.q.val() == self.last_frame.val() {
                self.frame_next.d.next = 0.into();
            }
            self.leaving_history.d.next = self.older.val();
            if self.leaving.val() {
                self.leaving_history.d.next = self.older.val().replace_bit(0, true);
            }
        }

        // What is known of each frame: base, kind, second.
        self.new_flags.next =
            bit_cast::<13, 10>(self.base.val()) | (bit_cast::<13, 2>(self.kind.val()) << 10);
        if self.second.val() {
            self.new_flags.next = self.new_flags.val().replace_bit(12, true);
        }
        self.read_flags.write_address.next = self.frame_next.q.val();
        self.read_flags.write_data.next = self.new_flags.val();
        self.read_flags.write_enable.next = self.turned2.q.val();
        self.write_flags.write_address.next = self.frame_next.q.val();
        self.write_flags.write_data.next = 0.into();
        if self.entering.val() {
            self.write_flags.write_data.next = 1.into();
        }
        self.write_flags.write_enable.next = self.turned2.q.val();

        // The word: frames.
        self.read_lag.next = self.word.val().get_bits::<4>(0);
        self.write_lag.next = self.word.val().get_bits::<4>(42);
        self.read_frame.next = self.frame_now.q.val() - self.read_lag.val();
        if self.frame_now.q.val() < self.read_lag.val() {
            self.read_frame.next = self.frame_now.q.val() - self.read_lag.val() + self.frames.val();
        }
        self.write_frame.next = self.frame_now.q.val() - self.write_lag.val();
        if self.frame_now.q.val() < self.write_lag.val() {
            self.write_frame.next = self.frame_now.q.val() - self.write_lag.val() + self.frames.val();
        }

        // The word: operands.
        self.read_flags.read_address.next = self.read_frame.val();
        self.flags.next = self.read_flags.read_data.val();
        self.kind_read.next = self.flags.val().get_bits::<2>(10);
        self.a_kinds.next = self.word.val().get_bits::<4>(18);
        self.b_kinds.next = self.word.val().get_bits::<4>(36);
        self.a_other.next = self.a_kinds.val().get_bit(0);
        self.b_other.next = self.b_kinds.val().get_bit(0);
        if self.kind_read.val() == 1 {
            self.a_other.next = self.a_kinds.val().get_bit(1);
            self.b_other.next = self.b_kinds.val().get_bit(1);
        }
        if self.kind_read.val() == 2 {
            self.a_other.next = self.a_kinds.val().get_bit(2);
            self.b_other.next = self.b_kinds.val().get_bit(2);
        }
        if self.kind_read.val() == 3 {
            self.a_other.next = self.a_kinds.val().get_bit(3);
            self.b_other.next = self.b_kinds.val().get_bit(3);
        }
        self.a_place.next = self.word.val().get_bits::<7>(4);
        if self.a_other.val() {
            self.a_place.next = self.word.val().get_bits::<7>(11);
        }
        self.b_place.next = self.word.val().get_bits::<7>(22);
        if self.b_other.val() {
            self.b_place.next = self.word.val().get_bits::<7>(29);
        }
        self.a_address.d.next = bit_cast::<9, 5>(self.a_place.val().get_bits::<5>(0))
            | (bit_cast::<9, 4>(self.read_frame.val()) << 5);
        self.b_address.d.next = bit_cast::<9, 5>(self.b_place.val().get_bits::<5>(0))
            | (bit_cast::<9, 4>(self.read_frame.val()) << 5);
        self.constant_address.d.next =
            self.flags.val().get_bits::<10>(0) + bit_cast::<10, 5>(self.a_place.val().get_bits::<5>(0));
        // From bit 0 on: the first operand is a constant, it is zero, the second is zero; subtract, exact, second.
        self.control.next = bit_cast::<6, 2>(self.a_place.val().get_bits::<2>(5));
        if self.b_place.val().get_bit(6) {
            self.control.next = self.control.val().replace_bit(2, true);
        }
        if self.word.val().get_bit(40) {
            self.control.next = self.control.val().replace_bit(3, true);
        }
        if self.word.val().get_bit(41) {
            self.control.next = self.control.val().replace_bit(4, true);
        }
        if self.flags.val().get_bit(12) {
            self.control.next = self.control.val().replace_bit(5, true);
        }
        self.control1.d.next = self.control.val();
        self.control2.d.next = self.control1.q.val();
        self.control3.d.next = self.control2.q.val();
        self.control4.d.next = self.control3.q.val();

        // Operands.
        self.registers.a_address.next = self.a_address.q.val();
        self.registers.b_address.next = self.b_address.q.val();
        self.a_operand.d.next = self.registers.a_data.val();
        for i in 0..self._constants {
            self.constants[i].clock.next = self.clock.val();
            self.constants[i].address.next = self.constant_address.q.val();
            if self.control3.q.val().get_bit(0) {
                self.a_operand.d.next = self.constants[i].word.val();
            }
        }
        if self.control3.q.val().get_bit(1) {
            self.a_operand.d.next = 0.into();
        }
        self.b_operand.d.next = self.registers.b_data.val();
        if self.control3.q.val().get_bit(2) {
            self.b_operand.d.next = 0.into();
        }

        // Arithmetic.
        self.bank.reset.next = self.reset.val();
        self.bank.a.next = self.a_operand.q.val();
        self.bank.b.next = self.b_operand.q.val();
        self.bank.second.next = self.control4.q.val().get_bit(5);
        self.linear.a.next = self.a_operand.q.val();
        self.linear.b.next = self.b_operand.q.val();
        self.linear.subtract.next = self.control4.q.val().get_bit(3);
        self.linear.exact.next = self.control4.q.val().get_bit(4);
        self.linear.second.next = self.control4.q.val().get_bit(5);

        // The word: what is written.
        self.written.next = self.word.val().get_bits::<3>(51);
        self.load_number.next = self.word.val().get_bits::<3>(54);
        self.store_number.next = self.word.val().get_bits::<3>(54);
        self.write_flags.read_address.next = self.write_frame.val();
        self.load.next = (self.written.val() == 3) & self.write_flags.read_data.val().get_bit(0);
        self.leaves.next = self.leaving_history.q.val() >> self.write_lag.val();
        self.store.next = (self.written.val() == 4) & self.leaves.val().get_bit(0);
        self.store_frame.next = self.write_frame.val();
        self.store_data.next = self.linear.result.val();
        self.write_address.d.next = bit_cast::<9, 5>(self.word.val().get_bits::<5>(46))
            | (bit_cast::<9, 4>(self.write_frame.val()) << 5);
        self.write_enable.d.next = (self.written.val() == 1) | (self.written.val() == 2) | self.load.val();
        self.write_data.d.next = self.linear.result.val();
        if self.written.val() == 2 {
            self.write_data.d.next = self.bank.product.val();
        }
        if self.written.val() == 3 {
            self.write_data.d.next = self.load_data.val();
        }
        self.registers.write_address.next = self.write_address.q.val();
        self.registers.write_data.next = self.write_data.q.val();
        self.registers.write_enable.next = self.write_enable.q.val();

        if self.reset.val() {
            self.cycle.d.next = 0.into();
            self.turned.d.next = false;
            self.turned2.d.next = false;
            self.frame_now.d.next = self.last_frame.val();
            self.frame_next.d.next = 0.into();
            self.leaving_history.d.next = 0.into();
        }
    }
}
