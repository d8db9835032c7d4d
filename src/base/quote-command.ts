import { quoteWord } from "./quote-word.ts";

const ASSIGNMENT = /^([A-Za-z_][A-Za-z0-9_]*\+?=)([\s\S]*)$/;

const quoteAssignment = (word: string): string => {
  const [, name = "", value = ""] = ASSIGNMENT.exec(word) ?? [];
  return value === "" ? name : name + quoteWord(value);
};

/** Where the program stands, behind the variables before it. */
export const findProgram = (words: readonly string[]): number => {
  const program = words.findIndex((word) => !ASSIGNMENT.test(word));
  return program === -1 ? words.length : program;
};

/** Quoted so that each word arrives as it was typed, variables before the program as such. */
export const quoteCommand = (words: readonly string[]): string => {
  const program = findProgram(words);
  return [...words.slice(0, program).map(quoteAssignment), ...words.slice(program).map(quoteWord)].join(" ");
};
