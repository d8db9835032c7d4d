import type { WireAttempt } from "../../../wire/job-fields/retries.ts";
import { listPast, tellAttempt } from "./attempt.ts";
import { isEnded, type Job } from "./job.ts";

const tellNewest = (job: Job): readonly WireAttempt[] => {
  if (job.status === "queued" || job.startedAt === listPast(job).at(-1)?.startedAt) return [];
  const { startedAt: started_at, gpuIdxs } = job;
  if (started_at === null) return [];
  const end = isEnded(job)
    ? { ended_at: job.completedAt, exit_code: job.exitCode, reason: job.errorMessage }
    : { ended_at: null, exit_code: null, reason: null };
  return [{ started_at, gpu_idxs: [...gpuIdxs], ...end }];
};

/** All launches of the job, the oldest first. */
export const listAttempts = (job: Job): readonly WireAttempt[] => [
  ...listPast(job).map(tellAttempt),
  ...tellNewest(job),
];
