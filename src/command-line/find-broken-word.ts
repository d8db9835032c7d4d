import { readFileSync } from "node:fs";

const REPLACED = "\uFFFD";

const readWords = (): readonly Buffer[] => {
  const all = readFileSync("/proc/self/cmdline");
  const words: Buffer[] = [];
  for (let from = 0; from < all.length; ) {
    const end = all.indexOf(0, from);
    words.push(all.subarray(from, end === -1 ? all.length : end));
    from = end === -1 ? all.length : end + 1;
  }
  return words;
};

const isBroken = (word: Buffer): boolean => !Buffer.from(word.toString("utf8")).equals(word);

/** A word of the command line that is no UTF-8, and so is not here as it was given; null where all are. */
export const findBrokenWord = (words: readonly string[]): string | null =>
  words.some((word) => word.includes(REPLACED)) ? (readWords().find(isBroken)?.toString("utf8") ?? null) : null;
