import { escapeText } from "../../base/escape-text.ts";
import { takeLastState } from "../../base/last-state.ts";
import { filterLog } from "../jobs/log-filter.ts";
import { makeSafe } from "../terminal/terminal-safety.ts";
import { splitText } from "../terminal/text-width.ts";

const TAB = 8;
const LONGEST_LINE = 4000;
const BACKSPACE = "\u0008";
const ESC = "\u001b";
const SEQUENCE = new RegExp(`${ESC}\\[[0-9;:]*[mK]`, "g");
const ERASED = new RegExp(`[^${BACKSPACE}]${BACKSPACE}`, "gu");

const eraseBackwards = (text: string): string => {
  const next = text.replace(ERASED, "");
  return next === text ? next.replaceAll(BACKSPACE, "") : eraseBackwards(next);
};

const expandTabs = (text: string): string =>
  text.split("\t").reduce((line, part) => `${line.padEnd((Math.floor(line.length / TAB) + 1) * TAB)}${part}`);

const readLine = (line: string): string => {
  const plain = takeLastState(makeSafe(line.slice(-LONGEST_LINE)).replace(SEQUENCE, ""));
  return escapeText(expandTabs(eraseBackwards(plain)));
};

/** What a terminal would show of a log in the end: a progress bar as it stands, without colours and what moves a cursor. */
export const readLogLines = (text: string): readonly string[] => {
  const lines = filterLog(text, false).split("\n");
  return (lines.at(-1) === "" ? lines.slice(0, -1) : lines).map(readLine);
};

export const wrapLines = (lines: readonly string[], width: number): readonly string[] =>
  lines.flatMap((line) => splitText(line, width));
