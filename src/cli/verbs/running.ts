import { DONE, type Invocation, type Outcome, type Verb } from "../../command-line/command.ts";
import { readText } from "../../command-line/flag-values.ts";
import { connect } from "../connection/connect.ts";
import { listRows } from "../documents/rows.ts";
import { printRunning } from "../jobs/job-text.ts";
import { LIST_FLAGS, showJobs } from "../jobs/list-flags.ts";
import { listJobs } from "../jobs/list-jobs.ts";

const run = async ({ flags }: Invocation): Promise<Outcome> => {
  const api = await connect(flags);
  if (!api.ok) return api;
  const jobs = await listJobs(api.value, { statuses: ["running"], user: readText(flags, "user") });
  if (!jobs.ok) return jobs;
  showJobs(jobs.value, flags, { printTable: printRunning, whenEmpty: "No job is running." });
  return DONE;
};

const ABOUT_LENGTH = ["count", "all"];

export const verb: Verb = listRows({
  name: "running",
  usage: "nx running [flags]",
  summary: "the running jobs, newest start first",
  flags: LIST_FLAGS.filter(({ long }) => !ABOUT_LENGTH.includes(long)),
  maxWords: 0,
  examples: ["nx running", "nx running -q -u ada"],
  run,
});
