//! Takes a submission entry apart and checks it in full.

use super::hash_parameter::HashParameter;
use super::windows::WindowTable;
use rust_hdl::prelude::*;
use spandrel_abi::{
    CARD_ALIGNMENT, HOST_ALIGNMENT, Identification, MAX_COUNT, MERKLE_PATHS_MAX, MERKLE_UPDATE_MAX, Opcode,
    Status,
};

/// Fields and status of a submission entry, combinational.
///
/// The checks, of which the first that fails gives the status: opcode, engine, reserved bytes, count and size, alignment
/// of the addresses that the command uses, range in card memory (but for trees, whose engine checks it), parameter.
#[derive(LogicBlock)]
pub struct DescriptorCheck {
    /// Bytes 0 to 31.
    pub first: Signal<In, Bits<256>>,
    /// Bytes 32 to 63.
    pub second: Signal<In, Bits<256>>,
    /// What to do.
    pub opcode: Signal<Out, Bits<8>>,
    /// The driver's identifier.
    pub command_id: Signal<Out, Bits<16>>,
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
    /// Leaves of the tree.
    pub size: Signal<Out, Bits<32>>,
    /// `spandrel_abi::Status`.
    pub status: Signal<Out, Bits<8>>,
    windows: WindowTable,
    hash: HashParameter,
    known: Signal<Local, Bit>,
    no_count: Signal<Local, Bit>,
    some_count: Signal<Local, Bit>,
    uses_a: Signal<Local, Bit>,
    uses_b: Signal<Local, Bit>,
    uses_out: Signal<Local, Bit>,
    uses_card: Signal<Local, Bit>,
    uses_field: Signal<Local, Bit>,
    uses_curve: Signal<Local, Bit>,
    is_poseidon: Signal<Local, Bit>,
    is_build: Signal<Local, Bit>,
    is_paths: Signal<Local, Bit>,
    is_update: Signal<Local, Bit>,
    is_tree: Signal<Local, Bit>,
    bad_size: Signal<Local, Bit>,
    misaligned_a: Signal<Local, Bit>,
    misaligned_b: Signal<Local, Bit>,
    misaligned_out: Signal<Local, Bit>,
    misaligned_card: Signal<Local, Bit>,
    bytes: Signal<Local, Bits<64>>,
    room: Signal<Local, Bits<64>>,
    out_of_range: Signal<Local, Bit>,
    parameter_low: Signal<Local, Bits<8>>,
    parameter_high: Signal<Local, Bits<24>>,
    curve_shown: Signal<Local, Bits<32>>,
    bad_field: Signal<Local, Bit>,
    bad_curve: Signal<Local, Bit>,
    identify: Constant<Bits<8>>,
    load_bases: Constant<Bits<8>>,
    msm: Constant<Bits<8>>,
    field_vector: Constant<Bits<8>>,
    read_counters: Constant<Bits<8>>,
    self_test: Constant<Bits<8>>,
    read_card: Constant<Bits<8>>,
    poseidon: Constant<Bits<8>>,
    merkle_build: Constant<Bits<8>>,
    merkle_paths: Constant<Bits<8>>,
    merkle_update: Constant<Bits<8>>,
    has_poseidon: Constant<Bit>,
    most_paths: Constant<Bits<32>>,
    most_updates: Constant<Bits<32>>,
    host_offset: Constant<Bits<64>>,
    card_offset: Constant<Bits<64>>,
    card_bytes: Constant<Bits<64>>,
    curves: Constant<Bits<32>>,
    max_count: Constant<Bits<32>>,
    success: Constant<Bits<8>>,
    unknown_opcode: Constant<Bits<8>>,
    reserved_not_zero: Constant<Bits<8>>,
    bad_length: Constant<Bits<8>>,
    bad_alignment: Constant<Bits<8>>,
    card_address_out_of_range: Constant<Bits<8>>,
    bad_parameter: Constant<Bits<8>>,
    unsupported: Constant<Bits<8>>,
}

/// A code of the interface as a constant of a kernel.
pub(super) fn code(value: u8) -> Constant<Bits<8>> {
    Constant::new(value.to_bits())
}

