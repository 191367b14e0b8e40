//! A verb a file. Each has `run`, which gives the exit code, or an error that `main` prints.

pub mod asic;
pub mod bitstream;
pub mod circuit;
pub mod cocotb;
pub mod demo;
pub mod faults;
pub mod formal;
pub mod guest;
pub mod lint;
pub mod model;
pub mod netlist;
pub mod registers;
pub mod setup;
pub mod soak;
pub mod synth;
pub mod test;
pub mod timing;
pub mod vendor;
