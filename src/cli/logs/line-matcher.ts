import { describeError } from "../../base/describe-error.ts";
import { ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { failUsage } from "../../command-line/usage.ts";

export type MatchLine = (line: string) => boolean;

const MOST_CHARACTERS = 1000;
const MOST_STEPS = 4e6;
const ESC = "\\u001b";
const SEQUENCE = new RegExp(
  `${ESC}(?:\\[[0-?]*[ -/]*[@-~]|\\][^\\u0007${ESC}]*(?:\\u0007|${ESC}\\\\)|[@-Z\\\\-_])`,
  "g",
);

/**
 * In RE2's syntax, without going back: no expression takes longer than its length times that of the line, and of a line no more is
 * looked at than is done in a moment. Colours are no part of a line.
 */
export const createLineMatcher = async (pattern: string): Promise<Result<MatchLine, Failure>> => {
  if (pattern.length > MOST_CHARACTERS)
    return failUsage(`--search takes a regular expression of up to ${MOST_CHARACTERS} characters`);
  const { RE2JS } = await import("re2js");
  try {
    const expression = RE2JS.compile(pattern);
    const longest = MOST_STEPS / expression.programSize();
    return ok((line) => expression.test(line.slice(0, longest).replace(SEQUENCE, "")));
  } catch (error) {
    return failUsage(`--search takes a regular expression: ${describeError(error)}`);
  }
};
