import { describeError } from "../../base/describe-error.ts";
import { err, ok, type Problem, type Result } from "../../base/result.ts";

export type MatchText = (text: string) => boolean;

export const MOST_CHARACTERS = 1000;
const MOST_STEPS = 4e6;

/**
 * In RE2's syntax, without going back: no expression takes longer than its length times that of the text, and of a text no more is
 * looked at than is done in a moment.
 */
export const createTextMatcher = async (pattern: string): Promise<Result<MatchText, Problem>> => {
  if (pattern.length > MOST_CHARACTERS) return err({ message: `it is longer than ${MOST_CHARACTERS} characters` });
  const { RE2JS } = await import("re2js");
  try {
    const expression = RE2JS.compile(pattern);
    const longest = MOST_STEPS / expression.programSize();
    return ok((text) => expression.test(text.slice(0, longest)));
  } catch (error) {
    return err({ message: describeError(error) });
  }
};
