//! The Spandrel card in RustHDL.

pub mod axi;
pub mod card;
pub mod curve;
pub mod datapath;
pub mod emit;
pub mod field;
pub mod merkle;
pub mod model;
pub mod msm;
pub mod pcie;
pub mod poseidon;
pub mod processor;
pub mod profile;
pub mod serial;
pub mod shared_pool;
pub mod stream;
pub mod units;
pub mod vendor;
