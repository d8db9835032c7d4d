import { listPast, numberAttempt } from "../jobs/attempt.ts";
import type { Job, JobId, StartingJob } from "../jobs/job.ts";
import { deriveLaunchToken } from "../jobs/launch-token.ts";

const isKnown = (stored: Job, launch: StartingJob): boolean => {
  if (numberAttempt(launch) > numberAttempt(stored)) return false;
  if (listPast(stored).some(({ startedAt }) => startedAt === launch.startedAt)) return true;
  if (stored.status === "queued") return false;
  return stored.status !== "starting" || deriveLaunchToken(stored) === deriveLaunchToken(launch);
};

/**
 * The launches that happened after the backup was made. Written down as starting, they are found out about as after a
 * crash: none is started again, and each gets its own result.
 */
export const planRestore = (
  findJob: (id: JobId) => Job | null,
  launches: readonly StartingJob[],
): readonly StartingJob[] =>
  launches.filter((launch) => {
    const stored = findJob(launch.id);
    return stored === null || !isKnown(stored, launch);
  });
