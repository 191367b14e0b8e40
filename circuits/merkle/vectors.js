// Writes the hashes of circomlibjs that the Rust code is tested against: poseidon/tests/vectors/circomlibjs.json.
// Run it with `npm ci && npm run vectors` in this folder; `node vectors.js FILE` writes to another file. It draws nothing
// at random: every run writes the same bytes.

import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { buildPoseidon } from "circomlibjs";
import { run } from "./lib/steps.js";

/** Elements of a state. */
const WIDTHS = [2, 3, 4, 5];

/** Vectors of drawn elements, at each width. */
const DRAWN = 8;

const target = process.argv[2] ?? new URL("../../poseidon/tests/vectors/circomlibjs.json", import.meta.url);
const { dependencies } = createRequire(import.meta.url)("./package.json");

/** An element from a name: 248 bits, which is below the field's modulus. */
function drawn(name) {
  return BigInt(`0x${createHash("sha256").update(name).digest("hex").slice(0, 62)}`);
}

/** States before the permutation: the element that the inputs follow (0 in a hash of fixed length), and the inputs. */
function states(width, largest) {
  const filled = (value) => Array(width).fill(value);
  const counted = Array.from({ length: width }, (_, index) => BigInt(index));
  const list = [filled(0n), filled(1n), filled(largest), counted, [0n, ...filled(largest).slice(1)]];
  for (let index = 0; index < width; index++) {
    list.push(counted.map((place) => (place === BigInt(index) ? largest : 0n)));
  }
  for (let index = 0; index < DRAWN; index++) {
    const elements = counted.map((place) => drawn(`${width}/${index}/${place}`));
    list.push(index % 2 === 0 ? [0n, ...elements.slice(1)] : elements);
  }
  return list;
}

run(async () => {
  const poseidon = await buildPoseidon();
  const { F } = poseidon;
  const vectors = [];
  for (const width of WIDTHS) {
    for (const [initial, ...inputs] of states(width, F.p - 1n)) {
      const outputs = poseidon(inputs, initial, width).map((output) => F.toObject(output));
      const decimal = (value) => value.toString();
      vectors.push({ initial: decimal(initial), inputs: inputs.map(decimal), outputs: outputs.map(decimal) });
    }
  }
  const lines = vectors.map((vector) => `  ${JSON.stringify(vector)}`).join(",\n");
  await writeFile(target, `{\n "source": "circomlibjs ${dependencies.circomlibjs}",\n "vectors": [\n${lines}\n ]\n}\n`);
});
