const UNITS = ["kB", "MB", "GB", "TB", "PB"] as const;
const STEP = 1000;
const ROUNDS_UP = 999.95;

/** In powers of a thousand, as `1.2 GB`. */
export const formatBytes = (bytes: number): string => {
  if (bytes < STEP) return `${bytes} B`;
  let value = bytes / STEP;
  let unit = 0;
  while (value >= ROUNDS_UP && unit < UNITS.length - 1) {
    value /= STEP;
    unit += 1;
  }
  return `${value.toFixed(1)} ${UNITS[unit]}`;
};
