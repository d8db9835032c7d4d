const UNITS = ["B", "kB", "MB", "GB", "TB"] as const;
const STEP = 1000;

/** In powers of a thousand: `950 B`, `1.2 GB`. */
export const formatBytes = (bytes: number): string => {
  let [value, unit] = [bytes, 0];
  while (value >= STEP - 0.05 && unit < UNITS.length - 1) {
    value /= STEP;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
};
