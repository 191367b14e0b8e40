//! The register map of BAR 0.

/// What a host may do with a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads return the card's value; writes are ignored.
    ReadOnly,
    /// Reads return what was last written.
    ReadWrite,
    /// Writing a one to a bit clears it.
    WriteOneToClear,
}

/// A named run of bits in a register.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Name, in capitals.
    pub name: &'static str,
    /// Lowest bit.
    pub lsb: u32,
    /// Number of bits.
    pub width: u32,
    /// Meaning, one sentence.
    pub doc: &'static str,
}

impl Field {
    /// Bits of the field, in place.
    pub const fn mask(&self) -> u32 {
        (((1u64 << self.width) - 1) as u32) << self.lsb
    }

    /// The field's value in a register word.
    pub const fn get(&self, word: u32) -> u32 {
        (word & self.mask()) >> self.lsb
    }

    /// `value` moved to the field's place; bits that do not fit are dropped.
    pub const fn put(&self, value: u32) -> u32 {
        (value << self.lsb) & self.mask()
    }
}

/// One 32-bit register.
#[derive(Clone, Copy, Debug)]
pub struct Register {
    /// Name, in capitals.
    pub name: &'static str,
    /// Byte offset in BAR 0, a multiple of four.
    pub offset: u32,
    /// What a host may do with it.
    pub access: Access,
    /// Meaning, one or two sentences.
    pub doc: &'static str,
    /// Named bits; empty where the word is one number.
    pub fields: &'static [Field],
}

