import type { Flag, Program } from "./command.ts";
import { findFirstWord } from "./parse-words.ts";

const isJsonWord = (word: string): boolean => /^--(?:json|jsonl|fields(?:=.*)?)$/s.test(word);

const cutCommand = (words: readonly string[], flags: readonly Flag[], isCommand: boolean): readonly string[] => {
  const end = isCommand ? findFirstWord(words, flags) : words.indexOf("--");
  return end === -1 ? words : words.slice(0, end);
};

/** Whether the words ask for JSON, also where they are wrong otherwise. Words of a job's command don't. */
export const asksForJson = async (words: readonly string[], program: Program): Promise<boolean> => {
  if (!words.some(isJsonWord)) return false;
  const at = findFirstWord(words, program.flags);
  const name = words[at] ?? "";
  const verb = Object.hasOwn(program.verbs, name) ? (await program.verbs[name]?.())?.verb : undefined;
  const flags = [...(verb?.flags ?? []), ...program.flags];
  const own = cutCommand(words.slice(at + 1), flags, verb?.isCommand === true);
  return [...words.slice(0, at), ...own].some(isJsonWord);
};
