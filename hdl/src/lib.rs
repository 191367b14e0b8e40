//! The Spandrel card in RustHDL.
