const PATIENCE_MS = 25_000;
const POLL_MS = 10;

/** Throws, and says `what` never came, where that takes too long. */
export const waitUntil = async (isSo: () => Promise<boolean> | boolean, what = String(isSo)): Promise<void> => {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`never came: ${what}`);
    await letPass(POLL_MS);
  }
};

/** For a test whose input is the instant at which something comes. What must come first is waited for with `waitUntil`. */
export const letPass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Like `waitUntil`, but nothing else of this process happens meanwhile. */
export const blockUntil = (isSo: () => boolean): void => {
  while (!isSo()) Bun.sleepSync(1);
};
