//! What a card offers of hashes and trees.

use rust_hdl::prelude::*;
use spandrel_abi::{Identification, MERKLE_MAX_DEPTH, POSEIDON_MAX_WIDTH, POSEIDON_MIN_WIDTH};

/// Depth in bits of a leaf's index from which every tree has room for the largest count of leaves.
const ROOM_BITS: u32 = 28;

/// Says whether the card offers what the parameter of a hash or of a Merkle command names; combinational.
#[derive(LogicBlock)]
pub struct HashParameter {
    /// The parameter, see [`spandrel_abi::poseidon_parameter`] and [`spandrel_abi::TreeShape::parameter`].
    pub command_parameter: Signal<In, Bits<32>>,
    /// Leaves of the tree.
    pub size: Signal<In, Bits<32>>,
    /// The width is there, and bits without a meaning are zero.
    pub hash_offered: Signal<Out, Bit>,
    /// The arity is there, the depth is one that is offered and has room for the leaves, and bits without a meaning are
    /// zero.
    pub tree_offered: Signal<Out, Bit>,
    low: Signal<Local, Bits<4>>,
    depth: Signal<Local, Bits<8>>,
    index_bits: Signal<Local, Bits<8>>,
    room: Signal<Local, Bits<64>>,
    width_shown: Signal<Local, Bits<16>>,
    arity_shown: Signal<Local, Bits<16>>,
    known_depth: Signal<Local, Bit>,
    has_room: Signal<Local, Bit>,
    one: Constant<Bits<64>>,
    widths: Constant<Bits<16>>,
    arities: Constant<Bits<16>>,
    most_depth: Constant<Bits<8>>,
    room_bits: Constant<Bits<8>>,
}

impl HashParameter {
    /// The check of a card that identifies itself so.
    pub fn new(identification: &Identification) -> Self {
        let widths = (POSEIDON_MIN_WIDTH..=POSEIDON_MAX_WIDTH)
            .filter(|width| identification.lanes(*width) > 0)
            .fold(0u64, |mask, width| mask | 1 << width);
        let arities = [2, 4].into_iter().filter(|arity| widths >> (arity + 1) & 1 == 1);
        Self {
            command_parameter: Default::default(),
            size: Default::default(),
            hash_offered: Default::default(),
            tree_offered: Default::default(),
            low: Default::default(),
            depth: Default::default(),
            index_bits: Default::default(),
            room: Default::default(),
            width_shown: Default::default(),
            arity_shown: Default::default(),
            known_depth: Default::default(),
            has_room: Default::default(),
            one: Constant::new(1u64.into()),
            widths: Constant::new(widths.into()),
            arities: Constant::new(arities.fold(0u64, |mask, arity| mask | 1 << arity).into()),
            most_depth: Constant::new(u64::from(MERKLE_MAX_DEPTH).into()),
            room_bits: Constant::new(u64::from(ROOM_BITS).into()),
        }
    }
}

impl Logic for HashParameter {
    #[hdl_gen]
    fn update(&mut self) {
        self.low.next = self.command_parameter.val().get_bits::<4>(0);
        self.width_shown.next = self.widths.val() >> self.low.val();
        self.hash_offered.next =
            self.width_shown.val().get_bit(0) & (self.command_parameter.val().get_bits::<11>(5) == 0);

        self.arity_shown.next = self.arities.val() >> self.low.val();
        self.depth.next = bit_cast::<8, 6>(self.command_parameter.val().get_bits::<6>(8));
        self.index_bits.next = self.depth.val();
        if self.low.val() == 4 {
            self.index_bits.next = self.depth.val() << 1;
        }
        self.room.next = self.one.val() << self.index_bits.val();
        self.known_depth.next = (self.depth.val() != 0) & (self.depth.val() <= self.most_depth.val());
        self.has_room.next = (self.index_bits.val() >= self.room_bits.val())
            | (bit_cast::<64, 32>(self.size.val()) <= self.room.val());
        self.tree_offered.next = self.arity_shown.val().get_bit(0)
            & self.known_depth.val()
            & self.has_room.val()
            & (self.command_parameter.val().get_bits::<3>(5) == 0)
            & (self.command_parameter.val().get_bits::<18>(14) == 0);
    }
}
