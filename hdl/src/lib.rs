//! The Spandrel card in RustHDL.

pub mod emit;
