import type { PastAttempt } from "../attempt.ts";
import type { JobStatus } from "../job.ts";

/** What is to be known of a job to tell what it used; `startedAt`, `completedAt`, `gpuIdxs` and `bookedGpus` are of the newest attempt, `idleShare` is of all. */
export type SpentJob = Readonly<{
  user: string;
  name: string | null;
  batchId: string | null;
  status: JobStatus;
  createdAt: number;
  startedAt: number | null;
  completedAt: number | null;
  gpuIdxs: readonly number[];
  bookedGpus: number | null;
  past: readonly Pick<PastAttempt, "startedAt" | "endedAt" | "gpuIdxs" | "bookedGpus">[];
  idleShare: number | null;
}>;

/** One attempt, up to now where it runs; `gpus` are its GPUs, shared ones by their booked part. */
export type Stint = Readonly<{ from: number; to: number; gpus: number; gpuIdxs: readonly number[] }>;

/** In Unix seconds. */
export type Window = Readonly<{ since: number; until: number }>;

const listNewest = (job: SpentJob, until: number): readonly Stint[] => {
  const { status, startedAt, gpuIdxs } = job;
  if (status === "queued" || startedAt === null || startedAt === job.past.at(-1)?.startedAt) return [];
  return [{ from: startedAt, to: job.completedAt ?? until, gpus: job.bookedGpus ?? gpuIdxs.length, gpuIdxs }];
};

const clip = ({ from, to, ...stint }: Stint, { since, until }: Window): readonly Stint[] =>
  to <= since || from > until ? [] : [{ ...stint, from: Math.max(from, since), to: Math.min(to, until) }];

/** What of the attempts lies within the time. */
export const listStints = (job: SpentJob, window: Window): readonly Stint[] => {
  const past = job.past.map(({ startedAt: from, endedAt: to, gpuIdxs, bookedGpus: gpus = gpuIdxs.length }) => ({
    ...{ from, to, gpus, gpuIdxs },
  }));
  return [...past, ...listNewest(job, window.until)].flatMap((stint) => clip(stint, window));
};

export const countGpuSeconds = (stints: readonly Stint[]): number =>
  stints.reduce((sum, { from, to, gpus }) => sum + Math.max(0, to - from) * gpus, 0);
