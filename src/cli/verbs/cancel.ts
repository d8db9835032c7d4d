import { ok } from "../../base/result.ts";
import type { Invocation, Outcome, Verb } from "../../command-line/command.ts";
import { failUsage } from "../../command-line/usage.ts";
import type { WireJob } from "../../wire/job.ts";
import type { Api } from "../connection/api-client.ts";
import type { ApiResult } from "../connection/api-failure.ts";
import { connect } from "../connection/connect.ts";
import { ACTION_FLAGS, actOnJobs } from "../jobs/act-on-jobs.ts";
import { readOwner, selectJobs } from "../jobs/job-selection.ts";

const WRONG_STATE = "INVALID_JOB_STATE";

const cancelJob =
  (api: Api) =>
  async ({ id }: WireJob): ApiResult<unknown> => {
    const removed = await api.send("DELETE", `/v1/jobs/${id}`);
    if (removed.ok || removed.error.code !== WRONG_STATE) return removed;
    const killed = await api.send("POST", `/v1/jobs/${id}/kill`);
    return killed.ok || killed.error.code !== WRONG_STATE ? killed : ok(undefined);
  };

const run = async ({ flags, words }: Invocation): Promise<Outcome> => {
  if (words.length === 0) return failUsage("nx cancel needs a job id, a name or a regular expression", "see nx");
  const api = await connect(flags);
  if (!api.ok) return api;
  const wanted = { statuses: ["running", "queued"], user: readOwner(flags, api.value.target) } as const;
  const jobs = await selectJobs(api.value, wanted, words);
  if (!jobs.ok) return jobs;
  return actOnJobs(jobs.value, { verb: "cancel", done: "cancelled", act: cancelJob(api.value) }, flags);
};

export const verb: Verb = {
  name: "cancel",
  usage: "nx cancel [flags] @BATCH, ID, GPU, name or regex…",
  summary: "take jobs out of the queue, or end them where they run",
  flags: ACTION_FLAGS,
  examples: ["nx cancel k3f9ab", "nx cancel @m2c8xz", "nx cancel -y baseline"],
  run,
};
