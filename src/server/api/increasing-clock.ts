import type { Clock } from "../core/ports.ts";

const STEP_S = 1e-6;
const MAX_LEAD_S = 1;

/** Never tells the same time twice, so that jobs keep the order in which they came; follows a clock that is set back. */
export const createIncreasingClock = (clock: Clock): Clock => {
  let last = 0;
  return () => {
    const now = clock();
    last = now > last || now < last - MAX_LEAD_S ? now : last + STEP_S;
    return last;
  };
};
