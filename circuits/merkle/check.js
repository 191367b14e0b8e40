// Checks the files of build/ against each other: snarkjs proves from them and verifies the proof.

import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { zKey } from "snarkjs";
import { prove } from "./lib/prove.js";
import { logger, run, step } from "./lib/steps.js";

const build = join(dirname(fileURLToPath(import.meta.url)), "build");
const readJson = async (name) => JSON.parse(await readFile(join(build, name), "utf8"));

run(async () => {
  const key = join(build, "merkle.zkey");
  const verificationKey = await readJson("vk.json");
  await step("vk.json belongs to merkle.zkey", async () => {
    if (!isDeepStrictEqual(await zKey.exportVerificationKey(key, logger), verificationKey)) {
      throw new Error("vk.json is not the verification key of merkle.zkey");
    }
  });
  const signals = await step("merkle.wtns proves under merkle.zkey", () =>
    prove(key, join(build, "merkle.wtns"), verificationKey));
  const { root } = await readJson("input.json");
  if (!isDeepStrictEqual(signals, await readJson("public.json")) || !isDeepStrictEqual(signals, [root])) {
    throw new Error("public.json, input.json and merkle.wtns do not name the same root");
  }
});
