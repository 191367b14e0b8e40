//! The MSM engine, Verilated, against arkworks: both adders, one core and several, both curves.

mod account;
mod bench;
mod counters;
mod engines;
mod inputs;
mod laws;
mod model;
mod rates;
mod rusthdl;
