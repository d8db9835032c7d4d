import { splitDuration } from "./durations.ts";

const nameUnit = (letter: string): string => (letter === "m" ? "min" : letter);

/** Whole seconds for people, no unit left out that counts: `2 h`, `1 h 30 min`, `45 s`. */
export const tellDuration = (seconds: number): string =>
  splitDuration(seconds)
    .map(([count, letter]) => `${count} ${nameUnit(letter)}`)
    .join(" ") || "0 s";
