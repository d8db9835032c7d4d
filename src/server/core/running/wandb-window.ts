import type { RunningJob } from "../jobs/job.ts";

const FIRST_LOOK_S = 30;
const LAST_LOOK_S = 720;

/** True for a job whose W&B run is still to be found: from 30 s to 12 min after its start. */
export const awaitsWandbRun = (
  job: Pick<RunningJob, "integrations" | "wandbUrl" | "wandbNote" | "startedAt">,
  now: number,
): boolean => {
  const age = now - job.startedAt;
  const isFound = job.wandbUrl !== null || job.wandbNote !== undefined;
  return job.integrations.includes("wandb") && !isFound && age >= FIRST_LOOK_S && age <= LAST_LOOK_S;
};
