const FIRST_DELAY_S = 1;
const LONGEST_DELAY_S = 900;
const SPREAD_S = 1;

/**
 * Seconds until the next attempt: doubled with each failure in a row up to 15 min, from half of that to all of it by
 * `random` (0 to 1). What the service asks for (`retryAfterS`) is never undercut.
 */
export const chooseRetryDelay = (failures: number, retryAfterS: number | null, random: number): number => {
  if (retryAfterS !== null) return retryAfterS + random * SPREAD_S;
  const longest = Math.min(FIRST_DELAY_S * 2 ** Math.max(0, failures - 1), LONGEST_DELAY_S);
  return longest * (0.5 + random / 2);
};
