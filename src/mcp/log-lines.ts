import { stripVTControlCharacters } from "node:util";
import { describeError } from "../base/describe-error.ts";
import { err, ok, type Result } from "../base/result.ts";
import { type Trouble, WRONG_ARGUMENTS } from "./ask.ts";

/** Of a log; `left_out` counts the lines before those shown that were wanted too. */
export type LogLines = Readonly<{ lines: readonly string[]; left_out: number }>;

export type Matches = (line: string) => boolean;

const RECORDER = /^Script (?:started|done) on .*\[.*\]$/;
const MAX_LINE = 400;

const readLine = (line: string): string => {
  const text = stripVTControlCharacters(line.replace(/\r+$/, ""));
  const shown = text.slice(text.lastIndexOf("\r") + 1);
  return shown.length <= MAX_LINE ? shown : `${shown.slice(0, MAX_LINE)}…`;
};

/** Without the recorder's own, each as it looked at its end: a progress bar is there once, and nothing paints. */
export const readLines = (log: string): readonly string[] => {
  const lines = log.replace(/\n$/, "").split("\n").map(readLine);
  const own = lines.filter((line, index) => !((index === 0 || index >= lines.length - 1) && RECORDER.test(line)));
  while (own.at(-1) === "") own.pop();
  return own;
};

/** By a regular expression in RE2 syntax, which no pattern makes slow. */
export const createMatcher = async (pattern: string | undefined): Promise<Result<Matches, Trouble>> => {
  if (pattern === undefined) return ok(() => true);
  const { RE2JS } = await import("re2js");
  try {
    const expression = RE2JS.compile(pattern);
    return ok((line) => expression.test(line));
  } catch (error) {
    const message = `search: not a regular expression: ${describeError(error)}`;
    return err({ code: WRONG_ARGUMENTS, message });
  }
};

/** The last lines that match. */
export const chooseLines = (log: string, matches: Matches, most: number): LogLines => {
  const wanted = readLines(log).filter(matches);
  const lines = most === 0 ? [] : wanted.slice(-most);
  return { lines, left_out: wanted.length - lines.length };
};
