//! What a command of the hash engine asks for.

use rust_hdl::prelude::*;
use spandrel_abi::Opcode;

/// Takes opcode and parameter of a command apart; combinational.
#[derive(LogicBlock)]
pub struct HashCommand {
    /// What to do.
    pub opcode: Signal<In, Bits<8>>,
    /// Width, arity, depth, output select, blocks, as in the descriptor.
    pub command_parameter: Signal<In, Bits<32>>,
    /// It hashes messages.
    pub is_messages: Signal<Out, Bit>,
    /// It builds a tree.
    pub is_build: Signal<Out, Bit>,
    /// It reads paths.
    pub is_paths: Signal<Out, Bit>,
    /// It changes leaves.
    pub is_update: Signal<Out, Bit>,
    /// A digest is element 1 of the state, not 0.
    pub second_output: Signal<Out, Bit>,
    /// Nodes have four children, not two.
    pub arity_four: Signal<Out, Bit>,
    /// Levels above the leaves.
    pub depth: Signal<Out, Bits<6>>,
    /// Blocks of a message, 0 for the hash of fixed length.
    pub blocks: Signal<Out, Bits<16>>,
    /// Elements of a block.
    pub rate: Signal<Out, Bits<3>>,
    /// Bit i: states are of the width of core i.
    pub core_choice: Signal<Out, Bits<4>>,
    width: Signal<Local, Bits<4>>,
    less_one: Signal<Local, Bits<4>>,
    hashes_messages: Signal<Local, Bit>,
    poseidon: Constant<Bits<8>>,
    merkle_build: Constant<Bits<8>>,
    merkle_paths: Constant<Bits<8>>,
    merkle_update: Constant<Bits<8>>,
    width_0: Constant<Bits<4>>,
    width_1: Constant<Bits<4>>,
    width_2: Constant<Bits<4>>,
    width_3: Constant<Bits<4>>,
}

impl HashCommand {
    /// For cores of these widths, at most four.
    pub fn new(widths: &[usize]) -> HashCommand {
        assert!(widths.len() <= 4, "a hash engine has at most four cores, not {}", widths.len());
        let code = |opcode: Opcode| Constant::new((opcode as u64).into());
        // No state is of width 0, so a core that is not there is never chosen.
        let width = |core: usize| Constant::new(widths.get(core).copied().unwrap_or(0).to_bits());
        HashCommand {
            opcode: Default::default(),
            command_parameter: Default::default(),
            is_messages: Default::default(),
            is_build: Default::default(),
            is_paths: Default::default(),
            is_update: Default::default(),
            second_output: Default::default(),
            arity_four: Default::default(),
            depth: Default::default(),
            blocks: Default::default(),
            rate: Default::default(),
            core_choice: Default::default(),
            width: Default::default(),
            less_one: Default::default(),
            hashes_messages: Default::default(),
            poseidon: code(Opcode::Poseidon),
            merkle_build: code(Opcode::MerkleBuild),
            merkle_paths: code(Opcode::MerklePaths),
            merkle_update: code(Opcode::MerkleUpdate),
            width_0: width(0),
            width_1: width(1),
            width_2: width(2),
            width_3: width(3),
        }
    }
}

impl Logic for HashCommand {
    #[hdl_gen]
    fn update(&mut self) {
        self.hashes_messages.next = self.opcode.val() == self.poseidon.val();
        self.is_messages.next = self.hashes_messages.val();
        self.is_build.next = self.opcode.val() == self.merkle_build.val();
        self.is_paths.next = self.opcode.val() == self.merkle_paths.val();
        self.is_update.next = self.opcode.val() == self.merkle_update.val();
        self.second_output.next = self.command_parameter.val().get_bit(4);
        self.arity_four.next = self.command_parameter.val().get_bit(2);
        self.depth.next = self.command_parameter.val().get_bits::<6>(8);
        self.blocks.next = self.command_parameter.val().get_bits::<16>(16);
        self.width.next = self.command_parameter.val().get_bits::<4>(0);
        if !self.hashes_messages.val() {
            self.width.next = self.command_parameter.val().get_bits::<4>(0) + 1;
        }
        self.less_one.next = self.width.val() - 1;
        self.rate.next = self.less_one.val().get_bits::<3>(0);
        self.core_choice.next = 0.into();
        if self.width.val() == self.width_0.val() {
            self.core_choice.next = 1.into();
        }
        if self.width.val() == self.width_1.val() {
            self.core_choice.next = 2.into();
        }
        if self.width.val() == self.width_2.val() {
            self.core_choice.next = 4.into();
        }
        if self.width.val() == self.width_3.val() {
            self.core_choice.next = 8.into();
        }
    }
}
