import { takeLastState } from "../../base/last-state.ts";
import { chainFilters, createRecorderFilter, type TextFilter } from "./recorder-filter.ts";

const MOST_HELD = 256 * 1024;
const LINE_END = /(?<!\r)\r+\n/g;

/** Without the CR that a terminal puts before LF. */
export const useLineFeeds = (log: string): string => log.replace(LINE_END, "\n");

const keepState = (line: string): string => (line.endsWith("\r") ? `${takeLastState(line)}\r` : takeLastState(line));

const isRedrawn = (line: string): boolean => takeLastState(line) !== line.replace(/(?<!\r)\r+$/, "");

/** `pass` gives what stands in a line whose end has not come, if it was not drawn anew so far. */
export type FinalLines = TextFilter & Readonly<{ pass: () => string }>;

/**
 * Whole lines, each as a terminal shows it in the end: a line that was drawn anew, as a progress bar is, is its last state. A line that
 * has no end is passed in pieces; of one that is drawn anew after some of it was passed the last state is a line of its own.
 */
export const createFinalLines = (): FinalLines => {
  let held = "";
  let isBegun = false;
  const finish = (line: string): string => {
    const start = isBegun && isRedrawn(line) ? "\n" : "";
    isBegun = false;
    return start + takeLastState(line);
  };
  const release = (): string => {
    const passed = held;
    held = "";
    isBegun = isBegun || passed !== "";
    return passed;
  };
  return {
    push: (text) => {
      const end = text.lastIndexOf("\n") + 1;
      const lines = end === 0 ? "" : `${(held + text.slice(0, end - 1)).split("\n").map(finish).join("\n")}\n`;
      held = end === 0 ? held + text : text.slice(end);
      if (held.length > MOST_HELD) held = keepState(held);
      return held.length > MOST_HELD ? lines + release() : lines;
    },
    pass: () => (held.includes("\r") ? "" : release()),
    end: () => finish(held),
  };
};

/** A log without its recorder's lines, CR before LF and all but the last states of what was drawn anew. */
export const readFinalText = (log: string): string => {
  const filter = chainFilters(createRecorderFilter(), createFinalLines());
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
