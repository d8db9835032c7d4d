import { ok, type Result } from "../../base/result.ts";
import type { Failure, Flag, FlagValues } from "../../command-line/command.ts";
import { readSwitch, readText, readWhole } from "../../command-line/flag-values.ts";
import { readPast } from "../../command-line/read-moment.ts";
import { failUsage } from "../../command-line/usage.ts";
import type { MatchText } from "../../mcp/text-matcher.ts";
import { MAX_RETRIES } from "../../wire/job-fields/retries.ts";
import { createLineMatcher } from "./line-matcher.ts";

/** `matches` is null without a search. */
export type LogRequest = Readonly<{
  count: number | null;
  since: number | null;
  attempt: number | null;
  matches: MatchText | null;
  isFollowed: boolean;
  isError: boolean;
  isRaw: boolean;
  isJson: boolean;
}>;

const MAX_LINES = 10_000_000;

export const LOG_FLAGS: readonly Flag[] = [
  { long: "lines", short: "n", value: "N", help: "the last N lines" },
  { long: "follow", short: "F", help: "go on until the job ends" },
  { long: "search", value: "REGEX", help: "only lines that match (RE2); -n counts these" },
  { long: "since", value: "TIME", help: "what was written since then: 10m (ago), 18:30" },
  { long: "attempt", value: "N", help: "that of its Nth attempt (default: the newest)" },
  { long: "error", help: "what went wrong around the job (its error.log)" },
  { long: "raw", help: "the bytes of the log as they are" },
  { long: "json", help: "as JSON, with -F a line of JSON for each line" },
];

const NOT_TOGETHER: readonly (readonly string[])[] = [
  ["raw", "json"],
  ["raw", "search"],
  ["error", "follow"],
  ["error", "since"],
  ["follow", "search", "lines"],
  ["follow", "attempt"],
];

const findClash = (flags: FlagValues): readonly string[] | undefined =>
  NOT_TOGETHER.find((names) => names.every((name) => flags[name] !== undefined));

const nameFlags = (names: readonly string[]): string => {
  const flags = names.map((name) => `--${name}`);
  return `${flags.slice(0, -1).join(", ")} and ${flags.at(-1)}`;
};

/** What the flags ask for, or what is wrong with them. */
export const readLogRequest = async (flags: FlagValues): Promise<Result<LogRequest, Failure>> => {
  const clash = findClash(flags);
  if (clash !== undefined) return failUsage(`${nameFlags(clash)} can't be used together`);
  const count = readWhole(flags, "lines", { min: 1, max: MAX_LINES });
  if (!count.ok) return count;
  const since = readPast(flags, "since");
  if (!since.ok) return since;
  const attempt = readWhole(flags, "attempt", { min: 1, max: MAX_RETRIES + 1 });
  if (!attempt.ok) return attempt;
  const search = readText(flags, "search");
  const matches = search === null ? ok(null) : await createLineMatcher(search);
  if (!matches.ok) return matches;
  return ok({
    ...{ count: count.value, since: since.value, attempt: attempt.value, matches: matches.value },
    ...{ isFollowed: readSwitch(flags, "follow"), isError: readSwitch(flags, "error") },
    ...{ isRaw: readSwitch(flags, "raw"), isJson: readSwitch(flags, "json") },
  });
};
