const MINUTE_S = 60;
const HOUR_S = 3600;
const DAY_S = 86_400;

/** The two largest units: `45s`, `3m 12s`, `2h 5m`, `6d 1h`. */
export const formatDuration = (seconds: number): string => {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < MINUTE_S) return `${whole}s`;
  if (whole < HOUR_S) return `${Math.floor(whole / MINUTE_S)}m ${whole % MINUTE_S}s`;
  if (whole < DAY_S) return `${Math.floor(whole / HOUR_S)}h ${Math.floor((whole % HOUR_S) / MINUTE_S)}m`;
  return `${Math.floor(whole / DAY_S)}d ${Math.floor((whole % DAY_S) / HOUR_S)}h`;
};
