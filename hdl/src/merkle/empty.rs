//! The roots of empty subtrees, with which levels are filled up.

use num_bigint::BigUint;
use rust_hdl::prelude::*;
use spandrel_abi::MERKLE_MAX_DEPTH;
use std::collections::BTreeMap;

/// Z_0 = 0 and Z_{l+1} = hash of `arity` times Z_l, l below [`MERKLE_MAX_DEPTH`], in Montgomery form, for each arity that
/// a card offers and both output selects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EmptyRoots {
    words: BTreeMap<u64, BigUint>,
}

impl EmptyRoots {
    /// No arity at all.
    pub fn none() -> EmptyRoots {
        EmptyRoots::default()
    }

    /// Adds the roots of an arity: `hash` gives a node, in Montgomery form, from the arity and output select (0 or 1), and
    /// the child that all of them are.
    pub fn with(mut self, arity: u32, hash: impl Fn(u32, &BigUint) -> BigUint) -> EmptyRoots {
        for output in 0..2 {
            let mut root = BigUint::default();
            for level in 0..MERKLE_MAX_DEPTH {
                self.words.insert(address(arity, output, level), root.clone());
                root = hash(output, &root);
            }
        }
        self
    }

    /// The root of an empty subtree of this depth; `None` for an arity that is not there.
    pub fn root(&self, arity: u32, output: u32, depth: u32) -> Option<&BigUint> {
        self.words.get(&address(arity, output, depth))
    }

    /// As a memory: address bit 6 is one for arity 4, bit 5 the output select, bits 4:0 the depth of the subtree.
    pub(super) fn memory(&self) -> ROM<Bits<256>, 7> {
        ROM::new(self.words.iter().map(|(at, word)| (Bits::from(*at), word.clone().into())).collect())
    }
}

fn address(arity: u32, output: u32, depth: u32) -> u64 {
    u64::from(arity == 4) << 6 | u64::from(output & 1) << 5 | u64::from(depth & 31)
}
