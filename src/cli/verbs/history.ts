import { connect } from "../connect.ts";
import { failUsage } from "../failure.ts";
import { readText } from "../flag-values.ts";
import { ENDED_STATUSES, LIST_FLAGS, readLimit, showJobs } from "../job-list.ts";
import { printEnded } from "../job-text.ts";
import { listJobs } from "../list-jobs.ts";
import { DONE, type Invocation, type Outcome, type Verb } from "../verb.ts";

const run = async ({ flags, words }: Invocation): Promise<Outcome> => {
  const limit = readLimit(flags);
  if (!limit.ok) return limit;
  const api = await connect(flags);
  if (!api.ok) return api;
  const selection = { user: readText(flags, "user"), regex: words[0] ?? null };
  const jobs = await listJobs(api.value, { statuses: ENDED_STATUSES, most: limit.value, ...selection });
  if (!jobs.ok) return jobs.error.code === "INVALID_REQUEST" ? failUsage(jobs.error.message) : jobs;
  const whenEmpty =
    selection.user === null && selection.regex === null ? "No job has ended yet." : "No such job has ended yet.";
  showJobs(jobs.value.toReversed(), flags, { printTable: printEnded, whenEmpty });
  return DONE;
};

export const verb: Verb = {
  name: "history",
  usage: "nx history [flags] [regex]",
  summary: "the jobs that have ended, newest last",
  flags: LIST_FLAGS,
  maxWords: 1,
  examples: ["nx history", "nx history 'train.*lr 0.1' -n 5"],
  run,
};
