//! Point addition on BN254's G1 as pipelines.

mod complete;
pub mod model;

pub use complete::{POINT_BITS, complete_adder};