impl DescriptorCheck {
    /// The check of a card that identifies itself so.
    pub fn new(identification: &Identification) -> Self {
        let card_memory_bytes = 1024 * u64::from(identification.card_memory_kib);
        Self {
            first: Default::default(),
            second: Default::default(),
            opcode: Default::default(),
            command_id: Default::default(),
            count: Default::default(),
            host_a: Default::default(),
            host_b: Default::default(),
            host_out: Default::default(),
            card_address: Default::default(),
            command_parameter: Default::default(),
            size: Default::default(),
            status: Default::default(),
            windows: WindowTable::new(identification),
            hash: HashParameter::new(identification),
            known: Default::default(),
            no_count: Default::default(),
            some_count: Default::default(),
            uses_a: Default::default(),
            uses_b: Default::default(),
            uses_out: Default::default(),
            uses_card: Default::default(),
            uses_field: Default::default(),
            uses_curve: Default::default(),
            is_poseidon: Default::default(),
            is_build: Default::default(),
            is_paths: Default::default(),
            is_update: Default::default(),
            is_tree: Default::default(),
            bad_size: Default::default(),
            misaligned_a: Default::default(),
            misaligned_b: Default::default(),
            misaligned_out: Default::default(),
            misaligned_card: Default::default(),
            bytes: Default::default(),
            room: Default::default(),
            out_of_range: Default::default(),
            parameter_low: Default::default(),
            parameter_high: Default::default(),
            curve_shown: Default::default(),
            bad_field: Default::default(),
            bad_curve: Default::default(),
            identify: code(Opcode::Identify as u8),
            load_bases: code(Opcode::LoadBases as u8),
            msm: code(Opcode::Msm as u8),
            field_vector: code(Opcode::FieldVector as u8),
            read_counters: code(Opcode::ReadCounters as u8),
            self_test: code(Opcode::SelfTest as u8),
            read_card: code(Opcode::ReadCard as u8),
            poseidon: code(Opcode::Poseidon as u8),
            merkle_build: code(Opcode::MerkleBuild as u8),
            merkle_paths: code(Opcode::MerklePaths as u8),
            merkle_update: code(Opcode::MerkleUpdate as u8),
            has_poseidon: Constant::new(identification.has_poseidon),
            most_paths: Constant::new(MERKLE_PATHS_MAX.to_bits()),
            most_updates: Constant::new(MERKLE_UPDATE_MAX.to_bits()),
            host_offset: Constant::new((HOST_ALIGNMENT - 1).into()),
            card_offset: Constant::new((CARD_ALIGNMENT - 1).into()),
            card_bytes: Constant::new(card_memory_bytes.into()),
            curves: Constant::new(u64::from(identification.msm_curves).into()),
            max_count: Constant::new(MAX_COUNT.to_bits()),
            success: code(Status::Success as u8),
            unknown_opcode: code(Status::UnknownOpcode as u8),
            reserved_not_zero: code(Status::ReservedNotZero as u8),
            bad_length: code(Status::BadLength as u8),
            bad_alignment: code(Status::BadAlignment as u8),
            card_address_out_of_range: code(Status::CardAddressOutOfRange as u8),
            bad_parameter: code(Status::BadParameter as u8),
            unsupported: code(Status::Unsupported as u8),
        }
    }
}

