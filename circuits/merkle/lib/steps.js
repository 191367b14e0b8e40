// Says what is going on: one line a step, with the time it took.

/** Runs `work` and prints `title` and the seconds it took. */
export async function step(title, work) {
  process.stdout.write(`${title} ... `);
  const begun = performance.now();
  try {
    const result = await work();
    process.stdout.write(`${((performance.now() - begun) / 1000).toFixed(1)} s\n`);
    return result;
  } catch (error) {
    process.stdout.write("failed\n");
    throw error;
  }
}

/** Runs a command's `main` and ends the process: snarkjs keeps worker threads that would hold it open. */
export async function run(main) {
  try {
    await main();
    process.exit(0);
  } catch (error) {
    console.error(`error: ${error.message}`);
    process.exit(1);
  }
}

/** Hands snarkjs's warnings and errors on and keeps the rest quiet. */
export const logger = {
  info() {},
  debug() {},
  warn: (text) => console.warn(text),
  error: (text) => console.error(text),
};
