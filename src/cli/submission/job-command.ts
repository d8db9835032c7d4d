import { quoteWord } from "../../base/quote-word.ts";

const BETWEEN_WORDS = "\0";

/** For expansion, which must not see quotes: NUL is the one character that no word has. */
export const glueWords = (words: readonly string[]): string => words.join(BETWEEN_WORDS);

export const splitWords = (glued: string): readonly string[] => glued.split(BETWEEN_WORDS);

/** Whether the words, of which there is at least one, say nothing that a shell could run. */
export const isBlank = (words: readonly string[]): boolean => words.length === 1 && words[0]?.trim() === "";

const ASSIGNMENT = /^([A-Za-z_][A-Za-z0-9_]*\+?=)([\s\S]*)$/;

const quoteAssignment = (word: string): string => {
  const [, name = "", value = ""] = ASSIGNMENT.exec(word) ?? [];
  return value === "" ? name : name + quoteWord(value);
};

const quoteWords = (words: readonly string[]): string => {
  const program = words.findIndex((word) => !ASSIGNMENT.test(word));
  const count = program === -1 ? words.length : program;
  return [...words.slice(0, count).map(quoteAssignment), ...words.slice(count).map(quoteWord)].join(" ");
};

/** One word is a line for the shell, as it is; several are quoted so that each arrives as it was typed, variables before the program as such. */
export const joinCommand = (words: readonly string[], isLine: boolean = words.length === 1): string =>
  isLine ? (words[0] ?? "") : quoteWords(words);
