//! The hash engine: batches of Poseidon hashes, sponges, and Merkle trees in card memory.
//!
//! ```text
//!              ┌─ messages: batches, sponges ─┐
//!  host data ──┤  build: a tree               ├──► states ──► core of the command's width ──┐
//!  card lines ─┤  update: k leaves of a tree  │                                             │
//!              └─ paths: no hash at all       ┘◄──────────────── states ◄───────────────────┘
//!                      │ jobs, lines, digests
//!                      ▼ bus masters
//! ```
//!
//! A core takes a state, permutes it and gives it back some thousands of cycles later; results leave it in the order in
//! which states entered, and up to some hundreds are in it at a time. What the blocks here are for is to keep it full:
//! states are made faster than a core takes them, and what depends on results (the next level of a tree, the next block
//! of a sponge) begins as soon as the first of them is there.
//!
//! Elements are 256 bits, in Montgomery form with R = 2^256, below the prime; elements from outside are checked for that
//! ([`Canonical`]) while they pass, and one that is not is told by a status at the end of the command: it does no harm
//! but to the result. A tree lies in card memory level by level, from the leaves up
//! ([`TreeShape`](spandrel_abi::TreeShape)), which makes the addresses of all levels follow from one another
//! ([`LevelWalk`]).

mod absorb;
mod block_walk;
mod build;
mod climb;
mod command;
mod control;
mod elements;
mod empty;
mod engine;
mod entries;
mod gather;
mod leaves;
mod levels;
mod messages;
mod nodes;
mod paths;
mod plan;
mod refusal;
mod replace;
mod shape;
mod update;
mod writer;

pub use absorb::Absorb;
pub use block_walk::BlockWalk;
pub use build::Build;
pub use climb::Climb;
pub use command::HashCommand;
pub use control::HashControl;
pub use elements::{Canonical, ElementAdder};
pub use empty::EmptyRoots;
pub use engine::HashEngine;
pub use entries::Entries;
pub use gather::Gather;
pub use leaves::Leaves;
pub use levels::LevelWalk;
pub use messages::Messages;
pub use nodes::Nodes;
pub use paths::Paths;
pub use plan::TreePlan;
pub use refusal::Refusal;
pub use replace::Replace;
pub use shape::HashShape;
pub use update::Update;
pub use writer::TreeWriter;
