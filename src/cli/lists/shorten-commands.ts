import { cutMiddle, measureWidth } from "../terminal/text-width.ts";
import { dropFolders, dropInterpreter, measureProgram, nameProgram } from "./program-name.ts";
import { createSharedWords, type SharedWords } from "./shared-words.ts";

/** A command of the list in at most so many columns. */
export type FitCommand = (command: string, width: number) => string;

const ELLIPSIS = "…";

const splitWords = (command: string): readonly string[] => command.split(" ").filter((word) => word !== "");

const isFlag = (word: string | undefined): boolean => word !== undefined && /^--?\p{L}/u.test(word);

const keepFlag = (words: readonly string[], start: number): number =>
  isFlag(words[start - 1]) && !isFlag(words[start]) ? start - 1 : start;

const showVarying = (words: readonly string[], start: number, varying: ReadonlySet<number>): string => {
  const isShown = (place: number): boolean =>
    place >= start && (varying.has(place) || (isFlag(words[place]) && varying.has(place + 1)));
  const parts = words.map((word, place) => {
    if (isShown(place)) return word;
    return place === 0 || isShown(place - 1) ? ELLIPSIS : "";
  });
  return parts.filter((part) => part !== "").join(" ");
};

const listForms = (command: string, shared: SharedWords): readonly string[] => {
  const words = splitWords(command);
  const whole = [command, dropFolders(words).join(" "), dropInterpreter(words).join(" ")];
  const { depth, varying } = shared.find(words);
  if (depth === 0) return whole;
  const start = keepFlag(words, Math.min(depth, words.length - 1));
  const rest = `${ELLIPSIS} ${words.slice(start).join(" ")}`;
  const differing = varying.size === 0 ? rest : showVarying(words, start, varying);
  const program = nameProgram(words);
  const named = start > measureProgram(words) ? [`${program} ${rest}`] : [];
  return [...whole, ...named, rest, `${program} ${differing}`, differing];
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
