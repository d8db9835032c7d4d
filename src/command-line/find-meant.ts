import { findProgram, quoteCommand } from "../base/quote-command.ts";
import { quoteWord } from "../base/quote-word.ts";
import type { Program, Verb } from "./command.ts";
import { findFirstWord, parseWords } from "./parse-words.ts";

type Named = Pick<Program, "name" | "flags" | "verbs" | "foreign">;

const countFlags = (words: readonly string[], verb: Verb, program: Named): number => {
  for (let count = findFirstWord(words, [...verb.flags, ...program.flags]); count > 0; count--)
    if (parseWords(words.slice(0, count), { ...verb, isCommand: true }, program).ok) return count;
  return 0;
};

const findQuotedLine = (words: readonly string[]): number => {
  const first = findProgram(words);
  return first > 0 && words[first]?.startsWith("-") ? first - 1 : first;
};

const writeLine = (words: readonly string[], at: number): string =>
  [...words.slice(0, at).map((word) => quoteCommand([word])), words[at], ...words.slice(at + 1).map(quoteWord)].join(
    " ",
  );

const findMeantParts = (words: readonly string[], verb: Verb, program: Named): string | null => {
  const at = findQuotedLine(words);
  const rest = words.slice(at + 1);
  if (rest.length === 0 || !/\S\s+\S/.test(words[at] ?? "")) return null;
  const count = countFlags(rest, verb, program);
  const line = quoteWord(writeLine([...words.slice(0, at + 1), ...rest.slice(count)], at));
  const [start, separator] = verb.isCommand === true ? [[], []] : [["…"], ["--"]];
  const flags = rest.slice(0, count).map(quoteWord);
  return [program.name, verb.name, ...start, ...flags, ...separator, line].join(" ");
};

/** The line that was probably meant where a command is one of the program's own verbs, or words follow a quoted line. */
export const findMeantLine = (words: readonly string[], verb: Verb, program: Named): string | null => {
  const [word = "", extra] = words;
  if (extra !== undefined) return findMeantParts(words, verb, program);
  return word === "help" || Object.hasOwn(program.verbs, word) ? `${program.name} ${word}` : null;
};
