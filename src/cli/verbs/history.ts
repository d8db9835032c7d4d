import { DONE, type Invocation, type Outcome, type Verb } from "../../command-line/command.ts";
import { readText } from "../../command-line/flag-values.ts";
import { connect } from "../connection/connect.ts";
import { checkFields } from "../documents/rows.ts";
import { printEnded } from "../jobs/job-text.ts";
import { ENDED_STATUSES, LIST_FLAGS, readLimit, showJobs } from "../jobs/list-flags.ts";
import { listJobs } from "../jobs/list-jobs.ts";

const run = async ({ flags, words }: Invocation): Promise<Outcome> => {
  const limit = readLimit(flags);
  if (!limit.ok) return limit;
  const checked = await checkFields(flags, "history");
  if (!checked.ok) return checked;
  const api = await connect(flags);
  if (!api.ok) return api;
  const selection = { user: readText(flags, "user"), regex: words[0] ?? null };
  const jobs = await listJobs(api.value, { statuses: ENDED_STATUSES, most: limit.value, ...selection });
  if (!jobs.ok) return jobs;
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
