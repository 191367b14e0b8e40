//! 32-bit registers behind the AXI4-Lite slave, made from the entries of `spandrel_abi::REGISTERS`.
//!
//! Each register answers a read with its value where the address is its own and with zero otherwise; the register
//! block ORs the answers, so that an address without a register reads as zero.

use rust_hdl::prelude::*;
use spandrel_abi::{Access, Register};

pub use bus::RegisterBus;

// The derive macro makes public methods that have no documentation.
#[allow(missing_docs)]
mod bus {
    use rust_hdl::prelude::*;

    /// What the AXI4-Lite slave tells every register.
    #[derive(Copy, Clone, Debug, PartialEq, Default, LogicStruct)]
    pub struct RegisterBus {
        /// A write happens in this cycle.
        pub write: Bit,
        /// Byte offset of the write.
        pub write_address: Bits<12>,
        /// Data of the write.
        pub write_data: Bits<32>,
        /// Bits that the write changes, from its byte strobes.
        pub write_mask: Bits<32>,
        /// A read happens in this cycle.
        pub read: Bit,
        /// Byte offset of the read.
        pub read_address: Bits<12>,
    }
}

/// Address bits that choose a register: byte lanes are chosen by the strobes.
const WORD_ADDRESS: u64 = 0xffc;

/// The bits of a register that exist: those of its fields, or all where it is one number.
fn implemented(register: &Register) -> Bits<32> {
    match register.fields {
        [] => Bits::mask(),
        fields => u64::from(fields.iter().fold(0, |bits, field| bits | field.mask())).into(),
    }
}

/// A read-only register whose value is known at elaboration.
#[derive(LogicBlock)]
pub struct ConstantRegister {
    /// From the slave.
    pub bus: Signal<In, RegisterBus>,
    /// Answer to a read, combinational.
    pub read_value: Signal<Out, Bits<32>>,
    offset: Constant<Bits<12>>,
    word: Constant<Bits<12>>,
    value: Constant<Bits<32>>,
}

impl ConstantRegister {
    /// The register of this table entry with this value.
    pub fn new(register: &Register, value: u32) -> Self {
        Self {
            bus: Default::default(),
            read_value: Default::default(),
            offset: Constant::new(register.offset.to_bits()),
            word: Constant::new(WORD_ADDRESS.into()),
            value: Constant::new(value.to_bits()),
        }
    }
}

impl Logic for ConstantRegister {
    #[hdl_gen]
    fn update(&mut self) {
        self.read_value.next = 0.into();
        if (self.bus.val().read_address & self.word.val()) == self.offset.val() {
            self.read_value.next = self.value.val();
        }
    }
}

/// A register that shows a value of the card.
#[derive(LogicBlock)]
pub struct StatusRegister {
    /// From the slave.
    pub bus: Signal<In, RegisterBus>,
    /// Value to show.
    pub value: Signal<In, Bits<32>>,
    /// Answer to a read, combinational.
    pub read_value: Signal<Out, Bits<32>>,
    /// The register is read in this cycle.
    pub read_strobe: Signal<Out, Bit>,
    offset: Constant<Bits<12>>,
    word: Constant<Bits<12>>,
}

impl StatusRegister {
    /// The register of this table entry.
    pub fn new(register: &Register) -> Self {
        Self {
            bus: Default::default(),
            value: Default::default(),
            read_value: Default::default(),
            read_strobe: Default::default(),
            offset: Constant::new(register.offset.to_bits()),
            word: Constant::new(WORD_ADDRESS.into()),
        }
    }
}

impl Logic for StatusRegister {
    #[hdl_gen]
    fn update(&mut self) {
        self.read_value.next = 0.into();
        self.read_strobe.next = false;
        if (self.bus.val().read_address & self.word.val()) == self.offset.val() {
            self.read_value.next = self.value.val();
            self.read_strobe.next = self.bus.val().read;
        }
    }
}

