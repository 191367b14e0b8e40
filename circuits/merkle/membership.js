// Proves membership with the committed key, for an input of one's own: compiles the circuit, computes the witness, proves.
//
//     node membership.js FOLDER INPUT.json
//
// writes FOLDER/proof.json and FOLDER/public.json, and keeps the compiled circuit there for the next input. Ends with 1
// where the circuit does not accept the input.

import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { groth16, wtns } from "snarkjs";
import { compile } from "./lib/compile.js";
import { logger, run } from "./lib/steps.js";

const key = join(dirname(fileURLToPath(import.meta.url)), "build", "merkle.zkey");

run(async () => {
  const [folder, inputFile] = process.argv.slice(2);
  if (inputFile === undefined) {
    throw new Error("give a folder and the file of an input");
  }
  const generator = join(folder, "merkle_js", "merkle.wasm");
  if (!existsSync(generator)) {
    compile(folder);
  }
  const input = JSON.parse(await readFile(inputFile, "utf8"));
  const witness = { type: "mem" };
  await wtns.calculate(input, generator, witness);
  const { proof, publicSignals } = await groth16.prove(key, witness, logger);
  await writeFile(join(folder, "proof.json"), JSON.stringify(proof));
  await writeFile(join(folder, "public.json"), JSON.stringify(publicSignals));
});
