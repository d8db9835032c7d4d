import { tellDuration } from "../../../base/tell-duration.ts";
import type { RetryCause, WireAttempt } from "../../../wire/job-fields/retries.ts";
import type { Retries } from "./fields/retries.ts";

/** One launch of a job that has ended, and after which the job was put back in the queue. `bookedGpus`: its GPUs where it shared them, each by the booked part. */
export type PastAttempt = Readonly<{
  startedAt: number;
  endedAt: number;
  gpuIdxs: readonly number[];
  bookedGpus?: number;
  exitCode: number | null;
  reason: string | null;
  cause: RetryCause;
}>;

/** What a job has of its earlier attempts, the oldest first. `retryAt` (Unix seconds): no sooner does the next begin. `dir` and `hasWork` are of the last, `messages` those that tell of the job. */
export type Past = Readonly<{
  attempts: readonly PastAttempt[];
  retryAt: number;
  dir: string;
  hasWork: boolean;
  messages: Readonly<Record<string, string>>;
}>;

type Tried = Readonly<{ past?: Past }>;

const DELAYS_S = [10, 60, 300] as const;

export const listPast = ({ past }: Tried): readonly PastAttempt[] => past?.attempts ?? [];

/** Of the attempt that runs, or would be next; the first is 1. */
export const numberAttempt = (job: Tried): number => listPast(job).length + 1;

const countDelayS = (done: number): number => DELAYS_S[Math.min(done, DELAYS_S.length - 1)] ?? 0;

/** After how many seconds the next attempt begins, after so many; null where there is none. */
export const planRetry = (job: Tried & Retries, cause: RetryCause | null): number | null => {
  const done = listPast(job).length;
  const { count, causes } = job.retry ?? { count: 0, causes: [] };
  if (cause === null || !causes.includes(cause) || done >= count) return null;
  return countDelayS(done);
};

/** What comes after an attempt that failed: `attempt 2 of 4 in 10 s: REASON`. */
export const describeRetry = (job: Tried & Retries, attempt: number): string => {
  const total = Math.max((job.retry?.count ?? 0) + 1, attempt + 1);
  const reason = listPast(job)[attempt - 1]?.reason ?? "it failed";
  return `attempt ${attempt + 1} of ${total} in ${tellDuration(countDelayS(attempt - 1))}: ${reason}`;
};

export const tellAttempt = ({ startedAt, endedAt, gpuIdxs, exitCode, reason }: PastAttempt): WireAttempt => ({
  started_at: startedAt,
  ended_at: endedAt,
  gpu_idxs: [...gpuIdxs],
  exit_code: exitCode,
  reason,
});
