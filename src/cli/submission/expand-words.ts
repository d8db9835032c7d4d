import { randomInt } from "node:crypto";
import { escapeText } from "../../base/escape-text.ts";
import { ok, type Result } from "../../base/result.ts";
import type { Failure, FlagValues } from "../../command-line/command.ts";
import { readSwitch } from "../../command-line/flag-values.ts";
import { failUsage } from "../../command-line/usage.ts";
import { canPrompt, confirm } from "../terminal/prompt.ts";
import { escapeBraces, findDoubtfulLists, keepDoubtfulLists } from "./doubtful-lists.ts";
import { expandCommand } from "./expansion.ts";
import { glueWords, isBlank, joinCommand, splitWords } from "./job-command.ts";

/** Of lists: each makes jobs, those that look like a part of a program are left as they are, or all are. */
export type Reading = "sweep" | "cautious" | "literal";

const draw = (min: number, max: number): number => randomInt(min, max + 1);

const refuseDoubtful = (lists: readonly string[]): Result<never, Failure> => {
  const [first = ""] = lists;
  const asItIs = `--literal leaves braces as they are (or write ${escapeText(escapeBraces(first))})`;
  return failUsage(
    `${escapeText(first)} may be a list of values or a part of a program; ${asItIs}, --sweep makes a job for each part`,
  );
};

const askReading = async (lists: readonly string[], flags: FlagValues): Promise<Result<Reading, Failure>> => {
  if (!canPrompt() || readSwitch(flags, "yes")) return refuseDoubtful(lists);
  const agreed = await confirm(`Make a job for each part of ${escapeText(lists.join(" and "))}?`, "");
  return agreed.ok ? ok(agreed.value ? "sweep" : "cautious") : agreed;
};

/** As the flags say, or as is answered where it can't be known. */
export const chooseReading = async (words: readonly string[], flags: FlagValues): Promise<Result<Reading, Failure>> => {
  const [isLiteral, isSweep] = [readSwitch(flags, "literal"), readSwitch(flags, "sweep")];
  if (isLiteral && isSweep) return failUsage("give --literal or --sweep, not both");
  if (isLiteral) return ok("literal");
  const lists = isSweep ? [] : findDoubtfulLists(glueWords(words));
  return lists.length === 0 ? ok("sweep") : askReading(lists, flags);
};

const expandLists = (
  words: readonly string[],
  repeat: number,
  reading: Reading,
): Result<readonly string[], Failure> => {
  const glued = glueWords(words);
  const expanded = expandCommand(reading === "cautious" ? keepDoubtfulLists(glued) : glued, repeat, draw);
  if (!expanded.ok) return expanded;
  const jobs = expanded.value.map(splitWords);
  if (jobs.some(isBlank)) return failUsage("the command of one of the jobs is blank");
  return ok(jobs.map((job) => joinCommand(job, words.length === 1)));
};

/** A command for each job that the words make, `repeat` times. */
export const expandWords = (
  words: readonly string[],
  repeat: number,
  reading: Reading,
): Result<readonly string[], Failure> => {
  if (isBlank(words)) return failUsage("the command is blank");
  if (reading !== "literal") return expandLists(words, repeat, reading);
  return ok(Array.from({ length: repeat }, () => joinCommand(words)));
};
