//! The Poseidon permutation over BN254's scalar field, as circomlib defines it, for many states at once.
//!
//! Grassi, Khovratovich, Rechberger, Roy and Schofnegger, "Poseidon: A New Hash Function for Zero-Knowledge Proof
//! Systems" (2019), with the sparse matrices of its appendix B ([`spandrel_poseidon::SparseRounds`]).
//!
//! A [`Lane`] is a ring of slots, as many as a *pass* has cycles. A pass takes one element through the S-box x⁵ and
//! multiplies it into the others: 2t + 2 products every cycle, on 2t + 2 multipliers. A partial round is one pass, a
//! full round t of them: pass j takes element j and adds column j of the matrix to t accumulators. A hash of width 3 is
//! 81 passes; of the 8 · 81 multiplier slots that it passes, its 600 products use 92.6 %. As a slot knows its pass, and
//! looks its factors up by that, all slots are independent: nothing in the ring ever waits, and a slot that becomes free
//! takes the next state when it comes to the head.
//!
//! A [`PoseidonCore`] is one or more lanes between a stream of states and a stream of permuted ones.
//!
//! Where such lanes do not fit, a [`SerialPoseidon`] does the same passes on a processor with a few digit-serial multipliers. A
//! [`HashCore`] is what a profile asks for.
//!
//! Inside the ring elements are below 2p instead of p: see [`Products`].

mod core;
mod ends;
mod host;
mod lane;
mod pass;
mod products;
mod schedule;
mod serial;
mod shared;
mod turns;

pub use core::PoseidonCore;
pub use host::HashCore;
pub use lane::Lane;
pub use pass::pass;
pub use products::{OwnProducts, Products};
pub use schedule::Schedule;
pub use serial::SerialPoseidon;
pub use shared::SharedProducts;
pub use turns::Turns;

/// Bits of an element at the ports of lanes and cores.
const ELEMENT_BITS: usize = 256;

/// Bits of a state at those ports: the widest one's five elements; a narrower one leaves the upper ones zero.
pub const STATE_BITS: usize = 5 * ELEMENT_BITS;

/// Bits of an element in the ring, where it is below 2p.
const LAZY_BITS: usize = crate::field::FIELD_BITS + 1;
