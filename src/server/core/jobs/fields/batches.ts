import type { ToldFields } from "../../../../wire/job-fields/job-fields.ts";

/** `batchId` is of all jobs that one request of several made. */
export type JobBatch = Readonly<{ batchId?: string }>;

export const tellBatch = ({ batchId = null }: Readonly<{ batchId?: string | null }>): Pick<ToldFields, "batch_id"> => ({
  batch_id: batchId,
});
