const UNITS: readonly (readonly [letter: string, seconds: number])[] = [
  ["d", 86_400],
  ["h", 3600],
  ["m", 60],
  ["s", 1],
];

const DURATION = /^(?:(\d{1,5})d)?(?:(\d{1,7})h)?(?:(\d{1,8})m)?(?:(\d{1,9})s)?$/;

/** Seconds of what is typed as `45s`, `5m`, `2h`, `1d`, `1h30m`; null for all else, a number without a unit included. */
export const parseDuration = (text: string): number | null => {
  const parts = text === "" ? null : DURATION.exec(text);
  if (parts === null) return null;
  return UNITS.reduce((sum, [, seconds], index) => sum + seconds * Number(parts[index + 1] ?? 0), 0);
};

/** Whole seconds as counts of `d`, `h`, `m` and `s`, none of them 0. */
export const splitDuration = (seconds: number): readonly (readonly [count: number, letter: string])[] => {
  let left = Math.max(0, Math.round(seconds));
  return UNITS.flatMap(([letter, unit]) => {
    const count = Math.floor(left / unit);
    left -= count * unit;
    return count === 0 ? [] : [[count, letter] as const];
  });
};

/** Whole seconds as `parseDuration` reads them: `1h30m`. */
export const writeDuration = (seconds: number): string =>
  splitDuration(seconds)
    .map(([count, letter]) => `${count}${letter}`)
    .join("") || "0s";
