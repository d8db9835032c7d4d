import { cutMiddle, measureWidth } from "../terminal/text-width.ts";
import { dropFolders, dropInterpreter, nameProgram } from "./program-name.ts";
import { createSharedWords, type SharedWords } from "./shared-words.ts";

/** A command of the list in at most so many columns. */
export type FitCommand = (command: string, width: number) => string;

const ELLIPSIS = "…";

const splitWords = (command: string): readonly string[] => command.split(" ").filter((word) => word !== "");

const isFlag = (word: string | undefined): boolean => word !== undefined && /^--?[A-Za-z]/.test(word);

const keepFlag = (words: readonly string[], start: number): number =>
  isFlag(words[start - 1]) && !isFlag(words[start]) ? start - 1 : start;

const showVarying = (words: readonly string[], start: number, varying: ReadonlySet<number>): string => {
  const shown = words.map((word, place) => {
    if (place < start) return null;
    return varying.has(place) || (isFlag(word) && varying.has(place + 1)) ? word : null;
  });
  return shown
    .map((word, place) => word ?? (place === 0 || shown[place - 1] !== null ? ELLIPSIS : ""))
    .filter((word) => word !== "")
    .join(" ");
};

const listForms = (command: string, shared: SharedWords): readonly string[] => {
  const words = splitWords(command);
  const whole = [command, dropFolders(words).join(" "), dropInterpreter(words).join(" ")];
  const { depth, varying } = shared.find(words);
  const start = keepFlag(words, depth);
  if (start <= 1) return whole;
  const rest = `${ELLIPSIS} ${words.slice(start).join(" ")}`;
  const named = `${nameProgram(words.slice(0, start))} ${rest}`;
  const differing = varying.size === 0 ? [] : [showVarying(words, start, varying)];
  return [...whole, named, rest, ...differing];
};

/**
 * What does not fit goes without its program's folder and interpreter; then without the beginning that it shares with others of the list, after
 * the program's name where there is room; then without all words that these others have at the same place; at last its middle is cut.
 */
export const createCommandFit = (commands: readonly string[]): FitCommand => {
  let shared: SharedWords | null = null;
  return (command, width) => {
    if (measureWidth(command) <= width) return command;
    shared ??= createSharedWords(commands.map(splitWords));
    const forms = listForms(command, shared);
    return forms.find((form) => measureWidth(form) <= width) ?? cutMiddle(forms.at(-1) ?? command, width);
  };
};
