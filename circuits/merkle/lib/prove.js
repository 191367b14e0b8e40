// A proof by snarkjs itself, verified by snarkjs: the judge of keys and witnesses.

import { groth16 } from "snarkjs";
import { logger } from "./steps.js";

/**
 * Proves and verifies, and makes sure that the verifier refuses another public signal.
 * @returns {Promise<string[]>} the proof's public signals
 */
export async function prove(key, witness, verificationKey) {
  const { proof, publicSignals } = await groth16.prove(key, witness, logger);
  if (!(await groth16.verify(verificationKey, publicSignals, proof, logger))) {
    throw new Error("snarkjs refused its own proof");
  }
  const quiet = { ...logger, error() {} };
  const tampered = [(BigInt(publicSignals[0]) + 1n).toString(), ...publicSignals.slice(1)];
  if (await groth16.verify(verificationKey, tampered, proof, quiet)) {
    throw new Error("snarkjs accepted a proof for another public signal");
  }
  return publicSignals;
}
