import { quoteCommand } from "../../base/quote-command.ts";

const BETWEEN_WORDS = "\0";

/** For expansion, which must not see quotes: NUL is the one character that no word has. */
export const glueWords = (words: readonly string[]): string => words.join(BETWEEN_WORDS);

export const splitWords = (glued: string): readonly string[] => glued.split(BETWEEN_WORDS);

/** Whether the words, of which there is at least one, say nothing that a shell could run. */
export const isBlank = (words: readonly string[]): boolean =>
  words.length === 1 && (words[0] ?? "").split("\n").every((line) => /^\s*(?:#|$)/.test(line));

/** One word is a line for the shell, as it is; several are quoted so that each arrives as it was typed, variables before the program as such. */
export const joinCommand = (words: readonly string[], isLine: boolean = words.length === 1): string =>
  isLine ? (words[0] ?? "") : quoteCommand(words);
