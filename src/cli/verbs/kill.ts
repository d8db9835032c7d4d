import type { WireJob } from "../../shared/job.ts";
import type { Result } from "../../shared/result.ts";
import { ACTION_FLAGS, actOnJobs } from "../act-on-jobs.ts";
import type { Api } from "../api-client.ts";
import { connect } from "../connect.ts";
import { fail } from "../failure.ts";
import { selectJobs } from "../job-selection.ts";
import { listJobs } from "../list-jobs.ts";
import { readUserName } from "../user-name.ts";
import type { Failure, Invocation, Outcome, Verb } from "../verb.ts";

const choose = async (api: Api, words: readonly string[]): Promise<Result<readonly WireJob[], Failure>> => {
  if (words.length > 0) return selectJobs(api, "running", words);
  const user = readUserName(api.target.config);
  const newest = await listJobs(api, { statuses: ["running"], user, most: 1 });
  if (!newest.ok || newest.value.length > 0) return newest;
  return fail(`no job of ${user} is running`);
};

const run = async ({ flags, words }: Invocation): Promise<Outcome> => {
  const api = await connect(flags);
  if (!api.ok) return api;
  const jobs = await choose(api.value, words);
  if (!jobs.ok) return jobs;
  const act = (job: WireJob) => api.value.send("POST", `/v1/jobs/${job.id}/kill`);
  return actOnJobs(jobs.value, { verb: "kill", done: "killed", act }, flags);
};

export const verb: Verb = {
  name: "kill",
  usage: "nx kill [flags] [GPU, ID or regex…]",
  summary: "end running jobs (default: your newest)",
  flags: ACTION_FLAGS,
  examples: ["nx kill k3f9ab", "nx kill 0 1", "nx kill -y 'train.*lr 0.1'"],
  run,
};
