import type { WireJob } from "../../shared/job.ts";
import { ACTION_FLAGS, actOnJobs } from "../act-on-jobs.ts";
import { connect } from "../connect.ts";
import { failUsage } from "../failure.ts";
import { selectJobs } from "../job-selection.ts";
import type { Invocation, Outcome, Verb } from "../verb.ts";

const run = async ({ flags, words }: Invocation): Promise<Outcome> => {
  if (words.length === 0) return failUsage("nx remove needs a job id or a regular expression (see nx queue)");
  const api = await connect(flags);
  if (!api.ok) return api;
  const jobs = await selectJobs(api.value, "queued", words);
  if (!jobs.ok) return jobs;
  const act = (job: WireJob) => api.value.send("DELETE", `/v1/jobs/${job.id}`);
  return actOnJobs(jobs.value, { verb: "remove", done: "removed", act }, flags);
};

export const verb: Verb = {
  name: "remove",
  usage: "nx remove [flags] ID or regex…",
  summary: "take jobs out of the queue",
  flags: ACTION_FLAGS,
  examples: ["nx remove k3f9ab", "nx remove -y 'seed 3'"],
  run,
};
