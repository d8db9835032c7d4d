const UNITS: readonly (readonly [name: string, seconds: number])[] = [
  ["d", 86_400],
  ["h", 3600],
  ["min", 60],
  ["s", 1],
];

/** Whole seconds for people, no unit left out that counts: `2 h`, `1 h 30 min`, `45 s`. */
export const tellDuration = (seconds: number): string => {
  let left = Math.max(0, Math.round(seconds));
  const parts = UNITS.flatMap(([name, unit]) => {
    const count = Math.floor(left / unit);
    left -= count * unit;
    return count === 0 ? [] : [`${count} ${name}`];
  });
  return parts.join(" ") || "0 s";
};
