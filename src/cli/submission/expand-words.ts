import { randomInt } from "node:crypto";
import { escapeText } from "../../base/escape-text.ts";
import { ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { failUsage } from "../../command-line/usage.ts";
import { hint } from "../terminal/output.ts";
import { expandCommand, findDoubtfulLists } from "./expansion.ts";
import { glueWords, isBlank, joinCommand, splitWords } from "./job-command.ts";

const draw = (min: number, max: number): number => randomInt(min, max + 1);

const warnOfList = (list: string): void => {
  const literal = list.replaceAll("{", "\\{");
  hint(escapeText(`Warning: ${list} makes a job for each part between commas; to have it as it is, write ${literal}`));
};

/** A command for each job that the words make, `repeat` times. */
export const expandWords = (words: readonly string[], repeat: number): Result<readonly string[], Failure> => {
  if (isBlank(words)) return failUsage("the command is blank");
  const glued = glueWords(words);
  for (const list of findDoubtfulLists(glued)) warnOfList(list);
  const expanded = expandCommand(glued, repeat, draw);
  return expanded.ok ? ok(expanded.value.map((command) => joinCommand(splitWords(command)))) : expanded;
};
