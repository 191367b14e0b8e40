//! Submission entries: 64 bytes, little-endian.

macro_rules! codes {
    ($(#[$meta:meta])* $type:ident: $repr:ident { $($(#[doc = $doc:literal])+ $name:ident = $code:literal)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr($repr)]
        pub enum $type { $($(#[doc = $doc])+ $name = $code,)+ }

        impl $type {
            /// Every value.
            pub const ALL: &'static [$type] = &[$($type::$name),+];

            /// The meaning.
            pub const fn doc(self) -> &'static str {
                match self { $($type::$name => concat!($($doc),+),)+ }
            }

            /// The value of a code, or the code itself where it has none.
            pub const fn from_code(code: $repr) -> Result<$type, $repr> {
                match code { $($code => Ok($type::$name),)+ _ => Err(code) }
            }
        }
    };
}

codes! {
    /// What a command does.
    Opcode: u8 {
        /// Writes the identification words (registers 0x000 to 0x03c, 64 bytes) to `host_out`. `count` must be 0.
        Identify = 0
        /// Copies `count` affine points (64 bytes each) from `host_a` to card memory at `card_address`. `count` is at least 1.
        LoadBases = 1
        /// Multi-scalar multiplication of `count` scalars (32 bytes each, at `host_a`) with as many resident bases at `card_address`; writes bit sums to `host_out`. `parameter` names the bits c per window, one of MSM_WINDOW_CHOICES, and the curve. For adder 0 to k-1, for every window of which it serves a share (ascending), for bit 0 to c-1, a projective point of 96 bytes (X, Y, Z with x = X/Z, y = Y/Z; 96 zero bytes where no point was added); the result is the sum of 2^(c*w + bit) times that point over all of them. The W = ceil(255/c) windows, laid end to end, are cut into k equal runs, one an adder; of a window that is cut, each adder serves a part of the elements. `count` may be 0.
        Msm = 2
        /// Element-wise field operation, out = a op b, on `count` elements of 32 bytes at `host_a` and `host_b`, to `host_out`. `parameter` names field and operation. `count` is at least 1.
        FieldVector = 3
        /// Writes the counters of the last MSM or field vector command (256 bytes) to `host_out`. `count` must be 0.
        ReadCounters = 4
        /// Runs known answers through the field and curve pipelines. `count` must be 0.
        SelfTest = 5
        /// Copies `count` lines of 64 bytes from card memory at `card_address` to `host_out`. `count` is at least 1.
        ReadCard = 6
        /// Poseidon hashes of `count` messages at `host_a`; a digest (32 bytes) each to `host_out`. `parameter` names the width t, the output and the blocks B. B = 0 is the hash of fixed length: a message is t-1 elements, the state begins with 0. B of 1 or more is a sponge of B blocks of t-1 elements, each added to elements 1 to t-1 of a state whose element 0 begins as the one at `host_b`; messages then lie in groups of 512 (the last may be smaller), block by block: block 0 of every message of the group, then block 1 and so on. `count` is at least 1.
        Poseidon = 7
        /// Builds the Merkle tree of `size` leaves (at least 1) at `card_address` and writes its root (32 bytes) to `host_out`. `count` is `size`: the leaves come from `host_a`; or 0: they are in card memory, at `card_address`. `parameter` names arity, output and depth. Level l has n_l nodes, n_0 = `size`, n_(l+1) = n_l / arity rounded up; the levels lie one behind the other from the leaves up, and every level below the root's is filled up to a multiple of the arity with the root of an empty subtree of its height, which for leaves is 0. The root's level is 64 bytes, of which the first 32 are the root.
        MerkleBuild = 8
        /// Reads paths of the tree of `size` leaves at `card_address`: for each of the `count` indices at `host_a` (32 bytes, a little-endian number), for every level from the leaves to below the root, the whole group of nodes (arity times 32 bytes) that the path goes through, to `host_out`. `count` is 1 to 2^20.
        MerklePaths = 9
        /// Sets leaves of the tree of `size` leaves at `card_address` and recomputes their paths; writes the new root (32 bytes) to `host_out`. `count`, 1 to 1,024, entries of 64 bytes at `host_a`: the index (32 bytes, a little-endian number), ascending, each once; then the leaf.
        MerkleUpdate = 10
    }
}

codes! {
    /// The field of a [`Opcode::FieldVector`], bits 15:8 of the parameter.
    FieldId: u8 {
        /// BN254's base field, in which the points' coordinates lie.
        Fq = 0
        /// BN254's scalar field.
        Fr = 1
    }
}

codes! {
    /// The operation of a [`Opcode::FieldVector`], bits 7:0 of the parameter.
    FieldOperation: u8 {
        /// a + b
        Add = 0
        /// a - b
        Subtract = 1
        /// Montgomery product a * b / 2^256
        Multiply = 2
    }
}

codes! {
    /// The curve of a [`Opcode::Msm`], bits 15:8 of the parameter.
    CurveId: u8 {
        /// BN254's G1: coordinates in Fq, scalars below the order of Fr.
        Bn254G1 = 0
        /// Grumpkin, y^2 = x^3 - 17: coordinates in BN254's Fr, scalars below the order of Fq.
        Grumpkin = 1
    }
}

/// Packs the parameter of a [`Opcode::Msm`]: bits per window in bits 7:0, the curve in bits 15:8.
pub const fn msm_parameter(curve: CurveId, window_bits: u8) -> u32 {
    (curve as u32) << 8 | window_bits as u32
}

/// Packs the parameter of a [`Opcode::FieldVector`].
pub const fn field_parameter(field: FieldId, operation: FieldOperation) -> u32 {
    (field as u32) << 8 | operation as u32
}

/// Bytes of a submission entry.
pub const DESCRIPTOR_BYTES: usize = 64;

/// A named run of bytes of a queue entry.
#[derive(Clone, Copy, Debug)]
pub struct EntryField {
    /// Name as in the struct.
    pub name: &'static str,
    /// First byte.
    pub byte: usize,
    /// Number of bytes.
    pub bytes: usize,
    /// Meaning.
    pub doc: &'static str,
}

const fn entry(name: &'static str, byte: usize, bytes: usize, doc: &'static str) -> EntryField {
    EntryField { name, byte, bytes, doc }
}

/// Layout of a submission entry; bytes not listed are reserved and must be zero.
pub const DESCRIPTOR_LAYOUT: &[EntryField] = &[
    entry("opcode", 0, 1, "What to do."),
    entry("command_id", 2, 2, "Chosen by the driver, returned in the completion entry."),
    entry("count", 4, 4, "Number of elements."),
    entry("host_a", 8, 8, "Host address of the first operand, aligned to 32 bytes."),
    entry("host_b", 16, 8, "Host address of the second operand, aligned to 32 bytes."),
    entry("host_out", 24, 8, "Host address of the result, aligned to 32 bytes."),
    entry("card_address", 32, 8, "Byte address in card memory, aligned to 64 bytes."),
    entry(
        "parameter",
        40,
        4,
        "Bits 7:0 and 15:8: operation and field of a field vector command, bits per window and curve of an MSM. Of a hash: bits 3:0 the width, bit 4 the element of the last state that is the digest (0 as circomlib, 1), bits 31:16 the blocks. Of a tree: bits 3:0 the arity (2 or 4), bit 4 as of a hash, bits 13:8 the depth, 1 to 32. The others must be zero.",
    ),
    entry("size", 44, 4, "Leaves of the tree that a Merkle command is about; zero in other commands."),
];

/// A submission entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Descriptor {
    /// [`Opcode`] as a code, so that a test can send any.
    pub opcode: u8,
    /// Chosen by the driver, returned in the completion entry.
    pub command_id: u16,
    /// Number of elements.
    pub count: u32,
    /// Host address of the first operand.
    pub host_a: u64,
    /// Host address of the second operand.
    pub host_b: u64,
    /// Host address of the result.
    pub host_out: u64,
    /// Byte address in card memory.
    pub card_address: u64,
    /// See [`field_parameter`], [`msm_parameter`], [`crate::poseidon_parameter`] and [`crate::TreeShape::parameter`].
    pub parameter: u32,
    /// Leaves of the tree of a Merkle command.
    pub size: u32,
}

impl Descriptor {
    /// The entry's 64 bytes, reserved bytes zero.
    pub fn to_bytes(&self) -> [u8; DESCRIPTOR_BYTES] {
        let mut bytes = [0; DESCRIPTOR_BYTES];
        bytes[0] = self.opcode;
        bytes[2..4].copy_from_slice(&self.command_id.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.count.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.host_a.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.host_b.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.host_out.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.card_address.to_le_bytes());
        bytes[40..44].copy_from_slice(&self.parameter.to_le_bytes());
        bytes[44..48].copy_from_slice(&self.size.to_le_bytes());
        bytes
    }

    /// Reads an entry; the second value tells whether every reserved byte is zero.
    pub fn from_bytes(bytes: &[u8; DESCRIPTOR_BYTES]) -> (Descriptor, bool) {
        let u64_at =
            |at: usize| bytes[at..at + 8].iter().rev().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
        let u32_at =
            |at: usize| bytes[at..at + 4].iter().rev().fold(0u32, |word, byte| word << 8 | u32::from(*byte));
        let descriptor = Descriptor {
            opcode: bytes[0],
            command_id: u16::from_le_bytes([bytes[2], bytes[3]]),
            count: u32_at(4),
            host_a: u64_at(8),
            host_b: u64_at(16),
            host_out: u64_at(24),
            card_address: u64_at(32),
            parameter: u32_at(40),
            size: u32_at(44),
        };
        (descriptor, descriptor.to_bytes() == *bytes)
    }
}
