/** `wake` runs the work now, or once more if it is running. */
export type Repeater = Readonly<{ wake: () => void; stop: () => void }>;

/** Runs the work at once, and again some time after it is done. What it throws ends the repeating. */
export const repeat = (work: () => Promise<void>, pauseMs: number, onThrow: (error: unknown) => void): Repeater => {
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  let isRunning = false;
  let isWanted = false;
  const run = async (): Promise<void> => {
    isRunning = true;
    isWanted = false;
    clearTimeout(timer);
    await work();
    isRunning = false;
    if (!isOver) timer = setTimeout(start, isWanted ? 0 : pauseMs);
  };
  const start = (): void => void run().catch(onThrow);
  const wake = (): void => {
    if (isRunning) isWanted = true;
    else if (!isOver) start();
  };
  start();
  const stop = (): void => {
    isOver = true;
    clearTimeout(timer);
  };
  return { wake, stop };
};
