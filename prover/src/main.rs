//! Command line of the Spandrel prover.
fn main() {}
