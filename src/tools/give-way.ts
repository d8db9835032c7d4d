const TURN_MS = 2;

/** Lets everything else that waits have its turn. */
export const giveWay = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What is returned is called between pieces of work, and gives way every few milliseconds. */
export const createTurns = (): (() => Promise<void>) => {
  let until = performance.now() + TURN_MS;
  return async () => {
    if (performance.now() < until) return;
    await giveWay();
    until = performance.now() + TURN_MS;
  };
};

/** Takes all values, giving way every few milliseconds; null stands for work done without a value. */
export const collectInTurns = async <Value>(values: Iterable<Value | null>): Promise<readonly Value[]> => {
  const collected: Value[] = [];
  let until = performance.now() + TURN_MS;
  for (const value of values) {
    if (value !== null) collected.push(value);
    if (performance.now() < until) continue;
    await giveWay();
    until = performance.now() + TURN_MS;
  }
  return collected;
};