macro_rules! registers {
    ($(#[$meta:meta])* $table:ident { $($(#[doc = $doc:literal])+ $name:ident @ $offset:literal $access:ident { $($field:expr),* $(,)? })+ }) => {
        $($(#[doc = $doc])+
        pub const $name: Register = Register {
            name: stringify!($name),
            offset: $offset,
            access: Access::$access,
            doc: concat!($($doc),+),
            fields: &[$($field),*],
        };)+
        $(#[$meta])*
        pub const $table: &[Register] = &[$($name),+];
    };
}

macro_rules! fields {
    ($($name:ident = $text:literal, $lsb:literal, $width:literal, $doc:literal;)+) => {
        $(#[doc = $doc]
        pub const $name: Field = Field { name: $text, lsb: $lsb, width: $width, doc: $doc };)+
    };
}

fields! {
    ABI_VERSION_MINOR = "MINOR", 0, 16, "Minor version.";
    ABI_VERSION_MAJOR = "MAJOR", 16, 16, "Major version; a driver refuses another than its own.";
    CAPABILITIES_MSM = "MSM", 0, 1, "The card has an MSM engine.";
    CAPABILITIES_FIELD = "FIELD", 1, 1, "The card has a field vector engine.";
    CAPABILITIES_POSEIDON = "POSEIDON", 2, 1, "The card has a Poseidon and Merkle engine.";
    POSEIDON_LANES_2 = "WIDTH_2", 0, 4, "Lanes for states of 2 elements.";
    POSEIDON_LANES_3 = "WIDTH_3", 4, 4, "Lanes for states of 3 elements, as in trees of arity 2.";
    POSEIDON_LANES_4 = "WIDTH_4", 8, 4, "Lanes for states of 4 elements.";
    POSEIDON_LANES_5 = "WIDTH_5", 12, 4, "Lanes for states of 5 elements, as in trees of arity 4.";
    MSM_CAPS_CURVES = "CURVES", 0, 8, "Curves that a job may name: bit 0 BN254 G1, bit 1 Grumpkin.";
    MSM_CAPS_ADDERS = "ADDERS", 8, 8, "Number of point adders.";
    MSM_CAPS_ADDER_KIND = "ADDER_KIND", 16, 4, "Adder: 0 = complete projective, 1 = batched affine.";
    CONTROL_ENABLE = "ENABLE", 0, 1, "The queues run while this is one; the queue registers may be written only while it is zero.";
    CONTROL_RESET = "RESET", 1, 1, "Writing one resets everything but this register block's identification; it reads as one until the reset is over.";
    STATUS_READY = "READY", 0, 1, "The card is out of reset and takes register writes.";
    STATUS_BUSY = "BUSY", 1, 1, "A command is being executed.";
    STATUS_FAULT = "FAULT", 2, 1, "A queue could not be read or written, or its registers cannot be right (BadLength: a mask; BadAlignment: a base): the queues stand still until a reset.";
    STATUS_FAULT_CODE = "FAULT_CODE", 8, 8, "Status code of the fault (see status codes).";
    INTERRUPT_COMPLETION = "COMPLETION", 0, 1, "A completion entry was written.";
    INTERRUPT_FAULT = "FAULT", 1, 1, "STATUS.FAULT was set.";
    LINK_MAX_PAYLOAD = "MAX_PAYLOAD", 0, 3, "Largest payload of a packet: 128 bytes shifted left by this.";
    LINK_MAX_READ = "MAX_READ", 4, 3, "Largest read request: 128 bytes shifted left by this.";
    LINK_BUS_MASTER = "BUS_MASTER", 8, 1, "The card may access host memory.";
    LINK_MSIX_ENABLE = "MSIX_ENABLE", 9, 1, "The card may send interrupt messages.";
    LINK_STREAM = "STREAM", 16, 2, "Width of the packet streams: 1 = 256 bits, 2 = 512 bits.";
    LINK_TIMEOUTS = "TIMEOUTS", 0, 8, "No completion within the endpoint's time.";
    LINK_UNSUPPORTED = "UNSUPPORTED", 8, 8, "Completion with status Unsupported Request, as for an address that is not mapped.";
    LINK_ABORTED = "ABORTED", 16, 8, "Completion with status Completer Abort.";
    LINK_POISONED = "POISONED", 24, 8, "Completion with poisoned data.";
    LINK_MALFORMED = "MALFORMED", 0, 8, "Completions that do not fit their request.";
    LINK_UNEXPECTED = "UNEXPECTED", 8, 8, "Completions that nothing waits for, such as late ones; they are dropped.";
    LINK_REFUSED = "REFUSED", 16, 8, "Requests of the host that were answered as unsupported, or dropped.";
}

registers! {
    /// Every register of the core, by offset: the first [`REGISTER_BYTES`] of BAR 0.
    REGISTERS {
        /// Identification word, the bytes `SPDL`.
        MAGIC @ 0x000 ReadOnly {}
        /// Version of the register map and the queues.
        ABI_VERSION @ 0x004 ReadOnly { ABI_VERSION_MINOR, ABI_VERSION_MAJOR }
        /// First 32 bits of the git revision the card was built from; 0 where it was not known.
        GIT_REVISION @ 0x008 ReadOnly {}
        /// Board number from the profile.
        BOARD @ 0x00c ReadOnly {}
        /// Clock of the core in kHz (in simulation: the clock that the profile assumes).
        CLOCK_KHZ @ 0x010 ReadOnly {}
        /// Engines on the card.
        CAPABILITIES @ 0x014 ReadOnly { CAPABILITIES_MSM, CAPABILITIES_FIELD, CAPABILITIES_POSEIDON }
        /// Shape of the MSM engine.
        MSM_CAPS @ 0x018 ReadOnly { MSM_CAPS_CURVES, MSM_CAPS_ADDERS, MSM_CAPS_ADDER_KIND }
        /// Latency of the point adder in cycles.
        MSM_LATENCY @ 0x01c ReadOnly {}
        /// Size of card memory in KiB.
        CARD_MEMORY_KIB @ 0x020 ReadOnly {}
        /// Latency of the Montgomery multiplier in cycles.
        FIELD_LATENCY @ 0x024 ReadOnly {}
        /// Bits per window that an MSM may choose: bit c is set where windows of c bits can be chosen.
        MSM_WINDOW_CHOICES @ 0x028 ReadOnly {}
        /// Lanes of the Poseidon engine for each width of the state; a width without a lane is not offered.
        POSEIDON_LANES @ 0x02c ReadOnly { POSEIDON_LANES_2, POSEIDON_LANES_3, POSEIDON_LANES_4, POSEIDON_LANES_5 }
        /// Cycles of a pass through a Poseidon lane, which are the states in flight in it; the most over the widths.
        POSEIDON_LATENCY @ 0x030 ReadOnly {}
        /// Starts and resets the card.
        CONTROL @ 0x040 ReadWrite { CONTROL_ENABLE, CONTROL_RESET }
        /// State of the card.
        STATUS @ 0x044 ReadOnly { STATUS_READY, STATUS_BUSY, STATUS_FAULT, STATUS_FAULT_CODE }
        /// Interrupt causes since last cleared; the request line is high while a cause is set and enabled.
        INTERRUPT_STATUS @ 0x048 WriteOneToClear { INTERRUPT_COMPLETION, INTERRUPT_FAULT }
        /// Interrupt causes that raise the request line.
        INTERRUPT_ENABLE @ 0x04c ReadWrite { INTERRUPT_COMPLETION, INTERRUPT_FAULT }
        /// Host address of the submission ring, low half; aligned to 64 bytes.
        SQ_BASE_LO @ 0x050 ReadWrite {}
        /// Host address of the submission ring, high half.
        SQ_BASE_HI @ 0x054 ReadWrite {}
        /// Number of entries of the submission ring minus one; the number is a power of two, 2 to 32,768.
        SQ_MASK @ 0x058 ReadWrite {}
        /// Host address of the completion ring, low half; aligned to 32 bytes.
        CQ_BASE_LO @ 0x060 ReadWrite {}
        /// Host address of the completion ring, high half.
        CQ_BASE_HI @ 0x064 ReadWrite {}
        /// Number of entries of the completion ring minus one; the number is a power of two, 2 to 32,768.
        CQ_MASK @ 0x068 ReadWrite {}
        /// Doorbell: index of the entry after the last one submitted. Masked with SQ_MASK by the card.
        SQ_TAIL @ 0x080 ReadWrite {}
        /// Index of the next submission entry that the card will fetch.
        SQ_HEAD @ 0x084 ReadOnly {}
        /// Doorbell: index of the next completion entry that the host will read. The card writes no entry that would make the ring full.
        CQ_HEAD @ 0x088 ReadWrite {}
        /// Index of the next completion entry that the card will write.
        CQ_TAIL @ 0x08c ReadOnly {}
        /// Free for the driver's own tests of register access.
        SCRATCH @ 0x090 ReadWrite {}
        /// Cycles since power-on or reset, low half; reading it latches the high half and MSM_ADDITIONS.
        CYCLES_LO @ 0x0a0 ReadOnly {}
        /// Cycles since power-on or reset, high half as latched.
        CYCLES_HI @ 0x0a4 ReadOnly {}
        /// Additions that the MSM engine has issued since the start of its job, the running one or the last, as latched; the low 32 bits.
        MSM_ADDITIONS @ 0x0a8 ReadOnly {}
    }
}

registers! {
    /// Every register of the PCIe endpoint, by offset, behind those of the core. A card without one does not have them.
    LINK_REGISTERS {
        /// State of the PCIe link, as the host has configured it.
        LINK_STATUS @ 0x1000 ReadOnly { LINK_MAX_PAYLOAD, LINK_MAX_READ, LINK_BUS_MASTER, LINK_MSIX_ENABLE, LINK_STREAM }
        /// Reads of host memory that failed, by cause; each count stays at 255. A reset clears them.
        LINK_READ_FAULTS @ 0x1004 ReadOnly { LINK_TIMEOUTS, LINK_UNSUPPORTED, LINK_ABORTED, LINK_POISONED }
        /// Other faults, by cause; each count stays at 255. A reset clears them.
        LINK_OTHER_FAULTS @ 0x1008 ReadOnly { LINK_MALFORMED, LINK_UNEXPECTED, LINK_REFUSED }
    }
}

/// Bytes of the core's registers, the first of BAR 0; what is not listed reads as zero and ignores writes. A card
/// without a PCIe endpoint has only these.
pub const REGISTER_BYTES: u32 = 4096;

/// Bytes of BAR 0 of a PCIe card: the core's registers, the endpoint's, the MSI-X table and its pending bits.
pub const BAR0_BYTES: u32 = 16_384;

/// Byte offset of the MSI-X table in BAR 0: per vector 16 bytes (address, two words; data; control).
pub const MSIX_TABLE_OFFSET: u32 = 0x2000;

/// Byte offset of the MSI-X pending bits in BAR 0.
pub const MSIX_PBA_OFFSET: u32 = 0x3000;

/// Number of MSI-X vectors.
pub const MSIX_VECTORS: u16 = 2;

/// MSI-X vector of the cause [`INTERRUPT_COMPLETION`]: an entry was written to the completion ring.
pub const COMPLETION_VECTOR: u16 = 0;

/// MSI-X vector of the cause [`INTERRUPT_FAULT`]: the queues stand still.
pub const FAULT_VECTOR: u16 = 1;
