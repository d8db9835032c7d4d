import type { Invocation, Outcome } from "../../command-line/command.ts";
import { failUsage } from "../../command-line/usage.ts";
import type { WireJob } from "../../wire/job.ts";
import { connect } from "../connection/connect.ts";
import { actOnJobs, type JobAction } from "./act-on-jobs.ts";
import { readOwner, selectJobs } from "./job-selection.ts";

type Holding = Pick<JobAction, "verb" | "done"> & Readonly<{ held: boolean }>;

/** Holds queued jobs, or lets them go. */
export const holdJobs = async ({ flags, words }: Invocation, { held, ...action }: Holding): Promise<Outcome> => {
  if (words.length === 0)
    return failUsage(`nx ${action.verb} needs a job id, a name or a regular expression`, "see nx queue");
  const api = await connect(flags);
  if (!api.ok) return api;
  const jobs = await selectJobs(api.value, { statuses: ["queued"], user: readOwner(flags, api.value.target) }, words);
  if (!jobs.ok) return jobs;
  const act = (job: WireJob) => api.value.send("PATCH", `/v1/jobs/${job.id}`, { held });
  return actOnJobs(jobs.value, { ...action, isUndone: true, act }, flags);
};
