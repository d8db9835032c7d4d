import { quoteWord } from "../base/quote-word.ts";
import type { Program, Verb } from "./command.ts";
import { findFirstWord, parseWords } from "./parse-words.ts";

type Named = Pick<Program, "name" | "flags" | "verbs" | "foreign">;

const findMeantFlags = (words: readonly string[], verb: Verb, program: Named): string | null => {
  const [line = "", ...rest] = words;
  const first = findFirstWord(rest, [...verb.flags, ...program.flags]);
  const flags = rest.slice(0, first);
  if (!/\S\s+\S/.test(line) || first === 0 || !parseWords(flags, { ...verb, isCommand: true }, program).ok) return null;
  const command = quoteWord([line, ...rest.slice(first).map(quoteWord)].join(" "));
  const start = verb.isCommand === true ? "" : "… ";
  const separator = verb.isCommand === true ? "" : "-- ";
  return `${program.name} ${verb.name} ${start}${flags.map(quoteWord).join(" ")} ${separator}${command}`;
};

/** The line that was probably meant where a command is one of the program's own verbs, or flags of its verb follow a quoted line. */
export const findMeantLine = (words: readonly string[], verb: Verb, program: Named): string | null => {
  const [word = "", extra] = words;
  if (extra !== undefined) return findMeantFlags(words, verb, program);
  return word === "help" || Object.hasOwn(program.verbs, word) ? `${program.name} ${word}` : null;
};
