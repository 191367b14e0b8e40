// Compiles merkle.circom.

import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const circuits = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);

/** Writes merkle.r1cs and merkle_js/merkle.wasm into the folder `output`. */
export function compile(output) {
  // circomlib is found from where node finds it, so that the packages may be installed elsewhere.
  const libraries = dirname(dirname(require.resolve("circomlib/package.json")));
  const compiler = join(dirname(require.resolve("circom2/package.json")), "cli.js");
  const options = ["merkle.circom", "--r1cs", "--wasm", "--O2", "-l", libraries, "-o", output];
  const done = spawnSync(process.execPath, [compiler, ...options], { cwd: circuits, encoding: "utf8" });
  if (done.status !== 0) {
    throw new Error(`circom refused the circuit:\n${done.stdout ?? ""}${done.stderr ?? ""}`);
  }
}
