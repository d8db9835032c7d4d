import { ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { failUsage } from "../../command-line/usage.ts";
import { createTextMatcher, type MatchText, MOST_CHARACTERS } from "../../mcp/text-matcher.ts";

const ESC = "\\u001b";
const SEQUENCE = new RegExp(
  `${ESC}(?:\\[[0-?]*[ -/]*[@-~]|\\][^\\u0007${ESC}]*(?:\\u0007|${ESC}\\\\)|[@-Z\\\\-_])`,
  "g",
);

/** Colours are no part of a line. */
export const createLineMatcher = async (pattern: string): Promise<Result<MatchText, Failure>> => {
  if (pattern.length > MOST_CHARACTERS)
    return failUsage(`--search takes a regular expression of up to ${MOST_CHARACTERS} characters`);
  const matches = await createTextMatcher(pattern);
  if (!matches.ok) return failUsage(`--search takes a regular expression: ${matches.error.message}`);
  return ok((line) => matches.value(line.replace(SEQUENCE, "")));
};
