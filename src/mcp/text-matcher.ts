import { describeError } from "../base/describe-error.ts";
import { err, ok, type Problem, type Result } from "../base/result.ts";

export type MatchText = (text: string) => boolean;

/** `isSyntax`: it is no regular expression at all. */
export type PatternProblem = Problem & Readonly<{ isSyntax: boolean }>;

export const MOST_CHARACTERS = 1000;

/** Of an expression's program times the characters of a text: what is done in a moment. */
export const MOST_STEPS = 4e6;

const MOST_PROGRAM = 2000;

const refuse = (message: string, isSyntax = false): Result<never, PatternProblem> => err({ message, isSyntax });

/**
 * In RE2's syntax, without going back: no expression takes longer than its length times that of the text, and is small enough for many
 * texts; of each no more is looked at than is done in a moment.
 */
export const createTextMatcher = async (pattern: string): Promise<Result<MatchText, PatternProblem>> => {
  if (pattern.length > MOST_CHARACTERS) return refuse(`it is longer than ${MOST_CHARACTERS} characters`);
  const { RE2JS } = await import("re2js");
  try {
    const expression = RE2JS.compile(pattern);
    const size = expression.programSize();
    if (size > MOST_PROGRAM) return refuse("the regular expression is too large; make it simpler");
    return ok((text) => expression.test(text.slice(0, MOST_STEPS / size)));
  } catch (error) {
    return refuse(describeError(error), true);
  }
};
