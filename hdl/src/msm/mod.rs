//! The multi-scalar multiplication engine: Pippenger's bucket method without hazards.
//!
//! Pippenger, "On the evaluation of powers and related problems" (1976), over signed digits of c bits. A *token*
//! is a point that belongs to a bucket. A token that finds its bucket empty **parks** there; one that finds it
//! full **takes** the parked point out, and the pair goes to the adder; the sum is a token of the same bucket
//! again. No pair depends on anything in flight, so the adder never waits for itself, whatever the scalars are,
//! and the number of additions is exactly tokens − non-empty buckets.
//!
//! ```text
//!  scalars ─┐             ┌─► core 0        ─┐
//!  points  ─┴─► elements ─┼─► …              ├─► results, core by core
//!                         └─► core k − 1    ─┘
//!
//!   elements ─► digits ─┐ fresh tokens        ┌─────────────── sums ───────────────┐
//!                       ├─► buckets (bank 0) ─┤ pairs ─► pair FIFOs ─► point adder ┘
//!               reduce ─┘   sums    (bank 1) ─┘
//!                 ▲ scan                │
//!                 └─────────────────────┴─► results: c bit sums a window, then those of the cores behind
//! ```
//!
//! Each of the k cores has an adder and its buckets, and serves W/k of the W windows
//! ([`window_shares`](spandrel_abi::window_shares)); a window that is divided takes some elements' digits in one core and
//! some in the next. Adders may take any time and return sums in any order, so both kinds fit: the complete one
//! ([`complete_adder`](crate::curve::complete_adder)) and the batched-affine one ([`crate::curve::batched`]).
//!
//! Σ j·S_j over a window's buckets is computed by the same core in two passes: with j = hi·2^m + lo, every
//! bucket goes to a row and a column sum, and these to one sum for each bit of their index. The two banks take
//! turns: one is scanned while the other takes tokens.

mod adder;
mod bank;
mod buckets;
mod choose;
mod core;
mod counters;
mod digits;
mod dual_port;
mod engine;
mod flags;
mod marks;
mod pairs;
mod recode;
mod reduce;
mod scan;
mod select;
mod shape;
mod store;
mod tally;
mod targets;

pub use adder::{CompletePipeline, PointAdder, SLOT_BITS};
pub use bank::Bank;
pub use buckets::Buckets;
pub(crate) use buckets::FRESH_SHARE;
pub use core::MsmCore;
pub use digits::DigitSource;
pub use dual_port::DualPortMemory;
pub use engine::MsmEngine;
pub use flags::FullFlags;
pub use pairs::{PairFifo, PairMemory};
pub use recode::recoder;
pub use reduce::Reducer;
pub use shape::{Choice, Shape};
pub use store::PointStore;