/// A register that keeps what the host writes; zero after reset. Bits outside its fields stay zero.
#[derive(LogicBlock)]
pub struct StoredRegister {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Sets the register to zero.
    pub reset: Signal<In, Bit>,
    /// From the slave.
    pub bus: Signal<In, RegisterBus>,
    /// Writes are ignored while this is one.
    pub locked: Signal<In, Bit>,
    /// Value.
    pub value: Signal<Out, Bits<32>>,
    /// Answer to a read, combinational.
    pub read_value: Signal<Out, Bits<32>>,
    stored: DFF<Bits<32>>,
    mask: Signal<Local, Bits<32>>,
    offset: Constant<Bits<12>>,
    word: Constant<Bits<12>>,
    implemented: Constant<Bits<32>>,
}

impl StoredRegister {
    /// The register of this table entry, which must be read-write.
    pub fn new(register: &Register) -> Self {
        assert_eq!(register.access, Access::ReadWrite, "{} is not a read-write register", register.name);
        Self {
            clock: Default::default(),
            reset: Default::default(),
            bus: Default::default(),
            locked: Default::default(),
            value: Default::default(),
            read_value: Default::default(),
            stored: Default::default(),
            mask: Default::default(),
            offset: Constant::new(register.offset.to_bits()),
            word: Constant::new(WORD_ADDRESS.into()),
            implemented: Constant::new(implemented(register)),
        }
    }
}

impl Logic for StoredRegister {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, stored);
        self.value.next = self.stored.q.val();
        self.mask.next = self.bus.val().write_mask & self.implemented.val();
        if self.bus.val().write
            & !self.locked.val()
            & ((self.bus.val().write_address & self.word.val()) == self.offset.val())
        {
            self.stored.d.next =
                (self.stored.q.val() & !self.mask.val()) | (self.bus.val().write_data & self.mask.val());
        }
        self.read_value.next = 0.into();
        if (self.bus.val().read_address & self.word.val()) == self.offset.val() {
            self.read_value.next = self.stored.q.val();
        }
        if self.reset.val() {
            self.stored.d.next = 0.into();
        }
    }
}

/// A register of causes: the card sets bits, the host clears them by writing ones. A bit that is set and cleared in the
/// same cycle stays set.
#[derive(LogicBlock)]
pub struct CauseRegister {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Sets the register to zero.
    pub reset: Signal<In, Bit>,
    /// From the slave.
    pub bus: Signal<In, RegisterBus>,
    /// Bits to set in this cycle.
    pub set: Signal<In, Bits<32>>,
    /// Value.
    pub value: Signal<Out, Bits<32>>,
    /// Answer to a read, combinational.
    pub read_value: Signal<Out, Bits<32>>,
    causes: DFF<Bits<32>>,
    clear: Signal<Local, Bits<32>>,
    offset: Constant<Bits<12>>,
    word: Constant<Bits<12>>,
    implemented: Constant<Bits<32>>,
}

impl CauseRegister {
    /// The register of this table entry, which must be write-one-to-clear.
    pub fn new(register: &Register) -> Self {
        assert_eq!(register.access, Access::WriteOneToClear, "{} is not write-one-to-clear", register.name);
        Self {
            clock: Default::default(),
            reset: Default::default(),
            bus: Default::default(),
            set: Default::default(),
            value: Default::default(),
            read_value: Default::default(),
            causes: Default::default(),
            clear: Default::default(),
            offset: Constant::new(register.offset.to_bits()),
            word: Constant::new(WORD_ADDRESS.into()),
            implemented: Constant::new(implemented(register)),
        }
    }
}

impl Logic for CauseRegister {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, causes);
        self.value.next = self.causes.q.val();
        self.clear.next = 0.into();
        if self.bus.val().write & ((self.bus.val().write_address & self.word.val()) == self.offset.val()) {
            self.clear.next = self.bus.val().write_data & self.bus.val().write_mask;
        }
        self.causes.d.next =
            ((self.causes.q.val() & !self.clear.val()) | self.set.val()) & self.implemented.val();
        self.read_value.next = 0.into();
        if (self.bus.val().read_address & self.word.val()) == self.offset.val() {
            self.read_value.next = self.causes.q.val();
        }
        if self.reset.val() {
            self.causes.d.next = 0.into();
        }
    }
}
