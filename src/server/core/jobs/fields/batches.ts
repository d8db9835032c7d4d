import type { AskedFields, ToldFields } from "../../../../wire/job-fields/job-fields.ts";
import { takeGiven } from "./take-given.ts";

/** `batchId` is of all jobs that one request of several made, `batchMax` how many of them run at most at once: the same in each, null where that was taken away. */
export type JobBatch = Readonly<{ batchId?: string; batchMax?: number | null }>;

export const readBatch = ({ batch_max: batchMax }: AskedFields): Pick<JobBatch, "batchMax"> => takeGiven({ batchMax });

export const tellBatch = ({
  batchId = null,
  batchMax = null,
}: Readonly<{ batchId?: string | null }> & Pick<JobBatch, "batchMax">): Pick<ToldFields, "batch_id" | "batch_max"> => ({
  batch_id: batchId,
  batch_max: batchMax,
});

/** What is wrong with what is asked of a batch. */
export type BatchMistake = Readonly<{ field: "batch_max"; message: string; type: string }>;

export const NO_BATCH: BatchMistake = {
  field: "batch_max",
  message: "Only of a batch, which several jobs submitted together are, can be said how many run at most at once",
  type: "no_batch",
};

/** Which of the jobs of one batch says another limit than the first; null where all say the same. */
export const findBatchMistake = (jobs: readonly JobBatch[]): (BatchMistake & Readonly<{ index: number }>) | null => {
  const max = jobs[0]?.batchMax ?? null;
  const index = jobs.findIndex(({ batchMax = null }) => batchMax !== max);
  const message = "All jobs of a batch have the same limit of how many run at most at once";
  return index === -1 ? null : { field: "batch_max", message, type: "conflict", index };
};
