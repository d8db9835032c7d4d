import type { Invocation, Outcome, Verb } from "../../command-line/command.ts";
import { failUsage } from "../../command-line/usage.ts";
import type { WireJob } from "../../wire/job.ts";
import { connect } from "../connection/connect.ts";
import { ACTION_FLAGS, actOnJobs } from "../jobs/act-on-jobs.ts";
import { readOwner, selectJobs } from "../jobs/job-selection.ts";

const run = async ({ flags, words }: Invocation): Promise<Outcome> => {
  if (words.length === 0) return failUsage("nx remove needs a job id, a name or a regular expression", "see nx queue");
  const api = await connect(flags);
  if (!api.ok) return api;
  const jobs = await selectJobs(api.value, { statuses: ["queued"], user: readOwner(flags, api.value.target) }, words);
  if (!jobs.ok) return jobs;
  const act = (job: WireJob) => api.value.send("DELETE", `/v1/jobs/${job.id}`);
  return actOnJobs(jobs.value, { verb: "remove", done: "removed", act }, flags);
};

export const verb: Verb = {
  name: "remove",
  usage: "nx remove [flags] @BATCH, ID, name or regex…",
  summary: "take jobs out of the queue",
  flags: ACTION_FLAGS,
  examples: ["nx remove k3f9ab", "nx remove -y 'seed 3'"],
  run,
};
