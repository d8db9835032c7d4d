import { cutMiddle, measureWidth, truncateStart, truncateText } from "../terminal/text-width.ts";
import { dropFolders, dropInterpreter, measureProgram, nameProgram } from "./program-name.ts";
import { type CommonEnds, createSharedWords, type Shared, type SharedWords } from "./shared-words.ts";

/** A command of the list in at most so many columns. */
export type FitCommand = (command: string, width: number) => string;

const ELLIPSIS = "…";
const CONTEXTS = [12, 6, 3];

const splitWords = (command: string): readonly string[] => command.split(" ").filter((word) => word !== "");

const isFlag = (word: string | undefined): boolean => word !== undefined && /^--?\p{L}/u.test(word);

const keepFlag = (words: readonly string[], start: number): number =>
  isFlag(words[start - 1]) && !isFlag(words[start]) ? start - 1 : start;

const cutAround = (word: string, { before, after }: CommonEnds, context: number): string => {
  const end = word.length - after;
  return (
    truncateStart(word.slice(0, before), context) + word.slice(before, end) + truncateText(word.slice(end), context)
  );
};

const cutVarying = (words: readonly string[], { varying }: Shared, context: number): readonly string[] =>
  words.map((word, place) => {
    const ends = varying.get(place);
    return ends === undefined ? word : cutAround(word, ends, context);
  });

const showVarying = (words: readonly string[], start: number, { varying }: Shared): string => {
  const isShown = (place: number): boolean =>
    place >= start && (varying.has(place) || (isFlag(words[place]) && varying.has(place + 1)));
  const parts = words.map((word, place) => {
    if (isShown(place)) return word;
    return place === 0 || isShown(place - 1) ? ELLIPSIS : "";
  });
  const text = parts.filter((part) => part !== "").join(" ");
  return text.replaceAll(`${ELLIPSIS} ${ELLIPSIS}`, ELLIPSIS);
};

const listDiffering = (words: readonly string[], start: number, shared: Shared): readonly string[] => {
  if (shared.varying.size === 0) return [];
  const program = Math.min(...shared.varying.keys()) < measureProgram(words) ? "" : `${nameProgram(words)} `;
  const whole = showVarying(words, start, shared);
  const cut = CONTEXTS.map((context) => showVarying(cutVarying(words, shared, context), start, shared));
  return [whole, ...cut].flatMap((form) => [program + form, form]);
};

const listForms = (command: string, all: SharedWords): readonly string[] => {
  const words = splitWords(command);
  const whole = [command, dropFolders(words).join(" "), dropInterpreter(words).join(" ")];
  const shared = all.find(words);
  if (shared.depth === 0) return [...whole, ...listDiffering(words, 0, shared)];
  const start = keepFlag(words, Math.min(shared.depth, words.length - 1));
  const rest = `${ELLIPSIS} ${words.slice(start).join(" ")}`;
  const program = nameProgram(words);
  const named = start > measureProgram(words) ? [`${program} ${rest}`] : [];
  return [...whole, ...named, rest, ...listDiffering(words, start, shared)];
};

/**
 * What does not fit goes without its program's folder and interpreter; then without the beginning that it shares with others of the list, after
 * the program's name where there is room; then without all words that these others have at the same place; then without what the words that differ
 * begin and end with alike; at last its middle is cut.
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
