import type { RE2JS } from "re2js";
import { describeError } from "../../../base/describe-error.ts";
import { err, ok, type Result } from "../../../base/result.ts";
import { MOST_CHARACTERS, MOST_STEPS } from "../../../mcp/text-matcher.ts";
import { createRefusal, type Refusal } from "../../core/refusal.ts";

/** `isExhausted`: the time allowed was used up, and what `matches` said after that is worth nothing. */
export type CommandMatcher = Readonly<{ matches: (command: string) => boolean; isExhausted: () => boolean }>;

const BUDGET_MS = 1000;

const compile = async (pattern: string): Promise<Result<RE2JS, Refusal>> => {
  if (pattern.length > MOST_CHARACTERS) {
    return err(createRefusal("INVALID_REQUEST", `A regular expression may have up to ${MOST_CHARACTERS} characters`));
  }
  const { RE2JS } = await import("re2js");
  try {
    return ok(RE2JS.compile(pattern));
  } catch (error) {
    const reason = describeError(error);
    return err(createRefusal("INVALID_REQUEST", `Not a regular expression: ${reason}`));
  }
};

export const createCommandMatcher = async (pattern: string): Promise<Result<CommandMatcher, Refusal>> => {
  const compiled = await compile(pattern);
  if (!compiled.ok) return compiled;
  const expression = compiled.value;
  const maxLength = MOST_STEPS / expression.programSize();
  let spentMs = 0;
  let exhausted = false;
  const matches = (command: string): boolean => {
    exhausted ||= command.length > maxLength || spentMs > BUDGET_MS;
    if (exhausted) return false;
    const startedAt = performance.now();
    const isMatch = expression.test(command);
    spentMs += performance.now() - startedAt;
    return isMatch;
  };
  return ok({ matches, isExhausted: () => exhausted });
};
