import type { Result } from "../../base/result.ts";
import type { Failure, Invocation, Outcome, Verb } from "../../command-line/command.ts";
import { failMissing } from "../../command-line/usage.ts";
import type { WireJob } from "../../wire/job.ts";
import type { Api } from "../connection/api-client.ts";
import { connect } from "../connection/connect.ts";
import { ACTION_FLAGS, actOnJobs } from "../jobs/act-on-jobs.ts";
import { readOwner, selectJobs } from "../jobs/job-selection.ts";
import { listJobs } from "../jobs/list-jobs.ts";
import { readUserName } from "../settings/user-name.ts";

const choose = async (api: Api, { flags, words }: Invocation): Promise<Result<readonly WireJob[], Failure>> => {
  const wanted = { statuses: ["running"], user: readOwner(flags, api.target) } as const;
  if (words.length > 0) return selectJobs(api, wanted, words);
  const user = readUserName(api.target.config);
  const newest = await listJobs(api, { statuses: ["running"], user, most: 1 });
  if (!newest.ok || newest.value.length > 0) return newest;
  return failMissing(`no job of ${user} is running`);
};

const run = async (invocation: Invocation): Promise<Outcome> => {
  const { flags } = invocation;
  const api = await connect(flags);
  if (!api.ok) return api;
  const jobs = await choose(api.value, invocation);
  if (!jobs.ok) return jobs;
  const act = (job: WireJob) => api.value.send("POST", `/v1/jobs/${job.id}/kill`);
  return actOnJobs(jobs.value, { verb: "kill", done: "killed", act }, flags);
};

export const verb: Verb = {
  name: "kill",
  usage: "nx kill [flags] [@BATCH, ID, GPU, name or regex…]",
  summary: "end running jobs (default: your newest)",
  flags: ACTION_FLAGS,
  examples: ["nx kill k3f9ab", "nx kill 0 1", "nx kill -y 'train.*lr 0.1'"],
  run,
};
