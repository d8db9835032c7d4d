import { stripVTControlCharacters } from "node:util";
import { describeError } from "../base/describe-error.ts";
import { err, ok, type Result } from "../base/result.ts";
import { collectInTurns } from "../tools/give-way.ts";
import { createFinalLines, splitLines } from "../wire/logs/final-lines.ts";
import { MOST_ROWS } from "../wire/logs/fold.ts";
import { chainFilters, createRecorderFilter } from "../wire/logs/recorder-filter.ts";
import { type Trouble, WRONG_ARGUMENTS } from "./ask.ts";

/** Of a log; `left_out` counts the lines before those shown that were wanted too. */
export type LogLines = Readonly<{ lines: readonly string[]; left_out: number }>;

export type Matches = (line: string) => boolean;

const MAX_LINE = 400;
const MAX_PROGRAM = 2000;
const SLICE = 64 * 1024;

const showLine = (line: string): string => {
  const text = stripVTControlCharacters(line);
  return text.length <= MAX_LINE ? text : `${text.slice(0, MAX_LINE)}…`;
};

const listAll = function* (log: string): Generator<string> {
  const filter = chainFilters(createRecorderFilter(), createFinalLines(MOST_ROWS));
  for (let at = 0; at < log.length; at += SLICE)
    yield* splitLines(filter.push(log.slice(at, at + SLICE))).map(showLine);
  yield* splitLines(filter.end()).map(showLine);
};

const listLines = function* (log: string): Generator<string> {
  let blank = 0;
  for (const line of listAll(log)) {
    if (line === "") blank += 1;
    else {
      yield* Array.from({ length: blank }, () => "");
      yield line;
      blank = 0;
    }
  }
};

/** Without the recorder's own, each as it looked at its end: a progress bar is there once, and nothing paints. */
export const readLines = (log: string): readonly string[] => [...listLines(log)];

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

const findMatching = function* (log: string, matches: Matches): Generator<string | null> {
  for (const line of listLines(log)) yield matches(line) ? line : null;
};

/** The last lines that match. Everything else has its turn meanwhile. */
export const chooseLines = async (log: string, matches: Matches, most: number): Promise<LogLines> => {
  const wanted = await collectInTurns(findMatching(log, matches));
  const lines = most === 0 ? [] : wanted.slice(-most);
  return { lines, left_out: wanted.length - lines.length };
};
