const INTERVAL_MS = 250;

/** Reports in seconds how much later than planned each timer came; a wait of 250 ms or more is never missed. Returns its end. */
export const watchEventLoop = (report: (seconds: number) => void): (() => void) => {
  let plannedAt = performance.now() + INTERVAL_MS;
  const timer = setInterval(() => {
    const now = performance.now();
    report(Math.max(0, now - plannedAt) / 1000);
    plannedAt = now + INTERVAL_MS;
  }, INTERVAL_MS);
  timer.unref();
  return () => clearInterval(timer);
};
