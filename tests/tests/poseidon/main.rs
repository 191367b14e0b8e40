//! The Poseidon permutation's core, Verilated, against the plain permutation and light-poseidon.

mod bench;
mod rates;
mod resets;
mod rusthdl;
mod values;
