//! Groth16 prover that offloads to the Spandrel card.
//!
//! - [`formats`] reads snarkjs' files and writes its JSON;
//! - [`backend`] is what computes a multi-scalar multiplication: the CPU, a card, or two at once that must agree;
//! - [`curve`] names the curves on which there are multi-scalar multiplications;
//! - [`groth16`] proves and verifies over a backend;
//! - [`hash`] is what computes Poseidon hashes and Merkle trees, on the CPU, on a card, or on both;
//! - [`workload`] makes bases and scalars for measurements and tests;
//! - [`cli`] is the `spandrel` command.

pub mod backend;
pub mod cli;
pub mod curve;
pub mod formats;
pub mod groth16;
pub mod hash;
pub mod workload;
