import { existsSync } from "node:fs";
import { escapeText } from "../../base/escape-text.ts";
import { ok, type Result } from "../../base/result.ts";
import type { Failure, Invocation } from "../../command-line/command.ts";
import { readSwitch } from "../../command-line/flag-values.ts";
import { fail, failUsage } from "../../command-line/usage.ts";
import { canPrompt, confirm } from "../terminal/prompt.ts";

const isProgram = (word: string): boolean => /[\s/]/.test(word) && existsSync(word);

/** Asks whether a command is meant as typed where another line is more likely; without a terminal it is refused. */
export const confirmCommand = async ({ flags, words, command, meant }: Invocation): Promise<Result<null, Failure>> => {
  const [first = ""] = command ?? words;
  if (meant === undefined || isProgram(first)) return ok(null);
  const line = escapeText(meant);
  if (!canPrompt() || readSwitch(flags, "yes"))
    return failUsage(`did you mean: ${line} ? If not, put the word "command" before your command`);
  const agreed = await confirm(`Did you mean: ${line} ? Submit it as you typed it all the same?`, "");
  if (!agreed.ok) return agreed;
  return agreed.value ? ok(null) : fail("nothing was submitted");
};
