//! Groth16 prover that offloads to the Spandrel card.
