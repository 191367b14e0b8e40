//! The Poseidon hash as circomlib defines it, over BN254's scalar field, and Merkle trees of it, on the CPU.
//!
//! The permutation is that of Grassi, Khovratovich, Rechberger, Roy and Schofnegger, "Poseidon: A New Hash Function for
//! Zero-Knowledge Proof Systems" (USENIX Security 2021, ePrint 2019/458; "the paper" from here on): S-box x^5, states of
//! t = 2 to 5 elements, 8 full rounds and 56, 57, 56 or 60 partial rounds.
//!
//! - [`Parameters`] makes the constants of the paper's appendix from nothing but the widths and round counts;
//! - [`SparseRounds`] is the same permutation with fewer multiplications; the card's lanes compute it;
//! - [`Hasher`] hashes: inputs of fixed length as circomlib does, or longer ones by the paper's sponge;
//! - [`Tree`] is a Merkle tree of arity two or four, [`Path`] the way from a leaf to its root.
//!
//! Elements are `ark_bn254::Fr`, whose four limbs in memory are the element's Montgomery form with R = 2^256.

mod error;
mod grain;
mod hasher;
mod limbs;
mod matrix;
mod parameters;
mod path;
mod permutation;
mod plain;
mod recurrence;
mod sparse;
mod tree;

pub use error::{InputError, PathError, TreeError, WidthError};
pub use hasher::{Hasher, Output, sponge_capacity};
pub use parameters::{FULL_ROUNDS, Parameters, WIDTHS, partial_rounds};
pub use path::{Arity, Path};
pub use plain::permute_plain;
pub use sparse::{Round, SparseRounds};
pub use tree::{MAX_DEPTH, Tree, empty_root, least_depth};
