import { DONE, type Invocation, type Outcome, type Verb } from "../../command-line/command.ts";
import { readSwitch, readText } from "../../command-line/flag-values.ts";
import { connect } from "../connection/connect.ts";
import { listRows, wantsJson } from "../documents/rows.ts";
import { warnOfHalt } from "../jobs/halt-text.ts";
import { printQueued } from "../jobs/job-text.ts";
import { LIST_FLAGS, readLimit, showJobs } from "../jobs/list-flags.ts";
import { listJobs } from "../jobs/list-jobs.ts";
import { hint } from "../terminal/output.ts";

const sayMore = (count: number, limit: number): void => {
  if (count > limit)
    hint(`${limit === 1 ? "The first is" : `The first ${limit} are`} shown; more with: nx queue --all`);
};

const isForPrograms = (flags: Invocation["flags"]): boolean => wantsJson(flags) || readSwitch(flags, "quiet");

const run = async ({ flags }: Invocation): Promise<Outcome> => {
  const limit = readLimit(flags);
  if (!limit.ok) return limit;
  const api = await connect(flags);
  if (!api.ok) return api;
  const asked = { user: readText(flags, "user"), explain: wantsJson(flags), most: limit.value + 1 };
  const jobs = await listJobs(api.value, { statuses: ["queued"], ...asked });
  if (!jobs.ok) return jobs;
  showJobs(jobs.value.slice(0, limit.value), flags, { printTable: printQueued, whenEmpty: "The queue is empty." });
  sayMore(jobs.value.length, limit.value);
  if (jobs.value.length > 0 && !isForPrograms(flags)) await warnOfHalt(api.value);
  return DONE;
};

export const verb: Verb = listRows({
  name: "queue",
  usage: "nx queue [flags]",
  summary: "the waiting jobs, in start order",
  flags: LIST_FLAGS,
  maxWords: 0,
  examples: ["nx queue", "nx queue -u ada --json"],
  run,
});
