// A whole Groth16 ceremony with snarkjs: powers of tau, then the circuit's own phase.
//
// Every contribution is made on this machine, one after the other. That gives a key of the right form for tests and
// no more: whoever ran this could have kept the secrets. A key that guards something needs contributors who do not
// know each other.

import { randomBytes } from "node:crypto";
import { getCurveFromName } from "ffjavascript";
import { powersOfTau, zKey } from "snarkjs";
import { logger, step } from "./steps.js";

/** log2 of the largest domain the powers serve; the circuit's constraints fit it. */
const POWER = 12;

/** Contributions in each phase, before the beacon. */
const CONTRIBUTIONS = 2;

/** The beacon's value is hashed 2^BEACON_EXPONENT times. */
const BEACON_EXPONENT = 10;

const memory = () => ({ type: "mem" });
const entropy = () => randomBytes(64).toString("hex");

/**
 * Runs both phases for one circuit and checks what came out.
 * @param {string} r1cs path of the compiled circuit
 * @param {string} output path of the proving key to write
 */
export async function ceremony(r1cs, output) {
  const curve = await getCurveFromName("bn128");

  let powers = memory();
  await step(`powers of tau: start, 2^${POWER}`, () => powersOfTau.newAccumulator(curve, POWER, powers, logger));
  for (let i = 1; i <= CONTRIBUTIONS; i++) {
    const next = memory();
    await step(`powers of tau: contribution ${i}`, () =>
      powersOfTau.contribute(powers, next, `powers, contribution ${i}`, entropy(), logger));
    powers = next;
  }
  const closed = memory();
  await step("powers of tau: beacon", () =>
    powersOfTau.beacon(powers, closed, "powers, beacon", randomBytes(32).toString("hex"), BEACON_EXPONENT, logger));
  const prepared = memory();
  await step("powers of tau: prepare phase 2", () => powersOfTau.preparePhase2(closed, prepared, logger));
  await step("powers of tau: verify", async () => accepted(await powersOfTau.verify(prepared, logger), "the powers of tau"));

  let key = memory();
  await step("circuit: start", async () => {
    // snarkjs reports a circuit that does not fit by returning -1.
    if ((await zKey.newZKey(r1cs, prepared, key, logger)) === -1) {
      throw new Error(`the circuit does not fit a domain of 2^${POWER}`);
    }
  });
  for (let i = 1; i <= CONTRIBUTIONS; i++) {
    const next = memory();
    await step(`circuit: contribution ${i}`, () =>
      zKey.contribute(key, next, `circuit, contribution ${i}`, entropy(), logger));
    key = next;
  }
  await step("circuit: beacon", () =>
    zKey.beacon(key, output, "circuit, beacon", randomBytes(32).toString("hex"), BEACON_EXPONENT, logger));
  await step("circuit: zkey verify", async () =>
    accepted(await zKey.verifyFromR1cs(r1cs, prepared, output, logger), "the proving key"));

  await curve.terminate();
}

function accepted(verdict, what) {
  if (verdict !== true) {
    throw new Error(`snarkjs refused ${what}`);
  }
}
