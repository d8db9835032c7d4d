import { ok, type Result } from "../../base/result.ts";
import type { Failure, Flag, FlagValues } from "../../command-line/command.ts";
import { readSwitch, readWhole } from "../../command-line/flag-values.ts";
import type { WireJob, WireStatus } from "../../wire/job.ts";
import { printRows, wantsJson } from "../documents/rows.ts";
import { hint, print } from "../terminal/output.ts";

const DEFAULT_SHOWN = 25;
const MOST_COUNTED = 10_000;
export const ENDED_STATUSES: readonly WireStatus[] = ["completed", "failed", "killed"];

export const LIST_FLAGS: readonly Flag[] = [
  { long: "user", short: "u", value: "NAME", help: "only this user's" },
  { long: "count", short: "n", value: "N", default: DEFAULT_SHOWN, help: "how many" },
  { long: "all", help: "all of them" },
  { long: "json", help: "as JSON" },
  { long: "quiet", short: "q", help: "ids only" },
];

/** Infinite with `--all`. */
export const readLimit = (flags: FlagValues): Result<number, Failure> => {
  const count = readWhole(flags, "count", { min: 1, max: MOST_COUNTED });
  if (!count.ok) return count;
  return ok(readSwitch(flags, "all") ? Number.POSITIVE_INFINITY : (count.value ?? DEFAULT_SHOWN));
};

/** As the flags say: JSON, ids, or the verb's own table, which needs at least one job. */
export const showJobs = (
  jobs: readonly WireJob[],
  flags: FlagValues,
  text: Readonly<{ printTable: (jobs: readonly WireJob[]) => void; whenEmpty: string }>,
): void => {
  if (wantsJson(flags)) printRows(jobs, flags);
  else if (readSwitch(flags, "quiet")) for (const job of jobs) print(job.id);
  else if (jobs.length === 0) hint(text.whenEmpty);
  else text.printTable(jobs);
};
