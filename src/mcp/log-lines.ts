import { stripVTControlCharacters } from "node:util";
import { err, ok, type Result } from "../base/result.ts";
import { collectInTurns } from "../tools/give-way.ts";
import { createFinalLines, splitLines } from "../wire/logs/final-lines.ts";
import { MOST_ROWS } from "../wire/logs/fold.ts";
import { chainFilters, createRecorderFilter } from "../wire/logs/recorder-filter.ts";
import { type Trouble, WRONG_ARGUMENTS } from "./ask.ts";
import { createTextMatcher, type MatchText } from "./text-matcher.ts";

/** Of a log; `left_out` counts the lines before those shown that were wanted too. */
export type LogLines = Readonly<{ lines: readonly string[]; left_out: number }>;

const MAX_LINE = 400;
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

/** All match where nothing is searched for. */
export const createMatcher = async (pattern: string | undefined): Promise<Result<MatchText, Trouble>> => {
  if (pattern === undefined) return ok(() => true);
  const matches = await createTextMatcher(pattern);
  if (matches.ok) return matches;
  const { message, isSyntax } = matches.error;
  return err({ code: WRONG_ARGUMENTS, message: `search: ${isSyntax ? "not a regular expression: " : ""}${message}` });
};

const findMatching = function* (log: string, matches: MatchText): Generator<string | null> {
  for (const line of listLines(log)) yield matches(line) ? line : null;
};

/** The last lines that match. Everything else has its turn meanwhile. */
export const chooseLines = async (log: string, matches: MatchText, most: number): Promise<LogLines> => {
  const wanted = await collectInTurns(findMatching(log, matches));
  const lines = most === 0 ? [] : wanted.slice(-most);
  return { lines, left_out: wanted.length - lines.length };
};
