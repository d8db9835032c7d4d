import type { Clock } from "../core/clock.ts";

const STEP_S = 1e-6;
const MAX_LEAD_S = 1;

/**
 * Never tells the same time twice, nor one before `readNewest`, the newest time of those that wait, so that jobs keep the
 * order in which they came. A clock that is set back is followed as soon as none waits that came before.
 */
export const createIncreasingClock = (clock: Clock, readNewest: Clock): Clock => {
  let last = Number.POSITIVE_INFINITY;
  let lookedAt = Number.NEGATIVE_INFINITY;
  const lookAnew = (now: number): number => {
    lookedAt = now;
    return Math.max(now, readNewest() + STEP_S);
  };
  return () => {
    const now = clock();
    const isSetBack = now < last - MAX_LEAD_S && Math.abs(now - lookedAt) > MAX_LEAD_S;
    last = isSetBack ? lookAnew(now) : Math.max(now, last + STEP_S);
    return last;
  };
};
