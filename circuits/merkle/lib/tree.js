// A Poseidon Merkle tree with random members and the path of one of them, as the circuit's input.

import { randomBytes, randomInt } from "node:crypto";
import { buildPoseidon } from "circomlibjs";

/** Height of the tree; the number in `component main` of merkle.circom. */
export const DEPTH = 15;

/** How many leaves are taken; the others hold zero. */
const MEMBERS = 100;

/** A field element from the operating system's generator. 248 bits: below the field's modulus without reduction. */
function randomElement() {
  return BigInt(`0x${randomBytes(31).toString("hex")}`);
}

/**
 * Draws a tree and one of its members.
 * @returns {Promise<object>} the circuit's input: root, secret, sibling[], right[], all decimal strings
 */
export async function drawMembership() {
  const poseidon = await buildPoseidon();
  const hash = (...inputs) => poseidon.F.toObject(poseidon(inputs));

  const secrets = Array.from({ length: MEMBERS }, randomElement);
  const member = randomInt(MEMBERS);

  // Members fill the tree from the left. What lies right of them is one same empty subtree at each height.
  let level = secrets.map((secret) => hash(secret));
  let empty = 0n;
  let place = member;
  const sibling = [];
  const right = [];
  for (let height = 0; height < DEPTH; height++) {
    sibling.push(level[place ^ 1] ?? empty);
    right.push(BigInt(place & 1));
    const parents = [];
    for (let i = 0; i < level.length; i += 2) {
      parents.push(hash(level[i], level[i + 1] ?? empty));
    }
    level = parents;
    empty = hash(empty, empty);
    place >>= 1;
  }

  const decimal = (value) => value.toString();
  return {
    root: decimal(level[0]),
    secret: decimal(secrets[member]),
    sibling: sibling.map(decimal),
    right: right.map(decimal),
  };
}
