// Rebuilds build/ from merkle.circom: compile, draw an input, compute the witness, run the ceremony, check it all.
// Run it with `cargo xtask circuit`, or with `npm ci && npm run build` in this folder. Takes a few minutes.

import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { wtns, zKey } from "snarkjs";
import { ceremony } from "./lib/ceremony.js";
import { compile } from "./lib/compile.js";
import { prove } from "./lib/prove.js";
import { logger, run, step } from "./lib/steps.js";
import { drawMembership } from "./lib/tree.js";

const here = dirname(fileURLToPath(import.meta.url));

/** What is kept of the work folder. */
const PRODUCTS = ["merkle.zkey", "merkle.wtns", "vk.json", "input.json", "public.json"];

async function writeJson(path, value) {
  await writeFile(path, `${JSON.stringify(value, null, 1)}\n`);
}

run(async () => {
  // Beside build/, so that the finished files can be renamed into it.
  const work = await mkdtemp(join(here, "work-"));
  try {
    const [key, witness] = ["merkle.zkey", "merkle.wtns"].map((name) => join(work, name));
    const r1cs = join(work, "merkle.r1cs");

    await step("compile", () => compile(work));
    const input = await step("draw a tree and a member", drawMembership);
    await step("compute the witness", () => wtns.calculate(input, join(work, "merkle_js", "merkle.wasm"), witness));
    await step("check the witness", async () => {
      if (!(await wtns.check(r1cs, witness, logger))) {
        throw new Error("the witness does not satisfy the circuit");
      }
    });
    await ceremony(r1cs, key);

    const verificationKey = await zKey.exportVerificationKey(key, logger);
    const publicSignals = await step("prove and verify with snarkjs", () => prove(key, witness, verificationKey));
    if (publicSignals.length !== 1 || publicSignals[0] !== input.root) {
      throw new Error("the proof's public signals are not the tree's root");
    }

    await writeJson(join(work, "vk.json"), verificationKey);
    await writeJson(join(work, "input.json"), input);
    await writeJson(join(work, "public.json"), publicSignals);
    const build = join(here, "build");
    await mkdir(build, { recursive: true });
    for (const name of PRODUCTS) {
      await rename(join(work, name), join(build, name));
    }
    console.log(`wrote ${PRODUCTS.join(", ")} in ${build}`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
});
