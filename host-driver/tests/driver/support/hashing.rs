//! The software card's hashes and trees.

use super::arithmetic::{bytes, limbs};
use ark_bn254::Fr;
use ark_ff::{BigInt, PrimeField, Zero};
use spandrel_abi::*;
use spandrel_poseidon::{Hasher, Output};

/// An element, if it is below the prime.
pub fn element(data: &[u8]) -> Option<Fr> {
    let limbs: BigInt<4> = limbs(data);
    (limbs < Fr::MODULUS).then(|| Fr::new_unchecked(limbs))
}

/// What a command on the hash engine gives besides what it writes to card memory.
pub struct Hashed {
    pub out: Vec<u8>,
    pub hashes: u64,
    /// An element was not below the prime.
    pub not_canonical: bool,
}

/// Permutes states of one width.
struct Core {
    hasher: Hasher,
    /// Index of the digest.
    output: usize,
    hashes: u64,
    not_canonical: bool,
}

impl Core {
    fn new(width: u32, output: u32) -> Core {
        let hasher = Hasher::new(width as usize, Output::First).expect("a width of the parameters");
        Core { hasher, output: output as usize, hashes: 0, not_canonical: false }
    }

    /// An element that is too large counts as zero; what comes of it is not to be used.
    fn element(&mut self, data: &[u8]) -> Fr {
        element(data).unwrap_or_else(|| {
            self.not_canonical = true;
            Fr::zero()
        })
    }

    fn permute(&mut self, state: &mut [Fr]) {
        self.hashes += 1;
        self.hasher.permute(state);
    }

    fn node(&mut self, children: &[u8]) -> [u8; 32] {
        let mut state = vec![Fr::zero()];
        state.extend(children.chunks(32).map(|child| self.element(child)));
        self.permute(&mut state);
        bytes(state[self.output].0)
    }

    fn hashed(self, out: Vec<u8>) -> Hashed {
        Hashed { out, hashes: self.hashes, not_canonical: self.not_canonical }
    }
}

/// The Poseidon command on messages as they lie in host memory.
pub fn poseidon(d: &Descriptor, capacity: &[u8], messages: &[u8]) -> Hashed {
    let mut core = Core::new(d.parameter & 15, d.parameter >> 4 & 1);
    let width = (d.parameter & 15) as usize;
    let (block, blocks) = ((width - 1) * 32, (d.parameter >> 16).max(1) as usize);
    let mut out = Vec::new();
    for group in messages.chunks(SPONGE_GROUP as usize * blocks * block) {
        let rows: Vec<&[u8]> = group.chunks(group.len() / blocks).collect();
        for message in 0..rows[0].len() / block {
            let mut state = vec![Fr::zero(); width];
            if !capacity.is_empty() {
                state[0] = core.element(capacity);
            }
            for row in &rows {
                let elements = row[message * block..][..block].chunks(32);
                for (into, data) in state[1..].iter_mut().zip(elements) {
                    *into += core.element(data);
                }
                core.permute(&mut state);
            }
            out.extend(bytes(state[core.output].0));
        }
    }
    core.hashed(out)
}

/// The shape that a command names, if there is such a tree.
pub fn shape(d: &Descriptor) -> Option<TreeShape> {
    let (arity, depth) = (d.parameter & 15, d.parameter >> 8 & 63);
    let known = (arity == 2 || arity == 4) && (1..=MERKLE_MAX_DEPTH).contains(&depth);
    let fits = known && TreeShape::least_depth(arity, d.size) <= depth;
    (fits && d.parameter & 0xffff_c0e0 == 0).then_some(TreeShape { arity, depth, leaves: d.size })
}

/// A tree in the card's memory.
pub struct Tree<'a> {
    pub memory: &'a mut [u8],
    pub shape: TreeShape,
    pub output: u32,
}

impl Tree<'_> {
    fn core(&self) -> Core {
        Core::new(self.shape.arity + 1, self.output)
    }

    fn at(&self, level: u32, node: u64) -> usize {
        (self.shape.level_offset(level) + node * 32) as usize
    }

    /// The children of a node.
    fn group(&self, level: u32, node: u64) -> &[u8] {
        let start = self.at(level, node * u64::from(self.shape.arity));
        &self.memory[start..start + self.shape.arity as usize * 32]
    }

    fn set(&mut self, level: u32, node: u64, value: &[u8]) {
        let start = self.at(level, node);
        self.memory[start..start + 32].copy_from_slice(value);
    }

    pub fn build(mut self, leaves: &[u8]) -> Hashed {
        let (mut core, mut empty) = (self.core(), [0; 32]);
        let mut zeros = self.core();
        if !leaves.is_empty() {
            self.memory[..leaves.len()].copy_from_slice(leaves);
        }
        for level in 0..self.shape.depth {
            let places = self.shape.level_bytes(level) / 32;
            for node in self.shape.nodes(level)..places {
                self.set(level, node, &empty);
            }
            for node in 0..self.shape.nodes(level + 1) {
                let value = core.node(self.group(level, node));
                self.set(level + 1, node, &value);
            }
            empty = zeros.node(&empty.repeat(self.shape.arity as usize));
        }
        let root = self.root();
        core.hashed(root)
    }

    fn root(&self) -> Vec<u8> {
        self.memory[self.at(self.shape.depth, 0)..][..32].to_vec()
    }

    /// Indices as commands give them, if all are within the tree.
    fn indices(&self, entries: &[u8], bytes: usize) -> Option<Vec<u64>> {
        let index = |entry: &[u8]| {
            let index = u64::from_le_bytes(entry[..8].try_into().expect("8 bytes"));
            let rest = entry[8..32].iter().all(|byte| *byte == 0);
            (rest && index < self.shape.leaves.into()).then_some(index)
        };
        entries.chunks(bytes).map(index).collect()
    }

    pub fn paths(self, indices: &[u8]) -> Result<Hashed, Status> {
        let mut out = Vec::new();
        for mut index in self.indices(indices, MERKLE_INDEX_BYTES).ok_or(Status::BadIndex)? {
            for level in 0..self.shape.depth {
                index /= u64::from(self.shape.arity);
                out.extend(self.group(level, index));
            }
        }
        Ok(self.core().hashed(out))
    }

    pub fn update(mut self, entries: &[u8]) -> Result<Hashed, Status> {
        let mut indices = self.indices(entries, MERKLE_ENTRY_BYTES).ok_or(Status::BadIndex)?;
        if !indices.is_sorted_by(|a, b| a < b) {
            return Err(Status::BadIndex);
        }
        for (index, entry) in indices.iter().zip(entries.chunks(MERKLE_ENTRY_BYTES)) {
            self.set(0, *index, &entry[32..]);
        }
        let mut core = self.core();
        for level in 0..self.shape.depth {
            for index in &mut indices {
                *index /= u64::from(self.shape.arity);
            }
            indices.dedup();
            for node in &indices {
                let value = core.node(self.group(level, *node));
                self.set(level + 1, *node, &value);
            }
        }
        let root = self.root();
        Ok(core.hashed(root))
    }
}
