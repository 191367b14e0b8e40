//! Hash batches and Merkle trees: their parameters, and where a tree's nodes lie in card memory.

use crate::FIELD_BYTES;

/// Least width t of a Poseidon state.
pub const POSEIDON_MIN_WIDTH: u32 = 2;

/// Largest width t of a Poseidon state.
pub const POSEIDON_MAX_WIDTH: u32 = 5;

/// Messages of a sponge that lie together, block by block; see [`crate::Opcode::Poseidon`].
pub const SPONGE_GROUP: u32 = 512;

/// Largest depth of a tree.
pub const MERKLE_MAX_DEPTH: u32 = 32;

/// Most leaves of one update command.
pub const MERKLE_UPDATE_MAX: u32 = 1024;

/// Most paths of one command.
pub const MERKLE_PATHS_MAX: u32 = 1 << 20;

/// Bytes of an index in front of a leaf, or of a path that is asked for.
pub const MERKLE_INDEX_BYTES: usize = FIELD_BYTES;

/// Bytes of an entry of an update: index and leaf.
pub const MERKLE_ENTRY_BYTES: usize = MERKLE_INDEX_BYTES + FIELD_BYTES;

/// Bytes of the root's level.
const ROOT_LEVEL_BYTES: u64 = 64;

/// Packs the parameter of a [`crate::Opcode::Poseidon`]: the width in bits 3:0, the element of the last state that is the
/// digest (0 or 1) in bit 4, the blocks in bits 31:16, 0 for the hash of fixed length.
pub const fn poseidon_parameter(width: u32, output: u32, blocks: u16) -> u32 {
    (blocks as u32) << 16 | (output & 1) << 4 | (width & 15)
}

/// The size of a Merkle tree: what commands name it by, and where its nodes lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TreeShape {
    /// Children of a node: 2 or 4.
    pub arity: u32,
    /// Levels above the leaves, 1 to [`MERKLE_MAX_DEPTH`].
    pub depth: u32,
    /// Leaves that are stored, 1 to arity^depth; all others are zero.
    pub leaves: u32,
}

impl TreeShape {
    /// The least depth, 0 or more, that has place for so many leaves; none of a tree whose arity is below 2 is.
    pub const fn least_depth(arity: u32, leaves: u32) -> u32 {
        let (mut depth, mut places) = (0, 1u64);
        while arity >= 2 && places < leaves as u64 {
            places *= arity as u64;
            depth += 1;
        }
        depth
    }

    /// Nodes of a level that are not roots of empty subtrees; level 0 is that of the leaves.
    pub const fn nodes(&self, level: u32) -> u64 {
        let (mut nodes, mut at) = (self.leaves as u64, 0);
        while at < level {
            nodes = nodes.div_ceil(self.arity as u64);
            at += 1;
        }
        nodes
    }

    /// Bytes of a level in card memory.
    pub const fn level_bytes(&self, level: u32) -> u64 {
        if level >= self.depth {
            return ROOT_LEVEL_BYTES;
        }
        self.nodes(level).next_multiple_of(self.arity as u64) * FIELD_BYTES as u64
    }

    /// Bytes from the tree's address to a level.
    pub const fn level_offset(&self, level: u32) -> u64 {
        let (mut offset, mut at) = (0, 0);
        while at < level {
            offset += self.level_bytes(at);
            at += 1;
        }
        offset
    }

    /// Bytes of the whole tree in card memory.
    pub const fn bytes(&self) -> u64 {
        self.level_offset(self.depth) + ROOT_LEVEL_BYTES
    }

    /// Hashes of a build.
    pub const fn hashes(&self) -> u64 {
        let (mut hashes, mut level) = (0, 1);
        while level <= self.depth {
            hashes += self.nodes(level);
            level += 1;
        }
        hashes
    }

    /// Bytes that a path has: the groups of all levels below the root.
    pub const fn path_bytes(&self) -> usize {
        self.depth as usize * self.arity as usize * FIELD_BYTES
    }

    /// Packs the parameter of a Merkle command: the arity in bits 3:0, the element of the state that is the digest (0 or
    /// 1) in bit 4, the depth in bits 13:8.
    pub const fn parameter(&self, output: u32) -> u32 {
        (self.depth & 63) << 8 | (output & 1) << 4 | (self.arity & 15)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_follow_each_other_and_hold_their_nodes() {
        for arity in [2, 4] {
            for leaves in (1..70).chain([1000, 65_535, 65_536, crate::MAX_COUNT]) {
                let least = TreeShape::least_depth(arity, leaves);
                let fits = |depth: u32| u64::from(arity).pow(depth) >= leaves.into();
                assert!(fits(least) && (least == 0 || !fits(least - 1)));
                for depth in [least.max(1), least + 3] {
                    let shape = TreeShape { arity, depth, leaves };
                    let mut end = 0;
                    for level in 0..=depth {
                        assert_eq!(shape.level_offset(level), end);
                        let group = if level < depth { u64::from(arity) } else { 2 };
                        assert!(shape.nodes(level) * 32 <= shape.level_bytes(level));
                        assert_eq!(shape.level_bytes(level) % (32 * group), 0);
                        assert!(shape.level_bytes(level) < (shape.nodes(level) + group) * 32);
                        end += shape.level_bytes(level);
                    }
                    assert_eq!(shape.nodes(depth), 1);
                    assert_eq!(shape.bytes(), end);
                    assert_eq!(shape.hashes(), (1..=depth).map(|level| shape.nodes(level)).sum::<u64>());
                    assert_eq!(shape.path_bytes() as u64, u64::from(depth * arity) * 32);
                }
            }
        }
        assert_eq!(TreeShape { arity: 2, depth: 16, leaves: 65_536 }.hashes(), 65_535);
    }

    #[test]
    fn parameters_lie_where_the_tables_say() {
        assert_eq!(poseidon_parameter(3, 1, 0x1234), 0x1234_0013);
        assert_eq!(TreeShape { arity: 4, depth: 32, leaves: 1 }.parameter(1), 0x2014);
    }
}
