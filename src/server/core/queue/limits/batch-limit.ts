import type { JobBatch } from "../../jobs/fields/batches.ts";

/** A batch of which only so many jobs may run at once. */
export type LimitedBatch = Readonly<{ id: string; max: number }>;

/** So many jobs of the batch run or start as may run at once. */
export type BatchReached = Readonly<{ kind: "batch_limit"; batch: LimitedBatch; used: number; until: null }>;

/** Null for a job of a batch without a limit, or of none. */
export const findBatch = ({ batchId, batchMax = null }: JobBatch): LimitedBatch | null =>
  batchId === undefined || batchMax === null ? null : { id: batchId, max: batchMax };

export const countOfBatch = (id: string, jobs: readonly JobBatch[]): number =>
  jobs.reduce((count, { batchId }) => count + Number(batchId === id), 0);

/** What keeps a job waiting beside so many of its batch; null where that is none or few enough. */
export const findBatchReached = (job: JobBatch, countUsed: (id: string) => number): BatchReached | null => {
  const batch = findBatch(job);
  if (batch === null) return null;
  const used = countUsed(batch.id);
  return used < batch.max ? null : { kind: "batch_limit", batch, used, until: null };
};

/** How many more of its jobs may start. */
export const countBatchLeft = (batch: LimitedBatch | null, active: readonly JobBatch[]): number =>
  batch === null ? Number.POSITIVE_INFINITY : Math.max(0, batch.max - countOfBatch(batch.id, active));

/** For people, no full stop. */
export const describeBatchReached = ({ batch: { id, max }, used }: BatchReached): string =>
  `${max === 1 ? "1 job" : `${max} jobs`} of @${id} may run at once, and ${used} ${used === 1 ? "runs or starts" : "run or start"} before it`;
