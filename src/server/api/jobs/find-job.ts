import { err, ok, type Result } from "../../../base/result.ts";
import { jobIdSchema } from "../../../wire/job.ts";
import type { Job, JobId } from "../../core/jobs/job.ts";
import { createUnknownJob, type Refusal } from "../../core/refusal.ts";
import type { Store } from "../../core/store.ts";

/** The job that the request's path names; a text that no job can be called is that of no job. */
export const jobParams = { id: { schema: jobIdSchema.transform((id) => id as JobId), refuse: createUnknownJob } };

export const findJob = (store: Pick<Store, "findJob">, id: JobId): Result<Job, Refusal> => {
  const job = store.findJob(id);
  return job === null ? err(createUnknownJob(id)) : ok(job);
};
