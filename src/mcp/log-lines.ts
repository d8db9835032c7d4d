import { stripVTControlCharacters } from "node:util";
import { describeError } from "../base/describe-error.ts";
import { err, ok, type Result } from "../base/result.ts";
import { collectInTurns } from "../tools/give-way.ts";
import { type Trouble, WRONG_ARGUMENTS } from "./ask.ts";

/** Of a log; `left_out` counts the lines before those shown that were wanted too. */
export type LogLines = Readonly<{ lines: readonly string[]; left_out: number }>;

export type Matches = (line: string) => boolean;

const RECORDER = /^Script (?:started|done) on .*\[.*\]$/;
const MAX_LINE = 400;
const MAX_PROGRAM = 2000;

const readLine = (line: string): string => {
  const text = stripVTControlCharacters(line.replace(/\r+$/, ""));
  const shown = text.slice(text.lastIndexOf("\r") + 1);
  return shown.length <= MAX_LINE ? shown : `${shown.slice(0, MAX_LINE)}…`;
};

const isRecorder = (line: string | undefined): boolean => line !== undefined && RECORDER.test(readLine(line));

const splitLog = (log: string): readonly string[] => {
  const lines = log.replace(/\n$/, "").split("\n");
  const own = lines.slice(isRecorder(lines[0]) ? 1 : 0, isRecorder(lines.at(-1)) ? -1 : lines.length);
  while (own.length > 0 && readLine(own.at(-1) ?? "") === "") own.pop();
  return own;
};

/** Without the recorder's own, each as it looked at its end: a progress bar is there once, and nothing paints. */
export const readLines = (log: string): readonly string[] => splitLog(log).map(readLine);

const refuse = (reason: string): Result<never, Trouble> => err({ code: WRONG_ARGUMENTS, message: `search: ${reason}` });

/** By a regular expression in RE2 syntax, which no line makes slow, and small enough for many lines. */
export const createMatcher = async (pattern: string | undefined): Promise<Result<Matches, Trouble>> => {
  if (pattern === undefined) return ok(() => true);
  const { RE2JS } = await import("re2js");
  try {
    const expression = RE2JS.compile(pattern);
    if (expression.programSize() > MAX_PROGRAM) return refuse("the regular expression is too large; make it simpler");
    return ok((line) => expression.test(line));
  } catch (error) {
    return refuse(`not a regular expression: ${describeError(error)}`);
  }
};

const findMatching = function* (lines: readonly string[], matches: Matches): Generator<string | null> {
  for (const line of lines) {
    const text = readLine(line);
    yield matches(text) ? text : null;
  }
};

/** The last lines that match. Everything else has its turn meanwhile. */
export const chooseLines = async (log: string, matches: Matches, most: number): Promise<LogLines> => {
  const wanted = await collectInTurns(findMatching(splitLog(log), matches));
  const lines = most === 0 ? [] : wanted.slice(-most);
  return { lines, left_out: wanted.length - lines.length };
};