impl Logic for DescriptorCheck {
    #[hdl_gen]
    fn update(&mut self) {
        self.opcode.next = self.first.val().get_bits::<8>(0);
        self.command_id.next = self.first.val().get_bits::<16>(16);
        self.count.next = self.first.val().get_bits::<32>(32);
        self.host_a.next = self.first.val().get_bits::<64>(64);
        self.host_b.next = self.first.val().get_bits::<64>(128);
        self.host_out.next = self.first.val().get_bits::<64>(192);
        self.card_address.next = self.second.val().get_bits::<64>(0);
        self.command_parameter.next = self.second.val().get_bits::<32>(64);
        self.size.next = self.second.val().get_bits::<32>(96);

        // What each command uses.
        self.known.next = false;
        self.no_count.next = false;
        self.some_count.next = false;
        self.uses_a.next = false;
        self.uses_b.next = false;
        self.uses_out.next = false;
        self.uses_card.next = false;
        self.uses_field.next = false;
        self.uses_curve.next = false;
        if (self.opcode.val() == self.identify.val()) | (self.opcode.val() == self.read_counters.val()) {
            self.known.next = true;
            self.no_count.next = true;
            self.uses_out.next = true;
        }
        if self.opcode.val() == self.self_test.val() {
            self.known.next = true;
            self.no_count.next = true;
        }
        if self.opcode.val() == self.load_bases.val() {
            self.known.next = true;
            self.some_count.next = true;
            self.uses_a.next = true;
            self.uses_card.next = true;
        }
        if self.opcode.val() == self.read_card.val() {
            self.known.next = true;
            self.some_count.next = true;
            self.uses_out.next = true;
            self.uses_card.next = true;
        }
        if self.opcode.val() == self.msm.val() {
            self.known.next = true;
            self.uses_curve.next = true;
            self.uses_a.next = true;
            self.uses_out.next = true;
            self.uses_card.next = true;
        }
        if self.opcode.val() == self.field_vector.val() {
            self.known.next = true;
            self.some_count.next = true;
            self.uses_a.next = true;
            self.uses_b.next = true;
            self.uses_out.next = true;
            self.uses_field.next = true;
        }
        self.is_poseidon.next = self.opcode.val() == self.poseidon.val();
        self.is_build.next = self.opcode.val() == self.merkle_build.val();
        self.is_paths.next = self.opcode.val() == self.merkle_paths.val();
        self.is_update.next = self.opcode.val() == self.merkle_update.val();
        self.is_tree.next = self.is_build.val() | self.is_paths.val() | self.is_update.val();
        if self.is_poseidon.val() | self.is_tree.val() {
            self.known.next = true;
            self.uses_out.next = true;
            self.uses_a.next = !self.is_build.val() | (self.count.val() != 0);
            self.some_count.next = !self.is_build.val();
            // A sponge's state begins with an element from the host.
            self.uses_b.next = self.is_poseidon.val() & (self.second.val().get_bits::<16>(80) != 0);
        }

        self.misaligned_a.next = self.uses_a.val() & (self.host_a.val() & self.host_offset.val()).any();
        self.misaligned_b.next = self.uses_b.val() & (self.host_b.val() & self.host_offset.val()).any();
        self.misaligned_out.next = self.uses_out.val() & (self.host_out.val() & self.host_offset.val()).any();
        self.misaligned_card.next = (self.uses_card.val() | self.is_tree.val())
            & (self.card_address.val() & self.card_offset.val()).any();
        self.bytes.next = bit_cast::<64, 32>(self.count.val()) << 6;
        self.room.next = self.card_bytes.val() - self.card_address.val();
        self.out_of_range.next = self.uses_card.val()
            & ((self.card_address.val() > self.card_bytes.val()) | (self.bytes.val() > self.room.val()));
        self.parameter_low.next = self.second.val().get_bits::<8>(64);
        self.parameter_high.next = self.second.val().get_bits::<24>(72);
        self.bad_field.next = (self.parameter_low.val() > 2) | (self.parameter_high.val() > 1);
        self.windows.window_bits.next = self.parameter_low.val();
        self.curve_shown.next = self.curves.val() >> self.parameter_high.val().get_bits::<5>(0);
        self.bad_curve.next = !self.windows.offered.val()
            | (self.parameter_high.val() > 31)
            | !self.curve_shown.val().get_bit(0);

        self.hash.command_parameter.next = self.command_parameter.val();
        self.hash.size.next = self.size.val();
        // Without leaves from the host a build has no count.
        self.bad_size.next = (self.is_tree.val()
            & ((self.size.val() == 0) | (self.size.val() > self.max_count.val())))
            | (self.is_build.val() & (self.count.val() != 0) & (self.count.val() != self.size.val()))
            | (self.is_paths.val() & (self.count.val() > self.most_paths.val()))
            | (self.is_update.val() & (self.count.val() > self.most_updates.val()));

        // The last assignment counts: the most important check comes last.
        self.status.next = self.success.val();
        if (self.uses_field.val() & self.bad_field.val())
            | (self.uses_curve.val() & self.bad_curve.val())
            | (self.is_poseidon.val() & !self.hash.hash_offered.val())
            | (self.is_tree.val() & !self.hash.tree_offered.val())
        {
            self.status.next = self.bad_parameter.val();
        }
        if self.out_of_range.val() {
            self.status.next = self.card_address_out_of_range.val();
        }
        if self.misaligned_a.val()
            | self.misaligned_b.val()
            | self.misaligned_out.val()
            | self.misaligned_card.val()
        {
            self.status.next = self.bad_alignment.val();
        }
        if (self.no_count.val() & (self.count.val() != 0))
            | (self.some_count.val() & (self.count.val() == 0))
            | (self.count.val() > self.max_count.val())
            | self.bad_size.val()
        {
            self.status.next = self.bad_length.val();
        }
        if (self.first.val().get_bits::<8>(8) != 0)
            | (self.second.val().get_bits::<128>(128) != 0)
            | (!self.is_tree.val() & (self.size.val() != 0))
        {
            self.status.next = self.reserved_not_zero.val();
        }
        if (self.is_poseidon.val() | self.is_tree.val()) & !self.has_poseidon.val() {
            self.status.next = self.unsupported.val();
        }
        if !self.known.val() {
            self.status.next = self.unknown_opcode.val();
        }
    }
}
