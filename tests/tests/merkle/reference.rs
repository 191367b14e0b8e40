//! Hashes and trees over the stand-in's function, in software.

use super::bench::{Bench, Command};
use super::stand_in::permute;
use num_bigint::BigUint;
use rand_chacha::ChaCha8Rng;
use spandrel_abi::{Opcode, TreeShape};
use spandrel_hdl::field::Prime;
use spandrel_tests::reference::bytes32;
use spandrel_tests::values::element;

/// Random elements, edges among them.
pub fn elements(random: &mut ChaCha8Rng, count: usize) -> Vec<BigUint> {
    (0..count).map(|_| element(random, Prime::Fr)).collect()
}

/// The hash of a group of nodes.
pub fn hash(output: u32, children: &[BigUint]) -> BigUint {
    let mut state = vec![BigUint::default()];
    state.extend_from_slice(children);
    permute(&mut state);
    state[output as usize].clone()
}

/// The sponge: a message in blocks of `rate` elements.
pub fn sponge(output: u32, rate: usize, capacity: &BigUint, message: &[BigUint]) -> BigUint {
    let prime = Prime::Fr.modulus();
    let mut state = vec![BigUint::default(); rate + 1];
    state[0] = capacity.clone();
    for block in message.chunks(rate) {
        for (at, element) in block.iter().enumerate() {
            state[at + 1] = (&state[at + 1] + element) % &prime;
        }
        permute(&mut state);
    }
    state[output as usize].clone()
}

/// A tree: all levels, each filled up as it lies in card memory.
#[derive(Clone, Debug)]
pub struct Tree {
    pub shape: TreeShape,
    pub output: u32,
    pub address: u64,
    pub levels: Vec<Vec<BigUint>>,
}

impl Tree {
    pub fn new(arity: u32, depth: u32, output: u32, address: u64, leaves: &[BigUint]) -> Tree {
        let shape = TreeShape { arity, depth, leaves: leaves.len() as u32 };
        let mut empty = BigUint::default();
        let mut levels: Vec<Vec<BigUint>> = Vec::new();
        let mut level = leaves.to_vec();
        for _ in 0..depth {
            level.resize(level.len().next_multiple_of(arity as usize), empty.clone());
            let above = level.chunks(arity as usize).map(|group| hash(output, group)).collect();
            empty = hash(output, &vec![empty; arity as usize]);
            levels.push(std::mem::replace(&mut level, above));
        }
        level.push(BigUint::default());
        levels.push(level);
        Tree { shape, output, address, levels }
    }

    pub fn root(&self) -> &BigUint {
        &self.levels[self.shape.depth as usize][0]
    }

    /// All of it as it lies in card memory.
    pub fn lines(&self) -> Vec<Vec<u8>> {
        let nodes: Vec<_> = self.levels.iter().flatten().map(bytes32).collect();
        nodes.chunks(2).map(|pair| pair.concat()).collect()
    }

    /// The groups from a leaf to the root.
    pub fn path(&self, index: u32) -> Vec<BigUint> {
        let arity = self.shape.arity as usize;
        let mut index = index as usize;
        let mut nodes = Vec::new();
        for level in &self.levels[..self.shape.depth as usize] {
            index /= arity;
            nodes.extend_from_slice(&level[index * arity..(index + 1) * arity]);
        }
        nodes
    }

    /// The same tree with other leaves, computed anew.
    pub fn with(&self, changes: &[(u32, BigUint)]) -> Tree {
        let mut leaves = self.levels[0][..self.shape.leaves as usize].to_vec();
        for (index, leaf) in changes {
            leaves[*index as usize] = leaf.clone();
        }
        Tree::new(self.shape.arity, self.shape.depth, self.output, self.address, &leaves)
    }

    /// A command on it.
    pub fn command(&self, opcode: Opcode) -> Command {
        Command {
            opcode: opcode as u8,
            size: self.shape.leaves,
            parameter: self.shape.parameter(self.output),
            host_a: HOST_A,
            host_out: HOST_OUT,
            card_address: self.address,
            ..Command::default()
        }
    }

    /// Puts its leaves, or all of it, into card memory.
    pub fn store(&self, bench: &mut Bench, levels: std::ops::Range<usize>) {
        let first = self.address + self.shape.level_offset(levels.start as u32);
        let nodes: Vec<_> = self.levels[levels].iter().flatten().map(bytes32).collect();
        for (index, pair) in nodes.chunks(2).enumerate() {
            bench.card[first as usize / 64 + index] = pair.concat();
        }
    }

    /// Holds card memory to the tree, and to junk around it.
    pub fn check(&self, bench: &Bench) {
        let first = self.address as usize / 64;
        let lines = self.lines();
        for (index, line) in bench.card.iter().enumerate() {
            match index.checked_sub(first).and_then(|at| lines.get(at)) {
                Some(expected) => assert_eq!(line, expected, "line {} of {:?}", index - first, self.shape),
                None => assert!(line.iter().all(|byte| *byte == 0xee), "line {index} is none of the tree's"),
            }
        }
    }
}

/// Where the host's first operand lies.
pub const HOST_A: u64 = 0x1_0000_0000;
/// Where the capacity of a sponge lies.
pub const HOST_B: u64 = 0x2_0000_0020;
/// Where results go.
pub const HOST_OUT: u64 = 0x3_0000_0fe0;
