import { randomInt } from "node:crypto";
import { escapeText } from "../../base/escape-text.ts";
import { ok, type Result } from "../../base/result.ts";
import type { Failure, FlagValues } from "../../command-line/command.ts";
import { readSwitch } from "../../command-line/flag-values.ts";
import { failUsage } from "../../command-line/usage.ts";
import { canPrompt, confirm } from "../terminal/prompt.ts";
import { glueWords, isBlank, joinCommand, splitWords } from "./job-command.ts";
import { type Doubt, escapeList, findDoubt, showSpans } from "./lists/doubtful-lists.ts";
import { expandSweep } from "./lists/expansion.ts";
import type { TextSpan } from "./lists/find-braces.ts";
import { readSweep } from "./lists/sweep.ts";

/** What of the braces stays as it is: all, or some that may be a part of a program. */
export type Reading = "literal" | readonly TextSpan[];

const draw = (min: number, max: number): number => randomInt(min, max + 1);

const refuseList = (glued: string, list: TextSpan): Result<never, Failure> => {
  const [text = ""] = showSpans(glued, [list]);
  const escaped = escapeList(glued, list);
  const asItIs = `--literal leaves braces as they are${escaped === null ? "" : ` (or write ${escapeText(escaped)})`}`;
  return failUsage(
    `${escapeText(text)} may be a list of values or a part of a program; ${asItIs}, --sweep makes a job for each part`,
  );
};

const refuseEscape = (glued: string, escaped: TextSpan): Result<never, Failure> => {
  const [text = ""] = showSpans(glued, [escaped]);
  return failUsage(
    `the backslashes of ${escapeText(text)} may be a part of a program; --literal leaves them, --sweep takes them away`,
  );
};

const askKept = async (
  question: string,
  glued: string,
  spans: readonly TextSpan[],
): Promise<Result<readonly TextSpan[], Failure>> => {
  if (spans.length === 0) return ok([]);
  const agreed = await confirm(`${question} ${escapeText(showSpans(glued, spans).join(" and "))}?`, "");
  return agreed.ok ? ok(agreed.value ? [] : spans) : agreed;
};

const askReading = async (glued: string, { lists, escapes }: Doubt): Promise<Result<Reading, Failure>> => {
  const keptLists = await askKept("Make a job for each part of", glued, lists);
  if (!keptLists.ok) return keptLists;
  const keptEscapes = await askKept("Take away the backslashes of", glued, escapes);
  return keptEscapes.ok ? ok([...keptLists.value, ...keptEscapes.value]) : keptEscapes;
};

/** As the flags say, or as is answered where it can't be known. */
export const chooseReading = async (words: readonly string[], flags: FlagValues): Promise<Result<Reading, Failure>> => {
  const [isLiteral, isSweep] = [readSwitch(flags, "literal"), readSwitch(flags, "sweep")];
  if (isLiteral && isSweep) return failUsage("give --literal or --sweep, not both");
  if (isLiteral) return ok("literal");
  if (isSweep) return ok([]);
  const glued = glueWords(words);
  const doubt = findDoubt(glued);
  if (canPrompt() && !readSwitch(flags, "yes")) return askReading(glued, doubt);
  const [list, escaped] = [doubt.lists[0], doubt.escapes[0]];
  if (list !== undefined) return refuseList(glued, list);
  return escaped === undefined ? ok([]) : refuseEscape(glued, escaped);
};

const expandLists = (
  words: readonly string[],
  repeat: number,
  kept: readonly TextSpan[],
): Result<readonly string[], Failure> => {
  const expanded = expandSweep(readSweep(glueWords(words), kept), repeat, draw);
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
