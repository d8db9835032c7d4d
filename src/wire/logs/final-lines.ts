import { type Fold, foldText, MOST_ROWS, passFold, showRest, startFold } from "./fold.ts";
import { chainFilters, createRecorderFilter, type TextFilter } from "./recorder-filter.ts";

const LINE_END = /(?<!\r)\r+\n/g;
const ESC = "\\u001b";
const UNFINISHED = new RegExp(`${ESC}(?:\\[\\d{0,5})?$`);

/** Without the CR that a terminal puts before LF. */
export const useLineFeeds = (log: string): string => log.replace(LINE_END, "\n");

/** `pass` gives, where nothing came for a while, what is there and is not being drawn anew. */
export type FinalLines = TextFilter & Readonly<{ pass: () => string }>;

/**
 * Whole lines, each as a terminal shows it in the end: a line that was drawn anew, as a progress bar is, is its last state. The last
 * `reach` of them are held back, as a program may go back to them; without it that begins once one has gone back, and what is drawn anew of
 * a line that was passed is a line of its own. A line that has no end is passed in pieces.
 */
export const createFinalLines = (reach = 0): FinalLines => {
  let fold = startFold(reach);
  let held = "";
  const show = (next: Fold): string => {
    fold = { ...next, out: "" };
    return next.out;
  };
  return {
    push: (text) => {
      const all = held + text;
      held = UNFINISHED.exec(all.slice(-7))?.[0] ?? "";
      return show(foldText(fold, all.slice(0, all.length - held.length)));
    },
    pass: () => show(passFold(fold, reach)),
    end: () => showRest(foldText(fold, held)),
  };
};

/** Each line of a text as it was in the end, wherever the program went back to. */
export const keepFinalLines = (text: string): string => {
  const lines = createFinalLines(MOST_ROWS);
  return lines.push(text) + lines.end();
};

/** A log without its recorder's lines, CR before LF and all but the last states of what was drawn anew. */
export const readFinalText = (log: string): string => {
  const filter = chainFilters(createRecorderFilter(), createFinalLines(MOST_ROWS));
  return filter.push(log) + filter.end();
};

export const splitLines = (text: string): readonly string[] => (text === "" ? [] : text.replace(/\n$/, "").split("\n"));

/** The last ones, each with its end. */
export const cutLines = (text: string, count: number | null): string =>
  count === null
    ? text
    : splitLines(text)
        .slice(-count)
        .map((line) => `${line}\n`)
        .join("");
