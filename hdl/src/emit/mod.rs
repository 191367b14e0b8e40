//! Verilog from connected RustHDL blocks: checked, merged, with plain names.
